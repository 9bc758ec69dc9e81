//! The JSON Schemas of the records, in `examples/schemas/`: made from the contract, and true of what the program reads and writes. After a change of a record:
//! `INSTA_UPDATE=always cargo nextest run --test schemas`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// Record, and the file it is described in.
const RECORDS: [(&str, &str); 3] =
    [("Comment", "comment"), ("Article", "article"), ("Assessment", "assessment")];

/// The names of schemas that a schema refers to.
fn references(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                out.insert(name.rsplit('/').next().unwrap().to_owned());
            }
            fields.values().for_each(|value| references(value, out));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, out)),
        _ => {}
    }
}

fn schema(all: &Map<String, Value>, record: &str, file: &str) -> String {
    let mut wanted = BTreeSet::from([record.to_owned()]);
    loop {
        let mut found = wanted.clone();
        for name in &wanted {
            references(&all[name], &mut found);
        }
        if found == wanted {
            break;
        }
        wanted = found;
    }
    let defs: Map<String, Value> = wanted.iter().map(|name| (name.clone(), all[name].clone())).collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:claque:schema:{file}"),
        "title": record,
        "$ref": format!("#/$defs/{record}"),
        "$defs": defs,
    });
    serde_json::to_string_pretty(&schema).unwrap().replace("#/components/schemas/", "#/$defs/") + "\n"
}

#[test]
fn the_schemas_are_those_of_the_contract() {
    let document: Value = serde_json::to_value(claque::http::openapi::document()).unwrap();
    let all = document["components"]["schemas"].as_object().unwrap();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/schemas");
    for (record, file) in RECORDS {
        let schema = schema(all, record, file);
        let path = folder.join(format!("{file}.schema.json"));
        if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &schema).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(written, schema, "{} is not what the contract says", path.display());
    }
}

/// Every field of the program's own records is described, and what is required is there.
#[test]
fn the_examples_are_what_the_schemas_say() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    for (file, schema) in [("desk/comments.jsonl", "comment"), ("desk/articles.jsonl", "article")] {
        let schema = std::fs::read_to_string(folder.join(format!("schemas/{schema}.schema.json"))).unwrap();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let name = schema["title"].as_str().unwrap();
        let record = &schema["$defs"][name];
        let known = record["properties"].as_object().unwrap();
        let required: Vec<&str> =
            record["required"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()).collect();
        for line in std::fs::read_to_string(folder.join(file)).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let fields = line.as_object().unwrap();
            assert!(fields.keys().all(|field| known.contains_key(field)), "{file}: {line}");
            assert!(required.iter().all(|field| fields.contains_key(*field)), "{file}: {line}");
        }
    }
}

//! Every text of the desk, by key, from one file (`words/en.json`): what pages, scripts and messages say. A text may hold places such as `{n}`.

use std::collections::HashMap;
use std::sync::LazyLock;

pub(super) use crate::chart::thousands;

/// The file.
pub(super) const FILE: &str = include_str!("words/en.json");

static WORDS: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| serde_json::from_str(FILE).unwrap_or_default());

/// The texts that scripts say, as JSON: keys that begin with `js.` or `key.`.
pub(super) fn for_scripts() -> String {
    let of_scripts: std::collections::BTreeMap<&String, &String> =
        WORDS.iter().filter(|(key, _)| key.starts_with("js.") || key.starts_with("key.")).collect();
    serde_json::to_string(&of_scripts).unwrap_or_default()
}

/// The text of a key; the key itself where there is none, so that a gap is seen.
pub(super) fn say(key: &str) -> &str {
    WORDS.get(key).map_or(key, String::as_str)
}

/// A text with its places filled.
pub(super) fn fill(key: &str, places: &[(&str, &dyn std::fmt::Display)]) -> String {
    let mut text = say(key).to_owned();
    for (name, value) in places {
        text = text.replace(&format!("{{{name}}}"), &value.to_string());
    }
    text
}

/// A text for one or for several: the keys `KEY.one` and `KEY.many`, with the place `{n}`.
pub(super) fn count(key: &str, n: i64) -> String {
    let form = if n == 1 { "one" } else { "many" };
    fill(&format!("{key}.{form}"), &[("n", &thousands(n))])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that pages, scripts and handlers are made of.
    fn sources() -> String {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/pages");
        let mut folders = vec![root];
        let mut all = String::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_none_or(|e| e != "json") && !path.ends_with("words.rs") {
                    all.push_str(&std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        all
    }

    #[test]
    fn every_key_that_is_named_has_a_text() {
        let sources = sources();
        let mut missing = Vec::new();
        for (call, ends) in [
            ("say(\"", &[""][..]),
            (".t(\"", &[""]),
            ("fill(\"", &[""]),
            ("tn(\"", &[".one", ".many"]),
            ("count(\"", &[".one", ".many"]),
        ] {
            for rest in sources.split(call).skip(1) {
                let key = rest.split('"').next().unwrap_or_default();
                let whole = rest.get(key.len() + 1..).is_some_and(|rest| rest.starts_with([')', ',']));
                let gaps = ends.iter().map(|end| format!("{key}{end}"));
                missing.extend(gaps.filter(|key| whole && !WORDS.contains_key(key.as_str())));
            }
        }
        assert!(missing.is_empty(), "no text for {missing:?}");
        assert!(WORDS.len() > 200, "the file is read: {}", WORDS.len());
    }

    #[test]
    fn every_text_is_used() {
        // Keys that are put together; their beginnings are named in the code.
        let together = [
            "because.", "action.", "status.", "verdict.", "signal.", "kind.", "key.", "role.", "state.",
            "said.", "found.", "scope.", "order.",
        ];
        let sources = sources();
        let is_used = |key: &str| {
            let stem = key.strip_suffix(".one").or_else(|| key.strip_suffix(".many")).unwrap_or(key);
            sources.contains(&format!("\"{stem}\"")) || together.iter().any(|start| key.starts_with(start))
        };
        let unused: Vec<&String> = WORDS.keys().filter(|key| !is_used(key)).collect();
        assert!(unused.is_empty(), "nobody says {unused:?}");
    }

    #[test]
    fn counts_read_well() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(-999), "-999");
        assert_eq!(thousands(0), "0");
    }
}

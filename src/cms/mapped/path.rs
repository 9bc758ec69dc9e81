//! Where a field stands in a payload.

use std::fmt;

use serde_json::Value;

/// A path: dotted names, or a JSON Pointer (RFC 6901) when it begins with `/`. A number is an element of a list, or a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    written: String,
    steps: Vec<String>,
}

impl Path {
    /// Reads a path. The error is a fragment with a remedy.
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        let steps: Option<Vec<String>> = match written.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(unescape).collect(),
            None => Some(written.split('.').map(str::to_owned).collect()),
        };
        let steps = steps.ok_or_else(|| {
            format!("`{written}`: in a path with slashes `~` is written `~0` and `/` is written `~1`")
        })?;
        if steps.iter().any(|step| step.trim().is_empty()) {
            return Err(format!(
                "`{written}`: a name is empty; write \"data.comment.id\", or \"/data/comment/id\" where a name holds dots"
            ));
        }
        Ok(Self { written: written.to_owned(), steps })
    }

    /// What stands there; `null` is nothing.
    pub(super) fn find<'a>(&self, payload: &'a Value) -> Option<&'a Value> {
        let found = self.steps.iter().try_fold(payload, |value, step| match value {
            Value::Array(list) => list.get(step.parse::<usize>().ok()?),
            Value::Object(record) => record.get(step),
            _ => None,
        });
        found.filter(|value| !value.is_null())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// A step of a JSON Pointer; none when a `~` stands alone.
fn unescape(step: &str) -> Option<String> {
    let is_sound = step.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    is_sound.then(|| step.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_through_records_and_lists() {
        let payload = json!({
            "data": { "items": [{ "id": 1 }, { "id": 2 }], "none": null, "7": "seven", "a.b": { "c/d": { "~": "deep" } } }
        });
        for (path, expected) in [
            ("data.items.1.id", Some(json!(2))),
            ("/data/items/0/id", Some(json!(1))),
            ("data.7", Some(json!("seven"))),
            ("/data/a.b/c~1d/~0", Some(json!("deep"))),
            ("data.items.2.id", None),
            ("data.items.id", None),
            ("data.none", None),
            ("data.none.deeper", None),
            ("data.7.deeper", None),
            ("Data", None),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(&payload), expected.as_ref(), "{path}");
        }
    }

    #[test]
    fn paths_that_lead_nowhere_are_named() {
        for path in ["", ".", "a..b", "a.", ".a", "/", "a. .b", "/a//b", "/a~", "/a~2"] {
            let error = Path::parse(path).unwrap_err();
            assert!(error.starts_with(&format!("`{path}`: ")), "{error}");
        }
    }
}

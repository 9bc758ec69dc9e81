//! Which of our fields is found where.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::path::Path;
use crate::cms::Refusal;
use crate::domain::Status;
use crate::wire::time;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string, a whole number or a boolean.
    Id,
    /// A string.
    Text,
    /// See [`time`]; `0` and `false` are none.
    Time,
    /// A word that stands for a status.
    Status,
}

/// A table's fields by name. Those named `author.NAME` may stand in a table `author`.
pub(super) type Known = &'static [(&'static str, Kind)];

/// The fields of `[comment]`.
pub(super) const COMMENT: Known = &[
    ("id", Kind::Id),
    ("text", Kind::Text),
    ("article_id", Kind::Id),
    ("thread_id", Kind::Id),
    ("parent_id", Kind::Id),
    ("author.id", Kind::Id),
    ("author.name", Kind::Text),
    ("author.email", Kind::Text),
    ("author.ip", Kind::Text),
    ("author.url", Kind::Text),
    ("author.user_agent", Kind::Text),
    ("author.registered_at", Kind::Time),
    ("author.role", Kind::Text),
    ("created_at", Kind::Time),
    ("updated_at", Kind::Time),
    ("revision", Kind::Id),
    ("status", Kind::Status),
    ("lang", Kind::Text),
];

/// The fields of `[article]`.
pub(super) const ARTICLE: Known = &[
    ("id", Kind::Id),
    ("url", Kind::Text),
    ("title", Kind::Text),
    ("body", Kind::Text),
    ("section", Kind::Text),
    ("published_at", Kind::Time),
];

/// The statuses by their words.
const STATUSES: [(&str, Status); 4] = [
    ("published", Status::Published),
    ("pending", Status::Pending),
    ("rejected", Status::Rejected),
    ("deleted", Status::Deleted),
];

/// A value that was found and is of its field's kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Text(String),
    Time(DateTime<Utc>),
    Status(Status),
}

/// One field's places.
#[derive(Debug)]
struct Source {
    kind: Kind,
    /// The first that is there and not empty counts.
    paths: Vec<Path>,
    /// What holds where none is, or no word that stands for a status.
    constant: Option<Given>,
    /// The CMS's words for statuses.
    words: Vec<(String, Status)>,
}

/// The mapped fields of a table, in the order of [`Known`].
#[derive(Debug)]
pub(super) struct Fields {
    table: &'static str,
    sources: Vec<(&'static str, Source)>,
}

/// A line of an explanation: our field, the path, the value or `missing`.
pub(super) type Line = (String, String, String);

impl Fields {
    /// Checks what is written in a table. The error names the key and what to write.
    pub(super) fn of(table: &'static str, known: Known, mut written: toml::Table) -> Result<Self, String> {
        if let Some(toml::Value::Table(author)) = written.get("author").cloned() {
            written.remove("author");
            written.extend(author.into_iter().map(|(key, value)| (format!("author.{key}"), value)));
        }
        let mut sources = Vec::new();
        for &(name, kind) in known {
            if let Some(value) = written.remove(name) {
                sources.push((name, Source::of(&format!("{table}.{name}"), kind, value)?));
            }
        }
        if let Some(key) = written.keys().next() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            return Err(format!("`{table}.{key}` is unknown; known are {}", names.join(", ")));
        }
        Ok(Self { table, sources })
    }

    /// Refuses a mapping without a field that `because` needs, or with one that is the same for all.
    pub(super) fn require(&self, name: &str, because: &str) -> Result<(), String> {
        let table = self.table;
        match self.source(name) {
            None => {
                Err(format!("`{table}.{name}` is missing and {because} needs it: {name} = \"path.to.it\""))
            }
            Some(source) if source.constant.is_some() => {
                Err(format!("`{table}.{name}` is the same for all: write a path instead of a value"))
            }
            Some(_) => Ok(()),
        }
    }

    fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|(of, _)| *of == name).map(|(_, source)| source)
    }

    fn get(&self, name: &str, payload: &Value) -> Result<Option<Given>, Refusal> {
        let Some(source) = self.source(name) else { return Ok(None) };
        source.get(payload).map_err(|(path, error)| self.refusal(name, &path.to_string(), &error))
    }

    fn refusal(&self, name: &str, path: &str, error: &str) -> Refusal {
        Refusal::Body(format!("`{path}` ({}.{name}) {error}", self.table))
    }

    /// An id or a text; an empty one is none.
    pub(super) fn text(&self, name: &str, payload: &Value) -> Result<Option<String>, Refusal> {
        Ok(match self.get(name, payload)? {
            Some(Given::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        })
    }

    /// An id or a text that must be there; a text may be empty.
    pub(super) fn required(&self, name: &str, payload: &Value) -> Result<String, Refusal> {
        match self.get(name, payload)? {
            Some(Given::Text(text)) => Ok(text),
            _ => Err(self.missing(name)),
        }
    }

    /// The refusal of a payload without this field.
    pub(super) fn missing(&self, name: &str) -> Refusal {
        match self.source(name) {
            Some(source) => self.refusal(name, &written(&source.paths), "is missing"),
            None => Refusal::Body(format!("`{}.{name}` is not mapped", self.table)),
        }
    }

    /// A time.
    pub(super) fn time(&self, name: &str, payload: &Value) -> Result<Option<DateTime<Utc>>, Refusal> {
        Ok(match self.get(name, payload)? {
            Some(Given::Time(time)) => Some(time),
            _ => None,
        })
    }

    /// A status; a word that stands for none is none.
    pub(super) fn status(&self, name: &str, payload: &Value) -> Result<Option<Status>, Refusal> {
        Ok(match self.get(name, payload)? {
            Some(Given::Status(status)) => Some(status),
            _ => None,
        })
    }

    /// Every mapped field with what a payload has for it.
    pub(super) fn explain(&self, payload: &Value) -> Vec<Line> {
        self.sources
            .iter()
            .map(|(name, source)| source.explain(format!("{}.{name}", self.table), payload))
            .collect()
    }
}

impl Source {
    fn of(key: &str, kind: Kind, value: toml::Value) -> Result<Self, String> {
        let toml::Value::Table(mut table) = value else {
            return Ok(Self { kind, paths: paths(key, &value)?, constant: None, words: own_words(kind) });
        };
        let mut words = Vec::new();
        if kind == Kind::Status {
            for (word, status) in STATUSES {
                let given = table.remove(word).map(|value| scalars(&format!("{key}.{word}"), &value));
                words.extend(given.transpose()?.into_iter().flatten().map(|word| (word, status)));
            }
            if let Some(word) = twice(words.iter().map(|(word, _)| word)) {
                return Err(format!("`{key}`: `{word}` stands twice"));
            }
        }
        let has_words = !words.is_empty();
        let mut source = Self { kind, paths: Vec::new(), constant: None, words: own_words(kind) };
        if let Some(value) = table.remove("value") {
            source.constant = Some(source.constant_of(key, &value)?);
        }
        if let Some(value) = table.remove("field") {
            source.paths = paths(&format!("{key}.field"), &value)?;
        }
        if let Some(other) = table.keys().next() {
            let more = if kind == Kind::Status { ", published, pending, rejected, deleted" } else { "" };
            return Err(format!("`{key}.{other}` is unknown; known are field, value{more}"));
        }
        match (source.paths.is_empty(), has_words) {
            (true, true) => Err(format!("`{key}.field` is missing: say where the words stand")),
            (true, false) if source.constant.is_none() => Err(format!(
                "`{key}` is empty: write {{ field = \"path.to.it\" }} or {{ value = \"the same for all\" }}"
            )),
            (_, true) => Ok(Self { words, ..source }),
            _ => Ok(source),
        }
    }

    fn constant_of(&self, key: &str, value: &toml::Value) -> Result<Given, String> {
        let json = match value {
            toml::Value::String(text) => Value::from(text.as_str()),
            toml::Value::Integer(number) => Value::from(*number),
            toml::Value::Boolean(flag) => Value::from(*flag),
            toml::Value::Datetime(time) => Value::from(time.to_string()),
            _ => return Err(format!("`{key}.value` must be a string, a whole number or a boolean")),
        };
        let given = self.convert(&json).map_err(|error| format!("`{key}.value` {error}"))?;
        given.filter(|given| *given != Given::Text(String::new())).ok_or_else(|| match self.kind {
            Kind::Status => format!("`{key}.value` must be published, pending, rejected or deleted"),
            _ => format!("`{key}.value` is empty: take it out"),
        })
    }

    /// What a payload has for this field, or what is wrong at which path.
    fn get(&self, payload: &Value) -> Result<Option<Given>, (&Path, String)> {
        let given = match first(&self.paths, payload) {
            Some((path, value)) => self.convert(value).map_err(|error| (path, error))?,
            None => None,
        };
        let is_empty = given.as_ref().is_none_or(|given| *given == Given::Text(String::new()));
        Ok(self.constant.clone().filter(|_| is_empty).or(given))
    }

    fn explain(&self, field: String, payload: &Value) -> Line {
        let found = first(&self.paths, payload);
        let path = match found {
            Some((path, _)) => path.to_string(),
            None if self.constant.is_some() => "(value)".to_owned(),
            None => written(&self.paths),
        };
        let word =
            found.filter(|_| self.kind == Kind::Status).map(|(_, word)| format!("{} -> ", shown(word)));
        let value = match self.get(payload) {
            Err((_, error)) => format!("wrong: {error}"),
            Ok(None) if word.is_some() => format!("{}none of ours", word.unwrap_or_default()),
            Ok(None) => "missing".to_owned(),
            Ok(Some(Given::Text(text))) => text,
            Ok(Some(Given::Time(time))) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            Ok(Some(Given::Status(status))) => format!("{}{}", word.unwrap_or_default(), status_word(status)),
        };
        (field, path, value)
    }

    /// A value as the field's kind. The error reads on from the path.
    fn convert(&self, value: &Value) -> Result<Option<Given>, String> {
        let wrong = |wanted: &str| Err(format!("is {}; wanted {wanted}", described(value)));
        if value.as_str().is_some_and(str::is_empty) && self.kind != Kind::Text {
            return Ok(None);
        }
        match self.kind {
            Kind::Id => match scalar(value) {
                Some(text) => Ok(Some(Given::Text(text))),
                None => wrong("a string or a whole number"),
            },
            Kind::Text => match value.as_str() {
                Some(text) => Ok(Some(Given::Text(text.to_owned()))),
                None => wrong("a string"),
            },
            // Some write that something never happened so.
            Kind::Time if *value == Value::Bool(false) || value.as_f64() == Some(0.0) => Ok(None),
            Kind::Time => {
                let time = value.as_f64().map_or_else(|| time::of_text(value.as_str()?), time::of_number);
                match time {
                    Some(time) => Ok(Some(Given::Time(time))),
                    None => wrong("a time: RFC 3339, or seconds or milliseconds since 1970"),
                }
            }
            Kind::Status => match scalar(value) {
                Some(text) => {
                    let status = self.words.iter().find(|(word, _)| *word == text);
                    Ok(status.map(|(_, status)| Given::Status(*status)))
                }
                None => wrong("a word, a whole number or a boolean"),
            },
        }
    }
}

/// Paths, for people.
pub(super) fn written(paths: &[Path]) -> String {
    paths.iter().map(Path::to_string).collect::<Vec<_>>().join(" or ")
}

/// The first of the paths with something behind it, else the first with an empty string.
pub(super) fn first<'a, 'b>(paths: &'b [Path], payload: &'a Value) -> Option<(&'b Path, &'a Value)> {
    let found = || paths.iter().filter_map(|path| Some((path, path.find(payload)?)));
    found().find(|(_, value)| value.as_str() != Some("")).or_else(|| found().next())
}

/// A path or a list of them.
pub(super) fn paths(key: &str, value: &toml::Value) -> Result<Vec<Path>, String> {
    let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    if list.is_empty() {
        return Err(format!("`{key}` is an empty list: write a path"));
    }
    let path = |value: &toml::Value| match value.as_str() {
        Some(path) => Path::parse(path).map_err(|error| format!("`{key}` is {error}")),
        None => Err(format!(
            "`{key}` is {value}: write a path such as \"data.comment.id\" or a list of paths, and what is the same for all as \
             {{ value = {value} }}"
        )),
    };
    list.iter().map(path).collect()
}

/// A string, a whole number or a boolean, or a list of them: what a CMS may send for a word.
pub(super) fn scalars(key: &str, value: &toml::Value) -> Result<Vec<String>, String> {
    let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let word = |value: &toml::Value| match value {
        toml::Value::String(text) if !text.is_empty() => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        _ => Err(format!(
            "`{key}` holds {value}: write the words that the CMS sends, such as [\"new\", \"edited\"]"
        )),
    };
    list.iter().map(word).collect()
}

/// The first word that stands a second time.
pub(super) fn twice<'a>(words: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = std::collections::HashSet::new();
    words.into_iter().find(|word| !seen.insert(*word))
}

/// A string, a whole number or a boolean as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// What a value is, for people.
pub(super) fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => format!("the boolean {flag}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the string \"{}\"", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn shown(value: &Value) -> String {
    scalar(value).unwrap_or_else(|| described(value))
}

fn own_words(kind: Kind) -> Vec<(String, Status)> {
    let words = STATUSES.into_iter().filter(|_| kind == Kind::Status);
    words.map(|(word, status)| (word.to_owned(), status)).collect()
}

fn status_word(status: Status) -> &'static str {
    STATUSES.iter().find(|(_, of)| *of == status).map_or("", |(word, _)| word)
}

//! Reading rule files and merging an operator's directory over the shipped packs.

use std::path::{Path, PathBuf};

use super::error::{RuleError, RuleErrors};
use super::format::{File, Origin};
use super::shipped::PACKS;

/// A rule file with its text, for messages and the digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The name to show.
    pub name: String,
    /// The text as read.
    pub text: String,
    /// The parsed file.
    pub file: File,
    /// Whether it is one of the shipped packs.
    pub shipped: bool,
}

/// The largest rule file that is read.
const LARGEST_FILE: u64 = 4 << 20;

/// Parses one file.
///
/// # Errors
/// The first mistake, with line, column, what was expected and the nearest key.
pub fn parse_file(name: &str, text: &str) -> Result<File, RuleError> {
    let mut file: File = toml::from_str(text).map_err(|error| {
        let message = error.message().replace('\n', " ");
        let mut mistake = RuleError::new(name, message.clone());
        if let Some(span) = error.span() {
            mistake = mistake.at_offset(text, span.start);
        }
        if let Some(nearest) = nearest_key(&message) {
            mistake = mistake.help(format!("did you mean `{nearest}`?"));
        }
        mistake
    })?;
    let headers = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("[[rule]]"));
    for (rule, (at, _)) in file.rules.iter_mut().zip(headers) {
        rule.origin = Some(Origin { file: name.to_owned(), line: at + 1 });
    }
    Ok(file)
}

/// The known name nearest to the unknown one, out of serde's "unknown field `x`, expected one of `a`, `b`".
fn nearest_key(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    if !message.contains("unknown") {
        return None;
    }
    quoted
        .map(|known| (strsim::jaro_winkler(unknown, known), known))
        .filter(|(similarity, _)| *similarity > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known.to_owned())
}

/// The packs inside the program.
///
/// # Errors
/// Never for a released program: a test parses every pack.
pub fn shipped_files() -> Result<Vec<Source>, RuleErrors> {
    let mut sources = Vec::new();
    let mut errors = Vec::new();
    for (name, text) in PACKS {
        match parse_file(name, text) {
            Ok(file) => sources.push(Source {
                name: format!("rules/{name}"),
                text: (*text).to_owned(),
                file,
                shipped: true,
            }),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(RuleErrors(errors)) }
}

/// All `*.toml` files below a directory, in the order of their names.
///
/// # Errors
/// Every unreadable or malformed file; a directory that cannot be listed.
pub fn load_dir(dir: &Path) -> Result<Vec<Source>, RuleErrors> {
    let mut paths = Vec::new();
    let mut errors = Vec::new();
    collect(dir, &mut paths, &mut errors, 0);
    paths.sort();
    if paths.is_empty() && errors.is_empty() {
        errors.push(
            RuleError::new(&dir.display().to_string(), "no rule file (*.toml) in this directory")
                .help("`claque rules new ID --out FILE` writes one"),
        );
    }
    let mut sources = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        match read(&path)
            .map_err(|e| RuleError::new(&name, e))
            .and_then(|text| Ok((parse_file(&name, &text)?, text)))
        {
            Ok((file, text)) => sources.push(Source { name, text, file, shipped: false }),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(RuleErrors(errors)) }
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| format!("cannot be read: {e}"))?.len();
    if size > LARGEST_FILE {
        return Err(format!("has {size} bytes; a rule file has at most {LARGEST_FILE}"));
    }
    let bytes = std::fs::read(path).map_err(|e| format!("cannot be read: {e}"))?;
    String::from_utf8(bytes).map_err(|e| format!("is not UTF-8 (byte {})", e.utf8_error().valid_up_to()))
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>, errors: &mut Vec<RuleError>, depth: u32) {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) if depth <= 8 => entries,
        Ok(_) => return,
        Err(error) => {
            errors.push(RuleError::new(&dir.display().to_string(), format!("cannot be listed: {error}")));
            return;
        }
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths, errors, depth + 1);
        } else if path.extension().is_some_and(|ext| ext == "toml") {
            paths.push(path);
        }
    }
}

/// Merges override files over base files: packs by id, rules by id inside a pack, groups by id. New packs are appended.
pub fn merge(base: Vec<Source>, overrides: Vec<Source>) -> Vec<Source> {
    let mut merged = base;
    for over in overrides {
        let Some(target) = merged.iter_mut().find(|source| source.file.pack.id == over.file.pack.id) else {
            merged.push(over);
            continue;
        };
        for group in over.file.groups {
            match target.file.groups.iter_mut().find(|known| known.id == group.id) {
                Some(known) => *known = group,
                None => target.file.groups.push(group),
            }
        }
        for signal in over.file.signals {
            match target.file.signals.iter_mut().find(|known| known.id == signal.id) {
                Some(known) => *known = signal,
                None => target.file.signals.push(signal),
            }
        }
        for rule in over.file.rules {
            match target.file.rules.iter_mut().find(|known| known.id == rule.id) {
                Some(known) => known.merge(rule),
                None => target.file.rules.push(rule),
            }
        }
        if !over.file.pack.lang.is_empty() {
            target.file.pack.lang = over.file.pack.lang;
        }
        target.name = format!("{} + {}", target.name, over.name);
        target.text.push_str(&over.text);
        target.shipped = false;
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_point_at_the_place_and_name_the_nearest_key() {
        let text = "[pack]\nid = \"x\"\nlang = [\"en\"]\n\n[[rule]]\nid = \"a\"\npionts = 1.0\n";
        let error = parse_file("x.toml", text).unwrap_err();
        assert_eq!(error.at, Some((7, 1)), "{error}");
        assert!(error.to_string().contains("did you mean `points`?"), "{error}");
        let error = parse_file("x.toml", "[pack\n").unwrap_err();
        assert!(error.at.is_some(), "{error}");
    }

    #[test]
    fn every_shipped_pack_parses() {
        let sources = shipped_files().unwrap_or_else(|errors| panic!("{errors}"));
        assert!(sources.len() >= 20);
    }

    #[test]
    fn an_override_changes_only_what_it_names() {
        let source = |text: &str| Source {
            name: "t".into(),
            text: text.into(),
            file: parse_file("t", text).unwrap(),
            shipped: false,
        };
        let base = source(
            "[pack]\nid=\"p\"\nlang=[\"en\"]\n[[rule]]\nid=\"a\"\nkind=\"phrases\"\nphrases=[\"x\"]\npoints=1.0\n",
        );
        let over = source(
            "[pack]\nid=\"p\"\n[[rule]]\nid=\"a\"\nstatus=\"deprecated\"\n[[rule]]\nid=\"b\"\nkind=\"phrases\"\nphrases=[\"y\"]\npoints=0.5\n",
        );
        let merged = merge(vec![base], vec![over]);
        let rules = &merged[0].file.rules;
        assert_eq!(rules.len(), 2);
        assert_eq!(
            (rules[0].points, rules[0].status),
            (Some(1.0), Some(super::super::format::Status::Deprecated))
        );
    }
}

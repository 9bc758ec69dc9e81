//! Any rule file: an error with a place, or a ruleset that matches without panic.
#![no_main]

use claque::rules::{Facts, RuleSet, Source, parse_file};
use claque::text::Analysis;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = claque::rules::template::Template::parse(text);
    let _ = claque::rules::guard::Guard::parse(text);
    let Ok(file) = parse_file("fuzz.toml", text) else { return };
    let source = Source { name: "fuzz.toml".into(), text: text.into(), file, shipped: false };
    let today = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default();
    if let Ok(rules) = RuleSet::compile(&[source], today) {
        let _ = rules.matches(&Analysis::alone(text), &mut Facts::default());
    }
});

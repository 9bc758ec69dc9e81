//! Any text: analysis survives, spans fit the raw text, folding is idempotent.
#![no_main]

use claque::text::{Analysis, fold::fold};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let analysis = Analysis::alone(text);
    let _ = analysis.language();
    for token in analysis.tokens() {
        assert!(text.get(token.raw.start as usize..token.raw.end as usize).is_some());
    }
    let folded = fold(text);
    for (at, ch) in folded.lower().char_indices() {
        let span = folded.raw_span_of_lower(at, at + ch.len_utf8());
        assert!(text.get(span.start as usize..span.end as usize).is_some());
    }
});

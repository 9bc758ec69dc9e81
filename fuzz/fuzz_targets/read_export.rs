//! Any bytes as an export, told by the first byte or by what they look like: no panic, and no comment without an id.
#![no_main]

use std::ops::ControlFlow;

use claque::offline::read::{Entry, FORMATS, Options, open_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, rest)) = bytes.split_first() else { return };
    let from = FORMATS.get(usize::from(*which)).map(|format| format.name());
    let options = Options { max_bytes: 1 << 22, ..Options::default() };
    let Ok(opened) = open_bytes("fuzz", rest.to_vec(), from, &options) else { return };
    let _ = opened.read(&options, &mut |entry| {
        if let Entry::Comment(comment) = entry {
            assert!(!comment.comment.id.as_str().is_empty());
        }
        ControlFlow::Continue(())
    });
});

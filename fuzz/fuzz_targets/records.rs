//! Any bytes as a file of comments: every line is a record or a reject that names it.
#![no_main]

use claque::domain::{Article, Comment};
use claque::engine::Model;
use claque::offline::records::{Records, read_lines};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()).count();
    let comments: Records<Comment> = read_lines("fuzz", bytes).unwrap_or(Records { records: vec![], rejects: vec![] });
    assert!(comments.records.len() + comments.rejects.len() <= lines);
    let _ = read_lines::<Article>("fuzz", bytes);
    let _ = Model::read(bytes);
});

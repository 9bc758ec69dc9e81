//! Exports by the command line: where their comments go, and what is said of what cannot be read.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn claque(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_claque")).args(args).env_remove("CLAQUE_DB").output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A store with these sites, and a function that imports a text into it.
fn store(dir: &Path, sites: &[&str]) -> impl Fn(&str, &[&str]) -> Output {
    let db = dir.join("c.db").display().to_string();
    for site in sites {
        assert!(claque(&["sites", "add", site, "--title", site, "--db", &db]).status.success());
    }
    let file = dir.join("export").display().to_string();
    move |content, more| {
        std::fs::write(&file, content).unwrap();
        claque(&[&["import", &file, "--db", &db], more].concat())
    }
}

const REMARK42: &str = r#"{"version":1,"users":[],"posts":[]}
{"id":"r1","pid":"","text":"The bridge.","user":{"name":"Ann","id":"u1"},"locator":{"site":"remark","url":"https://n.example/1"},"time":"2024-01-01T00:00:00Z","title":"T"}
{"id":"r2","pid":"","text":"The tram.","user":{"name":"Ann","id":"u1"},"locator":{"site":"other","url":"https://n.example/1"},"time":"2024-01-01T00:00:00Z","title":"T"}
"#;

#[test]
fn an_import_takes_the_sites_of_the_export_or_the_one_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let import = store(dir.path(), &["g", "remark"]);
    let named = import(REMARK42, &["--site", "g"]);
    assert!(text(&named.stdout).starts_with("2 comments taken, 0 known before"), "{named:?}");
    assert_eq!(named.status.code(), Some(0));
    let own = import(REMARK42, &[]);
    assert!(text(&own.stdout).starts_with("1 comments taken, 0 known before"), "{own:?}");
    assert_eq!(own.status.code(), Some(3));
    let told = text(&own.stderr);
    assert!(told.contains("`r2`: there is no site `other`: add it with `claque sites add other"), "{told}");
    assert!(told.contains("--site"), "{told}");
    let again = import(REMARK42, &[]);
    assert!(text(&again.stdout).starts_with("0 comments taken, 1 known before"), "{again:?}");
    let missing = import(REMARK42, &["--site", "nowhere"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("there is no site `nowhere`"), "{missing:?}");
}

#[test]
fn an_import_keeps_and_counts_what_came_before_its_error() {
    let dir = tempfile::tempdir().unwrap();
    let import = store(dir.path(), &["g"]);
    let lines = "{\"id\":1,\"site\":\"g\",\"text\":\"a\"}\n{\"id\":2,\"text\":\"b\"}\n{\"id\":3,\"site\":\"g\",\"text\":\"c\"}\n";
    let unsaid = import(lines, &[]);
    assert!(text(&unsaid.stdout).starts_with("1 comments taken"), "{unsaid:?}");
    assert_eq!(unsaid.status.code(), Some(2));
    assert!(text(&unsaid.stderr).contains("say with --site which site the comments belong to"), "{unsaid:?}");
    // A bomb: three comments, then nothing but spaces.
    let bomb = dir.path().join("bomb.jsonl.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(std::fs::File::create(&bomb).unwrap(), flate2::Compression::best());
    encoder.write_all(lines.as_bytes()).unwrap();
    encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
    encoder.finish().unwrap();
    let db = dir.path().join("c.db").display().to_string();
    let bomb = bomb.display().to_string();
    let capped = claque(&["import", &bomb, "--db", &db, "--site", "g", "--max-bytes", "500000"]);
    assert!(text(&capped.stdout).starts_with("2 comments taken, 1 known before"), "{capped:?}");
    assert_eq!(capped.status.code(), Some(2));
    assert!(text(&capped.stderr).contains("unfolds to more than 500000 bytes"), "{capped:?}");
}

#[test]
fn an_import_says_what_was_mended() {
    let dir = tempfile::tempdir().unwrap();
    let import = store(dir.path(), &["g"]);
    let mended = import("id,text,created_at\n1,a,soon\n", &["--site", "g"]);
    assert_eq!(mended.status.code(), Some(0));
    assert!(
        text(&mended.stderr).contains("a date that cannot be read, kept without a time: 1"),
        "{mended:?}"
    );
}

#[test]
fn the_filters_count_lines_once() {
    for command in ["sketch", "verify"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_claque"))
            .arg(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"\nnonsense\n").unwrap();
        let told = child.wait_with_output().unwrap();
        assert_eq!(told.status.code(), Some(2));
        let told = text(&told.stderr);
        assert!(told.contains("standard input:2: ") && !told.contains("line 1"), "{told}");
    }
}

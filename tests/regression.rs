//! One test per bug that was found by somebody else than a test.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const PRAISE: &str = "The article raises important questions about balancing growth with the needs of residents, and a nuanced understanding of this complex issue is crucial.";

/// Scores records through the program.
fn score(records: &[Value]) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in.jsonl");
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let output = claque().arg("score").arg(&file).args(["--format", "jsonl"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn claque() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("claque"))
}

#[test]
fn wrapping_a_whole_comment_hides_nothing() {
    let plain = score(&[json!({"id": 1, "text": PRAISE})])[0]["score"].as_f64().unwrap();
    for text in
        [format!("<{PRAISE}>"), format!("> {PRAISE}"), format!("<a {PRAISE}>"), format!("&lt;{PRAISE}&gt;")]
    {
        let wrapped = &score(&[json!({"id": 1, "text": text})])[0];
        assert!(wrapped["score"].as_f64().unwrap() > plain - 0.01, "{text}: {wrapped}");
    }
}

#[test]
fn ordinary_writing_is_no_disguise() {
    for text in [
        "Красивый за́мок стоит на горе, а замо́к на двери сломан уже давно.",
        "Ọ̀rọ̀ yìí dára púpọ̀, mo sì gba rẹ̀ gbọ́ pẹ̀lú gbogbo ọkàn mi.",
        "Отправил SMS-ку и MMS-ку соседям, никто не ответил до самого вечера.",
        "Thanks @Live and @Long for the link, I will read it on the train tonight.",
        "They moved from SE7 to NE7 and then MI5 and MI6 came to ask about it.",
        "Please people, V O T E   N O W before the polls close at nine tonight!",
        "The answers were A B C D and then once more A B C D, as every year.",
    ] {
        let assessment = &score(&[json!({"id": 1, "text": text})])[0];
        assert_eq!(assessment["because"], json!([]), "{text}");
    }
}

#[test]
fn one_id_twice_does_not_join_two_pairs_of_copies() {
    let first = "Join the residents of Oakfield on Friday evening at nine in front of the old town hall against the new car park.";
    let second = "My grandmother baked this bread every Sunday before church with rye flour from the mill behind her house in Lindow.";
    let records: Vec<Value> = [(1, first), (2, first), (1, second), (3, second)]
        .iter()
        .enumerate()
        .map(|(at, (id, text))| json!({"id": id, "text": text, "author": format!("u{at}")}))
        .collect();
    let assessments = score(&records);
    let campaigns: BTreeSet<&str> = assessments.iter().filter_map(|a| a["campaign_id"].as_str()).collect();
    assert_eq!(campaigns.len(), 2);
    let because = |a: &Value| a["because"].as_array().unwrap().contains(&json!("campaign"));
    assert!(!assessments.iter().any(because), "two authors are no campaign that is shown");
}

#[test]
fn ten_thousand_copies_in_one_thread_take_seconds() {
    // Quadratic work took minutes; the limit is generous and only there to end the test.
    let records: Vec<Value> = (0..10_000)
        .map(|id| json!({"id": id, "text": PRAISE, "author": format!("u{id}"), "thread_id": "t"}))
        .collect();
    let assessments = score(&records);
    assert_eq!(assessments.len(), records.len());
    assert!(assessments.iter().all(|a| a["campaign_id"] == assessments[0]["campaign_id"]));
}

#[test]
fn articles_of_two_sites_with_one_id_are_kept_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (comments, articles) = (dir.path().join("c.jsonl"), dir.path().join("a.jsonl"));
    let quote =
        "The harbour bridge will be closed for repairs until the end of next winter, the council said.";
    std::fs::write(&comments, json!({"id": 1, "site": "north", "article_id": 7, "text": quote}).to_string())
        .unwrap();
    let article =
        |site: &str, body: &str| json!({"id": 7, "site": site, "title": "t", "body": body}).to_string();
    std::fs::write(&articles, [article("north", quote), article("south", "Rain.")].join("\n")).unwrap();
    let output = claque()
        .arg("score")
        .arg(&comments)
        .arg("--articles")
        .arg(&articles)
        .args(["--format", "jsonl"])
        .output()
        .unwrap();
    let assessment: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        assessment["abstained"], true,
        "the comment quotes its own site's article and says nothing more"
    );
}

#[cfg(unix)]
#[test]
fn out_through_a_link_writes_the_whole_target() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    std::fs::write(&target, "x".repeat(5000)).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let input = dir.path().join("in.jsonl");
    std::fs::write(&input, json!({"id": 1, "text": "Good evening all."}).to_string()).unwrap();
    let status =
        claque().arg("score").arg(&input).args(["--format", "jsonl", "--out"]).arg(&link).status().unwrap();
    assert!(status.success());
    let written = std::fs::read_to_string(&target).unwrap();
    assert!(written.starts_with('{') && written.ends_with("}\n"), "{written}");
    assert!(link.symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    for arguments in
        [["rules", "list", ""], ["rules", "check", ""], ["rules", "explain", "en.praise/raises-questions"]]
    {
        let mut child = claque()
            .args(arguments.iter().filter(|a| !a.is_empty()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{arguments:?}");
    }
}

#[test]
fn a_model_without_a_reference_and_a_model_of_impossible_size_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.clqm");
    let head = json!({"canon_version": 1, "features": 2, "bias": 0.0, "step": 1.0, "grams": 9_223_372_036_854_775_808u64,
        "dense": vec![(0.0, 0.0, 1.0); 36], "reference": {"points": [[0.0, 0.5]], "tail": 1.0, "comments": 1},
        "card": {"sources": [], "training": "", "metrics": [], "limits": ""}})
    .to_string();
    let mut bytes = b"CLQM\x01\x00".to_vec();
    bytes.extend((head.len() as u32).to_le_bytes());
    bytes.extend(head.as_bytes());
    std::fs::write(&file, &bytes).unwrap();
    let output = claque().args(["score", "--model"]).arg(&file).arg("/dev/null").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("damaged"));
}

//! The command line as a user meets it: output, exit codes, bad input.
#![expect(clippy::expect_used, reason = "a test may panic")]

use std::path::PathBuf;
use std::process::Stdio;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

fn claque() -> Command {
    let mut command = Command::cargo_bin("claque").expect("the binary is built");
    command.env("NO_COLOR", "1");
    command
}

fn example(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(path)
}

fn score(arguments: &[&str], input: &[u8]) -> (Vec<Value>, i32, String) {
    let output = claque()
        .args(["score", "--format", "jsonl"])
        .args(arguments)
        .write_stdin(input)
        .output()
        .expect("runs");
    let lines = String::from_utf8(output.stdout)
        .expect("UTF-8")
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    (lines, output.status.code().expect("an exit code"), String::from_utf8(output.stderr).expect("UTF-8"))
}

#[test]
fn demo_prints_the_example_scored_and_explained() {
    claque()
        .args(["demo", "--once"])
        .assert()
        .success()
        .stdout(contains("Council approves harbour tram"))
        .stdout(contains("REVIEW"))
        .stdout(contains("stock phrase: the article raises questions or points"))
        .stdout(contains("campaign c"))
        .stdout(contains("1 threads alarmed"));
}

#[test]
fn the_example_thread_is_judged_right() {
    let thread = std::fs::read(example("thread/comments.jsonl")).unwrap();
    let articles = example("thread/article.jsonl");
    let (lines, code, _) = score(&["--articles", articles.to_str().unwrap()], &thread);
    assert_eq!(code, 0);
    let labels: Vec<Value> =
        String::from_utf8(thread).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), labels.len());
    let (mut found, mut machine, mut accused, mut genuine) = (0, 0, Vec::new(), 0);
    for (line, label) in lines.iter().zip(&labels) {
        let review = line["verdict"] == "review";
        if label["label"] == "machine" {
            machine += 1;
            found += i32::from(review);
        } else {
            genuine += 1;
            if review {
                accused.push(line["id"].clone());
            }
        }
        // Spans point into the raw text, and the points of each level add up.
        let text = label["text"].as_str().unwrap();
        let mut text_points = 0.0;
        for evidence in line["evidence"].as_array().unwrap() {
            for span in evidence["spans"].as_array().unwrap() {
                let (start, end) = (span[0].as_u64().unwrap() as usize, span[1].as_u64().unwrap() as usize);
                assert!(text.get(start..end).is_some_and(|s| !s.is_empty()), "{evidence}");
            }
            if evidence["level"] == "text" {
                text_points += evidence["points"].as_f64().unwrap();
            }
        }
        assert!((text_points - line["points"]["text"].as_f64().unwrap()).abs() < 1e-3);
    }
    assert_eq!(found, machine, "every planted comment is shown to a moderator");
    assert!(accused.len() <= 1, "{accused:?} of {genuine} genuine readers");
    let campaigns: std::collections::BTreeSet<String> =
        lines.iter().filter_map(|l| l["campaign_id"].as_str().map(str::to_owned)).collect();
    assert_eq!(campaigns.len(), 1, "four copies, one campaign");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let run = |threads: &str| {
        let output = claque()
            .args(["score", "--format", "jsonl", "--articles"])
            .arg(example("thread/article.jsonl"))
            .arg(example("thread/comments.jsonl"))
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        output.stdout
    };
    assert_eq!(run("1"), run("2"));
}

#[test]
fn the_breakdown_of_the_example_is_what_it_was() {
    let output = claque().args(["demo", "--once"]).output().unwrap();
    insta::assert_snapshot!("demo", String::from_utf8(output.stdout).unwrap());
}

#[test]
fn help_names_every_command() {
    let output = claque().arg("--help").output().unwrap();
    insta::assert_snapshot!("help", String::from_utf8(output.stdout).unwrap());
}

#[test]
fn bad_lines_are_named_and_the_good_ones_scored() {
    let input = b"{\"id\":1,\"text\":\"A fine day.\"}\n{\"id\":2,\"text\":\n\xff\xfe\n{\"id\":4,\"text\":\"\",\"extra\":{\"x\":1}}\n{\"id\":4,\"text\":\"same id\"}\n";
    let (lines, code, errors) = score(&[], input);
    assert_eq!(code, 3);
    assert_eq!(lines.iter().map(|l| l["id"].as_str().unwrap()).collect::<Vec<_>>(), ["1", "4", "4"]);
    assert_eq!(lines[1]["abstained"], true, "an empty text is not judged");
    assert_eq!(lines[1]["score"], 0.0);
    assert!(
        errors.contains("standard input:2:") && errors.contains("standard input:3: not UTF-8"),
        "{errors}"
    );
}

#[test]
fn a_megabyte_of_text_and_hostile_text_are_survived() {
    let long = "word and ".repeat(130_000);
    let zalgo = format!("a{}", "\u{301}".repeat(5000));
    let input = format!(
        "{}\n{}\n",
        serde_json::json!({"id":"long","text":long}),
        serde_json::json!({"id":"zalgo","text":zalgo})
    );
    let (lines, code, _) = score(&[], input.as_bytes());
    assert_eq!((lines.len(), code), (2, 0));
}

#[test]
fn unreadable_input_is_bad_usage() {
    for (arguments, needle) in [
        (vec!["score", "/nonexistent/file"], "cannot read /nonexistent/file"),
        (vec!["score", "examples"], "it is a directory"),
        (vec!["score", "--model", "Cargo.toml"], "not a Claque model file"),
        (vec!["score", "--rules", "/nonexistent"], "cannot be listed"),
        (vec!["score", "--isolated", "--as-of-arrival"], "cannot be used with"),
        (vec!["frobnicate"], "unrecognized subcommand"),
        (vec!["eval", "examples/thread/article.jsonl"], "no comment has a label"),
        (vec!["rules", "explain", "en.praise/raises-question"], "did you mean en.praise/raises-questions"),
    ] {
        claque()
            .args(&arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .write_stdin("")
            .assert()
            .code(2)
            .stderr(contains(needle));
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("claque"))
        .args(["rules", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn the_shipped_rules_check_and_test_clean() {
    claque().args(["rules", "check"]).assert().success().stdout(contains("0 errors"));
    claque().args(["rules", "test"]).assert().success().stdout(contains("0 failed, 0 rules untested"));
}

#[test]
fn a_rule_author_adds_a_rule_and_switches_one_off() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("newsroom.toml");
    claque().args(["rules", "new", "newsroom/great-read", "--out"]).arg(&file).assert().success();
    claque()
        .args(["rules", "new", "newsroom/great-read", "--out"])
        .arg(&file)
        .assert()
        .code(2)
        .stderr(contains("exists already"));
    claque().args(["rules", "test", "--rules"]).arg(dir.path()).assert().success();
    claque()
        .args(["rules", "explain", "newsroom/great-read", "--rules"])
        .arg(dir.path())
        .assert()
        .success()
        .stdout(contains("shadow"));
    std::fs::write(
        dir.path().join("off.toml"),
        "[pack]\nid = \"en.praise\"\n[[rule]]\nid = \"great-article\"\nstatus = \"deprecated\"\n",
    )
    .unwrap();
    claque()
        .args(["rules", "list", "--rules"])
        .arg(dir.path())
        .assert()
        .success()
        .stdout(contains("en.praise/great-article").not());
}

#[test]
fn mistakes_in_rule_files_are_pointed_at() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.toml");
    let head = "[pack]\nid = \"x\"\nlang = [\"en\"]\n\n";
    for (body, needle) in [
        (
            "[[rule]]\nid = \"a\"\nkind = \"phrases\"\nphrase = [\"x\"]\n",
            "x.toml:8:1: unknown field `phrase`",
        ),
        ("[[rule]]\nid = \"a\"\nkind = \"phrases\"\nphrase = [\"x\"]\n", "did you mean `phrases`?"),
        ("[[rule]]\nid = \"a\"\nkind = \"template\"\ntemplate = \"the (article\"\n", "a group is not closed"),
        ("[[rule]]\nid = \"a\"\nkind = \"regex\"\nregex = '(?=x)'\n", "the regex does not compile"),
        ("[[rule]]\nid = \"a\"\nkind = \"condition\"\nwhen = [\"wrods > 3\"]\n", "did you mean `words`?"),
        (
            "[[rule]]\nid = \"a\"\nkind = \"phrases\"\nphrases = [\"x\"]\ngroup = \"nowhere\"\n",
            "group `nowhere` is not defined",
        ),
        (
            "[[rule]]\nid = \"a\"\nkind = \"phrases\"\nphrases = [\"x\"]\npoints = 99.0\n",
            "points 99 are outside",
        ),
    ] {
        std::fs::write(&file, format!("{head}{body}")).unwrap();
        claque()
            .args(["rules", "check", "--rules"])
            .arg(dir.path())
            .assert()
            .code(1)
            .stderr(contains(needle));
        claque()
            .args(["score", "--rules"])
            .arg(dir.path())
            .write_stdin("")
            .assert()
            .code(2)
            .stderr(contains(needle));
    }
}

#[test]
fn train_and_eval_run_on_the_bundled_corpus() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("small.clqm");
    let train = |out: &PathBuf| {
        claque()
            .args(["train"])
            .args([
                example("corpus/machine-bland.jsonl"),
                example("corpus/machine-applause.jsonl"),
                example("corpus/genuine-sample.jsonl"),
            ])
            .arg("--out")
            .arg(out)
            .assert()
            .success()
            .stdout(contains("machine-bland"));
    };
    train(&model);
    let again = dir.path().join("again.clqm");
    train(&again);
    assert_eq!(std::fs::read(&model).unwrap(), std::fs::read(&again).unwrap(), "training is reproducible");
    let output = claque()
        .args(["eval", "--format", "json", "--model"])
        .arg(&model)
        .args([
            example("corpus/machine-mixed.jsonl"),
            example("corpus/genuine-sample.jsonl"),
            example("thread/comments.jsonl"),
        ])
        .output()
        .unwrap();
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = |name: &str| {
        report["sources"].as_array().unwrap().iter().find(|r| r["source"] == name).cloned().unwrap()
    };
    assert_eq!(row("machine-mixed")["in_sample"], false);
    assert_eq!(row("genuine-sample")["in_sample"], true);
    assert!(row("machine-mixed")["auc"].as_f64().unwrap() > 0.6);
    claque()
        .args(["eval"])
        .arg(example("thread/comments.jsonl"))
        .assert()
        .success()
        .stdout(contains("rule or signal"));
}

#[test]
fn isolated_and_arrival_see_less() {
    let thread = std::fs::read(example("thread/comments.jsonl")).unwrap();
    let (isolated, _, _) = score(&["--isolated"], &thread);
    assert!(isolated.iter().all(|l| l.get("campaign_id").is_none() && l.get("thread").is_none()));
    let (arrival, _, _) = score(&["--as-of-arrival"], &thread);
    let by_id = |lines: &[Value], id: &str| lines.iter().find(|l| l["id"] == id).cloned().unwrap();
    assert!(
        by_id(&arrival, "t11").get("campaign_id").is_none(),
        "the first copy has nothing to be a copy of"
    );
    assert!(by_id(&arrival, "t28").get("campaign_id").is_some());
}

#[test]
fn out_writes_the_file_whole_or_a_device_directly() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("a.jsonl");
    claque()
        .args(["score", "--format", "jsonl", "--out"])
        .arg(&out)
        .write_stdin("{\"id\":1,\"text\":\"x\"}\n")
        .assert()
        .success()
        .stdout("");
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 1);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no part file is left");
    claque()
        .args(["score", "--out", "/dev/null"])
        .write_stdin("{\"id\":1,\"text\":\"x\"}\n")
        .assert()
        .success();
    claque()
        .args(["score", "--out", "/nonexistent/x"])
        .write_stdin("")
        .assert()
        .code(2)
        .stderr(contains("cannot write"));
}

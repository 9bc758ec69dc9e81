//! The program killed without warning, again and again: what was answered is there, nothing twice, the audit chain holds.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a test may panic, and a story is told at one go"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claque::store::Store;
use serde_json::{Value, json};

fn claque(db: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("claque"));
    command.env("CLAQUE_DB", db).env("CLAQUE_LOG", "info");
    command
}

/// Starts the service on a free port; returns it with its address.
fn serve(db: &Path) -> (Child, String) {
    started(claque(db).args(["serve", "--listen", "127.0.0.1:0"]))
}

/// Starts a command that serves; returns it with its address.
fn started(command: &mut Command) -> (Child, String) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while log.read_line(&mut line).unwrap() > 0 {
        let entry: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(address) = entry["fields"]["address"].as_str() {
            let address = format!("http://{address}");
            // The log must be read on, or the program waits for its reader.
            std::thread::spawn(move || log.lines().for_each(drop));
            return (child, address);
        }
        line.clear();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("the service did not start");
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_killed_service_has_kept_what_it_answered() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("claque.db");
    output(claque(&db).args(["sites", "add", "gazette", "--title", "The Gazette"]));
    let key = output(
        claque(&db).args(["keys", "create", "--site", "gazette", "--scope", "score", "--scope", "review"]),
    );
    let mut callback = claque(&db)
        .args([
            "callbacks",
            "add",
            "http://127.0.0.1:1/none",
            "--site",
            "gazette",
            "--secret-stdin",
            "--allow-private",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    callback.stdin.take().unwrap().write_all(b"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
    assert!(callback.wait().unwrap().success());
    let answered: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
    let decided: Arc<Mutex<Vec<String>>> = Arc::default();
    // CLAQUE_KILLS=50 for a longer run.
    let kills = std::env::var("CLAQUE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(5u64);
    for round in 0..kills {
        let (mut child, address) = serve(&db);
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (address, key, stop) = (address.clone(), key.clone(), Arc::clone(&stop));
                let (answered, decided) = (Arc::clone(&answered), Arc::clone(&decided));
                std::thread::spawn(move || {
                    let agent = ureq::agent();
                    let post = |path: &str, body: &Value| -> Option<Value> {
                        let mut answer = agent
                            .post(format!("{address}{path}"))
                            .header("authorization", format!("Bearer {key}"))
                            .header("content-type", "application/json")
                            .send(body.to_string())
                            .ok()?;
                        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
                    };
                    for number in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let id = format!("{round}-{writer}-{number}");
                        let text = format!("The article raises important questions about matter {number}, and a nuanced understanding of it is crucial for residents of ward {writer}.");
                        let comment = json!({"id": id, "author": format!("u{writer}"), "article_id": "a", "text": text});
                        let Some(answer) = post("/v1/comments", &comment) else { continue };
                        answered.lock().unwrap().push((id.clone(), answer));
                        let decision = json!({"comment": {"site": "gazette", "id": id}, "action": "reject"});
                        if number % 5 == 0
                            && let Some(answer) = post("/v1/decisions", &decision)
                            && answer["id"].is_string()
                        {
                            decided.lock().unwrap().push(id);
                        }
                    }
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(150 + 97 * (round % 7)));
        child.kill().unwrap();
        child.wait().unwrap();
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().unwrap();
        }
    }
    let answered = answered.lock().unwrap();
    let decided = decided.lock().unwrap();
    assert!(answered.len() > 10, "only {} comments were answered", answered.len());
    assert!(!decided.is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&db).unwrap();
        for (id, answer) in answered.iter() {
            let stored = store.comment("gazette".into(), id.as_str().into()).await.unwrap();
            let stored = stored.unwrap_or_else(|| panic!("{id} was answered and is gone"));
            let first: Value = serde_json::from_str(stored.history[0].assessment.get()).unwrap();
            assert_eq!((&first["id"], &first["score"]), (&answer["id"], &answer["score"]));
            assert_eq!(stored.history.iter().filter(|h| h.cause == "arrival").count(), 1);
        }
        for id in decided.iter() {
            let stored = store.comment("gazette".into(), id.as_str().into()).await.unwrap().unwrap();
            assert!(stored.decided_by.is_some(), "the decision about {id} is gone");
        }
        let counts = store.counts(None).await.unwrap();
        assert!(counts.decisions >= decided.len() as i64);
        assert_eq!(
            counts.outbox + counts.dead_letters,
            counts.decisions,
            "one callback a decision, none lost or doubled"
        );
        assert!(store.verify_audit().await.unwrap().is_ok());
        assert_eq!(store.check().await.unwrap(), "ok");
    });
    // The index made anew says of every comment what the store has: a start finds nothing to assess again.
    let standings = || -> Vec<(i64, String, Option<String>)> {
        let connection = rusqlite::Connection::open(&db).unwrap();
        let mut statement = connection
            .prepare("SELECT seq, verdict, campaign FROM comments WHERE is_current = 1 ORDER BY seq")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let before = standings();
    let (mut child, _) = serve(&db);
    child.kill().unwrap();
    child.wait().unwrap();
    let after = standings();
    assert_eq!(before.len(), after.len());
    let differ = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    assert_eq!(differ, 0, "of {} comments", before.len());
    assert!(output(claque(&db).args(["audit", "verify"])).contains("the chain holds"));
    let copy = dir.path().join("copy.db");
    output(claque(&db).arg("backup").arg(&copy));
    assert!(
        claque(&db).arg("backup").arg(&copy).output().unwrap().status.code() == Some(2),
        "a backup is not written over"
    );
}

#[test]
fn the_service_is_not_exposed_by_accident_and_a_newer_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("claque.db");
    let exposed = claque(&db).args(["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(exposed.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&exposed.stderr).contains("--expose"));
    output(claque(&db).args(["sites", "add", "gazette", "--title", "The Gazette"]));
    let again = claque(&db).args(["sites", "add", "gazette", "--title", "x"]).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
    rusqlite::Connection::open(&db).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let newer = claque(&db).args(["sites", "list"]).output().unwrap();
    assert_eq!(newer.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&newer.stderr).contains("newer"));
}

/// Sends a request with curl's brevity: status and body.
fn call(address: &str, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let url = format!("{address}{path}");
    let request = http::Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(body.to_owned())
        .unwrap();
    let mut answer = agent.run(request).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap_or_default())
}

fn prepared(dir: &Path) -> (std::path::PathBuf, String) {
    let db = dir.join("claque.db");
    output(claque(&db).args(["sites", "add", "gazette", "--title", "The Gazette"]));
    let key = output(
        claque(&db).args(["keys", "create", "--site", "gazette", "--scope", "score", "--scope", "review"]),
    );
    (db, key)
}

#[test]
fn a_comment_that_was_promised_is_judged_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let (db, key) = prepared(dir.path());
    let mut promised = Vec::new();
    for round in 0..5 {
        let (mut child, address) = serve(&db);
        for number in 0..20 {
            let id = format!("{round}-{number}");
            let body =
                json!({"id": id, "text": format!("The article raises important questions, number {id}.")});
            let (status, _) = call(&address, "POST", "/v1/comments?timeout_ms=0", &key, &body.to_string());
            assert!(status == 202 || status == 200, "{status}");
            promised.push(id);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (mut child, address) = serve(&db);
    for id in promised {
        let found = (0..100).any(|_| {
            let (status, _) = call(&address, "GET", &format!("/v1/comments/gazette/{id}"), &key, "");
            status == 200 || {
                std::thread::sleep(Duration::from_millis(20));
                false
            }
        });
        assert!(found, "{id} was promised and is lost");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn rules_and_configuration_are_read_anew_and_mistakes_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (db, key) = prepared(dir.path());
    let config = dir.path().join("claque.toml");
    std::fs::write(&config, "observe_only = true\n").unwrap();
    let mut command = claque(&db);
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&config);
    let (mut child, address) = started(&mut command);
    let hang_up = |child: &Child| {
        assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    };
    let verdict = |id: u32| {
        let text = "The article raises important questions about the tram, and a nuanced understanding of this complex issue is crucial for all residents.";
        let body = json!({"id": id, "text": format!("{text} {id}")}).to_string();
        let (_, answer) = call(&address, "POST", "/v1/comments", &key, &body);
        serde_json::from_str::<Value>(&answer).unwrap()["verdict"].clone()
    };
    let wait = |path: &str, word: &str| {
        let found = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(25));
            call(&address, "GET", path, &key, "").1.contains(word)
        });
        assert!(found, "`{word}` did not come in {path}");
    };
    assert_eq!(verdict(1), "allow");
    std::fs::write(&config, "observe_only = maybe\n").unwrap();
    hang_up(&child);
    wait("/readyz", "warning: the last reload failed");
    assert_eq!(verdict(2), "allow");
    std::fs::write(&config, "observe_only = false\n").unwrap();
    hang_up(&child);
    wait("/metrics", "claque_reloads_total 1");
    assert_eq!(verdict(3), "review");
    assert!(!call(&address, "GET", "/readyz", &key, "").1.contains("warning"));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success(), "it drains and ends well");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_answered_503_and_nothing_that_was_answered_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (db, key) = prepared(dir.path());
    let program = assert_cmd::cargo::cargo_bin!("claque");
    let mut command = Command::new("bash");
    command.env("CLAQUE_DB", &db).env("CLAQUE_LOG", "info").args([
        "-c",
        // Files of this process end at 1.5 MB; the write fails, as on a full disk.
        "trap '' XFSZ; ulimit -f 1500; exec \"$0\" serve --listen 127.0.0.1:0",
        program.to_str().unwrap(),
    ]);
    let (mut child, address) = started(&mut command);
    let (mut kept, mut refused) = (Vec::new(), 0);
    for number in 0..3000 {
        let text =
            format!("Comment number {number} about trams, buses and bicycles. {}", "More words. ".repeat(40));
        let body = json!({"id": number, "text": text}).to_string();
        match call(&address, "POST", "/v1/comments", &key, &body) {
            (200, _) => kept.push(number),
            (503, problem) => {
                assert!(problem.contains("store-unavailable"), "{problem}");
                refused += 1;
                if refused > 5 {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(refused > 5 && kept.len() > 10, "{refused} refused, {} kept", kept.len());
    assert_eq!(call(&address, "GET", "/healthz", &key, "").0, 200);
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, address) = serve(&db);
    for number in kept {
        assert_eq!(
            call(&address, "GET", &format!("/v1/comments/gazette/{number}"), &key, "").0,
            200,
            "{number}"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_installation_is_looked_after_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let (db, key) = prepared(dir.path());
    let history = dir.path().join("history.jsonl");
    let text = "Join thousands of residents who have signed the petition against the new car park before Friday evening at nine.";
    let lines: Vec<String> = (1..=3)
        .map(|id| {
            json!({"id": id, "author": format!("u{id}"), "text": text, "created_at": "2026-01-02T10:00:00Z"})
                .to_string()
        })
        .collect();
    std::fs::write(&history, format!("{}\nnot json\n", lines.join("\n"))).unwrap();
    let import = |db: &Path| claque(db).args(["import", "--site", "gazette"]).arg(&history).output().unwrap();
    let first = import(&db);
    assert_eq!(first.status.code(), Some(3), "one line is rejected");
    assert!(String::from_utf8_lossy(&first.stderr).contains(":4:"));
    assert!(String::from_utf8_lossy(&first.stdout).starts_with("3 comments taken, 0 known"));
    assert!(String::from_utf8_lossy(&import(&db).stdout).starts_with("0 comments taken, 3 known"));
    let (mut child, address) = serve(&db);
    let queue = call(&address, "GET", "/v1/queue", &key, "").1;
    assert!(queue.contains("\"items\":[]"), "history is not queued: {queue}");
    let body = json!({"id": 9, "author": "u9", "text": text}).to_string();
    assert!(
        call(&address, "POST", "/v1/comments", &key, &body).1.contains("campaign_id"),
        "and is remembered"
    );
    let copy = dir.path().join("copy.db");
    output(claque(&db).arg("backup").arg(&copy));
    let in_use = claque(&db).args(["restore", "--replace"]).arg(&copy).output().unwrap();
    assert!(String::from_utf8_lossy(&in_use.stderr).contains("in use"), "{in_use:?}");
    assert!(output(claque(&db).arg("doctor")).contains("ok    audit log"));
    child.kill().unwrap();
    child.wait().unwrap();
    let erased = output(claque(&db).args(["privacy", "erase", "--author", "u9"]));
    assert_eq!(erased, "1 comments erased");
    assert!(output(claque(&db).args(["privacy", "export", "--author", "u9"])).contains("\"comments\": []"));
    let restored = output(claque(&db).args(["restore", "--replace", "--json"]).arg(&copy));
    assert_eq!(serde_json::from_str::<Value>(&restored).unwrap()["comments"], 4);
    assert!(output(claque(&db).args(["privacy", "export", "--author", "u9"])).contains("petition"));
    let damaged = dir.path().join("damaged.db");
    std::fs::write(&damaged, b"SQLite format 3\0 and no more").unwrap();
    assert_eq!(
        claque(&db).args(["restore", "--replace"]).arg(&damaged).output().unwrap().status.code(),
        Some(2)
    );
    assert!(output(claque(&db).args(["privacy", "export", "--author", "u9"])).contains("petition"));
    let example = output(claque(&db).args(["config", "example"]));
    let config = dir.path().join("claque.toml");
    std::fs::write(&config, example).unwrap();
    assert!(output(claque(&db).args(["config", "check"]).arg(&config)).ends_with(": ok"));
    std::fs::write(&config, "[text]\nalone_p = 7\n").unwrap();
    let wrong = claque(&db).args(["config", "check"]).arg(&config).output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("text.alone_p"));
}

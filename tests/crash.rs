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
    let mut child =
        claque(db).args(["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
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
    for round in 0..5 {
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
        std::thread::sleep(Duration::from_millis(150 + 97 * round));
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

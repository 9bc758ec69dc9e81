//! Archives as a data desk meets them: exports in, the same bytes out whatever happened in between; filters that a database joins; plans that can be taken back.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

fn claque() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claque"));
    command.env_remove("CLAQUE_DB").env_remove("CLAQUE_CONFIG").current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn run(arguments: &[&str]) -> Output {
    claque().args(arguments).output().unwrap()
}

fn good(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every file of a finished folder, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An archive of some thousand comments with campaigns in it, made of the demo's.
fn archive(folder: &Path, copies: usize) -> PathBuf {
    let text = std::fs::read_to_string("examples/desk/comments.jsonl").unwrap();
    let path = folder.join("archive.jsonl");
    let mut out = std::fs::File::create(&path).unwrap();
    for copy in 0..copies {
        for line in text.lines() {
            let mut record: Value = serde_json::from_str(line).unwrap();
            for field in ["id", "article_id", "thread_id", "parent_id"] {
                if let Some(id) = record[field].as_str() {
                    record[field] = format!("{id}-{copy}").into();
                }
            }
            writeln!(out, "{record}").unwrap();
        }
        if copy == 0 {
            writeln!(out, "this is no record").unwrap();
        }
    }
    path
}

#[test]
fn an_archive_is_judged_as_a_file_is_scored() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let (comments, articles) = ("examples/desk/comments.jsonl", "examples/desk/articles.jsonl");
    for mode in [&[][..], &["--as-of-arrival"][..]] {
        let _ = std::fs::remove_dir_all(&out);
        let rescore = ["rescore", comments, "--articles", articles, "--out", out.to_str().unwrap()];
        good(&[&rescore[..], mode].concat());
        let score = ["score", comments, "--articles", articles, "--format", "jsonl"];
        let scored = good(&[&score[..], mode].concat());
        assert_eq!(scored.as_bytes(), files(&out)["assessments.jsonl"], "{mode:?}");
    }
    good(&["rescore", comments, "--articles", articles, "--out", dir.path().join("whole").to_str().unwrap()]);
    let files = files(&dir.path().join("whole"));
    let campaigns = lines(&files["campaigns.jsonl"]);
    assert_eq!(campaigns[0]["size"], 60);
    assert_eq!(campaigns.len(), 4, "the demo has four campaigns");
    let summary: Value = serde_json::from_slice(&files["summary.json"]).unwrap();
    assert_eq!(summary["counts"]["all"]["comments"], 419);
    assert_eq!(summary["counts"]["all"]["flagged"], 134);
    assert_eq!(summary["counts"]["labels"]["human"]["flagged"], 9, "the letter drive alone");
    let report = String::from_utf8(files["report.html"].clone()).unwrap();
    for part in ["would be genuine readers", "60 comments by 57 authors", "<svg", "By section", "Limits"] {
        assert!(report.contains(part), "the report lacks {part}");
    }
    assert!(!report.contains("<script") && !report.contains("http://") && !report.contains("src="));
}

#[test]
fn every_example_export_is_rescored_alike() {
    let dir = tempfile::tempdir().unwrap();
    for (name, format) in [
        ("comments.jsonl", "jsonl"),
        ("comments.csv", "csv"),
        ("disqus.xml", "disqus"),
        ("site.wxr.xml", "wxr"),
    ] {
        let out = dir.path().join(name);
        let path = format!("examples/exports/{name}");
        good(&["rescore", &path, "--out", out.to_str().unwrap()]);
        let files = files(&out);
        let summary: Value = serde_json::from_slice(&files["summary.json"]).unwrap();
        assert_eq!(summary["formats"][0], format);
        let campaigns = lines(&files["campaigns.jsonl"]);
        assert_eq!(campaigns.len(), 1, "{name}: one campaign was planted");
        assert!(campaigns[0]["size"].as_u64().unwrap() >= 5, "{name}: {}", campaigns[0]);
    }
}

#[test]
fn the_outcome_is_the_same_on_any_number_of_threads_and_after_any_kill() {
    let dir = tempfile::tempdir().unwrap();
    let archive = archive(dir.path(), 12);
    let archive = archive.to_str().unwrap();
    let folder = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let begin = |out: &str, jobs: &str| {
        let output = run(&["rescore", archive, "--out", out, "--jobs", jobs, "--progress", "quiet"]);
        assert_eq!(output.status.code(), Some(3), "one line is no record");
    };
    let started = Instant::now();
    begin(&folder("one"), "1");
    let whole = started.elapsed();
    begin(&folder("two"), "2");
    let expected = files(Path::new(&folder("one")));
    assert_eq!(expected, files(Path::new(&folder("two"))));
    assert_eq!(lines(&expected["rejects.jsonl"])[0]["line"], 420);
    assert!(!expected.contains_key(".work"));
    // Killed again and again at other places, gone on with, and the same to the byte.
    let out = folder("killed");
    let mut kills = 0;
    for step in 1..60u32 {
        let mut child = claque()
            .args(["rescore", archive, "--out", &out, "--resume", "--progress", "quiet"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let patience = whole.mul_f64(0.08) * (1 + step % 9) + Duration::from_millis(u64::from(step) * 20);
        std::thread::sleep(patience);
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    let output = run(&["rescore", archive, "--out", &out, "--resume", "--progress", "quiet"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(kills > 0, "it was killed at least once");
    assert_eq!(expected, files(Path::new(&out)));
    // A finished folder is gone on with in no time; without a word it is not touched; another work is refused.
    let again = run(&["rescore", archive, "--out", &out, "--resume"]);
    assert_eq!(again.status.code(), Some(3));
    let untold = run(&["rescore", archive, "--out", &out]);
    assert_eq!(untold.status.code(), Some(2));
    let other = run(&["rescore", archive, "--out", &out, "--resume", "--as-of-arrival"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&other.stderr).contains("another way of judging"));
    assert_eq!(expected, files(Path::new(&out)));
}

#[test]
fn what_cannot_be_read_is_said_and_the_good_part_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let out = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let missing = run(&["rescore", "/nowhere/at/all.jsonl", "--out", &out("missing")]);
    assert_eq!(missing.status.code(), Some(2));
    let bad = dir.path().join("bad.jsonl");
    std::fs::write(&bad, "{\"id\":1,\"text\":\"a\"}\n{\"id\":2\n").unwrap();
    let bad = bad.to_str().unwrap();
    assert_eq!(run(&["rescore", bad, "--out", &out("kept")]).status.code(), Some(3));
    let kept = files(Path::new(&out("kept")));
    assert_eq!((lines(&kept["assessments.jsonl"]).len(), lines(&kept["rejects.jsonl"]).len()), (1, 1));
    let strict = run(&["rescore", bad, "--out", &out("strict"), "--strict"]);
    assert_eq!(strict.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&strict.stderr).contains("bad.jsonl:2:"));
    let unknown = run(&["rescore", bad, "--out", &out("unknown"), "--from", "myspace"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("wxr"));
}

/// Runs a filter over lines.
fn filter(name: &str, input: &str) -> Output {
    let mut child = claque()
        .arg(name)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

#[test]
fn the_filters_joined_by_a_database_find_the_links_and_campaigns_of_a_rescoring() {
    let dir = tempfile::tempdir().unwrap();
    // Without articles and parents a comment is sketched by itself as in the archive.
    let text = std::fs::read_to_string("examples/desk/comments.jsonl").unwrap();
    let mut bare = String::new();
    for line in text.lines() {
        let mut record: Value = serde_json::from_str(line).unwrap();
        record.as_object_mut().unwrap().remove("parent_id");
        bare.push_str(&record.to_string());
        bare.push('\n');
    }
    let input = dir.path().join("bare.jsonl");
    std::fs::write(&input, &bare).unwrap();
    let out = dir.path().join("out");
    good(&["rescore", input.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let sketched = filter("sketch", &bare);
    assert!(sketched.status.success(), "{}", String::from_utf8_lossy(&sketched.stderr));
    assert_eq!(sketched.stdout, filter("sketch", &bare).stdout, "the same bytes again");
    let database = Connection::open_in_memory().unwrap();
    database
        .execute_batch(
            "CREATE TABLE sketches (n INTEGER PRIMARY KEY, record TEXT NOT NULL);
             CREATE TABLE bands (band INTEGER, key TEXT, n INTEGER);",
        )
        .unwrap();
    for (n, record) in lines(&sketched.stdout).iter().enumerate() {
        database.execute("INSERT INTO sketches VALUES (?1, ?2)", (n as i64, record.to_string())).unwrap();
        for (band, key) in record["bands"].as_array().unwrap().iter().enumerate() {
            if key != "" {
                let row = (band as i64, key.as_str().unwrap(), n as i64);
                database.execute("INSERT INTO bands VALUES (?1, ?2, ?3)", row).unwrap();
            }
        }
    }
    // The first eight of a key with all after them: the statement of the README.
    let mut statement = database
        .prepare(
            "WITH placed AS (SELECT band, key, n, row_number() OVER (PARTITION BY band, key ORDER BY n) AS place FROM bands)
             SELECT DISTINCT x.record, y.record, a.n, b.n FROM placed a
             JOIN placed b ON a.band = b.band AND a.key = b.key AND b.place <= 8 AND b.n < a.n
             JOIN sketches x ON x.n = a.n JOIN sketches y ON y.n = b.n ORDER BY a.n, b.n",
        )
        .unwrap();
    let pairs: Vec<String> = statement
        .query_map([], |row| {
            Ok(format!("{{\"a\":{},\"b\":{}}}\n", row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let verified = filter("verify", &pairs.concat());
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let files = files(&out);
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let ours: BTreeSet<(String, String)> =
        lines(&files["links.jsonl"]).iter().map(|link| (id(&link["id"]), id(&link["earlier_id"]))).collect();
    let theirs: BTreeSet<(String, String)> =
        lines(&verified.stdout).iter().map(|link| (id(&link["a"]["id"]), id(&link["b"]["id"]))).collect();
    assert!(ours.len() > 100);
    assert_eq!(ours, theirs);
    // Links make groups; those of two people are the campaigns.
    let mut groups: Vec<BTreeSet<String>> = Vec::new();
    for (a, b) in &theirs {
        let (mut touched, rest): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group.contains(a) || group.contains(b));
        let mut merged: BTreeSet<String> = touched.drain(..).flatten().collect();
        merged.extend([a.clone(), b.clone()]);
        groups = rest;
        groups.push(merged);
    }
    let mut campaigns: Vec<BTreeSet<String>> = lines(&files["campaigns.jsonl"])
        .iter()
        .map(|campaign| campaign["members"].as_array().unwrap().iter().map(id).collect())
        .collect();
    campaigns.sort();
    groups.sort();
    assert_eq!(campaigns, groups);
}

#[test]
fn a_filter_ends_at_a_bad_line_and_says_which() {
    let bad = filter("sketch", "{\"id\":1,\"text\":\"a\"}\nnonsense\n");
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("standard input:2:"));
    assert_eq!(lines(&bad.stdout).len(), 1, "what came before is out");
    assert_eq!(filter("verify", "{\"a\":1}\n").status.code(), Some(2));
    let other = "{\"a\":{\"v\":99,\"canon\":1,\"id\":\"1\",\"words\":1,\"bands\":[]},\"b\":{\"v\":1,\"canon\":1,\"id\":\"2\",\"words\":1,\"bands\":[]}}\n";
    let other = filter("verify", other);
    assert!(String::from_utf8_lossy(&other.stderr).contains("another version"));
    assert!(filter("sketch", "").status.success());
}

/// Everything of a store that a plan may touch, as text.
fn content(db: &Path) -> String {
    let connection = Connection::open(db).unwrap();
    let mut out = String::new();
    for (table, order) in [
        ("comments", "seq"),
        ("assessments", "seq"),
        ("queue", "id"),
        ("decisions", "id"),
        ("decision_comments", "decision, comment"),
        ("campaign_states", "site, campaign"),
        ("queue_totals", "site, kind, is_escalated"),
        ("outbox", "id"),
    ] {
        let mut statement = connection
            .prepare(&format!(
                "SELECT * FROM {table} {} ORDER BY {order}",
                if table == "queue_totals" { "WHERE cards <> 0" } else { "" }
            ))
            .unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> =
                (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            out.extend([table, " ", &values.join("|"), "\n"]);
        }
    }
    out
}

/// Takes the demo's comments into a new store, as history.
fn import_demo(folder: &Path, db: &Path, how: &[&str]) {
    let db = db.to_str().unwrap();
    let text = std::fs::read_to_string("examples/desk/comments.jsonl").unwrap();
    for site in ["harbour-gazette", "valley-courier"] {
        good(&["sites", "add", site, "--title", site, "--db", db]);
        let own: String = text
            .lines()
            .filter(|line| line.contains(&format!("\"site\": \"{site}\"")))
            .fold(String::new(), |all, line| all + line + "\n");
        let file = folder.join(format!("{site}.jsonl"));
        std::fs::write(&file, own).unwrap();
        good(&[&["import", file.to_str().unwrap(), "--site", site, "--db", db][..], how].concat());
    }
}

/// A folder of rules by which hardly anything reads like templated text.
fn mild_rules(folder: &Path) -> String {
    let rules = folder.join("mild");
    std::fs::create_dir(&rules).unwrap();
    let rule = |word: &str| {
        format!(
            "[[group]]\nid = \"{word}\"\ncap = 4.0\n[[rule]]\nid = \"{word}-word\"\nkind = \"phrases\"\nphrases = [\"{word}\"]\npoints = -4.0\ngroup = \"{word}\"\nstatus = \"live\"\nadded = 2026-11-24\nmessage = \"has a word\"\n[[rule.test]]\ntext = \"{word}\"\nhits = true\n"
        )
    };
    let rules_of: Vec<String> = ["the", "a", "and", "of", "this", "is", "for", "to"].map(rule).to_vec();
    let text = format!("[pack]\nid = \"mild\"\nlang = [\"en\"]\n{}", rules_of.concat());
    std::fs::write(rules.join("mild.toml"), text).unwrap();
    rules.to_str().unwrap().to_owned()
}

/// Runs the service on a store until it is ready, and stops it again.
fn serve_a_moment(db: &Path, how: &[&str]) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let mut child = claque()
        .args(["serve", "--db", db.to_str().unwrap(), "--listen", &address])
        .args(how)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let from = Instant::now();
    let is_ready = || {
        let mut stream = std::net::TcpStream::connect(&address).ok()?;
        stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).ok()?;
        answer.contains(" 200 ").then_some(())
    };
    while is_ready().is_none() {
        assert!(from.elapsed() < Duration::from_secs(30), "the service is not ready");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(1500));
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_a_plan_spares_stays_spared_and_nobody_loses_a_card_he_holds() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("claque.db");
    let db_name = db.to_str().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("blind.toml"), "observe_only = true\n").unwrap();
    import_demo(dir.path(), &db, &["--config", &path("blind.toml")]);
    good(&["rescore", "--store", "--db", db_name, "--out", &path("first")]);
    good(&["plan", "apply", &path("first/plan.json"), "--db", db_name]);
    let connection = Connection::open(&db).unwrap();
    let count = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert!(count("SELECT count(*) FROM queue WHERE is_open = 1 AND kind = 'campaign'") >= 3);
    let tags = count("SELECT count(*) FROM queue WHERE is_open = 1 AND tags LIKE '%|signal:%'");
    assert_eq!(
        tags,
        count("SELECT count(*) FROM queue WHERE is_open = 1"),
        "cards are found by what is in them"
    );
    // One card is escalated, one is in somebody's hands, an author is trusted, a campaign is kept back.
    let one = "(SELECT id FROM queue WHERE is_open = 1 AND kind = 'comment' ORDER BY id LIMIT 1)";
    let other = "(SELECT id FROM queue WHERE is_open = 1 AND kind = 'comment' ORDER BY id DESC LIMIT 1)";
    let later = chrono::Utc::now().timestamp_millis() + 3_600_000;
    connection.execute(&format!("UPDATE queue SET is_escalated = 1 WHERE id = {one}"), []).unwrap();
    let taken =
        format!("UPDATE queue SET claimed_by = 'user:ann', claimed_until = {later} WHERE id = {other}");
    connection.execute(&taken, []).unwrap();
    let held = "SELECT count(*) FROM comments WHERE verdict = 'hold'";
    connection.execute("UPDATE comments SET verdict = 'hold' WHERE seq = (SELECT max(seq) FROM comments WHERE verdict = 'review' AND campaign IS NOT NULL)", []).unwrap();
    let unchanged = run(&["rescore", "--store", "--db", db_name, "--out", &path("again")]);
    assert!(unchanged.status.success());
    let again: Value =
        serde_json::from_str(&std::fs::read_to_string(path("again/plan.json")).unwrap()).unwrap();
    assert_eq!(
        again["items"],
        serde_json::json!([]),
        "the same rules propose nothing new, and a hold stays one"
    );
    assert_eq!(count(held), 1);
    let before = content(&db);
    // Milder rules spare nearly everything.
    let mild = mild_rules(dir.path());
    std::fs::write(path("mild.toml"), "[campaign]\nauthors = 1000\n[thread]\nfewest = 1000\n").unwrap();
    let mild = ["--rules", &mild, "--config", &path("mild.toml")];
    let rescore = |out: &str| {
        good(&[&["rescore", "--store", "--db", db_name, "--out", &path(out)][..], &mild].concat());
    };
    rescore("mild-out");
    let plan = path("mild-out/plan.json");
    let applied: Value =
        serde_json::from_str(&good(&["plan", "apply", &plan, "--db", db_name, "--json"])).unwrap();
    assert_eq!(applied["applied"]["held"], 2, "{applied}");
    assert!(applied["applied"]["closed"].as_u64().unwrap() > 30, "{applied}");
    let open = "SELECT count(*) FROM queue q WHERE is_open = 1 AND kind = 'campaign' AND NOT EXISTS
        (SELECT 1 FROM comments c WHERE c.campaign = q.campaign AND c.site = q.site AND c.verdict <> 'allow')";
    assert_eq!(count(open), 0, "no campaign card is left without anybody on it");
    assert_eq!(count(&format!("SELECT is_open FROM queue WHERE id = {one}")), 1);
    // A service with those rules, too, finds nothing to say about it.
    let spared = content(&db);
    serve_a_moment(&db, &mild);
    assert_eq!(content(&db), spared, "what was spared stays spared over a start");
    rescore("mild-again");
    let again: Value =
        serde_json::from_str(&std::fs::read_to_string(path("mild-again/plan.json")).unwrap()).unwrap();
    assert_eq!(again["items"].as_array().unwrap().len(), 2, "only what is in somebody's hands: {again}");
    good(&["plan", "undo", &plan, "--db", db_name]);
    assert_eq!(content(&db), before, "taken back to the same store");
    // A plan of another mind at its head, or that says something else than its own assessments, is refused.
    let text = std::fs::read_to_string(&plan).unwrap();
    for (from, to) in [("\"ruleset\":\"", "\"ruleset\":\"0"), ("\"to\":\"allow\"", "\"to\":\"review\"")] {
        let forged = path("forged.json");
        std::fs::write(&forged, text.replacen(from, to, 1)).unwrap();
        let refused = run(&["plan", "apply", &forged, "--db", db_name]);
        assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stdout));
    }
    assert_eq!(content(&db), before);
    // Whom people trust, and what they allow, a plan leaves in peace.
    connection.execute("UPDATE comments SET is_trusted = 1", []).unwrap();
    good(&["rescore", "--store", "--db", db_name, "--out", &path("trusted")]);
    let trusted: Value =
        serde_json::from_str(&std::fs::read_to_string(path("trusted/plan.json")).unwrap()).unwrap();
    let items = trusted["items"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|item| item["to"] == "allow"), "{}", items.len());
    // Erasing an author takes what plans say of him.
    let author: String = connection
        .query_row(
            "SELECT author FROM comments c JOIN plan_items p ON p.comment = c.seq LIMIT 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let id: String = connection
        .query_row("SELECT site FROM comments WHERE author = ?1 LIMIT 1", [&author], |row| row.get(0))
        .unwrap();
    let of_author =
        "SELECT count(*) FROM plan_items p JOIN comments c ON c.seq = p.comment WHERE c.author = ?1";
    let said = |db: &Connection| -> i64 { db.query_row(of_author, [&author], |row| row.get(0)).unwrap() };
    assert!(said(&connection) > 0);
    let items = count("SELECT count(*) FROM plan_items");
    good(&["privacy", "erase", "--site", &id, "--author", &author, "--db", db_name]);
    assert!(said(&connection) == 0 && count("SELECT count(*) FROM plan_items") < items);
}

#[test]
fn arrival_goes_by_time_whatever_the_file_says() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string("examples/desk/comments.jsonl").unwrap();
    let mut backwards: Vec<&str> = text.lines().collect();
    backwards.sort_by_key(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        std::cmp::Reverse(record["created_at"].as_str().unwrap().to_owned())
    });
    let forwards: Vec<&str> = backwards.iter().rev().copied().collect();
    let judged = |name: &str, lines: &[&str]| -> BTreeMap<String, Value> {
        let (file, out) = (dir.path().join(format!("{name}.jsonl")), dir.path().join(name));
        std::fs::write(&file, lines.join("\n")).unwrap();
        good(&["rescore", file.to_str().unwrap(), "--as-of-arrival", "--out", out.to_str().unwrap()]);
        let scored = good(&["score", file.to_str().unwrap(), "--as-of-arrival", "--format", "jsonl"]);
        let files = files(&out);
        assert_eq!(scored.as_bytes(), files["assessments.jsonl"], "{name}");
        let all = self::lines(&files["assessments.jsonl"]);
        all.into_iter().map(|one| (one["id"].to_string(), one["verdict"].clone())).collect()
    };
    assert_eq!(judged("backwards", &backwards), judged("forwards", &forwards));
}

#[test]
fn labels_that_exports_and_people_gave_are_measured_and_learned_from() {
    let measured = good(&["eval", "examples/exports/site.wxr.xml", "--format", "json"]);
    let measured: Value = serde_json::from_str(&measured).unwrap();
    assert_eq!(measured["comments"], 2, "{measured}");
    let dir = tempfile::tempdir().unwrap();
    let (db, model) = (dir.path().join("claque.db"), dir.path().join("own.model"));
    let train = ["train", "--store", "--db", db.to_str().unwrap(), "--out", model.to_str().unwrap()];
    import_demo(dir.path(), &db, &[]);
    let nothing = run(&train);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&nothing.stderr).contains("were approved"),
        "nobody has decided anything yet"
    );
    let connection = Connection::open(&db).unwrap();
    let decide = "UPDATE comments SET decided_by = 'user:ann', status = CASE verdict WHEN 'allow' THEN 'published' ELSE 'rejected' END";
    connection.execute(decide, []).unwrap();
    let told = good(&train);
    assert!(told.contains("harbour-gazette") && told.contains("valley-courier"), "{told}");
    let machine = |db: &str| {
        let exported = lines(good(&["export", "--db", db]).as_bytes());
        exported.iter().filter(|one| one["label"] == "machine").count()
    };
    let all = machine(db.to_str().unwrap());
    assert!(all > 20, "{all}");
    // What was rejected for an insult, and what the CMS rejected, says nothing of the text, whatever the comment came with.
    let (insult, by_cms): (i64, i64) = connection
        .query_row("SELECT min(seq), max(seq) FROM comments WHERE status = 'rejected'", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    connection
        .execute_batch(&format!(
            "UPDATE comments SET record = json_set(record, '$.label', 'machine') WHERE seq = {insult};
             INSERT INTO decisions (id, site, action, reason, actor, trust, at, undo_until)
               SELECT 'd1', site, 'reject', 'insult', 'user:ann', 'moderator', 1, 1 FROM comments WHERE seq = {insult};
             INSERT INTO decision_comments (decision, comment, status_before) VALUES ('d1', {insult}, 'published');
             UPDATE comments SET decided_by = 'cms' WHERE seq = {by_cms};"
        ))
        .unwrap();
    assert_eq!(machine(db.to_str().unwrap()), all - 2);
    good(&["score", "examples/desk/comments.jsonl", "--model", model.to_str().unwrap()]);
}

#[test]
fn a_folder_of_other_peoples_files_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("assessments.jsonl");
    std::fs::write(&own, "mine").unwrap();
    let out = dir.path().to_str().unwrap();
    let refused = run(&["rescore", "examples/desk/comments.jsonl", "--out", out, "--resume"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("name a new folder"));
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "mine");
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    good(&["rescore", "examples/desk/comments.jsonl", "--out", empty.to_str().unwrap(), "--resume"]);
}

#[test]
fn a_plan_is_applied_taken_back_to_the_same_store_and_never_against_people() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("claque.db");
    let db_name = db.to_str().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    // Nothing is proposed at first.
    std::fs::write(path("blind.toml"), "observe_only = true\n").unwrap();
    import_demo(dir.path(), &db, &["--config", &path("blind.toml")]);
    let before = content(&db);
    good(&["rescore", "--store", "--db", db_name, "--out", &path("out")]);
    assert_eq!(content(&db), before, "a rescoring changes nothing");
    let plan = path("out/plan.json");
    let shown = good(&["plan", "show", &plan]);
    assert!(shown.contains("would come into the queue"), "{shown}");
    let applied = good(&["plan", "apply", &plan, "--db", db_name, "--json"]);
    let applied: Value = serde_json::from_str(&applied).unwrap();
    let changed = applied["applied"]["changed"].as_u64().unwrap();
    assert!(changed > 80, "{applied}");
    assert!(applied["applied"]["opened"].as_u64().unwrap() >= 4, "{applied}");
    assert_ne!(content(&db), before);
    assert_eq!(run(&["plan", "apply", &plan, "--db", db_name]).status.code(), Some(2), "applied already");
    good(&["plan", "undo", &plan, "--db", db_name]);
    assert_eq!(content(&db), before, "taken back to the same store");
    assert_eq!(run(&["plan", "undo", &plan, "--db", db_name]).status.code(), Some(2));
    // Somebody decides before it is applied: that stays.
    let connection = Connection::open(&db).unwrap();
    let text = std::fs::read_to_string(&plan).unwrap();
    let items: Value = serde_json::from_str(&text).unwrap();
    let seq = items["items"][0]["stored"]["seq"].as_i64().unwrap();
    connection
        .execute("UPDATE comments SET status = 'published', decided_by = 'user:ann' WHERE seq = ?1", [seq])
        .unwrap();
    let of_comment = |db: &Connection| -> (String, String, String) {
        db.query_row("SELECT status, decided_by, verdict FROM comments WHERE seq = ?1", [seq], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap()
    };
    let decided = of_comment(&connection);
    let applied = good(&["plan", "apply", &plan, "--db", db_name, "--json"]);
    let applied: Value = serde_json::from_str(&applied).unwrap();
    assert_eq!(applied["applied"]["decided"], 1);
    assert_eq!(of_comment(&connection), decided);
    good(&["plan", "undo", &plan, "--db", db_name]);
    // Something else was said of a comment meanwhile: the plan is stale, and nothing of it is done.
    let other = items["items"][1]["stored"]["seq"].as_i64().unwrap();
    connection.execute("UPDATE comments SET standing_at = standing_at + 1 WHERE seq = ?1", [other]).unwrap();
    let before = content(&db);
    let stale = run(&["plan", "apply", &plan, "--db", db_name]);
    assert_eq!(stale.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&stale.stderr).contains("rescore again"));
    assert_eq!(content(&db), before);
    assert!(good(&["audit", "verify", "--db", db_name]).contains("hold"));
}

#[test]
fn a_backtest_passes_or_fails_its_gate() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    let rule = "[pack]\nid = \"own\"\nlang = [\"en\"]\n[[group]]\nid = \"own\"\ncap = 6.0\n[[rule]]\nid = \"bus\"\nkind = \"phrases\"\nphrases = [\"the bus\"]\npoints = 5.0\ngroup = \"own\"\nstatus = \"live\"\nadded = 2026-11-24\nmessage = \"speaks of the bus\"\n[[rule.test]]\ntext = \"the bus\"\nhits = true\n";
    std::fs::write(rules.join("own.toml"), rule).unwrap();
    let new = rules.to_str().unwrap();
    let file = "examples/desk/comments.jsonl";
    let html = dir.path().join("backtest.html");
    let output = run(&[
        "backtest",
        file,
        "--new",
        new,
        "--format",
        "json",
        "--html",
        html.to_str().unwrap(),
        "--gate",
        "precision=0.5",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let it: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(it["flips"][0].as_u64().unwrap() > 0, "a rule on a common word catches readers");
    assert_eq!(it["caught"][0]["label"], "human", "a mistake comes first");
    assert!(it["rules"]["own/bus"]["human"].as_u64().unwrap() > 0);
    assert!(std::fs::read_to_string(html).unwrap().contains("own/bus"));
    let strict =
        run(&["backtest", file, "--new", new, "--gate", "precision=0.999", "--gate", "caught-human=0"]);
    assert_eq!(strict.status.code(), Some(1));
    let why = String::from_utf8_lossy(&strict.stderr).into_owned();
    assert!(why.contains("precision is") && why.contains("newly caught"), "{why}");
    assert_eq!(run(&["backtest", file, "--new", new, "--gate", "beauty=1"]).status.code(), Some(2));
}

#[test]
fn a_past_time_is_gone_through_again() {
    let printed =
        good(&["simulate", "examples/desk/comments.jsonl", "--articles", "examples/desk/articles.jsonl"]);
    assert!(printed.contains("decisions:") && printed.contains("showed at its comment"), "{printed}");
    let told = good(&["simulate", "examples/desk/comments.jsonl", "--format", "json"]);
    let it: Value = serde_json::from_str(&told).unwrap();
    let number = |name: &str| it[name].as_u64().unwrap();
    assert_eq!(number("comments"), 419);
    let flagged = number("at_arrival") + number("later");
    assert!(number("decisions") < flagged, "a campaign is one decision");
    let by_day = |what: &str| -> u64 {
        it["days"].as_array().unwrap().iter().map(|day| day[what].as_u64().unwrap()).sum()
    };
    assert_eq!((by_day("at_arrival"), by_day("cards")), (number("at_arrival"), number("decisions")));
    assert!(it["campaigns"].as_array().unwrap().iter().any(|one| one["missed_before"].is_u64()));
    let none = run(&["simulate", "/dev/null"]);
    assert_eq!(none.status.code(), Some(2));
    let again = run(&["simulate", "examples/desk/comments.jsonl", "--from", "nothing"]);
    assert_eq!(again.status.code(), Some(2));
}

#[test]
fn an_import_leaves_what_is_there_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("claque.db");
    import_demo(dir.path(), &db, &[]);
    let connection = Connection::open(&db).unwrap();
    let promise = r#"{"id":"promised","text":"Still on its way.","author":"a"}"#;
    connection
        .execute("INSERT INTO inbox (site, id, revision, record, at) VALUES ('valley-courier', 'promised', 't:1', ?1, 1)", [promise])
        .unwrap();
    let all = "SELECT group_concat(id || verdict || coalesce(campaign, '-') || standing_at, ' ') FROM (SELECT * FROM comments WHERE id <> 'new' ORDER BY seq)";
    let now = || -> String { connection.query_row(all, [], |row| row.get(0)).unwrap() };
    let before = now();
    let strict = dir.path().join("strict.toml");
    std::fs::write(&strict, "[text]\nalone_p = 0.05\ncorroborated_p = 0.2\n").unwrap();
    let one = dir.path().join("one.jsonl");
    std::fs::write(
        &one,
        r#"{"id":"new","text":"The cat sat on my keyboard all morning.","author":"c","article_id":"cats"}"#,
    )
    .unwrap();
    let (db, one, strict) = (db.to_str().unwrap(), one.to_str().unwrap(), strict.to_str().unwrap());
    good(&["import", one, "--site", "valley-courier", "--db", db, "--config", strict]);
    assert_eq!(now(), before, "other thresholds are the service's to apply");
    let promised: i64 = connection.query_row("SELECT count(*) FROM inbox", [], |row| row.get(0)).unwrap();
    assert_eq!(promised, 1, "what was promised is the service's to keep");
}

#[test]
fn a_plan_takes_nothing_from_those_who_wait_and_accuses_nobody_who_is_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("claque.db");
    let db_name = db.to_str().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("blind.toml"), "observe_only = true\n").unwrap();
    import_demo(dir.path(), &db, &["--config", &path("blind.toml")]);
    good(&["rescore", "--store", "--db", db_name, "--out", &path("all")]);
    let plan: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("all/plan.json")).unwrap()).unwrap();
    let caught: Vec<&Value> = plan["items"].as_array().unwrap().iter().collect();
    let connection = Connection::open(&db).unwrap();
    let author: String = connection
        .query_row(
            "SELECT author FROM comments WHERE seq = ?1",
            [caught[0]["stored"]["seq"].as_i64().unwrap()],
            |row| row.get(0),
        )
        .unwrap();
    // Somebody is trusted after the plan was made: it does not propose him.
    connection
        .execute(
            "INSERT INTO trusted_authors (site, author, actor, at) VALUES (?1, ?2, 'user:ann', 1)",
            [caught[0]["site"].as_str().unwrap(), &author],
        )
        .unwrap();
    let told = good(&["plan", "apply", &path("all/plan.json"), "--db", db_name]);
    assert!(told.contains(&format!("{} comments changed", caught.len() - 1)), "{told}");
    good(&["plan", "undo", &path("all/plan.json"), "--db", db_name]);
    // Before the plan was made: it is not even in it.
    good(&["rescore", "--store", "--db", db_name, "--out", &path("trusted")]);
    let trusted: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("trusted/plan.json")).unwrap()).unwrap();
    assert_eq!(trusted["items"].as_array().unwrap().len(), caught.len() - 1);
    // What the CMS keeps back until somebody decides keeps its card.
    good(&["plan", "apply", &path("trusted/plan.json"), "--db", db_name]);
    connection.execute("UPDATE comments SET status = 'pending' WHERE verdict = 'review'", []).unwrap();
    let mild = mild_rules(dir.path());
    good(&["rescore", "--store", "--db", db_name, "--rules", &mild, "--out", &path("milder")]);
    let cards = || -> i64 {
        connection.query_row("SELECT count(*) FROM queue WHERE is_open = 1", [], |row| row.get(0)).unwrap()
    };
    let before = cards();
    let told = good(&["plan", "apply", &path("milder/plan.json"), "--db", db_name]);
    assert!(told.contains(": 0 comments changed") && cards() == before, "{told}");
}

#[test]
fn a_slip_leaves_no_trace_and_articles_named_by_hand_count() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let table = dir.path().join("x.csv");
    std::fs::write(&table, "number,words,article_id,headline\n1,The tram is late again my friend,a,Tram\n")
        .unwrap();
    let (table, out_name) = (table.to_str().unwrap(), out.to_str().unwrap());
    assert_eq!(run(&["rescore", table, "--out", out_name]).status.code(), Some(2));
    let map = "id=number,text=words,article_title=headline";
    good(&["rescore", table, "--columns", map, "--out", out_name]);
    let bare = files(&out)["assessments.jsonl"].clone();
    let articles = dir.path().join("articles.jsonl");
    std::fs::write(&articles, r#"{"id":"a","title":"Tram","body":"The tram is late again my friend, said the mayor. The tram is late again."}"#).unwrap();
    let second = dir.path().join("second");
    good(&[
        "rescore",
        table,
        "--columns",
        map,
        "--articles",
        articles.to_str().unwrap(),
        "--out",
        second.to_str().unwrap(),
    ]);
    assert_ne!(files(&second)["assessments.jsonl"], bare, "the article's text was not looked at");
    for wrong in [&["--site", ""][..], &["--jobs", "0"], &["--jobs", "999999"]] {
        let refused =
            run(&[&["rescore", table, "--columns", map, "--out", &format!("{out_name}2")], wrong].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn history_comes_to_the_queue_by_a_plan_and_leaves_it_by_its_undo() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("claque.db");
    let db_name = db.to_str().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    import_demo(dir.path(), &db, &[]);
    let before = content(&db);
    let cards = || -> i64 {
        let connection = Connection::open(&db).unwrap();
        connection.query_row("SELECT count(*) FROM queue WHERE is_open = 1", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(cards(), 0, "an import queues nothing");
    good(&["rescore", "--store", "--db", db_name, "--out", &path("first")]);
    let plan = path("first/plan.json");
    let shown = good(&["plan", "show", &plan]);
    assert!(
        !shown.contains(" 0 would come into the queue") && shown.contains(" 0 would leave it"),
        "{shown}"
    );
    good(&["plan", "apply", &plan, "--db", db_name]);
    assert!(cards() > 20, "{}", cards());
    good(&["rescore", "--store", "--db", db_name, "--out", &path("again")]);
    let again = good(&["plan", "show", &path("again/plan.json")]);
    assert!(again.contains(": 0 changes"), "{again}");
    good(&["plan", "undo", &plan, "--db", db_name]);
    assert_eq!(content(&db), before);
}

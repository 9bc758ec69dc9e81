//! What an operator and a newsroom's own programs meet: older databases, plugins, alerts, articles fetched, mappings, the contract.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use claque::cms::fetch::fetch_due;
use claque::config::Settings;
use claque::domain::Article;
use claque::store::records::{Hook, QueueFilter, Sites};
use claque::store::{Store, StoreError};
use claque::upkeep::alerts;
use claque::wire::signature;
use serde_json::{Value, json};

use crate::support::{Desk, PRAISE, desk, open, open_with};

/// Answers every request with `answer` (a whole HTTP response) and hands over what came.
fn listener(answer: String) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            if sender.send(format!("{head}\n{}", String::from_utf8_lossy(&body))).is_err() {
                return;
            }
        }
    });
    (port, received)
}

fn response(kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[actix_web::test]
async fn a_database_of_schema_1_is_brought_up_to_date_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("claque.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(include_str!("../fixtures/schema_1.sql"))
        .unwrap();
    let desk = open(Store::open(&path).unwrap(), String::new()).await;
    let store = &desk.store;
    assert_eq!(
        store
            .comment("gazette".into(), "2".into())
            .await
            .unwrap()
            .unwrap()
            .decided_by
            .unwrap()
            .split(':')
            .next(),
        Some("key")
    );
    let key = store.keys().await.unwrap().remove(0);
    assert_eq!((key.sites.as_slice(), key.scopes.len()), (["gazette".to_owned()].as_slice(), 2));
    let user = store.user("ann".into()).await.unwrap().unwrap();
    assert_eq!((user.role.as_str(), user.sites.len()), ("moderator", 0));
    let queue = store.queue(Sites::All, QueueFilter::default(), None, 10).await.unwrap();
    assert_eq!(queue.len(), 2);
    let campaign = queue.iter().find_map(|item| item.campaign.as_ref()).unwrap();
    assert_eq!((campaign.size, campaign.undecided), (4, 3));
    let past = store.decisions(Sites::All, None, 10).await.unwrap();
    let by = claque::store::records::Actor { name: past[0].actor.clone(), leads: true };
    assert_eq!(store.undo(Sites::All, past[0].id.clone(), by).await.unwrap().comments, 1);
    assert!(store.verify_audit().await.unwrap().is_ok(), "old and new entries are one chain");
    assert_eq!(store.check().await.unwrap(), "ok");
}

#[actix_web::test]
async fn signatures_of_an_older_form_of_text_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let before = desk(dir.path()).await;
    before.campaign().await;
    let key = before.key.clone();
    drop(before);
    let path = dir.path().join("claque.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("UPDATE comments SET canon_version = 0, sketch = x'00'", [])
        .unwrap();
    let after = open(Store::open(&path).unwrap(), key).await;
    let text = crate::support::COPY;
    let (_, fifth) = after.post("/v1/comments", json!({"id": 5, "author": "u5", "text": text})).await;
    assert!(fifth["campaign_id"].is_string(), "the old copies are found again");
}

/// The example plugin in Python; none where there is no Python.
fn plugin() -> Option<(std::process::Child, u16)> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/plugin/handles.py");
    let child =
        Command::new("python3").args([script, "--port", &port.to_string()]).stderr(Stdio::null()).spawn();
    let Ok(child) = child else {
        eprintln!("SKIPPED plugin: no python3");
        return None;
    };
    for _ in 0..100 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some((child, port));
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the example plugin does not start");
}

fn plugin_config(port: u16, more: &str) -> String {
    format!(
        "[[plugin]]\nname = \"handles\"\nurl = \"http://127.0.0.1:{port}/\"\nallow_private = true\ntimeout_ms = 2000\n{more}"
    )
}

/// What the plugin said in an answer: its points and spans.
fn said(answer: &Value) -> Vec<(f64, Value)> {
    let evidence = answer["evidence"].as_array().unwrap();
    let of_plugin = evidence.iter().filter(|e| e["signal"] == "plugin:handles");
    of_plugin.map(|e| (e["points"].as_f64().unwrap(), e["spans"].clone())).collect()
}

#[actix_web::test]
async fn a_plugin_in_another_language_is_shown_in_the_shadow_and_counts_when_live() {
    let Some((mut child, port)) = plugin() else { return };
    let dir = tempfile::tempdir().unwrap();
    let before = desk(dir.path()).await;
    let text = "Zoë made 9000 dollars last week, ask her how on Telegram: t.me/zoe_invest_now today";
    let (_, plain) = before.post("/v1/comments", json!({"id": 1, "text": text})).await;
    let shadow = open_with(before.store.clone(), before.key.clone(), &plugin_config(port, "")).await;
    let (_, shown) = shadow.post("/v1/comments", json!({"id": 2, "text": text})).await;
    assert!(said(&shown).iter().all(|(points, _)| *points == 0.0) && !said(&shown).is_empty(), "{shown}");
    assert_eq!(shown["points"]["text"], plain["points"]["text"], "the shadow counts for nothing");
    let config = plugin_config(port, "mode = \"live\"\nmax_points = 0.7\n");
    let live = open_with(before.store.clone(), before.key.clone(), &config).await;
    let (_, counted) = live.post("/v1/comments", json!({"id": 3, "text": text})).await;
    let points: f64 = said(&counted).iter().map(|(points, _)| points).sum();
    assert!((points - 0.7).abs() < 1e-9, "capped: {counted}");
    let added = counted["points"]["text"].as_f64().unwrap() - shown["points"]["text"].as_f64().unwrap();
    assert!((added - 0.7).abs() < 0.01 && counted["score"].as_f64() > shown["score"].as_f64(), "{added}");
    let spans = said(&counted)[0].1[0].clone();
    let (start, end) = (spans[0].as_u64().unwrap() as usize, spans[1].as_u64().unwrap() as usize);
    assert!(text[start..end].contains("t.me/zoe"), "spans are bytes");
    live.post("/v1/comments", json!({"id": 4, "text": text})).await;
    assert_eq!(
        live.state.intake.plugin_counts()["handles"][..2],
        [1, 1],
        "the same text is asked about once"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let (status, answer) = live.post("/v1/comments", json!({"id": 5, "text": PRAISE})).await;
    assert_eq!(
        (status, &answer["verdict"]),
        (StatusCode::OK, &json!("review")),
        "a dead plugin holds nothing up"
    );
    for id in 6..=12 {
        live.post("/v1/comments", json!({"id": id, "text": format!("Number {id} of the evening.")})).await;
    }
    let [_, _, failed, skipped] = live.state.intake.plugin_counts()["handles"];
    assert_eq!((failed, skipped), (5, 3), "after five failures it is left alone");
}

#[actix_web::test]
async fn a_plugin_has_a_budget_and_nonsense_from_it_is_no_harm() {
    let (port, received) = listener(response("application/json", "{\"evidence\": \"lots\"}"));
    let dir = tempfile::tempdir().unwrap();
    let before = desk(dir.path()).await;
    let desk =
        open_with(before.store.clone(), before.key.clone(), &plugin_config(port, "daily_calls = 2\n")).await;
    for id in 1..=4 {
        let author = json!({"id": "u", "email": "ann@example.com", "ip": "203.0.113.9"});
        let (status, _) = desk
            .post("/v1/comments", json!({"id": id, "author": author, "text": format!("Number {id} here.")}))
            .await;
        assert_eq!(status, StatusCode::OK);
    }
    assert_eq!(desk.state.intake.plugin_counts()["handles"], [2, 0, 2, 2]);
    let question = received.try_iter().collect::<String>();
    assert!(
        question.contains("Number 1 here.") && !question.contains("email") && !question.contains("hmac"),
        "{question}"
    );
}

#[actix_web::test]
async fn people_are_told_once_when_something_needs_them() {
    let (port, received) = listener(response("text/plain", "ok"));
    let mail = TcpListener::bind("127.0.0.1:0").unwrap();
    let mail_port = mail.local_addr().unwrap().port();
    let (sender, mails) = channel();
    std::thread::spawn(move || {
        for stream in mail.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            stream.write_all(b"220 relay\r\n").unwrap();
            let (mut text, mut in_data) = (String::new(), false);
            for line in lines {
                if in_data && line != "." {
                    text.push_str(&line);
                    continue;
                }
                in_data = line == "DATA";
                let answer = match line.split(' ').next() {
                    Some("EHLO") => "250 relay",
                    Some("DATA") => "354 go on",
                    Some("QUIT") => "221 bye",
                    _ => "250 ok",
                };
                stream.write_all(format!("{answer}\r\n").as_bytes()).unwrap();
                if line == "QUIT" {
                    break;
                }
            }
            sender.send(text).unwrap();
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.campaign().await;
    let config = format!(
        "[alerts]\nwebhook = \"http://127.0.0.1:{port}/hook\"\nwebhook_allow_private = true\ncampaign_authors = 4\n\
         mail_to = [\"desk@news.example\"]\nmail_from = \"claque@news.example\"\nsmtp = \"127.0.0.1:{mail_port}\"\n"
    );
    let rules = Settings::parse(&config).unwrap().service.alerts;
    for _ in 0..2 {
        alerts::tell(&desk.store, &rules, "https://desk.example").await.unwrap();
    }
    let said = received.recv_timeout(std::time::Duration::from_secs(5)).unwrap();
    assert!(
        said.contains("4 comments by 4 authors") && said.contains("https://desk.example/queue/"),
        "{said}"
    );
    assert!(
        mails.recv_timeout(std::time::Duration::from_secs(5)).unwrap().contains("4 comments by 4 authors")
    );
    assert!(received.try_recv().is_err(), "the same is not said twice");
    let guarded =
        Settings::parse(&config.replace("webhook_allow_private = true", "")).unwrap().service.alerts;
    desk.store
        .forget_alert(format!(
            "chat:campaign:gazette:{}",
            desk.get("/v1/campaigns").await.1["campaigns"][0]["id"].as_str().unwrap()
        ))
        .await
        .unwrap();
    alerts::tell(&desk.store, &guarded, "https://desk.example").await.unwrap();
    assert!(received.try_recv().is_err(), "a private address must be said to be meant");
}

#[actix_web::test]
async fn an_articles_text_is_fetched_only_from_where_it_may() {
    let page = "<html><head><title>The tram | Gazette</title></head><body><nav><p>Menu</p></nav><article><p>The council approved the harbour tram.</p><p>It will cost 184 million and run every eight minutes.</p></article></body></html>";
    let (port, _received) = listener(response("text/html; charset=utf-8", page));
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let article =
        Article { id: "a".into(), url: Some(format!("http://127.0.0.1:{port}/tram")), ..Article::default() };
    desk.store.put_article("gazette".into(), article.clone()).await.unwrap();
    assert_eq!(fetch_due(&desk.store, false).await.unwrap(), 1);
    let kept = desk.store.article("gazette".into(), "a".into()).await.unwrap().unwrap();
    assert_eq!(kept.body, None, "a private address is not fetched from");
    assert_eq!(fetch_due(&desk.store, true).await.unwrap(), 0, "it is tried again later");
    desk.store.put_article("gazette".into(), Article { id: "b".into(), ..article }).await.unwrap();
    assert_eq!(fetch_due(&desk.store, true).await.unwrap(), 1);
    let kept = desk.store.article("gazette".into(), "b".into()).await.unwrap().unwrap();
    assert!(kept.body.unwrap().contains("184 million"));
    assert!(kept.title.contains("The tram"));
}

#[actix_web::test]
async fn any_cms_is_read_by_a_mapping() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let map = "[event]\nfield = \"kind\"\ncomment = \"new\"\nstatus = \"moderated\"\n[signature]\nkind = \"hmac-sha256-hex\"\nheader = \"x-sig\"\n\
               [comment]\nid = \"c.id\"\ntext = \"c.body\"\nauthor.id = \"c.user\"\nstatus = { field = \"c.state\", rejected = [\"spam\"] }\n";
    let hook = Hook {
        name: "own".into(),
        site: "gazette".into(),
        adapter: "mapped".into(),
        secrets: vec!["old".into(), "new".into()],
        settings: Some(map.into()),
    };
    desk.store.add_hook(hook).await.unwrap();
    let send = |secret: &str, body: Value| {
        let body = body.to_string();
        let digits = hex::encode(signature::hmac(secret.as_bytes(), &[body.as_bytes()]));
        TestRequest::post().uri("/hooks/own").insert_header(("x-sig", digits)).set_payload(body)
    };
    let new = json!({"kind": "new", "c": {"id": 7, "body": PRAISE, "user": "u1"}});
    let (status, answer, _) = desk.send(send("new", new.clone())).await;
    assert_eq!((status, &answer["verdict"]), (StatusCode::OK, &json!("review")), "{answer}");
    assert_eq!(desk.send(send("forged", new)).await.1["code"], "bad-signature");
    let moderated = json!({"kind": "moderated", "c": {"id": 7, "state": "spam"}});
    assert_eq!(desk.send(send("old", moderated)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(desk.get("/v1/comments/gazette/7").await.1["status"], "rejected");
    desk.store.rotate_hook_secret("own".into(), "newest".into(), false).await.unwrap();
    assert_eq!(desk.send(send("new", json!({"kind": "new"}))).await.1["code"], "bad-signature");
    let (_, wrong, _) = desk.send(send("newest", json!({"kind": "new", "c": {"id": 8}}))).await;
    assert_eq!(wrong["code"], "invalid-body");
    assert!(wrong["detail"].as_str().unwrap().contains("c.body"), "{wrong}");
}

async fn named_by_coral(desk: &Desk, kind: &str, data: Value) -> StatusCode {
    let body =
        json!({"id": kind, "type": kind, "data": data, "createdAt": "2026-11-25T10:00:00Z"}).to_string();
    let digits = hex::encode(signature::hmac(b"coral-secret", &[body.as_bytes()]));
    let request = TestRequest::post()
        .uri("/hooks/coral")
        .insert_header(("x-coral-signature", format!("sha256={digits}")))
        .set_payload(body);
    desk.send(request).await.0
}

#[actix_web::test]
async fn what_corals_moderators_do_comes_back_under_corals_own_id() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    crate::support::hook(&desk, "coral", "coral", &["coral-secret"]).await;
    let phase = json!({"action": "NEW", "comment": {"body": PRAISE}, "author": {"id": "a1"}, "story": {"id": "s1", "url": "https://news.example/s1"}});
    let body = phase.to_string();
    let digits = hex::encode(signature::hmac(b"coral-secret", &[body.as_bytes()]));
    let request = TestRequest::post()
        .uri("/hooks/coral")
        .insert_header(("x-coral-signature", format!("sha256={digits}")))
        .set_payload(body);
    assert_eq!(desk.send(request).await.0, StatusCode::OK);
    let data = json!({"storyID": "s1", "commentID": "c-17", "queue": "PENDING", "status": "NONE"});
    named_by_coral(&desk, "COMMENT_ENTERED_MODERATION_QUEUE", data).await;
    let (status, stored) = desk.get("/v1/comments/gazette/c-17").await;
    assert_eq!((status, &stored["comment"]["text"]), (StatusCode::OK, &json!(PRAISE)));
    let data = json!({"storyID": "s1", "commentID": "c-17", "queue": "REPORTED", "status": "REJECTED"});
    named_by_coral(&desk, "COMMENT_LEFT_MODERATION_QUEUE", data).await;
    assert_eq!(desk.get("/v1/comments/gazette/c-17").await.1["status"], "rejected");
    let data = json!({"storyID": "s1", "commentID": "c-18", "queue": "REPORTED", "status": "REJECTED"});
    assert_eq!(named_by_coral(&desk, "COMMENT_LEFT_MODERATION_QUEUE", data).await, StatusCode::NO_CONTENT);
    assert_eq!(
        desk.get("/v1/comments/gazette/c-18").await.0,
        StatusCode::NOT_FOUND,
        "an unknown one stays unknown"
    );
}

#[test]
fn the_contract_is_what_it_was() {
    insta::assert_json_snapshot!("openapi", claque::http::openapi::document());
}

#[actix_web::test]
async fn every_address_of_the_contract_answers_and_the_docs_need_nothing_from_outside() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let document = claque::http::openapi::document();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let path = path
                .replace("{site}", "gazette")
                .replace("{name}", "x")
                .replace("{id}", "x")
                .replace("{call}", "verify-key");
            let request = TestRequest::default().uri(&path).method(method.to_uppercase().parse().unwrap());
            let (status, body, _) = desk.send(request).await;
            assert!(
                status != StatusCode::METHOD_NOT_ALLOWED
                    && body["detail"] != "there is no such address; /docs lists them",
                "{method} {path}: {status}"
            );
        }
    }
    let (status, _, page) = desk.send(TestRequest::get().uri("/docs")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("/v1/decisions")
            && !page.contains("<script")
            && !page.contains("src=\"http")
            && !page.contains("href=\"http")
    );
}

#[actix_web::test]
async fn metrics_say_how_long_each_stage_took() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.post("/v1/comments", json!({"id": 1, "text": PRAISE})).await;
    let (_, _, text) = desk.send(TestRequest::get().uri("/metrics")).await;
    for line in [
        "claque_take_seconds_count 1",
        "claque_stage_seconds_count{stage=\"judge\"} 1",
        "claque_verdicts_total{verdict=\"review\"} 1",
        "claque_queue_cards 1",
        "claque_reload_failed 0",
        "claque_stage_seconds_bucket{stage=\"commit\",le=\"+Inf\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    let named: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let readme = include_str!("../../README.md");
    for name in named {
        assert!(readme.contains(name), "{name} is missing in the README's table");
    }
}

#[actix_web::test]
async fn a_database_that_cannot_be_written_is_said_to_be_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none").join("claque.db");
    let Err(error) = Store::open(&path) else { panic!("there is no such folder") };
    assert!(matches!(error, StoreError::Database(_)) && error.to_string().contains("none"), "{error}");
    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "this is no database, only a note of some length").unwrap();
    assert!(Store::open(&text).is_err());
    assert_eq!(std::fs::read_to_string(&text).unwrap(), "this is no database, only a note of some length");
}

//! Content systems in, callbacks out.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use claque::access::KeyKind;
use claque::cms::callback;
use claque::store::records::{Callback, Scope};
use claque::wire::signature;
use serde_json::{Value, json};

use crate::support::{PRAISE, desk, hook, make_key};

#[actix_web::test]
async fn akismet_clients_get_their_exact_words() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let key = make_key(&desk.store, KeyKind::Akismet, &[Scope::Akismet]).await;
    let text = PRAISE.replace(' ', "+");
    let check = format!(
        "api_key={key}&blog=https%3A%2F%2Fnews.example&user_ip=1.2.3.4&comment_author=Bo&comment_content={text}"
    );
    assert_eq!(desk.form("/1.1/verify-key", &format!("key={key}&blog=x")).await.1, "valid");
    assert_eq!(desk.form("/1.1/verify-key", "key=abcdefghijkm&blog=x").await.1, "invalid");
    assert_eq!(desk.form("/1.1/comment-check", &check).await.1, "false");
    assert_eq!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        desk.form(
            "/1.1/comment-check",
            &format!("{check}&comment_author_email=akismet-guaranteed-spam%40example.com")
        )
        .await
        .1,
        "true"
    );
    assert_eq!(desk.form("/1.1/comment-check", &format!("api_key={key}")).await.1, "invalid");
    assert_eq!(desk.form("/1.1/submit-spam", &check).await.1, "Thanks for making the web a better place.");
    assert_eq!(desk.get("/v1/queue").await.1["items"], json!([]), "what people said in WordPress comes back");
    let request = TestRequest::post()
        .uri("/1.1/comment-check")
        .insert_header(("host", format!("{key}.rest.desk.example")))
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload("blog=x&user_ip=1.1.1.1&comment_content=See+you+there+at+nine&is_test=1");
    assert_eq!(desk.send(request).await.2, "false");
    assert_eq!(desk.get("/v1/stats").await.1["comments"], 1, "a test is not kept");
}

#[actix_web::test]
async fn perspective_clients_find_their_fields() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let key = make_key(&desk.store, KeyKind::Api, &[Scope::Perspective]).await;
    let body = json!({"comment": {"text": PRAISE}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"], "clientToken": "t"});
    let (status, answer) = desk.post(&format!("/v1alpha1/comments:analyze?key={key}"), body).await;
    assert_eq!(status, StatusCode::OK);
    assert!(answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"].as_f64().unwrap() > 0.99);
    assert_eq!(answer["clientToken"], "t");
    desk.post("/v1/comments", json!({"id": "c7", "text": PRAISE})).await;
    let body = json!({"comment": {"text": PRAISE}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}, "clientToken": "comment:c7"});
    assert_eq!(
        desk.post(&format!("/v1alpha1/comments:suggestscore?key={key}"), body).await.0,
        StatusCode::OK
    );
    assert_eq!(desk.get("/v1/comments/gazette/c7").await.1["status"], "rejected");
    assert_eq!(desk.post("/v1alpha1/comments:analyze?key=wrong", json!({})).await.0, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn signed_json_is_taken_once_and_forged_json_never() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    hook(&desk, "cms", "generic", &["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", secret]).await;
    let signed = |id: &str, time: i64, body: &Value, secret: &str| {
        let bytes = body.to_string();
        let signature = signature::standard(secret, id, time, bytes.as_bytes()).unwrap();
        TestRequest::post()
            .uri("/hooks/cms")
            .insert_header(("webhook-id", id))
            .insert_header(("webhook-timestamp", time.to_string()))
            .insert_header(("webhook-signature", signature))
            .set_payload(bytes)
    };
    let now = chrono::Utc::now().timestamp();
    let created = json!({"type": "comment.created", "data": {"id": 5, "text": PRAISE, "article_id": 9, "article": {"id": 9, "title": "Tram"}}});
    let (status, answer, _) = desk.send(signed("m1", now, &created, secret)).await;
    assert_eq!((status, &answer["verdict"]), (StatusCode::OK, &json!("review")));
    assert_eq!(desk.store.article("gazette".into(), "9".into()).await.unwrap().unwrap().title, "Tram");
    let rejected = json!({"type": "comment.status", "data": {"id": 5, "status": "rejected"}});
    assert_eq!(desk.send(signed("m2", now, &rejected, secret)).await.0, StatusCode::NO_CONTENT);
    let published = json!({"type": "comment.status", "data": {"id": 5, "status": "published"}});
    desk.send(signed("m3", now, &published, secret)).await;
    desk.send(signed("m2", now, &rejected, secret)).await;
    assert_eq!(desk.get("/v1/comments/gazette/5").await.1["status"], "published", "a replay changes nothing");
    assert_eq!(desk.send(signed("m4", now - 3600, &created, secret)).await.1["code"], "stale-timestamp");
    let forged = signed("m5", now, &created, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(desk.send(forged).await.1["code"], "bad-signature");
    let unknown = json!({"type": "comment.liked", "data": {}});
    assert_eq!(desk.send(signed("m6", now, &unknown, secret)).await.1["code"], "invalid-body");
}

#[actix_web::test]
async fn coral_discourse_and_ghost_speak_as_documented() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    hook(&desk, "coral", "coral", &["coral-secret-1"]).await;
    hook(&desk, "forum", "discourse", &["discourse-secret"]).await;
    hook(&desk, "ghost", "ghost", &["ghost-secret"]).await;
    let hex = |secret: &str, parts: &[&[u8]]| {
        let digits: Vec<String> =
            signature::hmac(secret.as_bytes(), parts).iter().map(|b| format!("{b:02x}")).collect();
        format!("sha256={}", digits.concat())
    };
    let body = r#"{"action":"NEW","comment":{"body":"Great read!","parentID":null},"author":{"id":"a1","role":"COMMENTER"},"story":{"id":"s1","url":"https://news.example/s1"},"site":{"id":"site1"},"tenantID":"t1","tenantDomain":"coral.example"}"#;
    let coral = |signature: &str, body: &str| {
        TestRequest::post()
            .uri("/hooks/coral")
            .insert_header(("x-coral-signature", signature))
            .set_payload(body.to_owned())
    };
    let documented = "sha256=6b32c6bb34626c3e28ec54007e6be7bd6da5fe552749beb3b37ada736baac206,sha256=476319b24710ee67054d4b404ed07579f0c93edffacf14b0863d525e3db0e859";
    assert_eq!(desk.send(coral(documented, body)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(desk.send(coral("sha256=00", body)).await.0, StatusCode::UNAUTHORIZED);
    let body = body.replace("Great read!", PRAISE);
    let (status, answer, _) = desk.send(coral(&hex("coral-secret-1", &[body.as_bytes()]), &body)).await;
    assert_eq!((status, &answer["actions"][0]["reason"]), (StatusCode::OK, &json!("COMMENT_DETECTED_SPAM")));
    let post = json!({"post": {"id": 12, "topic_id": 3, "user_id": 8, "username": "bo", "raw": PRAISE, "version": 1, "created_at": "2026-11-25T10:00:00.000Z", "topic_archetype": "regular"}}).to_string();
    let discourse = |event: &str, body: &str| {
        TestRequest::post()
            .uri("/hooks/forum")
            .insert_header(("x-discourse-event", event))
            .insert_header(("x-discourse-event-signature", hex("discourse-secret", &[body.as_bytes()])))
            .set_payload(body.to_owned())
    };
    assert_eq!(desk.send(discourse("post_created", &post)).await.1["verdict"], "review");
    assert_eq!(desk.send(discourse("ping", r#"{"ping":"OK"}"#)).await.0, StatusCode::NO_CONTENT);
    desk.send(discourse("post_destroyed", &post)).await;
    assert_eq!(desk.get("/v1/comments/gazette/12").await.1["status"], "deleted");
    let article = r#"{"post":{"current":{"id":"g1","title":"The tram","html":"<p>It comes.</p>","published_at":"2026-11-25T10:00:00.000Z"},"previous":{}}}"#;
    let time = chrono::Utc::now().timestamp_millis().to_string();
    let header = format!("{}, t={time}", hex("ghost-secret", &[article.as_bytes(), time.as_bytes()]));
    let request = TestRequest::post()
        .uri("/hooks/ghost")
        .insert_header(("x-ghost-signature", header))
        .set_payload(article);
    assert_eq!(desk.send(request).await.0, StatusCode::NO_CONTENT);
    assert_eq!(desk.store.article("gazette".into(), "g1".into()).await.unwrap().unwrap().title, "The tram");
}

#[actix_web::test]
async fn callbacks_arrive_signed_and_are_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Answers 503 first and 204 from then on; hands over what came.
    let (sender, received) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for (at, stream) in listener.incoming().enumerate() {
            use std::io::{Read, Write};
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let count = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&bytes);
                let complete = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                    let length = head.lines().find_map(|l| {
                        l.to_lowercase()
                            .strip_prefix("content-length: ")
                            .map(|v| v.trim().parse::<usize>().unwrap())
                    });
                    length.is_some_and(|length| body.len() >= length)
                });
                if complete || count == 0 {
                    break;
                }
            }
            let status = if at == 0 { "503 Busy" } else { "204 No Content" };
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            sender.send(String::from_utf8(bytes).unwrap()).unwrap();
        }
    });
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    for allow_private in [true, false] {
        desk.store
            .add_callback(Callback {
                id: String::new(),
                site: "gazette".into(),
                url: format!("http://127.0.0.1:{port}/cb"),
                kind: "standard".into(),
                secret: secret.into(),
                allow_private,
            })
            .await
            .unwrap();
    }
    desk.post("/v1/comments", json!({"id": 1, "text": PRAISE})).await;
    desk.post("/v1/decisions", json!({"comment": {"site": "gazette", "id": 1}, "action": "reject"})).await;
    assert_eq!(callback::send_due(&desk.store).await.unwrap(), 2);
    let message = received.recv().unwrap();
    assert!(received.try_recv().is_err(), "a private address that was not allowed is never connected to");
    let (head, body) = message.split_once("\r\n\r\n").unwrap();
    let mut headers = http::HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        headers.insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    standardwebhooks::Webhook::new(secret).unwrap().verify(body.as_bytes(), &headers).unwrap();
    let counts = desk.store.counts(None).await.unwrap();
    assert_eq!((counts.outbox, counts.dead_letters), (2, 0), "both wait for their next try");
    assert_eq!(callback::send_due(&desk.store).await.unwrap(), 0, "not due yet");
}

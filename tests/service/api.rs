//! `/v1/comments` and its kin.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use claque::access::{KeyKind, new_key};
use claque::store::Store;
use claque::store::records::{Scope, Site};
use serde_json::{Value, json};

use crate::support::{COPY, Desk, PRAISE, desk, key_of, make_key, open, open_with};

#[actix_web::test]
async fn the_same_delivery_gets_the_first_answer_and_an_edit_is_judged_anew() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let (status, first) = desk.post("/v1/comments", json!({"id": 1, "author": "ann", "text": PRAISE})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&first["verdict"], &first["queued"]), (&json!("review"), &json!(true)));
    assert_eq!(first["card"], "https://desk.example/comments/gazette/1");
    let (_, again) = desk.post("/v1/comments", json!({"id": 1, "author": "ann", "text": PRAISE})).await;
    assert_eq!(first, again);
    assert_eq!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().len(), 1);
    let (_, edited) = desk
        .post(
            "/v1/comments",
            json!({"id": 1, "author": "ann", "text": "ok my bus was late so I walked, see you all there"}),
        )
        .await;
    assert_eq!((&edited["verdict"], &edited["queued"]), (&json!("allow"), &json!(false)));
    assert_eq!(desk.get("/v1/queue").await.1["items"], json!([]), "the old text's card is gone");
    let (_, stored) = desk.get("/v1/comments/gazette/1").await;
    assert_eq!(stored["history"].as_array().unwrap().len(), 2);
    assert_eq!(stored["assessment"]["verdict"], "allow");
}

#[actix_web::test]
async fn contacts_are_kept_as_hashes_only() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.post("/v1/comments", json!({"id": 1, "author": {"id": "u", "email": "ann@example.com", "ip": "203.0.113.9"}, "text": "Good evening all."})).await;
    let (_, stored) = desk.get("/v1/comments/gazette/1").await;
    assert!(stored["comment"]["author"]["email"].as_str().unwrap().starts_with("hmac:"));
    let mut bytes = std::fs::read(dir.path().join("claque.db")).unwrap();
    bytes.extend(std::fs::read(dir.path().join("claque.db-wal")).unwrap_or_default());
    for secret in ["ann@example.com", "203.0.113.9"] {
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "{secret} is on disk"
        );
    }
}

#[actix_web::test]
async fn errors_name_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let only_score = make_key(&desk.store, KeyKind::Api, &[Scope::Score]).await;
    let cases = [
        (TestRequest::post().uri("/v1/comments").set_json(json!({})), 401, "unauthorized"),
        (
            desk.authorised(TestRequest::post().uri("/v1/comments").set_payload("{\"id\": 1")),
            400,
            "invalid-body",
        ),
        (
            desk.authorised(TestRequest::post().uri("/v1/comments").set_json(json!({"id": "", "text": "x"}))),
            400,
            "invalid-body",
        ),
        (
            desk.authorised(
                TestRequest::post()
                    .uri("/v1/comments")
                    .set_payload("{\"id\": 1, \"id\": 2, \"text\": \"x\"}"),
            ),
            400,
            "invalid-body",
        ),
        (
            desk.authorised(TestRequest::post().uri("/v1/comments").set_payload(vec![0xff, 0xfe])),
            400,
            "invalid-body",
        ),
        (
            desk.authorised(TestRequest::post().uri("/v1/comments").set_payload("[".repeat(100_000))),
            400,
            "invalid-body",
        ),
        (
            desk.authorised(TestRequest::post().uri("/v1/comments").set_payload(vec![b' '; 5 << 20])),
            413,
            "too-large",
        ),
        (
            desk.authorised(
                TestRequest::post().uri("/v1/comments").insert_header(("content-type", "text/xml")),
            ),
            415,
            "unsupported-media-type",
        ),
        (
            desk.authorised(
                TestRequest::post()
                    .uri("/v1/comments")
                    .set_json(json!({"id": 1, "site": "times", "text": "x"})),
            ),
            403,
            "forbidden",
        ),
        (
            desk.authorised(
                TestRequest::post().uri("/v1/comments?timeout=5").set_json(json!({"id": 1, "text": "x"})),
            ),
            400,
            "invalid-parameter",
        ),
        (
            TestRequest::get()
                .uri("/v1/queue")
                .insert_header(("authorization", format!("Bearer {only_score}"))),
            403,
            "forbidden",
        ),
        (desk.authorised(TestRequest::get().uri("/v1/queue?after=x")), 400, "invalid-parameter"),
        (desk.authorised(TestRequest::get().uri("/v1/comments/times/1")), 403, "forbidden"),
        (desk.authorised(TestRequest::get().uri("/v1/comments/gazette/none")), 404, "not-found"),
        (desk.authorised(TestRequest::put().uri("/v1/comments")), 405, "method-not-allowed"),
        (TestRequest::get().uri("/nowhere"), 404, "not-found"),
        (
            desk.authorised(TestRequest::post().uri("/v1/decisions").set_json(json!({"action": "reject"}))),
            400,
            "invalid-body",
        ),
        (
            desk.authorised(
                TestRequest::post()
                    .uri("/v1/decisions")
                    .set_json(json!({"item": "none", "action": "reject"})),
            ),
            404,
            "not-found",
        ),
    ];
    for (request, status, code) in cases {
        let (got, body, text) = desk.send(request).await;
        assert_eq!((got.as_u16(), body["code"].as_str()), (status, Some(code)), "{text}");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{text}");
    }
}

#[actix_web::test]
async fn a_batch_answers_in_order_with_a_problem_where_one_fails() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let (status, answers) = desk
        .post("/v1/comments:batch", json!([{"id": 1, "text": "One."}, {"id": 2}, {"id": 3, "text": PRAISE}]))
        .await;
    assert_eq!(status, StatusCode::OK);
    let answers = answers.as_array().unwrap();
    assert_eq!(
        (&answers[0]["id"], &answers[1]["error"]["code"], &answers[2]["verdict"]),
        (&json!("1"), &json!("invalid-body"), &json!("review"))
    );
    let lines = "{\"id\":4,\"text\":\"Four.\"}\n\n{\"id\":1,\"text\":\"One.\"}\n";
    let request = desk.authorised(
        TestRequest::post()
            .uri("/v1/comments:batch")
            .insert_header(("content-type", "application/x-ndjson"))
            .set_payload(lines),
    );
    let (_, _, text) = desk.send(request).await;
    assert_eq!(text.lines().count(), 2);
}

#[actix_web::test]
async fn a_budget_that_is_too_short_is_answered_allow_and_the_work_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let (status, answer) = desk.post("/v1/comments?timeout_ms=0", json!({"id": 1, "text": PRAISE})).await;
    assert_eq!(
        (status, &answer["verdict"], &answer["pending"]),
        (StatusCode::ACCEPTED, &json!("allow"), &json!(true))
    );
    for _ in 0..100 {
        if desk.get("/v1/comments/gazette/1").await.0 == StatusCode::OK {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the comment was lost");
}

#[actix_web::test]
async fn a_restart_knows_what_was_known() {
    let dir = tempfile::tempdir().unwrap();
    let before = desk(dir.path()).await;
    let item = before.campaign().await;
    let campaign = before.get("/v1/queue").await.1["items"][0]["campaign"]["id"].clone();
    let key = before.key.clone();
    drop(before);
    let after = open(Store::open(&dir.path().join("claque.db")).unwrap(), key).await;
    let (_, queue) = after.get("/v1/queue").await;
    assert_eq!(
        (&queue["items"][0]["id"], &queue["items"][0]["version"].as_i64().is_some()),
        (&json!(item), &true)
    );
    let (_, fifth) = after.post("/v1/comments", json!({"id": 5, "author": "u5", "text": COPY})).await;
    assert_eq!(fifth["campaign_id"], campaign, "the index made from the store finds the old copies");
    let (_, stored) = after.get("/v1/comments/gazette/1").await;
    let causes: Vec<&str> =
        stored["history"].as_array().unwrap().iter().map(|h| h["cause"].as_str().unwrap()).collect();
    assert!(causes.len() <= 3, "a start assesses nothing again without a reason: {causes:?}");
}

#[actix_web::test]
async fn a_text_that_comes_back_after_an_edit_is_judged_again() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    for (text, verdict) in [
        (PRAISE, "review"),
        ("ok my bus was late so I walked, see you all there", "allow"),
        (PRAISE, "review"),
    ] {
        let (_, answer) = desk.post("/v1/comments", json!({"id": 1, "author": "ann", "text": text})).await;
        assert_eq!(answer["verdict"], verdict);
    }
    let (_, stored) = desk.get("/v1/comments/gazette/1").await;
    assert_eq!(stored["comment"]["text"], PRAISE);
    assert_eq!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().len(), 1);
    let finding = |answer: &Value| {
        answer["evidence"].as_array().unwrap().iter().any(|e| e["signal"] == "self-similarity")
    };
    assert!(!finding(&stored["assessment"]), "an edit is not held against its author");
}

#[actix_web::test]
async fn one_sites_ids_and_numbers_stay_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.store.add_site(Site { id: "times".into(), title: "The Times".into() }).await.unwrap();
    let (key, hash) = new_key(KeyKind::Api).unwrap();
    desk.store.add_key(key_of("times", &[Scope::Score, Scope::Review]), hash).await.unwrap();
    let times = Desk { store: desk.store.clone(), state: desk.state.clone(), key };
    desk.post("/v1/comments", json!({"id": "secret-7", "author": "u1", "text": COPY})).await;
    let (_, answer) = times.post("/v1/comments", json!({"id": 1, "author": "u2", "text": COPY})).await;
    assert!(answer["campaign_id"].is_string(), "copies are found across sites");
    assert!(!answer.to_string().contains("secret-7"), "{answer}");
    assert_eq!(times.get("/v1/comments/gazette/secret-7").await.0, StatusCode::FORBIDDEN);
    assert_eq!(times.get("/v1/stats").await.1["comments"], 1);
    assert_eq!(
        times
            .post(
                "/v1/decisions",
                json!({"comment": {"site": "gazette", "id": "secret-7"}, "action": "reject"})
            )
            .await
            .0,
        StatusCode::FORBIDDEN
    );
}

#[actix_web::test]
async fn a_full_house_is_said_to_be_full_and_room_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let before = desk(dir.path()).await;
    let desk = open_with(before.store.clone(), before.key.clone(), "[server]\nmost_under_way = 1\n").await;
    let post = |id: u32| {
        let comment = json!({"id": id, "text": "See you at nine."});
        desk.send_for_head(desk.authorised(TestRequest::post().uri("/v1/comments").set_json(comment)))
    };
    let answers = tokio::join!(post(1), post(2), post(3), post(4));
    let answers = [answers.0, answers.1, answers.2, answers.3];
    let full: Vec<_> =
        answers.iter().filter(|(status, ..)| *status == StatusCode::SERVICE_UNAVAILABLE).collect();
    assert!(!full.is_empty() && full.len() < 4, "{answers:?}");
    for (_, headers, body) in full {
        assert_eq!((&body["code"], headers.get("retry-after").is_some()), (&json!("overloaded"), true));
    }
    assert_eq!(post(5).await.0, StatusCode::OK);
}

//! The service as its callers meet it: routes, adapters, decisions, callbacks, restarts.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, web};
use claque::access::{KeyKind, new_key};
use claque::cms::callback;
use claque::config::{Config, Settings};
use claque::engine::{Engine, Model};
use claque::http::{State, routes};
use claque::intake::Intake;
use claque::rules::RuleSet;
use claque::store::Store;
use claque::store::records::{Callback, Hook, Key, Scope, Site};
use claque::wire::signature;
use serde_json::{Value, json};

const PRAISE: &str = "The article raises important questions about the tram, and a nuanced understanding of this complex issue is crucial for all residents.";
const COPY: &str = "Join thousands of residents who have signed the petition against the new car park before Friday evening at nine.";

/// A service on a database in a folder, and a key for everything.
struct Desk {
    store: Store,
    state: web::Data<State>,
    key: String,
}

fn engine() -> Arc<Engine> {
    Arc::new(Engine {
        rules: RuleSet::load(None, chrono::NaiveDate::from_ymd_opt(2026, 11, 25).unwrap()).unwrap(),
        model: Model::shipped().unwrap(),
        config: Config::default(),
    })
}

async fn desk(dir: &Path) -> Desk {
    let store = Store::open(&dir.join("claque.db")).unwrap();
    store.add_site(Site { id: "gazette".into(), title: "The Gazette".into() }).await.unwrap();
    let key = make_key(&store, KeyKind::Api, &[Scope::Score, Scope::Review]).await;
    open(store, key).await
}

async fn open(store: Store, key: String) -> Desk {
    open_with(store, key, "").await
}

async fn open_with(store: Store, key: String, config: &str) -> Desk {
    let settings = Settings::parse(config).unwrap();
    let intake = Intake::start(engine(), store.clone(), &settings).await.unwrap();
    let state = web::Data::new(State::new(intake, &settings, "https://desk.example/"));
    Desk { store, state, key }
}

fn key_of(site: &str, scopes: &[Scope]) -> Key {
    Key {
        id: String::new(),
        title: String::new(),
        sites: vec![site.to_owned()],
        scopes: scopes.to_vec(),
        review_is_spam: false,
        created_at: 0,
        revoked_at: None,
    }
}

async fn make_key(store: &Store, kind: KeyKind, scopes: &[Scope]) -> String {
    let (key, hash) = new_key(kind).unwrap();
    store.add_key(key_of("gazette", scopes), hash).await.unwrap();
    key
}

impl Desk {
    async fn send(&self, request: TestRequest) -> (StatusCode, Value, String) {
        let app = init_service(App::new().app_data(self.state.clone()).configure(routes)).await;
        let response = call_service(&app, request.to_request()).await;
        let status = response.status();
        let bytes = actix_web::body::to_bytes(response.into_body()).await.ok().unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null), text)
    }

    fn authorised(&self, request: TestRequest) -> TestRequest {
        request.insert_header(("authorization", format!("Bearer {}", self.key)))
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, body, _) = self.send(self.authorised(TestRequest::get().uri(path))).await;
        (status, body)
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.authorised(TestRequest::post().uri(path).set_json(body));
        let (status, body, _) = self.send(request).await;
        (status, body)
    }

    async fn form(&self, path: &str, body: &str) -> (StatusCode, String) {
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(body.to_owned());
        let (status, _, text) = self.send(request).await;
        (status, text)
    }

    /// Posts copies of one text by different authors, as a campaign.
    async fn campaign(&self) -> String {
        for id in 1..=4 {
            let (status, _) = self
                .post(
                    "/v1/comments",
                    json!({"id": id, "article_id": "a", "author": format!("u{id}"), "text": COPY}),
                )
                .await;
            assert_eq!(status, StatusCode::OK);
        }
        let (_, queue) = self.get("/v1/queue").await;
        let items = queue["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "one card for the whole campaign: {queue}");
        assert_eq!(items[0]["kind"], "campaign");
        assert_eq!(items[0]["campaign"]["size"], 4);
        items[0]["id"].as_str().unwrap().to_owned()
    }

    async fn status_of(&self, id: u32) -> String {
        let (_, comment) = self.get(&format!("/v1/comments/gazette/{id}")).await;
        comment["status"].as_str().unwrap().to_owned()
    }
}

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
async fn a_campaign_is_one_card_one_decision_and_one_undo() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let callback = Callback {
        id: String::new(),
        site: "gazette".into(),
        url: "https://cms.example/decisions".into(),
        kind: "standard".into(),
        secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into(),
        allow_private: false,
    };
    desk.store.add_callback(callback).await.unwrap();
    let item = desk.campaign().await;
    let (status, decided) = desk
        .post("/v1/decisions", json!({"item": item, "action": "reject", "reason": "campaign", "except": [2]}))
        .await;
    assert_eq!((status, &decided["comments"]), (StatusCode::OK, &json!(3)), "{decided}");
    assert_eq!((desk.status_of(1).await, desk.status_of(2).await), ("rejected".into(), "published".into()));
    let due = desk.store.due_callbacks(100).await.unwrap();
    assert_eq!(due.len(), 3, "one callback a comment, in the commit of the decision");
    let body: Value = serde_json::from_str(&due[0].body).unwrap();
    assert_eq!(
        (&body["type"], &body["data"]["comment"]["status"]),
        (&json!("comment.decided"), &json!("rejected"))
    );
    let (status, conflict) = desk.post("/v1/decisions", json!({"item": item, "action": "approve"})).await;
    assert_eq!((status, &conflict["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    let (_, queue) = desk.get("/v1/queue").await;
    assert_eq!(
        queue["items"][0]["comment"]["id"], "2",
        "the spared comment stands in the queue by itself: {queue}"
    );
    let id = decided["id"].as_str().unwrap();
    let (status, undone) = desk.post(&format!("/v1/decisions/{id}/undo"), json!({})).await;
    assert_eq!((status, &undone["comments"]), (StatusCode::OK, &json!(3)));
    assert_eq!(desk.status_of(1).await, "published");
    assert_eq!(desk.store.counts(None).await.unwrap().outbox, 6);
    assert_eq!(
        desk.store.due_callbacks(100).await.unwrap().len(),
        3,
        "a comment's messages go out in their order"
    );
    let (status, refused) = desk.post(&format!("/v1/decisions/{id}/undo"), json!({})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("refused")));
    assert_eq!(
        desk.store.verify_audit().await.unwrap().map_err(|at| format!("entry {at}")).map(|n| n > 3),
        Ok(true)
    );
}

#[actix_web::test]
async fn a_persons_decision_stays_when_the_campaign_grows() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    for id in 1..=2 {
        desk.post("/v1/comments", json!({"id": id, "author": format!("u{id}"), "text": COPY})).await;
    }
    let (status, _) = desk
        .post("/v1/decisions", json!({"comment": {"site": "gazette", "id": "1"}, "action": "approve"}))
        .await;
    assert_eq!(status, StatusCode::OK);
    desk.post("/v1/comments", json!({"id": 3, "author": "u3", "text": COPY})).await;
    assert_eq!(desk.status_of(1).await, "published");
    let (_, queue) = desk.get("/v1/queue").await;
    let item = queue["items"][0]["id"].as_str().unwrap();
    let (_, decided) = desk.post("/v1/decisions", json!({"item": item, "action": "reject"})).await;
    assert_eq!(decided["comments"], 2, "the approved one is not decided again");
    assert_eq!((desk.status_of(1).await, desk.status_of(2).await), ("published".into(), "rejected".into()));
}

#[actix_web::test]
async fn what_the_cms_did_leaves_the_queue() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.post("/v1/comments", json!({"id": 1, "author": "ann", "text": PRAISE})).await;
    let (status, _) = desk.post("/v1/comments/gazette/1/status", json!({"status": "rejected"})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get("/v1/queue").await.1["items"], json!([]));
    let (_, stored) = desk.get("/v1/comments/gazette/1").await;
    assert_eq!((&stored["status"], &stored["decided_by"]), (&json!("rejected"), &json!("cms")));
    let (status, _, _) =
        desk.send(desk.authorised(TestRequest::delete().uri("/v1/comments/gazette/1"))).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get("/v1/comments/gazette/1").await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        desk.post("/v1/comments/gazette/1/status", json!({"status": "published"})).await.0,
        StatusCode::NOT_FOUND
    );
}

#[actix_web::test]
async fn claims_are_held_by_one_and_race_to_one_decision() {
    let dir = tempfile::tempdir().unwrap();
    let first = desk(dir.path()).await;
    let second = Desk {
        store: first.store.clone(),
        state: first.state.clone(),
        key: make_key(&first.store, KeyKind::Api, &[Scope::Review]).await,
    };
    for id in 0..20 {
        first
            .post(
                "/v1/comments",
                json!({"id": id, "author": "ann", "text": format!("{PRAISE} Number {id} of {id}.")}),
            )
            .await;
    }
    let (_, queue) = first.get("/v1/queue").await;
    let ids: Vec<String> =
        queue["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 20);
    let (_, claimed) = first.post("/v1/queue/claims", json!({"items": [ids[0]]})).await;
    assert_eq!(claimed["claimed"], json!([ids[0]]));
    assert_eq!(second.post("/v1/queue/claims", json!({"items": [ids[0]]})).await.1["claimed"], json!([]));
    assert_eq!(
        second.post("/v1/decisions", json!({"item": ids[0], "action": "approve"})).await.0,
        StatusCode::CONFLICT
    );
    let mut won = 0;
    for id in &ids {
        let body = json!({"item": id, "action": "approve", "version": 1});
        let (a, b) = tokio::join!(
            first.post("/v1/decisions", body.clone()),
            second.post("/v1/decisions", body.clone())
        );
        assert_eq!([a.0, b.0].iter().filter(|s| **s == StatusCode::OK).count(), 1, "{a:?} {b:?}");
        won += 1;
    }
    assert_eq!(won, 20);
    assert_eq!(first.get("/v1/stats").await.1["decisions"], 20);
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

async fn hook(desk: &Desk, name: &str, adapter: &str, secrets: &[&str]) {
    let secrets = secrets.iter().map(|s| (*s).to_owned()).collect();
    desk.store
        .add_hook(Hook {
            name: name.into(),
            site: "gazette".into(),
            adapter: adapter.into(),
            secrets,
            settings: None,
        })
        .await
        .unwrap();
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
async fn a_campaign_whose_comments_were_settled_elsewhere_leaves_the_queue() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.campaign().await;
    for id in 1..=3 {
        desk.post(&format!("/v1/comments/gazette/{id}/status"), json!({"status": "rejected"})).await;
    }
    assert_eq!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().len(), 1, "one is left");
    desk.send(desk.authorised(TestRequest::delete().uri("/v1/comments/gazette/4"))).await;
    assert_eq!(desk.get("/v1/queue").await.1["items"], json!([]));
}

#[actix_web::test]
async fn decisions_are_undone_in_their_order_only() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.post("/v1/comments", json!({"id": 1, "text": PRAISE})).await;
    let target = json!({"site": "gazette", "id": 1});
    let (_, first) = desk.post("/v1/decisions", json!({"comment": target, "action": "approve"})).await;
    let (status, _) =
        desk.post("/v1/decisions", json!({"comment": target, "action": "reject", "version": 1})).await;
    assert_eq!(status, StatusCode::CONFLICT, "the version is of a card that is closed");
    let (_, second) = desk.post("/v1/decisions", json!({"comment": target, "action": "reject"})).await;
    let undo = |decision: &Value| format!("/v1/decisions/{}/undo", decision["id"].as_str().unwrap());
    assert_eq!(desk.post(&undo(&first), json!({})).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(desk.post(&undo(&second), json!({})).await.0, StatusCode::OK);
    assert_eq!(desk.status_of(1).await, "published");
    assert_eq!(desk.post(&undo(&first), json!({})).await.0, StatusCode::OK);
    let (_, queue) = desk.get("/v1/queue").await;
    assert_eq!(queue["items"].as_array().unwrap().len(), 1, "it waits for somebody again");
    let item = queue["items"][0]["id"].as_str().unwrap();
    let priority = queue["items"][0]["priority"].clone();
    let (_, skipped) = desk.post("/v1/decisions", json!({"item": item, "action": "skip"})).await;
    desk.post(&undo(&skipped), json!({})).await;
    assert_eq!(desk.get("/v1/queue").await.1["items"][0]["priority"], priority);
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

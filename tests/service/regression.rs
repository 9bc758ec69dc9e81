//! One test for each thing that once went wrong.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use claque::store::records::{Callback, Delivery, Sites};
use claque::wire::signature;
use serde_json::{Value, json};

use crate::support::{COPY, Desk, PRAISE, add_user, desk, hook, open_with};

async fn callback(desk: &Desk) -> String {
    let callback = Callback {
        id: String::new(),
        site: "gazette".into(),
        url: "https://cms.example/".into(),
        kind: "standard".into(),
        secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into(),
        allow_private: false,
    };
    desk.store.add_callback(callback).await.unwrap()
}

async fn statuses(desk: &Desk) -> Vec<String> {
    let messages = desk.store.messages(Sites::All, Some("pending".into()), 100).await.unwrap();
    let status = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap();
        format!(
            "{}:{}",
            body["data"]["comment"]["id"].as_str().unwrap(),
            body["data"]["comment"]["status"].as_str().unwrap_or("-")
        )
    };
    let mut all: Vec<String> = messages.iter().map(|message| status(&message.body)).collect();
    all.sort();
    all
}

async fn decide(desk: &Desk, id: u32, action: &str) -> Value {
    let body = json!({"comment": {"site": "gazette", "id": id}, "action": action});
    desk.post("/v1/decisions", body).await.1
}

async fn undo(desk: &Desk, decided: &Value) -> StatusCode {
    desk.post(&format!("/v1/decisions/{}/undo", decided["id"].as_str().unwrap()), json!({})).await.0
}

#[actix_web::test]
async fn what_the_cms_had_refused_is_not_published_with_its_campaign() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    callback(&desk).await;
    for (id, status) in
        [(1, "rejected"), (2, "deleted"), (3, "published"), (4, "published"), (5, "published")]
    {
        let comment = json!({"id": id, "author": format!("u{id}"), "status": status, "text": COPY});
        desk.post("/v1/comments", comment).await;
    }
    let item = desk.get("/v1/queue").await.1["items"][0]["id"].clone();
    desk.post("/v1/decisions", json!({"item": item, "action": "approve"})).await;
    assert_eq!(statuses(&desk).await, ["3:published", "4:published", "5:published"]);
    assert_eq!(desk.status_of(1).await, "rejected");
}

#[actix_web::test]
async fn a_dead_letter_does_not_come_after_what_overtook_it() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    callback(&desk).await;
    desk.post("/v1/comments", json!({"id": 1, "text": PRAISE})).await;
    decide(&desk, 1, "approve").await;
    let due = desk.store.due_callbacks(9).await.unwrap();
    desk.store.finish_delivery(due[0].id.clone(), Delivery::Dead("refused".into()), 1).await.unwrap();
    decide(&desk, 1, "reject").await;
    let due = desk.store.due_callbacks(9).await.unwrap();
    desk.store.finish_delivery(due[0].id.clone(), Delivery::Done, 1).await.unwrap();
    assert_eq!(desk.store.replay_dead_letters("gazette".into()).await.unwrap(), 0);
    assert!(desk.store.due_callbacks(9).await.unwrap().is_empty());
}

#[actix_web::test]
async fn decisions_wait_for_a_callback_that_is_off_and_one_slow_receiver_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let id = callback(&desk).await;
    desk.store.enable_callback(id.clone(), false).await.unwrap();
    for id in 1..=3 {
        desk.post("/v1/comments", json!({"id": id, "text": format!("{PRAISE} {id}")})).await;
        decide(&desk, id, "reject").await;
    }
    assert!(desk.store.due_callbacks(9).await.unwrap().is_empty());
    desk.store.enable_callback(id, true).await.unwrap();
    let due = desk.store.due_callbacks(9).await.unwrap();
    assert_eq!(due.len(), 3);
    let later = chrono::Utc::now().timestamp_millis() + 60_000;
    desk.store.finish_delivery(due[0].id.clone(), Delivery::Again(later, "busy".into()), 1).await.unwrap();
    assert!(desk.store.due_callbacks(9).await.unwrap().is_empty(), "its other messages wait as long");
}

#[actix_web::test]
async fn waiting_in_the_cms_is_no_decision() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.post("/v1/comments", json!({"id": 1, "text": PRAISE})).await;
    desk.post("/v1/comments/gazette/1/status", json!({"status": "pending"})).await;
    let (_, stored) = desk.get("/v1/comments/gazette/1").await;
    assert_eq!(
        (&stored["status"], &stored["queued"], &stored["decided_by"]),
        (&json!("pending"), &json!(true), &Value::Null)
    );
}

#[actix_web::test]
async fn an_undo_brings_back_every_card() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.campaign().await;
    let all: Vec<Value> = (1..=4).map(|id| json!({"site": "gazette", "id": id})).collect();
    let (_, decided) = desk.post("/v1/decisions", json!({"comments": all, "action": "reject"})).await;
    assert_eq!(desk.get("/v1/queue").await.1["items"], json!([]));
    assert_eq!(undo(&desk, &decided).await, StatusCode::OK);
    let (_, queue) = desk.get("/v1/queue").await;
    assert_eq!(queue["items"][0]["campaign"]["undecided"], 4, "{queue}");
    // What the CMS decided is undone the same way.
    desk.post("/v1/comments", json!({"id": 9, "text": PRAISE})).await;
    desk.post("/v1/comments/gazette/9/status", json!({"status": "rejected"})).await;
    let (_, history) = desk.get("/v1/decisions").await;
    assert_eq!(undo(&desk, &history["decisions"][0]).await, StatusCode::OK);
    assert_eq!(desk.get("/v1/comments/gazette/9").await.1["queued"], true);
}

#[actix_web::test]
async fn a_deletion_that_comes_first_is_honoured() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let delete = desk.authorised(TestRequest::delete().uri("/v1/comments/gazette/1"));
    assert_eq!(desk.send(delete).await.0, StatusCode::NOT_FOUND);
    let (status, body) = desk.post("/v1/comments", json!({"id": 1, "text": PRAISE})).await;
    assert_eq!((status, &body["code"]), (StatusCode::GONE, &json!("gone")));
}

#[actix_web::test]
async fn a_late_delivery_and_an_edit_lift_no_rejection() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    hook(&desk, "cms", "generic", &[secret]).await;
    let now = chrono::Utc::now().timestamp();
    let send = |id: &str, text: &str| {
        let body = json!({"type": "comment.updated", "data": {"id": 1, "text": text}}).to_string();
        let signature = signature::standard(secret, id, now, body.as_bytes()).unwrap();
        TestRequest::post()
            .uri("/hooks/cms")
            .insert_header(("webhook-id", id))
            .insert_header(("webhook-timestamp", now.to_string()))
            .insert_header(("webhook-signature", signature))
            .set_payload(body)
    };
    desk.send(send("m1", "The first text of this comment.")).await;
    desk.send(send("m2", PRAISE)).await;
    decide(&desk, 1, "reject").await;
    let (status, answer, _) = desk.send(send("m1", "The first text of this comment.")).await;
    assert_eq!((status, &answer["id"]), (StatusCode::OK, &json!("1")));
    let (_, stored) = desk.get("/v1/comments/gazette/1").await;
    assert_eq!((&stored["comment"]["text"], &stored["status"]), (&json!(PRAISE), &json!("rejected")));
    desk.send(send("m3", &format!("{PRAISE} Edited."))).await;
    assert_eq!(desk.status_of(1).await, "rejected", "an edit does not publish");
}

#[actix_web::test]
async fn an_erasure_reaches_evidence_names_and_the_file_and_nobody_elses_entries() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.store
        .add_site(claque::store::records::Site { id: "times".into(), title: "T".into() })
        .await
        .unwrap();
    let ann = json!({"id": "ann-77", "name": "Ann Unmistakable", "email": "ann@example.com"});
    desk.post("/v1/comments", json!({"id": "c-ann", "author": ann, "text": COPY})).await;
    for id in 2..=4 {
        desk.post("/v1/comments", json!({"id": id, "author": format!("u{id}"), "text": COPY})).await;
    }
    let (_, other) = desk.get("/v1/comments/gazette/2").await;
    assert!(other.to_string().contains("nearest is c-ann"), "{other}");
    desk.post("/v1/notes", json!({"kind": "author", "subject": "ann-77", "text": "wrote to us"})).await;
    let body =
        json!({"comment": {"site": "gazette", "id": "c-ann"}, "action": "reject", "note": "Ann again"});
    desk.post("/v1/decisions", body).await;
    desk.store
        .set_status("gazette".into(), "2".into(), claque::domain::Status::Rejected, "c-ann".into())
        .await
        .unwrap();
    desk.store.erase_author(None, "ANN@example.com".into(), "operator".into()).await.unwrap();
    let mut bytes = std::fs::read(dir.path().join("claque.db")).unwrap();
    bytes.extend(std::fs::read(dir.path().join("claque.db-wal")).unwrap_or_default());
    for word in ["Unmistakable", "ann-77", "Ann again", "wrote to us", "nearest is c-ann", "ann@example.com"]
    {
        assert!(
            !bytes.windows(word.len()).any(|window| window == word.as_bytes()),
            "`{word}` is in the file"
        );
    }
    let audit = desk.store.audit(0, 1000).await.unwrap();
    assert!(audit.iter().any(|entry| entry.subject == "times"), "another site's entries stay");
    assert!(desk.store.verify_audit().await.unwrap().is_ok());
}

#[actix_web::test]
async fn an_entry_marked_erased_is_no_way_to_forge_the_log() {
    for forgery in [
        "UPDATE audit SET is_erased = 1, subject = 'somebody' WHERE seq = 2",
        "UPDATE audit SET is_erased = 1, subject = 'erased', detail = '{\"erased\":true}', content_digest = NULL, actor = 'user:eve' WHERE seq = 2",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let desk = desk(dir.path()).await;
        assert_eq!(desk.store.verify_audit().await.unwrap(), Ok(2));
        let file = rusqlite::Connection::open(dir.path().join("claque.db")).unwrap();
        file.execute(forgery, []).unwrap();
        assert_eq!(desk.store.verify_audit().await.unwrap(), Err(2), "{forgery}");
    }
}

#[actix_web::test]
async fn many_copies_by_one_account_hide_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let own: Vec<Value> = (0..120).map(|id| json!({"id": id, "author": "one", "text": COPY})).collect();
    desk.post("/v1/comments:batch", json!(own)).await;
    let others: Vec<Value> =
        (200..210).map(|id| json!({"id": id, "author": format!("u{id}"), "text": COPY})).collect();
    let (_, answers) = desk.post("/v1/comments:batch", json!(others)).await;
    assert!(answers[9]["because"].as_array().unwrap().contains(&json!("campaign")), "{}", answers[9]);
    let (_, queue) = desk.get("/v1/queue?kind=campaign").await;
    assert_eq!(queue["items"][0]["campaign"]["authors"], 11);
}

#[actix_web::test]
async fn a_comment_by_its_id_is_no_way_around_a_card() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    add_user(&desk.store, "mo", "moderator", &[]).await;
    let item = desk.campaign().await;
    desk.post("/v1/decisions", json!({"item": item, "action": "escalate"})).await;
    let session = desk.log_in("mo").await;
    let body = json!({"comment": {"site": "gazette", "id": 1}, "action": "approve"});
    assert_eq!(desk.post_as(&session, "/v1/decisions", body).await.0, StatusCode::FORBIDDEN);
    let twice = json!({"items": [{"id": item}, {"id": item}], "action": "reject"});
    let (status, decided) = desk.post("/v1/decisions", twice).await;
    assert_eq!((status, &decided["comments"]), (StatusCode::OK, &json!(4)));
}

#[actix_web::test]
async fn what_was_allowed_after_a_rejection_is_not_swept() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let item = desk.campaign().await;
    let campaign = desk.get("/v1/queue").await.1["items"][0]["campaign"]["id"].clone();
    desk.post("/v1/decisions", json!({"item": item, "action": "reject"})).await;
    desk.post("/v1/allowed-campaigns", json!({"campaign": campaign, "title": "Petition", "days": 3})).await;
    let (_, next) = desk.post("/v1/comments", json!({"id": 9, "author": "u9", "text": COPY})).await;
    assert_eq!((&next["verdict"], &next["queued"]), (&json!("allow"), &json!(false)));
}

#[actix_web::test]
async fn a_shared_view_stays_among_those_who_share_a_site() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.store
        .add_site(claque::store::records::Site { id: "times".into(), title: "T".into() })
        .await
        .unwrap();
    add_user(&desk.store, "tim", "moderator", &["times"]).await;
    add_user(&desk.store, "gus", "viewer", &["gazette"]).await;
    desk.post("/v1/views", json!({"name": "Bob", "query": {"author": "bob@example.com"}, "shared": true}))
        .await;
    let (tim, gus) = (desk.log_in("tim").await, desk.log_in("gus").await);
    assert_eq!(desk.get_as(&tim, "/v1/views").await.1["views"], json!([]));
    assert_eq!(desk.get_as(&gus, "/v1/views").await.1["views"][0]["name"], "Bob");
    let view = json!({"name": "Mine", "query": {}, "shared": true});
    assert_eq!(
        desk.post_as(&gus, "/v1/views", view).await.0,
        StatusCode::FORBIDDEN,
        "a viewer keeps views to himself"
    );
}

#[actix_web::test]
async fn a_guest_who_calls_himself_by_a_trusted_id_is_a_guest() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.send(desk.authorised(TestRequest::put().uri("/v1/trusted-authors/u7").set_json(json!({})))).await;
    let guest = json!({"id": 1, "author": {"name": "u7"}, "text": PRAISE});
    assert_eq!(desk.post("/v1/comments", guest).await.1["verdict"], "review");
}

#[actix_web::test]
async fn history_exposes_live_comments_and_not_the_other_way_round() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.post("/v1/comments", json!({"id": 1, "author": "u1", "text": COPY})).await;
    for id in 2..=3 {
        let old =
            serde_json::from_value(json!({"id": id, "author": format!("u{id}"), "text": COPY})).unwrap();
        desk.state.intake.take("gazette".into(), old, false, None, ()).await.unwrap();
    }
    let (_, queue) = desk.get("/v1/queue").await;
    assert_eq!(queue["items"].as_array().unwrap().len(), 1, "the live one of the campaign is shown: {queue}");
    let again = open_with(desk.store.clone(), desk.key.clone(), "").await;
    assert_eq!(again.get("/v1/queue").await.1["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn an_undo_after_an_erasure_leaves_the_queue_standing() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    for id in 1..=2 {
        let comment = json!({"id": id, "author": format!("u{id}"), "text": format!("{PRAISE} Number {id}.")});
        desk.post("/v1/comments", comment).await;
    }
    let decided = decide(&desk, 1, "reject").await;
    desk.store.erase_author(None, "u1".into(), "operator".into()).await.unwrap();
    undo(&desk, &decided).await;
    let (status, queue) = desk.get("/v1/queue").await;
    assert_eq!((status, queue["items"].as_array().unwrap().len()), (StatusCode::OK, 1), "{queue}");
}

#[actix_web::test]
async fn a_message_that_is_refused_holds_up_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    callback(&desk).await;
    for id in 1..=2 {
        desk.post("/v1/comments", json!({"id": id, "text": format!("{PRAISE} Number {id}.")})).await;
        decide(&desk, id, "reject").await;
    }
    let due = desk.store.due_callbacks(9).await.unwrap();
    let later = chrono::Utc::now().timestamp_millis() + 60_000;
    desk.store.finish_delivery(due[0].id.clone(), Delivery::Refused(later, "400".into()), 1).await.unwrap();
    let due_now = desk.store.due_callbacks(9).await.unwrap();
    assert_eq!((due_now.len(), &due_now[0].id), (1, &due[1].id));
}

#[actix_web::test]
async fn a_campaign_is_no_way_around_an_escalation() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    add_user(&desk.store, "mo", "moderator", &[]).await;
    for id in 1..=2 {
        desk.post("/v1/comments", json!({"id": id, "author": format!("u{id}"), "text": COPY})).await;
    }
    let session = desk.log_in("mo").await;
    let act = |id: u32, action: &str| json!({"comment": {"site": "gazette", "id": id}, "action": action});
    assert_eq!(desk.post_as(&session, "/v1/decisions", act(1, "escalate")).await.0, StatusCode::OK);
    assert_eq!(desk.post_as(&session, "/v1/decisions", act(1, "approve")).await.0, StatusCode::FORBIDDEN);
    let campaign = desk.get("/v1/campaigns").await.1["campaigns"][0]["id"].clone();
    let (status, decided) = desk
        .post_as(
            &session,
            "/v1/decisions",
            json!({"campaign": campaign, "site": "gazette", "action": "approve"}),
        )
        .await;
    assert_eq!(
        (status, &decided["comments"]),
        (StatusCode::OK, &json!(1)),
        "the escalated one is left for a lead"
    );
    assert_eq!(desk.get("/v1/queue?escalated=true").await.1["items"].as_array().unwrap().len(), 1);
    // A decided comment that is escalated gets a card that can be closed again.
    let again = act(2, "escalate");
    assert_eq!(desk.post("/v1/decisions", again).await.0, StatusCode::OK);
    assert_eq!(desk.post("/v1/decisions", act(2, "reject")).await.0, StatusCode::OK);
    assert_eq!(desk.status_of(2).await, "rejected");
}

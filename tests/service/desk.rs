//! Queue, decisions, undo.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use claque::access::KeyKind;
use claque::store::records::{Callback, Scope};
use serde_json::{Value, json};

use crate::support::{COPY, Desk, PRAISE, desk, make_key};

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

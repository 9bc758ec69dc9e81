//! Several people on one desk: what one left out, holds or has escalated, and what another may do about it.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::support::{COPY, Desk, PRAISE, Session, add_user, desk};

/// Flagged, and no copy of another.
const OTHER: &str = "Absolutely. A balanced assessment is essential, and transparency is crucial for building trust in our institutions.";

impl Desk {
    async fn submit_form(&self, session: &Session, path: &str, fields: &str) -> (StatusCode, String) {
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("accept", "text/html"))
            .insert_header(("referer", "https://desk.example/queue?kind=comment"))
            .insert_header(("cookie", session.cookie.clone()))
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(format!("csrf={}&{fields}", session.csrf));
        let (status, headers, _) = self.send_for_head(request).await;
        let to = headers.get("location").map(|to| to.to_str().unwrap().to_owned());
        (status, to.unwrap_or_default())
    }

    async fn html(&self, session: &Session, path: &str) -> String {
        let request = TestRequest::get()
            .uri(path)
            .insert_header(("accept", "text/html"))
            .insert_header(("cookie", session.cookie.clone()));
        self.send(request).await.2
    }

    async fn copy(&self, id: u32) {
        let body = json!({"id": id, "article_id": "a", "author": format!("u{id}"), "text": COPY});
        assert_eq!(self.post("/v1/comments", body).await.0, StatusCode::OK);
    }

    /// The open card of the campaign.
    async fn sweep(&self) -> Value {
        let (_, queue) = self.get("/v1/queue?kind=campaign").await;
        queue["items"][0].clone()
    }

    /// Anna leads, ben moderates; one comment waits.
    async fn two(&self) -> (Session, Session, String) {
        add_user(&self.store, "anna", "lead", &[]).await;
        add_user(&self.store, "ben", "moderator", &[]).await;
        self.post("/v1/comments", json!({"id": 1, "author": "ann", "text": PRAISE})).await;
        let (_, queue) = self.get("/v1/queue").await;
        let card = queue["items"][0]["id"].as_str().unwrap().to_owned();
        (self.log_in("anna").await, self.log_in("ben").await, card)
    }
}

#[actix_web::test]
async fn what_was_left_out_of_a_campaign_stays_out_of_its_sweep() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let card = desk.campaign().await;
    add_user(&desk.store, "mo", "moderator", &[]).await;
    let mo = desk.log_in("mo").await;
    let (status, first) =
        desk.post("/v1/decisions", json!({"item": card, "action": "reject", "except": ["3"]})).await;
    assert_eq!((status, &first["comments"]), (StatusCode::OK, &json!(3)));
    // Later copies look at the earlier ones anew, twice.
    for id in [5, 6] {
        desk.copy(id).await;
    }
    let sweep = desk.sweep().await;
    assert_eq!(sweep["campaign"]["undecided"], 2, "{sweep}");
    let page = desk.html(&mo, &format!("/queue/{}", sweep["id"].as_str().unwrap())).await;
    assert!(page.contains("Reject all 2"), "{page}");
    let preview = page.split("class=\"sweep\"").nth(1).unwrap().split("</details>").next().unwrap();
    assert_eq!(preview.matches("class=\"beside").count(), 2, "{preview}");
    let (_, queue) = desk.get("/v1/queue?kind=comment").await;
    assert_eq!(queue["items"][0]["comment"]["id"], "3", "it keeps a card of its own: {queue}");
    let (_, second) = desk.post("/v1/decisions", json!({"item": sweep["id"], "action": "reject"})).await;
    assert_eq!(second["comments"], 2);
    assert_eq!(desk.status_of(3).await, "published");
    // Undone, the sweep stands there again, and what the first decision left out keeps its own card.
    let undo = format!("/v1/decisions/{}/undo", second["id"].as_str().unwrap());
    desk.post(&undo, json!({})).await;
    assert_eq!(desk.sweep().await["campaign"]["undecided"], 2);
    let (_, queue) = desk.get("/v1/queue?kind=comment").await;
    assert_eq!(queue["items"][0]["comment"]["id"], "3", "{queue}");
    let again = desk.sweep().await;
    desk.post("/v1/decisions", json!({"item": again["id"], "action": "reject"})).await;
    // And out of the one after that.
    desk.copy(7).await;
    assert_eq!(desk.sweep().await["campaign"]["undecided"], 1);
    assert_eq!(desk.status_of(3).await, "published");
}

#[actix_web::test]
async fn undone_nothing_is_left_out_any_more_and_the_cards_of_now_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let card = desk.campaign().await;
    let (_, decided) =
        desk.post("/v1/decisions", json!({"item": card, "action": "reject", "except": ["3"]})).await;
    let undo = format!("/v1/decisions/{}/undo", decided["id"].as_str().unwrap());
    let (_, undone) = desk.post(&undo, json!({})).await;
    assert_eq!(undone, json!({"comments": 3, "items": [card]}));
    let (_, queue) = desk.get("/v1/queue").await;
    assert_eq!(queue["items"].as_array().unwrap().len(), 1, "{queue}");
    assert_eq!(queue["items"][0]["campaign"]["undecided"], 4);
}

#[actix_web::test]
async fn a_decision_about_one_member_proposes_the_older_others_too() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.campaign().await;
    desk.post("/v1/decisions", json!({"comment": {"site": "gazette", "id": 2}, "action": "reject"})).await;
    assert_eq!(desk.sweep().await["campaign"]["undecided"], 3);
}

#[actix_web::test]
async fn a_moderator_does_not_keep_a_lead_from_a_card() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let (anna, ben, card) = desk.two().await;
    // What he has on the desk she may decide all the same; he is told by the events.
    let (_, claimed) = desk.post_as(&ben, "/v1/queue/claims", json!({"items": [card]})).await;
    assert_eq!(claimed["claimed"], json!([card]));
    let (status, _) = desk.post_as(&anna, "/v1/decisions", json!({"item": card, "action": "escalate"})).await;
    assert_eq!(status, StatusCode::OK);
    // Escalated, it is not his to put off either.
    let (status, _) = desk.post_as(&ben, "/v1/decisions", json!({"item": card, "action": "skip"})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    // Nor to claim, and his page has no buttons that would be refused.
    for take_over in [false, true] {
        let body = json!({"items": [card], "take_over": take_over});
        let (_, claimed) = desk.post_as(&ben, "/v1/queue/claims", body).await;
        assert_eq!(claimed["claimed"], json!([]));
    }
    let path = format!("/queue/{card}");
    let page = desk.html(&ben, &path).await;
    assert!(!page.contains("name=\"action\"") && page.contains("a lead decides it"), "{page}");
    assert!(desk.html(&anna, &path).await.contains("value=\"approve\""));
    let (status, _) = desk.post_as(&anna, "/v1/decisions", json!({"item": card, "action": "reject"})).await;
    assert_eq!(status, StatusCode::OK);
}

#[actix_web::test]
async fn a_claimed_card_can_be_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let (anna, ben, card) = desk.two().await;
    let claim = json!({"items": [card]});
    desk.post_as(&anna, "/v1/queue/claims", claim.clone()).await;
    assert_eq!(desk.post_as(&ben, "/v1/queue/claims", claim).await.1["claimed"], json!([]));
    let reject = json!({"item": card, "action": "reject"});
    assert_eq!(desk.post_as(&ben, "/v1/decisions", reject.clone()).await.0, StatusCode::CONFLICT);
    assert!(desk.html(&ben, &format!("/queue/{card}")).await.contains("Take over"));
    let (status, to) = desk.submit_form(&ben, &format!("/queue/{card}/take"), "back=/queue").await;
    assert_eq!((status, to), (StatusCode::SEE_OTHER, format!("/queue/{card}?back=%2Fqueue")));
    assert_eq!(desk.get(&format!("/v1/queue/{card}")).await.1["claimed_by"], "user:ben");
    assert_eq!(desk.post_as(&ben, "/v1/decisions", reject).await.0, StatusCode::OK);
}

#[actix_web::test]
async fn faster_is_only_who_closed_the_card() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let (_, ben, card) = desk.two().await;
    let key = json!({"item": card, "action": "escalate"});
    assert_eq!(desk.post_as(&ben, "/v1/decisions", key).await.0, StatusCode::OK);
    let (_, queue) = desk.get("/v1/queue").await;
    let version = queue["items"][0]["version"].as_i64().unwrap() - 1;
    let request = TestRequest::post()
        .uri(&format!("/queue/{card}/decide"))
        .insert_header(("accept", "text/html"))
        .insert_header(("cookie", ben.cookie.clone()))
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload(format!("csrf={}&action=skip&version={version}", ben.csrf));
    let (status, _, page) = desk.send(request).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("changed meanwhile") && !page.contains("was faster"), "{page}");
    assert!(page.contains(&format!("href=\"/queue/{card}\"")), "the card can be looked at again: {page}");
}

#[actix_web::test]
async fn one_undo_takes_back_several_decisions() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let (anna, ..) = desk.two().await;
    desk.post("/v1/comments", json!({"id": 2, "author": "bob", "text": OTHER})).await;
    let (_, queue) = desk.get("/v1/queue").await;
    let mut done = Vec::new();
    for item in queue["items"].as_array().unwrap() {
        let body = json!({"item": item["id"], "action": "reject"});
        done.push(desk.post_as(&anna, "/v1/decisions", body).await.1["id"].as_str().unwrap().to_owned());
    }
    let page = desk.html(&anna, &format!("/queue?done={}&done={}", done[0], done[1])).await;
    assert_eq!(page.matches("/undo\"").count(), 1, "one form: {page}");
    let (status, to) =
        desk.submit_form(&anna, &format!("/decisions/{}/undo", done[0]), &format!("also={}", done[1])).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/history?said=undone"));
    for id in 1..=2 {
        assert_eq!(desk.status_of(id).await, "published");
    }
    // What cannot be undone is said, and what was is kept.
    let (_, third) = desk
        .post_as(&anna, "/v1/decisions", json!({"comment": {"site": "gazette", "id": 1}, "action": "reject"}))
        .await;
    let third = third["id"].as_str().unwrap();
    let (_, to) =
        desk.submit_form(&anna, &format!("/decisions/{third}/undo"), &format!("also={}", done[1])).await;
    assert_eq!(to, format!("/history?done={}&said=undone-in-part", done[1]));
    assert_eq!(desk.status_of(1).await, "published");
}

#[actix_web::test]
async fn an_expired_form_leads_to_the_login_and_back_to_its_page() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let (_, _, card) = desk.two().await;
    let over = Session { cookie: "claque_session=gone".to_owned(), csrf: "x".to_owned() };
    let (status, to) = desk.submit_form(&over, &format!("/queue/{card}/decide"), "action=reject").await;
    assert_eq!(
        (status, to.as_str()),
        (StatusCode::SEE_OTHER, "/login?next=%2Fqueue%3Fkind%3Dcomment&said=logged-out")
    );
    // Another session than the page's: no words for programmers.
    let other = desk.log_in("ben").await;
    let request = TestRequest::post()
        .uri("/logout")
        .insert_header(("accept", "text/html"))
        .insert_header(("cookie", other.cookie.clone()))
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload("csrf=old");
    let (status, _, page) = desk.send(request).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(page.contains("logged in anew") && !page.contains("X-CSRF-Token"), "{page}");
}

#[actix_web::test]
async fn a_selection_without_a_script_leaves_one_of_somebody_elses_out() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let (anna, ben, card) = desk.two().await;
    desk.post("/v1/comments", json!({"id": 2, "author": "bob", "text": OTHER})).await;
    let (_, queue) = desk.get("/v1/queue").await;
    let ids: Vec<&str> =
        queue["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    desk.post_as(&anna, "/v1/queue/claims", json!({"items": [card]})).await;
    let fields = format!("action=reject&sure=1&item={}:1&item={}:1", ids[0], ids[1]);
    let (status, to) = desk.submit_form(&ben, "/queue/bulk", &fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(to.starts_with("/queue?done=") && to.ends_with("&said=some-left-out"), "{to}");
    assert_eq!((desk.status_of(1).await, desk.status_of(2).await), ("published".into(), "rejected".into()));
}

#[actix_web::test]
async fn all_of_an_author_is_what_was_shown_and_nobody_decided_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    add_user(&desk.store, "mo", "moderator", &[]).await;
    let mo = desk.log_in("mo").await;
    let send = async |id: u32, text: &str| {
        let body = json!({"id": id, "article_id": "a", "author": {"id": "spree"}, "status": "published", "text": text});
        assert_eq!(desk.post("/v1/comments", body).await.0, StatusCode::OK);
    };
    for id in 1..=4 {
        send(id, &format!("My bus number {id} was late again, and nobody at the stop knew why.")).await;
    }
    let request = TestRequest::post()
        .uri("/authors/gazette/spree/decide")
        .insert_header(("accept", "text/html"))
        .insert_header(("cookie", mo.cookie.clone()))
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload(format!("csrf={}&action=reject", mo.csrf));
    let question = desk.send(request).await.2;
    let named: Vec<&str> = question
        .split("name=\"comment\" value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(named.len(), 4, "{question}");
    // Meanwhile one is approved, one is written anew, and one is deleted.
    desk.post("/v1/decisions", json!({"comment": {"site": "gazette", "id": 1}, "action": "approve"})).await;
    send(2, "The driver was kind and let my mother off at the corner.").await;
    desk.post("/v1/comments/gazette/3/status", json!({"status": "deleted"})).await;
    let comments: Vec<String> =
        named.iter().map(|one| format!("comment={}", one.replace(':', "%3A"))).collect();
    let fields = format!("action=reject&sure=1&{}", comments.join("&"));
    let (status, to) = desk.submit_form(&mo, "/authors/gazette/spree/decide", &fields).await;
    assert!(status.is_redirection() && to.contains("some-left-out"), "{status} {to}");
    let statuses = [desk.status_of(1).await, desk.status_of(2).await, desk.status_of(4).await];
    assert_eq!(statuses, ["published", "published", "rejected"]);
}

#[actix_web::test]
async fn a_queue_has_orders_and_each_is_paged() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let moved = "The report is deeply moving. It serves as a poignant reminder that behind every decision there are people whose passion and commitment shape our shared history.";
    for (id, text) in [PRAISE, OTHER, moved].into_iter().enumerate() {
        let body =
            json!({"id": id, "article_id": format!("a{id}"), "author": format!("u{id}"), "text": text});
        desk.post("/v1/comments", body).await;
    }
    let mut all = std::collections::BTreeMap::new();
    for order in ["urgent", "newest", "oldest"] {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let (_, page) = desk.get(&format!("/v1/queue?order={order}&limit=1{after}")).await;
            let Some(item) = page["items"].get(0) else { break };
            ids.push((item["opened_at"].as_i64().unwrap(), item["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        all.insert(order, ids);
    }
    assert_eq!(all["urgent"].len(), 3, "{all:?}");
    let mut oldest = all["urgent"].clone();
    oldest.sort();
    assert_eq!(all["oldest"], oldest);
    oldest.sort_by_key(|(at, id)| (-at, id.clone()));
    assert_eq!(all["newest"], oldest);
    let (status, _) = desk.get("/v1/queue?order=loudest").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

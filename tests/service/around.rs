//! Around the queue: filters, selections, sweeps, notes, views, trust, allowed campaigns, holds, events.

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::support::{COPY, Desk, PRAISE, desk, open_with};

fn ids(queue: &Value) -> Vec<String> {
    let mut ids: Vec<String> = queue["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["comment"]["id"].as_str().unwrap_or("campaign").to_owned())
        .collect();
    ids.sort();
    ids
}

#[actix_web::test]
async fn the_queue_is_filtered_by_what_a_moderator_asks() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let article =
        TestRequest::put().uri("/v1/articles/a").set_json(json!({"title": "Tram", "section": "local"}));
    desk.send(desk.authorised(article)).await;
    desk.post("/v1/comments", json!({"id": 1, "article_id": "a", "author": "ann", "text": PRAISE})).await;
    desk.post(
        "/v1/comments",
        json!({"id": 2, "author": "bob", "status": "pending", "text": format!("{PRAISE} Zebra.")}),
    )
    .await;
    for id in 3..=6 {
        desk.post("/v1/comments", json!({"id": id, "author": format!("u{id}"), "text": COPY})).await;
    }
    let (_, all) = desk.get("/v1/queue").await;
    assert_eq!(ids(&all), ["1", "2", "campaign"]);
    let rule = all["items"].as_array().unwrap().iter().find_map(|item| {
        item["assessment"]["evidence"].as_array()?.iter().find_map(|e| e["rule"].as_str().map(str::to_owned))
    });
    let rule = format!("rule={}", rule.unwrap());
    for (filter, expected) in [
        ("section=local", vec!["1"]),
        ("section=sports", vec![]),
        ("status=pending", vec!["2"]),
        ("verdict=review", vec!["1", "2", "campaign"]),
        ("verdict=hold", vec![]),
        ("because=campaign", vec!["campaign"]),
        ("kind=comment", vec!["1", "2"]),
        ("author=bob", vec!["2"]),
        ("author=u4", vec!["campaign"]),
        ("lang=en", vec!["1", "2", "campaign"]),
        ("lang=de", vec![]),
        ("text=zebra", vec!["2"]),
        ("text=petition", vec!["campaign"]),
        ("escalated=true", vec![]),
        ("from=1", vec!["1", "2", "campaign"]),
        ("until=1", vec![]),
        ("signal=text-model&kind=comment", vec!["1", "2"]),
        ("signal=%7C", vec![]),
        ("author=bob&section=local", vec![]),
        (rule.as_str(), vec!["1", "2"]),
    ] {
        let (status, queue) = desk.get(&format!("/v1/queue?{filter}")).await;
        assert_eq!(
            (status, ids(&queue)),
            (StatusCode::OK, expected.iter().map(|s| (*s).to_owned()).collect()),
            "{filter}"
        );
    }
    let (status, _) = desk.get("/v1/queue?sektion=local").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let view = json!({"name": "Bob's", "query": {"author": "bob"}, "shared": true});
    let (status, view) = desk.post("/v1/views", view).await;
    assert_eq!(status, StatusCode::CREATED);
    let id = view["id"].as_str().unwrap();
    assert_eq!(ids(&desk.get(&format!("/v1/queue?view={id}")).await.1), ["2"]);
    assert_eq!(desk.get("/v1/views").await.1["views"][0]["name"], "Bob's");
    let forget = desk.authorised(TestRequest::delete().uri(&format!("/v1/views/{id}")));
    assert_eq!(desk.send(forget).await.0, StatusCode::NO_CONTENT);
    assert_eq!(desk.get("/v1/views").await.1["views"], json!([]));
}

#[actix_web::test]
async fn pages_of_the_queue_follow_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    for id in 0..25 {
        desk.post(
            "/v1/comments",
            json!({"id": id, "author": "ann", "text": format!("{PRAISE} Number {id} of {id}.")}),
        )
        .await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (_, page) = desk.get(&format!("/v1/queue?limit=10{after}")).await;
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
}

#[actix_web::test]
async fn a_selection_is_decided_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    for id in 0..4 {
        desk.post(
            "/v1/comments",
            json!({"id": id, "author": "ann", "text": format!("{PRAISE} Number {id} of {id}.")}),
        )
        .await;
    }
    let (_, queue) = desk.get("/v1/queue").await;
    let seen: Vec<Value> = queue["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!({"id": item["id"], "version": item["version"]}))
        .collect();
    let mut stale = seen.clone();
    stale[2]["version"] = json!(99);
    let (status, conflict) = desk.post("/v1/decisions", json!({"items": stale, "action": "reject"})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(
        (&conflict["item"]["open"], &conflict["version"]),
        (&json!(true), &json!(1)),
        "the state now is told"
    );
    assert_eq!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().len(), 4, "nothing was decided");
    let (_, decided) = desk.post("/v1/decisions", json!({"items": seen, "action": "reject"})).await;
    assert_eq!(decided["comments"], 4);
    assert_eq!(desk.get("/v1/queue").await.1["items"], json!([]));
    let undo = format!("/v1/decisions/{}/undo", decided["id"].as_str().unwrap());
    assert_eq!(desk.post(&undo, json!({})).await.1["comments"], 4);
    assert_eq!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().len(), 4, "all cards are back");
    let comments = json!([{"site": "gazette", "id": 0}, {"site": "gazette", "id": 1}]);
    let (_, decided) = desk.post("/v1/decisions", json!({"comments": comments, "action": "approve"})).await;
    assert_eq!(decided["comments"], 2);
    let (status, both) =
        desk.post("/v1/decisions", json!({"comments": comments, "item": "x", "action": "approve"})).await;
    assert_eq!((status, &both["code"]), (StatusCode::BAD_REQUEST, &json!("invalid-body")));
}

#[actix_web::test]
async fn what_was_rejected_is_proposed_again_for_the_rest_of_its_campaign() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    // Two authors are no campaign to be shown, but one decision about one of them proposes the same for the other.
    for id in 1..=2 {
        desk.post("/v1/comments", json!({"id": id, "author": format!("u{id}"), "text": COPY})).await;
    }
    desk.post("/v1/decisions", json!({"comment": {"site": "gazette", "id": 1}, "action": "reject"})).await;
    let (_, queue) = desk.get("/v1/queue?kind=campaign").await;
    let card = &queue["items"][0]["campaign"];
    assert_eq!(
        (&card["sweep"]["action"], &card["undecided"], &card["published"]),
        (&json!("reject"), &json!(1), &json!(1))
    );
    let item = queue["items"][0]["id"].clone();
    let (_, decided) = desk.post("/v1/decisions", json!({"item": item, "action": "reject"})).await;
    assert_eq!(desk.status_of(2).await, "rejected");
    // One more of a rejected campaign is queued whatever it says by itself.
    let (_, third) = desk.post("/v1/comments", json!({"id": 3, "author": "u1", "text": COPY})).await;
    assert_eq!(third["queued"], true, "{third}");
    desk.post("/v1/decisions", json!({"campaign": third["campaign_id"], "action": "reject"})).await;
    assert_eq!(desk.status_of(3).await, "rejected");
    let (status, refused) =
        desk.post(&format!("/v1/decisions/{}/undo", decided["id"].as_str().unwrap()), json!({})).await;
    assert_eq!(status, StatusCode::OK, "{refused}");
    assert_eq!(desk.status_of(2).await, "published");
}

#[actix_web::test]
async fn a_trusted_author_is_judged_and_never_proposed() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let trust = TestRequest::put().uri("/v1/trusted-authors/ann").set_json(json!({"note": "columnist"}));
    assert_eq!(desk.send(desk.authorised(trust)).await.0, StatusCode::NO_CONTENT);
    let (_, answer) = desk.post("/v1/comments", json!({"id": 1, "author": "ann", "text": PRAISE})).await;
    assert_eq!(
        (&answer["verdict"], &answer["trusted"], &answer["queued"]),
        (&json!("allow"), &json!(true), &json!(false))
    );
    assert!(answer["score"].as_f64().unwrap() > 0.99, "the score says what it says");
    let staff =
        json!({"id": 2, "author": {"id": "ed", "role": "staff"}, "text": format!("{PRAISE} Indeed.")});
    assert_eq!(desk.post("/v1/comments", staff).await.1["verdict"], "allow");
    assert_eq!(desk.get("/v1/trusted-authors").await.1["authors"][0]["note"], "columnist");
    let distrust = desk.authorised(TestRequest::delete().uri("/v1/trusted-authors/ann"));
    desk.send(distrust).await;
    let (_, answer) = desk
        .post("/v1/comments", json!({"id": 3, "author": "ann", "text": format!("{PRAISE} Again.")}))
        .await;
    assert_eq!(answer["verdict"], "review");
}

#[actix_web::test]
async fn approved_comments_earn_trust_where_it_is_configured() {
    let dir = tempfile::tempdir().unwrap();
    let before = desk(dir.path()).await;
    let desk = open_with(before.store.clone(), before.key.clone(), "[trust]\napproved_comments = 2\n").await;
    for id in 1..=2 {
        let text = format!("Short remark number {id} about the weather.");
        desk.post("/v1/comments", json!({"id": id, "author": "ann", "text": text})).await;
        desk.post(&format!("/v1/comments/gazette/{id}/status"), json!({"status": "published"})).await;
    }
    let (_, answer) = desk.post("/v1/comments", json!({"id": 3, "author": "ann", "text": PRAISE})).await;
    assert_eq!((&answer["verdict"], &answer["trusted"]), (&json!("allow"), &json!(true)));
    let (_, answer) =
        desk.post("/v1/comments", json!({"id": 4, "author": "bob", "text": format!("{PRAISE} Yes.")})).await;
    assert_eq!(answer["verdict"], "review");
}

#[actix_web::test]
async fn a_petition_can_be_allowed_and_its_copies_are_no_reason_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.campaign().await;
    let campaign = desk.get("/v1/queue").await.1["items"][0]["campaign"]["id"].clone();
    let wrong = json!({"campaign": campaign, "title": "Car park petition", "days": 0});
    assert_eq!(desk.post("/v1/allowed-campaigns", wrong).await.0, StatusCode::BAD_REQUEST);
    let body = json!({"campaign": campaign, "title": "Car park petition", "days": 30});
    let (status, allowed) = desk.post("/v1/allowed-campaigns", body).await;
    assert_eq!(status, StatusCode::CREATED, "{allowed}");
    assert_eq!(desk.get("/v1/queue").await.1["items"], json!([]), "its card is gone");
    let (_, fifth) = desk.post("/v1/comments", json!({"id": 5, "author": "u5", "text": COPY})).await;
    assert_eq!(
        (&fifth["verdict"], &fifth["campaign_id"]),
        (&json!("allow"), &campaign),
        "it is a copy, and no reason"
    );
    let after = open_with(desk.store.clone(), desk.key.clone(), "").await;
    assert_eq!(after.get("/v1/queue").await.1["items"], json!([]), "a restart does not bring the card back");
    let id = allowed["id"].as_str().unwrap();
    let disallow = desk.authorised(TestRequest::delete().uri(&format!("/v1/allowed-campaigns/{id}")));
    assert_eq!(desk.send(disallow).await.0, StatusCode::NO_CONTENT);
    let (_, sixth) = desk.post("/v1/comments", json!({"id": 6, "author": "u6", "text": COPY})).await;
    assert_eq!(sixth["verdict"], "review");
}

#[actix_web::test]
async fn comments_are_held_only_for_proven_reasons_and_only_so_many() {
    let dir = tempfile::tempdir().unwrap();
    let before = desk(dir.path()).await;
    let config = "[hold]\nbecause = [\"text\"]\nper_day = 2\ndecisions = 10\nprecision = 0.9\n";
    let desk = open_with(before.store.clone(), before.key.clone(), config).await;
    let post = async |desk: &Desk, id: u32| {
        let text = format!("{PRAISE} Number {id} of {id}.");
        desk.post("/v1/comments", json!({"id": id, "author": format!("a{id}"), "text": text})).await.1
    };
    for id in 0..10 {
        assert_eq!(post(&desk, id).await["verdict"], "review", "nothing is proven yet");
        let body = json!({"comment": {"site": "gazette", "id": id}, "action": "reject"});
        desk.post("/v1/decisions", body).await;
    }
    desk.state.intake.refresh().await.unwrap();
    assert_eq!(post(&desk, 20).await["verdict"], "hold");
    assert_eq!(desk.status_of(20).await, "pending", "the CMS was asked to keep it back");
    assert_eq!(post(&desk, 21).await["verdict"], "hold");
    assert_eq!(post(&desk, 22).await["verdict"], "review", "two a day");
    let reopened = open_with(desk.store.clone(), desk.key.clone(), config).await;
    assert_eq!(post(&reopened, 23).await["verdict"], "review", "a restart does not forget the day's count");
}

#[actix_web::test]
async fn reasons_and_notes_are_what_the_newsroom_wants() {
    let dir = tempfile::tempdir().unwrap();
    let before = desk(dir.path()).await;
    let config = "[review]\nreasons = [\"copy\"]\nreason_required = true\nnote_required = true\n";
    let desk = open_with(before.store.clone(), before.key.clone(), config).await;
    desk.post("/v1/comments", json!({"id": 1, "text": PRAISE})).await;
    let decide = |more: Value| {
        let mut body = json!({"comment": {"site": "gazette", "id": 1}, "action": "reject"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, status) in [
        (json!({}), 400),
        (json!({"reason": "mood", "note": "x"}), 400),
        (json!({"reason": "copy"}), 400),
        (json!({"reason": "copy", "note": "seen before"}), 200),
    ] {
        assert_eq!(desk.post("/v1/decisions", decide(more.clone())).await.0.as_u16(), status, "{more}");
    }
}

#[actix_web::test]
async fn an_authors_page_shows_what_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    for (id, text) in
        [(1, PRAISE), (2, &format!("{PRAISE} Truly.")), (3, "Buses were late again on Monday evening.")]
    {
        desk.post("/v1/comments", json!({"id": id, "author": {"id": "a/b"}, "text": text})).await;
    }
    desk.post("/v1/decisions", json!({"comment": {"site": "gazette", "id": 1}, "action": "reject"})).await;
    let note = json!({"kind": "author", "subject": "a/b", "text": "asked by mail"});
    assert_eq!(desk.post("/v1/notes", note).await.0, StatusCode::CREATED);
    let (status, page) = desk.get("/v1/authors/a%2Fb").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&page["size"], &page["rejected"], &page["notes"][0]["text"]),
        (&json!(3), &json!(1), &json!("asked by mail"))
    );
    let like = |id: &str| {
        let comments = page["comments"].as_array().unwrap();
        comments.iter().find(|c| c["comment"]["id"] == id).unwrap()["self_similarity"].as_f64().unwrap()
    };
    assert!(like("2") > 0.8 && like("3") < 0.3);
    assert_eq!(desk.get("/v1/authors/nobody").await.0, StatusCode::NOT_FOUND);
    let (_, notes) = desk.get("/v1/notes?kind=author&subject=a%2Fb").await;
    assert_eq!(notes["notes"].as_array().unwrap().len(), 1);
    assert_eq!(desk.get("/v1/notes?kind=mood&subject=x").await.0, StatusCode::BAD_REQUEST);
}

/// Reads events from a stream until one of the kind comes.
async fn events(desk: &Desk, last: Option<i64>, until: &str) -> Vec<(i64, String)> {
    let app = actix_web::test::init_service(
        actix_web::App::new().app_data(desk.state.clone()).configure(claque::http::routes),
    )
    .await;
    let mut request = desk.authorised(TestRequest::get().uri("/v1/events"));
    if let Some(last) = last {
        request = request.insert_header(("last-event-id", last.to_string()));
    }
    let response = actix_web::test::call_service(&app, request.to_request()).await;
    assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
    let mut body = Box::pin(response.into_body());
    let mut found = Vec::new();
    loop {
        let chunk = std::future::poll_fn(|cx| body.as_mut().poll_next(cx));
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(5), chunk).await;
        let Ok(Some(Ok(chunk))) = chunk else { panic!("the stream ended without `{until}`: {found:?}") };
        let text = String::from_utf8(chunk.to_vec()).unwrap();
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned)
        };
        if let (Some(id), Some(kind)) = (field("id"), field("event")) {
            found.push((id.parse().unwrap(), kind.clone()));
            if kind == until {
                return found;
            }
        }
    }
}

#[actix_web::test]
async fn watchers_hear_what_happens_and_miss_nothing_when_they_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.post("/v1/comments", json!({"id": 1, "text": PRAISE})).await;
    let (_, queue) = desk.get("/v1/queue").await;
    let item = queue["items"][0]["id"].clone();
    desk.post("/v1/queue/claims", json!({"items": [item]})).await;
    let (_, decided) = desk.post("/v1/decisions", json!({"item": item, "action": "reject"})).await;
    desk.post(&format!("/v1/decisions/{}/undo", decided["id"].as_str().unwrap()), json!({})).await;
    let heard = events(&desk, Some(0), "decision.undone").await;
    let kinds: Vec<&str> = heard.iter().map(|(_, kind)| kind.as_str()).collect();
    for kind in ["queue.opened", "queue.claimed", "decision", "decision.undone"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let at = heard.iter().find(|(_, kind)| kind == "decision").unwrap().0;
    let later = events(&desk, Some(at), "decision.undone").await;
    assert!(later.iter().all(|(id, _)| *id > at));
    let (status, _) = desk.get("/v1/events?last_event_id=x").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn two_moderators_racing_on_two_hundred_cards_lose_and_double_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let first = desk(dir.path()).await;
    let second_key = crate::support::make_key(
        &first.store,
        claque::access::KeyKind::Api,
        &[claque::store::records::Scope::Review],
    )
    .await;
    let second = Desk { store: first.store.clone(), state: first.state.clone(), key: second_key };
    let batch: Vec<Value> = (0..200)
        .map(|id| json!({"id": id, "author": "ann", "text": format!("{PRAISE} Number {id} of {id}.")}))
        .collect();
    first.post("/v1/comments:batch", json!(batch)).await;
    let (_, queue) = first.get("/v1/queue?limit=200").await;
    let cards: Vec<(String, i64)> = queue["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["id"].as_str().unwrap().to_owned(), item["version"].as_i64().unwrap()))
        .collect();
    assert_eq!(cards.len(), 200);
    let work = async |desk: &Desk, action: &str, order: Vec<(String, i64)>| {
        let mut won = 0;
        for (id, version) in order {
            let body = json!({"item": id, "version": version, "action": action});
            match desk.post("/v1/decisions", body).await.0 {
                StatusCode::OK => won += 1,
                StatusCode::CONFLICT => {}
                other => panic!("{other}"),
            }
        }
        won
    };
    let backwards = cards.iter().rev().cloned().collect();
    let (a, b) = tokio::join!(work(&first, "approve", cards.clone()), work(&second, "reject", backwards));
    assert_eq!(a + b, 200, "each card was decided once: {a} and {b}");
    assert_eq!(first.store.counts(None).await.unwrap().decisions, 200);
}

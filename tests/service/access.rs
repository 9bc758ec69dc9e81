//! People: log in, roles, forged requests, a proxy that names the user; keys for several sites.

use std::net::SocketAddr;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use claque::access::{KeyKind, new_key};
use claque::store::records::{Key, Scope, Site};
use serde_json::json;

use crate::support::{COPY, Desk, PRAISE, add_user, desk, key_of, open_with};

#[actix_web::test]
async fn people_log_in_and_their_role_decides() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    for (name, role) in [("vic", "viewer"), ("mo", "moderator"), ("lee", "lead"), ("ada", "admin")] {
        add_user(&desk.store, name, role, &[]).await;
    }
    for id in 1..=4 {
        desk.post(
            "/v1/comments",
            json!({"id": id, "author": "ann", "text": format!("{PRAISE} Number {id}.")}),
        )
        .await;
    }
    let viewer = desk.log_in("vic").await;
    let (status, queue) = desk.get_as(&viewer, "/v1/queue").await;
    assert_eq!((status, queue["items"].as_array().unwrap().len()), (StatusCode::OK, 4));
    let item = queue["items"][0]["id"].clone();
    let approve = json!({"item": item, "action": "approve"});
    assert_eq!(desk.post_as(&viewer, "/v1/decisions", approve.clone()).await.0, StatusCode::FORBIDDEN);
    let moderator = desk.log_in("mo").await;
    let escalate = json!({"item": item, "action": "escalate"});
    assert_eq!(desk.post_as(&moderator, "/v1/decisions", escalate).await.0, StatusCode::OK);
    let (status, body) = desk.post_as(&moderator, "/v1/decisions", approve.clone()).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::FORBIDDEN, &json!("forbidden")),
        "escalated is above a moderator"
    );
    let lead = desk.log_in("lee").await;
    let (status, decided) = desk.post_as(&lead, "/v1/decisions", approve).await;
    assert_eq!(status, StatusCode::OK);
    let undo = format!("/v1/decisions/{}/undo", decided["id"].as_str().unwrap());
    assert_eq!(
        desk.post_as(&moderator, &undo, json!({})).await.0,
        StatusCode::FORBIDDEN,
        "another's decision"
    );
    assert_eq!(desk.post_as(&lead, &undo, json!({})).await.0, StatusCode::OK);
    assert_eq!(desk.get_as(&lead, "/v1/deliveries").await.0, StatusCode::FORBIDDEN);
    let admin = desk.log_in("ada").await;
    assert_eq!(desk.get_as(&admin, "/v1/deliveries").await.0, StatusCode::OK);
    let (_, person) = desk.get_as(&admin, "/v1/session").await;
    assert_eq!((&person["user"], &person["role"]), (&json!("ada"), &json!("admin")));
    assert_eq!(person["permissions"], json!(["look", "decide", "lead", "admin"]));
    assert_eq!(
        desk.post_as(&admin, "/v1/comments", json!({"id": 9, "text": "x"})).await.0,
        StatusCode::FORBIDDEN
    );
    let (_, history) = desk.get_as(&viewer, "/v1/decisions").await;
    assert_eq!(history["decisions"][0]["actor"], "user:lee");
    assert!(history["decisions"][0]["undone_at"].is_i64());
}

#[actix_web::test]
async fn a_session_is_cookie_and_token_from_our_own_pages_until_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    add_user(&desk.store, "mo", "moderator", &[]).await;
    let body = json!({"name": "mo", "password": "correct horse battery"});
    let (_, headers, _) = desk.send_for_head(TestRequest::post().uri("/v1/session").set_json(&body)).await;
    let cookie = headers.get("set-cookie").unwrap().to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let session = desk.log_in("mo").await;
    let request = |csrf: &str, header: (&'static str, &'static str)| {
        TestRequest::post()
            .uri("/v1/queue/claims")
            .insert_header(("cookie", session.cookie.clone()))
            .insert_header(("x-csrf-token", csrf.to_owned()))
            .insert_header(header)
            .set_json(json!({"items": []}))
    };
    let own = ("origin", "https://desk.example");
    for (csrf, header, status) in [
        (session.csrf.as_str(), own, 200),
        (session.csrf.as_str(), ("sec-fetch-site", "same-origin"), 200),
        ("", own, 403),
        ("forged", own, 403),
        (session.csrf.as_str(), ("origin", "https://evil.example"), 403),
        (session.csrf.as_str(), ("sec-fetch-site", "cross-site"), 403),
    ] {
        assert_eq!(desk.send(request(csrf, header)).await.0.as_u16(), status, "{csrf} {header:?}");
    }
    let end = TestRequest::delete()
        .uri("/v1/session")
        .insert_header(("cookie", session.cookie.clone()))
        .insert_header(("x-csrf-token", session.csrf.clone()));
    assert_eq!(desk.send(end).await.0, StatusCode::NO_CONTENT);
    assert_eq!(desk.get_as(&session, "/v1/queue").await.0, StatusCode::UNAUTHORIZED);
    let session = desk.log_in("mo").await;
    let mut user = desk.store.user("mo".into()).await.unwrap().unwrap();
    user.disabled_at = Some(1);
    desk.store.change_user(user).await.unwrap();
    assert_eq!(
        desk.get_as(&session, "/v1/queue").await.0,
        StatusCode::UNAUTHORIZED,
        "disabled is out at once"
    );
    let login = TestRequest::post().uri("/v1/session").set_json(&body);
    assert_eq!(desk.send(login).await.0, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn guessing_passwords_is_slowed_down() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    add_user(&desk.store, "mo", "moderator", &[]).await;
    let login = |name: &str, password: &str| {
        TestRequest::post().uri("/v1/session").set_json(json!({"name": name, "password": password}))
    };
    for _ in 0..5 {
        let (status, body, _) = desk.send(login("mo", "wrong password")).await;
        assert_eq!(
            (status, &body["detail"]),
            (StatusCode::UNAUTHORIZED, &json!("name or password is wrong"))
        );
    }
    let (status, headers, body) = desk.send_for_head(login("mo", "correct horse battery")).await;
    assert_eq!((status, &body["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("too-many-requests")));
    assert!(headers.contains_key("retry-after"));
    let elsewhere = login("nobody", "wrong password").peer_addr("10.9.8.7:1".parse().unwrap());
    let (_, unknown, _) = desk.send(elsewhere).await;
    assert_eq!(unknown["detail"], "name or password is wrong", "nobody learns which names there are");
}

#[actix_web::test]
async fn only_a_trusted_proxy_names_the_user() {
    let dir = tempfile::tempdir().unwrap();
    let before = desk(dir.path()).await;
    add_user(&before.store, "mo", "moderator", &["gazette"]).await;
    let config = "[access]\nsso_header = \"X-Remote-User\"\n[server]\ntrusted_proxies = [\"127.0.0.0/24\"]\n";
    let desk = open_with(before.store.clone(), before.key.clone(), config).await;
    let ask = |peer: &str, user: &'static str| {
        let peer: SocketAddr = peer.parse().unwrap();
        TestRequest::get().uri("/v1/session").peer_addr(peer).insert_header(("x-remote-user", user))
    };
    let (status, person, _) = desk.send(ask("127.0.0.1:9", "mo")).await;
    assert_eq!(
        (status, &person["user"], &person["sites"]),
        (StatusCode::OK, &json!("mo"), &json!(["gazette"]))
    );
    assert_eq!(desk.send(ask("10.0.0.9:9", "mo")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(desk.send(ask("127.0.0.1:9", "mallory")).await.0, StatusCode::FORBIDDEN);
    let foreign = TestRequest::post()
        .uri("/v1/queue/claims")
        .peer_addr("127.0.0.1:9".parse().unwrap())
        .insert_header(("x-remote-user", "mo"))
        .insert_header(("origin", "https://evil.example"))
        .set_json(json!({"items": []}));
    assert_eq!(desk.send(foreign).await.0, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_key_for_two_sites_sees_two_and_names_the_one_it_means() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    for site in ["times", "echo"] {
        desk.store.add_site(Site { id: site.into(), title: site.into() }).await.unwrap();
    }
    let (text, hash) = new_key(KeyKind::Api).unwrap();
    let key =
        Key { sites: vec!["times".into(), "gazette".into()], ..key_of("x", &[Scope::Score, Scope::Review]) };
    let id = desk.store.add_key(key, hash).await.unwrap();
    let both = Desk { store: desk.store.clone(), state: desk.state.clone(), key: text };
    assert_eq!(both.post("/v1/comments", json!({"id": 1, "text": PRAISE})).await.0, StatusCode::BAD_REQUEST);
    both.post("/v1/comments", json!({"id": 1, "site": "times", "text": PRAISE})).await;
    both.post("/v1/comments", json!({"id": 1, "site": "gazette", "text": PRAISE})).await;
    assert_eq!(
        both.post("/v1/comments", json!({"id": 1, "site": "echo", "text": COPY})).await.0,
        StatusCode::FORBIDDEN
    );
    let sites = |queue: &serde_json::Value| {
        let mut sites: Vec<String> = queue["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["site"].as_str().unwrap().to_owned())
            .collect();
        sites.sort();
        sites
    };
    let (_, queue) = both.get("/v1/queue").await;
    assert_eq!(sites(&queue), ["gazette", "times"]);
    assert_eq!(sites(&both.get("/v1/queue?site=times").await.1), ["times"]);
    assert_eq!(sites(&desk.get("/v1/queue").await.1), ["gazette"], "the other key sees its own");
    let items: Vec<serde_json::Value> =
        queue["items"].as_array().unwrap().iter().map(|item| json!({"id": item["id"]})).collect();
    let (status, body) = both.post("/v1/decisions", json!({"items": items, "action": "approve"})).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("refused")),
        "one site at a time"
    );
    desk.store.revoke_key(id).await.unwrap();
    assert!(desk.store.keys().await.unwrap().iter().any(|key| key.revoked_at.is_some()));
}

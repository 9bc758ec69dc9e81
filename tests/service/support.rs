//! A service in a folder, with a key for everything, called without a network.

use std::path::Path;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, web};
use claque::access::{KeyKind, hash_password, new_key};
use claque::config::{Config, Settings};
use claque::engine::{Engine, Model};
use claque::http::{State, routes};
use claque::intake::Intake;
use claque::rules::RuleSet;
use claque::store::Store;
use claque::store::records::{Hook, Key, Scope, Site, User};
use serde_json::{Value, json};

pub(crate) const PRAISE: &str = "The article raises important questions about the tram, and a nuanced understanding of this complex issue is crucial for all residents.";
pub(crate) const COPY: &str = "Join thousands of residents who have signed the petition against the new car park before Friday evening at nine.";

/// A service on a database in a folder, and a key for everything.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) state: web::Data<State>,
    pub(crate) key: String,
}

pub(crate) fn engine() -> Arc<Engine> {
    Arc::new(Engine {
        rules: RuleSet::load(None, chrono::NaiveDate::from_ymd_opt(2026, 11, 25).unwrap()).unwrap(),
        model: Model::shipped().unwrap(),
        config: Config::default(),
    })
}

pub(crate) async fn desk(dir: &Path) -> Desk {
    let store = Store::open(&dir.join("claque.db")).unwrap();
    store.add_site(Site { id: "gazette".into(), title: "The Gazette".into() }).await.unwrap();
    let key = make_key(&store, KeyKind::Api, &[Scope::Score, Scope::Review]).await;
    open(store, key).await
}

pub(crate) async fn open(store: Store, key: String) -> Desk {
    open_with(store, key, "").await
}

pub(crate) async fn open_with(store: Store, key: String, config: &str) -> Desk {
    let settings = Settings::parse(config).unwrap();
    let intake = Intake::start(engine(), store.clone(), &settings).await.unwrap();
    let state = web::Data::new(State::new(intake, &settings, "https://desk.example/"));
    Desk { store, state, key }
}

pub(crate) fn key_of(site: &str, scopes: &[Scope]) -> Key {
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

pub(crate) async fn make_key(store: &Store, kind: KeyKind, scopes: &[Scope]) -> String {
    let (key, hash) = new_key(kind).unwrap();
    store.add_key(key_of("gazette", scopes), hash).await.unwrap();
    key
}

impl Desk {
    pub(crate) async fn send(&self, request: TestRequest) -> (StatusCode, Value, String) {
        let app = init_service(App::new().app_data(self.state.clone()).configure(routes)).await;
        let response = call_service(&app, request.to_request()).await;
        let status = response.status();
        let bytes = actix_web::body::to_bytes(response.into_body()).await.ok().unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null), text)
    }

    pub(crate) fn authorised(&self, request: TestRequest) -> TestRequest {
        request.insert_header(("authorization", format!("Bearer {}", self.key)))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, body, _) = self.send(self.authorised(TestRequest::get().uri(path))).await;
        (status, body)
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.authorised(TestRequest::post().uri(path).set_json(body));
        let (status, body, _) = self.send(request).await;
        (status, body)
    }

    pub(crate) async fn form(&self, path: &str, body: &str) -> (StatusCode, String) {
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(body.to_owned());
        let (status, _, text) = self.send(request).await;
        (status, text)
    }

    /// Posts copies of one text by different authors, as a campaign.
    pub(crate) async fn campaign(&self) -> String {
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

    pub(crate) async fn status_of(&self, id: u32) -> String {
        let (_, comment) = self.get(&format!("/v1/comments/gazette/{id}")).await;
        comment["status"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn hook(desk: &Desk, name: &str, adapter: &str, secrets: &[&str]) {
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

/// A user's session: the cookie and the token that changing requests carry.
pub(crate) struct Session {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

pub(crate) async fn add_user(store: &Store, name: &str, role: &str, sites: &[&str]) {
    let user = User {
        name: name.into(),
        role: role.into(),
        sites: sites.iter().map(|site| (*site).to_owned()).collect(),
        created_at: 0,
        disabled_at: None,
        password_hash: hash_password("correct horse battery").unwrap(),
    };
    store.add_user(user).await.unwrap();
}

impl Desk {
    /// Sends a request and gives the whole response's head too.
    pub(crate) async fn send_for_head(&self, request: TestRequest) -> (StatusCode, HeaderMap, Value) {
        let app = init_service(App::new().app_data(self.state.clone()).configure(routes)).await;
        let response = call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = actix_web::body::to_bytes(response.into_body()).await.ok().unwrap();
        (status, headers, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub(crate) async fn log_in(&self, name: &str) -> Session {
        let body = json!({ "name": name, "password": "correct horse battery" });
        let (status, headers, person) =
            self.send_for_head(TestRequest::post().uri("/v1/session").set_json(body)).await;
        assert_eq!(status, StatusCode::OK, "{person}");
        let cookie = headers.get("set-cookie").unwrap().to_str().unwrap();
        Session {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            csrf: person["csrf"].as_str().unwrap().to_owned(),
        }
    }

    /// Posts as a person does from our own pages.
    pub(crate) async fn post_as(&self, session: &Session, path: &str, body: Value) -> (StatusCode, Value) {
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("cookie", session.cookie.clone()))
            .insert_header(("x-csrf-token", session.csrf.clone()))
            .insert_header(("origin", "https://desk.example"))
            .set_json(body);
        let (status, body, _) = self.send(request).await;
        (status, body)
    }

    pub(crate) async fn get_as(&self, session: &Session, path: &str) -> (StatusCode, Value) {
        let request = TestRequest::get().uri(path).insert_header(("cookie", session.cookie.clone()));
        let (status, body, _) = self.send(request).await;
        (status, body)
    }
}

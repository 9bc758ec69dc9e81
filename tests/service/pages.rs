//! The desk's pages as people's browsers meet them: the way in, forms and their token, what is escaped, decisions without a script, rights.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use claque::store::records::Site;
use serde_json::{Value, json};

use crate::support::{COPY, Desk, PRAISE, Session, add_user, desk};

const ADDRESSES: &[&str] = &[
    "/queue",
    "/campaigns",
    "/band",
    "/morning",
    "/morning.csv",
    "/history",
    "/search?q=tram",
    "/find?q=1",
    "/settings",
    "/help",
    "/try",
    "/admin/rules",
    "/audit",
    "/admin/users",
    "/admin/sites",
    "/admin/keys",
    "/admin/connections",
    "/admin/plans",
    "/admin/thresholds",
    "/admin/status",
    "/queue/rows",
    "/queue/counts",
];

/// Every address that takes a form, with fields that would do something.
const FORMS: &[(&str, &str)] = &[
    ("/logout", ""),
    ("/queue/bulk", "action=reject&item=x:1&sure=1"),
    ("/queue/x/decide", "action=reject"),
    ("/queue/x/take", ""),
    ("/band", "action=reject&low=0&high=25"),
    ("/views", "name=x&query=kind%3Dcomment"),
    ("/views/x/delete", ""),
    ("/campaigns/gazette/x/decide", "action=reject"),
    ("/campaigns/gazette/x/allow", "title=x&days=3"),
    ("/campaigns/gazette/x/rule", "text=x&action=save"),
    ("/comments/gazette/1/decide", "action=reject"),
    ("/authors/gazette/ann/trust", "trusted=true"),
    ("/authors/gazette/ann/decide", "action=reject"),
    ("/notes", "kind=comment&site=gazette&subject=1&text=x"),
    ("/decisions/x/undo", ""),
    ("/settings", "theme=dark"),
    ("/try", "text=x"),
    ("/admin/users", "new=1&name=eve&role=admin&password=correct+horse+battery"),
    ("/admin/sites", "id=evil&title=Evil"),
    ("/admin/keys", "sites=gazette&scopes=score"),
    ("/admin/connections", "do=replay&site=gazette"),
    ("/admin/rules", "remove=x"),
    ("/admin/plans", "id=x&do=apply"),
    ("/admin/status", ""),
];

impl Desk {
    async fn page(&self, session: &Session, path: &str) -> (StatusCode, String) {
        let request = TestRequest::get()
            .uri(path)
            .insert_header(("accept", "text/html"))
            .insert_header(("cookie", session.cookie.clone()));
        let (status, _, text) = self.send(request).await;
        (status, text)
    }

    /// Posts a form as a browser does; where it leads to.
    async fn submit(&self, session: &Session, path: &str, fields: &str) -> (StatusCode, String) {
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("accept", "text/html"))
            .insert_header(("cookie", session.cookie.clone()))
            .insert_header(("origin", "https://desk.example"))
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(format!("csrf={}&{fields}", session.csrf));
        let (status, headers, _) = self.send_for_head(request).await;
        let to = headers.get("location").map(|to| to.to_str().unwrap().to_owned());
        (status, to.unwrap_or_default())
    }

    async fn people(&self) -> Session {
        for (name, role) in [("ada", "admin"), ("mo", "moderator"), ("vic", "viewer")] {
            add_user(&self.store, name, role, &[]).await;
        }
        self.log_in("ada").await
    }
}

/// What stands between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}")).1;
    rest.split_once(end).unwrap().0
}

#[actix_web::test]
async fn a_person_is_led_to_the_login_and_back_and_a_program_gets_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    add_user(&desk.store, "mo", "moderator", &[]).await;
    for path in ADDRESSES {
        let request = TestRequest::get().uri(path).insert_header(("accept", "text/html"));
        let (status, headers, _) = desk.send_for_head(request).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{path}");
        assert!(headers.get("location").unwrap().to_str().unwrap().starts_with("/login?next="), "{path}");
        let (status, problem, _) = desk.send(TestRequest::get().uri(path)).await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthorized")), "{path}");
    }
    let form = |fields: &str| {
        TestRequest::post()
            .uri("/login")
            .insert_header(("accept", "text/html"))
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(fields.to_owned())
    };
    let right = "name=mo&password=correct+horse+battery";
    let (status, headers, _) =
        desk.send_for_head(form(&format!("{right}&next=%2Fqueue%3Fkind%3Dcampaign"))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers.get("location").unwrap(), "/queue?kind=campaign");
    let cookie = headers.get("set-cookie").unwrap().to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Secure"));
    for evil in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let (_, headers, _) = desk.send_for_head(form(&format!("{right}&next={evil}"))).await;
        assert_eq!(headers.get("location").unwrap(), "/", "{evil}");
    }
    let (status, _, text) = desk.send(form("name=mo&password=wrong")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(text.contains("name or password is wrong") && text.contains("value=\"mo\""), "{text}");
    let foreign = form(right).insert_header(("origin", "https://evil.example"));
    assert_eq!(desk.send(foreign).await.0, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn no_form_does_anything_without_its_token() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let admin = desk.people().await;
    for (path, fields) in FORMS {
        for token in ["", "csrf=wrong&"] {
            let request = TestRequest::post()
                .uri(path)
                .insert_header(("cookie", admin.cookie.clone()))
                .insert_header(("content-type", "application/x-www-form-urlencoded"))
                .set_payload(format!("{token}{fields}"));
            let (status, problem, _) = desk.send(request).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} {token} {problem}");
        }
        let foreign = TestRequest::post()
            .uri(path)
            .insert_header(("cookie", admin.cookie.clone()))
            .insert_header(("origin", "https://evil.example"))
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(format!("csrf={}&{fields}", admin.csrf));
        assert_eq!(desk.send(foreign).await.0, StatusCode::FORBIDDEN, "{path}");
        // With its token every one of them gets further: it answers, or finds nothing of that name.
        if *path != "/logout" {
            let (status, _) = desk.submit(&admin, path, fields).await;
            assert!(
                status != StatusCode::FORBIDDEN && status != StatusCode::NOT_FOUND
                    || path.contains("/x")
                    || path.contains("ann")
                    || path.contains("/1/")
                    || path.ends_with("rules")
                    || path.ends_with("plans")
                    || path.ends_with("bulk"),
                "{path}: {status}"
            );
        }
    }
    assert_eq!(desk.store.sites().await.unwrap().len(), 2, "only the form with its token made a site");
}

/// Whatever a template posts carries the token.
#[test]
fn every_form_of_every_template_carries_the_token() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/pages/templates");
    let mut forms = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for form in text.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            if form.split('>').next().unwrap().contains("method=\"post\"") && !path.ends_with("login.html") {
                assert!(form.contains("name=\"csrf\" value=\"{{ f.csrf }}\""), "{}: {form}", path.display());
                forms += 1;
            }
        }
        assert!(!text.contains(" style=\"") && !text.contains(" onclick"), "{}", path.display());
    }
    assert!(forms > 20, "{forms}");
}

#[actix_web::test]
async fn roles_see_and_do_what_is_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let admin = desk.people().await;
    let (moderator, viewer) = (desk.log_in("mo").await, desk.log_in("vic").await);
    for path in ADDRESSES {
        let (status, text) = desk.page(&admin, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        let is_admins = path.starts_with("/admin") && *path != "/admin/rules";
        let expected = if is_admins || *path == "/audit" { StatusCode::FORBIDDEN } else { StatusCode::OK };
        assert_eq!(desk.page(&moderator, path).await.0, expected, "{path}");
        assert_eq!(desk.page(&viewer, path).await.0, expected, "{path}");
    }
    desk.post("/v1/comments", json!({"id": 1, "author": "ann", "text": PRAISE})).await;
    let (_, page) = desk.page(&viewer, "/queue").await;
    assert!(!page.contains("name=\"action\""), "a viewer is shown no button that he may not press");
    assert_eq!(
        desk.submit(&viewer, "/comments/gazette/1/decide", "action=reject").await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        desk.submit(&moderator, "/authors/gazette/ann/trust", "trusted=true").await.0,
        StatusCode::FORBIDDEN
    );
    // Nobody takes his own rights away by a slip.
    let (status, _) = desk.submit(&admin, "/admin/users", "name=ada&role=viewer&every=1").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[actix_web::test]
async fn somebody_of_one_site_sees_nothing_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.store.add_site(Site { id: "other".into(), title: "Other".into() }).await.unwrap();
    add_user(&desk.store, "olga", "lead", &["other"]).await;
    for id in 1..=4 {
        desk.post(
            "/v1/comments",
            json!({"id": id, "article_id": "secret-article", "author": format!("u{id}"), "text": COPY}),
        )
        .await;
    }
    let (_, queue) = desk.get("/v1/queue").await;
    let card = queue["items"][0]["id"].as_str().unwrap();
    let campaign = queue["items"][0]["campaign"]["id"].as_str().unwrap();
    let olga = desk.log_in("olga").await;
    for path in [
        "/queue",
        "/campaigns",
        "/band",
        "/morning",
        "/morning.csv",
        "/history",
        "/search?q=petition",
        "/find?q=1",
        "/audit",
        "/admin/rules",
    ] {
        let (status, text) = desk.page(&olga, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        for secret in ["petition against", "secret-article", campaign] {
            assert!(!text.contains(secret), "{path} tells of {secret}");
        }
    }
    for path in [
        format!("/queue/{card}"),
        format!("/campaigns/gazette/{campaign}"),
        format!("/campaigns/other/{campaign}"),
        format!("/campaigns/gazette/{campaign}/rule"),
        format!("/campaigns/other/{campaign}/rule"),
        "/comments/gazette/1".to_owned(),
        "/comments/other/1".to_owned(),
        "/articles/gazette/secret-article".to_owned(),
        "/authors/gazette/u1".to_owned(),
    ] {
        let (status, text) = desk.page(&olga, &path).await;
        assert!(matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND), "{path}: {status}");
        assert!(!text.contains("petition against"), "{path}");
    }
}

#[actix_web::test]
async fn hostile_text_is_shown_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let admin = desk.people().await;
    let evil = "\"'><script>alert(1)</script><svg onload=alert(1)> {{7*7}} {% x %} \u{202e}abc";
    let article = json!({"id": "a/\"<b>", "title": evil, "url": "javascript:alert(1)", "section": evil});
    let (status, _) = {
        let request =
            desk.authorised(TestRequest::put().uri("/v1/articles/a%2F%22%3Cb%3E")).set_json(article);
        let (status, body, _) = desk.send(request).await;
        (status, body)
    };
    assert!(status.is_success(), "{status}");
    for id in 1..=4 {
        let text = format!("{evil} {COPY}");
        let comment = json!({"id": format!("{id}\"<i>"), "article_id": "a/\"<b>", "author": {"id": format!("{evil}{id}"), "name": evil}, "text": text});
        let (status, body) = desk.post("/v1/comments", comment).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
    let single = json!({"id": "9\"<i>", "article_id": "a/\"<b>", "author": {"id": evil, "name": evil}, "text": format!("{PRAISE} {evil}"), "parent_id": "1\"<i>"});
    desk.post("/v1/comments", single).await;
    let e = |text: &str| -> String {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect()
    };
    let fields = format!("kind=comment&site=gazette&subject={}&text={}", e("9\"<i>"), e(evil));
    assert_eq!(desk.submit(&admin, "/notes", &fields).await.0, StatusCode::SEE_OTHER);
    let (status, _) = desk.submit(&admin, "/views", &format!("name={}&query=kind%3Dcomment", e(evil))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let decide = format!("/comments/gazette/{}/decide", e("9\"<i>"));
    let (status, _) =
        desk.submit(&admin, &decide, &format!("action=reject&reason={}&note={}", e("<b>r"), e(evil))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, queue) = desk.get("/v1/queue").await;
    let campaign = queue["items"][0]["campaign"]["id"].as_str().unwrap();
    let card = queue["items"][0]["id"].as_str().unwrap();
    let query = format!("/search?q={}", e("<script>"));
    let (_, tried) = desk.submit(&admin, "/try", &format!("text={}&title={}", e(evil), e(evil))).await;
    for path in [
        "/queue".to_owned(),
        format!("/queue/{card}"),
        "/campaigns".to_owned(),
        format!("/campaigns/gazette/{campaign}"),
        format!("/campaigns/gazette/{campaign}/members"),
        format!("/campaigns/gazette/{campaign}/rule"),
        format!("/comments/gazette/{}", e("9\"<i>")),
        format!("/articles/gazette/{}", e("a/\"<b>")),
        format!("/authors/gazette/{}", e(evil)),
        "/history".to_owned(),
        "/audit".to_owned(),
        "/morning".to_owned(),
        "/band".to_owned(),
        query,
        tried,
    ] {
        let (status, text) = desk.page(&admin, &path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        assert_eq!(text.matches("<script").count(), 1, "{path}: only the page's own script");
        // In a field that is edited a text stays what it is, and so does an id.
        let edited = path.starts_with("/try") || path.starts_with("/authors");
        for bad in ["<svg onload", "<i>", "href=\"javascript:", "\u{202e}", ">49<"] {
            if bad == "\u{202e}" && edited {
                continue;
            }
            assert!(!text.contains(bad), "{path} holds {bad}");
        }
        // Everything that is opened is an element of ours.
        assert!(!text.contains("<b>r"), "{path}");
    }
    let (_, text) = desk.page(&admin, &format!("/comments/gazette/{}", e("9\"<i>"))).await;
    assert!(
        text.contains("&#60;script&#62;alert(1)") && text.contains("U+202E") && text.contains("{{7*7}}"),
        "{text}"
    );
}

#[actix_web::test]
async fn a_queue_is_read_and_decided_without_a_script() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.people().await;
    let mo = desk.log_in("mo").await;
    desk.campaign().await;
    desk.post("/v1/comments", json!({"id": 10, "author": "ann", "text": PRAISE})).await;
    let (_, page) = desk.page(&mo, "/queue").await;
    let card = between(&page, "href=\"/queue/", "?");
    let (_, page) = desk.page(&mo, &format!("/queue/{card}?back=/queue")).await;
    assert!(page.contains("Flagged because") || page.contains("say nearly the same"), "{page}");
    // The campaign but for two of its comments.
    let (_, queue) = desk.get("/v1/queue").await;
    let item = queue["items"].as_array().unwrap().iter().find(|item| item["kind"] == "campaign").unwrap();
    let (id, version) = (item["id"].as_str().unwrap(), item["version"].as_i64().unwrap());
    let fields = format!("action=reject&version={version}&except=2&except=3&back=/queue&note=copies");
    let (status, to) = desk.submit(&mo, &format!("/queue/{id}/decide"), &fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let mut stands = Vec::new();
    for id in 1..=4 {
        stands.push(desk.status_of(id).await);
    }
    assert_eq!(stands, ["rejected", "published", "published", "rejected"]);
    // What was seen before is not decided again.
    let (status, _) = desk.submit(&mo, &format!("/queue/{id}/decide"), &fields).await;
    assert_eq!(status, StatusCode::CONFLICT);
    // The page offers to undo it.
    let (_, page) = desk.page(&mo, &to).await;
    let undo = between(&page, "action=\"/decisions/", "/undo").to_owned();
    let (status, to) = desk.submit(&mo, &format!("/decisions/{undo}/undo"), "back=/queue").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(desk.page(&mo, &to).await.1.contains("everything is as it was"));
    assert_eq!(desk.status_of(1).await, "published");
    // A selection: asked first, then decided.
    let (_, queue) = desk.get("/v1/queue").await;
    let items: Vec<String> = queue["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("item={}:{}", item["id"].as_str().unwrap(), item["version"]))
        .collect();
    let fields = format!("action=approve&{}", items.join("&"));
    assert_eq!(desk.submit(&mo, "/queue/bulk", &fields).await.0, StatusCode::OK, "a question first");
    assert_eq!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().len(), items.len());
    assert_eq!(desk.submit(&mo, "/queue/bulk", &format!("{fields}&sure=1")).await.0, StatusCode::SEE_OTHER);
    assert!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().is_empty());
    let (_, page) = desk.page(&mo, "/queue").await;
    assert!(page.contains("Nothing waits here") && page.contains("data-count=\"all\">0<"), "{page}");
}

#[actix_web::test]
async fn a_band_is_decided_and_leaves_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.people().await;
    let mo = desk.log_in("mo").await;
    for (id, text) in [
        (1, PRAISE),
        (
            2,
            "Absolutely. A balanced assessment is essential, and transparency is crucial for building trust in our institutions.",
        ),
    ] {
        desk.post("/v1/comments", json!({"id": id, "author": format!("u{id}"), "text": text})).await;
    }
    let (_, queue) = desk.get("/v1/queue").await;
    let rare = |item: &Value| 1.0 / (1.0 - item["assessment"]["score"].as_f64().unwrap());
    let items = queue["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{queue}");
    let column = |item: &Value| (rare(item).log10() * 2.0) as usize;
    let (high, low) = (column(&items[0]).max(column(&items[1])), column(&items[0]).min(column(&items[1])));
    assert!(low < high, "the two are of different columns: {low} {high}");
    let (_, page) = desk.page(&mo, &format!("/band?low={high}&high=25")).await;
    assert!(page.contains("data-cards=\"1\""), "{page}");
    let fields = format!("action=approve&low={high}&high=25");
    assert_eq!(
        desk.submit(&mo, "/band", &fields).await.0,
        StatusCode::OK,
        "without a script it is asked first"
    );
    assert_eq!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().len(), 2);
    let (status, to) = desk.submit(&mo, "/band", &format!("{fields}&sure=1")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, queue) = desk.get("/v1/queue").await;
    let left = queue["items"].as_array().unwrap();
    assert_eq!((left.len(), column(&left[0])), (1, low), "the other one still waits");
    let decision = to.split("done=").nth(1).unwrap().to_owned();
    assert_eq!(desk.submit(&mo, &format!("/decisions/{decision}/undo"), "").await.0, StatusCode::SEE_OTHER);
    assert_eq!(desk.get("/v1/queue").await.1["items"].as_array().unwrap().len(), 2);
    assert_eq!(desk.page(&mo, "/band?low=x").await.0, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn the_numbers_beside_the_queues_are_those_of_the_cards() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    desk.people().await;
    let mo = desk.log_in("mo").await;
    let counts = async || desk.get_as(&mo, "/queue/counts").await.1;
    let card = desk.campaign().await;
    for id in 10..15 {
        let text = format!("{PRAISE} It is {id}.");
        desk.post("/v1/comments", json!({"id": id, "author": "ann", "text": text})).await;
    }
    let now = counts().await;
    assert_eq!(
        (&now["all"], &now["campaigns"], &now["escalated"]),
        (&json!(6), &json!(1), &json!(0)),
        "{now}"
    );
    let escalate = json!({"item": card, "action": "escalate"});
    assert_eq!(desk.post_as(&mo, "/v1/decisions", escalate).await.0, StatusCode::OK);
    assert_eq!(counts().await["escalated"], 1);
    let (_, decided) = desk
        .post("/v1/decisions", json!({"comment": {"site": "gazette", "id": 10}, "action": "reject"}))
        .await;
    assert_eq!(counts().await["all"], 5);
    desk.post(&format!("/v1/decisions/{}/undo", decided["id"].as_str().unwrap()), json!({})).await;
    assert_eq!(counts().await["all"], 6);
    let gone = desk.authorised(TestRequest::delete().uri("/v1/comments/gazette/11"));
    assert!(desk.send(gone).await.0.is_success());
    let (_, queue) = desk.get("/v1/queue").await;
    assert_eq!(counts().await["all"], queue["items"].as_array().unwrap().len());
    assert_eq!(counts().await["all"], 5, "a deletion takes its card along");
}

#[actix_web::test]
async fn a_rule_is_drafted_tried_and_kept_as_shadow_only() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let admin = desk.people().await;
    desk.campaign().await;
    let (_, queue) = desk.get("/v1/queue").await;
    let campaign = queue["items"][0]["campaign"]["id"].as_str().unwrap();
    let path = format!("/campaigns/gazette/{campaign}/rule");
    let (_, page) = desk.page(&admin, &path).await;
    assert!(page.contains("2 cases, 0 failed") && page.contains("It hits 4 comments of 4"), "{page}");
    let draft = between(&page, "required>", "</textarea>")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&");
    let e = |text: &str| serde_urlencoded_like(text);
    let live = draft.replace("\"shadow\"", "\"live\"");
    let (status, _) = desk.submit(&admin, &path, &format!("action=save&text={}", e(&live))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "a draft never counts");
    let broken = draft.replace("hits = true", "hits = false");
    let (status, _) = desk.submit(&admin, &path, &format!("action=save&text={}", e(&broken))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "its self-test fails");
    let (status, _) = desk.submit(&admin, &path, &format!("action=save&text={}", e(&draft))).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let drafts = desk.store.rule_drafts().await.unwrap();
    assert_eq!((drafts.len(), drafts[0].actor.as_str()), (1, "user:ada"));
    assert!(desk.page(&admin, "/admin/rules").await.1.contains(&drafts[0].id));
    let (status, _) = desk.submit(&admin, "/admin/rules", &format!("remove={}", drafts[0].id)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(desk.store.rule_drafts().await.unwrap().is_empty());
}

/// A text as a form sends it.
fn serde_urlencoded_like(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[actix_web::test]
async fn what_an_administrator_does_is_written_down_under_his_name() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let admin = desk.people().await;
    let password = "password=correct+horse+battery";
    let (status, _) = desk
        .submit(&admin, "/admin/users", &format!("new=1&name=nina&role=lead&sites=gazette&{password}"))
        .await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let nina = desk.store.user("nina".into()).await.unwrap().unwrap();
    assert_eq!((nina.role.as_str(), nina.sites.as_slice()), ("lead", &["gazette".to_owned()][..]));
    let log = desk.store.audit_before(claque::store::records::Sites::All, None, 5).await.unwrap();
    let entry = log.iter().find(|entry| entry.action == "user.add" && entry.subject == "nina").unwrap();
    assert_eq!(entry.actor, "user:ada");
    assert!(!entry.detail.contains("argon2"), "no hash in the log");
    // A key is shown once, works, and is revoked.
    let request = TestRequest::post()
        .uri("/admin/keys")
        .insert_header(("cookie", admin.cookie.clone()))
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload(format!("csrf={}&sites=gazette&scopes=review&title=desk", admin.csrf));
    let (status, headers, _) = desk.send_for_head(request).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "loading the page again must not make another key");
    let to = headers.get("location").unwrap().to_str().unwrap();
    let made = desk.store.keys().await.unwrap().len();
    let mo = desk.log_in("mo").await;
    assert_eq!(desk.page(&mo, to).await.0, StatusCode::FORBIDDEN);
    let (_, page) = desk.page(&admin, to).await;
    assert!(!desk.page(&admin, to).await.1.contains("fresh-key"), "shown once");
    assert_eq!(desk.store.keys().await.unwrap().len(), made);
    let key = between(&page, "id=\"fresh-key\" readonly value=\"", "\"").to_owned();
    let with = |key: &str| {
        TestRequest::get().uri("/v1/queue").insert_header(("authorization", format!("Bearer {key}")))
    };
    assert_eq!(desk.send(with(&key)).await.0, StatusCode::OK);
    let (_, page) = desk.page(&admin, "/admin/keys").await;
    assert!(!page.contains(&key), "shown once");
    let id = between(page.split("desk</bdi>").nth(1).unwrap(), "name=\"revoke\" value=\"", "\"").to_owned();
    assert_eq!(desk.submit(&admin, "/admin/keys", &format!("revoke={id}")).await.0, StatusCode::SEE_OTHER);
    // A key is believed for some seconds after it was looked up; a fresh look finds it gone.
    let keys = desk.store.keys().await.unwrap();
    assert!(keys.iter().find(|key| key.id == id).unwrap().revoked_at.is_some());
}

#[actix_web::test]
async fn other_thresholds_are_tried_and_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let admin = desk.people().await;
    let text = "Honestly a thoughtful piece, more of this balanced reporting would be really important for our city and for everyone in it.";
    for id in 1..=3 {
        desk.post(
            "/v1/comments",
            json!({"id": id, "author": format!("u{id}"), "text": format!("{text} {id}")}),
        )
        .await;
    }
    let before = desk.get("/v1/queue").await.1;
    let (status, page) = desk.page(&admin, "/admin/thresholds?text.alone_p=1.0&text.alone_words=1").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(page.contains("alone_p = 1") && page.contains("Of 3 comments"), "{page}");
    let wrong = desk.page(&admin, "/admin/thresholds?text.alone_p=nonsense").await;
    assert_eq!(wrong.0, StatusCode::BAD_REQUEST);
    assert!(wrong.1.contains("alone_p") || wrong.1.contains("TOML"), "{}", wrong.1);
    assert_eq!(desk.get("/v1/queue").await.1, before);
}

#[actix_web::test]
async fn settings_are_a_persons_own_and_no_key_does_two_things() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path()).await;
    let admin = desk.people().await;
    let mo = desk.log_in("mo").await;
    assert_eq!(desk.submit(&mo, "/settings", "theme=dark&key-approve=a").await.0, StatusCode::SEE_OTHER);
    let (_, page) = desk.page(&mo, "/help").await;
    assert!(page.contains("data-theme=\"dark\"") && page.contains("<kbd>a</kbd>"), "{page}");
    assert!(!desk.page(&admin, "/help").await.1.contains("data-theme"));
    assert_eq!(
        desk.submit(&mo, "/settings", "key-approve=d").await.0,
        StatusCode::BAD_REQUEST,
        "d rejects already"
    );
    assert_eq!(desk.submit(&mo, "/settings", "key-approve=ab").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(desk.submit(&mo, "/settings", "usual=1").await.0, StatusCode::SEE_OTHER);
    assert!(desk.page(&mo, "/help").await.1.contains("<kbd>f</kbd>"));
}

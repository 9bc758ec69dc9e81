//! The mapping as its user meets it: TOML and a delivery in, an event or a sentence out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Mapping;
use crate::cms::{Delivery, Event, Refusal};
use crate::domain::{Article, Author, Comment, Status};
use crate::wire::signature;

/// 25 November 2026, 9:00 UTC, in milliseconds.
const NOW: i64 = 1_795_597_200_000;

const EXAMPLE: &str = include_str!("../../../examples/mapping/map.toml");
const EXAMPLE_DELIVERY: &str = include_str!("../../../examples/mapping/comment.json");

/// A second CMS: the event in a header, a list of posts, statuses as numbers.
const FORUM: &str = r#"
    event = { header = "X-Forum-Event", comment = "post", status = ["hide", "show"] }
    signature = { kind = "hmac-sha256-base64", header = "X-Forum-Hmac" }
    [comment]
    id = "posts.0.no"
    text = ["posts.0.raw", "posts.0.cooked"]
    thread_id = "topic"
    created_at = "posts.0.at"
    updated_at = "posts.0.edited"
    [comment.author]
    id = "posts.0.by"
    [comment.status]
    field = "posts.0.visible"
    published = [1, true]
    rejected = [0, false]
"#;

/// A third: no kinds of event, names with dots, a shared secret.
const PLAIN: &str = r#"
    signature = { kind = "header", header = "authorization", prefix = "Bearer " }
    comment = { id = "/comment.id", text = "/comment.text", status = "state", article_id = "on", lang = { value = "de" } }
    [article]
    id = "on"
    title = "about"
"#;

fn mapping(toml: &str) -> Mapping {
    Mapping::parse(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

fn with<T>(body: &str, headers: &[(&str, &str)], then: impl FnOnce(&Delivery<'_>) -> T) -> T {
    let header =
        |name: &str| headers.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
    then(&Delivery { header: &header, body: body.as_bytes(), now: NOW })
}

fn read(toml: &str, payload: &Value, headers: &[(&str, &str)]) -> Result<Event, Refusal> {
    with(&payload.to_string(), headers, |delivery| mapping(toml).read(delivery))
}

fn refusal(toml: &str, payload: &Value) -> String {
    match read(toml, payload, &[("x-forum-event", "post")]) {
        Err(Refusal::Body(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn time(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().unwrap()
}

#[test]
fn the_example_gives_everything() {
    let event = with(EXAMPLE_DELIVERY, &[], |delivery| mapping(EXAMPLE).read(delivery)).unwrap();
    let Event::Comment(comment, Some(article)) = event else { panic!("{event:?}") };
    assert_eq!(
        *comment,
        Comment {
            id: "c-20261125-0917".into(),
            article_id: Some("7741".into()),
            author: Some(Author {
                id: Some("48213".into()),
                name: Some("Marion Feld".to_owned()),
                registered_at: Some(time("2026-11-24T09:00:00Z")),
                role: Some("reader".to_owned()),
                ..Author::default()
            }),
            created_at: Some(time("2026-11-25T09:00:00Z")),
            revision: Some("1".into()),
            status: Some(Status::Pending),
            lang: Some("en-GB".to_owned()),
            text: "<p>The article raises important questions, and a nuanced understanding of this complex issue is crucial.</p>".to_owned(),
            ..Comment::default()
        }
    );
    assert_eq!(
        *article,
        Article {
            id: "7741".into(),
            url: Some("https://gazette.example/local/tram".to_owned()),
            title: "Council approves the tram".to_owned(),
            body: Some("<p>It will cost 184 million and open in 2031.</p>".to_owned()),
            section: Some("local".to_owned()),
            published_at: Some(time("2026-11-25T08:00:00Z")),
            ..Article::default()
        }
    );
}

#[test]
fn every_kind_of_event() {
    let payload = |name: &str, state: &str| json!({ "event": { "name": name }, "data": { "comment": { "uuid": "c", "state": state }, "story": { "id": "s" } } });
    for (name, state, expected) in [
        ("comment:moderated", "live", Event::Status("c".into(), Status::Published)),
        ("comment:moderated", "spam", Event::Status("c".into(), Status::Rejected)),
        ("comment:moderated", "flagged", Event::Ignored),
        ("comment:gone", "live", Event::Deleted("c".into())),
        ("story:published", "", Event::Article(Box::new(Article { id: "s".into(), ..Article::default() }))),
        ("comment:edit", "gone", Event::Status("c".into(), Status::Deleted)),
        ("ping", "", Event::Ignored),
    ] {
        assert_eq!(read(EXAMPLE, &payload(name, state), &[]).as_ref(), Ok(&expected), "{name} {state}");
    }
}

#[test]
fn a_forum_with_lists_numbers_and_a_header() {
    let payload = json!({ "topic": 9, "posts": [
        { "no": 12, "raw": "", "cooked": "<p>Hi</p>", "at": 1_795_597_200, "edited": 1_795_597_260_000_i64, "by": true, "visible": 1 },
        { "no": 13 },
    ]});
    let comment = Comment {
        id: "12".into(),
        thread_id: Some("9".into()),
        author: Some(Author { id: Some("true".into()), ..Author::default() }),
        created_at: Some(time("2026-11-25T09:00:00Z")),
        updated_at: Some(time("2026-11-25T09:01:00Z")),
        status: Some(Status::Published),
        text: "<p>Hi</p>".to_owned(),
        ..Comment::default()
    };
    assert_eq!(
        read(FORUM, &payload, &[("x-forum-event", "post")]),
        Ok(Event::Comment(Box::new(comment), None))
    );
    let hidden = json!({ "posts": [{ "no": 12, "visible": false }] });
    let rejected = Ok(Event::Status("12".into(), Status::Rejected));
    assert_eq!(read(FORUM, &hidden, &[("x-forum-event", "hide")]), rejected);
    assert_eq!(read(FORUM, &hidden, &[("x-forum-event", "like")]), Ok(Event::Ignored));
    let without = Err(Refusal::Body("the header `x-forum-event` (event.header) is missing".to_owned()));
    assert_eq!(read(FORUM, &hidden, &[]), without);
}

#[test]
fn what_is_missing_null_or_empty_is_none() {
    let bare =
        Comment { id: "a".into(), text: String::new(), lang: Some("de".to_owned()), ..Comment::default() };
    for payload in [
        json!({ "comment.id": "a", "comment.text": "" }),
        json!({ "comment.id": "a", "comment.text": "", "state": null, "on": "", "about": 7 }),
        json!({ "comment.id": "a", "comment.text": "", "state": "odd" }),
    ] {
        assert_eq!(read(PLAIN, &payload, &[]), Ok(Event::Comment(Box::new(bare.clone()), None)), "{payload}");
    }
    for never in [json!(0), json!(false), json!(""), json!(null)] {
        let payload = json!({ "posts": [{ "no": 1, "raw": "x", "edited": never }] });
        let Ok(Event::Comment(comment, None)) = read(FORUM, &payload, &[("x-forum-event", "post")]) else {
            panic!("{payload}");
        };
        assert_eq!(comment.updated_at, None);
    }
    // An article's id is the comment's too; an article of which nothing else is known is not passed on.
    let payload = json!({ "comment.id": "a", "comment.text": "", "on": 5, "state": "pending" });
    let comment = Comment { article_id: Some("5".into()), status: Some(Status::Pending), ..bare };
    assert_eq!(read(PLAIN, &payload, &[]), Ok(Event::Comment(Box::new(comment), None)));
}

#[test]
fn a_payload_that_does_not_fit_is_refused_with_its_path() {
    let forum = |field: &str, value: Value| {
        let mut payload = json!({ "posts": [{ "no": 1, "raw": "x" }] });
        payload["posts"][0][field] = value;
        refusal(FORUM, &payload)
    };
    for (error, expected) in [
        (forum("no", json!([1])), "`posts.0.no` (comment.id) is a list; wanted a string or a whole number"),
        (
            forum("no", json!(1.5)),
            "`posts.0.no` (comment.id) is the number 1.5; wanted a string or a whole number",
        ),
        (forum("no", json!(null)), "`posts.0.no` (comment.id) is missing"),
        (forum("no", json!("")), "`posts.0.no` (comment.id) is missing"),
        (forum("raw", json!(null)), "`posts.0.raw or posts.0.cooked` (comment.text) is missing"),
        (forum("raw", json!({})), "`posts.0.raw` (comment.text) is an object; wanted a string"),
        (forum("raw", json!(5)), "`posts.0.raw` (comment.text) is the number 5; wanted a string"),
        (
            forum("by", json!({})),
            "`posts.0.by` (comment.author.id) is an object; wanted a string or a whole number",
        ),
        (
            forum("at", json!("yesterday")),
            "`posts.0.at` (comment.created_at) is the string \"yesterday\"; wanted a time: RFC 3339, or seconds or milliseconds since 1970",
        ),
        (
            forum("at", json!(true)),
            "`posts.0.at` (comment.created_at) is the boolean true; wanted a time: RFC 3339, or seconds or milliseconds since 1970",
        ),
        (
            forum("visible", json!([])),
            "`posts.0.visible` (comment.status) is a list; wanted a word, a whole number or a boolean",
        ),
        (refusal(EXAMPLE, &json!({})), "`event.name` (event.field) is missing"),
        (
            refusal(EXAMPLE, &json!({ "event": { "name": {} } })),
            "`event.name` (event.field) is an object; wanted a string or a whole number",
        ),
        (
            refusal(EXAMPLE, &json!({ "event": { "name": "story:published" } })),
            "`data.story.id` (article.id) is missing",
        ),
        (refusal(EXAMPLE, &json!([])), "not a JSON object"),
    ] {
        assert_eq!(error, expected);
    }
    let error = with("{", &[], |delivery| mapping(PLAIN).read(delivery)).unwrap_err();
    assert!(error.to_string().starts_with("not JSON: "), "{error}");
}

const SIGN: &str = "signature = { kind = \"header\", header = \"x\" }\n";
const LEAST: &str = "comment = { id = \"a\", text = \"b\" }\n";

fn assert_refused(toml: &str, expected: &str) {
    let error = Mapping::parse(toml).expect_err(toml);
    assert!(error.contains(expected), "{toml}\n{error}");
}

#[test]
fn fields_that_cannot_work_are_named_with_the_remedy() {
    let (sign, least) = (SIGN, LEAST);
    let signed = |comment: &str| format!("{sign}[comment]\nid = \"a\"\ntext = \"b\"\n{comment}");
    for (toml, expected) in [
        ("x".to_owned(), "TOML parse error at line 1"),
        (
            format!("{sign}{least}coment = 1"),
            "unknown field `coment`, expected one of `event`, `signature`, `comment`, `article`",
        ),
        (least.to_owned(), "`[signature]` is missing: without it anybody could post."),
        (sign.to_owned(), "`comment.id` is missing and a comment needs it: id = \"path.to.it\""),
        (format!("{sign}comment.id = \"a\""), "`comment.text` is missing and a comment needs it"),
        (
            format!("{sign}comment = {{ id = {{ value = 1 }}, text = \"b\" }}"),
            "`comment.id` is the same for all: write a path",
        ),
        (
            signed("txt = \"x\""),
            "`comment.txt` is unknown; known are id, text, article_id, thread_id, parent_id, author.id, author.name",
        ),
        (signed("author.nmae = \"x\""), "`comment.author.nmae` is unknown; known are"),
        (signed("author = \"x\""), "`comment.author` is unknown; known are"),
        (
            signed("lang = \"a..b\""),
            "`comment.lang` is `a..b`: a name is empty; write \"data.comment.id\", or",
        ),
        (
            signed("lang = 5"),
            "`comment.lang` is 5: write a path such as \"data.comment.id\" or a list of paths, and what is the same for all as { value = 5 }",
        ),
        (signed("lang = []"), "`comment.lang` is an empty list: write a path"),
        (signed("lang = [[]]"), "`comment.lang` is []: write a path"),
        (signed("lang = {}"), "`comment.lang` is empty: write { field = "),
        (signed("lang = { path = \"x\" }"), "`comment.lang.path` is unknown; known are field, value"),
        (signed("lang = { value = \"\" }"), "`comment.lang.value` is empty: take it out"),
        (signed("lang = { value = 1 }"), "`comment.lang.value` is the number 1; wanted a string"),
        (
            signed("lang = { value = [] }"),
            "`comment.lang.value` must be a string, a whole number or a boolean",
        ),
        (
            signed("created_at = { value = \"noon\" }"),
            "`comment.created_at.value` is the string \"noon\"; wanted a time",
        ),
        (
            signed("status = { field = \"x\", aproved = \"y\" }"),
            "`comment.status.aproved` is unknown; known are field, value, published, pending, rejected, deleted",
        ),
        (
            signed("status = { published = \"y\" }"),
            "`comment.status.field` is missing: say where the words stand",
        ),
        (
            signed("status = { field = \"x\", published = \"y\", pending = \"y\" }"),
            "`comment.status`: `y` stands twice",
        ),
        (
            signed("status = { field = \"x\", published = 1.5 }"),
            "`comment.status.published` holds 1.5: write the words that the CMS sends",
        ),
        (
            signed("status = { value = \"live\" }"),
            "`comment.status.value` must be published, pending, rejected or deleted",
        ),
        (signed("[article]\ntitle = \"t\""), "`article.id` is missing and an article needs it"),
        (
            signed("[article]\nid = \"t\"\ntext = \"t\""),
            "`article.text` is unknown; known are id, url, title, body, section, published_at",
        ),
    ] {
        assert_refused(&toml, expected);
    }
}

#[test]
fn events_and_signatures_that_cannot_work_are_named_with_the_remedy() {
    let event = |event: &str| format!("{SIGN}{LEAST}event = {{ {event} }}");
    let signing = |signature: &str| format!("{LEAST}signature = {{ {signature} }}");
    let hmac = |keys: &str| signing(&format!("kind = \"hmac-sha256-hex\", {keys}"));
    for (toml, expected) in [
        (event("comment = \"x\""), "`event.field` is missing: say where"),
        (
            event("field = \"a\", header = \"b\", comment = \"x\""),
            "`event.field` and `event.header`: write one of them",
        ),
        (event("header = \"a b\", comment = \"x\""), "`event.header` is `a b`: write a header's name"),
        (event("field = \"a\""), "`[event]` names no event"),
        (event("field = \"a\", comment = \"x\", deleted = [\"x\"]"), "`[event]`: `x` stands twice"),
        (event("field = \"a\", comment = {}"), "`event.comment` holds {}: write the words"),
        (event("field = \"a\", created = \"x\""), "unknown field `created`, expected one of"),
        (event("field = \"a\", status = \"x\""), "`comment.status` is missing and `event.status` needs it"),
        (event("field = \"a\", article = \"x\""), "`[article]` is missing and `event.article` needs it"),
        (
            signing("kind = \"md5\""),
            "`signature.kind` is `md5`; known are hmac-sha256-hex, hmac-sha256-base64, standard-webhooks, header",
        ),
        (signing("kind = \"header\""), "`signature.header` is missing: write a header's name"),
        (signing("kind = \"hmac-sha256-hex\""), "`signature.header` is missing"),
        (hmac("header = \"\""), "`signature.header` is ``: write a header's name"),
        (
            signing("kind = \"standard-webhooks\", header = \"x\""),
            "`signature.header` means nothing with kind = \"standard-webhooks\": take it out",
        ),
        (
            signing("kind = \"header\", header = \"x\", signed = \"{body}\""),
            "`signature.signed` means nothing with kind = \"header\"",
        ),
        (
            hmac("header = \"x\", signed = \"{timestamp}{body}\""),
            "`signature.signed` needs `signature.timestamp_header`",
        ),
        (hmac("header = \"x\", signed = \"{id}{body}\""), "`signature.signed` needs `signature.id_header`"),
        (hmac("header = \"x\", timestamp_prefix = \"t=\""), "`signature.timestamp_header` is missing"),
        (
            hmac("header = \"x\", timestamp_header = \"y\", signed = \"{body}\""),
            "`signature.signed` leaves out {timestamp}",
        ),
        (
            hmac("header = \"x\", signed = \"{url}{body}\""),
            "`signature.signed` is `{url}{body}`: `{url}` is unknown; write {body}",
        ),
        (hmac("header = \"x\", signed = \"{body\""), "`signature.signed` is `{body`: a brace is not closed"),
        (
            hmac("header = \"x\", signed = \"all\""),
            "`signature.signed` is `all`: {body} must stand in it once",
        ),
        (signing("kind = \"header\", secret = \"s\""), "unknown field `secret`"),
    ] {
        assert_refused(&toml, expected);
    }
}

#[test]
fn only_articles_need_no_comment() {
    let toml = "signature.kind = \"standard-webhooks\"\nevent = { field = \"type\", article = \"post\" }\narticle.id = \"id\"";
    let article = Article { id: "7".into(), ..Article::default() };
    assert_eq!(read(toml, &json!({ "type": "post", "id": 7 }), &[]), Ok(Event::Article(Box::new(article))));
}

/// A mapping whose only point is its signature.
fn signing(signature: &str) -> Mapping {
    mapping(&format!("comment = {{ id = \"a\", text = \"b\" }}\n[signature]\n{signature}"))
}

const BODY: &str = "{\"a\": 1}";

fn verify(mapping: &Mapping, headers: &[(&str, &str)]) -> Result<Option<String>, Refusal> {
    let secrets = ["old".to_owned(), String::new(), "new secret,=".to_owned()];
    with(BODY, headers, |delivery| mapping.verify(delivery, &secrets))
}

fn hmac(secret: &str, signed: &str) -> [u8; 32] {
    signature::hmac(secret.as_bytes(), &[signed.as_bytes()])
}

#[test]
fn hmacs_in_hexadecimal_and_base64() {
    let hex_mapping =
        signing("kind = \"hmac-sha256-hex\"\nheader = \"X-Sig\"\nprefix = \"sha256=\"\nid_header = \"x-id\"");
    let good = hex::encode(hmac("new secret,=", BODY));
    let right = |header: &str| verify(&hex_mapping, &[("x-sig", header)]) == Ok(None);
    assert!(right(&format!("sha256={good}")));
    assert!(right(&format!("sha1=00, sha256=00,sha256={}", good.to_uppercase())));
    let old = hex::encode(hmac("old", BODY));
    assert_eq!(
        verify(&hex_mapping, &[("x-sig", &format!("sha256={old}")), ("x-id", "d1")]),
        Ok(Some("d1".to_owned()))
    );
    for wrong in [
        "",
        "sha256=",
        "sha256=zz",
        &good,
        &format!("sha256={}", hex::encode(hmac("", BODY))),
        &format!("sha256={good}00"),
    ] {
        assert!(!right(wrong), "{wrong}");
    }
    assert_eq!(verify(&hex_mapping, &[]), Err(Refusal::Signature));

    let base64_mapping = signing("kind = \"hmac-sha256-base64\"\nheader = \"x-sig\"\nprefix = \"v1,\"");
    let good = STANDARD.encode(hmac("old", BODY));
    for header in [format!("v1,{good}"), format!("v1,{}", good.trim_end_matches('='))] {
        assert_eq!(verify(&base64_mapping, &[("x-sig", &header)]), Ok(None), "{header}");
    }
    assert_eq!(verify(&base64_mapping, &[("x-sig", &good)]), Err(Refusal::Signature));
}

#[test]
fn signed_times_are_checked() {
    let seconds = |off: i64| (NOW / 1000 + off).to_string();
    let separate = signing("kind = \"hmac-sha256-hex\"\nheader = \"x-sig\"\ntimestamp_header = \"x-time\"");
    let all = signing(
        "kind = \"hmac-sha256-hex\"\nheader = \"x-sig\"\nprefix = \"v1=\"\ntimestamp_header = \"x-sig\"\ntimestamp_prefix = \"t=\"\nid_header = \"x-id\"\nsigned = \"v0:{id}:{timestamp}:{body}\"",
    );
    let send = |time: &str| {
        let sig = hex::encode(hmac("old", &format!("{time}.{BODY}")));
        verify(&separate, &[("x-sig", &sig), ("x-time", time)])
    };
    assert_eq!(send(&seconds(300)), Ok(None));
    assert_eq!(send(&format!("{}", NOW - 1)), Ok(None));
    assert_eq!(send("2026-11-25T09:04:59Z"), Ok(None));
    assert_eq!(send(&seconds(-301)), Err(Refusal::Stale(300)));
    assert_eq!(send("noon"), Err(Refusal::Signature));
    let untimed = hex::encode(hmac("old", &format!(".{BODY}")));
    assert_eq!(verify(&separate, &[("x-sig", &untimed)]), Err(Refusal::Signature));

    let time = seconds(0);
    let sig = hex::encode(hmac("old", &format!("v0:d1:{time}:{BODY}")));
    let header = format!("t={time},v1=00,v1={sig}");
    assert_eq!(verify(&all, &[("x-sig", &header), ("x-id", "d1")]), Ok(Some("d1".to_owned())));
    assert_eq!(verify(&all, &[("x-sig", &header), ("x-id", "d2")]), Err(Refusal::Signature));
    assert_eq!(verify(&all, &[("x-sig", &header)]), Err(Refusal::Signature));
    let later = header.replace(&time, &seconds(1));
    assert_eq!(verify(&all, &[("x-sig", &later), ("x-id", "d1")]), Err(Refusal::Signature));
}

#[test]
fn shared_secrets_and_standard_webhooks() {
    for (header, is_right) in [
        ("Bearer new secret,=", true),
        ("Bearer old", true),
        ("old", false),
        ("Bearer ", false),
        ("Bearer ol", false),
        ("Bearer olds", false),
    ] {
        assert_eq!(verify(&mapping(PLAIN), &[("authorization", header)]).is_ok(), is_right, "{header}");
    }
    assert_eq!(verify(&mapping(PLAIN), &[]), Err(Refusal::Signature));

    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let sig = signature::standard(secret, "m1", NOW / 1000, BODY.as_bytes()).unwrap();
    let time = (NOW / 1000).to_string();
    let headers = [("webhook-id", "m1"), ("webhook-timestamp", &*time), ("webhook-signature", &*sig)];
    let verified = with(BODY, &headers, |delivery| {
        signing("kind = \"standard-webhooks\"").verify(delivery, &[secret.to_owned()])
    });
    assert_eq!(verified, Ok(Some("m1".to_owned())));
}

#[test]
fn an_explanation_shows_where_each_value_came_from() {
    let lines = |toml: &str, json: &str| -> Vec<String> {
        let lines = mapping(toml).explain(json.as_bytes()).unwrap();
        lines.iter().map(|(field, path, value)| format!("{field} | {path} | {value}")).collect()
    };
    let example = lines(EXAMPLE, EXAMPLE_DELIVERY);
    for line in [
        "event | event.name | comment:new -> comment",
        "comment.id | data.comment.uuid | c-20261125-0917",
        "comment.parent_id | data.comment.parent.uuid | missing",
        "comment.author.registered_at | data.user.joined | 2026-11-24T09:00:00Z",
        "comment.status | data.comment.state | new -> pending",
        "comment.lang | data.locale | en-GB",
        "article.body | data.story.html | <p>It will cost 184 million and open in 2031.</p>",
    ] {
        assert!(example.iter().any(|of| of == line), "{line}\n{example:#?}");
    }
    assert!(example.iter().filter(|line| line.ends_with("| missing")).count() == 1, "{example:#?}");
    assert_eq!(
        lines(FORUM, r#"{"posts": [{"no": [], "visible": 7}]}"#),
        [
            "event | (header x-forum-event) | not in the payload",
            "comment.id | posts.0.no | wrong: is a list; wanted a string or a whole number",
            "comment.text | posts.0.raw or posts.0.cooked | missing",
            "comment.thread_id | topic | missing",
            "comment.author.id | posts.0.by | missing",
            "comment.created_at | posts.0.at | missing",
            "comment.updated_at | posts.0.edited | missing",
            "comment.status | posts.0.visible | 7 -> none of ours",
        ]
    );
    assert!(lines(PLAIN, "{}").contains(&"comment.lang | (value) | de".to_owned()));
    assert!(mapping(PLAIN).explain(b"[]").is_err());
}

proptest! {
    #[test]
    fn nothing_panics(
        path in "[a-z0-9./~ ]{0,8}",
        signed in "[a-z{}:]{0,12}|\\{timestamp\\}[.:]\\{body\\}",
        value in prop::sample::select(vec!["1", "1e300", "-0.0", "\"\"", "[[null]]", "{\"a\": {}}", "\"1e15\"", "true"]),
        header in ".{0,20}",
    ) {
        let toml = format!(
            "event = {{ field = {path:?}, comment = \"true\", status = 1 }}
             signature = {{ kind = \"hmac-sha256-hex\", header = \"a\", timestamp_header = \"b\", signed = {signed:?} }}
             comment = {{ id = {path:?}, text = \"a\", created_at = [{path:?}, \"a\"], status = \"a\" }}"
        );
        if let Ok(mapping) = Mapping::parse(&toml) {
            let body = format!("{{\"a\": {value}, \"b\": [{value}]}}");
            with(&body, &[("a", &header), ("b", &header)], |delivery| {
                let _ = (mapping.read(delivery), mapping.explain(delivery.body));
                assert!(mapping.verify(delivery, &["secret".to_owned()]).is_err());
            });
        }
    }
}

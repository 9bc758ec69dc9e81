//! `/openapi.json` and `/docs`: the contract, made from the handlers themselves; the page is plain HTML without a script.

use std::fmt::Write as _;

use actix_web::HttpResponse;
use html_escape::encode_text as escaped;
use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::{akismet, comments, desk, events, hooks, operation, perspective, review, session};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Claque",
        description = "Finds templated, bot-like comments under news articles, and says why. Errors are RFC 9457 problem documents with a stable `code`."
    ),
    paths(
        comments::post, comments::batch, comments::score, comments::put_article, comments::get, comments::delete, comments::status,
        review::queue, review::card, review::claim, review::decide, review::decisions, review::undo, review::campaigns, review::campaign,
        review::stats, events::stream,
        desk::author, desk::add_note, desk::notes, desk::save_view, desk::views, desk::delete_view, desk::trust, desk::distrust,
        desk::trusted, desk::allow, desk::allowed, desk::disallow, desk::deliveries, desk::replay,
        session::begin, session::get, session::end,
        hooks::deliver, akismet::call, akismet::test, akismet::usage, akismet::key_sites, perspective::analyze, perspective::suggest,
        operation::health, operation::ready, operation::metrics
    ),
    components(schemas(Problem)),
    security(("key" = []), ("session" = [])),
    modifiers(&Common)
)]
struct Document;

/// What goes wrong, after RFC 9457.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body of errors")]
struct Problem {
    r#type: String,
    title: String,
    status: u16,
    /// Stable name of the problem.
    code: String,
    /// What, where, and how to mend it.
    detail: String,
    /// On a conflict: the card's version now.
    version: Option<i64>,
    /// On a conflict: how the card stands now.
    item: Option<Value>,
}

/// What every operation has: who may call, and how it fails.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "key",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        );
        components.add_security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(super::auth::COOKIE))),
        );
    }
}

/// How an operation fails, beside what it says itself.
const FAILURES: [(u16, &str); 13] = [
    (400, "The body or a parameter is wrong"),
    (401, "No valid key, session or signature"),
    (403, "Not within the caller's permissions or sites"),
    (404, "Nothing is here"),
    (405, "Another method is needed"),
    (408, "The body took too long"),
    (409, "It was changed meanwhile"),
    (410, "It was deleted"),
    (413, "The body is too large"),
    (415, "Another content type is needed"),
    (422, "It cannot be done as asked"),
    (429, "Too many tries"),
    (503, "Overloaded, or the database does not answer; with Retry-After"),
];

/// The document.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    // Beside the document, wherever a proxy has put it.
    if let Some(document) = document.as_object_mut() {
        document.insert("servers".to_owned(), json!([{ "url": "." }]));
    }
    let problem =
        json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    // Google's clients get errors in Google's shape.
    let google = json!({ "application/json": { "schema": { "type": "object" } } });
    for (path, operations) in document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten() {
        for operation in operations.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
            let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
                continue;
            };
            for (status, description) in FAILURES {
                let mut content = problem.clone();
                if path.starts_with("/v1alpha1/") {
                    content = google.clone();
                }
                responses
                    .entry(status.to_string())
                    .or_insert_with(|| json!({ "description": description, "content": content }));
            }
        }
    }
    document
}

/// `GET /openapi.json`.
pub(super) async fn json() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

/// `GET /docs`.
pub(super) async fn docs() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page(&document()))
}

/// The stylesheet of the page.
pub(super) async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(include_str!("docs.css"))
}

fn page(document: &Value) -> String {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Claque: the API</title><link rel=\"stylesheet\" href=\"docs.css\"><main><h1>Claque: the API</h1>",
    );
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let about = text(document.pointer("/info/description"));
    let _ = write!(out, "<p>{} The same as <a href=\"openapi.json\">openapi.json</a>.</p>", escaped(&about));
    for (path, operations) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let _ = write!(
                out,
                "<section><h2><b>{}</b> <code>{}</code></h2><p><strong>{}</strong></p>",
                escaped(&method.to_uppercase()),
                escaped(path),
                escaped(&text(operation.get("summary")))
            );
            let description = text(operation.get("description"));
            if !description.is_empty() {
                let _ = write!(out, "<p>{}</p>", escaped(&description));
            }
            let parameters = operation.get("parameters").and_then(Value::as_array);
            if let Some(parameters) = parameters.filter(|parameters| !parameters.is_empty()) {
                out.push_str(
                    "<table><thead><tr><th>parameter</th><th>in</th><th>meaning</th></tr></thead><tbody>",
                );
                for parameter in parameters {
                    let _ = write!(
                        out,
                        "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                        escaped(&text(parameter.get("name"))),
                        escaped(&text(parameter.get("in"))),
                        escaped(&text(parameter.get("description")))
                    );
                }
                out.push_str("</tbody></table>");
            }
            if let Some(body) = operation.get("requestBody") {
                let _ = write!(out, "<p>Body: {}</p>", schemas(body));
            }
            out.push_str(
                "<table><thead><tr><th>status</th><th>meaning</th><th>body</th></tr></thead><tbody>",
            );
            for (status, response) in
                operation.get("responses").and_then(Value::as_object).into_iter().flatten()
            {
                if status.starts_with('4') || status.starts_with('5') {
                    continue;
                }
                let _ = write!(
                    out,
                    "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                    escaped(status),
                    escaped(&text(response.get("description"))),
                    schemas(response)
                );
            }
            out.push_str("</tbody></table></section>");
        }
    }
    out.push_str("<h2>How it fails</h2><table><tbody>");
    for (status, description) in FAILURES {
        let _ = write!(out, "<tr><td>{status}</td><td>{}</td></tr>", escaped(description));
    }
    out.push_str("</tbody></table><h2>Shapes</h2>");
    let shapes = document.pointer("/components/schemas").and_then(Value::as_object);
    for (name, schema) in shapes.into_iter().flatten() {
        let shown = serde_json::to_string_pretty(schema).unwrap_or_default();
        let _ = write!(
            out,
            "<details id=\"{0}\"><summary><code>{0}</code></summary><pre>{1}</pre></details>",
            escaped(name),
            escaped(&shown)
        );
    }
    out.push_str("</main></html>");
    out
}

/// Links to the shapes that a body has.
fn schemas(part: &Value) -> String {
    let text = part.to_string();
    let mut names: Vec<&str> =
        text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    names.dedup();
    let links: Vec<String> =
        names.iter().map(|name| format!("<a href=\"#{0}\"><code>{0}</code></a>", escaped(name))).collect();
    if links.is_empty() { "plain".to_owned() } else { links.join(", ") }
}

//! An Akismet-compatible service: WordPress, Discourse and every Akismet client can point here.
//!
//! Bodies are exact (clients compare the whole string). A comment proposed for review is answered `false` with `X-akismet-error`, on
//! which WordPress keeps it pending; `true` is for what the protocol's own test hooks ask, and for `hold`. The key comes in `api_key` or
//! `key`, or as the first label of the host.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde_json::{Value, json};

use super::body::Body;
use super::comments::{Wish, take};
use super::error::{ApiError, Code};
use super::state::State;
use crate::domain::{Author, Comment, Id, Status};
use crate::intake::pseudonym;
use crate::store::StoreError;
use crate::store::records::{Key, Scope};

/// What submit calls answer, to the letter.
const THANKS: &str = "Thanks for making the web a better place.";

/// A form's fields; of a repeated one the last.
struct Form(HashMap<String, String>);

impl Form {
    fn read(body: &[u8]) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body)
            .map_err(|error| ApiError::new(Code::InvalidBody, format!("not a form: {error}")))?;
        Ok(Self(pairs.into_iter().collect()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }
}

fn plain(text: &str) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text.to_owned())
}

fn invalid(why: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header(("X-akismet-debug-help", why.to_owned()))
        .body("invalid")
}

async fn key(request: &HttpRequest, state: &State, form: &Form) -> Result<Option<Key>, ApiError> {
    let host = request.connection_info().host().to_owned();
    let label = host.split('.').next().filter(|label| label.len() == 12).map(str::to_owned);
    let Some(text) = form.get("api_key").or(form.get("key")).map(str::to_owned).or(label) else {
        return Ok(None);
    };
    match state.key(&text, Scope::Akismet).await {
        Ok(key) => Ok(Some(key)),
        Err(error) if matches!(error.code, Code::Unauthorized | Code::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `POST /1.1/{call}`.
pub(super) async fn call(
    request: HttpRequest,
    state: web::Data<State>,
    call: web::Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let form = Form::read(&body)?;
    let key = key(&request, &state, &form).await?;
    match (call.as_str(), key) {
        ("verify-key", Some(_)) => Ok(plain("valid")),
        ("verify-key" | "comment-check" | "submit-spam" | "submit-ham", None) => {
            Ok(invalid("the key is not known here: `claque hooks add NAME --adapter akismet` prints one"))
        }
        ("comment-check", Some(key)) => check(&state, key.site, &form).await,
        ("submit-spam", Some(key)) => submit(&state, key.site, &form, Status::Rejected).await,
        ("submit-ham", Some(key)) => submit(&state, key.site, &form, Status::Published).await,
        ("deactivate", Some(_)) => Ok(plain("deactivated")),
        _ => Err(ApiError::new(
            Code::NotFound,
            "known calls: verify-key, comment-check, submit-spam, submit-ham, deactivate",
        )),
    }
}

/// `GET /1.2/usage-limit`.
pub(super) async fn usage(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let form = Form::read(request.query_string().as_bytes())?;
    let Some(key) = key(&request, &state, &form).await? else {
        return Ok(invalid("the key is not known here"));
    };
    let counts = state.intake.store().counts(Some(key.site)).await?;
    Ok(HttpResponse::Ok()
        .json(json!({ "limit": "none", "usage": counts.comments, "percentage": "0.00", "throttled": false })))
}

async fn check(state: &State, site: String, form: &Form) -> Result<HttpResponse, ApiError> {
    for field in ["blog", "user_ip"] {
        if form.get(field).is_none() {
            return Ok(invalid(&format!("`{field}` is missing")));
        }
    }
    let comment = comment(form, state.intake.store().secret());
    let guid = comment.id.to_string();
    let answered = |body: &str| {
        let mut response = HttpResponse::Ok();
        response.content_type("text/plain; charset=utf-8").insert_header(("X-akismet-guid", guid.clone()));
        (response, body.to_owned())
    };
    let guaranteed = form.get("comment_author") == Some("akismet-guaranteed-spam")
        || form.get("comment_author_email") == Some("akismet-guaranteed-spam@example.com");
    if guaranteed {
        let (mut response, body) = answered("true");
        return Ok(response.body(body));
    }
    if form.get("user_role") == Some("administrator") {
        let (mut response, body) = answered("false");
        return Ok(response.body(body));
    }
    let verdict = if matches!(form.get("is_test"), Some("1" | "true")) {
        json!(state.intake.score(&comment, None).verdict)
    } else {
        let (_, answer) = take(state, site, comment, &Wish::default()).await?;
        answer.get("verdict").cloned().unwrap_or(Value::Null)
    };
    Ok(match verdict.as_str() {
        Some("hold") => {
            let (mut response, body) = answered("true");
            response.body(body)
        }
        Some("review") => {
            // WordPress: the comment waits for a moderator, without a recheck loop.
            let (mut response, body) = answered("false");
            response.insert_header(("X-akismet-error", "1")).body(body)
        }
        _ => {
            let (mut response, body) = answered("false");
            response.body(body)
        }
    })
}

async fn submit(state: &State, site: String, form: &Form, status: Status) -> Result<HttpResponse, ApiError> {
    let comment = comment(form, state.intake.store().secret());
    match state.intake.set_status(site, comment.id, status).await {
        // A comment from before we were asked: the client is thanked all the same.
        Ok(()) | Err(StoreError::NotFound(_)) => Ok(plain(THANKS)),
        Err(error) => Err(error.into()),
    }
}

/// Maps the form's fields. Akismet sends no comment id: one is made from blog, author, address and text, the same for check and
/// submit.
fn comment(form: &Form, secret: &[u8; 32]) -> Comment {
    let field = |name: &str| form.get(name).map(str::to_owned);
    let text = field("comment_content").unwrap_or_default();
    let identity = ["blog", "permalink", "comment_author", "comment_author_email", "user_ip"]
        .map(|name| form.get(name).unwrap_or_default())
        .join("\0");
    let id = pseudonym(&format!("{identity}\0{text}"), secret).replace("hmac:", "ak-");
    let created_at = form.get("comment_date_gmt").and_then(|at| {
        let naive = chrono::NaiveDateTime::parse_from_str(at.trim_end_matches('Z'), "%Y-%m-%dT%H:%M:%S")
            .or_else(|_| chrono::NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M:%S"));
        chrono::DateTime::parse_from_rfc3339(at)
            .map(|at| at.with_timezone(&Utc))
            .ok()
            .or(naive.ok().map(|at| at.and_utc()))
    });
    // An address stands for an author without an account, as its keyed hash.
    let user = field("user_ID").filter(|id| id != "0");
    let author_key = user.or_else(|| form.get("comment_author_email").map(|email| pseudonym(email, secret)));
    Comment {
        id: id.into(),
        article_id: field("comment_post_ID").or(field("permalink")).map(Id::from),
        author: Some(Author {
            id: author_key.map(Id::from),
            name: field("comment_author"),
            email: field("comment_author_email"),
            ip: field("user_ip"),
            url: field("comment_author_url"),
            user_agent: field("user_agent"),
            role: field("user_role"),
            ..Author::default()
        }),
        created_at,
        lang: form
            .get("blog_lang")
            .and_then(|langs| langs.split(',').next())
            .filter(|lang| !lang.starts_with("en"))
            .map(|lang| lang.trim().to_owned()),
        text,
        ..Comment::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_and_its_submit_name_the_same_comment() {
        let form = Form::read(
            b"api_key=abcdefghijkm&blog=https%3A%2F%2Fnews.example&user_ip=1.2.3.4&comment_author=Ann&comment_author_email=ann%40x.example&comment_content=Well+said&comment_date_gmt=2026-11-25T10%3A00%3A00Z&comment_post_ID=7&reporter=joe",
        )
        .unwrap_or_else(|error| panic!("{error}"));
        let comment = comment(&form, &[1; 32]);
        assert_eq!(comment.text, "Well said");
        assert_eq!(comment.article_id.as_ref().map(Id::as_str), Some("7"));
        assert_eq!(
            comment.created_at.map(|at| at.to_rfc3339()).as_deref(),
            Some("2026-11-25T10:00:00+00:00")
        );
        let again = Form::read(
            b"blog=https%3A%2F%2Fnews.example&user_ip=1.2.3.4&comment_author=Ann&comment_author_email=ann%40x.example&comment_content=Well+said",
        )
        .map_or_else(|error| panic!("{error}"), |form| super::comment(&form, &[1; 32]));
        assert_eq!(comment.id, again.id);
    }
}

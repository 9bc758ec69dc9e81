//! An Akismet-compatible service: WordPress, Discourse and every Akismet client can point here.
//!
//! Bodies are exact (clients compare the whole string), and a call without a known key is answered `invalid`, whatever it is. A comment proposed
//! for review is answered `false` with `X-akismet-error`, on which WordPress and Discourse keep it pending; most other clients know no third
//! answer, so a key can be made for which it is `true`. The key comes in the form or as the first label of the host.

use std::collections::HashMap;
use std::fmt::Write as _;

use actix_web::http::header::USER_AGENT;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use chrono::{DateTime, Datelike, Months, NaiveDateTime, Utc};
use serde_json::json;

use super::body::Body;
use super::comments::{Wish, take};
use super::error::{ApiError, Code};
use super::state::State;
use crate::domain::{Article, Author, Comment, Id, Status, Verdict};
use crate::store::records::{AkismetUsage, Key, Scope};
use crate::store::{StoreError, keyed, pseudonym};
use crate::text::stable_hash;

/// What submit calls answer, to the letter.
const THANKS: &str = "Thanks for making the web a better place.";
/// Rows of `key-sites` when none are asked for.
const PAGE: usize = 500;

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

    fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.trim().parse().ok()
    }
}

/// The fields of the form that mean something here; others are ignored.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form")]
pub(super) struct Fields {
    api_key: Option<String>,
    key: Option<String>,
    blog: Option<String>,
    user_ip: Option<String>,
    permalink: Option<String>,
    comment_author: Option<String>,
    comment_author_email: Option<String>,
    comment_author_url: Option<String>,
    comment_content: Option<String>,
    comment_date_gmt: Option<String>,
    #[schema(rename = "comment_post_ID")]
    comment_post_id: Option<String>,
    user_role: Option<String>,
    is_test: Option<String>,
    honeypot_field_name: Option<String>,
}

fn text() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.content_type("text/plain; charset=utf-8");
    response
}

fn plain(body: &str) -> HttpResponse {
    text().body(body.to_owned())
}

fn invalid(why: &str) -> HttpResponse {
    text().insert_header(("X-akismet-debug-help", why.to_owned())).body("invalid")
}

fn unknown_key() -> HttpResponse {
    invalid("the key is not known here: `claque hooks add NAME --adapter akismet` prints one")
}

/// The key and its site. WordPress adds its stored key as `api_key` to every call, so the calls that speak about a key look at `key` first.
async fn key(
    request: &HttpRequest,
    state: &State,
    form: &Form,
    key_first: bool,
) -> Result<Option<(Key, String)>, ApiError> {
    let host = request.connection_info().host().to_lowercase();
    let label = host.split('.').next().filter(|label| label.len() == 12);
    let names = if key_first { ["key", "api_key"] } else { ["api_key", "key"] };
    let [first, second] = names.map(|name| form.get(name));
    let Some(text) = first.or(second).or(label) else { return Ok(None) };
    match state.key(text.trim(), Scope::Akismet).await {
        Ok(key) => Ok(Some(key)),
        Err(error) if matches!(error.code, Code::Unauthorized | Code::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A call as the Akismet protocol has it
///
/// `verify-key`, `comment-check`, `submit-spam`, `submit-ham`, `token`, `get-subscription`, `get-stats`, `deactivate`, with the fields of that
/// protocol.
#[utoipa::path(post, path = "/1.1/{call}", tag = "content systems", params(("call" = String, Path, description = "The call")),
    request_body(content = Fields, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "`true`, `false`, `valid`, `invalid`, ...", body = String, content_type = "text/plain")), security(()))]
pub(super) async fn call(
    request: HttpRequest,
    state: web::Data<State>,
    call: web::Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let form = Form::read(&body)?;
    let call = call.trim_end_matches('/');
    let about_key =
        matches!(call, "verify-key" | "deactivate" | "get-stats" | "get-key-stats" | "get-subscription");
    let known = [
        "verify-key",
        "comment-check",
        "submit-spam",
        "submit-ham",
        "token",
        "get-subscription",
        "get-stats",
        "get-key-stats",
        "deactivate",
    ];
    if !known.contains(&call) {
        return Err(ApiError::new(Code::NotFound, format!("known calls: {}", known.join(", "))));
    }
    let Some((key, site)) = key(&request, &state, &form, about_key).await? else {
        return Ok(unknown_key());
    };
    let blog = form.get("blog").unwrap_or_default().to_owned();
    let counted = |usage: AkismetUsage| {
        let month = Utc::now().format("%Y-%m").to_string();
        state.intake.store().count_akismet(site.clone(), AkismetUsage { site: blog.clone(), month, ..usage })
    };
    match call {
        "verify-key" => Ok(plain("valid")),
        "deactivate" => Ok(plain("deactivated")),
        "token" => {
            let token = keyed(&format!("akismet-token\0{}", key.id), state.intake.store().secret());
            Ok(plain(&token))
        }
        "get-subscription" => Ok(HttpResponse::Ok().json(json!({
            "account_id": 1,
            "account_name": site,
            "account_type": "claque",
            "status": "active",
            "next_billing_date": false,
            "limit_reached": false,
        }))),
        "get-stats" | "get-key-stats" => stats(&state, site, &form).await,
        "submit-spam" => {
            counted(AkismetUsage { api_calls: 1, missed_spam: 1, ..AkismetUsage::default() }).await?;
            submit(&request, &state, site.clone(), &form, Status::Rejected).await
        }
        "submit-ham" => {
            counted(AkismetUsage { api_calls: 1, false_positives: 1, ..AkismetUsage::default() }).await?;
            submit(&request, &state, site.clone(), &form, Status::Published).await
        }
        _ => {
            let (response, is_spam, is_test) = check(&request, &state, &key, site.clone(), &form).await?;
            if let (Some(is_spam), false) = (is_spam, is_test) {
                let (spam, ham) = (i64::from(is_spam), i64::from(!is_spam));
                counted(AkismetUsage { api_calls: 1, spam, ham, ..AkismetUsage::default() }).await?;
            }
            Ok(response)
        }
    }
}

/// Whether the service answers
#[utoipa::path(get, path = "/1.1/test", tag = "content systems",
    responses((status = 200, description = "`connected`", body = String, content_type = "text/plain")), security(()))]
pub(super) async fn test() -> HttpResponse {
    plain("connected")
}

/// Calls of this month
#[utoipa::path(get, path = "/1.2/usage-limit", tag = "content systems",
    params(("api_key" = Option<String>, Query, description = "The key")),
    responses((status = 200, description = "Without a limit; `invalid` as plain text for an unknown key", content((serde_json::Value = "application/json"), (String = "text/plain")))), security(()))]
pub(super) async fn usage(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let form = Form::read(request.query_string().as_bytes())?;
    let Some((_, site)) = key(&request, &state, &form, false).await? else { return Ok(unknown_key()) };
    let month = Utc::now().format("%Y-%m").to_string();
    let rows = state.intake.store().akismet_usage(site, month).await?;
    let calls: i64 = rows.iter().map(|row| row.api_calls).sum();
    Ok(HttpResponse::Ok()
        .json(json!({ "limit": "none", "usage": calls, "percentage": "0.00", "throttled": false })))
}

/// Calls of a month by blog
#[utoipa::path(get, path = "/1.2/key-sites", tag = "content systems",
    params(("api_key" = Option<String>, Query, description = "The key"), ("month" = Option<String>, Query, description = "YYYY-MM"),
        ("filter" = Option<String>, Query, description = "Part of the blog's address"), ("format" = Option<String>, Query, description = "json or csv"),
        ("order" = Option<String>, Query, description = "total, spam, ham, missed_spam or false_positives"),
        ("limit" = Option<String>, Query, description = "Rows"), ("offset" = Option<String>, Query, description = "Rows to leave out")),
    responses((status = 200, description = "Rows, as JSON or CSV; `invalid` as plain text for an unknown key", content((serde_json::Value = "application/json"), (String = "text/csv"), (String = "text/plain")))), security(()))]
pub(super) async fn key_sites(
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    let form = Form::read(request.query_string().as_bytes())?;
    let Some((_, site)) = key(&request, &state, &form, false).await? else { return Ok(unknown_key()) };
    let month = form.get("month").map_or_else(|| Utc::now().format("%Y-%m").to_string(), str::to_owned);
    let mut rows = state.intake.store().akismet_usage(site, month.clone()).await?;
    rows.retain(|row| row.month == month && form.get("filter").is_none_or(|part| row.site.contains(part)));
    let order = form.get("order").unwrap_or("total").to_owned();
    rows.sort_by_key(|row| -match order.as_str() {
        "spam" => row.spam,
        "ham" => row.ham,
        "missed_spam" => row.missed_spam,
        "false_positives" => row.false_positives,
        _ => row.api_calls,
    });
    let total = rows.len();
    let (limit, offset) = (form.number("limit").unwrap_or(PAGE), form.number("offset").unwrap_or(0));
    let page: Vec<AkismetUsage> = rows.into_iter().skip(offset).take(limit).collect();
    if form.get("format") == Some("csv") {
        let name = form.get("api_key").or(form.get("key")).unwrap_or_default();
        let mut csv = format!(
            "Active sites for {name} during {month} (limit:{limit}, offset: {offset}, total: {total})\n\
             Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked\n"
        );
        for row in page {
            let site = row.site.replace('"', "\"\"");
            let _ = writeln!(
                csv,
                "\"{site}\",{},{},{},{},{},{}",
                row.api_calls, row.spam, row.ham, row.missed_spam, row.false_positives, row.is_revoked
            );
        }
        return Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(csv));
    }
    let mut answer = json!({ "limit": limit, "offset": offset, "total": total });
    if let Some(fields) = answer.as_object_mut() {
        fields.insert(month, json!(page));
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// Totals and a breakdown by month, for the plugin's own page.
async fn stats(state: &State, site: String, form: &Form) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().date_naive();
    let months = match form.get("from") {
        Some("60-days") => Some(2),
        Some("all") => None,
        _ => Some(6),
    };
    let from = months.and_then(|months| now.checked_sub_months(Months::new(months)));
    let from = from.map_or_else(String::new, |from| format!("{:04}-{:02}", from.year(), from.month()));
    let rows = state.intake.store().akismet_usage(site, from).await?;
    let mut breakdown = serde_json::Map::new();
    let mut total = AkismetUsage::default();
    for row in &rows {
        total.spam += row.spam;
        total.ham += row.ham;
        total.missed_spam += row.missed_spam;
        total.false_positives += row.false_positives;
        let entry = breakdown.entry(row.month.clone()).or_insert_with(
            || json!({ "da": format!("{}-01", row.month), "spam": 0, "ham": 0, "missed_spam": 0, "false_positives": 0, "blogs": 0 }),
        );
        for (name, value) in [
            ("spam", row.spam),
            ("ham", row.ham),
            ("missed_spam", row.missed_spam),
            ("false_positives", row.false_positives),
            ("blogs", 1),
        ] {
            if let Some(field) = entry.get_mut(name) {
                *field = json!(field.as_i64().unwrap_or(0) + value);
            }
        }
    }
    let judged = total.spam + total.ham;
    let wrong = total.missed_spam + total.false_positives;
    let accuracy =
        if judged == 0 { 100.0 } else { 100.0 * (judged - wrong.min(judged)) as f64 / judged as f64 };
    Ok(HttpResponse::Ok().json(json!({
        "spam": total.spam,
        "ham": total.ham,
        "missed_spam": total.missed_spam,
        "false_positives": total.false_positives,
        "accuracy": format!("{accuracy:.2}"),
        "time_saved": 0,
        "breakdown": breakdown,
    })))
}

/// The answer; whether it says spam, if it says anything; whether it was a test.
async fn check(
    request: &HttpRequest,
    state: &State,
    key: &Key,
    site: String,
    form: &Form,
) -> Result<(HttpResponse, Option<bool>, bool), ApiError> {
    if form.get("blog").is_none() {
        return Ok((invalid("`blog` is missing"), None, false));
    }
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let comment = comment(form, agent, state.intake.store().secret());
    let guid = comment.id.to_string();
    let is_test = form
        .get("is_test")
        .is_some_and(|value| !["0", "false", "no"].contains(&value.trim().to_lowercase().as_str()));
    let answered = |spam: bool| {
        let mut response = text();
        response.insert_header(("X-akismet-guid", guid.clone()));
        response.body(if spam { "true" } else { "false" })
    };
    let guaranteed = form.get("comment_author") == Some("akismet-guaranteed-spam")
        || form.get("comment_author_email") == Some("akismet-guaranteed-spam@example.com");
    if guaranteed {
        return Ok((answered(true), Some(true), is_test));
    }
    let roles = form.get("user_role").unwrap_or_default();
    if roles.split(',').any(|role| matches!(role.trim(), "administrator" | "super_admin")) {
        return Ok((answered(false), Some(false), is_test));
    }
    let (verdict, card) = if is_test {
        (state.intake.score(&comment, None).verdict, String::new())
    } else {
        keep_address(state, &site, form, &comment).await?;
        let taken = match take(state, site, comment, &Wish::default()).await {
            // Deleted here: the client's own answer stands.
            Err(error) if error.code == Code::Gone => return Ok((answered(false), Some(false), is_test)),
            taken => taken?,
        };
        (taken.verdict(), taken.card(state))
    };
    Ok(match verdict {
        Verdict::Hold => (answered(true), Some(true), is_test),
        Verdict::Review if key.review_is_spam => (answered(true), Some(true), is_test),
        Verdict::Review => {
            let mut response = text();
            response.insert_header(("X-akismet-guid", guid.clone()));
            response.insert_header(("X-akismet-error", "held-for-review"));
            if agent.starts_with("Discourse/") {
                // Discourse tells of one alert in ten minutes by code: each comment has its own.
                let code = stable_hash(guid.as_bytes()) % 90_000 + 10_000;
                response.insert_header(("X-akismet-alert-code", code.to_string()));
                response.insert_header(("X-akismet-alert-msg", format!("reads like templated text: {card}")));
            }
            (response.body("false"), Some(false), is_test)
        }
        Verdict::Allow => (answered(false), Some(false), is_test),
    })
}

/// Where the article is, if nothing else is known of it: its text can be fetched then.
async fn keep_address(state: &State, site: &str, form: &Form, comment: &Comment) -> Result<(), ApiError> {
    if !state.settings().articles.fetch {
        return Ok(());
    }
    let (Some(id), Some(url)) = (&comment.article_id, form.get("permalink")) else { return Ok(()) };
    let store = state.intake.store();
    if store.article(site.to_owned(), id.clone()).await?.is_none() {
        let article = Article { id: id.clone(), url: Some(url.to_owned()), ..Article::default() };
        state.intake.put_article(site.to_owned(), article).await?;
    }
    Ok(())
}

async fn submit(
    request: &HttpRequest,
    state: &State,
    site: String,
    form: &Form,
    status: Status,
) -> Result<HttpResponse, ApiError> {
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let comment = comment(form, agent, state.intake.store().secret());
    match state.intake.set_status(site, comment.id, status).await {
        // A comment from before we were asked: the client is thanked all the same.
        Ok(()) | Err(StoreError::NotFound(_)) => Ok(plain(THANKS)),
        Err(error) => Err(error.into()),
    }
}

/// Maps the form's fields. Akismet sends no comment id: one is made from blog, author, address and text, the same for check and
/// submit.
fn comment(form: &Form, agent: &str, secret: &[u8; 32]) -> Comment {
    let field = |name: &str| form.get(name).map(str::to_owned);
    let mut text = field("comment_content").unwrap_or_default();
    // WordPress asks before it has taken its own backslashes out again, and submits the stored text without them.
    if agent.starts_with("WordPress/") {
        text = unslashed(&text);
    }
    let identity = ["blog", "permalink", "comment_author", "comment_author_email", "user_ip"]
        .map(|name| form.get(name).unwrap_or_default())
        .join("\0");
    let id = format!("ak-{}", keyed(&format!("{identity}\0{text}"), secret));
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
        created_at: form.get("comment_date_gmt").and_then(time),
        text,
        honeypot: form
            .get("honeypot_field_name")
            .and_then(|name| form.get(name))
            .or(form.get("POST_ak_hp_textarea"))
            .is_some(),
        ..Comment::default()
    }
}

/// What `stripslashes` does.
fn unslashed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            out.extend(chars.next());
        } else {
            out.push(c);
        }
    }
    out
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    let naive = |format| NaiveDateTime::parse_from_str(text.trim().trim_end_matches('Z'), format).ok();
    DateTime::parse_from_rfc3339(text.trim())
        .map(|at| at.with_timezone(&Utc))
        .ok()
        .or_else(|| naive("%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc()))
        .or_else(|| naive("%Y-%m-%d %H:%M:%S%.f").map(|at| at.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Form {
        Form::read(body).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_check_and_its_submit_name_the_same_comment() {
        let form = read(
            b"api_key=abcdefghijkm&blog=https%3A%2F%2Fnews.example&user_ip=1.2.3.4&comment_author=Ann&comment_author_email=ann%40x.example&comment_content=Well+said,+don%5C%27t+you&comment_date_gmt=2026-11-25T10%3A00%3A00.5Z&comment_post_ID=7&blog_lang=de_DE&reporter=joe",
        );
        let checked = comment(&form, "WordPress/6.6 | Akismet/5.3", &[1; 32]);
        assert_eq!(checked.text, "Well said, don't you");
        assert_eq!(checked.article_id.as_ref().map(Id::as_str), Some("7"));
        assert_eq!(checked.lang, None, "the blog's language is not the comment's");
        assert_eq!(checked.created_at.map(|at| at.timestamp_subsec_millis()), Some(500));
        let submitted = read(
            b"blog=https%3A%2F%2Fnews.example&user_ip=1.2.3.4&comment_author=Ann&comment_author_email=ann%40x.example&comment_content=Well+said,+don%27t+you",
        );
        assert_eq!(checked.id, comment(&submitted, "WordPress/6.6 | Akismet/5.3", &[1; 32]).id);
    }

    #[test]
    fn a_filled_honeypot_is_seen() {
        let honeypot = |body: &[u8]| comment(&read(body), "", &[1; 32]).honeypot;
        assert!(honeypot(b"honeypot_field_name=website2&website2=http%3A%2F%2Fx&comment_content=a"));
        assert!(!honeypot(b"honeypot_field_name=website2&website2=&comment_content=a"));
        assert!(honeypot(b"POST_ak_hp_textarea=hello&comment_content=a"));
        assert!(!honeypot(b"comment_content=a"));
    }
}

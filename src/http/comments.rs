//! `/v1/comments`, `/v1/score`, `/v1/articles`: what a CMS sends and asks.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::auth::{Caller, CanScore};
use super::body;
use super::error::{ApiError, Code};
use super::state::State;
use crate::domain::{Article, Comment, Id, Status};
use crate::store::records::Taken;

/// The most comments of one batch.
const MOST_IN_BATCH: usize = 1000;

/// How an answer is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// Milliseconds after which `allow, pending` is answered and the work goes on behind.
    timeout_ms: Option<u64>,
    /// `bytes` (default) or `utf16`: how spans count.
    spans: Option<Spans>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Spans {
    Bytes,
    Utf16,
}

fn wish(request: &HttpRequest) -> Result<Wish, ApiError> {
    web::Query::<Wish>::from_query(request.query_string()).map(web::Query::into_inner).map_err(|error| {
        ApiError::new(Code::InvalidParameter, format!("{error}; known are timeout_ms and spans=bytes|utf16"))
    })
}

/// `POST /v1/comments`.
pub(super) async fn post(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanScore>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let wish = wish(&request)?;
    let comment: Comment = body::json(&request, &bytes)?;
    let site = caller.site(comment.site.as_ref().map(Id::as_str))?;
    let (status, answer) = take(&state, site, comment, &wish).await?;
    Ok(HttpResponse::build(status).json(answer))
}

/// `POST /v1/comments:batch`: a JSON array, or JSON Lines; the answers stand in its order, one problem where one comment fails.
pub(super) async fn batch(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanScore>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let wish = wish(&request)?;
    let media = body::media_type(&request);
    let lines = matches!(media.as_str(), "application/x-ndjson" | "application/jsonl");
    let records: Vec<Result<Comment, ApiError>> = if lines {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        lines.map(body::parse).collect()
    } else {
        let records: Vec<Box<RawValue>> = body::json(&request, &bytes)?;
        records.iter().map(|record| body::parse(record.get().as_bytes())).collect()
    };
    if records.len() > MOST_IN_BATCH {
        return Err(ApiError::new(
            Code::TooLarge,
            format!("{} comments; at most {MOST_IN_BATCH} in one batch", records.len()),
        ));
    }
    let mut answers = Vec::with_capacity(records.len());
    for record in records {
        let taken = match record.and_then(|comment| {
            let site = caller.site(comment.site.as_ref().map(Id::as_str))?;
            Ok((site, comment))
        }) {
            Ok((site, comment)) => take(&state, site, comment, &wish).await,
            Err(error) => Err(error),
        };
        answers.push(taken.map_or_else(
            |error| json!({ "error": { "code": error.code.row().0, "detail": error.detail } }),
            |(_, answer)| answer,
        ));
    }
    let answer = if lines {
        let text: Vec<String> = answers.iter().map(Value::to_string).collect();
        HttpResponse::Ok().content_type("application/x-ndjson").body(text.join("\n") + "\n")
    } else {
        HttpResponse::Ok().json(answers)
    };
    Ok(answer)
}

/// Takes one comment in and words the answer.
pub(super) async fn take(
    state: &State,
    site: String,
    comment: Comment,
    wish: &Wish,
) -> Result<(StatusCode, Value), ApiError> {
    let admission = state.admit()?;
    let started = Instant::now();
    let (id, text) = (comment.id.clone(), comment.text.clone());
    let work = state.intake.take(site.clone(), comment, true, admission);
    let taken = match wish.timeout_ms {
        None => work.await?,
        Some(budget) => match tokio::time::timeout(Duration::from_millis(budget), work).await {
            Ok(taken) => taken?,
            Err(_) => {
                return Ok((StatusCode::ACCEPTED, json!({ "id": id, "verdict": "allow", "pending": true })));
            }
        },
    };
    let counters = &state.counters;
    counters.taken.fetch_add(1, Ordering::Relaxed);
    counters.repeated.fetch_add(u64::from(!taken.fresh), Ordering::Relaxed);
    counters.micros.fetch_add(started.elapsed().as_micros() as u64, Ordering::Relaxed);
    let answer = answer(state, &site, &id, &taken, &text, wish)?;
    counters.review.fetch_add(u64::from(answer.get("verdict") != Some(&json!("allow"))), Ordering::Relaxed);
    Ok((StatusCode::OK, answer))
}

fn answer(
    state: &State,
    site: &str,
    id: &Id,
    taken: &Taken,
    text: &str,
    wish: &Wish,
) -> Result<Value, ApiError> {
    let mut answer: Value = body::parse(taken.assessment.get().as_bytes())?;
    if wish.spans == Some(Spans::Utf16) {
        to_utf16(&mut answer, text);
    }
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("queued".to_owned(), json!(taken.queued));
        answer.insert(
            "card".to_owned(),
            json!(format!("{}/comments/{}/{}", state.public_url, encoded(site), encoded(id.as_str()))),
        );
    }
    Ok(answer)
}

/// A name as one segment of an address.
fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Counts every span in UTF-16 units, as browsers do.
fn to_utf16(assessment: &mut Value, text: &str) {
    let units = |bytes: u64| text.get(..bytes as usize).map(|before| before.encode_utf16().count());
    let evidence = assessment.get_mut("evidence").and_then(Value::as_array_mut);
    let spans =
        evidence.into_iter().flatten().filter_map(|e| e.get_mut("spans").and_then(Value::as_array_mut));
    for end in spans.flatten().filter_map(Value::as_array_mut).flatten() {
        if let Some(count) = end.as_u64().and_then(units) {
            *end = json!(count);
        }
    }
}

/// A text to judge, with the article it stands under if that is given.
#[derive(Debug, Deserialize)]
struct Question {
    #[serde(flatten)]
    comment: Comment,
    #[serde(default)]
    article: Option<Article>,
}

/// `POST /v1/score`: judges a text by itself and keeps nothing.
pub(super) async fn score(
    request: HttpRequest,
    state: web::Data<State>,
    _caller: Caller<CanScore>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let wish = wish(&request)?;
    let question: Question = body::json(&request, &bytes)?;
    let assessment = state.intake.score(&question.comment, question.article.as_ref());
    let mut answer = json!(assessment);
    if wish.spans == Some(Spans::Utf16) {
        to_utf16(&mut answer, &question.comment.text);
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// `PUT /v1/articles/{id}`.
pub(super) async fn put_article(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanScore>,
    id: web::Path<String>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let mut record: Value = body::json(&request, &bytes)?;
    let id = id.into_inner();
    let Some(fields) = record.as_object_mut() else {
        return Err(ApiError::new(Code::InvalidBody, "an article is a JSON object"));
    };
    fields.insert("id".to_owned(), json!(id));
    let article: Article = body::parse(record.to_string().as_bytes())?;
    let site = caller.site(article.site.as_ref().map(Id::as_str))?;
    state.intake.store().put_article(site, article).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /v1/comments/{site}/{id}`.
pub(super) async fn get(
    state: web::Data<State>,
    caller: Caller<CanScore>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (site, id) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let stored = state.intake.store().comment(site, id.into()).await?;
    let stored = stored.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such comment"))?;
    Ok(HttpResponse::Ok().json(stored))
}

/// `DELETE /v1/comments/{site}/{id}`.
pub(super) async fn delete(
    state: web::Data<State>,
    caller: Caller<CanScore>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (site, id) = path.into_inner();
    let site = caller.site(Some(&site))?;
    state.intake.delete(site, id.into()).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Deserialize)]
struct StatusChange {
    status: Status,
}

/// `POST /v1/comments/{site}/{id}/status`: what the CMS or its people did to it.
pub(super) async fn status(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanScore>,
    path: web::Path<(String, String)>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let (site, id) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let change: StatusChange = body::json(&request, &bytes)?;
    state.intake.set_status(site, id.into(), change.status).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_an_address() {
        assert_eq!(encoded("a/b?c#d é"), "a%2Fb%3Fc%23d%20%C3%A9");
    }

    #[test]
    fn spans_count_as_a_browser_does() {
        let text = "é 👍 well said";
        let mut assessment = json!({ "evidence": [{ "spans": [[8, 17]] }, { "spans": [] }] });
        to_utf16(&mut assessment, text);
        assert_eq!(assessment["evidence"][0]["spans"], json!([[5, 14]]));
        let units: Vec<u16> = text.encode_utf16().collect();
        assert_eq!(String::from_utf16_lossy(&units[5..14]), "well said");
    }
}

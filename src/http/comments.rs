//! `/v1/comments`, `/v1/score`, `/v1/articles`: what a CMS sends and asks.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::auth::{Caller, CanScore};
use super::body;
use super::error::{ApiError, Code};
use super::state::State;
use crate::domain::{Article, Assessment, Comment, Id, Status, Verdict};
use crate::intake::Outcome;
use crate::store::records::{StoredComment, Taken};

/// Comments of a batch that are under way at once.
const AT_ONCE: usize = 64;
/// The longest text of a comment, in bytes.
const LONGEST_TEXT: usize = 256 << 10;
/// The most comments of one batch.
const MOST_IN_BATCH: usize = 1000;

/// How an answer is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// Milliseconds after which `allow, pending` is answered and the work goes on behind.
    timeout_ms: Option<u64>,
    /// `bytes` (default) or `utf16`: how spans count.
    spans: Option<Spans>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Spans {
    Bytes,
    Utf16,
}

fn wish(request: &HttpRequest) -> Result<Wish, ApiError> {
    web::Query::<Wish>::from_query(request.query_string()).map(web::Query::into_inner).map_err(|error| {
        ApiError::new(Code::InvalidParameter, format!("{error}; known are timeout_ms and spans=bytes|utf16"))
    })
}

/// Take a comment
///
/// Judged, stored, answered. The same delivery again gets the first answer; another text is a new revision. A key for several sites names
/// the `site` in the comment.
#[utoipa::path(post, path = "/v1/comments", tag = "scoring", params(Wish), request_body = Comment, responses(
    (status = 200, description = "The assessment", body = Answer),
    (status = 202, description = "The time is up: allow, pending", body = Later)))]
pub(super) async fn post(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanScore>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let wish = wish(&request)?;
    let comment: Comment = body::json(&request, &bytes)?;
    let site = caller.site(comment.site.as_ref().map(Id::as_str))?;
    let (status, answer) = take(&state, site, comment, &wish).await?.json(&state, &wish)?;
    Ok(HttpResponse::build(status).content_type("application/json").body(answer))
}

/// Take many comments
///
/// A JSON array, or JSON Lines (`application/x-ndjson`); the answers stand in its order, with an `error` where one comment fails.
#[utoipa::path(post, path = "/v1/comments:batch", tag = "scoring", params(Wish),
    request_body(content((Vec<Comment> = "application/json"), (String = "application/x-ndjson"))), responses(
    (status = 200, description = "The assessments, in the form of the question", content((Vec<Value> = "application/json"), (String = "application/x-ndjson")))))]
pub(super) async fn batch(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanScore>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let wish = wish(&request)?;
    let media = body::media_type(&request);
    let lines = matches!(media.as_str(), "application/x-ndjson" | "application/ndjson" | "application/jsonl");
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
    let answers = take_all(&state, &caller, records, &wish).await;
    let mut response = HttpResponse::Ok();
    Ok(if lines {
        response.content_type("application/x-ndjson").body(answers.join("\n") + "\n")
    } else {
        response.content_type("application/json").body(format!("[{}]", answers.join(",")))
    })
}

/// Takes the comments of a batch, several at a time so that they share commits; two versions of one comment in their order.
async fn take_all(
    state: &State,
    caller: &Caller<CanScore>,
    records: Vec<Result<Comment, ApiError>>,
    wish: &Wish,
) -> Vec<String> {
    let mut answers = Vec::with_capacity(records.len());
    let mut rest = records.into_iter().peekable();
    while rest.peek().is_some() {
        let mut ids: HashSet<Id> = HashSet::new();
        let mut group = Vec::new();
        while group.len() < AT_ONCE {
            let next = rest.next_if(|record| match record {
                Ok(comment) => ids.insert(comment.id.clone()),
                Err(_) => true,
            });
            let Some(record) = next else { break };
            group.push(async {
                let comment = record?;
                let site = caller.site(comment.site.as_ref().map(Id::as_str))?;
                take(state, site, comment, wish).await?.json(state, wish)
            });
        }
        for taken in futures_util::future::join_all(group).await {
            answers.push(taken.map_or_else(
                |error| {
                    json!({ "error": { "code": error.code.row().0, "detail": error.detail } }).to_string()
                },
                |(_, answer)| answer,
            ));
        }
    }
    answers
}

/// A comment that was taken, before its answer is worded.
pub(super) struct Answered {
    site: String,
    id: Id,
    text: String,
    taken: Option<Taken>,
}

/// Takes one comment in.
pub(super) async fn take(
    state: &State,
    site: String,
    comment: Comment,
    wish: &Wish,
) -> Result<Answered, ApiError> {
    if comment.text.len() > LONGEST_TEXT {
        let detail = format!("`text` has {} bytes; at most {LONGEST_TEXT} are taken", comment.text.len());
        return Err(ApiError::new(Code::TooLarge, detail));
    }
    let admission = state.admit()?;
    let started = Instant::now();
    // The text is needed again only where spans are to be counted otherwise.
    let text = if wish.spans == Some(Spans::Utf16) { comment.text.clone() } else { String::new() };
    let mut answered = Answered { site: site.clone(), id: comment.id.clone(), text, taken: None };
    let counters = &state.counters;
    let budget = wish.timeout_ms.map(Duration::from_millis);
    match state.intake.take(site, comment, true, budget, admission).await? {
        Outcome::Taken(taken) => {
            counters.taken.add(started);
            counters.repeated.add(u64::from(!taken.fresh));
            if taken.fresh && taken.verdict != Verdict::Allow {
                counters.count(taken.verdict, &taken.assessment);
            }
            answered.taken = Some(taken);
        }
        Outcome::Pending => counters.pending.one(),
    }
    Ok(answered)
}

impl Answered {
    /// The verdict.
    pub(super) fn verdict(&self) -> Verdict {
        self.taken.as_ref().map_or(Verdict::Allow, |taken| taken.verdict)
    }

    /// Where people see it.
    pub(super) fn card(&self, state: &State) -> String {
        format!("{}/comments/{}/{}", state.public_url, encoded(&self.site), encoded(self.id.as_str()))
    }

    /// Status and JSON of the answer: the stored assessment with what is known beside it.
    pub(super) fn json(&self, state: &State, wish: &Wish) -> Result<(StatusCode, String), ApiError> {
        let Some(taken) = &self.taken else {
            let later = Later { id: self.id.to_string(), verdict: Verdict::Allow, pending: true };
            return Ok((StatusCode::ACCEPTED, json!(later).to_string()));
        };
        let mut stored = taken.assessment.get().to_owned();
        if wish.spans == Some(Spans::Utf16) {
            let mut assessment: Value = body::parse(stored.as_bytes())?;
            to_utf16(&mut assessment, &self.text);
            stored = assessment.to_string();
        }
        // An object that is not empty: ours.
        stored.truncate(stored.trim_end().len().saturating_sub(1));
        let beside = json!({ "queued": taken.queued, "card": self.card(state) }).to_string();
        let beside = beside.strip_prefix('{').unwrap_or_default();
        Ok((StatusCode::OK, format!("{stored},{beside}")))
    }

    /// The answer as a value.
    pub(super) fn value(&self, state: &State, wish: &Wish) -> Result<Value, ApiError> {
        body::parse(self.json(state, wish)?.1.as_bytes())
    }
}

/// A name as one segment of an address.
pub(super) fn encoded(name: &str) -> String {
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

/// What is said of a comment that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Answer {
    #[serde(flatten)]
    assessment: Assessment,
    /// Whether it stands in the queue.
    queued: bool,
    /// Where people see it.
    card: String,
}

/// What is said when the time is up: publish as usual, it will be judged.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Later {
    id: String,
    verdict: Verdict,
    pending: bool,
}

/// A text to judge, with the article it stands under if that is given.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Question {
    #[serde(flatten)]
    comment: Comment,
    #[serde(default)]
    article: Option<Article>,
}

/// Judge a text by itself and keep nothing
#[utoipa::path(post, path = "/v1/score", tag = "scoring", params(Wish), request_body = Question, responses(
    (status = 200, description = "The assessment", body = Assessment)))]
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

/// Keep an article
///
/// Its title and body are what comments are compared with. Fields that are not sent stay as they were.
#[utoipa::path(put, path = "/v1/articles/{id}", tag = "scoring", params(("id" = String, Path, description = "The article's id")),
    request_body = ArticleBody, responses((status = 204, description = "Kept")))]
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
    state.intake.put_article(site, article).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A comment with its assessments
#[utoipa::path(get, path = "/v1/comments/{site}/{id}", tag = "scoring",
    params(("site" = String, Path, description = "The site"), ("id" = String, Path, description = "The comment's id")),
    responses((status = 200, description = "The comment", body = StoredComment)))]
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

/// Forget a comment
///
/// With all its revisions and assessments. A later delivery with its id is not taken (410).
#[utoipa::path(delete, path = "/v1/comments/{site}/{id}", tag = "scoring",
    params(("site" = String, Path, description = "The site"), ("id" = String, Path, description = "The comment's id")),
    responses((status = 204, description = "Forgotten")))]
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

/// What became of a comment.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct StatusChange {
    status: Status,
}

/// An article without its id, which stands in the address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ArticleBody {
    site: Option<String>,
    url: Option<String>,
    title: Option<String>,
    body: Option<String>,
    section: Option<String>,
    published_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// What the CMS or its people did to a comment
///
/// It leaves the queue, and the decision counts with the CMS's own trust.
#[utoipa::path(post, path = "/v1/comments/{site}/{id}/status", tag = "scoring",
    params(("site" = String, Path, description = "The site"), ("id" = String, Path, description = "The comment's id")),
    request_body = StatusChange, responses((status = 204, description = "Noted")))]
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

//! `POST /hooks/{name}`: deliveries of content systems, read by the hook's adapter.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Deserialize;
use serde_json::Value;

use super::body::Body;
use super::comments::{Wish, take};
use super::error::{ApiError, Code};
use super::state::State;
use crate::cms::{self, Adapter, Answered, Delivery, Event, Refusal, Setup};
use crate::domain::{Id, Verdict};
use crate::store::StoreError;

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::Signature => Code::BadSignature,
            Refusal::Stale(_) => Code::StaleTimestamp,
            Refusal::Body(_) => Code::InvalidBody,
        };
        Self::new(code, refusal.to_string())
    }
}

/// How long after a comment the CMS may tell its id, in milliseconds.
const NAMING: i64 = 120_000;

/// A CMS tells the id of a comment that it asked about without one.
async fn named(state: &State, site: String, thread: Id, id: Id) -> Result<(), StoreError> {
    let store = state.intake.store();
    if store.comment(site.clone(), id.clone()).await?.is_none()
        && let Some(meant) = store.unnamed(site.clone(), thread, cms::UNNAMED, NAMING).await?
    {
        store.add_alias(site, id, meant).await?;
    }
    Ok(())
}

/// The adapter's words for an answer.
fn worded(adapter: &dyn Adapter, verdict: Verdict, answer: Value) -> HttpResponse {
    let reply = adapter.reply(&Answered { verdict, answer });
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK));
    match reply.body {
        Some(body) => response.json(body),
        None => response.finish(),
    }
}

/// The answer to a delivery that was taken before: what is known of its comment.
async fn again(state: &State, adapter: &dyn Adapter, site: String, id: Id) -> Result<HttpResponse, ApiError> {
    let Some(stored) = state.intake.store().comment(site, id).await? else {
        return Ok(HttpResponse::NoContent().finish());
    };
    let answer: Value = super::body::parse(stored.assessment.get().as_bytes())?;
    let verdict = answer.get("verdict").map_or(Ok(Verdict::Allow), Verdict::deserialize);
    Ok(worded(adapter, verdict.unwrap_or(Verdict::Allow), answer))
}

/// A delivery of a content system
///
/// An unknown hook and a wrong signature get the same answer: nobody learns which hooks there are.
#[utoipa::path(post, path = "/hooks/{name}", tag = "content systems", params(("name" = String, Path, description = "The hook")),
    request_body(content = String, description = "What the CMS sends, signed its way", content_type = "application/json"),
    responses((status = 200, description = "The adapter's answer", body = serde_json::Value), (status = 202, description = "The adapter's answer", body = serde_json::Value), (status = 204, description = "Taken; nothing to say")), security(()))]
pub(super) async fn deliver(
    request: HttpRequest,
    state: web::Data<State>,
    name: web::Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let hook = state.intake.store().hook(name.into_inner()).await?;
    let hook = hook.ok_or(Refusal::Signature)?;
    let adapter = cms::by_name(&hook.adapter).ok_or(Refusal::Signature)?;
    let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let delivery = Delivery { header: &header, body: &body, now: Utc::now().timestamp_millis() };
    let setup = Setup { secrets: &hook.secrets, settings: hook.settings.as_deref() };
    let id = adapter.verify(&delivery, &setup)?;
    let event = adapter.read(&delivery, &setup)?;
    let store = state.intake.store();
    // What was taken once is not taken again: a delivery that is repeated late must not undo what came after it.
    if let Some(id) = &id
        && store.is_delivered(hook.name.clone(), id.clone()).await?
    {
        return match event {
            Event::Comment(comment, _) => again(&state, adapter, hook.site, comment.id).await,
            _ => Ok(HttpResponse::NoContent().finish()),
        };
    }
    let done = match event {
        Event::Ignored => Ok(()),
        Event::Article(article) => state.intake.put_article(hook.site, *article).await,
        Event::Status(id, status) => state.intake.set_status(hook.site, id, status).await,
        Event::Deleted(id) => state.intake.delete(hook.site, id).await,
        Event::Named(thread, id) => named(&state, hook.site, thread, id).await,
        Event::Comment(comment, article) => {
            if let Some(article) = article {
                state.intake.put_article(hook.site.clone(), *article).await?;
            }
            let wish = Wish::default();
            let taken = match take(&state, hook.site, *comment, &wish).await {
                // Gone for us; senders switch a hook off that answers 410.
                Err(error) if error.code == Code::Gone => return Ok(HttpResponse::NoContent().finish()),
                taken => taken?,
            };
            if let Some(id) = id {
                store.remember_delivery(hook.name, id).await?;
            }
            return Ok(worded(adapter, taken.verdict(), taken.value(&state, &wish)?));
        }
    };
    match done {
        // A comment that we never saw: nothing to change, nothing to try again.
        Ok(()) | Err(StoreError::NotFound(_)) => {
            if let Some(id) = id {
                store.remember_delivery(hook.name, id).await?;
            }
            Ok(HttpResponse::NoContent().finish())
        }
        Err(error) => Err(error.into()),
    }
}

//! `/v1/queue`, `/v1/decisions`, `/v1/campaigns`, `/v1/stats`: the review domain over HTTP.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::auth::{Caller, CanReview};
use super::body;
use super::error::{ApiError, Code};
use super::state::State;
use crate::domain::Id;
use crate::store::records::{Action, NewDecision, Target};

/// Cards of a page when none is asked for, and at the most.
const PAGE: usize = 50;
const MOST: usize = 200;
/// The longest reason code, in characters.
const LONGEST_REASON: usize = 100;
/// The longest note, in characters.
const LONGEST_NOTE: usize = 4000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Where the last page ended.
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /v1/queue`: open cards, most urgent first. `next` is the `after` of the next page.
pub(super) async fn queue(
    state: web::Data<State>,
    caller: Caller<CanReview>,
    page: web::Query<Page>,
) -> Result<HttpResponse, ApiError> {
    let limit = page.limit.unwrap_or(PAGE).clamp(1, MOST);
    let after = match &page.after {
        None => None,
        Some(cursor) => {
            let parts = cursor.split_once(':').and_then(|(priority, id)| {
                Some((priority.parse().ok().filter(|p: &f64| p.is_finite())?, id.to_owned()))
            });
            Some(parts.ok_or_else(|| {
                ApiError::new(
                    Code::InvalidParameter,
                    "`after` is no cursor: send the `next` of the last page",
                )
            })?)
        }
    };
    let items = state.intake.store().queue(caller.key.site.clone(), after, limit).await?;
    let next =
        items.last().filter(|_| items.len() == limit).map(|item| format!("{}:{}", item.priority, item.id));
    Ok(HttpResponse::Ok().json(json!({ "items": items, "next": next })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    items: Vec<String>,
}

/// `POST /v1/queue/claims`: the cards that are the caller's now; the others are somebody else's.
pub(super) async fn claim(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanReview>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let claims: Claims = body::json(&request, &bytes)?;
    if claims.items.len() > MOST {
        return Err(ApiError::new(Code::InvalidBody, format!("at most {MOST} cards at once")));
    }
    let store = state.intake.store();
    let claimed = store.claim(caller.key.site.clone(), claims.items, caller.actor(), state.lease).await?;
    Ok(HttpResponse::Ok().json(json!({ "claimed": claimed, "lease_seconds": state.lease / 1000 })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommentName {
    site: String,
    id: Id,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    item: Option<String>,
    campaign: Option<String>,
    comment: Option<CommentName>,
    version: Option<i64>,
    action: Action,
    reason: Option<String>,
    note: Option<String>,
    #[serde(default)]
    except: Vec<Id>,
}

/// `POST /v1/decisions`.
pub(super) async fn decide(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanReview>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let body: DecisionBody = body::json(&request, &bytes)?;
    if body.note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(ApiError::new(
            Code::InvalidBody,
            format!("`note` has at most {LONGEST_NOTE} characters"),
        ));
    }
    if body.reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        return Err(ApiError::new(
            Code::InvalidBody,
            format!("`reason` is a code of at most {LONGEST_REASON} characters"),
        ));
    }
    let target = match (body.item, body.campaign, body.comment) {
        (Some(item), None, None) => Target::Item(item),
        (None, Some(campaign), None) => Target::Campaign(campaign),
        (None, None, Some(comment)) => {
            caller.site(Some(&comment.site))?;
            Target::Comment(comment.id)
        }
        _ => {
            return Err(ApiError::new(
                Code::InvalidBody,
                "name one target: `item`, `campaign`, or `comment` with `site` and `id`",
            ));
        }
    };
    let decision = NewDecision {
        site: caller.key.site.clone(),
        target,
        version: body.version,
        action: body.action,
        reason: body.reason,
        note: body.note,
        except: body.except,
        actor: caller.actor(),
        undo_for: state.undo_for,
    };
    Ok(HttpResponse::Ok().json(state.intake.store().decide(decision).await?))
}

/// `POST /v1/decisions/{id}/undo`.
pub(super) async fn undo(
    state: web::Data<State>,
    caller: Caller<CanReview>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let store = state.intake.store();
    let comments = store.undo(caller.key.site.clone(), id.into_inner(), caller.actor()).await?;
    Ok(HttpResponse::Ok().json(json!({ "comments": comments })))
}

/// `GET /v1/campaigns`.
pub(super) async fn campaigns(
    state: web::Data<State>,
    caller: Caller<CanReview>,
) -> Result<HttpResponse, ApiError> {
    let campaigns = state.intake.store().campaigns(caller.key.site.clone(), MOST).await?;
    Ok(HttpResponse::Ok().json(json!({ "campaigns": campaigns })))
}

/// `GET /v1/campaigns/{id}`.
pub(super) async fn campaign(
    state: web::Data<State>,
    caller: Caller<CanReview>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let card = state.intake.store().campaign(caller.key.site.clone(), id.into_inner()).await?;
    Ok(HttpResponse::Ok().json(card))
}

/// `GET /v1/stats`.
pub(super) async fn stats(
    state: web::Data<State>,
    caller: Caller<CanReview>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(state.intake.store().counts(Some(caller.key.site)).await?))
}

//! `/v1/queue`, `/v1/decisions`, `/v1/campaigns`, `/v1/stats`: the review domain over HTTP.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::auth::{Caller, CanDecide, CanLook};
use super::body;
use super::error::{ApiError, Code};
use super::state::State;
use crate::domain::Id;
use crate::store::records::{
    Action, CampaignCard, Counts, Decided, NewDecision, Order, PastDecision, QueueFilter, QueueItem, Sites,
    Target, Undone,
};

/// Cards of a page when none is asked for, and at the most.
const PAGE: usize = 50;
const MOST: usize = 200;
/// The longest reason code, in characters.
const LONGEST_REASON: usize = 100;
/// The longest note, in characters.
pub(super) const LONGEST_NOTE: usize = 4000;

/// Which page of the queue; beside it the parts of a filter.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Where the last page ended: its `next`.
    pub(super) after: Option<String>,
    /// Cards of the page, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    pub(super) limit: Option<usize>,
    /// The id of a saved view, in place of the filters.
    pub(super) view: Option<String>,
}

/// What a query string asks of the queue: a page, and a filter.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) page: Page,
    pub(super) filter: QueueFilter,
}

impl Asked {
    /// Reads a query string; its `others` are somebody else's, and what is empty says nothing (so forms send what was not filled in).
    pub(super) fn parse(query: &str, others: &[&str]) -> Result<Self, ApiError> {
        let wrong = |error: &dyn std::fmt::Display| ApiError::new(Code::InvalidParameter, error.to_string());
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|error| wrong(&error))?;
        let said = pairs.into_iter().filter(|(name, value)| !value.is_empty() && !others.contains(&&**name));
        let (page, filter): (Vec<_>, Vec<_>) =
            said.partition(|(name, _)| matches!(name.as_str(), "after" | "limit" | "view"));
        let again = |pairs: &[(String, String)]| serde_urlencoded::to_string(pairs).unwrap_or_default();
        let page = serde_urlencoded::from_str(&again(&page)).map_err(|error| wrong(&error))?;
        let filter = serde_urlencoded::from_str(&again(&filter)).map_err(|error| wrong(&error))?;
        let asked = Self { page, filter };
        asked.check()?;
        Ok(asked)
    }

    fn check(&self) -> Result<(), ApiError> {
        let filter = &self.filter;
        one_of("kind", filter.kind.as_deref(), &["comment", "campaign"])?;
        one_of("status", filter.status.as_deref(), &["published", "pending", "rejected", "deleted"])?;
        one_of("verdict", filter.verdict.as_deref(), &["review", "hold"])?;
        one_of("because", filter.because.as_deref(), BECAUSES)?;
        let numbers = [filter.one_in_from, filter.one_in_until];
        if numbers.iter().flatten().any(|number| !number.is_finite() || *number < 1.0) {
            return Err(ApiError::new(
                Code::InvalidParameter,
                "`one_in_from` and `one_in_until` are numbers from 1 on",
            ));
        }
        Ok(())
    }

    /// The place after which the page begins.
    pub(super) fn after(&self) -> Result<Option<(f64, String)>, ApiError> {
        self.page.after.as_deref().map(cursor).transpose()
    }

    /// The filter, or that of the saved view it names; no site that the caller does not see.
    pub(super) async fn filter<P>(&self, state: &State, caller: &Caller<P>) -> Result<QueueFilter, ApiError> {
        if let Some(site) = &self.filter.site {
            caller.site(Some(site))?;
        }
        let Some(id) = &self.page.view else { return Ok(self.filter.clone()) };
        let views = state.intake.store().views(caller.actor().name, caller.sites()).await?;
        let view = views.into_iter().find(|view| view.id == *id);
        view.map(|view| view.query).ok_or_else(|| ApiError::new(Code::NotFound, "there is no such view"))
    }
}

/// The reasons that a card may have.
pub(super) const BECAUSES: &[&str] =
    &["text", "corroborated", "thread", "campaign", "hidden-characters", "rule"];

/// Where the page after this one begins: none after the last.
pub(super) fn next_page(items: &[QueueItem], limit: usize, order: Order) -> Option<String> {
    let last = items.last().filter(|_| items.len() == limit)?;
    Some(format!("{}:{}", order.rank(last), last.id))
}

/// A page of the queue.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Queue {
    items: Vec<QueueItem>,
    /// What to send as `after` for the next page; none on the last one.
    next: Option<String>,
}

/// Open cards, most urgent first unless another order is asked for
#[utoipa::path(get, path = "/v1/queue", tag = "review", params(Page, QueueFilter),
    responses((status = 200, description = "A page of cards", body = Queue)))]
pub(super) async fn queue(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::parse(request.query_string(), &[])?;
    let limit = asked.page.limit.unwrap_or(PAGE).clamp(1, MOST);
    let filter = asked.filter(&state, &caller).await?;
    let order = filter.order.unwrap_or_default();
    let items = state.intake.store().queue(caller.sites(), filter, asked.after()?, limit).await?;
    let next = next_page(&items, limit, order);
    Ok(HttpResponse::Ok().json(Queue { items, next }))
}

/// Whether a parameter is one of the words it can be.
fn one_of(name: &str, value: Option<&str>, known: &[&str]) -> Result<(), ApiError> {
    match value {
        Some(value) if !known.contains(&value) => Err(ApiError::new(
            Code::InvalidParameter,
            format!("`{name}` is `{value}`; known are {}", known.join(", ")),
        )),
        _ => Ok(()),
    }
}

fn cursor(text: &str) -> Result<(f64, String), ApiError> {
    let parts = text.split_once(':').and_then(|(rank, id)| {
        Some((rank.parse().ok().filter(|rank: &f64| rank.is_finite())?, id.to_owned()))
    });
    parts.ok_or_else(|| {
        ApiError::new(Code::InvalidParameter, "`after` is no cursor: send the `next` of the last page")
    })
}

/// One card, open or closed
#[utoipa::path(get, path = "/v1/queue/{id}", tag = "review", params(("id" = String, Path, description = "The card")),
    responses((status = 200, description = "The card", body = QueueItem)))]
pub(super) async fn card(
    state: web::Data<State>,
    caller: Caller<CanLook>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(state.intake.store().card(caller.sites(), id.into_inner()).await?))
}

/// Cards to be claimed or given back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Claims {
    items: Vec<String>,
    /// Whether they are given back.
    #[serde(default)]
    release: bool,
    /// Whether they are taken over from whoever has them; the other is told by `queue.claimed`.
    #[serde(default)]
    take_over: bool,
}

/// What became of claims.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Claimed {
    /// The cards that are the caller's now, or were given back; the others are somebody else's, closed, or escalated above the caller's rank.
    claimed: Vec<String>,
    /// Seconds after which they are free again.
    lease_seconds: i64,
}

/// Claim cards, or give them back
#[utoipa::path(post, path = "/v1/queue/claims", tag = "review", request_body = Claims,
    responses((status = 200, description = "The cards that are the caller's now", body = Claimed)))]
pub(super) async fn claim(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanDecide>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let claims: Claims = body::json(&request, &bytes)?;
    if claims.items.len() > MOST {
        return Err(ApiError::new(Code::InvalidBody, format!("at most {MOST} cards at once")));
    }
    let store = state.intake.store();
    let lease = state.settings().review.lease_minutes * 60_000;
    let claimed = if claims.release {
        store.release(claims.items, caller.actor()).await?
    } else {
        store.claim(caller.sites(), claims.items, caller.actor(), lease, claims.take_over).await?
    };
    Ok(HttpResponse::Ok().json(Claimed { claimed, lease_seconds: lease / 1000 }))
}

/// A comment by its site and id.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommentName {
    site: String,
    id: Id,
}

/// A card and the version that was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    id: String,
    version: Option<i64>,
}

/// A decision: name exactly one of `item`, `items`, `campaign`, `comment`, `comments`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionBody {
    /// A card.
    item: Option<String>,
    /// A selection of cards of one site.
    #[serde(default)]
    items: Vec<Seen>,
    /// A campaign, card or not.
    campaign: Option<String>,
    /// A comment, card or not.
    comment: Option<CommentName>,
    /// A selection of comments of one site.
    #[serde(default)]
    comments: Vec<CommentName>,
    /// The campaign's site, where the caller has several.
    site: Option<String>,
    /// The version of the card that was seen: with another one now, nothing is decided (409).
    version: Option<i64>,
    action: Action,
    /// Reason code.
    reason: Option<String>,
    /// Note.
    note: Option<String>,
    /// Comments of a campaign to leave out.
    #[serde(default)]
    except: Vec<Id>,
}

/// Decide
///
/// About a card, a campaign with exceptions, a comment, or a selection: all of it or nothing. Callbacks are written in the same commit.
#[utoipa::path(post, path = "/v1/decisions", tag = "review", request_body = DecisionBody,
    responses((status = 200, description = "Decided", body = Decided)))]
pub(super) async fn decide(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanDecide>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let body: DecisionBody = body::json(&request, &bytes)?;
    let settings = state.settings();
    check_reason(&settings.review, body.action, body.reason.as_deref(), body.note.as_deref())?;
    let (site, target) = target(&caller, &body)?;
    let decision = NewDecision {
        sites: caller.sites(),
        site,
        target,
        version: body.version,
        action: body.action,
        reason: body.reason,
        note: body.note,
        except: body.except,
        by: caller.actor(),
        undo_for: settings.review.undo_minutes * 60_000,
    };
    Ok(HttpResponse::Ok().json(state.intake.store().decide(decision).await?))
}

/// Whether reason and note are what the newsroom wants.
pub(super) fn check_reason(
    rules: &crate::config::Review,
    action: Action,
    reason: Option<&str>,
    note: Option<&str>,
) -> Result<(), ApiError> {
    let refuse = |why: String| Err(ApiError::new(Code::InvalidBody, why));
    if note.is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return refuse(format!("`note` has at most {LONGEST_NOTE} characters"));
    }
    if reason.is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        return refuse(format!("`reason` is a code of at most {LONGEST_REASON} characters"));
    }
    if let Some(reason) = reason
        && !rules.reasons.is_empty()
        && !rules.reasons.iter().any(|known| known == reason)
    {
        return refuse(format!("`reason` is `{reason}`; known are {}", rules.reasons.join(", ")));
    }
    let is_empty = |text: Option<&str>| text.is_none_or(|text| text.trim().is_empty());
    if action == Action::Reject && rules.reason_required && is_empty(reason) {
        return refuse("a rejection needs a `reason` here".to_owned());
    }
    if action == Action::Reject && rules.note_required && is_empty(note) {
        return refuse("a rejection needs a `note` here".to_owned());
    }
    Ok(())
}

/// What a decision is about, and of which site.
fn target(caller: &Caller<CanDecide>, body: &DecisionBody) -> Result<(Option<String>, Target), ApiError> {
    let named = [
        body.item.is_some(),
        !body.items.is_empty(),
        body.campaign.is_some(),
        body.comment.is_some(),
        !body.comments.is_empty(),
    ];
    if named.iter().filter(|named| **named).count() != 1 {
        return Err(ApiError::new(
            Code::InvalidBody,
            "name one target: `item`, `items`, `campaign`, `comment` or `comments` with `site` and `id`",
        ));
    }
    if body.items.len() > MOST || body.comments.len() > MOST {
        return Err(ApiError::new(Code::InvalidBody, format!("at most {MOST} at once")));
    }
    if let Some(item) = &body.item {
        return Ok((None, Target::Items(vec![(item.clone(), body.version)])));
    }
    if !body.items.is_empty() {
        let items = body.items.iter().map(|seen| (seen.id.clone(), seen.version)).collect();
        return Ok((None, Target::Items(items)));
    }
    if let Some(campaign) = &body.campaign {
        return Ok((Some(caller.site(body.site.as_deref())?), Target::Campaign(campaign.clone())));
    }
    let comments = || body.comment.iter().chain(&body.comments);
    let site = caller.site(comments().next().map(|name| name.site.as_str()))?;
    if comments().any(|name| name.site != site) {
        return Err(ApiError::new(
            Code::InvalidBody,
            "`comments` are of several sites: decide those of one at a time",
        ));
    }
    Ok((Some(site), Target::Comments(comments().map(|name| name.id.clone()).collect())))
}

/// Undo a decision
///
/// Whoever took it can while its time lasts, a lead always; not where a later decision changed one of its comments.
#[utoipa::path(post, path = "/v1/decisions/{id}/undo", tag = "review", params(("id" = String, Path, description = "The decision")),
    responses((status = 200, description = "Undone", body = Undone)))]
pub(super) async fn undo(
    state: web::Data<State>,
    caller: Caller<CanDecide>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let store = state.intake.store();
    Ok(HttpResponse::Ok().json(store.undo(caller.sites(), id.into_inner(), caller.actor()).await?))
}

/// Which page of the history.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    /// The id of the last decision of the page before.
    before: Option<String>,
    /// Decisions of the page, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Past decisions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Decisions {
    decisions: Vec<PastDecision>,
}

/// Past decisions, newest first
#[utoipa::path(get, path = "/v1/decisions", tag = "review", params(Before),
    responses((status = 200, description = "A page of them", body = Decisions)))]
pub(super) async fn decisions(
    state: web::Data<State>,
    caller: Caller<CanLook>,
    page: web::Query<Before>,
) -> Result<HttpResponse, ApiError> {
    let page = page.into_inner();
    let limit = page.limit.unwrap_or(PAGE).clamp(1, MOST);
    let decisions = state.intake.store().decisions(caller.sites(), page.before, limit).await?;
    Ok(HttpResponse::Ok().json(Decisions { decisions }))
}

/// Campaigns.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Campaigns {
    campaigns: Vec<CampaignCard>,
}

/// A site of the caller's.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct OfSite {
    /// The site; may be left out by a caller who has one.
    pub(super) site: Option<String>,
}

/// Campaigns of at least two comments, largest first
#[utoipa::path(get, path = "/v1/campaigns", tag = "review", params(OfSite),
    responses((status = 200, description = "At most 200", body = Campaigns)))]
pub(super) async fn campaigns(
    state: web::Data<State>,
    caller: Caller<CanLook>,
    of: web::Query<OfSite>,
) -> Result<HttpResponse, ApiError> {
    let sites = match &of.site {
        Some(site) => Sites::one(&caller.site(Some(site))?),
        None => caller.sites(),
    };
    let campaigns = state.intake.store().campaigns(sites, MOST).await?;
    Ok(HttpResponse::Ok().json(Campaigns { campaigns }))
}

/// One campaign as a site sees it
#[utoipa::path(get, path = "/v1/campaigns/{id}", tag = "review", params(("id" = String, Path, description = "The campaign"), OfSite),
    responses((status = 200, description = "The campaign", body = CampaignCard)))]
pub(super) async fn campaign(
    state: web::Data<State>,
    caller: Caller<CanLook>,
    id: web::Path<String>,
    of: web::Query<OfSite>,
) -> Result<HttpResponse, ApiError> {
    let site = caller.site(of.site.as_deref())?;
    Ok(HttpResponse::Ok().json(state.intake.store().campaign(site, id.into_inner()).await?))
}

/// Counts of a site
#[utoipa::path(get, path = "/v1/stats", tag = "review", params(OfSite),
    responses((status = 200, description = "Counts", body = Counts)))]
pub(super) async fn stats(
    state: web::Data<State>,
    caller: Caller<CanLook>,
    of: web::Query<OfSite>,
) -> Result<HttpResponse, ApiError> {
    let site = match (&of.site, caller.sites()) {
        (None, Sites::All) => None,
        (named, _) => Some(caller.site(named.as_deref())?),
    };
    let counts: Counts = state.intake.store().counts(site).await?;
    Ok(HttpResponse::Ok().json(json!(counts)))
}

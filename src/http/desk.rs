//! `/v1/authors`, `/v1/notes`, `/v1/views`, `/v1/trusted-authors`, `/v1/allowed-campaigns`, `/v1/deliveries`: what stands around the queue.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::{Caller, CanAdmin, CanDecide, CanLead, CanLook};
use super::body;
use super::error::{ApiError, Code};
use super::review::{LONGEST_NOTE, OfSite};
use super::state::State;
use crate::access::Permission;
use crate::domain::Id;
use crate::similarity::Sketch;
use crate::store::records::{AllowedCampaign, AuthorPage, Message, Note, QueueFilter, TrustedAuthor, View};

/// The longest name of a view or title of a campaign, in characters.
const LONGEST_NAME: usize = 200;
/// Days that a campaign may be allowed at the most.
const MOST_DAYS: i64 = 366;
/// Messages of the delivery log.
const MOST_MESSAGES: usize = 200;

pub(super) fn named(what: &str, name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(ApiError::new(Code::InvalidBody, format!("`{what}` has 1 to {LONGEST_NAME} characters")));
    }
    Ok(name.to_owned())
}

/// An author's page
///
/// The newest comments with their verdicts and decisions, how like each is to the author's others, notes.
#[utoipa::path(get, path = "/v1/authors/{id}", tag = "desk", params(("id" = String, Path, description = "The author"), OfSite),
    responses((status = 200, description = "The page", body = AuthorPage)))]
pub(super) async fn author(
    state: web::Data<State>,
    caller: Caller<CanLook>,
    id: web::Path<String>,
    of: web::Query<OfSite>,
) -> Result<HttpResponse, ApiError> {
    let site = caller.site(of.site.as_deref())?;
    let mut page = state.intake.store().author(site, Id::from(id.into_inner())).await?;
    compare(&mut page);
    Ok(HttpResponse::Ok().json(page))
}

/// How like each comment is to the most similar other one.
pub(super) fn compare(page: &mut AuthorPage) {
    let sketches: Vec<Option<Sketch>> =
        page.comments.iter().map(|comment| comment.sketch.as_deref().and_then(Sketch::from_bytes)).collect();
    for (at, comment) in page.comments.iter_mut().enumerate() {
        let Some(Some(own)) = sketches.get(at) else { continue };
        let others = sketches.iter().enumerate().filter(|(other, _)| *other != at);
        let alike = others.filter_map(|(_, other)| Some(own.content.jaccard(&other.as_ref()?.content)));
        comment.self_similarity = alike.fold(0.0, f64::max);
    }
}

/// What a note is about.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Subject {
    Comment,
    Author,
    Campaign,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Author => "author",
            Self::Campaign => "campaign",
        }
    }
}

/// A note to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNote {
    site: Option<String>,
    kind: Subject,
    /// The id of what it is about.
    subject: Id,
    text: String,
}

/// Write a note about a comment, an author or a campaign
#[utoipa::path(post, path = "/v1/notes", tag = "desk", request_body = NewNote,
    responses((status = 201, description = "Kept", body = Note)))]
pub(super) async fn add_note(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanDecide>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let note: NewNote = body::json(&request, &bytes)?;
    if note.text.trim().is_empty() || note.text.chars().count() > LONGEST_NOTE {
        return Err(ApiError::new(Code::InvalidBody, format!("`text` has 1 to {LONGEST_NOTE} characters")));
    }
    let note = Note {
        id: String::new(),
        site: caller.site(note.site.as_deref())?,
        kind: note.kind.name().to_owned(),
        subject: note.subject.to_string(),
        text: note.text,
        actor: caller.actor().name,
        at: 0,
    };
    Ok(HttpResponse::Created().json(state.intake.store().add_note(note).await?))
}

/// Whose notes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    site: Option<String>,
    /// `comment`, `author` or `campaign`.
    #[param(inline)]
    kind: Subject,
    /// The id of what they are about.
    subject: String,
}

/// Notes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Notes {
    notes: Vec<Note>,
}

/// Notes about something, oldest first
#[utoipa::path(get, path = "/v1/notes", tag = "desk", params(About),
    responses((status = 200, description = "The notes", body = Notes)))]
pub(super) async fn notes(
    state: web::Data<State>,
    caller: Caller<CanLook>,
    about: web::Query<About>,
) -> Result<HttpResponse, ApiError> {
    let about = about.into_inner();
    let site = caller.site(about.site.as_deref())?;
    let notes = state.intake.store().notes(site, about.kind.name(), about.subject).await?;
    Ok(HttpResponse::Ok().json(Notes { notes }))
}

/// A view to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewView {
    name: String,
    query: QueueFilter,
    /// Whether others see it.
    #[serde(default)]
    shared: bool,
}

/// Views.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Views {
    views: Vec<View>,
}

/// Keep a view of the queue under a name; one's own of that name is replaced
#[utoipa::path(post, path = "/v1/views", tag = "desk", request_body = NewView,
    responses((status = 201, description = "Kept", body = View)))]
pub(super) async fn save_view(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let view: NewView = body::json(&request, &bytes)?;
    if view.shared && !caller.identity.may(Permission::Decide) {
        return Err(ApiError::new(Code::Forbidden, "to share a view needs the permission `decide`"));
    }
    let mut view = View {
        id: String::new(),
        owner: caller.actor().name,
        name: named("name", &view.name)?,
        query: view.query,
        shared: view.shared,
    };
    view.id = state.intake.store().save_view(view.clone(), caller.sites()).await?;
    Ok(HttpResponse::Created().json(view))
}

/// One's own views and the shared ones
#[utoipa::path(get, path = "/v1/views", tag = "desk",
    responses((status = 200, description = "The views", body = Views)))]
pub(super) async fn views(
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let views = state.intake.store().views(caller.actor().name, caller.sites()).await?;
    Ok(HttpResponse::Ok().json(Views { views }))
}

/// Forget one of one's own views
#[utoipa::path(delete, path = "/v1/views/{id}", tag = "desk", params(("id" = String, Path, description = "The view")),
    responses((status = 204, description = "Forgotten")))]
pub(super) async fn delete_view(
    state: web::Data<State>,
    caller: Caller<CanLook>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    state.intake.store().delete_view(caller.actor().name, id.into_inner()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Why an author is trusted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    note: Option<String>,
}

/// Trusted authors.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrustedAuthors {
    authors: Vec<TrustedAuthor>,
}

/// Trust an author: the comments are judged and never proposed
#[utoipa::path(put, path = "/v1/trusted-authors/{id}", tag = "desk", params(("id" = String, Path, description = "The author"), OfSite),
    request_body = Why, responses((status = 204, description = "Trusted")))]
pub(super) async fn trust(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLead>,
    id: web::Path<String>,
    of: web::Query<OfSite>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let why: Why = if bytes.is_empty() { Why { note: None } } else { body::json(&request, &bytes)? };
    set_trust(&state, &caller, id.into_inner(), of.site.as_deref(), why.note, true).await
}

/// Trust an author no more
#[utoipa::path(delete, path = "/v1/trusted-authors/{id}", tag = "desk", params(("id" = String, Path, description = "The author"), OfSite),
    responses((status = 204, description = "Not trusted")))]
pub(super) async fn distrust(
    state: web::Data<State>,
    caller: Caller<CanLead>,
    id: web::Path<String>,
    of: web::Query<OfSite>,
) -> Result<HttpResponse, ApiError> {
    set_trust(&state, &caller, id.into_inner(), of.site.as_deref(), None, false).await
}

async fn set_trust(
    state: &State,
    caller: &Caller<CanLead>,
    author: String,
    site: Option<&str>,
    note: Option<String>,
    trusted: bool,
) -> Result<HttpResponse, ApiError> {
    let author = TrustedAuthor { site: caller.site(site)?, author, note, actor: caller.actor().name, at: 0 };
    state.intake.store().trust_author(author, trusted).await?;
    state.intake.refresh().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Authors that somebody trusts
#[utoipa::path(get, path = "/v1/trusted-authors", tag = "desk",
    responses((status = 200, description = "The authors", body = TrustedAuthors)))]
pub(super) async fn trusted(
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let authors = state.intake.store().trusted_authors(caller.sites()).await?;
    Ok(HttpResponse::Ok().json(TrustedAuthors { authors }))
}

/// A campaign to be allowed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAllowed {
    site: Option<String>,
    campaign: String,
    /// What it is, such as `petition for the night bus`.
    title: String,
    /// Days from now, 1 to 366.
    #[schema(minimum = 1, maximum = 366)]
    days: i64,
}

/// Allowed campaigns.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AllowedCampaigns {
    campaigns: Vec<AllowedCampaign>,
}

/// Allow a legitimate campaign
///
/// A petition, a letter drive: comments like its first one are no longer proposed as copies until the time is over, and its card leaves the queue.
#[utoipa::path(post, path = "/v1/allowed-campaigns", tag = "desk", request_body = NewAllowed,
    responses((status = 201, description = "Allowed", body = AllowedCampaign)))]
pub(super) async fn allow(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLead>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let new: NewAllowed = body::json(&request, &bytes)?;
    if !(1..=MOST_DAYS).contains(&new.days) {
        return Err(ApiError::new(Code::InvalidBody, format!("`days` is 1 to {MOST_DAYS}")));
    }
    let allowed = AllowedCampaign {
        id: String::new(),
        site: caller.site(new.site.as_deref())?,
        title: named("title", &new.title)?,
        expires_at: Utc::now().timestamp_millis() + new.days * 24 * 3_600_000,
        actor: caller.actor().name,
        at: 0,
        sketch: Vec::new(),
        canon_version: 0,
    };
    let allowed = state.intake.store().allow_campaign(allowed, new.campaign).await?;
    state.intake.refresh().await?;
    Ok(HttpResponse::Created().json(allowed))
}

/// Campaigns that are allowed now
#[utoipa::path(get, path = "/v1/allowed-campaigns", tag = "desk",
    responses((status = 200, description = "The campaigns", body = AllowedCampaigns)))]
pub(super) async fn allowed(
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let campaigns = state.intake.store().allowed_campaigns(caller.sites()).await?;
    Ok(HttpResponse::Ok().json(AllowedCampaigns { campaigns }))
}

/// Allow a campaign no more
#[utoipa::path(delete, path = "/v1/allowed-campaigns/{id}", tag = "desk", params(("id" = String, Path, description = "The allowed campaign")),
    responses((status = 204, description = "Not allowed any more")))]
pub(super) async fn disallow(
    state: web::Data<State>,
    caller: Caller<CanLead>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let store = state.intake.store();
    store.disallow_campaign(caller.sites(), id.into_inner(), caller.actor().name).await?;
    state.intake.refresh().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct InState {
    /// `pending`, `done` or `dead`; all where it is left out.
    state: Option<String>,
}

/// Messages.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deliveries {
    messages: Vec<Message>,
}

/// The delivery log of callbacks, newest first
#[utoipa::path(get, path = "/v1/deliveries", tag = "desk", params(InState),
    responses((status = 200, description = "At most 200 messages with every try", body = Deliveries)))]
pub(super) async fn deliveries(
    state: web::Data<State>,
    caller: Caller<CanAdmin>,
    wanted: web::Query<InState>,
) -> Result<HttpResponse, ApiError> {
    let store = state.intake.store();
    let messages = store.messages(caller.sites(), wanted.into_inner().state, MOST_MESSAGES).await?;
    Ok(HttpResponse::Ok().json(Deliveries { messages }))
}

/// How many dead letters are due again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Replayed {
    messages: usize,
}

/// Make the dead letters of a site due again
#[utoipa::path(post, path = "/v1/deliveries/replay", tag = "desk", params(OfSite),
    responses((status = 200, description = "Due again", body = Replayed)))]
pub(super) async fn replay(
    state: web::Data<State>,
    caller: Caller<CanAdmin>,
    of: web::Query<OfSite>,
) -> Result<HttpResponse, ApiError> {
    let site = caller.site(of.site.as_deref())?;
    let messages = state.intake.store().replay_dead_letters(site).await?;
    Ok(HttpResponse::Ok().json(Replayed { messages }))
}

//! `/queue/{id}`: one card with everything about it, by itself or as the pane beside the list; and the decision about it.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::super::auth::{Caller, CanDecide, CanLook};
use super::super::error::{ApiError, Code};
use super::super::review::check_reason;
use super::super::state::State;
use super::campaign::CampaignView;
use super::card::CommentView;
use super::form::{Fields, Posted};
use super::frame::{Frame, go, local, show, with_pair};
use super::text::{When, person, when};
use super::words::say;
use crate::domain::Id;
use crate::store::records::{Action, NewDecision, QueueItem, Target};

/// Who has a card on the desk.
struct Claim {
    by: Option<String>,
    mine: bool,
    until: When,
}

/// A card laid open.
#[derive(Template)]
#[template(path = "pane.html")]
pub(super) struct Pane {
    f: Frame,
    id: String,
    version: i64,
    kind: String,
    site: String,
    title: String,
    open: bool,
    escalated: bool,
    held: bool,
    claim: Claim,
    opened_at: When,
    body: String,
    /// How many undecided comments a decision reaches.
    size: i64,
    back: String,
    comment_id: String,
    campaign_id: String,
}

impl Pane {
    /// Gathers a card.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn load<P>(
        state: &State,
        f: &Frame,
        caller: &Caller<P>,
        item: QueueItem,
        back: &str,
    ) -> Result<Self, ApiError> {
        let me = caller.actor().name;
        let mut pane = Self {
            f: f.clone(),
            id: item.id.clone(),
            version: item.version,
            kind: item.kind.clone(),
            site: item.site.clone(),
            title: String::new(),
            open: item.open,
            escalated: item.escalated,
            held: item.verdict == "hold",
            claim: Claim {
                mine: item.claimed_by.as_deref() == Some(&me),
                by: item.claimed_by.as_deref().map(person),
                until: item.claimed_until.map(when).unwrap_or_default(),
            },
            opened_at: when(item.opened_at),
            body: String::new(),
            size: 1,
            back: back.to_owned(),
            comment_id: String::new(),
            campaign_id: String::new(),
        };
        if let Some(campaign) = &item.campaign {
            // An open card speaks of what a decision reaches, as its row does.
            let reached = if item.open { campaign.undecided } else { campaign.size };
            pane.title = super::words::count("row.campaign", reached);
            pane.size = campaign.undecided;
            pane.campaign_id.clone_from(&campaign.id);
            let view = CampaignView::load(state, f, caller, &item.site, campaign).await?;
            pane.body = draw(&view)?;
        } else if let Some(comment) = &item.comment {
            let id = comment.get("id").and_then(Value::as_str).unwrap_or_default();
            pane.comment_id = id.to_owned();
            let (listed, _) = state.intake.store().listed(item.site.clone(), Id::from(id)).await?;
            pane.title = listed.article.as_ref().map(super::card::title_of).unwrap_or_default();
            let assessment = item.assessment.clone().unwrap_or_default();
            let view = CommentView::load(state, f, &caller.sites(), &listed, &assessment).await?;
            pane.body = draw(&view)?;
        }
        if pane.title.is_empty() {
            say("card.no-article").clone_into(&mut pane.title);
        }
        Ok(pane)
    }

    /// The pane as HTML.
    ///
    /// # Errors
    /// When the template cannot be filled.
    pub(super) fn draw(&self) -> Result<String, ApiError> {
        draw(self)
    }
}

/// A template as HTML.
pub(super) fn draw(template: &impl Template) -> Result<String, ApiError> {
    template.render().map_err(|error| ApiError::new(Code::Refused, error.to_string()))
}

#[derive(Template)]
#[template(path = "card.html")]
struct CardPage {
    f: Frame,
    pane: String,
    back: String,
}

/// A card's page; with `part=pane` the pane alone.
pub(super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let back = local(fields.get("back"), "/queue");
    let item = state.intake.store().card(caller.sites(), id.into_inner()).await?;
    let f = Frame::new(&state, &caller, "queue", say("card.title")).await?;
    let pane = Pane::load(&state, &f, &caller, item, &back).await?;
    if fields.get("part") == Some("pane") {
        return show(&pane);
    }
    let f = f.after_step(&request);
    show(&CardPage { pane: pane.draw()?, f, back })
}

/// The action that a form's button names.
pub(super) fn action_of(fields: &Fields) -> Result<Action, ApiError> {
    match fields.need("action")? {
        "approve" => Ok(Action::Approve),
        "reject" => Ok(Action::Reject),
        "escalate" => Ok(Action::Escalate),
        "skip" => Ok(Action::Skip),
        other => Err(ApiError::new(Code::InvalidBody, format!("`{other}` is no action"))),
    }
}

/// A decision that a form asks for.
pub(super) fn decision_of(
    state: &State,
    caller: &Caller<CanDecide>,
    fields: &Fields,
    site: Option<String>,
    target: Target,
) -> Result<NewDecision, ApiError> {
    let action = action_of(fields)?;
    let settings = state.settings();
    check_reason(&settings.review, action, fields.get("reason"), fields.get("note"))?;
    Ok(NewDecision {
        sites: caller.sites(),
        site,
        target,
        version: fields.number("version")?,
        action,
        reason: fields.owned("reason"),
        note: fields.owned("note"),
        except: fields.all("except").map(Id::from).collect(),
        by: caller.actor(),
        undo_for: settings.review.undo_minutes * 60_000,
    })
}

/// Decides a card.
pub(super) async fn decide(
    state: web::Data<State>,
    posted: Posted<CanDecide>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let target = Target::Items(vec![(id.into_inner(), fields.number("version")?)]);
    let decision = decision_of(&state, &caller, &fields, None, target)?;
    let decided = state.intake.store().decide(decision).await?;
    let back = with_pair(&local(fields.get("back"), "/queue"), "done", &decided.id);
    Ok(go(&format!("{}{back}", state.prefix())))
}

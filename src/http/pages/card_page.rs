//! `/queue/{id}`: one card with everything about it, by itself or as the pane beside the list; and the decision about it.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::super::auth::{Caller, CanDecide, CanLook};
use super::super::error::{ApiError, Code};
use super::super::review::{Asked, check_reason, next_page};
use super::super::state::State;
use super::campaign::CampaignView;
use super::card::CommentView;
use super::form::{Fields, Mistake, Posted};
use super::frame::{Frame, encoded, go, local, show, show_as, with_pair};
use super::queue;
use super::text::{When, person, when};
use super::words::{fill, say};
use crate::domain::Id;
use crate::store::records::{Action, NewDecision, QueueFilter, QueueItem, Target};

/// Who has a card on the desk.
struct Claim {
    by: Option<String>,
    mine: bool,
    until: When,
}

/// A card laid open.
#[derive(Template)]
#[template(path = "pane.html")]
#[expect(clippy::struct_excessive_bools, reason = "what a page shows or not")]
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
    /// Whether the caller may decide it: what was escalated is a lead's.
    decidable: bool,
    /// The page of the campaign that it is, or to which a single comment belongs.
    campaign_link: Option<String>,
    /// The cards before and after it, where the card has a page of its own.
    around: (Option<String>, Option<String>),
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
            decidable: item.open && f.may.decide && (f.may.lead || !item.escalated),
            campaign_link: None,
            around: (None, None),
        };
        if let Some(campaign) = &item.campaign {
            // An open card speaks of what a decision reaches, as its row does.
            let reached = if item.open { campaign.undecided } else { campaign.size };
            pane.title = super::words::count("row.campaign", reached);
            pane.size = campaign.undecided;
            pane.campaign_id.clone_from(&campaign.id);
            let view = CampaignView::load(state, f, caller, &item.site, campaign).await?;
            pane.campaign_link = Some(view.link.clone());
            pane.body = draw(&view)?;
        } else if let Some(comment) = &item.comment {
            let id = comment.get("id").and_then(Value::as_str).unwrap_or_default();
            pane.comment_id = id.to_owned();
            let (listed, _) = state.intake.store().listed(item.site.clone(), Id::from(id)).await?;
            pane.title = listed.article.as_ref().map(super::card::title_of).unwrap_or_default();
            let assessment = item.assessment.clone().unwrap_or_default();
            let view = CommentView::load(state, f, &caller.sites(), &listed, &assessment).await?;
            pane.campaign_link.clone_from(&view.campaign_link);
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
    /// Whether it waits for a decision: then the script works on it as in the list.
    open: bool,
    /// The card before, this one and those that follow, out of sight: the script goes on with them.
    rows: String,
    next: Option<String>,
    query: String,
    event: i64,
}

/// The filter of the queue that a card was opened from; none where it was opened from another page.
async fn filter_of<P>(state: &State, caller: &Caller<P>, back: &str) -> Option<(QueueFilter, String)> {
    let (path, query) = back.split_once('?').unwrap_or((back, ""));
    let asked = Asked::parse(query, queue::OTHERS).ok().filter(|_| path == "/queue")?;
    let filter = asked.filter(state, caller).await.ok()?;
    let here = queue::here(&asked, &filter);
    Some((filter, here.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default()))
}

/// A card's page; with `part=pane` the pane alone.
pub(super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    drawn(&request, &state, &caller, id.into_inner(), &fields, None).await
}

async fn drawn<P>(
    request: &HttpRequest,
    state: &State,
    caller: &Caller<P>,
    id: String,
    fields: &Fields,
    mistake: Mistake,
) -> Result<HttpResponse, ApiError> {
    let back = local(fields.get("back"), "/queue");
    let store = state.intake.store();
    let item = store.card(caller.sites(), id).await?;
    let f = Frame::new(state, caller, "queue", "").await?.after_mistake(mistake);
    let outcome = f.outcome();
    let event = store.last_event().await?;
    let is_part = fields.get("part") == Some("pane");
    let in_list = is_part && fields.get("alone").is_none();
    let filter = if in_list { None } else { filter_of(state, caller, &back).await };
    let mut pane = Pane::load(state, &f, caller, item.clone(), &back).await?;
    if let Some((filter, _)) = &filter {
        let rank = filter.order.unwrap_or_default().rank(&item);
        pane.around = store.neighbours(caller.sites(), filter.clone(), rank, item.id.clone()).await?;
    }
    if is_part {
        return show(&pane);
    }
    let mut items = Vec::new();
    if let Some(before) = &pane.around.0 {
        items.extend(store.card(caller.sites(), before.clone()).await);
    }
    let order = filter.as_ref().and_then(|(filter, _)| filter.order).unwrap_or_default();
    let after = (order.rank(&item), item.id.clone());
    let open = item.open;
    items.push(item);
    let mut next = None;
    let query = match filter {
        Some((filter, query)) => {
            let more = store.queue(caller.sites(), filter, Some(after), queue::PAGE).await?;
            next = next_page(&more, queue::PAGE, order)
                .map(|next| with_pair(&format!("/queue?{query}"), "after", &next));
            items.extend(more);
            query
        }
        None => String::new(),
    };
    let rows = queue::draw_rows(&f, &items, &caller.actor().name, &back, order)?;
    let mut f = f.after_step(request);
    f.title = fill("card.titled", &[("title", &pane.title)]);
    let whole = CardPage { pane: pane.draw()?, f, back, open, rows, next, query, event };
    show_as(outcome, &whole)
}

/// Takes a card over from whoever has it on the desk.
pub(super) async fn take(
    state: web::Data<State>,
    posted: Posted<CanDecide>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let id = id.into_inner();
    let store = state.intake.store();
    let lease = state.settings().review.lease_minutes * 60_000;
    let taken = store.claim(caller.sites(), vec![id.clone()], caller.actor(), lease, true).await?;
    if taken.is_empty() {
        return Err(ApiError::new(Code::Refused, say("card.not-taken")));
    }
    let page = format!("/queue/{}", encoded(&id));
    Ok(go(&format!("{}{}", state.prefix(), with_pair(&page, "back", &local(fields.get("back"), "/queue")))))
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
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanDecide>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let id = id.into_inner();
    let target = Target::Items(vec![(id.clone(), fields.number("version")?)]);
    let decision = match decision_of(&state, &caller, &fields, None, target) {
        // A reason or a note that is wanted: the card is shown again, with what was written.
        Err(error) if fields.can_mend(&error) => {
            return drawn(&request, &state, &caller, id, &fields, Some((error, fields.clone()))).await;
        }
        decision => decision?,
    };
    let decided = state.intake.store().decide(decision).await?;
    let back = local(fields.get("back"), "/queue");
    // From a card's page to the next card's, as in the list.
    let to = match fields.get("next") {
        Some(next) => with_pair(&format!("/queue/{}", encoded(next)), "back", &back),
        None => back,
    };
    Ok(go(&format!("{}{}", state.prefix(), with_pair(&to, "done", &decided.id))))
}

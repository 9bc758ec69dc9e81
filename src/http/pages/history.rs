//! `/history`: what was decided, with undo; `/audit`: everything that was done.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::auth::{Caller, CanDecide, CanLead, CanLook};
use super::super::error::ApiError;
use super::super::state::State;
use super::card::DecisionLine;
use super::form::{Fields, Posted};
use super::frame::{Frame, encoded, go, local, show, with_decisions, with_pair};
use super::text::{When, excerpt, person, when};
use super::words::say;

/// Entries of a page.
const PAGE: usize = 50;

struct Line {
    decision: DecisionLine,
    site: String,
    comments: Vec<(String, String)>,
    more: i64,
    undoable: bool,
}

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    f: Frame,
    lines: Vec<Line>,
    next: Option<String>,
}

/// Past decisions, newest first.
pub(super) async fn decisions(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let decisions = state.intake.store().decisions(caller.sites(), fields.owned("before"), PAGE).await?;
    let f = Frame::new(&state, &caller, "history", say("history.title")).await?;
    let me = caller.actor();
    let now = chrono::Utc::now();
    let next = decisions.last().filter(|_| decisions.len() == PAGE);
    let next = next.map(|last| format!("/history?before={}", last.id));
    let lines = decisions.iter().map(|decision| {
        let in_time =
            chrono::DateTime::parse_from_rfc3339(&decision.undo_until).is_ok_and(|until| until > now);
        let own = decision.actor == me.name;
        let links = decision
            .comments
            .iter()
            .take(5)
            .map(|id| (id.clone(), format!("/comments/{}/{}", encoded(&decision.site), encoded(id))));
        Line {
            undoable: f.may.decide
                && decision.undone_at.is_none()
                && decision.trust == "moderator"
                && (me.leads || (own && in_time)),
            comments: links.collect(),
            more: (decision.size - 5).max(0),
            site: decision.site.clone(),
            decision: DecisionLine::of(decision),
        }
    });
    let lines = lines.collect();
    show(&HistoryPage { lines, f: f.after_step(&request), next })
}

/// Undoes a decision, and others that were taken with it (`also`), the last one first. What cannot be undone stays as it is and is offered again.
pub(super) async fn undo(
    state: web::Data<State>,
    posted: Posted<CanDecide>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let mut ids = vec![id.into_inner()];
    ids.extend(fields.all("also").map(str::to_owned));
    let (mut kept, mut why) = (Vec::new(), None);
    for id in ids.iter().rev() {
        if let Err(error) = state.intake.store().undo(caller.sites(), id.clone(), caller.actor()).await {
            kept.insert(0, id.clone());
            why = Some(error);
        }
    }
    if let Some(error) = why.filter(|_| kept.len() == ids.len()) {
        return Err(error.into());
    }
    let back = local(fields.get("back"), "/history");
    let back = match kept.as_slice() {
        [] => with_pair(&back, "said", "undone"),
        kept => format!("{}&said=undone-in-part", with_decisions(&back, kept)),
    };
    Ok(go(&format!("{}{back}", state.prefix())))
}

struct Entry {
    seq: i64,
    at: When,
    actor: String,
    action: String,
    subject: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    f: Frame,
    entries: Vec<Entry>,
    next: Option<String>,
}

/// The audit log, newest first.
pub(super) async fn audit(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLead>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let before = fields.number("before")?;
    let entries = state.intake.store().audit_before(caller.sites(), before, PAGE).await?;
    let f = Frame::new(&state, &caller, "audit", say("audit.title")).await?;
    let next = entries.last().filter(|_| entries.len() == PAGE);
    let next = next.map(|last| format!("/audit?before={}", last.seq));
    let entries = entries.into_iter().map(|entry| Entry {
        seq: entry.seq,
        at: when(entry.at),
        actor: person(&entry.actor),
        action: entry.action,
        subject: excerpt(&entry.subject, 80),
        detail: excerpt(&entry.detail, 400),
    });
    show(&AuditPage { entries: entries.collect(), f, next })
}

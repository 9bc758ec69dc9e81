//! `/history`: what was decided, with undo; `/audit`: everything that was done.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::auth::{Caller, CanDecide, CanLead, CanLook};
use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::card::DecisionLine;
use super::form::{Fields, Mistake, Posted};
use super::frame::{Frame, encoded, go, local, show_as, with_decisions, with_pair};
use super::text::{When, excerpt, person, when};
use super::words::{fill, say};
use crate::store::records::{AuditEntry, PastDecision};

/// Entries of a page.
const PAGE: usize = 50;
/// Entries looked at for a page, where not all of them are wanted: so many at once, and so often.
const AT_ONCE: usize = 200;
const MOST_TIMES: usize = 25;
const DAY: i64 = 24 * 3_600_000;

/// Which entries are wanted.
#[derive(Default)]
struct Wanted {
    /// As typed: part of a name.
    who: String,
    /// A decision's action, or part of what the audit log calls it.
    what: String,
    /// The first day, and the last, as typed.
    days: (String, String),
    /// In milliseconds: from, and before.
    from: Option<i64>,
    until: Option<i64>,
}

impl Wanted {
    /// Reads an address; what is wrong in it is told and asks for nothing.
    fn read(fields: &Fields) -> (Self, Mistake) {
        let owned = |name: &str| fields.owned(name).unwrap_or_default().trim().to_owned();
        let mut wanted = Self {
            who: owned("who"),
            what: owned("what"),
            days: (owned("from"), owned("until")),
            ..Self::default()
        };
        match (day(&wanted.days.0, "history.from"), day(&wanted.days.1, "history.until")) {
            (Ok(from), Ok(until)) => {
                wanted.from = from;
                wanted.until = until.map(|until| until + DAY);
                (wanted, None)
            }
            (Err(error), _) | (_, Err(error)) => (wanted, Some((error, fields.clone()))),
        }
    }

    /// Whether anything is asked for.
    fn is_any(&self) -> bool {
        !(self.who.is_empty() && self.what.is_empty() && self.days.0.is_empty() && self.days.1.is_empty())
    }

    fn is_of(&self, actor: &str) -> bool {
        self.who.is_empty() || person(actor).to_lowercase().contains(&self.who.to_lowercase())
    }

    fn is_before(&self, at: i64) -> bool {
        self.until.is_none_or(|until| at < until)
    }

    fn is_past(&self, at: i64) -> bool {
        self.from.is_some_and(|from| at < from)
    }

    /// The address of the page that goes on before an entry.
    fn next(&self, path: &str, before: &str) -> String {
        let (from, until) = (&self.days.0, &self.days.1);
        let pairs = [("who", &self.who), ("what", &self.what), ("from", from), ("until", until)];
        let said: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let query = serde_urlencoded::to_string(said).unwrap_or_default();
        with_pair(&format!("{path}?{query}"), "before", before)
    }
}

/// The first millisecond of a day (UTC).
fn day(text: &str, field: &str) -> Result<Option<i64>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d");
    let midnight = day.ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    let wrong = || {
        let detail = fill("form.bad-day", &[("field", &say(field)), ("value", &excerpt(text, 40))]);
        ApiError::new(Code::InvalidParameter, detail)
    };
    midnight.map(|at| Some(at.and_utc().timestamp_millis())).ok_or_else(wrong)
}

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
    wanted: Wanted,
    actions: [&'static str; 4],
}

/// Past decisions, newest first.
pub(super) async fn decisions(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let (wanted, mistake) = Wanted::read(&fields);
    let (decisions, before) = wanted_decisions(&state, &caller, &wanted, fields.owned("before")).await?;
    let f = Frame::new(&state, &caller, "history", say("history.title")).await?.after_mistake(mistake);
    let outcome = f.outcome();
    let me = caller.actor();
    let now = chrono::Utc::now();
    let next = before.map(|before| wanted.next("/history", &before));
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
    let actions = ["approve", "reject", "escalate", "skip"];
    show_as(outcome, &HistoryPage { lines, f: f.after_step(&request), next, wanted, actions })
}

/// A page of the decisions that are wanted, and before which one to look on; none at the end.
async fn wanted_decisions(
    state: &State,
    caller: &Caller<CanLook>,
    wanted: &Wanted,
    mut before: Option<String>,
) -> Result<(Vec<PastDecision>, Option<String>), ApiError> {
    let at_once = if wanted.is_any() { AT_ONCE } else { PAGE };
    let mut found = Vec::new();
    for _ in 0..MOST_TIMES {
        let decisions = state.intake.store().decisions(caller.sites(), before.clone(), at_once).await?;
        let is_last = decisions.len() < at_once;
        for decision in decisions {
            if wanted.is_past(decision.at) {
                return Ok((found, None));
            }
            before = Some(decision.id.clone());
            let is_what = wanted.what.is_empty() || decision.action == wanted.what;
            if is_what && wanted.is_of(&decision.actor) && wanted.is_before(decision.at) {
                found.push(decision);
                if found.len() == PAGE {
                    return Ok((found, before));
                }
            }
        }
        if is_last {
            return Ok((found, None));
        }
    }
    Ok((found, before))
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
    wanted: Wanted,
}

/// The audit log, newest first.
pub(super) async fn audit(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLead>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let (wanted, mistake) = Wanted::read(&fields);
    let (entries, before) = wanted_entries(&state, &caller, &wanted, fields.number("before")?).await?;
    let f = Frame::new(&state, &caller, "audit", say("audit.title")).await?.after_mistake(mistake);
    let next = before.map(|before| wanted.next("/audit", &before.to_string()));
    let entries = entries.into_iter().map(|entry| Entry {
        seq: entry.seq,
        at: when(entry.at),
        actor: person(&entry.actor),
        action: entry.action,
        subject: excerpt(&entry.subject, 80),
        detail: excerpt(&entry.detail, 400),
    });
    show_as(f.outcome(), &AuditPage { entries: entries.collect(), f, next, wanted })
}

/// A page of the entries that are wanted, and before which one to look on; none at the end.
async fn wanted_entries(
    state: &State,
    caller: &Caller<CanLead>,
    wanted: &Wanted,
    mut before: Option<i64>,
) -> Result<(Vec<AuditEntry>, Option<i64>), ApiError> {
    let at_once = if wanted.is_any() { AT_ONCE } else { PAGE };
    let what = wanted.what.to_lowercase();
    let mut found = Vec::new();
    for _ in 0..MOST_TIMES {
        let entries = state.intake.store().audit_before(caller.sites(), before, at_once).await?;
        let is_last = entries.len() < at_once;
        for entry in entries {
            if wanted.is_past(entry.at) {
                return Ok((found, None));
            }
            before = Some(entry.seq);
            let is_what = entry.action.to_lowercase().contains(&what);
            if is_what && wanted.is_of(&entry.actor) && wanted.is_before(entry.at) {
                found.push(entry);
                if found.len() == PAGE {
                    return Ok((found, before));
                }
            }
        }
        if is_last {
            return Ok((found, None));
        }
    }
    Ok((found, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_what_is_no_day_is_told() {
        let read = |query: &str| Wanted::read(&Fields::parse(query.as_bytes()).unwrap());
        let (wanted, mistake) = read("from=2026-03-01&until=2026-03-01&who=Anna&what=reject");
        assert!(mistake.is_none() && wanted.is_any());
        let noon = wanted.from.unwrap() + DAY / 2;
        assert!(!wanted.is_past(noon) && wanted.is_before(noon));
        assert!(wanted.is_past(noon - DAY) && !wanted.is_before(noon + DAY));
        assert!(wanted.is_of("user:anna") && !wanted.is_of("user:ben"));
        assert_eq!(
            wanted.next("/history", "x"),
            "/history?who=Anna&what=reject&from=2026-03-01&until=2026-03-01&before=x"
        );
        let (_, mistake) = read("from=yesterday");
        assert!(mistake.unwrap().0.detail.contains("yesterday"));
        assert!(!read("before=7").0.is_any());
    }
}

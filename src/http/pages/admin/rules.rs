//! `/admin/rules`: every rule and signal with its status, how often it hit lately, and what people decided where it hit; drafts of the desk.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::super::auth::{Caller, CanAdmin, CanLook};
use super::super::super::error::ApiError;
use super::super::super::state::State;
use super::super::form::{Fields, Posted};
use super::super::frame::{Frame, go, show};
use super::super::morning::precision;
use super::super::text::{When, person, when};
use super::super::words::say;
use crate::signals::SIGNALS;
use crate::store::records::RuleResult;

/// Days of decisions that count.
const DAYS: i64 = 90;

struct RuleRow {
    id: String,
    status: String,
    points: String,
    group: String,
    message: String,
    hits: u64,
    decided: i64,
    precision: String,
    interval: String,
    expires: String,
}

struct DraftRow {
    id: String,
    text: String,
    by: String,
    at: When,
    active: bool,
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    f: Frame,
    rows: Vec<RuleRow>,
    drafts: Vec<DraftRow>,
    words: String,
    status: String,
    digest: String,
    days: i64,
}

fn numbers(result: Option<&RuleResult>) -> (i64, String, String) {
    let Some(result) = result else { return (0, String::new(), String::new()) };
    let (share, low, high) = precision(result).unwrap_or_default();
    (
        result.rejected + result.approved,
        format!("{:.0} %", share * 100.0),
        format!("{:.0}–{:.0} %", low * 100.0, high * 100.0),
    )
}

/// The page.
pub(in super::super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let (words, status) =
        (fields.owned("q").unwrap_or_default().to_lowercase(), fields.owned("status").unwrap_or_default());
    let store = state.intake.store();
    let results = store.rule_results(caller.sites(), DAYS).await?;
    let result = |name: &str| results.iter().find(|result| result.name == name);
    let hits = state.counters.hits.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let engine = state.intake.engine();
    let rules = &engine.rules;
    let mut rows = Vec::new();
    for rule in rules.rules() {
        let (decided, precision, interval) = numbers(result(&rule.id));
        rows.push(RuleRow {
            id: rule.id.clone(),
            status: rule.status.name().to_owned(),
            points: format!("{:+.2}", rule.written_points),
            group: rule.group.and_then(|at| rules.groups().get(at)).map_or(String::new(), |g| g.id.clone()),
            message: rule.message.clone(),
            hits: hits.get(&rule.id).copied().unwrap_or(0),
            decided,
            precision,
            interval,
            expires: rule.expires.map(|day| day.to_string()).unwrap_or_default(),
        });
    }
    for signal in SIGNALS {
        let (decided, precision, interval) = numbers(result(signal.id()));
        let weight = rules.signal_weight(signal.id());
        rows.push(RuleRow {
            id: signal.id().to_owned(),
            status: "signal".to_owned(),
            points: format!("{:+.2}", weight.weight),
            group: String::new(),
            message: super::super::card::signal_name(signal.id()),
            hits: hits.get(signal.id()).copied().unwrap_or(0),
            decided,
            precision,
            interval,
            expires: String::new(),
        });
    }
    rows.retain(|row| {
        (status.is_empty() || row.status == status)
            && (row.id.contains(&words) || row.message.to_lowercase().contains(&words))
    });
    rows.sort_by_key(|row| (-row.decided, std::cmp::Reverse(row.hits)));
    let drafts = store.rule_drafts().await?.into_iter();
    let drafts = drafts.filter(|draft| caller.sites().contains(&draft.site)).map(|draft| DraftRow {
        active: rules.rules().iter().any(|rule| rule.id.split('/').next() == Some(&draft.id)),
        by: person(&draft.actor),
        at: when(draft.at),
        id: draft.id,
        text: draft.text,
    });
    let f = Frame::new(&state, &caller, "rules", say("rules.title")).await?;
    let page = RulesPage {
        f: f.after_step(&request),
        rows,
        drafts: drafts.collect(),
        words,
        status,
        digest: rules.digest().to_owned(),
        days: DAYS,
    };
    show(&page)
}

/// Throws a draft away.
pub(in super::super) async fn change(
    state: web::Data<State>,
    posted: Posted<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let id = fields.need("remove")?.to_owned();
    state.intake.store().remove_rule_draft(caller.sites(), id, caller.actor().name).await?;
    state.reload_wanted.notify_one();
    Ok(go(&format!("{}/admin/rules?said=draft-removed", state.prefix())))
}

//! `/admin/plans`: what rescorings of the store propose; read, applied, taken back.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::super::auth::{Caller, CanAdmin};
use super::super::super::error::{ApiError, Code};
use super::super::super::state::State;
use super::super::form::Posted;
use super::super::frame::{Frame, encoded, go, show};
use super::super::text::{When, person, when};
use super::super::words::{fill, say};
use super::sees_all;
use crate::engine::Engine;
use crate::offline::plan::Plan;

/// Changes shown of a plan.
const SHOWN: usize = 50;

struct Line {
    id: String,
    items: i64,
    by: String,
    at: When,
    applied: Option<When>,
    undone: Option<When>,
}

struct Item {
    link: String,
    id: String,
    from: String,
    to: String,
    because: String,
}

struct Opened {
    id: String,
    summary: String,
    made: String,
    /// Said where it was made with other rules or another model than those in force.
    warning: &'static str,
    can_apply: bool,
    sweeps: Vec<String>,
    items: Vec<Item>,
    /// How many more there are.
    more: usize,
}

#[derive(Template)]
#[template(path = "plans.html")]
struct PlansPage {
    f: Frame,
    plans: Vec<Line>,
    opened: Option<Opened>,
}

/// The plans; with `id` in the address one of them laid open.
pub(in super::super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    sees_all(&caller)?;
    let fields = super::super::form::Fields::parse(request.query_string().as_bytes())?;
    let store = state.intake.store();
    let plans = store.plans().await?.into_iter().map(|plan| Line {
        items: plan.items,
        by: person(&plan.actor),
        at: when(plan.at),
        applied: plan.applied_at.filter(|_| plan.undone_at.is_none()).map(when),
        undone: plan.undone_at.map(when),
        id: plan.id,
    });
    let plans = plans.collect();
    let opened = match fields.get("id") {
        Some(id) => {
            let (plan, text) = store.plan(id.to_owned()).await?;
            let mut opened = open(id, &text, &state.intake.engine())?;
            opened.can_apply = plan.applied_at.is_none() || plan.undone_at.is_some();
            Some(opened)
        }
        None => None,
    };
    let f = Frame::new(&state, &caller, "admin", say("plans.title")).await?;
    show(&PlansPage { f: f.after_step(&request), plans, opened })
}

fn open(id: &str, text: &str, engine: &Engine) -> Result<Opened, ApiError> {
    let plan = Plan::read(text).map_err(|error| ApiError::new(Code::Refused, error))?;
    let counts = plan.counts();
    let verdict = |verdict: crate::domain::Verdict| {
        say(&format!("verdict.{}", format!("{verdict:?}").to_lowercase())).to_owned()
    };
    let items = plan.items.iter().take(SHOWN).map(|item| {
        let site = item.site.as_ref().map(ToString::to_string).unwrap_or_default();
        let because = item.because.iter().filter_map(|because| serde_json::to_value(because).ok());
        let because = because.filter_map(|because| {
            because.as_str().map(|word| say(&format!("because.{word}.short")).to_owned())
        });
        Item {
            link: format!("/comments/{}/{}", encoded(&site), encoded(item.id.as_str())),
            id: item.id.to_string(),
            from: item.from.map(verdict).unwrap_or_default(),
            to: verdict(item.to),
            because: because.collect::<Vec<_>>().join(", "),
        }
    });
    let in_force = plan.ruleset == engine.rules.digest() && plan.model == engine.model.digest();
    let sweeps = plan.sweeps.iter().take(SHOWN).map(|sweep| {
        fill(
            "plans.sweep",
            &[
                ("campaign", &sweep.campaign),
                ("site", &sweep.site.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("comments", &sweep.comments),
                ("published", &sweep.published),
            ],
        )
    });
    Ok(Opened {
        warning: if in_force { "" } else { say("plans.other-rules") },
        can_apply: false,
        sweeps: sweeps.collect(),
        more: plan.items.len().saturating_sub(SHOWN),
        id: id.to_owned(),
        items: items.collect(),
        summary: fill(
            "plans.summary",
            &[
                ("items", &counts.items),
                ("caught", &counts.caught),
                ("spared", &counts.spared),
                ("moved", &counts.moved),
            ],
        ),
        made: fill(
            "card.versions",
            &[("rules", &plan.ruleset), ("model", &plan.model), ("engine", &plan.engine)],
        ),
    })
}

/// Applies a plan, or takes it back.
pub(in super::super) async fn change(
    state: web::Data<State>,
    posted: Posted<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    sees_all(&caller)?;
    let store = state.intake.store();
    let id = fields.need("id")?.to_owned();
    let actor = caller.actor().name;
    let said = match fields.need("do")? {
        "undo" => {
            store.undo_plan(id, actor).await?;
            "plan-undone"
        }
        "apply" => {
            let (_, text) = store.plan(id.clone()).await?;
            let plan = Plan::read(&text).and_then(Plan::changes);
            let changes = plan.map_err(|error| ApiError::new(Code::Refused, format!("the plan {error}")))?;
            store.apply_plan(id, changes, actor).await?;
            "plan-applied"
        }
        other => {
            return Err(ApiError::new(
                Code::InvalidBody,
                format!("`do` is `apply` or `undo`, not `{other}`"),
            ));
        }
    };
    Ok(go(&format!("{}/admin/plans?said={said}", state.prefix())))
}

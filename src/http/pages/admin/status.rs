//! `/admin/status`: what is in force, how the last reload fared, and another one at the push of a button.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::super::auth::{Caller, CanAdmin};
use super::super::super::error::ApiError;
use super::super::super::state::State;
use super::super::form::Posted;
use super::super::frame::{Frame, go, show};
use super::super::words::{say, thousands};
use super::sees_all;

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    f: Frame,
    rows: Vec<(&'static str, String)>,
    error: Option<String>,
    observe_only: bool,
}

/// The page.
pub(in super::super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    sees_all(&caller)?;
    let counts = state.intake.store().counts(None).await?;
    let engine = state.intake.engine();
    let (comments, bytes) = state.intake.index_size();
    let card = engine.model.card();
    let rows = vec![
        (say("status.version"), env!("CARGO_PKG_VERSION").to_owned()),
        (say("status.rules"), format!("{} ({})", engine.rules.digest(), engine.rules.rules().len())),
        (say("status.model"), engine.model.digest().to_owned()),
        (say("status.reference"), thousands(engine.model.reference().comments as i64)),
        (say("status.sources"), thousands(card.sources.len() as i64)),
        (say("status.comments"), thousands(counts.comments)),
        (say("status.index"), format!("{} ({} MiB)", thousands(comments as i64), bytes >> 20)),
        (say("status.queue"), thousands(counts.queue)),
        (say("status.outbox"), format!("{} / {}", counts.outbox, counts.dead_letters)),
        (say("status.inbox"), thousands(counts.inbox)),
        (say("status.reloads"), state.reloads.done.read().to_string()),
    ];
    let error = state.reloads.error.load().as_ref().clone();
    let f = Frame::new(&state, &caller, "admin", say("status.title")).await?;
    let observe_only = engine.config.observe_only;
    show(&StatusPage { f: f.after_step(&request), rows, error, observe_only })
}

/// Reads rules, model and configuration anew.
pub(in super::super) async fn reload(
    state: web::Data<State>,
    posted: Posted<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    sees_all(&posted.caller)?;
    state.reload_wanted.notify_one();
    Ok(go(&format!("{}/admin/status?said=reloading", state.prefix())))
}

//! `/healthz`, `/readyz`, `/metrics`: what an operator watches. The README has the table of all metrics.

use std::fmt::{Display, Write as _};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};

use super::error::ApiError;
use super::state::State;
use crate::store::records::Counts;
use crate::telemetry::{BUCKETS, Timing};

/// How long counts are good.
const FRESH: Duration = Duration::from_secs(5);

/// The process answers
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses((status = 200, description = "ok", body = String, content_type = "text/plain")), security(()))]
pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The store answers too, and can be written
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses((status = 200, description = "ready; with a warning where the last reload failed", body = String, content_type = "text/plain")), security(()))]
pub(super) async fn ready(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let mut last = state.probed.lock().await;
    if last.is_none_or(|last| last.elapsed() >= Duration::from_secs(1)) {
        state.intake.store().probe().await?;
        *last = Some(Instant::now());
    }
    let mut text = "ready\n".to_owned();
    if let Some(error) = state.reloads.error.load().as_ref() {
        let _ = writeln!(text, "warning: the last reload failed, what was before goes on: {error}");
    }
    Ok(HttpResponse::Ok().content_type("text/plain").body(text))
}

/// Prometheus text.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn labelled(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
        let labels: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", quoted(value))).collect();
        let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
    }

    /// A histogram in seconds; `label` stands with every line.
    fn histogram(&mut self, name: &str, label: Option<(&str, &str)>, timing: &Timing) {
        let reading = timing.read();
        let with = |more: Option<(&str, String)>| {
            let labels = label.map(|(key, value)| format!("{key}=\"{value}\""));
            let more = more.map(|(key, value)| format!("{key}=\"{value}\""));
            let all: Vec<String> = labels.into_iter().chain(more).collect();
            if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
        };
        for (end, count) in BUCKETS.iter().zip(&reading.up_to) {
            let le = (*end as f64 / 1e6).to_string();
            let _ = writeln!(self.0, "{name}_bucket{} {count}", with(Some(("le", le))));
        }
        let _ = writeln!(self.0, "{name}_bucket{} {}", with(Some(("le", "+Inf".to_owned()))), reading.count);
        let _ = writeln!(self.0, "{name}_sum{} {}", with(None), reading.micros as f64 / 1e6);
        let _ = writeln!(self.0, "{name}_count{} {}", with(None), reading.count);
    }
}

/// Prometheus metrics
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")), security(()))]
pub(super) async fn metrics(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let mut page = Page::default();
    since_start(&mut page, &state);
    let counts = counts(&state).await?;
    let (comments, bytes) = state.intake.index_size();
    for (name, help, value) in [
        ("claque_comments", "Comments stored, current revisions", counts.comments),
        ("claque_queue_cards", "Open cards", counts.queue),
        ("claque_queue_oldest_seconds", "Age of the oldest open card", counts.oldest_seconds),
        ("claque_decisions", "Decisions that stand", counts.decisions),
        ("claque_outbox_pending", "Callbacks waiting", counts.outbox),
        ("claque_outbox_oldest_seconds", "Age of the oldest waiting callback", counts.outbox_seconds),
        ("claque_outbox_dead", "Callbacks given up", counts.dead_letters),
        ("claque_inbox", "Comments answered `pending` and not judged yet", counts.inbox),
        ("claque_index_comments", "Comments in the live index", comments as i64),
        ("claque_index_bytes", "Memory of the similarity index", bytes as i64),
        ("claque_reload_failed", "1 while the last reload was refused", {
            i64::from(state.reloads.error.load().is_some())
        }),
    ] {
        page.one(name, "gauge", help, value);
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(page.0))
}

/// Counts over the whole store, at most a few seconds old: whoever asks all the time must not keep the readers busy.
async fn counts(state: &State) -> Result<Counts, ApiError> {
    let mut lately = state.counts.lock().await;
    if let Some((_, counts)) = lately.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
        return Ok(counts.clone());
    }
    let counts = state.intake.store().counts(None).await?;
    *lately = Some((Instant::now(), counts.clone()));
    Ok(counts)
}

/// What was counted since the start.
fn since_start(page: &mut Page, state: &State) {
    let counters = &state.counters;
    page.head("claque_take_seconds", "histogram", "From body read to answer, by comment taken");
    page.histogram("claque_take_seconds", None, &counters.taken);
    page.head("claque_stage_seconds", "histogram", "Stages of taking a comment");
    let stages = &state.intake.stages;
    for (stage, timing) in [
        ("ask", &stages.ask),
        ("plugins", &stages.plugins),
        ("judge", &stages.judge),
        ("commit", &stages.commit),
    ] {
        page.histogram("claque_stage_seconds", Some(("stage", stage)), timing);
    }
    page.head("claque_store_commit_seconds", "histogram", "Transactions, from the first job to the disk");
    page.histogram("claque_store_commit_seconds", None, state.intake.store().commit_timing());
    page.head("claque_verdicts_total", "counter", "Comments not simply allowed, by verdict");
    page.labelled("claque_verdicts_total", &[("verdict", "review")], counters.review.read());
    page.labelled("claque_verdicts_total", &[("verdict", "hold")], counters.hold.read());
    page.one("claque_pending_total", "counter", "Comments answered `pending`", counters.pending.read());
    page.one(
        "claque_deliveries_repeated_total",
        "counter",
        "Deliveries that were known",
        counters.repeated.read(),
    );
    page.one(
        "claque_requests_turned_away_total",
        "counter",
        "Answered 503 for load",
        counters.turned_away.read(),
    );
    page.one(
        "claque_reloads_total",
        "counter",
        "Reloads of rules, model and configuration",
        state.reloads.done.read(),
    );
    page.head(
        "claque_rule_hits_total",
        "counter",
        "Hits by rule or signal among comments not simply allowed",
    );
    for (name, hits) in counters.hits.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        page.labelled("claque_rule_hits_total", &[("name", name)], hits);
    }
    let plugins = state.intake.plugin_counts();
    if !plugins.is_empty() {
        page.head("claque_plugin_questions_total", "counter", "Questions to plugins, by outcome");
        for (plugin, counts) in plugins {
            for (outcome, count) in ["asked", "remembered", "failed", "skipped"].iter().zip(counts) {
                page.labelled(
                    "claque_plugin_questions_total",
                    &[("plugin", &plugin), ("outcome", outcome)],
                    count,
                );
            }
        }
    }
}

//! `/healthz`, `/readyz`, `/metrics`: what an operator watches.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, web};

use super::error::ApiError;
use super::state::State;

/// `GET /healthz`: the process answers.
pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// `GET /readyz`: the store answers too.
pub(super) async fn ready(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    state.intake.store().probe().await?;
    Ok(HttpResponse::Ok().content_type("text/plain").body("ready\n"))
}

/// `GET /metrics`: Prometheus text.
pub(super) async fn metrics(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let counts = state.intake.store().counts(None).await?;
    let (index_comments, index_bytes) = state.intake.index_size();
    let counters = &state.counters;
    let since_start = |value: &std::sync::atomic::AtomicU64| value.load(Ordering::Relaxed) as i64;
    let rows: [(&str, &str, &str, i64); 13] = [
        (
            "claque_comments_taken_total",
            "counter",
            "Comments answered since the start",
            since_start(&counters.taken),
        ),
        (
            "claque_comments_review_total",
            "counter",
            "Of these, not simply allowed",
            since_start(&counters.review),
        ),
        (
            "claque_deliveries_repeated_total",
            "counter",
            "Deliveries that were known",
            since_start(&counters.repeated),
        ),
        (
            "claque_requests_turned_away_total",
            "counter",
            "Requests answered 503 for load",
            since_start(&counters.turned_away),
        ),
        (
            "claque_take_microseconds_total",
            "counter",
            "Time from body read to answer",
            since_start(&counters.micros),
        ),
        ("claque_comments", "gauge", "Comments stored, current revisions", counts.comments),
        ("claque_queue_cards", "gauge", "Open cards", counts.queue),
        ("claque_queue_oldest_seconds", "gauge", "Age of the oldest open card", counts.oldest_seconds),
        ("claque_decisions", "gauge", "Decisions that stand", counts.decisions),
        ("claque_outbox_pending", "gauge", "Callbacks waiting", counts.outbox),
        ("claque_outbox_dead", "gauge", "Callbacks given up", counts.dead_letters),
        ("claque_index_comments", "gauge", "Comments in the live index", index_comments as i64),
        ("claque_index_bytes", "gauge", "Memory of the similarity index", index_bytes as i64),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in rows {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

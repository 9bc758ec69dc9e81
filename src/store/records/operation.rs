//! What an operator watches: the audit log, counts, usage.

use serde::Serialize;
use utoipa::ToSchema;

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Its number.
    pub seq: i64,
    /// When.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Details as JSON.
    pub detail: String,
    /// SHA-256 over the entry before it and this one, hexadecimal.
    pub hash: String,
}

/// Counts for the metrics page and `GET /v1/stats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default, ToSchema)]
pub struct Counts {
    /// Comments, current revisions only.
    pub comments: i64,
    /// Of these, proposed for review.
    pub review: i64,
    /// Open cards.
    pub queue: i64,
    /// Age of the oldest open card, in seconds.
    pub oldest_seconds: i64,
    /// Decisions that stand.
    pub decisions: i64,
    /// Callbacks waiting.
    pub outbox: i64,
    /// Age of the oldest callback that is due, in seconds.
    pub outbox_seconds: i64,
    /// Callbacks given up.
    pub dead_letters: i64,
    /// Comments whose sender was told `pending` and that are not judged yet.
    pub inbox: i64,
}

/// What people decided where a reason had fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accuracy {
    /// Comments rejected.
    pub rejected: i64,
    /// Comments approved.
    pub approved: i64,
}

/// Calls of an Akismet client in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct AkismetUsage {
    /// The blog's address.
    pub site: String,
    /// The month, `2026-11`.
    #[serde(skip)]
    pub month: String,
    /// All calls.
    pub api_calls: i64,
    /// Answered `true`.
    pub spam: i64,
    /// Answered `false`.
    pub ham: i64,
    /// Submitted as spam.
    pub missed_spam: i64,
    /// Submitted as ham.
    pub false_positives: i64,
    /// Never: a revoked key gets no statistics.
    pub is_revoked: bool,
}

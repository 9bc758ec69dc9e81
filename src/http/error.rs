//! Every error that leaves the service, in one table: code, status, title. Bodies are RFC 9457 problem documents.
//!
//! Which one to choose: the caller's mistake in a body or a parameter is `invalid-*` with the field or place and the remedy in
//! `detail`; who he is and may do is `unauthorized` and `forbidden`; a thing that is not there, or not his, is `not-found` (never tell which);
//! somebody was faster is `conflict` with the current state; what was deleted is `gone`; a full house is `overloaded` with `Retry-After`; everything of
//! ours is `store-unavailable`, logged with its reason and sent without.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::store::StoreError;

/// The stable codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body is no JSON, or lacks what it needs.
    InvalidBody,
    /// A parameter of the address is wrong.
    InvalidParameter,
    /// Another content type than the route reads.
    UnsupportedMediaType,
    /// Larger than the limit.
    TooLarge,
    /// No key, or one that is not known.
    Unauthorized,
    /// A key that may not do this.
    Forbidden,
    /// A webhook's signature does not fit.
    BadSignature,
    /// A webhook's time is too far from ours.
    StaleTimestamp,
    /// Nothing here.
    NotFound,
    /// The method is not for this address.
    MethodNotAllowed,
    /// The body did not come in time.
    Timeout,
    /// It was here and was deleted.
    Gone,
    /// Somebody else was faster.
    Conflict,
    /// It cannot be done as asked.
    Refused,
    /// Too many tries.
    TooManyRequests,
    /// Too much at once.
    Overloaded,
    /// The database does not answer.
    StoreUnavailable,
}

impl Code {
    /// Wire name, status, title.
    pub fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::InvalidBody => ("invalid-body", StatusCode::BAD_REQUEST, "The body cannot be read"),
            Self::InvalidParameter => ("invalid-parameter", StatusCode::BAD_REQUEST, "A parameter is wrong"),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Another content type is needed",
            ),
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::Unauthorized => {
                ("unauthorized", StatusCode::UNAUTHORIZED, "A valid key or session is needed")
            }
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "The caller may not do this"),
            Self::BadSignature => ("bad-signature", StatusCode::UNAUTHORIZED, "The signature does not fit"),
            Self::StaleTimestamp => {
                ("stale-timestamp", StatusCode::UNAUTHORIZED, "The time is too far from ours")
            }
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "Nothing is here"),
            Self::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "The method is not for this address")
            }
            Self::Timeout => ("timeout", StatusCode::REQUEST_TIMEOUT, "The body took too long"),
            Self::Gone => ("gone", StatusCode::GONE, "It was deleted"),
            Self::TooManyRequests => ("too-many-requests", StatusCode::TOO_MANY_REQUESTS, "Too many tries"),
            Self::Conflict => ("conflict", StatusCode::CONFLICT, "It was changed meanwhile"),
            Self::Refused => ("refused", StatusCode::UNPROCESSABLE_ENTITY, "It cannot be done as asked"),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "Too much at once"),
            Self::StoreUnavailable => {
                ("store-unavailable", StatusCode::SERVICE_UNAVAILABLE, "The database does not answer")
            }
        }
    }
}

/// An error as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.row().0)]
pub struct ApiError {
    /// Which one.
    pub code: Code,
    /// What, where and how to mend it.
    pub detail: String,
    /// How the card stands now, on a conflict: `version`, `open`, `claimed_by`, `decision`.
    pub state: Option<serde_json::Value>,
    /// The methods that are for this address, where another was used.
    pub allow: Option<&'static str>,
    /// Seconds after which it may be tried again, where that is known.
    pub retry_after: Option<u64>,
}

impl ApiError {
    /// An error with its detail.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), state: None, allow: None, retry_after: None }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { version, mut state } => {
                if let Some(state) = state.as_object_mut() {
                    state.insert("version".to_owned(), json!(version));
                }
                let detail =
                    format!("the card is at version {version}, decided, or somebody else's: read it again");
                Self { state: Some(state), ..Self::new(Code::Conflict, detail) }
            }
            StoreError::NotFound(what) => Self::new(Code::NotFound, format!("there is no {what}")),
            StoreError::Refused(why) => Self::new(Code::Refused, why),
            StoreError::Forbidden(why) => Self::new(Code::Forbidden, why),
            StoreError::Deleted => Self::new(Code::Gone, "the comment was deleted: it is not taken again"),
            StoreError::Exists { .. } => Self::new(Code::Refused, error.to_string()),
            StoreError::NewerSchema { .. } | StoreError::Database(_) | StoreError::Closed => {
                tracing::error!(%error, "store");
                Self::new(Code::StoreUnavailable, "nothing was kept: send it again later")
            }
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.row().1
    }

    fn error_response(&self) -> HttpResponse {
        let (code, status, title) = self.code.row();
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        match self.code {
            Code::Overloaded | Code::StoreUnavailable | Code::TooManyRequests => {
                response.insert_header((RETRY_AFTER, self.retry_after.unwrap_or(1).to_string()));
            }
            Code::MethodNotAllowed => {
                response.insert_header((ALLOW, self.allow.unwrap_or_default()));
            }
            Code::Unauthorized => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"claque\""));
            }
            _ => {}
        }
        let mut body = json!({
            "type": format!("urn:claque:problem:{code}"),
            "title": title,
            "status": status.as_u16(),
            "code": code,
            "detail": self.detail,
        });
        if let (Some(state), Some(body)) = (&self.state, body.as_object_mut()) {
            body.insert("version".to_owned(), state.get("version").cloned().unwrap_or_default());
            body.insert("item".to_owned(), state.clone());
        }
        response.body(body.to_string())
    }
}

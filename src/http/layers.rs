//! What surrounds every request: an id that stands in the answer and in every line of the log, and headers that keep browsers safe.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use tracing::Instrument;

use super::state::State;

/// The header with the request's id, in and out.
const REQUEST_ID: &str = "x-request-id";
/// Scripts and styles come from here alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Names the request, logs how it ended, sets the headers.
///
/// # Errors
/// Those of the handlers.
pub async fn around(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // The connection knows that no body is to be sent; for the handlers it is the same.
    // (A stream of events would go on behind an answer without a body.)
    if request.method() == Method::HEAD && !request.path().ends_with("/v1/events") {
        request.head_mut().method = Method::GET;
    }
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let id = given
        .filter(|id| (1..=64).contains(&id.len()) && id.chars().all(plain))
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned);
    let is_https = request.app_data::<web::Data<State>>().is_some_and(|state| state.is_https());
    let is_private = !matches!(request.path(), "/docs" | "/docs.css" | "/openapi.json");
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.path());
    let mut response = next.call(request).instrument(span.clone()).await?;
    let status = response.status().as_u16();
    if status >= 500 {
        span.in_scope(|| tracing::warn!(status, "answered"));
    } else {
        span.in_scope(|| tracing::debug!(status, "answered"));
    }
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value)
            && !headers.contains_key(name)
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set(REQUEST_ID, &id);
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "same-origin");
    set("content-security-policy", POLICY);
    set("cross-origin-opener-policy", "same-origin");
    if is_private {
        set("cache-control", "no-store");
    }
    if is_https {
        set("strict-transport-security", "max-age=31536000");
    }
    Ok(response)
}

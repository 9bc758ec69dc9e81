//! Reading bodies: JSON whose mistakes are named with line and column, whatever the content type says as long as it is not another one.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code};
use super::state::State;

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A smaller limit for one route, in bytes.
#[derive(Clone, Copy)]
pub(super) struct BodyLimit(pub(super) usize);

/// A whole body, at most as large as configured.
pub(super) struct Body(pub(super) web::Bytes);

impl FromRequest for Body {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let of_route = request.app_data::<BodyLimit>().map(|limit| limit.0);
        let of_all =
            || request.app_data::<web::Data<State>>().map(|state| state.settings().server.body_limit);
        let limit = of_route.or_else(of_all).unwrap_or(1 << 20);
        let too_large = move || {
            ApiError::new(Code::TooLarge, format!("the body has more than {limit} bytes: send less at once"))
        };
        let told = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let mut payload = payload.take();
        Box::pin(async move {
            if told.is_some_and(|told: usize| told > limit) {
                return Err(too_large());
            }
            let mut body = web::BytesMut::with_capacity(told.unwrap_or(0).min(64 << 10));
            let too_slow = || {
                ApiError::new(
                    Code::Timeout,
                    format!("the body did not come in {} seconds", PATIENCE.as_secs()),
                )
            };
            let end = tokio::time::Instant::now() + PATIENCE;
            while let Some(chunk) =
                tokio::time::timeout_at(end, payload.next()).await.map_err(|_| too_slow())?
            {
                let chunk = chunk.map_err(|error| {
                    ApiError::new(Code::InvalidBody, format!("the body could not be read: {error}"))
                })?;
                if body.len() + chunk.len() > limit {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Self(body.freeze()))
        })
    }
}

/// The request's media type without parameters, lower case; empty when it names none.
pub(super) fn media_type(request: &HttpRequest) -> String {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads a JSON body.
///
/// # Errors
/// `unsupported-media-type`, or `invalid-body` with the place of the mistake.
pub(super) fn json<T: DeserializeOwned>(request: &HttpRequest, body: &[u8]) -> Result<T, ApiError> {
    let media = media_type(request);
    if !(media.is_empty() || media == "application/json" || media.ends_with("+json")) {
        return Err(ApiError::new(
            Code::UnsupportedMediaType,
            format!("`{media}` is not read here: send `application/json`"),
        ));
    }
    parse(body)
}

/// Reads JSON bytes.
///
/// # Errors
/// `invalid-body` with the place of the mistake.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| {
        ApiError::new(Code::InvalidBody, format!("the body is not UTF-8 (byte {})", error.valid_up_to()))
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!("`{path}`: ") };
        ApiError::new(Code::InvalidBody, format!("{place}{}", error.into_inner()))
    })?;
    reader.end().map_err(|error| ApiError::new(Code::InvalidBody, error.to_string()))?;
    Ok(value)
}

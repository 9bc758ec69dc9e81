//! Reading bodies: JSON whose mistakes are named with line and column, whatever the content type says as long as it is not another one.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code};

/// The largest body, in bytes.
pub(super) const LARGEST: usize = 4 << 20;

/// A whole body, at most [`LARGEST`].
pub(super) struct Body(pub(super) web::Bytes);

impl FromRequest for Body {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            bytes.await.map(Self).map_err(|error| match error.as_error::<PayloadError>() {
                Some(PayloadError::Overflow) => ApiError::new(
                    Code::TooLarge,
                    format!("the body has more than {LARGEST} bytes: send less at once"),
                ),
                _ => ApiError::new(Code::InvalidBody, format!("the body could not be read: {error}")),
            })
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
    serde_json::from_str(text).map_err(|error| ApiError::new(Code::InvalidBody, error.to_string()))
}

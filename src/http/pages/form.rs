//! What a form posts. Its fields can be had only together with a caller who may, and with the session's token in the field `csrf`: a handler that
//! changes something cannot forget to ask.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::super::auth::{Caller, Needs, identify_with};
use super::super::body::{Body, media_type};
use super::super::error::{ApiError, Code};

/// The fields of a form, as they came.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a form's body, or a query string.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ApiError> {
        serde_urlencoded::from_bytes(text)
            .map(Self)
            .map_err(|error| ApiError::new(Code::InvalidBody, format!("the form cannot be read: {error}")))
    }

    /// A field's text; empty is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut of_name = self.0.iter().filter(|(field, value)| field == name && !value.is_empty());
        of_name.next().map(|(_, value)| value.as_str())
    }

    /// Every text of a field that may come several times.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = self.0.iter().filter(move |(field, value)| field == name && !value.is_empty());
        of_name.map(|(_, value)| value.as_str())
    }

    /// A field that has to be filled in.
    pub(super) fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| ApiError::new(Code::InvalidBody, format!("fill in `{name}`")))
    }

    /// A field's text, owned.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// A number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.get(name).map(|text| text.trim().parse().ok()).map_or(Ok(None), |number| match number {
            Some(number) => Ok(Some(number)),
            None => Err(ApiError::new(Code::InvalidParameter, format!("`{name}` is no number"))),
        })
    }
}

/// A form of somebody who has a permission.
pub(super) struct Posted<P> {
    pub(super) caller: Caller<P>,
    pub(super) fields: Fields,
}

impl<P: Needs> FromRequest for Posted<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = Body::from_request(&request, payload);
        Box::pin(async move {
            let media = media_type(&request);
            if media != "application/x-www-form-urlencoded" {
                return Err(ApiError::new(Code::UnsupportedMediaType, "send a form"));
            }
            let fields = Fields::parse(&body.await?.0)?;
            let identity = identify_with(&request, fields.get("csrf")).await?;
            Ok(Self { caller: Caller::of(identity)?, fields })
        })
    }
}

//! What a form posts. Its fields can be had only together with a caller who may, and with the session's token in the field `csrf`: a handler that
//! changes something cannot forget to ask.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::ACCEPT;
use actix_web::{FromRequest, HttpRequest};

use super::super::auth::{Caller, Needs, identify_with};
use super::super::body::{Body, media_type};
use super::super::error::{ApiError, Code};
use super::text::excerpt;
use super::words::{fill, say};

/// The fields of a form, as they came.
#[derive(Debug, Default, Clone)]
pub(super) struct Fields {
    pairs: Vec<(String, String)>,
    /// Whether whoever sent them is answered with pages.
    from_browser: bool,
}

/// A mistake in a form, and what had been filled in: the page is shown again with both.
pub(super) type Mistake = Option<(ApiError, Fields)>;

/// What a field is called on the pages.
fn label(name: &str) -> &str {
    let key = match name {
        "name" => "login.name",
        "title" | "id" => "sites.name",
        "role" => "users.role",
        "password" => "login.password",
        "secret" => "connections.secret",
        "url" => "connections.url",
        "site" => "filter.site",
        "adapter" => "connections.adapter",
        "kind" => "filter.kind",
        "days" => "morning.days",
        "low" => "band.from",
        "high" => "band.until",
        "text" => "form.text",
        other => return other,
    };
    say(key)
}

impl Fields {
    /// Reads a form's body, or a query string.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ApiError> {
        serde_urlencoded::from_bytes(text)
            .map(|pairs| Self { pairs, from_browser: false })
            .map_err(|error| ApiError::new(Code::InvalidBody, format!("the form cannot be read: {error}")))
    }

    /// A field's text; empty is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut of_name = self.pairs.iter().filter(|(field, value)| field == name && !value.is_empty());
        of_name.next().map(|(_, value)| value.as_str())
    }

    /// Every text of a field that may come several times.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = self.pairs.iter().filter(move |(field, value)| field == name && !value.is_empty());
        of_name.map(|(_, value)| value.as_str())
    }

    /// A field that has to be filled in.
    pub(super) fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name)
            .ok_or_else(|| ApiError::new(Code::InvalidBody, fill("form.missing", &[("field", &label(name))])))
    }

    /// A field's text, owned.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// A number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.get(name).map(|text| text.trim().parse().ok()).map_or(Ok(None), |number| match number {
            Some(number) => Ok(Some(number)),
            None => Err(no_number(label(name), self.get(name).unwrap_or_default())),
        })
    }

    /// Whether a field has a value; for boxes that are ticked.
    pub(super) fn holds(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|one| one == value)
    }

    /// Nothing filled in, from the same sender: for a mistake in a form that is shown as it stands in the store.
    pub(super) fn emptied(&self) -> Self {
        Self { pairs: Vec::new(), from_browser: self.from_browser }
    }

    /// A mistake in what was confirmed, with which the question is asked again.
    pub(super) fn mistake(&self, checked: Result<(), ApiError>) -> Mistake {
        let error = checked.err().filter(|error| self.get("sure").is_some() && self.can_mend(error))?;
        Some((error, self.clone()))
    }

    /// Whether an error is one that whoever filled in the form can mend there.
    pub(super) fn can_mend(&self, error: &ApiError) -> bool {
        let is_mistake = matches!(
            error.code,
            Code::InvalidBody
                | Code::InvalidParameter
                | Code::Refused
                | Code::TooLarge
                | Code::TooManyRequests
                | Code::NotFound
        );
        self.from_browser && is_mistake
    }
}

/// What is said of a text that has to be a number.
pub(super) fn no_number(field: &str, value: &str) -> ApiError {
    let detail = fill("form.no-number", &[("field", &field), ("value", &excerpt(value, 40))]);
    ApiError::new(Code::InvalidParameter, detail)
}

/// Whether a request wants a page for an answer.
pub(super) fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
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
            let fields = Fields { from_browser: wants_page(&request), ..Fields::parse(&body.await?.0)? };
            let identity = identify_with(&request, fields.get("csrf")).await?;
            Ok(Self { caller: Caller::of(identity)?, fields })
        })
    }
}

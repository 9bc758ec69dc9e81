//! `/login`, `/logout`.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::auth::{COOKIE, CanLook, session_cookie};
use super::super::body::{Body, media_type};
use super::super::error::{ApiError, Code};
use super::super::session::{self, Login};
use super::super::state::State;
use super::form::{Fields, Posted};
use super::frame::{Frame, go, local, show, show_as};
use super::words::say;
use crate::access::hash_key;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    f: Frame,
    next: String,
    name: String,
    error: String,
}

/// The form.
pub(super) async fn page(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let f = Frame::bare(&state, say("login.title")).after_step(&request);
    show(&LoginPage { f, next: local(fields.get("next"), "/"), name: String::new(), error: String::new() })
}

/// Logs somebody in.
pub(super) async fn log_in(
    request: HttpRequest,
    state: web::Data<State>,
    Body(bytes): Body,
) -> Result<HttpResponse, ApiError> {
    if media_type(&request) != "application/x-www-form-urlencoded" {
        return Err(ApiError::new(Code::UnsupportedMediaType, "send the form of this page"));
    }
    let fields = Fields::parse(&bytes)?;
    let login = Login {
        name: fields.owned("name").unwrap_or_default(),
        password: fields.owned("password").unwrap_or_default(),
    };
    let (name, next) = (login.name.clone(), local(fields.get("next"), "/"));
    match session::log_in(&request, &state, login).await {
        Ok((cookie, _)) => {
            let mut answer = go(&format!("{}{next}", state.prefix()));
            let set = answer.add_cookie(&cookie);
            set.map_err(|error| ApiError::new(Code::Refused, error.to_string()))?;
            Ok(answer)
        }
        Err(error) => {
            let f = Frame::bare(&state, say("login.title"));
            show_as(error.code.row().1, &LoginPage { f, next, name, error: error.detail })
        }
    }
}

/// Ends the session.
pub(super) async fn log_out(
    request: HttpRequest,
    state: web::Data<State>,
    _posted: Posted<CanLook>,
) -> Result<HttpResponse, ApiError> {
    if let Some(cookie) = request.cookie(COOKIE) {
        state.intake.store().end_session(hash_key(cookie.value()), false).await?;
    }
    let mut answer = go(&format!("{}/login?said=goodbye", state.prefix()));
    let set = answer.add_cookie(&session_cookie(&state, String::new(), 0));
    set.map_err(|error| ApiError::new(Code::Refused, error.to_string()))?;
    Ok(answer)
}

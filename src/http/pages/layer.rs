//! Around the pages: a person without a session is led to the login, and an error is told as a page, where a browser asks. Programs get the same
//! problem documents as from the API.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::REFERER;
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, web};
use askama::Template;
use serde_json::Value;

use super::super::auth::{COOKIE, WRONG_TOKEN};
use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::form::wants_page;
use super::frame::{Frame, encoded, go, local, show_as};
use super::text::person;
use super::words::{fill, say};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    f: Frame,
    detail: String,
    code: &'static str,
    /// Where to go on, as address and text: the card that changed, the page that was left.
    links: Vec<(String, &'static str)>,
}

/// What an error says, and on a conflict why: somebody was faster only where the card is closed; one that is open has changed, or is somebody's.
fn told(error: &ApiError) -> String {
    let part =
        |path: &str| error.state.as_ref().and_then(|state| state.pointer(path)).and_then(Value::as_str);
    let is_closed = error.state.as_ref().is_some_and(|state| state["open"] == Value::Bool(false));
    if let (true, Some(action), Some(actor)) = (is_closed, part("/decision/action"), part("/decision/actor"))
    {
        let what = say(&format!("action.{action}.past-word")).to_owned();
        return fill("error.faster", &[("by", &person(actor)), ("what", &what)]);
    }
    if error.detail == WRONG_TOKEN {
        return say("error.token").to_owned();
    }
    if part("/campaign_card").is_some() {
        return say("error.absorbed").to_owned();
    }
    match part("/claimed_by").filter(|_| !is_closed) {
        Some(by) => fill("error.held", &[("by", &person(by))]),
        None if error.code == Code::Conflict => say("error.changed").to_owned(),
        None => error.detail.clone(),
    }
}

/// Where to go on after an error.
fn links(error: &ApiError, from: Option<&str>) -> Vec<(String, &'static str)> {
    let part = |path: &str| error.state.as_ref().and_then(|s| s.pointer(path)).and_then(Value::as_str);
    let mut links = Vec::new();
    let card = |id: &str, key| (format!("/queue/{}", encoded(id)), say(key));
    links.extend(part("/campaign_card").map(|id| card(id, "error.campaign-card")));
    links.extend(part("/id").map(|id| card(id, "error.card")));
    links.extend(from.map(|from| (from.to_owned(), say("error.before"))));
    links
}

/// The page of ours that a request came from, as a path without the proxy's prefix.
fn came_from(request: &HttpRequest, state: &State) -> Option<String> {
    let referer = request.headers().get(REFERER)?.to_str().ok()?;
    let (scheme, rest) = referer.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = format!("/{path}");
    let path = path.strip_prefix(state.prefix()).unwrap_or(&path);
    state.is_own_origin(&format!("{scheme}://{host}")).then(|| local(Some(path), "/"))
}

/// See the module's documentation.
pub(super) async fn for_people<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let wants_page = wants_page(request.request());
    let is_get = request.method() == Method::GET;
    let request_had_session = request.request().cookie(COOKIE).is_some();
    let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let answer = next.call(request).await?;
    let error = answer.response().error().and_then(|error| error.as_error::<ApiError>()).cloned();
    let (Some(error), true) = (error, wants_page) else { return Ok(answer.map_into_left_body()) };
    let Some(state) = answer.request().app_data::<web::Data<State>>().cloned() else {
        return Ok(answer.map_into_left_body());
    };
    let page = if error.code == Code::Unauthorized {
        let base = state.prefix();
        // A proxy may leave its prefix in what it asks, or take it away.
        let path = asked.strip_prefix(base).filter(|_| !base.is_empty()).unwrap_or(&asked);
        // What a form wanted to do is not done after the login; the page that it stood on is shown again.
        let next = if is_get {
            Some(path.to_owned()).filter(|path| path != "/")
        } else {
            came_from(answer.request(), &state)
        };
        let over = (request_had_session || !is_get).then_some(("said", "logged-out"));
        let pairs: Vec<(&str, &str)> =
            next.as_deref().map(|next| ("next", next)).into_iter().chain(over).collect();
        let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
        go(&if query.is_empty() { format!("{base}/login") } else { format!("{base}/login?{query}") })
    } else {
        let (code, status, title) = error.code.row();
        let from = came_from(answer.request(), &state);
        let links = links(&error, from.as_deref());
        let page = ErrorPage { f: Frame::bare(&state, title), detail: told(&error), code, links };
        match show_as(status, &page) {
            Ok(page) => page,
            Err(error) => return Err(error.into()),
        }
    };
    Ok(answer.into_response(page).map_into_right_body())
}

//! Around the pages: a person without a session is led to the login, and an error is told as a page, where a browser asks. Programs get the same
//! problem documents as from the API.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::ACCEPT;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use askama::Template;
use serde_json::Value;

use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::frame::{Frame, go, show_as};
use super::text::person;
use super::words::{fill, say};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    f: Frame,
    detail: String,
    code: &'static str,
}

/// What an error says, and on a conflict who was faster.
fn told(error: &ApiError) -> String {
    let part =
        |path: &str| error.state.as_ref().and_then(|state| state.pointer(path)).and_then(Value::as_str);
    if let (Some(action), Some(actor)) = (part("/decision/action"), part("/decision/actor")) {
        let what = say(&format!("action.{action}.past-word")).to_owned();
        return fill("error.faster", &[("by", &person(actor)), ("what", &what)]);
    }
    match part("/claimed_by") {
        Some(by) => fill("error.held", &[("by", &person(by))]),
        None => error.detail.clone(),
    }
}

/// See the module's documentation.
pub(super) async fn for_people<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let wants_page = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let is_get = request.method() == Method::GET;
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
        let next = serde_urlencoded::to_string([("next", path)]).unwrap_or_default();
        go(&if is_get && path != "/" { format!("{base}/login?{next}") } else { format!("{base}/login") })
    } else {
        let (code, status, title) = error.code.row();
        let page = ErrorPage { f: Frame::bare(&state, title), detail: told(&error), code };
        match show_as(status, &page) {
            Ok(page) => page,
            Err(error) => return Err(error.into()),
        }
    };
    Ok(answer.into_response(page).map_into_right_body())
}

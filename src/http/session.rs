//! `/v1/session`: people log in, see who they are, log out.

use std::time::Duration;

use actix_web::cookie::Cookie;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::{COOKIE, Identity, identify, same_origin, session_cookie};
use super::body;
use super::error::{ApiError, Code};
use super::state::State;
use crate::access::{Permission, check_password, hash_key, new_token};

/// A hash that no password has: checked where a name is not known, so that both take as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) password: String,
}

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Person {
    /// The user's name.
    user: String,
    /// `viewer`, `moderator`, `lead` or `admin`.
    role: String,
    /// The sites the person sees; empty: all.
    sites: Vec<String>,
    /// What the person may do.
    permissions: Vec<&'static str>,
    /// What requests that change something carry in `X-CSRF-Token`; none where a proxy names the person.
    csrf: Option<String>,
}

impl Person {
    fn of(identity: &Identity) -> Result<Self, ApiError> {
        let Identity::Person { user, role, csrf } = identity else {
            return Err(ApiError::new(Code::Unauthorized, "an API key has no session"));
        };
        let all = [
            (Permission::Look, "look"),
            (Permission::Decide, "decide"),
            (Permission::Lead, "lead"),
            (Permission::Admin, "admin"),
        ];
        let may = all.into_iter().filter(|(permission, _)| role.may(*permission));
        Ok(Self {
            user: user.name.clone(),
            role: role.name().to_owned(),
            sites: user.sites.clone(),
            permissions: may.map(|(_, name)| name).collect(),
            csrf: csrf.clone(),
        })
    }
}

/// Log in
///
/// Answers who one is and sets the session's cookie. After several wrong passwords the next try has to wait (429).
#[utoipa::path(post, path = "/v1/session", tag = "session", request_body = Login,
    responses((status = 200, description = "Logged in", body = Person)), security(()))]
pub(super) async fn begin(
    request: HttpRequest,
    state: web::Data<State>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let login: Login = body::json(&request, &bytes)?;
    let (cookie, identity) = log_in(&request, &state, login).await?;
    Ok(HttpResponse::Ok().cookie(cookie).json(Person::of(&identity)?))
}

/// Begins a session for whoever knows a password: its cookie, and who it is.
///
/// # Errors
/// `unauthorized` for a wrong name or password, `too-many-requests` after several.
pub(super) async fn log_in(
    request: &HttpRequest,
    state: &State,
    login: Login,
) -> Result<(Cookie<'static>, Identity), ApiError> {
    same_origin(request, state)?;
    let settings = state.settings();
    let peer = state.peer(request).map(|ip| ip.to_string()).unwrap_or_default();
    let name = format!("name:{}", login.name);
    let names = [name.as_str(), peer.as_str()];
    if let Some(wait) = state.throttle.wait(&names, settings.access.login_tries) {
        return Err(too_many(wait));
    }
    // Hashing takes time and memory: a few at once, and each is counted before it begins.
    let Ok(_place) = state.hashing.try_acquire() else { return Err(too_many(Duration::from_secs(1))) };
    state.throttle.failed(&names);
    let store = state.intake.store();
    let user = store.user(login.name).await?.filter(|user| user.disabled_at.is_none());
    let hash = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password_hash.clone());
    let right = web::block(move || check_password(&login.password, &hash)).await.unwrap_or(false);
    let Some(user) = user.filter(|_| right) else {
        return Err(ApiError::new(Code::Unauthorized, "name or password is wrong"));
    };
    state.throttle.succeeded(&names);
    let tokens = new_token().and_then(|session| Ok((session, new_token()?.0)));
    let ((token, hash), csrf) = tokens.map_err(|error| ApiError::new(Code::StoreUnavailable, error))?;
    let seconds = settings.access.session_hours * 3600;
    let expires_at = chrono::Utc::now().timestamp_millis() + seconds * 1000;
    store.add_session(hash, user.name.clone(), csrf.clone(), expires_at).await?;
    let role = crate::access::Role::parse(&user.role)
        .ok_or_else(|| ApiError::new(Code::Forbidden, "the user's role is not known"))?;
    Ok((session_cookie(state, token, seconds), Identity::Person { user, role, csrf: Some(csrf) }))
}

fn too_many(wait: Duration) -> ApiError {
    let seconds = wait.as_secs() + 1;
    let mut error =
        ApiError::new(Code::TooManyRequests, format!("too many tries to log in: wait {seconds} seconds"));
    error.retry_after = Some(seconds);
    error
}

/// Who is logged in
#[utoipa::path(get, path = "/v1/session", tag = "session",
    responses((status = 200, description = "The person", body = Person)))]
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(Person::of(&identify(&request).await?)?))
}

/// How far a logout reaches.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Reach {
    /// Whether all sessions of the person end.
    #[serde(default)]
    everywhere: bool,
}

/// Log out
#[utoipa::path(delete, path = "/v1/session", tag = "session", params(Reach),
    responses((status = 204, description = "Logged out")))]
pub(super) async fn end(
    request: HttpRequest,
    state: web::Data<State>,
    reach: web::Query<Reach>,
) -> Result<HttpResponse, ApiError> {
    Person::of(&identify(&request).await?)?;
    if let Some(cookie) = request.cookie(COOKIE) {
        state.intake.store().end_session(hash_key(cookie.value()), reach.everywhere).await?;
    }
    Ok(HttpResponse::NoContent().cookie(session_cookie(&state, String::new(), 0)).finish())
}

//! Who calls: a program with an API key in `Authorization: Bearer`, a person with a session's cookie, or a person whom a trusted proxy names.
//! A handler that takes a [`Caller`] of a permission cannot be reached without it.
//!
//! A person's request that changes something must not come from another site's page: an `Origin` or `Sec-Fetch-Site` that says so refuses it, and
//! with a cookie it must carry the session's token in `X-CSRF-Token`; the forms of pages carry it as the field `csrf`, which `pages::form` reads.

use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::cookie::Cookie;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, ORIGIN};
use actix_web::{FromRequest, HttpRequest, web};
use subtle::ConstantTimeEq;

use super::error::{ApiError, Code};
use super::state::State;
use crate::access::{Permission, Role, hash_key, new_token};
use crate::store::records::{Actor, Key, Scope, Sites, User};

/// How long a key that was found is believed without asking again.
const BELIEVED: Duration = Duration::from_secs(5);
/// The most keys that are remembered.
const MOST_REMEMBERED: usize = 1000;
/// The session's cookie.
pub(super) const COOKIE: &str = "claque_session";
/// What a changing request without the session's token is told. Pages say it in other words.
pub(super) const WRONG_TOKEN: &str =
    "send the session's token in the header `X-CSRF-Token`: `GET /v1/session` tells it";
/// How long a key that was just made waits to be shown, once.
const SHOWN_WITHIN: Duration = Duration::from_mins(5);

/// Keys that were found lately; and the texts of those that were just made, until their maker has been shown them.
#[derive(Default)]
pub struct KeyCache(Mutex<HashMap<[u8; 32], (Key, Instant)>>, Mutex<HashMap<String, Fresh>>);

/// The text of a key that was just made.
struct Fresh {
    actor: String,
    text: String,
    at: Instant,
}

impl KeyCache {
    /// Keeps a new key's text for the page that its maker is sent to; the name under which it is shown there, once.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub(super) fn put_by(&self, actor: &str, text: String) -> Result<String, ApiError> {
        let (token, _) = new_token().map_err(|error| ApiError::new(Code::StoreUnavailable, error))?;
        let mut fresh = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        fresh.retain(|_, one| one.at.elapsed() < SHOWN_WITHIN);
        fresh.insert(token.clone(), Fresh { actor: actor.to_owned(), text, at: Instant::now() });
        Ok(token)
    }

    /// Takes a new key's text out, for whoever made it.
    pub(super) fn take_out(&self, actor: &str, token: &str) -> Option<String> {
        let mut fresh = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        fresh.retain(|_, one| one.at.elapsed() < SHOWN_WITHIN);
        let is_own = fresh.get(token).is_some_and(|one| one.actor == actor);
        if is_own { fresh.remove(token).map(|one| one.text) } else { None }
    }

    /// Forgets all keys, so that one that was revoked opens nothing any more.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl State {
    /// The live key with this text, whatever it may.
    ///
    /// # Errors
    /// `unauthorized` for an unknown key.
    pub async fn any_key(&self, text: &str) -> Result<Key, ApiError> {
        let hash = hash_key(text);
        let remembered = {
            let keys = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
            keys.get(&hash).filter(|(_, at)| at.elapsed() < BELIEVED).map(|(key, _)| key.clone())
        };
        if let Some(key) = remembered {
            return Ok(key);
        }
        let found = self.intake.store().key(hash).await?;
        let key =
            found.ok_or_else(|| ApiError::new(Code::Unauthorized, "the key is not known, or was revoked"))?;
        let mut keys = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_REMEMBERED {
            keys.clear();
        }
        keys.insert(hash, (key.clone(), Instant::now()));
        Ok(key)
    }

    /// The live key with this text, if it has the scope; and its site.
    ///
    /// # Errors
    /// `unauthorized` for an unknown key, `forbidden` for one without the scope.
    pub async fn key(&self, text: &str, scope: Scope) -> Result<(Key, String), ApiError> {
        let key = self.any_key(text).await?;
        match key.sites.first() {
            Some(site) if key.scopes.contains(&scope) => {
                let site = site.clone();
                Ok((key, site))
            }
            _ => Err(ApiError::new(
                Code::Forbidden,
                format!("the key has no scope `{}`", format!("{scope:?}").to_lowercase()),
            )),
        }
    }

    /// The address that a request comes from: a trusted proxy's word for it, else the connection's.
    pub fn peer(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr().map(|address| address.ip())?;
        if !self.is_trusted_proxy(peer) {
            return Some(peer);
        }
        let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let last = forwarded.and_then(|value| value.rsplit(',').next()).and_then(|ip| ip.trim().parse().ok());
        Some(last.unwrap_or(peer))
    }

    fn is_trusted_proxy(&self, peer: IpAddr) -> bool {
        self.settings().server.trusted_proxies.iter().any(|network| network.contains(&peer))
    }
}

/// Whoever calls, recognised.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A program.
    Key(Key),
    /// A person, with the session's token against forged requests; none where a proxy named the person.
    Person {
        /// Who.
        user: User,
        /// The role, parsed.
        role: Role,
        /// What changing requests must carry.
        csrf: Option<String>,
    },
}

impl Identity {
    /// Whether it may.
    pub fn may(&self, permission: Permission) -> bool {
        match self {
            Self::Key(key) => key.scopes.iter().any(|scope| scope.may(permission)),
            Self::Person { role, .. } => role.may(permission),
        }
    }

    /// The sites it sees.
    pub fn sites(&self) -> Sites {
        match self {
            Self::Key(key) => Sites::Only(key.sites.clone()),
            Self::Person { user, .. } if user.sites.is_empty() => Sites::All,
            Self::Person { user, .. } => Sites::Only(user.sites.clone()),
        }
    }

    /// Who is written down, with what rank.
    pub fn actor(&self) -> Actor {
        let name = match self {
            Self::Key(key) => format!("key:{}", key.id),
            Self::Person { user, .. } => format!("user:{}", user.name),
        };
        Actor { name, leads: self.may(Permission::Lead) }
    }
}

/// A permission as a type.
pub trait Needs {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! permissions {
    ($($name:ident: $permission:ident),*) => { $(
        #[doc = concat!("See [`Permission::", stringify!($permission), "`].")]
        pub struct $name;
        impl Needs for $name {
            const PERMISSION: Permission = Permission::$permission;
        }
    )* };
}
permissions!(CanScore: Score, CanLook: Look, CanDecide: Decide, CanLead: Lead, CanAdmin: Admin);

/// Somebody who has a permission.
pub struct Caller<P> {
    /// Who.
    pub identity: Identity,
    permission: PhantomData<P>,
}

impl<P> Caller<P> {
    /// The site that a request is about: the one it names, if the caller sees it, else the caller's only one.
    ///
    /// # Errors
    /// `forbidden` when it is another's site, `invalid-parameter` when none is named and the caller sees several.
    pub fn site(&self, named: Option<&str>) -> Result<String, ApiError> {
        let sites = self.identity.sites();
        match (named, &sites) {
            (Some(site), sites) if sites.contains(site) => Ok(site.to_owned()),
            (Some(site), _) => {
                Err(ApiError::new(Code::Forbidden, format!("site `{site}` is not among the caller's sites")))
            }
            (None, Sites::Only(sites)) if sites.len() == 1 => Ok(sites.first().cloned().unwrap_or_default()),
            (None, _) => Err(ApiError::new(Code::InvalidParameter, "name the site with `site`")),
        }
    }

    /// The sites the caller sees.
    pub fn sites(&self) -> Sites {
        self.identity.sites()
    }

    /// Who is written down as the actor.
    pub fn actor(&self) -> Actor {
        self.identity.actor()
    }
}

impl<P: Needs> Caller<P> {
    /// A recognised caller, if it has the permission.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn of(identity: Identity) -> Result<Self, ApiError> {
        if identity.may(P::PERMISSION) {
            return Ok(Self { identity, permission: PhantomData });
        }
        let what = format!("{:?}", P::PERMISSION).to_lowercase();
        Err(ApiError::new(
            Code::Forbidden,
            format!("this needs the permission `{what}`, which the caller does not have"),
        ))
    }
}

impl<P: Needs> FromRequest for Caller<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::of(identify(&request).await?) })
    }
}

/// Recognises the caller.
///
/// # Errors
/// `unauthorized`, or `forbidden` for a forged request.
pub(super) async fn identify(request: &HttpRequest) -> Result<Identity, ApiError> {
    let header = request.headers().get("x-csrf-token").and_then(|value| value.to_str().ok());
    identify_with(request, header).await
}

/// Recognises the caller of a request that carries the token `csrf` against forged requests.
///
/// # Errors
/// `unauthorized`, or `forbidden` for a forged request.
pub(super) async fn identify_with(request: &HttpRequest, csrf: Option<&str>) -> Result<Identity, ApiError> {
    let state = request.app_data::<web::Data<State>>().cloned();
    let state = state.ok_or_else(|| ApiError::new(Code::StoreUnavailable, "not ready"))?;
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(token) = header.and_then(bearer) {
        return Ok(Identity::Key(state.any_key(token.trim()).await?));
    }
    if let Some(person) = named_by_proxy(request, &state).await? {
        same_origin(request, &state)?;
        return Ok(person);
    }
    if let Some(cookie) = request.cookie(COOKIE) {
        let session = state.intake.store().session(hash_key(cookie.value())).await?;
        let session =
            session.ok_or_else(|| ApiError::new(Code::Unauthorized, "the session is over: log in again"))?;
        let role = Role::parse(&session.user.role)
            .ok_or_else(|| ApiError::new(Code::Forbidden, "the user's role is not known"))?;
        if changes(request) {
            same_origin(request, &state)?;
            let given = csrf.unwrap_or_default();
            if !bool::from(given.as_bytes().ct_eq(session.csrf.as_bytes())) {
                return Err(ApiError::new(Code::Forbidden, WRONG_TOKEN));
            }
        }
        return Ok(Identity::Person { user: session.user, role, csrf: Some(session.csrf) });
    }
    Err(ApiError::new(
        Code::Unauthorized,
        "send the header `Authorization: Bearer KEY` (`claque keys create` makes a key), or log in with `POST /v1/session`",
    ))
}

/// The token of a `Bearer` header, however the scheme is written.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn changes(request: &HttpRequest) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Refuses a changing request that another site's page made.
pub(super) fn same_origin(request: &HttpRequest, state: &State) -> Result<(), ApiError> {
    if !changes(request) {
        return Ok(());
    }
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let foreign_fetch = header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign_origin = header(ORIGIN.as_str()).is_some_and(|origin| !state.is_own_origin(origin));
    if foreign_fetch || foreign_origin {
        return Err(ApiError::new(
            Code::Forbidden,
            format!("the request comes from another site's page; ours is {}", state.public_url),
        ));
    }
    Ok(())
}

/// The person whom a trusted proxy names in the configured header.
async fn named_by_proxy(request: &HttpRequest, state: &State) -> Result<Option<Identity>, ApiError> {
    let settings = state.settings();
    let header = &settings.access.sso_header;
    let Some(peer) = request.peer_addr().map(|address| address.ip()) else { return Ok(None) };
    if header.is_empty() || !state.is_trusted_proxy(peer) {
        return Ok(None);
    }
    let Some(name) = request.headers().get(header).and_then(|value| value.to_str().ok()) else {
        return Ok(None);
    };
    let user = state.intake.store().user(name.to_owned()).await?;
    let user = user.filter(|user| user.disabled_at.is_none());
    let role = user.as_ref().and_then(|user| Role::parse(&user.role));
    match (user, role) {
        (Some(user), Some(role)) => Ok(Some(Identity::Person { user, role, csrf: None })),
        _ => Err(ApiError::new(
            Code::Forbidden,
            "the proxy names a user that is not known here: `claque users add` adds one",
        )),
    }
}

/// The session's cookie, or with an empty token its end.
pub(super) fn session_cookie(state: &State, token: String, seconds: i64) -> Cookie<'static> {
    Cookie::build(COOKIE, token)
        .path(state.cookie_path())
        .http_only(true)
        .secure(state.is_https())
        .same_site(actix_web::cookie::SameSite::Lax)
        .max_age(actix_web::cookie::time::Duration::seconds(seconds))
        .finish()
}

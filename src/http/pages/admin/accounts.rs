//! `/admin/users`, `/admin/sites`, `/admin/keys`.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::super::auth::{Caller, CanAdmin, Identity};
use super::super::super::error::{ApiError, Code};
use super::super::super::state::State;
use super::super::form::{Fields, Mistake, Posted};
use super::super::frame::{Frame, go, show_as};
use super::super::text::{When, when};
use super::super::words::say;
use super::{acting, sees_all, site_ids};
use crate::access::{KeyKind, Role, check_name, hash_password, new_key};
use crate::store::records::{Key, Scope, Site, User};

fn wrong(why: impl Into<String>) -> ApiError {
    ApiError::new(Code::InvalidBody, why)
}

struct UserRow {
    name: String,
    role: String,
    sites: Vec<String>,
    since: When,
    disabled: bool,
    own: bool,
}

#[derive(Template)]
#[template(path = "users.html")]
struct UsersPage {
    f: Frame,
    users: Vec<UserRow>,
    roles: [&'static str; 4],
    sites: Vec<String>,
}

const ROLES: [&str; 4] = ["viewer", "moderator", "lead", "admin"];

/// Everybody who works on the desk.
pub(in super::super) async fn users(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    sees_all(&caller)?;
    users_page(&state, &caller, &request, None).await
}

async fn users_page(
    state: &State,
    caller: &Caller<CanAdmin>,
    request: &HttpRequest,
    mistake: Mistake,
) -> Result<HttpResponse, ApiError> {
    let users = state.intake.store().users().await?;
    let f = Frame::new(state, caller, "admin", say("users.title")).await?.after_mistake(mistake);
    let users = users.into_iter().map(|user| UserRow {
        own: user.name == f.user,
        name: user.name,
        role: user.role,
        sites: user.sites,
        since: when(user.created_at),
        disabled: user.disabled_at.is_some(),
    });
    let users = users.collect();
    let sites = site_ids(state, caller).await?;
    let outcome = f.outcome();
    show_as(outcome, &UsersPage { users, f: f.after_step(request), roles: ROLES, sites })
}

/// Hashes a password off the asynchronous threads.
async fn hashed(state: &State, password: String) -> Result<String, ApiError> {
    let Ok(_place) = state.hashing.try_acquire() else {
        return Err(ApiError::new(
            Code::TooManyRequests,
            "too many passwords at once: try again in a second",
        ));
    };
    let hash = web::block(move || hash_password(&password)).await;
    let hash = hash.map_err(|error| ApiError::new(Code::Refused, error.to_string()))?;
    hash.map_err(|error| wrong(error.to_string()))
}

/// Adds a user or changes one.
pub(in super::super) async fn change_user(
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    sees_all(&caller)?;
    match user_changed(&state, &caller, &fields).await {
        Err(error) if fields.can_mend(&error) => {
            let kept = if fields.get("new").is_some() { fields } else { fields.emptied() };
            users_page(&state, &caller, &request, Some((error, kept))).await
        }
        outcome => outcome,
    }
}

async fn user_changed(
    state: &State,
    caller: &Caller<CanAdmin>,
    fields: &Fields,
) -> Result<HttpResponse, ApiError> {
    let store = acting(state, caller);
    let name = fields.need("name")?.to_owned();
    let role = fields.need("role")?;
    let role = Role::parse(role).ok_or_else(|| wrong(format!("`{role}` is no role")))?;
    let mut sites: Vec<String> = fields.all("sites").map(str::to_owned).collect();
    match (fields.get("every").is_some(), sites.is_empty()) {
        (true, _) => sites.clear(),
        // Unticking the last site is not to open all of them.
        (false, true) => return Err(wrong("say which sites the user sees: tick some, or every site")),
        (false, false) => {}
    }
    if fields.get("new").is_some() {
        check_name("user name", &name).map_err(wrong)?;
        let user = User {
            name,
            role: role.name().to_owned(),
            sites,
            created_at: 0,
            disabled_at: None,
            password_hash: hashed(state, fields.need("password")?.to_owned()).await?,
        };
        store.add_user(user).await?;
        return Ok(go(&format!("{}/admin/users?said=user-added", state.prefix())));
    }
    let user = store.user(name).await?;
    let mut user = user.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such user"))?;
    let disabled = fields.get("disabled").is_some();
    let is_self = matches!(&caller.identity, Identity::Person { user: own, .. } if own.name == user.name);
    if is_self && (disabled || role != Role::Admin || !sites.is_empty()) {
        return Err(ApiError::new(
            Code::Refused,
            "nobody takes his own rights away by a slip: another administrator can do it",
        ));
    }
    role.name().clone_into(&mut user.role);
    user.sites = sites;
    user.disabled_at =
        disabled.then(|| user.disabled_at.unwrap_or_else(|| chrono::Utc::now().timestamp_millis()));
    if let Some(password) = fields.owned("password") {
        user.password_hash = hashed(state, password).await?;
    }
    store.change_user(user).await?;
    Ok(go(&format!("{}/admin/users?said=user-changed", state.prefix())))
}

#[derive(Template)]
#[template(path = "sites.html")]
struct SitesPage {
    f: Frame,
    sites: Vec<Site>,
}

/// The sites.
pub(in super::super) async fn sites(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    sites_page(&state, &caller, &request, None).await
}

async fn sites_page(
    state: &State,
    caller: &Caller<CanAdmin>,
    request: &HttpRequest,
    mistake: Mistake,
) -> Result<HttpResponse, ApiError> {
    let f = Frame::new(state, caller, "admin", say("sites.title")).await?.after_mistake(mistake);
    let sites = state.intake.store().sites().await?;
    let sites = sites.into_iter().filter(|site| caller.sites().contains(&site.id)).collect();
    show_as(f.outcome(), &SitesPage { f: f.after_step(request), sites })
}

/// Adds a site.
pub(in super::super) async fn add_site(
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    sees_all(&caller)?;
    match site_added(&state, &caller, &fields).await {
        Err(error) if fields.can_mend(&error) => {
            sites_page(&state, &caller, &request, Some((error, fields))).await
        }
        outcome => outcome,
    }
}

async fn site_added(
    state: &State,
    caller: &Caller<CanAdmin>,
    fields: &Fields,
) -> Result<HttpResponse, ApiError> {
    let id = fields.need("id")?;
    check_name("site id", id).map_err(wrong)?;
    let title = super::super::super::desk::named("title", fields.need("title")?)?;
    acting(state, caller).add_site(Site { id: id.to_owned(), title }).await?;
    Ok(go(&format!("{}/admin/sites?said=site-added", state.prefix())))
}

struct KeyRow {
    id: String,
    title: String,
    sites: String,
    scopes: String,
    since: When,
    revoked: Option<When>,
}

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    f: Frame,
    keys: Vec<KeyRow>,
    sites: Vec<String>,
    /// A key that was just made: shown this once.
    fresh: Option<String>,
}

async fn keys_page(
    state: &State,
    caller: &Caller<CanAdmin>,
    request: &HttpRequest,
    fresh: Option<String>,
    mistake: Mistake,
) -> Result<HttpResponse, ApiError> {
    let f = Frame::new(state, caller, "admin", say("keys.title")).await?.after_step(request);
    let f = f.after_mistake(mistake);
    let keys = state.intake.store().keys().await?;
    let seen = keys.into_iter().filter(|key| key.sites.iter().any(|site| caller.sites().contains(site)));
    let keys = seen.map(|key| KeyRow {
        scopes: key
            .scopes
            .iter()
            .map(|scope| format!("{scope:?}").to_lowercase())
            .collect::<Vec<_>>()
            .join(", "),
        sites: key.sites.join(", "),
        since: when(key.created_at),
        revoked: key.revoked_at.map(when),
        id: key.id,
        title: key.title,
    });
    let keys = keys.collect();
    let sites = site_ids(state, caller).await?;
    show_as(f.outcome(), &KeysPage { f, keys, sites, fresh })
}

/// The keys.
pub(in super::super) async fn keys(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let fresh = fields.get("fresh").and_then(|token| state.keys.take_out(&caller.actor().name, token));
    keys_page(&state, &caller, &request, fresh, None).await
}

/// The sites and scopes of a key that a form asks for.
fn key_of(caller: &Caller<CanAdmin>, fields: &Fields) -> Result<(Key, KeyKind), ApiError> {
    let sites: Vec<String> = fields.all("sites").map(str::to_owned).collect();
    if sites.is_empty() {
        return Err(wrong("choose a site for the key"));
    }
    for site in &sites {
        caller.site(Some(site))?;
    }
    let mut scopes = Vec::new();
    for scope in fields.all("scopes") {
        scopes.push(match scope {
            "score" => Scope::Score,
            "review" => Scope::Review,
            "akismet" => Scope::Akismet,
            "perspective" => Scope::Perspective,
            other => return Err(wrong(format!("`{other}` is no scope"))),
        });
    }
    if scopes.is_empty() {
        return Err(wrong("choose what the key may do"));
    }
    let is_akismet = scopes.contains(&Scope::Akismet);
    if is_akismet && scopes.len() > 1 {
        return Err(wrong("a key for Akismet clients is for nothing else: it is too short"));
    }
    let key = Key {
        id: String::new(),
        title: fields.owned("title").unwrap_or_default(),
        sites,
        scopes,
        review_is_spam: false,
        created_at: 0,
        revoked_at: None,
    };
    Ok((key, if is_akismet { KeyKind::Akismet } else { KeyKind::Api }))
}

/// Makes a key, or revokes one.
pub(in super::super) async fn change_key(
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    match key_changed(&state, &caller, &fields).await {
        Err(error) if fields.can_mend(&error) => {
            keys_page(&state, &caller, &request, None, Some((error, fields))).await
        }
        outcome => outcome,
    }
}

async fn key_changed(
    state: &State,
    caller: &Caller<CanAdmin>,
    fields: &Fields,
) -> Result<HttpResponse, ApiError> {
    let store = acting(state, caller);
    if let Some(id) = fields.get("revoke") {
        let keys = store.keys().await?;
        let key = keys.iter().find(|key| key.id == id);
        let key = key.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such key"))?;
        for site in &key.sites {
            caller.site(Some(site))?;
        }
        store.revoke_key(id.to_owned()).await?;
        state.keys.clear();
        return Ok(go(&format!("{}/admin/keys?said=key-revoked", state.prefix())));
    }
    let (key, kind) = key_of(caller, fields)?;
    let (text, hash) = new_key(kind).map_err(|error| ApiError::new(Code::StoreUnavailable, error))?;
    store.add_key(key, hash).await?;
    // Shown by another page, so that loading it again makes no second key.
    let token = state.keys.put_by(&caller.actor().name, text)?;
    Ok(go(&format!("{}/admin/keys?fresh={token}", state.prefix())))
}

//! `/admin/connections`: webhooks in, callbacks out with their delivery log, a test event, and dead letters to be sent again.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::super::auth::{Caller, CanAdmin};
use super::super::super::error::{ApiError, Code};
use super::super::super::state::State;
use super::super::form::{Fields, Mistake, Posted};
use super::super::frame::{Frame, go, show_as};
use super::super::text::{When, when};
use super::super::words::say;
use super::{acting, site_ids};
use crate::access::check_name;
use crate::cms::mapped::Mapping;
use crate::cms::{ADAPTERS, by_name, callback};
use crate::store::Store;
use crate::store::records::{Callback, Hook, Message};
use crate::wire::signature;

/// Messages of the log.
const MOST_MESSAGES: usize = 50;

struct HookRow {
    name: String,
    site: String,
    adapter: String,
    secrets: i64,
    address: String,
}

struct CallbackRow {
    id: String,
    site: String,
    kind: String,
    url: String,
    enabled: bool,
}

struct MessageRow {
    id: String,
    url: String,
    state: String,
    at: When,
    due: When,
    tries: Vec<(When, String, i64)>,
    body: String,
}

impl MessageRow {
    fn of(message: Message) -> Self {
        Self {
            at: when(message.created_at),
            due: when(message.due_at),
            tries: message.tries.into_iter().map(|one| (when(one.at), one.outcome, one.millis)).collect(),
            body: message.body,
            id: message.id,
            url: message.url,
            state: message.state,
        }
    }
}

#[derive(Template)]
#[template(path = "connections.html")]
struct ConnectionsPage {
    f: Frame,
    hooks: Vec<HookRow>,
    callbacks: Vec<CallbackRow>,
    messages: Vec<MessageRow>,
    adapters: Vec<&'static str>,
    sites: Vec<String>,
    only: String,
}

/// The page.
pub(in super::super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    drawn(&state, &caller, &request, None).await
}

async fn drawn(
    state: &State,
    caller: &Caller<CanAdmin>,
    request: &HttpRequest,
    mistake: Mistake,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let only = fields.get("state").filter(|state| matches!(*state, "pending" | "done" | "dead"));
    let only = only.map(str::to_owned);
    let store = state.intake.store();
    let seen = caller.sites();
    let hooks = store.hooks().await?.into_iter().filter(|hook| seen.contains(&hook.site));
    let hooks = hooks.map(|hook| HookRow {
        address: format!("{}/hooks/{}", state.public_url, hook.name),
        name: hook.name,
        site: hook.site,
        adapter: hook.adapter,
        secrets: hook.secrets.len() as i64,
    });
    let callbacks = store.callbacks().await?.into_iter().filter(|(one, _)| seen.contains(&one.site));
    let callbacks = callbacks.map(|(one, enabled)| CallbackRow {
        id: one.id,
        site: one.site,
        kind: one.kind,
        url: one.url,
        enabled,
    });
    let messages = store.messages(caller.sites(), only.clone(), MOST_MESSAGES).await?;
    let f = Frame::new(state, caller, "admin", say("connections.title")).await?.after_mistake(mistake);
    let outcome = f.outcome();
    let page = ConnectionsPage {
        f: f.after_step(request),
        hooks: hooks.collect(),
        callbacks: callbacks.collect(),
        messages: messages.into_iter().map(MessageRow::of).collect(),
        adapters: ADAPTERS.iter().map(|adapter| adapter.name()).collect(),
        sites: site_ids(state, caller).await?,
        only: only.unwrap_or_default(),
    };
    show_as(outcome, &page)
}

fn wrong(why: impl Into<String>) -> ApiError {
    ApiError::new(Code::InvalidBody, why)
}

/// The secret of an adapter, if it is one.
fn checked(adapter: &str, secret: &str) -> Result<String, ApiError> {
    if adapter == "generic" && signature::standard_key(secret).is_none() {
        return Err(wrong(
            "the secret must be `whsec_` and at least 16 bytes in base64, as Standard Webhooks has it",
        ));
    }
    Ok(secret.to_owned())
}

fn hook_of(caller: &Caller<CanAdmin>, fields: &Fields) -> Result<Hook, ApiError> {
    let (name, adapter) = (fields.need("name")?, fields.need("adapter")?);
    check_name("hook name", name).map_err(wrong)?;
    by_name(adapter).ok_or_else(|| wrong(format!("no adapter is called `{adapter}`")))?;
    let settings = fields.owned("map").filter(|_| adapter == "mapped");
    match &settings {
        Some(map) => drop(Mapping::parse(map).map_err(|error| wrong(format!("the mapping: {error}")))?),
        None if adapter == "mapped" => return Err(wrong("paste the mapping: where the fields stand")),
        None => {}
    }
    Ok(Hook {
        name: name.to_owned(),
        site: caller.site(Some(fields.need("site")?))?,
        adapter: adapter.to_owned(),
        secrets: vec![checked(adapter, fields.need("secret")?)?],
        settings,
    })
}

/// The callback of a form, if the caller sees its site.
async fn own_callback(store: &Store, caller: &Caller<CanAdmin>, fields: &Fields) -> Result<String, ApiError> {
    let id = fields.need("id")?;
    let callbacks = store.callbacks().await?;
    let found = callbacks.iter().find(|(one, _)| one.id == id && caller.sites().contains(&one.site));
    let (callback, _) = found.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such callback"))?;
    Ok(callback.id.clone())
}

/// Changes something of the page; which, says the field `do`.
pub(in super::super) async fn change(
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    match changed(&state, &caller, &fields).await {
        Err(error) if fields.can_mend(&error) => {
            let is_new = fields.get("do").is_some_and(|what| what.starts_with("add-"));
            let kept = if is_new { fields } else { fields.emptied() };
            drawn(&state, &caller, &request, Some((error, kept))).await
        }
        outcome => outcome,
    }
}

async fn changed(
    state: &State,
    caller: &Caller<CanAdmin>,
    fields: &Fields,
) -> Result<HttpResponse, ApiError> {
    let store = acting(state, caller);
    let said = match fields.need("do")? {
        "add-hook" => {
            store.add_hook(hook_of(caller, fields)?).await?;
            "hook-added"
        }
        "remove-hook" => {
            let name = fields.need("name")?.to_owned();
            let hook = store.hook(name.clone()).await?;
            let hook = hook.filter(|hook| caller.sites().contains(&hook.site));
            hook.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such hook"))?;
            store.remove_hook(name).await?;
            "hook-removed"
        }
        "rotate-hook" => {
            let name = fields.need("name")?.to_owned();
            let hook = store.hook(name.clone()).await?;
            let hook = hook.filter(|hook| caller.sites().contains(&hook.site));
            let hook = hook.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such hook"))?;
            let secret = checked(&hook.adapter, fields.need("secret")?)?;
            store.rotate_hook_secret(name, secret, fields.get("keep").is_some()).await?;
            "hook-rotated"
        }
        "add-callback" => {
            let kind = fields.need("kind")?;
            if !matches!(kind, "standard" | callback::AKISMET) {
                return Err(wrong(format!("`{kind}` is no kind of callback")));
            }
            let callback = Callback {
                id: String::new(),
                site: caller.site(Some(fields.need("site")?))?,
                url: fields.need("url")?.to_owned(),
                kind: kind.to_owned(),
                secret: fields.need("secret")?.to_owned(),
                // Reaching into the machine's own network is for whoever has a shell on it.
                allow_private: false,
            };
            callback::check_url(&callback).map_err(wrong)?;
            store.add_callback(callback).await?;
            "callback-added"
        }
        "switch-callback" => {
            let id = own_callback(&store, caller, fields).await?;
            store.enable_callback(id, fields.get("enabled").is_some()).await?;
            "callback-switched"
        }
        "test-callback" => {
            store.test_callback(own_callback(&store, caller, fields).await?).await?;
            "test-sent"
        }
        "replay" => {
            store.replay_dead_letters(caller.site(Some(fields.need("site")?))?).await?;
            "replayed"
        }
        other => return Err(wrong(format!("`{other}` is nothing that can be done here"))),
    };
    Ok(go(&format!("{}/admin/connections?said={said}", state.prefix())))
}

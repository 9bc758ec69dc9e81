//! `/settings`: theme and keys of a person; `/help`: all keys and what the words on the desk mean.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::auth::{Caller, CanLook, Identity};
use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::form::{Fields, Mistake, Posted};
use super::frame::{Frame, go, show, show_as};
use super::words::{fill, say};

/// What can be done by a key, with the key that it has when nobody chose another: one character, or `Shift+` and one.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("next", "j"),
    ("previous", "k"),
    ("approve", "f"),
    ("reject", "d"),
    ("reject-with", "D"),
    ("escalate", "e"),
    ("skip", "s"),
    ("undo", "u"),
    ("select", "x"),
    ("select-range", "X"),
    ("open-campaign", "c"),
    ("approve-campaign", "A"),
    ("reject-campaign", "R"),
    ("note", "n"),
    ("why", "w"),
    ("zen", "z"),
    ("open", "o"),
    ("search", "/"),
    ("palette", "p"),
    ("go", "g"),
    ("refresh", "r"),
    ("help", "?"),
];

/// Where a letter after `g` leads, on every page: letter, name, address. The first five are the queues, which have numbers too.
pub(super) const PLACES: &[(&str, &str, &str)] = &[
    ("q", "queue.all", "/queue"),
    ("c", "queue.campaigns", "/queue?kind=campaign"),
    ("s", "queue.comments", "/queue?kind=comment"),
    ("e", "queue.escalated", "/queue?escalated=true"),
    ("h", "queue.held", "/queue?verdict=hold"),
    ("b", "band.title", "/band"),
    ("m", "morning.title", "/morning"),
    ("d", "history.title", "/history"),
];

struct KeyLine {
    name: &'static str,
    what: String,
    usual: &'static str,
    key: String,
}

/// All keys, those that a person chose laid over the usual ones, as JSON for the scripts.
pub(super) fn all_keys(own: &str) -> String {
    let own: BTreeMap<String, String> = serde_json::from_str(own).unwrap_or_default();
    let all: BTreeMap<&str, &str> =
        KEYS.iter().map(|(name, usual)| (*name, own.get(*name).map_or(*usual, String::as_str))).collect();
    serde_json::to_string(&all).unwrap_or_default()
}

/// The keys of a person.
fn lines(own: &BTreeMap<String, String>) -> Vec<KeyLine> {
    KEYS.iter()
        .map(|(name, usual)| KeyLine {
            name,
            what: say(&format!("key.{name}")).to_owned(),
            usual,
            key: own.get(*name).cloned().unwrap_or_else(|| (*usual).to_owned()),
        })
        .collect()
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    f: Frame,
    lines: Vec<KeyLine>,
}

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    f: Frame,
    lines: Vec<KeyLine>,
    queues: Vec<(&'static str, String)>,
}

/// The settings.
pub(super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    drawn(&state, &caller, &request, None).await
}

async fn drawn(
    state: &State,
    caller: &Caller<CanLook>,
    request: &HttpRequest,
    mistake: Mistake,
) -> Result<HttpResponse, ApiError> {
    let f = Frame::new(state, caller, "settings", say("settings.title")).await?.after_mistake(mistake);
    let mut own: BTreeMap<String, String> = serde_json::from_str(&f.keys).unwrap_or_default();
    if !f.mistake.is_empty() {
        own.extend(
            KEYS.iter().map(|(name, _)| ((*name).to_owned(), f.kept(&format!("key-{name}")).to_owned())),
        );
    }
    show_as(f.outcome(), &SettingsPage { lines: lines(&own), f: f.after_step(request) })
}

/// Keeps them.
pub(super) async fn save(
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    match kept(&state, &caller, &fields).await {
        Err(error) if fields.can_mend(&error) => {
            drawn(&state, &caller, &request, Some((error, fields))).await
        }
        outcome => outcome,
    }
}

async fn kept(state: &State, caller: &Caller<CanLook>, fields: &Fields) -> Result<HttpResponse, ApiError> {
    let Identity::Person { user, .. } = &caller.identity else {
        return Err(ApiError::new(Code::Refused, "an API key has no settings"));
    };
    let what = |name: &str| say(&format!("key.{name}")).to_owned();
    let theme = fields.get("theme").filter(|theme| matches!(*theme, "light" | "dark")).unwrap_or_default();
    let mut own = BTreeMap::new();
    if fields.get("usual").is_none() {
        for (name, usual) in KEYS {
            let key = fields.get(&format!("key-{name}")).unwrap_or(usual).trim();
            if key.chars().count() != 1 || key.chars().any(char::is_control) {
                return Err(ApiError::new(
                    Code::InvalidBody,
                    fill("settings.one-character", &[("what", &what(name)), ("key", &key)]),
                ));
            }
            own.insert((*name).to_owned(), key.to_owned());
        }
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, key) in &own {
            if let Some(other) = seen.insert(key, name) {
                return Err(ApiError::new(
                    Code::InvalidBody,
                    fill(
                        "settings.two-things",
                        &[("key", &key), ("one", &what(other)), ("other", &what(name))],
                    ),
                ));
            }
        }
        own.retain(|name, key| !KEYS.contains(&(name, key)));
    }
    let keys = if own.is_empty() { String::new() } else { serde_json::to_string(&own).unwrap_or_default() };
    let settings = vec![("theme", theme.to_owned()), ("keys", keys)];
    state.intake.store().set_preferences(user.name.clone(), settings).await?;
    Ok(go(&format!("{}/settings?said=settings-kept", state.prefix())))
}

/// All keys, and what words mean.
pub(super) async fn help(state: web::Data<State>, caller: Caller<CanLook>) -> Result<HttpResponse, ApiError> {
    let f = Frame::new(&state, &caller, "help", say("help.title")).await?;
    let own = serde_json::from_str(&f.keys).unwrap_or_default();
    let queues = PLACES.iter().map(|(key, name, _)| (*key, say(name).to_owned())).collect();
    show(&HelpPage { lines: lines(&own), f, queues })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_are_the_same_and_each_is_explained() {
        let mut keys: Vec<&str> = KEYS.iter().map(|(_, key)| *key).collect();
        keys.sort_unstable();
        let before = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), before);
        for (name, _) in KEYS {
            let key = format!("key.{name}");
            assert_ne!(say(&key), key);
        }
    }
}

//! What stands around every page: who is there and what the person may do, the navigation with its counts, settings, where assets are.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::auth::{Caller, Identity};
use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::form::{Fields, Mistake};
use super::{assets, words};
use crate::access::Permission;
use crate::store::records::QueueCounts;

/// What the person may do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct May {
    pub(super) decide: bool,
    pub(super) lead: bool,
    pub(super) admin: bool,
}

/// What a rejection has to name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    pub(super) reason: bool,
    pub(super) note: bool,
}

/// The frame of a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Frame {
    /// The page's name.
    pub(super) title: String,
    /// Which part of the navigation it belongs to.
    pub(super) part: &'static str,
    /// What a proxy puts before every path.
    pub(super) base: String,
    /// Where assets are.
    pub(super) assets: String,
    /// The person's name; empty where nobody is logged in.
    pub(super) user: String,
    /// The token that forms carry.
    pub(super) csrf: String,
    pub(super) may: May,
    /// `light`, `dark`, or empty: as the system has it.
    pub(super) theme: String,
    /// The person's keys, as JSON.
    pub(super) keys: String,
    pub(super) counts: QueueCounts,
    /// The page's own path, without the messages of the step before.
    pub(super) here: String,
    /// A message from the step before.
    pub(super) said: Option<String>,
    /// Decisions that were just taken and can be undone here.
    pub(super) undo: Vec<String>,
    /// What a rejection has to name.
    pub(super) needs: Needs,
    pub(super) reasons: Vec<String>,
    /// What was wrong in the form that came, and how to mend it; empty where nothing was.
    pub(super) mistake: String,
    /// The status of the page, where a form was wrong.
    wrong: Option<StatusCode>,
    /// What had been filled in.
    kept: Fields,
}

impl Frame {
    /// The frame of a page for a caller.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn new<P>(
        state: &State,
        caller: &Caller<P>,
        part: &'static str,
        title: impl Into<String>,
    ) -> Result<Self, ApiError> {
        let mut frame = Self::bare(state, title);
        let store = state.intake.store();
        let identity = &caller.identity;
        if let Identity::Person { user, csrf, .. } = identity {
            frame.user.clone_from(&user.name);
            frame.csrf = csrf.clone().unwrap_or_default();
            let mut settings: BTreeMap<String, String> = store.preferences(user.name.clone()).await?;
            frame.theme = settings.remove("theme").unwrap_or_default();
            frame.keys = super::settings::all_keys(&settings.remove("keys").unwrap_or_default());
        }
        frame.part = part;
        frame.counts = store.queue_counts(caller.sites()).await?;
        frame.may.decide = identity.may(Permission::Decide);
        frame.may.lead = identity.may(Permission::Lead);
        frame.may.admin = identity.may(Permission::Admin);
        let review = &state.settings().review;
        frame.reasons.clone_from(&review.reasons);
        frame.needs = Needs { reason: review.reason_required, note: review.note_required };
        Ok(frame)
    }

    /// A frame without a person.
    pub(super) fn bare(state: &State, title: impl Into<String>) -> Self {
        let base = state.prefix().to_owned();
        let assets = format!("{base}/assets/{}", assets::digest());
        Self { title: title.into(), base, assets, ..Self::default() }
    }

    /// Puts the message and the undo of the step before on the page: `said` and `done` of its address.
    pub(super) fn after_step(mut self, request: &HttpRequest) -> Self {
        let query = request.query_string();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let path = request.path();
        // A proxy may leave its prefix in what it asks, or take it away.
        let path = path.strip_prefix(&self.base).filter(|_| !self.base.is_empty()).unwrap_or(path);
        let rest: Vec<&(String, String)> =
            pairs.iter().filter(|(name, _)| name != "said" && name != "done").collect();
        let rest = serde_urlencoded::to_string(rest).unwrap_or_default();
        self.here = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
        for (name, value) in pairs {
            match name.as_str() {
                // Only texts of ours: an address can be made by anybody.
                "said" if words::say(&format!("said.{value}")) != format!("said.{value}") => {
                    self.said = Some(words::say(&format!("said.{value}")).to_owned());
                }
                "done" if value.len() <= 64 => {
                    self.undo.push(value);
                }
                _ => {}
            }
        }
        self
    }

    /// Shows a form again: with what was wrong and what had been filled in.
    pub(super) fn after_mistake(mut self, mistake: Mistake) -> Self {
        if let Some((error, fields)) = mistake {
            self.wrong = Some(error.code.row().1);
            self.mistake = error.detail;
            self.kept = fields;
        }
        self
    }

    /// The status that the page is answered with.
    pub(super) fn outcome(&self) -> StatusCode {
        self.wrong.unwrap_or(StatusCode::OK)
    }

    /// Where a letter after `g` leads.
    #[expect(clippy::unused_self, reason = "templates reach it through the frame")]
    pub(super) fn places(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        super::settings::PLACES
    }

    /// What had been filled in.
    pub(super) fn kept(&self, field: &str) -> &str {
        self.kept.get(field).unwrap_or_default()
    }

    /// All that had been typed or ticked under a name.
    pub(super) fn kept_all<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        self.kept.all(field)
    }

    /// What had been filled in, or what stands in the field otherwise.
    pub(super) fn kept_or<'a>(&'a self, field: &str, otherwise: &'a str) -> &'a str {
        self.kept.get(field).unwrap_or(otherwise)
    }

    /// Whether a box had been ticked, or a choice made.
    pub(super) fn ticked(&self, field: &str, value: &str) -> bool {
        self.kept.holds(field, value)
    }

    /// A text.
    #[expect(clippy::unused_self, reason = "templates reach words through the frame")]
    pub(super) fn t<'a>(&self, key: &'a str) -> &'a str
    where
        'static: 'a,
    {
        words::say(key)
    }

    /// A text for one or several.
    #[expect(clippy::unused_self, reason = "templates reach words through the frame")]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass fields by reference")]
    pub(super) fn tn(&self, key: &str, n: &i64) -> String {
        words::count(key, *n)
    }

    /// A comment's status in words.
    pub(super) fn status(&self, status: &str) -> String {
        self.named("status", status)
    }

    /// An action in words.
    pub(super) fn action(&self, action: &str) -> String {
        self.named("action", action)
    }

    /// A role in words.
    pub(super) fn role(&self, role: &str) -> String {
        self.named("role", role)
    }

    /// A state of a message or a rule in words.
    pub(super) fn delivery(&self, state: &str) -> String {
        self.named("state", state)
    }

    #[expect(clippy::unused_self, reason = "templates reach words through the frame")]
    fn named(&self, what: &str, name: &str) -> String {
        words::say(&format!("{what}.{name}")).to_owned()
    }

    /// Whether an address is one that a browser opens as a page.
    #[expect(clippy::unused_self, reason = "templates reach it through the frame")]
    pub(super) fn is_web(&self, url: &str) -> bool {
        url.starts_with("https://") || url.starts_with("http://")
    }
}

/// Answers with a page.
pub(super) fn show(page: &impl Template) -> Result<HttpResponse, ApiError> {
    show_as(StatusCode::OK, page)
}

/// Answers with a page under a status.
pub(super) fn show_as(status: StatusCode, page: &impl Template) -> Result<HttpResponse, ApiError> {
    let html = page.render().map_err(|error| ApiError::new(Code::Refused, error.to_string()))?;
    Ok(HttpResponse::build(status).insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(html))
}

/// Sends the browser on with a GET.
pub(super) fn go(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}

/// A text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    super::super::comments::encoded(text)
}

/// Where a form sends people back to: a path of ours, never another site's address.
pub(super) fn local(path: Option<&str>, otherwise: &str) -> String {
    let is_local = |path: &&str| {
        path.starts_with('/') && !path.starts_with("//") && !path.chars().any(|c| c == '\\' || c.is_control())
    };
    path.filter(is_local).unwrap_or(otherwise).to_owned()
}

/// An address that tells of decisions just taken.
pub(super) fn with_decisions(path: &str, ids: &[String]) -> String {
    let mut out = with_pair(path, "done", ids.first().map_or("", String::as_str));
    for id in ids.iter().skip(1) {
        out.push_str("&done=");
        out.push_str(&encoded(id));
    }
    out
}

/// An address with one more pair in its query, and without an earlier one of that name.
pub(super) fn with_pair(path: &str, name: &str, value: &str) -> String {
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let mut pairs: Vec<(String, String)> =
        pairs.into_iter().filter(|(known, _)| known != "done" && known != "said" && known != name).collect();
    pairs.push((name.to_owned(), value.to_owned()));
    format!("{bare}?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_back_to_our_own_pages_only() {
        for evil in
            ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""]
        {
            assert_eq!(local(Some(evil), "/queue"), "/queue", "{evil:?}");
        }
        assert_eq!(local(Some("/queue?kind=campaign"), "/"), "/queue?kind=campaign");
        assert_eq!(local(None, "/queue"), "/queue");
    }

    #[test]
    fn a_pair_takes_the_place_of_the_last_message() {
        assert_eq!(with_pair("/queue?kind=comment&done=1&said=x", "done", "2"), "/queue?kind=comment&done=2");
        assert_eq!(with_pair("/queue", "said", "a b"), "/queue?said=a+b");
    }
}

//! What the service needs beside the thresholds: sections of the configuration file, checked after reading.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use crate::domain::Because;

/// All sections of the service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Service {
    /// Where it listens and how much it takes.
    pub server: Server,
    /// Who comes in.
    pub access: Access,
    /// How decisions are taken.
    pub review: Review,
    /// What is kept back until somebody has looked.
    pub hold: Hold,
    /// Whom it trusts.
    pub trust: Trust,
    /// What it keeps of people.
    pub privacy: Privacy,
    /// Whether it fetches articles.
    pub articles: Articles,
    /// Whom it tells when something needs people.
    pub alerts: Alerts,
    /// Signals of the newsroom's own.
    pub plugins: Vec<Plugin>,
}

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address under which people and systems reach it, with its path prefix if a proxy gives it one; empty: where it listens.
    pub public_url: String,
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// Comments under way at once; more are turned away with `Retry-After`.
    pub most_under_way: usize,
    /// Proxies whose `X-Forwarded-For` and single-sign-on header are believed: addresses or networks.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Seconds that a shutdown waits for requests under way.
    pub drain_seconds: u64,
}

/// `[access]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// Hours after which somebody has to log in again.
    pub session_hours: i64,
    /// Wrong passwords in a row, for a name or from an address, after which the next try has to wait.
    pub login_tries: u32,
    /// Header in which a trusted proxy names the user; empty: none.
    pub sso_header: String,
}

/// `[review]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Review {
    /// Minutes in which whoever decided can undo it; later a lead can.
    pub undo_minutes: i64,
    /// Minutes after which a claimed card is free again.
    pub lease_minutes: i64,
    /// Reason codes that a decision may carry; none listed: any.
    pub reasons: Vec<String>,
    /// Of these, the codes by which a rejection says that a text is templated: backtests measure and training learns by them.
    pub templated: Vec<String>,
    /// Whether a rejection needs a reason.
    pub reason_required: bool,
    /// Whether a rejection needs a note.
    pub note_required: bool,
}

/// `[hold]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hold {
    /// Reasons whose comments are kept back instead of shown for review.
    pub because: Vec<Because>,
    /// Comments held a day at the most (UTC); the rest is `review`.
    pub per_day: i64,
    /// A reason holds only where people rejected at least this share of what they decided about it in the last 90 days.
    pub precision: f64,
    /// How many such decisions there must be.
    pub decisions: i64,
}

/// `[trust]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Roles in the CMS whose comments are never proposed.
    pub roles: Vec<String>,
    /// Approved comments (less rejected ones) from which an author is trusted; 0: never.
    pub approved_comments: i64,
}

/// What is kept of e-mail and IP addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contacts {
    /// A keyed hash.
    Hash,
    /// The address.
    Keep,
    /// Nothing.
    Drop,
}

/// `[privacy]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// What is kept of e-mail and IP addresses.
    pub contacts: Contacts,
    /// Days after which the text of published comments is forgotten; 0: never.
    pub forget_text_days: i64,
    /// Days after which comments are forgotten; 0: never.
    pub forget_days: i64,
}

/// `[articles]`.
#[derive(Debug, Clone, PartialEq, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Articles {
    /// Whether the text of an article is fetched from its address when only that is known.
    pub fetch: bool,
    /// Whether private addresses are meant.
    pub allow_private: bool,
}

/// `[alerts]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Address of a chat that takes `{"text": "..."}`; empty: none.
    pub webhook: String,
    /// Whether a private address is meant.
    pub webhook_allow_private: bool,
    /// Who gets mail.
    pub mail_to: Vec<String>,
    /// From whom.
    pub mail_from: String,
    /// The local mail relay.
    pub smtp: String,
    /// Known authors from which a campaign is told of.
    pub campaign_authors: usize,
    /// Minutes after which the oldest card is too old.
    pub backlog_minutes: i64,
    /// Minutes before the same is said again.
    pub pause_minutes: i64,
}

/// How a plugin counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginMode {
    /// Shown, not counted.
    Shadow,
    /// Counted.
    Live,
}

/// `[[plugin]]`: an external signal.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// Its name; its evidence comes as `plugin:NAME`.
    pub name: String,
    /// The address that is asked.
    pub url: String,
    /// How it counts.
    #[serde(default = "shadow")]
    pub mode: PluginMode,
    /// Milliseconds that it may take.
    #[serde(default = "timeout")]
    pub timeout_ms: u64,
    /// The most points it adds, either sign.
    #[serde(default = "max_points")]
    pub max_points: f64,
    /// Calls a day (UTC).
    #[serde(default = "daily_calls")]
    pub daily_calls: i64,
    /// Whether a private address is meant.
    #[serde(default)]
    pub allow_private: bool,
    /// Environment variable that holds the `whsec_` secret which signs the questions.
    #[serde(default)]
    pub secret_env: String,
    /// File that holds it.
    #[serde(default)]
    pub secret_file: String,
}

/// Networks; an address is one of its own.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let network = |text: &String| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        address.or_else(|_| text.parse()).map_err(|_| {
            serde::de::Error::custom(format!("`{text}` is no address and no network such as 10.0.0.0/8"))
        })
    };
    texts.iter().map(network).collect()
}

fn shadow() -> PluginMode {
    PluginMode::Shadow
}

fn timeout() -> u64 {
    200
}

fn max_points() -> f64 {
    1.5
}

fn daily_calls() -> i64 {
    10_000
}

impl Default for Server {
    fn default() -> Self {
        Self {
            public_url: String::new(),
            body_limit: 4 << 20,
            most_under_way: 1024,
            trusted_proxies: Vec::new(),
            drain_seconds: 20,
        }
    }
}

impl Default for Access {
    fn default() -> Self {
        Self { session_hours: 12, login_tries: 5, sso_header: String::new() }
    }
}

impl Default for Review {
    fn default() -> Self {
        Self {
            undo_minutes: 10,
            lease_minutes: 5,
            reasons: Vec::new(),
            templated: ["templated", "copy", "advertising"].map(str::to_owned).to_vec(),
            reason_required: false,
            note_required: false,
        }
    }
}

impl Default for Hold {
    fn default() -> Self {
        Self { because: Vec::new(), per_day: 50, precision: 0.95, decisions: 50 }
    }
}

impl Default for Trust {
    fn default() -> Self {
        let roles = ["staff", "moderator", "editor", "admin", "administrator"];
        Self { roles: roles.map(str::to_owned).to_vec(), approved_comments: 0 }
    }
}

impl Default for Privacy {
    fn default() -> Self {
        Self { contacts: Contacts::Hash, forget_text_days: 0, forget_days: 0 }
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            webhook: String::new(),
            webhook_allow_private: false,
            mail_to: Vec::new(),
            mail_from: String::new(),
            smtp: "127.0.0.1:25".to_owned(),
            campaign_authors: 5,
            backlog_minutes: 240,
            pause_minutes: 60,
        }
    }
}

impl Service {
    pub(super) fn check(&self) -> Result<(), String> {
        let counts = [
            ("server.body_limit", self.server.body_limit as i64, 1024, 64 << 20),
            ("server.most_under_way", self.server.most_under_way as i64, 1, 100_000),
            ("server.drain_seconds", self.server.drain_seconds as i64, 0, 3600),
            ("access.session_hours", self.access.session_hours, 1, 24 * 90),
            ("access.login_tries", i64::from(self.access.login_tries), 1, 1000),
            ("review.undo_minutes", self.review.undo_minutes, 0, 60 * 24 * 30),
            ("review.lease_minutes", self.review.lease_minutes, 1, 60 * 24),
            ("hold.per_day", self.hold.per_day, 0, 1_000_000),
            ("hold.decisions", self.hold.decisions, 1, 1_000_000),
            ("trust.approved_comments", self.trust.approved_comments, 0, 1_000_000),
            ("privacy.forget_text_days", self.privacy.forget_text_days, 0, 36_500),
            ("privacy.forget_days", self.privacy.forget_days, 0, 36_500),
            ("alerts.campaign_authors", self.alerts.campaign_authors as i64, 1, 1_000_000),
            ("alerts.backlog_minutes", self.alerts.backlog_minutes, 1, 1_000_000),
            ("alerts.pause_minutes", self.alerts.pause_minutes, 1, 1_000_000),
        ];
        for (name, value, low, high) in counts {
            if !(low..=high).contains(&value) {
                return Err(format!("{name} = {value} is outside {low} to {high}"));
            }
        }
        if !(0.5..=1.0).contains(&self.hold.precision) {
            return Err(format!("hold.precision = {} is outside 0.5 to 1", self.hold.precision));
        }
        let url = &self.server.public_url;
        if !(url.is_empty() || url.starts_with("https://") || url.starts_with("http://")) {
            return Err(format!("server.public_url = `{url}` must begin with https:// or http://"));
        }
        if !self.access.sso_header.is_empty() && self.server.trusted_proxies.is_empty() {
            return Err("access.sso_header needs server.trusted_proxies: nobody else is believed".to_owned());
        }
        if !self.alerts.mail_to.is_empty() && self.alerts.mail_from.is_empty() {
            return Err("alerts.mail_to needs alerts.mail_from".to_owned());
        }
        self.plugins.iter().try_for_each(Plugin::check)?;
        let mut names: Vec<&str> = self.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair.first() == pair.last()) {
            Some(pair) => Err(format!("plugin.name = `{}` stands twice", pair.concat())),
            None => Ok(()),
        }
    }
}

impl Plugin {
    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
            return Err(format!(
                "plugin.name = `{name}`: use lower-case letters, digits and `-`, at most 32"
            ));
        }
        let scheme =
            self.url.starts_with("https://") || (self.allow_private && self.url.starts_with("http://"));
        if !scheme {
            return Err(format!("plugin {name}: url must begin with https:// (http:// with allow_private)"));
        }
        if !(1..=10_000).contains(&self.timeout_ms) {
            return Err(format!("plugin {name}: timeout_ms = {} is outside 1 to 10000", self.timeout_ms));
        }
        if !(0.0..=3.0).contains(&self.max_points) {
            return Err(format!("plugin {name}: max_points = {} is outside 0 to 3", self.max_points));
        }
        if !(0..=100_000_000).contains(&self.daily_calls) {
            return Err(format!(
                "plugin {name}: daily_calls = {} is outside 0 to 100000000",
                self.daily_calls
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    #[test]
    fn values_outside_their_range_are_named() {
        for (toml, name) in [
            ("[server]\nbody_limit = 1", "server.body_limit"),
            ("[server]\npublic_url = \"desk.example\"", "server.public_url"),
            ("[access]\nsso_header = \"x-user\"", "trusted_proxies"),
            ("[hold]\nprecision = 0.1", "hold.precision"),
            ("[hold]\nbecause = [\"mood\"]", "mood"),
            ("[alerts]\nmail_to = [\"a@b.example\"]", "mail_from"),
            ("[[plugin]]\nname = \"X\"\nurl = \"https://x.example\"", "plugin.name"),
            ("[[plugin]]\nname = \"x\"\nurl = \"http://x.example\"", "allow_private"),
            ("[[plugin]]\nname = \"x\"\nurl = \"https://x.example\"\nmax_points = 9.0", "max_points"),
            ("[privacy]\ncontacts = \"sell\"", "contacts"),
            ("[privacy]\nforget = 1", "forget"),
        ] {
            let error = Settings::parse(toml).unwrap_err();
            assert!(error.contains(name), "{toml}: {error}");
        }
    }
}

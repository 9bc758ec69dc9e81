//! What all handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use serde_json::Value;
use serde_json::value::RawValue;

use super::auth::KeyCache;
use super::error::{ApiError, Code};
use super::presence::Presence;
use crate::access::Throttle;
use crate::config::{Service, Settings};
use crate::domain::Verdict;
use crate::intake::Intake;
use crate::store::records::Counts;
use crate::telemetry::{Counter, Timing};

/// Passwords that are checked at once.
const HASHED_AT_ONCE: usize = 4;
/// Rules and signals that are counted by name.
const MOST_NAMES: usize = 2000;

/// What all handlers share.
pub struct State {
    /// The use case.
    pub intake: Arc<Intake>,
    /// Where the desk is, for the links in answers; without a slash at its end.
    pub public_url: String,
    /// Keys found lately.
    pub keys: KeyCache,
    /// Wrong passwords lately.
    pub throttle: Throttle,
    /// Places for passwords that are checked at once.
    pub hashing: tokio::sync::Semaphore,
    /// The place for what takes a core for seconds: drafts of rules, previews of thresholds.
    pub heavy: tokio::sync::Semaphore,
    /// What was counted since the start.
    pub counters: Counters,
    /// Counts of lately, for the metrics page.
    pub counts: tokio::sync::Mutex<Option<(std::time::Instant, Counts)>>,
    /// When the store was last seen to take a row.
    pub probed: tokio::sync::Mutex<Option<std::time::Instant>>,
    /// How reloads fared.
    pub reloads: Reloads,
    /// Told when somebody on the desk wants rules, model and configuration read anew.
    pub reload_wanted: tokio::sync::Notify,
    /// Who is on the desk.
    pub presence: Presence,
    settings: ArcSwap<Service>,
    closing: tokio::sync::watch::Sender<bool>,
    under_way: Arc<AtomicI64>,
}

/// Counted since the start.
#[derive(Default)]
pub struct Counters {
    /// Time from body read to answer, of every comment taken.
    pub taken: Timing,
    /// Comments proposed for review.
    pub review: Counter,
    /// Comments held.
    pub hold: Counter,
    /// Comments answered `pending`.
    pub pending: Counter,
    /// Deliveries that were known.
    pub repeated: Counter,
    /// Requests turned away.
    pub turned_away: Counter,
    /// Hits by rule or signal, of comments that were not simply allowed.
    pub hits: std::sync::Mutex<std::collections::BTreeMap<String, u64>>,
}

impl Counters {
    /// Counts a fresh answer that is not simply `allow`.
    pub fn count(&self, verdict: Verdict, assessment: &RawValue) {
        match verdict {
            Verdict::Allow => return,
            Verdict::Review => self.review.one(),
            Verdict::Hold => self.hold.one(),
        }
        let assessment: Value = serde_json::from_str(assessment.get()).unwrap_or_default();
        let evidence = assessment.get("evidence").and_then(Value::as_array);
        let names = evidence
            .into_iter()
            .flatten()
            .filter_map(|one| one.get("rule").or_else(|| one.get("signal")).and_then(Value::as_str));
        let names: std::collections::BTreeSet<&str> = names.collect();
        let mut hits = self.hits.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for name in names {
            if hits.contains_key(name) || hits.len() < MOST_NAMES {
                *hits.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
}

/// How reloads of rules, model and configuration fared.
#[derive(Default)]
pub struct Reloads {
    /// Those that were taken.
    pub done: Counter,
    /// What is wrong with the last one; none when it was taken.
    pub error: ArcSwap<Option<String>>,
}

/// A place among the comments under way; given back when dropped.
pub struct Admission(Arc<AtomicI64>);

impl Drop for Admission {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    /// The state of a service that people and systems reach at `public_url`.
    pub fn new(intake: Arc<Intake>, settings: &Settings, public_url: &str) -> Self {
        Self {
            intake,
            public_url: public_url.trim_end_matches('/').to_owned(),
            keys: KeyCache::default(),
            throttle: Throttle::default(),
            hashing: tokio::sync::Semaphore::new(HASHED_AT_ONCE),
            heavy: tokio::sync::Semaphore::new(1),
            counters: Counters::default(),
            counts: tokio::sync::Mutex::default(),
            probed: tokio::sync::Mutex::default(),
            reloads: Reloads::default(),
            reload_wanted: tokio::sync::Notify::new(),
            presence: Presence::default(),
            settings: ArcSwap::from_pointee(settings.service.clone()),
            closing: tokio::sync::watch::Sender::new(false),
            under_way: Arc::default(),
        }
    }

    /// The settings now.
    pub fn settings(&self) -> Arc<Service> {
        self.settings.load_full()
    }

    /// Puts other settings in their place. Where it listens and what it is called stays until a restart.
    pub fn configure(&self, settings: &Settings) {
        self.settings.store(Arc::new(settings.service.clone()));
    }

    /// Ends what would go on for ever, so that the service can stop.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Becomes true when the service stops.
    pub fn closing(&self) -> tokio::sync::watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Whether people reach it over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The path under which the desk lives: `/`, or what a proxy puts before it.
    pub fn cookie_path(&self) -> String {
        let prefix = self.prefix();
        if prefix.is_empty() { "/".to_owned() } else { prefix.to_owned() }
    }

    /// What a proxy puts before every path; empty for nothing.
    pub fn prefix(&self) -> &str {
        let rest = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
    }

    /// Whether an `Origin` header names our own pages.
    pub fn is_own_origin(&self, origin: &str) -> bool {
        let own = self.public_url.strip_suffix(self.prefix()).unwrap_or(&self.public_url);
        // On one machine both names are ours.
        let named = |origin: &str| origin.to_ascii_lowercase().replace("//localhost:", "//127.0.0.1:");
        named(origin) == named(own)
    }

    /// Lets a request in, or turns it away.
    ///
    /// # Errors
    /// `overloaded` when too many are under way.
    pub fn admit(&self) -> Result<Admission, ApiError> {
        let admission = Admission(Arc::clone(&self.under_way));
        let most = i64::try_from(self.settings.load().server.most_under_way).unwrap_or(i64::MAX);
        if self.under_way.fetch_add(1, Ordering::Relaxed) >= most {
            self.counters.turned_away.one();
            return Err(ApiError::new(
                Code::Overloaded,
                "too many comments are under way: send it again in a second",
            ));
        }
        Ok(admission)
    }
}

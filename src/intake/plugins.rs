//! External signals: a newsroom's own service is asked about a comment over HTTP and answers findings (the wire format is in
//! `examples/plugin/README.md`).
//!
//! A plugin can only add to what is known. Whatever goes wrong with it (slow, down, full, over its daily budget, nonsense in its answer),
//! the comment is judged without it. A plugin that failed several times in a row is left alone for a while; the same text under
//! the same article is asked about once.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::config::{Plugin as Rules, PluginMode};
use crate::domain::{Article, Comment, Span};
use crate::engine::{External, ExternalFinding};
use crate::store::Store;
use crate::telemetry::Counter;
use crate::text::stable_hash;
use crate::wire::outbound::agent;
use crate::wire::signature;

/// Questions under way to one plugin; more are not asked.
const MOST_UNDER_WAY: usize = 32;
/// Failures in a row after which a plugin is left alone.
const PATIENCE: u32 = 5;
/// How long it is left alone.
const REST: Duration = Duration::from_secs(30);
/// Answers that are remembered, and how long.
const REMEMBERED: usize = 10_000;
const FRESH: Duration = Duration::from_hours(1);
/// Calls that are reserved of a day's budget at a time.
const BLOCK: i64 = 100;
/// The largest answer, in bytes.
const LARGEST: u64 = 64 << 10;
/// Findings of one answer, and characters of a message.
const MOST_FINDINGS: usize = 20;
const LONGEST: usize = 300;

/// All plugins of the configuration.
#[derive(Default)]
pub struct Plugins(Vec<Arc<Plugin>>);

/// One plugin and how it fared.
struct Plugin {
    rules: Rules,
    secret: Option<String>,
    agent: ureq::Agent,
    places: Arc<Semaphore>,
    failures: AtomicU32,
    rests_until: Mutex<Option<Instant>>,
    /// The day, and calls reserved for it that are not used yet.
    reserved: Mutex<String>,
    left: AtomicI64,
    refill: tokio::sync::Mutex<()>,
    answers: Mutex<HashMap<u64, (Instant, Vec<ExternalFinding>)>>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    asked: Counter,
    remembered: Counter,
    failed: Counter,
    skipped: Counter,
}

/// The answer on the wire.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    evidence: Vec<Wire>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    rule: Option<String>,
    #[serde(default)]
    points: f64,
    #[serde(default)]
    spans: Vec<[u32; 2]>,
    #[serde(default)]
    message: String,
}

impl Plugins {
    /// The plugins of a configuration.
    ///
    /// # Errors
    /// When a secret cannot be read.
    pub fn new(rules: &[Rules]) -> Result<Self, String> {
        rules.iter().map(|rules| Plugin::new(rules).map(Arc::new)).collect::<Result<_, _>>().map(Self)
    }

    /// The plugins of a new configuration; one whose section is as it was goes on as it is.
    ///
    /// # Errors
    /// When a secret cannot be read.
    pub fn renewed(&self, rules: &[Rules]) -> Result<Self, String> {
        let plugins = rules.iter().map(|rules| {
            let known = self.0.iter().find(|plugin| plugin.rules == *rules);
            known.map_or_else(|| Plugin::new(rules).map(Arc::new), |plugin| Ok(Arc::clone(plugin)))
        });
        plugins.collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks all of them side by side. A plugin without an answer is left out.
    pub(super) async fn ask(
        &self,
        store: &Store,
        comment: &Comment,
        article: Option<&Article>,
        parent: Option<&str>,
    ) -> Vec<External> {
        let mut shown = comment.clone();
        if let Some(author) = &mut shown.author {
            (author.email, author.ip) = (None, None);
        }
        let question = json!({
            "version": 1,
            "comment": shown,
            "article": article,
            "parent": parent.map(|text| json!({ "text": text })),
        });
        let question: Arc<str> = question.to_string().into();
        let key = [comment.text.as_str(), comment.article_id.as_ref().map_or("", |id| id.as_str())];
        let key = stable_hash(
            format!("{}\0{}\0{}", key.concat(), key.len(), parent.unwrap_or_default()).as_bytes(),
        );
        let tasks: Vec<_> = self
            .0
            .iter()
            .map(|plugin| {
                let (plugin, store, question) = (Arc::clone(plugin), store.clone(), Arc::clone(&question));
                let text = comment.text.clone();
                tokio::spawn(async move { plugin.ask(&store, key, question, &text).await })
            })
            .collect();
        let mut external = Vec::new();
        for (plugin, task) in self.0.iter().zip(tasks) {
            let Ok(Some(findings)) = task.await else { continue };
            if !findings.is_empty() {
                external.push(External {
                    plugin: plugin.rules.name.clone(),
                    live: plugin.rules.mode == PluginMode::Live,
                    cap: plugin.rules.max_points,
                    findings,
                });
            }
        }
        external
    }

    /// How each plugin fared: its name -> asked, remembered, failed, skipped.
    pub fn counts(&self) -> BTreeMap<String, [u64; 4]> {
        let counts = |plugin: &Plugin| {
            let Counts { asked, remembered, failed, skipped } = &plugin.counts;
            [asked.read(), remembered.read(), failed.read(), skipped.read()]
        };
        self.0.iter().map(|plugin| (plugin.rules.name.clone(), counts(plugin))).collect()
    }
}

impl Plugin {
    fn new(rules: &Rules) -> Result<Self, String> {
        let name = &rules.name;
        let secret = if !rules.secret_env.is_empty() {
            let secret = std::env::var(&rules.secret_env);
            Some(secret.map_err(|_| format!("plugin {name}: there is no variable {}", rules.secret_env))?)
        } else if !rules.secret_file.is_empty() {
            let secret = std::fs::read_to_string(&rules.secret_file);
            Some(secret.map_err(|error| format!("plugin {name}: {}: {error}", rules.secret_file))?)
        } else {
            None
        };
        let secret = secret.map(|secret| secret.trim().to_owned());
        if secret.as_ref().is_some_and(|secret| signature::standard_key(secret).is_none()) {
            return Err(format!("plugin {name}: its secret is no whsec_ secret of at least 16 bytes"));
        }
        Ok(Self {
            secret,
            agent: agent(Duration::from_millis(rules.timeout_ms), rules.allow_private),
            places: Arc::new(Semaphore::new(MOST_UNDER_WAY)),
            failures: AtomicU32::new(0),
            rests_until: Mutex::default(),
            reserved: Mutex::default(),
            left: AtomicI64::new(0),
            refill: tokio::sync::Mutex::default(),
            answers: Mutex::default(),
            counts: Counts::default(),
            rules: rules.clone(),
        })
    }

    /// What the plugin says; none when it cannot be asked or does not answer as it should.
    async fn ask(
        self: Arc<Self>,
        store: &Store,
        key: u64,
        question: Arc<str>,
        text: &str,
    ) -> Option<Vec<ExternalFinding>> {
        if let Some(findings) = self.remembered(key) {
            self.counts.remembered.one();
            return Some(findings);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let (Some(place), false) = (place, self.rests()) else {
            self.counts.skipped.one();
            return None;
        };
        if !self.is_within_budget(store).await {
            self.counts.skipped.one();
            return None;
        }
        self.counts.asked.one();
        let asked = Arc::clone(&self);
        let answer = tokio::task::spawn_blocking(move || {
            let _place = place;
            asked.post(&question)
        });
        // The agent's own limit does not cover the resolver of names on every system.
        let limit = Duration::from_millis(self.rules.timeout_ms + 50);
        let answer = match tokio::time::timeout(limit, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("the request failed".to_owned()),
            Err(_) => Err("it took too long".to_owned()),
        };
        match answer {
            Ok(answer) => {
                self.failures.store(0, Ordering::Relaxed);
                let findings = checked(answer, text);
                self.remember(key, &findings);
                Some(findings)
            }
            Err(error) => {
                self.counts.failed.one();
                let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::warn!(plugin = self.rules.name, error, failures, "a plugin did not answer");
                if failures >= PATIENCE {
                    let mut rests = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
                    *rests = Some(Instant::now() + REST);
                }
                None
            }
        }
    }

    fn post(&self, question: &str) -> Result<Answer, String> {
        let mut request = self.agent.post(&self.rules.url).header("content-type", "application/json");
        if let Some(secret) = &self.secret {
            let (id, seconds) = (format!("msg_{}", uuid::Uuid::now_v7()), chrono::Utc::now().timestamp());
            let signature =
                signature::standard(secret, &id, seconds, question.as_bytes()).unwrap_or_default();
            request = request
                .header("webhook-id", id)
                .header("webhook-timestamp", seconds.to_string())
                .header("webhook-signature", signature);
        }
        let mut answer = request.send(question.as_bytes()).map_err(|error| error.to_string())?;
        if answer.status().as_u16() == 204 {
            return Ok(Answer { evidence: Vec::new() });
        }
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status().as_u16()));
        }
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec();
        serde_json::from_slice(&body.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
    }

    /// Whether it is left alone now. When the rest is over, one question is let through: its failure begins the next rest.
    fn rests(&self) -> bool {
        let mut rests = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        match *rests {
            Some(until) if Instant::now() < until => true,
            Some(_) => {
                *rests = Some(Instant::now() + REST);
                false
            }
            None => false,
        }
    }

    async fn is_within_budget(&self, store: &Store) -> bool {
        let day = chrono::Utc::now().format("%Y-%m-%d").to_string();
        {
            let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
            if *reserved != day {
                reserved.clone_from(&day);
                self.left.store(0, Ordering::Relaxed);
            }
        }
        if self.left.fetch_sub(1, Ordering::Relaxed) > 0 {
            return true;
        }
        // One refill at a time: whoever waited for it takes from what it brought.
        let _refill = self.refill.lock().await;
        if self.left.fetch_sub(1, Ordering::Relaxed) > 0 {
            return true;
        }
        let block = BLOCK.min(self.rules.daily_calls);
        let got =
            store.reserve_plugin_calls(day, self.rules.name.clone(), block, self.rules.daily_calls).await;
        let got = got.unwrap_or(0);
        self.left.store((got - 1).max(0), Ordering::Relaxed);
        got > 0
    }

    fn remembered(&self, key: u64) -> Option<Vec<ExternalFinding>> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(&key).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, findings)| findings.clone())
    }

    fn remember(&self, key: u64, findings: &[ExternalFinding]) {
        // It answered: nothing to rest from.
        *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= REMEMBERED {
            answers.retain(|_, (at, _)| at.elapsed() < FRESH);
            if answers.len() >= REMEMBERED {
                answers.clear();
            }
        }
        answers.insert(key, (Instant::now(), findings.to_vec()));
    }
}

/// The findings of an answer, as far as they make sense: finite points, spans that lie in the text, messages of a sentence.
fn checked(answer: Answer, text: &str) -> Vec<ExternalFinding> {
    let findings = answer.evidence.into_iter().take(MOST_FINDINGS).filter(|wire| wire.points.is_finite());
    findings
        .map(|wire| ExternalFinding {
            rule: wire.rule.map(|rule| rule.chars().take(LONGEST).collect()),
            points: wire.points,
            spans: wire
                .spans
                .into_iter()
                .filter(|[start, end]| start < end && text.get(*start as usize..*end as usize).is_some())
                .map(Span::from)
                .collect(),
            message: wire.message.chars().filter(|c| !c.is_control()).take(LONGEST).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_as_far_as_it_makes_sense() {
        let answer: Answer = serde_json::from_str(
            r#"{"evidence": [{"points": 2.0, "spans": [[0, 3], [1, 4], [3, 99], [4, 2]], "message": "a\u0007b"}, {"points": -1}]}"#,
        )
        .unwrap();
        let found = checked(answer, "né so");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].spans, [Span::from([0, 3]), Span::from([1, 4])]);
        assert_eq!(found[0].message, "ab");
    }
}

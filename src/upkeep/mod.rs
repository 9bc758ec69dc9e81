//! What the service does by itself, whoever calls: it follows what other processes wrote to the store, refreshes what it remembers of it,
//! forgets with time, tells people what needs them ([`alerts`]), fetches articles.

pub mod alerts;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cms::fetch::fetch_due;
use crate::config::Service;
use crate::intake::Intake;
use crate::store::StoreError;
use crate::store::records::Sites;

/// How often it looks at what others wrote.
const TICK: Duration = Duration::from_secs(1);
/// How often it refreshes, tells, forgets.
const ROUND: Duration = Duration::from_secs(30);
/// How often it throws away what nobody needs.
const TIDY: Duration = Duration::from_hours(1);
/// Events read at a time.
const AT_ONCE: usize = 1000;
/// Milliseconds of a day.
const DAY: i64 = 24 * 3_600_000;

/// Fetches articles where that is switched on, until the process ends.
pub async fn fetch(intake: Arc<Intake>, settings: impl Fn() -> Arc<Service>) {
    loop {
        tokio::time::sleep(TICK).await;
        let rules = settings().articles.clone();
        if rules.fetch {
            report("fetching articles", fetch_due(intake.store(), rules.allow_private).await);
        }
    }
}

/// Goes on until the process ends. `settings` tells those of now.
pub async fn run(intake: Arc<Intake>, public_url: String, settings: impl Fn() -> Arc<Service>) {
    let mut seen = intake.store().last_event().await.unwrap_or(0);
    let (mut round, mut tidy): (Option<Instant>, Option<Instant>) = (None, None);
    let is_due = |last: Option<Instant>, pause: Duration| last.is_none_or(|last| last.elapsed() >= pause);
    loop {
        tokio::time::sleep(TICK).await;
        let settings = settings();
        report("following the store", follow(&intake, &mut seen).await);
        if is_due(round, ROUND) {
            round = Some(Instant::now());
            report("refreshing", intake.refresh().await);
            report("keeping promises", intake.keep_promises(60_000).await);
            report("telling people", alerts::tell(intake.store(), &settings.alerts, &public_url).await);
            report("forgetting", forget(&intake, &settings).await);
        }
        if is_due(tidy, TIDY) {
            tidy = Some(Instant::now());
            report("tidying up", intake.store().tidy().await);
        }
    }
}

fn report<T>(what: &str, result: Result<T, StoreError>) {
    if let Err(error) = result {
        tracing::warn!(%error, what, "upkeep");
    }
}

/// Does what other processes' events ask: an erased author's comments leave the live index, plans and allowed campaigns count.
async fn follow(intake: &Intake, seen: &mut i64) -> Result<(), StoreError> {
    loop {
        let events = intake.store().events(Sites::All, *seen, AT_ONCE).await?;
        let Some(last) = events.last() else { return Ok(()) };
        *seen = last.seq;
        let erased: Vec<i64> = events
            .iter()
            .filter(|event| event.kind == "privacy.erased")
            .filter_map(|event| event.data.get("seq")?.as_i64())
            .collect();
        intake.forget(&erased);
        let plans: BTreeSet<&str> = events
            .iter()
            .filter(|event| event.kind == "plan.changed")
            .filter_map(|event| event.data.get("plan")?.as_str())
            .collect();
        for plan in plans {
            intake.follow_plan(plan.to_owned()).await?;
        }
        if events.iter().any(|event| event.kind == "campaign.allowed") {
            intake.refresh().await?;
        }
    }
}

/// Forgets what is old enough, piece by piece.
async fn forget(intake: &Intake, settings: &Service) -> Result<(), StoreError> {
    let now = chrono::Utc::now().timestamp_millis();
    let before = |days: i64| (days > 0).then(|| now - days * DAY);
    let (texts, all) = (before(settings.privacy.forget_text_days), before(settings.privacy.forget_days));
    if texts.is_none() && all.is_none() {
        return Ok(());
    }
    while intake.store().forget(texts, all).await? != crate::store::sqlite::Forgotten::default() {}
    Ok(())
}

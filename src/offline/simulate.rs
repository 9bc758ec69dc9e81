//! How a time that is past would have gone with Claque at the door: what is flagged as it comes and what only later, how many decisions that asks of
//! people, and how soon a campaign or a filled thread shows.
//!
//! The comments are judged twice: with what came before each, as the service judges what comes in, and with the whole, as it stands in the end, when
//! earlier copies have joined the card of the one that exposed them. What differs was public for a while. Nothing is sent, kept or decided.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::backtest::Fare;
use super::judge::{Mode, judge};
use super::order::Order;
use super::records::Articles;
use crate::domain::{Assessment, Campaign, Comment, Id, Label, Verdict};
use crate::engine::Engine;

/// A time gone through again.
#[derive(Debug, Serialize)]
pub struct Simulation {
    /// Comments that came.
    pub comments: usize,
    /// Time of the first one that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Time of the last one that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Flagged as they came.
    pub at_arrival: usize,
    /// Flagged only because of what came after them.
    pub later: usize,
    /// Flagged as they came, and no longer in the end.
    pub released: usize,
    /// Decisions that people would be asked for: one a campaign, one a comment outside of any.
    pub decisions: usize,
    /// Of these, decisions about campaigns.
    pub campaign_decisions: usize,
    /// Day by day, of those that have a time.
    pub days: Vec<Day>,
    /// Campaigns that are shown, largest first.
    pub campaigns: Vec<Shown>,
    /// Threads that raise an alarm, largest first.
    pub threads: Vec<Filled>,
    /// Against labels, as the comments came; absent where none has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fare_at_arrival: Option<Fare>,
    /// Against labels, in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fare_in_the_end: Option<Fare>,
    /// Digest of the rules.
    pub ruleset: String,
    /// Digest of the model.
    pub model: String,
}

/// What came on a day (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    /// Which.
    pub day: NaiveDate,
    /// Comments that came.
    pub comments: usize,
    /// Flagged as they came.
    pub at_arrival: usize,
    /// Flagged only because of what came after them, on that day or another.
    pub later: usize,
    /// Cards that were opened.
    pub cards: usize,
}

/// A campaign, and when it showed.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The campaign.
    #[serde(flatten)]
    pub campaign: Campaign,
    /// How soon.
    #[serde(flatten)]
    pub delay: Delay,
}

/// A thread that raises an alarm, and when it did.
#[derive(Debug, Serialize)]
pub struct Filled {
    /// The site that it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<Id>,
    /// The thread.
    pub thread: Id,
    /// Its comments.
    pub comments: usize,
    /// How soon.
    #[serde(flatten)]
    pub delay: Delay,
}

/// How long something went unnoticed; both are absent where it shows in hindsight only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Delay {
    /// Comments of it that had come before it showed.
    pub missed_before: Option<usize>,
    /// Seconds from its first comment to the one that showed it, where both have a time.
    pub seconds: Option<i64>,
}

/// Goes through the comments in the order of their times.
pub fn simulate(engine: &Engine, comments: &[Comment], articles: &Articles) -> Simulation {
    let came = judge(engine, comments, articles, Mode::AsOfArrival).assessments;
    let whole = judge(engine, comments, articles, Mode::Whole);
    let times = comments.iter().map(|comment| comment.created_at.map(|at| at.timestamp()));
    let order = Order::new(Mode::AsOfArrival, times);
    let (mut fare_came, mut fare_end) = (Fare::default(), Fare::default());
    let (mut days, mut carded) = (BTreeMap::<NaiveDate, Day>::new(), BTreeSet::new());
    let mut out = Simulation {
        comments: comments.len(),
        from: comments.iter().filter_map(|comment| comment.created_at).min(),
        until: comments.iter().filter_map(|comment| comment.created_at).max(),
        at_arrival: 0,
        later: 0,
        released: 0,
        decisions: 0,
        campaign_decisions: 0,
        days: Vec::new(),
        campaigns: Vec::new(),
        threads: Vec::new(),
        fare_at_arrival: None,
        fare_in_the_end: None,
        ruleset: engine.rules.digest().to_owned(),
        model: engine.model.digest().to_owned(),
    };
    let mut campaigns = HashMap::<&Id, Tracked>::new();
    let mut threads = BTreeMap::<(Option<&Id>, &Id), Tracked>::new();
    for place in (0..comments.len()).map(|rank| order.place(rank)) {
        let (Some(comment), Some(then), Some(end)) =
            (comments.get(place), came.get(place), whole.assessments.get(place))
        else {
            continue;
        };
        let (flagged, in_the_end) = (is_flagged(then), is_flagged(end));
        let later = in_the_end && !flagged;
        out.at_arrival += usize::from(flagged);
        out.later += usize::from(later);
        out.released += usize::from(flagged && !in_the_end);
        fare_came.add(flagged, comment.label);
        fare_end.add(in_the_end, comment.label);
        // A campaign has one card, whose members are asked about together.
        let opens_card = (flagged || in_the_end)
            && end.campaign_id.as_ref().is_none_or(|campaign| carded.insert(campaign));
        out.decisions += usize::from(opens_card);
        out.campaign_decisions += usize::from(opens_card && end.campaign_id.is_some());
        if let Some(campaign) = &end.campaign_id {
            let alone_then = then.campaign_id.is_none();
            campaigns.entry(campaign).or_default().see(comment, flagged && !alone_then, in_the_end);
        }
        if let (Some(name), Some(thread)) = (comment.thread(), &end.thread) {
            let alarm_then = then.thread.as_ref().is_some_and(|thread| thread.alarm);
            threads.entry((comment.site.as_ref(), name)).or_default().see(comment, alarm_then, thread.alarm);
        }
        if let Some(at) = comment.created_at {
            let day = at.date_naive();
            let today =
                days.entry(day).or_insert(Day { day, comments: 0, at_arrival: 0, later: 0, cards: 0 });
            today.comments += 1;
            today.at_arrival += usize::from(flagged);
            today.later += usize::from(later);
            today.cards += usize::from(opens_card);
        }
    }
    out.days = days.into_values().collect();
    let shown = whole.campaigns.into_iter().filter_map(|campaign| {
        let tracked = campaigns.get(&campaign.id).filter(|tracked| tracked.is_shown)?;
        Some(Shown { delay: tracked.delay(), campaign })
    });
    out.campaigns = shown.collect();
    let filled = threads.into_iter().filter(|(_, tracked)| tracked.is_shown);
    out.threads = filled
        .map(|((site, thread), tracked)| Filled {
            site: site.cloned(),
            thread: thread.clone(),
            comments: tracked.seen,
            delay: tracked.delay(),
        })
        .collect();
    out.threads.sort_by_key(|thread| std::cmp::Reverse(thread.comments));
    if comments
        .iter()
        .any(|comment| matches!(comment.label, Some(Label::Human | Label::Machine | Label::Spam)))
    {
        fare_came.finish();
        fare_end.finish();
        (out.fare_at_arrival, out.fare_in_the_end) = (Some(fare_came), Some(fare_end));
    }
    out
}

fn is_flagged(assessment: &Assessment) -> bool {
    assessment.verdict != Verdict::Allow
}

/// A campaign or a thread while its comments come.
#[derive(Debug, Default)]
struct Tracked {
    seen: usize,
    first: Option<DateTime<Utc>>,
    /// Comments before the one that showed it, and when that came.
    showed: Option<(usize, Option<DateTime<Utc>>)>,
    /// Whether it is shown in the end.
    is_shown: bool,
}

impl Tracked {
    fn see(&mut self, comment: &Comment, shows_now: bool, is_shown: bool) {
        if self.seen == 0 {
            self.first = comment.created_at;
        }
        if shows_now && self.showed.is_none() {
            self.showed = Some((self.seen, comment.created_at));
        }
        self.is_shown |= is_shown;
        self.seen += 1;
    }

    fn delay(&self) -> Delay {
        let Some((missed, at)) = self.showed else { return Delay::default() };
        let seconds = self.first.zip(at).map(|(first, at)| (at - first).num_seconds());
        Delay { missed_before: Some(missed), seconds }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::config::Config;
    use crate::engine::Model;
    use crate::rules::RuleSet;

    const COPY: &str = "Join thousands of residents who have signed the petition against the new car park before Friday evening at nine.";

    fn run(comments: &[serde_json::Value]) -> Simulation {
        let today = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        let engine = Engine {
            rules: RuleSet::load(None, today).unwrap(),
            model: Model::shipped().unwrap(),
            config: Config::default(),
        };
        let comments: Vec<Comment> =
            comments.iter().map(|comment| serde_json::from_value(comment.clone()).unwrap()).collect();
        simulate(&engine, &comments, &Articles::default())
    }

    fn copy(id: usize, minute: usize) -> serde_json::Value {
        serde_json::json!({"id": id, "text": COPY, "author": format!("a{id}"), "article_id": "a", "lang": "en", "label": "machine",
            "created_at": format!("2026-11-0{}T10:{minute:02}:00Z", 1 + id / 4)})
    }

    #[test]
    fn a_campaign_shows_while_it_comes_and_asks_for_one_decision() {
        // The file is not in the order of time.
        let mut comments: Vec<_> = (0..5).map(|id| copy(id, id)).collect();
        comments.reverse();
        comments.push(
            serde_json::json!({"id": "h", "text": "My bus was late again.", "author": "h", "label": "human"}),
        );
        let it = run(&comments);
        assert_eq!((it.comments, it.at_arrival, it.later, it.released), (6, 4, 1, 0));
        assert_eq!((it.decisions, it.campaign_decisions), (1, 1));
        let [campaign] = &it.campaigns[..] else { panic!("{:?}", it.campaigns) };
        assert_eq!(campaign.delay, Delay { missed_before: Some(1), seconds: Some(60) });
        assert_eq!(campaign.campaign.authors, 5);
        let days: Vec<_> = it.days.iter().map(|d| (d.comments, d.at_arrival, d.later, d.cards)).collect();
        assert_eq!(days, [(4, 3, 1, 1), (1, 1, 0, 0)]);
        let (came, end) = (it.fare_at_arrival.unwrap(), it.fare_in_the_end.unwrap());
        assert_eq!((came.right, came.missed, came.wrong), (4, 1, 0));
        assert_eq!((end.right, end.missed, end.recall), (5, 0, Some(1.0)));
    }

    #[test]
    fn nothing_comes_of_nothing() {
        let it = run(&[]);
        assert_eq!((it.comments, it.decisions, it.days.len(), it.from), (0, 0, 0, None));
        assert!(it.fare_at_arrival.is_none());
    }
}

//! One fixture a signal: a comment that it must speak about, and one about which it must stay silent.

use chrono::NaiveDate;

use super::*;
use crate::domain::{Author, Id};
use crate::text::Context;

fn rules() -> RuleSet {
    RuleSet::load(None, NaiveDate::from_ymd_opt(2026, 11, 24).unwrap())
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn findings(id: &str, text: &str, author: Option<&str>, history: &dyn History) -> Vec<Finding> {
    let article = Reference::new(
        "Council approves harbour tram",
        "The council approved the harbour tram after a long debate. The tram will run every eight minutes from Fisher Quay to the \
         university. Shopkeepers on Anchor Street fear for their business while the road is closed for fourteen months. The tram costs a lot.",
    );
    let comment = Comment {
        id: Id::from("1"),
        text: text.to_owned(),
        author: author.map(|name| Author { name: Some(name.to_owned()), ..Author::default() }),
        ..Comment::default()
    };
    let analysis = Analysis::new(text, &Context { article: Some(&article), ..Context::default() });
    let facts = crate::rules::selftest::facts(&analysis);
    let mut out = Vec::new();
    let subject = Subject {
        comment: &comment,
        analysis: &analysis,
        article: Some(&article),
        rules: &rules(),
        history,
        facts: &facts,
    };
    by_id(id).unwrap().examine(&subject, &mut out);
    for finding in &out {
        assert!(!finding.message.is_empty());
        assert!(finding.spans.iter().all(|span| !span.slice(text).is_empty()), "{finding:?}");
    }
    out
}

/// A history that knows what its fields say.
#[derive(Default)]
struct Known {
    copies: Vec<Copy>,
    thread: ThreadView,
    past: Option<OwnPast>,
}

impl History for Known {
    fn copies(&self) -> &[Copy] {
        &self.copies
    }

    fn thread(&self) -> ThreadView {
        self.thread
    }

    fn own_past(&self) -> Option<OwnPast> {
        self.past
    }
}

#[test]
fn text_signals_speak_and_stay_silent() {
    for (id, speaks, silent) in [
        ("phrases", "The article raises some important questions about this.", "My bus was late again."),
        (
            "style",
            "The council has made a very wise choice today. The city will gain a lot from this new line. The people should now support the plan in full.",
            "No. I will not pay for this thing, whatever the council says and however often they say it to us. Never.",
        ),
        (
            "specificity",
            "I told my brother at Marlow in 1987 that it was wrong.",
            "A balanced view is needed.",
        ),
        (
            "portability",
            "Such wonderful and thoughtful writing, it truly inspires everybody to reflect deeply on life and its meaning.",
            "The tram will ruin Anchor Street and I hope that the council reads what we all write about it here.",
        ),
        (
            "echo",
            "The council approved the harbour tram and the tram will run every eight minutes to the university.",
            "My late aunt would have laughed about all of this nonsense until her teeth fell out on the carpet.",
        ),
        ("evasion", "A bal\u{200b}anced and nu\u{200b}anced view", "A balanced and nuanced view"),
    ] {
        assert!(!findings(id, speaks, None, &NoHistory).is_empty(), "{id} must speak");
        assert_eq!(findings(id, silent, None, &NoHistory), [], "{id} must stay silent");
    }
}

#[test]
fn specificity_speaks_for_a_genuine_reader() {
    assert!(
        findings("specificity", "I was there with my wife.", None, &NoHistory)
            .iter()
            .all(|f| f.strength < 0.0)
    );
}

#[test]
fn author_patterns_are_seen_in_names_only() {
    assert_eq!(findings("author-pattern", "Hello", Some("www.buy.example"), &NoHistory).len(), 1);
    assert_eq!(findings("author-pattern", "Hello", Some("anna87"), &NoHistory), []);
    assert_eq!(findings("author-pattern", "Hello", None, &NoHistory), []);
}

#[test]
fn history_signals_need_a_history() {
    let copy = |jaccard, skeleton, same_author| Copy { id: Id::from("9"), jaccard, skeleton, same_author };
    let near = Known { copies: vec![copy(0.8, 0.9, false)], ..Known::default() };
    let own = Known { copies: vec![copy(0.8, 0.9, true)], ..Known::default() };
    let frame = Known { copies: vec![copy(0.1, 0.8, false)], ..Known::default() };
    let thread =
        Known { thread: ThreadView { others: 8, unusual: 6, similarity: 0.1, burst: 3 }, ..Known::default() };
    let past = Known {
        past: Some(OwnPast { comments: 4, similarity: 0.9, unusual: Some(2.0) }),
        ..Known::default()
    };
    for (id, speaks) in [
        ("near-duplicate", &near),
        ("same-skeleton", &frame),
        ("thread", &thread),
        ("self-similarity", &past),
    ] {
        assert!(!findings(id, "Some text", None, speaks).is_empty(), "{id} must speak");
        assert_eq!(findings(id, "Some text", None, &NoHistory), [], "{id} without a history");
    }
    assert_eq!(
        findings("near-duplicate", "Some text", None, &own),
        [],
        "an author's own copies are not others'"
    );
}

#[test]
fn every_signal_is_documented_weighed_and_named_once() {
    let rules = rules();
    let mut ids: Vec<&str> = SIGNALS.iter().map(|s| s.id()).collect();
    for signal in SIGNALS {
        let text = documentation(*signal);
        for heading in ["# What it does", "# Why", "# Limits"] {
            assert!(text.contains(heading), "{} lacks {heading}", signal.id());
        }
        if signal.id() != "phrases" {
            assert!(
                rules.signal_weight(signal.id()).cap > 0.0,
                "{} has no weight in rules/any/signals.toml",
                signal.id()
            );
        }
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), SIGNALS.len());
}

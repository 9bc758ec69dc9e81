//! The decision rules (science.md 6.1 step 10): p, thread, campaign and disguise -> verdict and reasons.

use super::score::TextScore;
use super::thread::ThreadScore;
use crate::config::Config;
use crate::domain::{Because, Verdict};

/// Where a comment stands beyond its own text.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Standing {
    /// Its thread, if it has one.
    pub thread: Option<ThreadScore>,
    /// Whether it is linked to a near-copy by another author.
    pub copied: bool,
    /// Known different authors of its campaign; unknown ones count as none.
    pub campaign_authors: usize,
    /// Whether its author is trusted: then nothing is proposed.
    pub trusted: bool,
}

/// The verdict and the rules that led to it, most telling first.
pub fn decide(text: &TextScore, standing: &Standing, config: &Config) -> (Verdict, Vec<Because>) {
    let mut because = Vec::new();
    let judged = !text.abstained;
    let long_enough = text.words >= config.text.alone_words;
    let alarm = standing.thread.is_some_and(|t| t.alarm);
    if judged && long_enough && text.p <= config.text.alone_p {
        because.push(Because::Text);
    }
    if judged
        && text.words >= config.text.thread_words
        && text.p <= config.text.corroborated_p
        && (alarm || standing.copied)
    {
        because.push(Because::Corroborated);
    }
    if judged && alarm && text.words >= config.text.thread_words && text.p <= config.thread.member_p {
        because.push(Because::Thread);
    }
    if standing.campaign_authors >= config.campaign.authors {
        because.push(Because::Campaign);
    }
    if text.disguised >= config.text.hidden_words {
        because.push(Because::HiddenCharacters);
    }
    if text.strongest_rule >= config.text.rule_points {
        because.push(Because::Rule);
    }
    let verdict = if because.is_empty() || config.observe_only || standing.trusted {
        Verdict::Allow
    } else {
        Verdict::Review
    };
    (verdict, because)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(p: f64, words: u32) -> TextScore {
        TextScore { points: 0.0, p, abstained: false, strongest_rule: 0.0, words, disguised: 0 }
    }

    #[test]
    fn every_rule_fires_on_its_own_ground() {
        let config = Config::default();
        let alarm = ThreadScore { k: 8, mean: 2.0, p: 1e-6, alarm: true };
        let quiet = ThreadScore { alarm: false, ..alarm };
        let standing = |thread, copied, campaign_authors| Standing {
            thread: Some(thread),
            copied,
            campaign_authors,
            trusted: false,
        };
        for (score, standing, expected) in [
            (text(0.0001, 20), Standing::default(), vec![Because::Text]),
            (text(0.0001, 10), Standing::default(), vec![]),
            (text(0.005, 20), Standing::default(), vec![]),
            (text(0.005, 20), standing(quiet, true, 2), vec![Because::Corroborated]),
            (text(0.005, 20), standing(alarm, false, 0), vec![Because::Corroborated, Because::Thread]),
            (text(0.04, 9), standing(alarm, false, 0), vec![]),
            (text(0.008, 7), standing(alarm, false, 0), vec![]),
            (text(0.9, 20), standing(quiet, true, 3), vec![Because::Campaign]),
            (text(0.9, 20), standing(quiet, true, 2), vec![]),
            (
                TextScore { disguised: 2, ..text(0.9, 9) },
                Standing::default(),
                vec![Because::HiddenCharacters],
            ),
            (
                TextScore { strongest_rule: 5.0, abstained: true, ..text(1.0, 9) },
                Standing::default(),
                vec![Because::Rule],
            ),
            (TextScore { abstained: true, ..text(0.0, 90) }, standing(alarm, false, 0), vec![]),
        ] {
            let (verdict, because) = decide(&score, &standing, &config);
            assert_eq!(because, expected, "{score:?}");
            assert_eq!(verdict == Verdict::Review, !expected.is_empty());
            let observing = Config { observe_only: true, ..config };
            assert_eq!(decide(&score, &standing, &observing).0, Verdict::Allow);
            let trusted = Standing { trusted: true, ..standing };
            assert_eq!(decide(&score, &trusted, &config), (Verdict::Allow, expected));
        }
    }
}

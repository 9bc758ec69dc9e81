//! Every threshold of the decision rules, with its default.
//!
//! Raw and validated are one type here: all values are plain numbers, and [`Config::check`] checks their ranges.

use serde::Deserialize;

/// The configuration of judging.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// Decision rules over the text.
    pub text: TextRules,
    /// The thread alarm.
    pub thread: ThreadRules,
    /// Linking and campaigns.
    pub campaign: CampaignRules,
    /// When nothing is proposed whatever the evidence: every verdict is `allow`, the evidence stays visible.
    pub observe_only: bool,
}

/// Decision rules over the text's tail probability p.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextRules {
    /// `text`: p at or below which the text alone is enough.
    pub alone_p: f64,
    /// The fewest words for that.
    pub alone_words: u32,
    /// `corroborated`: p at or below which the text needs one independent agreement.
    pub corroborated_p: f64,
    /// The fewest words of a comment that counts in its thread's statistic.
    pub thread_words: u32,
    /// `hidden-characters`: so many disguised words.
    pub hidden_words: u32,
    /// p at or below which odd spelling (spaced-out words, digits for letters) is a disguise too: above it, it is emphasis.
    pub odd_spelling_p: f64,
    /// `rule`: a live rule with at least so many points is enough by itself.
    pub rule_points: f64,
}

/// The thread alarm: the mean of -log10 p over the thread's comments against `base + slope / sqrt(min(k, cap))`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThreadRules {
    /// The fewest comments of a thread that can raise an alarm.
    pub fewest: usize,
    /// Level of the alarm for endless threads.
    pub base: f64,
    /// How much higher it is for short ones.
    pub slope: f64,
    /// Comments past this number do not lower the level further.
    pub cap: usize,
    /// `thread`: p at or below which a comment of an alarmed thread is shown.
    pub member_p: f64,
    /// p at or below which a comment counts as unusual beside another one.
    pub unusual_p: f64,
    /// Unusual comments so many seconds apart at the most count as one burst.
    pub burst_seconds: u32,
}

/// Linking near-duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CampaignRules {
    /// Content Jaccard from which two comments are linked.
    pub jaccard: f64,
    /// Containment from which on.
    pub containment: f64,
    /// Skeleton Jaccard from which on.
    pub skeleton: f64,
    /// Content Jaccard from which two texts are linked that are both improbable as genuine.
    pub jaccard_improbable: f64,
    /// What improbable means: both p at or below.
    pub improbable_p: f64,
    /// `campaign`: known authors from which a campaign is shown.
    pub authors: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            text: TextRules {
                alone_p: 0.0003,
                alone_words: 15,
                corroborated_p: 0.01,
                thread_words: 8,
                hidden_words: 2,
                odd_spelling_p: 0.05,
                rule_points: 2.5,
            },
            thread: ThreadRules {
                fewest: 3,
                base: 0.43,
                slope: 2.2,
                cap: 12,
                member_p: 0.01,
                unusual_p: 0.05,
                burst_seconds: 600,
            },
            campaign: CampaignRules {
                jaccard: 0.5,
                containment: 0.85,
                skeleton: 0.72,
                jaccard_improbable: 0.3,
                improbable_p: 0.05,
                authors: 3,
            },
            observe_only: false,
        }
    }
}

macro_rules! default_from_config {
    ($($section:ident: $field:ident),*) => { $(
        impl Default for $section {
            fn default() -> Self {
                Config::default().$field
            }
        }
    )* };
}
default_from_config!(TextRules: text, ThreadRules: thread, CampaignRules: campaign);

impl Config {
    /// Whether every value is within its range.
    ///
    /// # Errors
    /// Names the key that is not.
    pub(super) fn check(&self) -> Result<(), String> {
        let config = self;
        let shares = [
            ("text.alone_p", config.text.alone_p),
            ("text.corroborated_p", config.text.corroborated_p),
            ("text.odd_spelling_p", config.text.odd_spelling_p),
            ("thread.member_p", config.thread.member_p),
            ("thread.unusual_p", config.thread.unusual_p),
            ("campaign.improbable_p", config.campaign.improbable_p),
        ];
        // A similarity of 0 would link everything with everything.
        let similarities = [
            ("campaign.jaccard", config.campaign.jaccard),
            ("campaign.containment", config.campaign.containment),
            ("campaign.skeleton", config.campaign.skeleton),
            ("campaign.jaccard_improbable", config.campaign.jaccard_improbable),
        ];
        let amounts = [
            ("text.rule_points", config.text.rule_points, 0.1, 10.0),
            ("thread.base", config.thread.base, 0.0, 10.0),
            ("thread.slope", config.thread.slope, 0.0, 20.0),
        ];
        let ranges = shares
            .into_iter()
            .map(|(name, value)| (name, value, 0.0, 1.0))
            .chain(similarities.into_iter().map(|(name, value)| (name, value, 0.1, 1.0)))
            .chain(amounts);
        for (name, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return Err(format!("{name} = {value} is outside {low} to {high}"));
            }
        }
        let counts = [
            ("text.alone_words", config.text.alone_words as usize, 1),
            ("text.thread_words", config.text.thread_words as usize, 1),
            ("text.hidden_words", config.text.hidden_words as usize, 1),
            ("thread.fewest", config.thread.fewest, 2),
            ("thread.cap", config.thread.cap, 1),
            ("campaign.authors", config.campaign.authors, 2),
        ];
        for (name, value, low) in counts {
            if value < low {
                return Err(format!("{name} = {value} is too small: at least {low}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    #[test]
    fn missing_keys_keep_their_defaults_and_wrong_ones_are_named() {
        let config = Settings::parse("[text]\nalone_p = 0.001\n").unwrap().judging;
        assert_eq!(config.text.alone_p, 0.001);
        assert_eq!(config.text.alone_words, 15);
        assert!(Settings::parse("[text]\nalone = 1").unwrap_err().contains("alone"));
        for (toml, name) in [
            ("[text]\nalone_p = 3.0", "text.alone_p"),
            ("[text]\nhidden_words = 0", "text.hidden_words"),
            ("[text]\nrule_points = -1.0", "text.rule_points"),
            ("[thread]\nslope = nan", "thread.slope"),
            ("[campaign]\nskeleton = 0.0", "campaign.skeleton"),
            ("[campaign]\nauthors = 1", "campaign.authors"),
        ] {
            let error = Settings::parse(toml).unwrap_err();
            assert!(error.contains(name), "{toml}: {error}");
        }
    }
}

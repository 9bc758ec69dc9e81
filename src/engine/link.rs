//! Which likeness links two comments: the sure thresholds, or the wider ones where both texts are improbable as genuine.

use crate::config::CampaignRules;
use crate::similarity::index::Thresholds;
use crate::similarity::minhash::Likeness;

/// The rules of linking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linking {
    wide: Thresholds,
    sure: Thresholds,
    improbable_p: f64,
}

impl Linking {
    /// From the configuration.
    pub fn new(rules: &CampaignRules) -> Self {
        let wide = Thresholds {
            jaccard: rules.jaccard.min(rules.jaccard_improbable),
            containment: rules.containment,
            skeleton: rules.skeleton,
        };
        Self { wide, sure: Thresholds { jaccard: rules.jaccard, ..wide }, improbable_p: rules.improbable_p }
    }

    /// What the index is asked with: everything that may link.
    pub fn wide(&self) -> &Thresholds {
        &self.wide
    }

    /// Whether the likeness links two comments with these p (`None` where a text was not judged).
    pub fn admits(&self, likeness: &Likeness, a: Option<f64>, b: Option<f64>) -> bool {
        let improbable = |p: Option<f64>| p.is_some_and(|p| p <= self.improbable_p);
        self.sure.admit(likeness) || (improbable(a) && improbable(b) && self.wide.admit(likeness))
    }
}

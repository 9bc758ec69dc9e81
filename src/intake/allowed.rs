//! Legitimate campaigns, petitions and letter drives: comments like one of their signatures are no campaign's.

use arc_swap::ArcSwap;
use chrono::Utc;

use crate::config::Config;
use crate::engine::Linking;
use crate::similarity::Sketch;
use crate::store::records::AllowedCampaign;
use crate::text::{CANON_VERSION, stable_hash};

/// The signatures that are allowed now.
#[derive(Debug, Default)]
pub struct Allowed(ArcSwap<Vec<(String, Sketch, i64)>>);

impl Allowed {
    /// Takes what the store says. A signature of another canonical form compares with nothing and is left out.
    pub fn set(&self, allowed: &[AllowedCampaign]) {
        let known = allowed.iter().filter(|one| one.canon_version == CANON_VERSION);
        let signatures = known
            .filter_map(|one| Some((one.site.clone(), Sketch::from_bytes(&one.sketch)?, one.expires_at)))
            .collect();
        self.0.store(std::sync::Arc::new(signatures));
    }

    /// What is allowed at a time, for good: for work whose outcome must not depend on how long it takes.
    pub fn at(now: i64, allowed: &[AllowedCampaign]) -> Self {
        let mut valid: Vec<AllowedCampaign> =
            allowed.iter().filter(|one| now < one.expires_at).cloned().collect();
        for one in &mut valid {
            one.expires_at = i64::MAX;
        }
        let all = Self::default();
        all.set(&valid);
        all
    }

    /// Names what is allowed.
    pub fn digest(&self) -> u64 {
        let mut bytes = Vec::new();
        for (site, sketch, _) in self.0.load().iter() {
            bytes.extend(site.as_bytes());
            bytes.extend(sketch.to_bytes());
        }
        stable_hash(&bytes)
    }

    /// Whether a comment of the site belongs to an allowed campaign.
    pub fn covers(&self, site: &str, sketch: &Sketch, config: &Config) -> bool {
        let allowed = self.0.load();
        if allowed.is_empty() {
            return false;
        }
        let (linking, now) = (Linking::new(&config.campaign), Utc::now().timestamp_millis());
        allowed.iter().any(|(of_site, signature, expires_at)| {
            of_site == site && now < *expires_at && linking.admits(&signature.compare(sketch), None, None)
        })
    }
}

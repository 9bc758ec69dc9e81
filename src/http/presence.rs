//! Who is on the desk: people whose pages listen to the events, by the number of their open pages. Kept in memory: after a restart everybody comes back
//! by himself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::store::records::Sites;

/// People on the desk.
#[derive(Clone)]
pub struct Presence {
    people: Arc<Mutex<BTreeMap<String, (usize, Sites)>>>,
    changes: Arc<watch::Sender<u64>>,
}

impl Default for Presence {
    fn default() -> Self {
        Self { people: Arc::default(), changes: Arc::new(watch::Sender::new(0)) }
    }
}

/// Somebody's open page; gone when dropped.
pub struct Here {
    presence: Presence,
    name: String,
}

impl Presence {
    /// Notes that somebody is here.
    pub fn enter(&self, name: &str, sites: Sites) -> Here {
        self.lock().entry(name.to_owned()).or_insert((0, sites)).0 += 1;
        self.changes.send_modify(|count| *count += 1);
        Here { presence: self.clone(), name: name.to_owned() }
    }

    /// Everybody who is here and sees one of these sites too, by name.
    pub fn names(&self, sites: &Sites) -> Vec<String> {
        let meets = |other: &Sites| match (sites, other) {
            (Sites::All, _) | (_, Sites::All) => true,
            (Sites::Only(sites), other) => sites.iter().any(|site| other.contains(site)),
        };
        self.lock().iter().filter(|(_, (_, other))| meets(other)).map(|(name, _)| name.clone()).collect()
    }

    /// Changes whenever somebody comes or goes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (usize, Sites)>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let mut people = self.presence.lock();
        match people.get_mut(&self.name) {
            Some((pages, _)) if *pages > 1 => *pages -= 1,
            _ => drop(people.remove(&self.name)),
        }
        drop(people);
        self.presence.changes.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_with_two_pages_leaves_with_the_second() {
        let presence = Presence::default();
        let changes = presence.changes();
        let (one, two) = (presence.enter("anna", Sites::All), presence.enter("anna", Sites::All));
        let other = presence.enter("ben", Sites::one("gazette"));
        assert_eq!(presence.names(&Sites::All), ["anna", "ben"]);
        assert_eq!(presence.names(&Sites::one("courier")), ["anna"], "ben works for another paper");
        drop(one);
        drop(other);
        assert_eq!(presence.names(&Sites::All), ["anna"]);
        drop(two);
        assert!(presence.names(&Sites::All).is_empty());
        assert!(changes.has_changed().unwrap());
    }
}

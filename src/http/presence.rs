//! Who is on the desk: people whose pages listen to the events, by the number of their open pages. Kept in memory: after a restart everybody comes back
//! by himself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// People on the desk.
#[derive(Clone)]
pub struct Presence {
    people: Arc<Mutex<BTreeMap<String, usize>>>,
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
    pub fn enter(&self, name: &str) -> Here {
        *self.lock().entry(name.to_owned()).or_default() += 1;
        self.changes.send_modify(|count| *count += 1);
        Here { presence: self.clone(), name: name.to_owned() }
    }

    /// Everybody who is here, by name.
    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Changes whenever somebody comes or goes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, usize>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let mut people = self.presence.lock();
        match people.get_mut(&self.name) {
            Some(pages) if *pages > 1 => *pages -= 1,
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
        let (one, two) = (presence.enter("anna"), presence.enter("anna"));
        let other = presence.enter("ben");
        assert_eq!(presence.names(), ["anna", "ben"]);
        drop(one);
        drop(other);
        assert_eq!(presence.names(), ["anna"]);
        drop(two);
        assert!(presence.names().is_empty());
        assert!(changes.has_changed().unwrap());
    }
}

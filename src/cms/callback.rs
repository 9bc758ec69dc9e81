//! Callbacks: decisions find their way back to the CMS.
//!
//! A worker thread takes what is due from the outbox, signs it after Standard Webhooks 1.0 and posts it. The message's id is the same on
//! every try. Success is 2xx only; 410 switches the callback off; everything else is tried again with growing pauses and
//! `Retry-After` honoured, for some three days, then listed as dead. Redirects are not followed, and an address in a private
//! range is refused unless the callback allows it: the name is resolved first, and the connection goes to what was checked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::Uri;

use crate::store::records::{Callback, Delivery, Due};
use crate::store::{Store, StoreError};
use crate::wire::outbound::{agent, is_private};
use crate::wire::signature;

/// The kind of callback that speaks to the Akismet plugin of a WordPress.
pub const AKISMET: &str = "akismet";
/// Pauses before the second and later tries, in seconds (Standard Webhooks' own schedule).
const PAUSES: [i64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the worker looks for what is due.
const REST: Duration = Duration::from_millis(200);
/// Messages of one receiver at a time.
const BATCH: usize = 50;

/// Starts the worker on a thread of its own; it lives as long as the process. Every receiver with something due gets a thread for it: a slow
/// one holds up nobody else.
///
/// # Errors
/// When the thread cannot be made.
pub fn start(store: Store) -> std::io::Result<()> {
    std::thread::Builder::new().name("callbacks".to_owned()).spawn(move || {
        let busy: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        loop {
            // Asked before the store: what a thread finishes meanwhile is not sent again.
            let at_work = lock(&busy).clone();
            let due = runtime.block_on(due(&store)).unwrap_or_else(|error| {
                tracing::error!(%error, "the outbox cannot be read");
                BTreeMap::new()
            });
            for (receiver, messages) in due {
                if at_work.contains(&receiver) || !lock(&busy).insert(receiver.clone()) {
                    continue;
                }
                let (store, of_all) = (store.clone(), Arc::clone(&busy));
                let sending = receiver.clone();
                let thread = std::thread::Builder::new().name("callback".to_owned()).spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    if let Ok(runtime) = runtime
                        && let Err(error) = runtime.block_on(send_all(&store, &messages))
                    {
                        tracing::error!(%error, "the outbox cannot be written");
                    }
                    lock(&of_all).remove(&sending);
                });
                if thread.is_err() {
                    lock(&busy).remove(&receiver);
                }
            }
            std::thread::sleep(REST);
        }
    })?;
    Ok(())
}

fn lock(busy: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    busy.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is due, by receiver.
async fn due(store: &Store) -> Result<BTreeMap<String, Vec<Due>>, StoreError> {
    let mut by_receiver: BTreeMap<String, Vec<Due>> = BTreeMap::new();
    for message in store.due_callbacks(BATCH).await? {
        by_receiver.entry(message.callback.id.clone()).or_default().push(message);
    }
    Ok(by_receiver)
}

/// Sends what is due, one receiver after the other; the number of messages tried.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn send_due(store: &Store) -> Result<usize, StoreError> {
    let mut tried = 0;
    for messages in due(store).await?.values() {
        tried += send_all(store, messages).await?;
    }
    Ok(tried)
}

/// Sends the messages of one receiver, until it does not answer or has too much: the rest would wait as long for the same. One that it refuses
/// holds up no other. The number of messages tried.
async fn send_all(store: &Store, messages: &[Due]) -> Result<usize, StoreError> {
    for (at, message) in messages.iter().enumerate() {
        let started = Instant::now();
        let delivery = send(message, chrono::Utc::now().timestamp_millis());
        let (failed, refused) =
            (!matches!(delivery, Delivery::Done), matches!(delivery, Delivery::Refused(..)));
        if failed {
            tracing::warn!(id = message.id, outcome = ?delivery, "callback");
        }
        store.finish_delivery(message.id.clone(), delivery, started.elapsed().as_millis() as i64).await?;
        if failed && !refused {
            return Ok(at + 1);
        }
    }
    Ok(messages.len())
}

/// Sends one message.
fn send(message: &Due, now: i64) -> Delivery {
    let seconds = now / 1000;
    let agent = agent(PATIENCE, message.callback.allow_private);
    let request = agent
        .post(&message.callback.url)
        .header("content-type", "application/json")
        .header("user-agent", concat!("claque/", env!("CARGO_PKG_VERSION")));
    let request = if message.callback.kind == AKISMET {
        // The plugin must not echo the change as feedback.
        request.header("x-akismet-webhook", "1")
    } else {
        let Some(signature) =
            signature::standard(&message.callback.secret, &message.id, seconds, message.body.as_bytes())
        else {
            return Delivery::Dead("the callback's secret is no whsec_ secret".to_owned());
        };
        request
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature)
    };
    match request.send(message.body.as_bytes()) {
        Ok(answer) if answer.status().is_success() => Delivery::Done,
        Ok(answer) if answer.status().as_u16() == 410 => Delivery::Gone,
        Ok(answer) => {
            let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let wait = wait.and_then(|value| retry_after(value, now));
            let status = answer.status().as_u16();
            let why = format!("the receiver answered {status}");
            match again(message.attempts, now, wait, why) {
                Delivery::Again(due, why) if (400..500).contains(&status) && !matches!(status, 408 | 429) => {
                    Delivery::Refused(due, why)
                }
                delivery => delivery,
            }
        }
        Err(error) => again(message.attempts, now, None, error.to_string()),
    }
}

/// Seconds to wait, from a number of them or an HTTP date.
fn retry_after(value: &str, now: i64) -> Option<i64> {
    let at = || chrono::DateTime::parse_from_rfc2822(value).ok().map(|at| at.timestamp() - now / 1000);
    value.trim().parse().ok().or_else(at)
}

/// When to try again, or to give up.
fn again(attempts: i64, now: i64, retry_after: Option<i64>, why: String) -> Delivery {
    let Some(pause) = usize::try_from(attempts).ok().and_then(|at| PAUSES.get(at)) else {
        return Delivery::Dead(format!("given up after {} tries: {why}", attempts + 1));
    };
    let mut random = [0u8; 2];
    // Jitter is a courtesy: without randomness all come at once.
    let _ = getrandom::fill(&mut random);
    let jitter = i64::from(u16::from_le_bytes(random)) * pause / 10 / i64::from(u16::MAX);
    let wait = retry_after.unwrap_or(0).clamp(0, 24 * 3600).max(pause + jitter);
    Delivery::Again(now + wait * 1000, why)
}

/// Whether an address can be a callback's.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_url(callback: &Callback) -> Result<(), String> {
    let uri: Uri =
        callback.url.parse().map_err(|error| format!("`{}` is no address: {error}", callback.url))?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if !(scheme == "https" || (scheme == "http" && callback.allow_private)) || uri.host().is_none() {
        return Err(format!("`{}` must begin with https:// (http:// with --allow-private)", callback.url));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(
            "an address with a name and password in it would be kept and shown: leave them out".to_owned()
        );
    }
    let literal = uri.host().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
    if !callback.allow_private && literal.is_some_and(|ip| is_private(&SocketAddr::new(ip, 443))) {
        return Err(format!("`{}` is a private address: add --allow-private if it is meant", callback.url));
    }
    if callback.kind == AKISMET {
        return Ok(());
    }
    if signature::standard_key(&callback.secret).is_none() {
        return Err("the secret must be `whsec_` and at least 16 bytes in base64".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_with_growing_pauses_and_end() {
        let due = |attempts, after| match again(attempts, 0, after, "x".to_owned()) {
            Delivery::Again(at, _) => at / 1000,
            _ => -1,
        };
        assert!((5..=6).contains(&due(0, None)));
        assert!((300..=330).contains(&due(1, None)));
        assert_eq!(due(0, Some(3600)), 3600);
        assert_eq!(due(9, None), -1);
    }
}

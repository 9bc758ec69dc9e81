//! Callbacks: decisions find their way back to the CMS.
//!
//! A worker thread takes what is due from the outbox, signs it after Standard Webhooks 1.0 and posts it. The message's id is the same on
//! every try. Success is 2xx only; 410 switches the callback off; everything else is tried again with growing pauses and
//! `Retry-After` honoured, for some three days, then listed as dead. Redirects are not followed, and an address in a private
//! range is refused unless the callback allows it: the name is resolved first, and the connection goes to what was checked.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ureq::http::Uri;

use crate::store::records::{Callback, Delivery, Due};
use crate::store::{Store, StoreError};
use crate::wire::outbound::agent;
use crate::wire::signature;

/// The kind of callback that speaks to the Akismet plugin of a WordPress.
pub const AKISMET: &str = "akismet";
/// Pauses before the second and later tries, in seconds (Standard Webhooks' own schedule).
const PAUSES: [i64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the worker rests when nothing is due.
const REST: Duration = Duration::from_millis(500);
/// Messages fetched at a time.
const BATCH: usize = 50;

/// Starts the worker on a thread of its own; it lives as long as the process.
///
/// # Errors
/// When the thread cannot be made.
pub fn start(store: Store) -> std::io::Result<()> {
    std::thread::Builder::new().name("callbacks".to_owned()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        loop {
            match runtime.block_on(send_due(&store)) {
                Ok(0) => std::thread::sleep(REST),
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read");
                    std::thread::sleep(REST);
                }
            }
        }
    })?;
    Ok(())
}

/// Sends what is due; the number of messages tried.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn send_due(store: &Store) -> Result<usize, StoreError> {
    let mut by_receiver: BTreeMap<String, Vec<Due>> = BTreeMap::new();
    for message in store.due_callbacks(BATCH).await? {
        by_receiver.entry(message.callback.id.clone()).or_default().push(message);
    }
    // Every receiver has a thread of its own: a slow one holds up nobody else's messages of this batch.
    let sent: Vec<(String, Delivery, i64)> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            by_receiver.values().map(|messages| scope.spawn(|| send_all(messages))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    let count = sent.len();
    for (id, delivery, millis) in sent {
        if !matches!(delivery, Delivery::Done) {
            tracing::warn!(id, outcome = ?delivery, "callback");
        }
        store.finish_delivery(id, delivery, millis).await?;
    }
    Ok(count)
}

/// Sends the messages of one receiver, until one fails: the rest would wait as long for the same.
fn send_all(messages: &[Due]) -> Vec<(String, Delivery, i64)> {
    let mut sent = Vec::new();
    for message in messages {
        let started = Instant::now();
        let delivery = send(message, chrono::Utc::now().timestamp_millis());
        let failed = !matches!(delivery, Delivery::Done);
        sent.push((message.id.clone(), delivery, started.elapsed().as_millis() as i64));
        if failed {
            break;
        }
    }
    sent
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
            again(message.attempts, now, wait, format!("the receiver answered {}", answer.status().as_u16()))
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

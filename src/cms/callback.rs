//! Callbacks: decisions find their way back to the CMS.
//!
//! A worker thread takes what is due from the outbox, signs it after Standard Webhooks 1.0 and posts it. The message's id is the same on
//! every try. Success is 2xx only; 410 switches the callback off; everything else is tried again with growing pauses and
//! `Retry-After` honoured, for some three days, then listed as dead. Redirects are not followed, and an address in a private
//! range is refused unless the callback allows it: the name is resolved first, and the connection goes to what was checked.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::signature;
use crate::store::records::{Callback, Delivery, Due};
use crate::store::{Store, StoreError};

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
    let sent: Vec<(String, Delivery)> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            by_receiver.values().map(|messages| scope.spawn(|| send_all(messages))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    let count = sent.len();
    for (id, delivery) in sent {
        if !matches!(delivery, Delivery::Done) {
            tracing::warn!(id, outcome = ?delivery, "callback");
        }
        store.finish_delivery(id, delivery).await?;
    }
    Ok(count)
}

/// Sends the messages of one receiver, until one fails: the rest would wait as long for the same.
fn send_all(messages: &[Due]) -> Vec<(String, Delivery)> {
    let mut sent = Vec::new();
    for message in messages {
        let delivery = send(message, chrono::Utc::now().timestamp_millis());
        let failed = !matches!(delivery, Delivery::Done);
        sent.push((message.id.clone(), delivery));
        if failed {
            break;
        }
    }
    sent
}

/// Sends one message.
fn send(message: &Due, now: i64) -> Delivery {
    let seconds = now / 1000;
    let Some(signature) =
        signature::standard(&message.callback.secret, &message.id, seconds, message.body.as_bytes())
    else {
        return Delivery::Dead("the callback's secret is no whsec_ secret".to_owned());
    };
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .build();
    let resolver = Guard { allow_private: message.callback.allow_private };
    let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
    let answer = agent
        .post(&message.callback.url)
        .header("content-type", "application/json")
        .header("user-agent", concat!("claque/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signature)
        .send(message.body.as_bytes());
    match answer {
        Ok(answer) if answer.status().is_success() => Delivery::Done,
        Ok(answer) if answer.status().as_u16() == 410 => Delivery::Gone,
        Ok(answer) => {
            let wait =
                answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            again(message.attempts, now, wait, format!("the receiver answered {}", answer.status().as_u16()))
        }
        Err(error) => again(message.attempts, now, None, error.to_string()),
    }
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

/// Resolves names and refuses private addresses.
#[derive(Debug)]
struct Guard {
    allow_private: bool,
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &ureq::config::Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let mut found = self.empty();
        let refused = |what: String| ureq::Error::Io(std::io::Error::other(what));
        for address in (host, port).to_socket_addrs().map_err(ureq::Error::Io)?.take(16) {
            if !self.allow_private && is_private(&address) {
                return Err(refused(format!(
                    "{host} is {}: a private address; add the callback with --allow-private if it is meant",
                    address.ip()
                )));
            }
            found.push(address);
        }
        if found.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(found) }
    }
}

/// Addresses that a callback from outside must not reach: this machine, its network, its cloud's metadata.
fn is_private(address: &SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => {
            if let Some(ip) = ip.to_ipv4_mapped() {
                return is_private_v4(ip);
            }
            let first = ip.segments().first().copied().unwrap_or(0);
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                // 6to4 and NAT64 carry an IPv4 address inside.
                || first == 0x2002
                || (first == 0x64 && ip.segments().get(1) == Some(&0xff9b))
        }
    }
}

fn is_private_v4(ip: std::net::Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
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
    if signature::standard_key(&callback.secret).is_none() {
        return Err("the secret must be `whsec_` and at least 16 bytes in base64".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::",
            "224.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(is_private(&SocketAddr::new(address.parse().unwrap(), 80)), "{address}");
        }
        for address in ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "172.32.0.1"] {
            assert!(!is_private(&SocketAddr::new(address.parse().unwrap(), 80)), "{address}");
        }
    }

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

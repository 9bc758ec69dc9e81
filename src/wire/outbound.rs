//! HTTP out, on behalf of others: an address in a private range is refused unless it is said to be meant; the name is resolved first, and
//! the connection goes to what was checked. No redirects, no proxy, a time limit.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// An agent that waits so long at the most.
pub fn agent(patience: Duration, allow_private: bool) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(patience))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .build();
    ureq::Agent::with_parts(config, DefaultConnector::default(), Guard { allow_private })
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
                    "{host} is {}: a private address; say so where it is configured (allow_private) if it is meant",
                    address.ip()
                )));
            }
            found.push(address);
        }
        if found.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(found) }
    }
}

/// Addresses that a connection on behalf of others must not reach: this machine, its network, its cloud's metadata.
pub fn is_private(address: &SocketAddr) -> bool {
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
}

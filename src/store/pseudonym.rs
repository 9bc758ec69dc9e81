//! Keyed hashes that stand for personal data: equal values stay equal, so that they can be compared and erased, and nobody without
//! the installation's secret can try values out. HMAC-SHA256, cut to 16 bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Stands before the hash of an address.
const MARK: &str = "hmac:";

/// The keyed hash of a value, hexadecimal.
pub fn keyed(value: &str, secret: &[u8; 32]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(value.as_bytes());
    hex::encode(mac.finalize().into_bytes().get(..16).unwrap_or_default())
}

/// The keyed hash that stands for an e-mail or IP address, however it is written.
pub fn pseudonym(value: &str, secret: &[u8; 32]) -> String {
    format!("{MARK}{}", keyed(&value.trim().to_lowercase(), secret))
}

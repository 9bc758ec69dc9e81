//! Keys: made at random, known by their hash.

use sha2::{Digest, Sha256};

/// What a key looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `clq_` and 32 characters, for `Authorization: Bearer`.
    Api,
    /// Exactly 12 hexadecimal digits: Akismet's plugin refuses any other length, and its settings page strips every other character.
    Akismet,
}

const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A new random key and its hash.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_key(kind: KeyKind) -> Result<(String, [u8; 32]), String> {
    let (prefix, length) = match kind {
        KeyKind::Api => ("clq_", 32),
        KeyKind::Akismet => ("", 12),
    };
    let mut bytes = vec![0u8; length];
    getrandom::fill(&mut bytes).map_err(|error| format!("no randomness: {error}"))?;
    // 32 or 16 letters: every byte's lower bits are one, none likelier than another.
    let (alphabet, mask): (&[u8], u8) = match kind {
        KeyKind::Api => (ALPHABET, 31),
        KeyKind::Akismet => (b"0123456789abcdef", 15),
    };
    let letters = bytes.iter().filter_map(|byte| alphabet.get(usize::from(byte & mask)));
    let key: String = prefix.chars().chain(letters.map(|letter| char::from(*letter))).collect();
    let hash = hash_key(&key);
    Ok((key, hash))
}

/// A new random token for a session, and its hash.
///
/// # Errors
/// When the system has no randomness to give.
pub fn new_token() -> Result<(String, [u8; 32]), String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| format!("no randomness: {error}"))?;
    let token = hex::encode(bytes);
    let hash = hash_key(&token);
    Ok((token, hash))
}

/// The hash that a key is known by.
pub fn hash_key(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_shape_and_differ() {
        let (api, hash) = new_key(KeyKind::Api).unwrap();
        assert!(api.starts_with("clq_") && api.len() == 36);
        assert_eq!(hash, hash_key(&api));
        let (akismet, _) = new_key(KeyKind::Akismet).unwrap();
        assert!(akismet.len() == 12 && akismet.chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(akismet, new_key(KeyKind::Akismet).unwrap().0);
    }
}

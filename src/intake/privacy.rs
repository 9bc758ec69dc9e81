//! Personal data on its way in: an e-mail address and an IP address are kept as keyed hashes only.
//!
//! HMAC-SHA256 with the installation's secret, cut to 16 bytes: equal addresses stay equal, so that they can be compared and
//! erased, and nobody without the secret can try addresses out.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::Comment;

/// Stands before a hashed value.
const MARK: &str = "hmac:";

/// Replaces the author's e-mail and IP address by their hashes.
pub(super) fn hash_contacts(comment: &mut Comment, secret: &[u8; 32]) {
    let Some(author) = &mut comment.author else { return };
    for value in [&mut author.email, &mut author.ip].into_iter().flatten() {
        *value = pseudonym(value, secret);
    }
}

/// The keyed hash that stands for an address.
pub fn pseudonym(value: &str, secret: &[u8; 32]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(value.trim().to_lowercase().as_bytes());
    let tag = mac.finalize().into_bytes();
    format!("{MARK}{}", hex::encode(tag.get(..16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Author;

    #[test]
    fn addresses_become_equal_hashes_under_one_secret() {
        let mut comment = Comment {
            author: Some(Author {
                email: Some(" Ann@Example.com".into()),
                ip: Some("10.0.0.1".into()),
                ..Author::default()
            }),
            ..Comment::default()
        };
        hash_contacts(&mut comment, &[7; 32]);
        let once = comment.clone();
        assert_eq!(
            once.author.as_ref().unwrap().email.as_deref(),
            Some(pseudonym("ann@example.com", &[7; 32]).as_str())
        );
        assert_ne!(once.author.as_ref().unwrap().email, once.author.as_ref().unwrap().ip);
        let mut forged = Comment {
            author: Some(Author { email: Some("hmac:bob@example.com".into()), ..Author::default() }),
            ..Comment::default()
        };
        hash_contacts(&mut forged, &[7; 32]);
        assert!(!forged.author.unwrap().email.unwrap().contains("bob"));
        assert_ne!(pseudonym("ann@example.com", &[7; 32]), pseudonym("ann@example.com", &[8; 32]));
    }
}

//! Personal data on its way in: an e-mail address and an IP address are kept as keyed hashes, unless the configuration says otherwise.

use crate::config::Contacts;
use crate::domain::Comment;
use crate::store::pseudonym;

/// Does with the author's e-mail and IP address as configured.
pub(super) fn protect(comment: &mut Comment, contacts: Contacts, secret: &[u8; 32]) {
    let Some(author) = &mut comment.author else { return };
    for value in [&mut author.email, &mut author.ip] {
        match contacts {
            Contacts::Keep => {}
            Contacts::Drop => *value = None,
            Contacts::Hash => *value = value.as_deref().map(|value| pseudonym(value, secret)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Author;

    fn protected(email: &str, contacts: Contacts, secret: u8) -> Option<String> {
        let author = Author { email: Some(email.into()), ip: Some("10.0.0.1".into()), ..Author::default() };
        let mut comment = Comment { author: Some(author), ..Comment::default() };
        protect(&mut comment, contacts, &[secret; 32]);
        let author = comment.author.unwrap();
        assert!(contacts == Contacts::Drop || author.email != author.ip);
        author.email
    }

    #[test]
    fn addresses_become_equal_hashes_under_one_secret() {
        let hash = |email| protected(email, Contacts::Hash, 7);
        assert_eq!(hash(" Ann@Example.com"), Some(pseudonym("ann@example.com", &[7; 32])));
        assert!(!hash("hmac:bob@example.com").unwrap().contains("bob"));
        assert_ne!(hash("ann@example.com"), protected("ann@example.com", Contacts::Hash, 8));
        assert_eq!(protected("ann@example.com", Contacts::Keep, 7).as_deref(), Some("ann@example.com"));
        assert_eq!(protected("ann@example.com", Contacts::Drop, 7), None);
    }
}

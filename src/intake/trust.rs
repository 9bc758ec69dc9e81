//! Who is above suspicion: by role in the CMS, by number of approved comments, or because a moderator says so.

use crate::config::Trust as Rules;
use crate::domain::Comment;
use crate::store::records::Trust;

/// Whether a comment's author is trusted.
pub(super) fn is_trusted(rules: &Rules, comment: &Comment, name: Trust) -> bool {
    let by_role = comment.author.as_ref().and_then(|author| author.role.as_deref()).is_some_and(|roles| {
        roles.split(',').any(|role| rules.roles.iter().any(|known| known.eq_ignore_ascii_case(role.trim())))
    });
    let by_number = rules.approved_comments > 0 && name.approved >= rules.approved_comments;
    by_role || by_number || name.listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Author;

    #[test]
    fn trust_comes_by_role_by_number_or_by_hand() {
        let with_role = |role: &str| Comment {
            author: Some(Author { role: Some(role.to_owned()), ..Author::default() }),
            ..Comment::default()
        };
        let rules = Rules { approved_comments: 20, ..Rules::default() };
        let unknown = Trust::default();
        assert!(is_trusted(&rules, &with_role("subscriber, Editor"), unknown));
        assert!(!is_trusted(&rules, &with_role("subscriber"), unknown));
        assert!(is_trusted(&rules, &Comment::default(), Trust { approved: 20, ..unknown }));
        assert!(!is_trusted(&Rules::default(), &Comment::default(), Trust { approved: 999, ..unknown }));
        assert!(is_trusted(&rules, &Comment::default(), Trust { listed: true, ..unknown }));
    }
}

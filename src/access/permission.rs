//! Who may do what: one table for people's roles and programs' keys.

use super::Role;
use crate::store::records::Scope;

/// Something that needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Send comments and articles; read, delete and report on comments.
    Score,
    /// See the queue, campaigns, authors, statistics, events.
    Look,
    /// Claim, decide, undo one's own decisions, write notes, keep views.
    Decide,
    /// Decide what was escalated, undo others' decisions, trust authors, allow campaigns.
    Lead,
    /// See deliveries and the audit log, replay callbacks, erase authors.
    Admin,
}

impl Role {
    /// Whether a person of this role may. Each role may what the ones before it may.
    pub fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Score => false,
            Permission::Look => true,
            Permission::Decide => self >= Self::Moderator,
            Permission::Lead => self >= Self::Lead,
            Permission::Admin => self >= Self::Admin,
        }
    }
}

impl Scope {
    /// Whether a key of this scope may. A program that reviews does so for the newsroom: it leads, and is no administrator.
    pub fn may(self, permission: Permission) -> bool {
        match self {
            Self::Score => permission == Permission::Score,
            Self::Review => matches!(permission, Permission::Look | Permission::Decide | Permission::Lead),
            Self::Akismet | Self::Perspective => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_permissions() {
        use Permission::{Admin, Decide, Lead, Look, Score};
        let all = [Score, Look, Decide, Lead, Admin];
        for (role, may) in [
            (Role::Viewer, [false, true, false, false, false]),
            (Role::Moderator, [false, true, true, false, false]),
            (Role::Lead, [false, true, true, true, false]),
            (Role::Admin, [false, true, true, true, true]),
        ] {
            assert_eq!(all.map(|permission| role.may(permission)), may, "{role:?}");
        }
        for (scope, may) in [
            (Scope::Score, [true, false, false, false, false]),
            (Scope::Review, [false, true, true, true, false]),
            (Scope::Akismet, [false; 5]),
            (Scope::Perspective, [false; 5]),
        ] {
            assert_eq!(all.map(|permission| scope.may(permission)), may, "{scope:?}");
        }
    }
}

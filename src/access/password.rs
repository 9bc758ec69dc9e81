//! Passwords: Argon2id with 19 MiB, two passes, one lane (OWASP's first recommendation); slow on purpose, so never on an asynchronous thread.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

/// What a person may do; each role may what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Decides.
    Moderator,
    /// Decides what was escalated, allow-lists campaigns.
    Lead,
    /// Sets up.
    Admin,
}

impl Role {
    /// The role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Moderator => "moderator",
            Self::Lead => "lead",
            Self::Admin => "admin",
        }
    }
}

/// Why a password is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short to be worth hashing.
    #[error("the password has {0} characters; at least {FEWEST} are needed")]
    TooShort(usize),
    /// Hashing failed.
    #[error("the password cannot be hashed: {0}")]
    Hashing(String),
}

/// The fewest characters of a password.
const FEWEST: usize = 10;

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap_or_default())
}

/// Hashes a password with a random salt.
///
/// # Errors
/// See [`PasswordError`].
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    let length = password.chars().count();
    if length < FEWEST {
        return Err(PasswordError::TooShort(length));
    }
    let hash = argon2().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hashing(error.to_string()))
}

/// Whether a password is the one behind a hash.
pub fn check_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_only() {
        let hash = hash_password("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(check_password("correct horse battery", &hash));
        assert!(!check_password("correct horse batterx", &hash));
        assert!(!check_password("correct horse battery", "nonsense"));
        assert_eq!(hash_password("short"), Err(PasswordError::TooShort(5)));
    }
}

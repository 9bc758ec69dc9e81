//! Who may do what: keys of programs, passwords of people. No HTTP here.
//!
//! A key is shown once and kept as a hash; it has 32 random characters, so a plain SHA-256 is enough (there is nothing to
//! guess). A password is kept as Argon2id.

mod key;
mod password;

pub use key::{KeyKind, hash_key, new_key};
pub use password::{PasswordError, Role, check_password, hash_password};

//! Who may do what: keys of programs, passwords and sessions of people, the table of permissions. No HTTP here.
//!
//! A key is shown once and kept as a hash; it has 32 random characters, so a plain SHA-256 is enough (there is nothing to
//! guess); the same goes for a session's token. A password is kept as Argon2id, and wrong ones make the next try wait.

mod key;
mod name;
mod password;
mod permission;
mod throttle;

pub use key::{KeyKind, hash_key, new_key, new_token};
pub use name::check_name;
pub use password::{PasswordError, Role, check_password, hash_password};
pub use permission::Permission;
pub use throttle::Throttle;

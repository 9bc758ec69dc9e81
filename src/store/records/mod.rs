//! What goes in and out of the store: plain records, times in milliseconds since 1970 (UTC).

mod accounts;
mod comments;
mod desk;
mod operation;
mod outbox;
mod pages;
mod plans;

pub use accounts::*;
pub use comments::*;
pub use desk::*;
pub use operation::*;
pub use outbox::*;
pub use pages::*;
pub use plans::*;

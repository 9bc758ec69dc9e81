//! The store's seam: everything durable, one coarse method a transaction of a use case.
//!
//! The floors above know [`Store`] and the records of this module, no table and no SQL. Every method is asynchronous from the
//! first day: SQLite's writer thread answers through a channel, another database will answer over a socket. What a method
//! says is done is on disk. `tests/conformance.rs` is the suite that every backend must pass.
//!
//! The store is the truth for campaigns and threads too: the live index of `intake` is a cache made from it.

mod error;
mod pseudonym;
pub mod records;
pub mod sqlite;

pub use error::StoreError;
pub use pseudonym::{keyed, pseudonym};
pub use sqlite::SqliteStore as Store;

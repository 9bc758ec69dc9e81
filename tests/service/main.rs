//! The service as its callers meet it: routes, adapters, the desk, operation, restarts; and the suite that every store must pass.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a test may panic, and a story is told at one go"
)]

mod access;
mod adapters;
mod api;
mod around;
mod conformance;
mod desk;
mod operation;
mod support;

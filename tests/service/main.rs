//! The service as its callers meet it: routes, adapters, the desk, operation, restarts; and the suite that every store must pass.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test may panic"
)]

mod access;
mod adapters;
mod api;
mod around;
mod conformance;
mod desk;
mod operation;
mod pages;
mod regression;
mod support;
mod together;

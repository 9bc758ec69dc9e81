//! What crosses the network, whoever speaks: signatures of messages, and connections out that reach nothing private.

pub mod outbound;
pub mod signature;

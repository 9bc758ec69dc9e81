//! What others send, whoever speaks: signatures of messages, times as they are written, and connections out that reach nothing private.

pub mod outbound;
pub mod signature;
pub mod time;

//! Claque finds templated, bot-like comments under news articles, and says why.
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod offline;
pub mod rules;
pub mod signals;
pub mod similarity;
pub mod text;

//! Claque finds templated, bot-like comments under news articles, and says why.
pub mod domain;
pub mod engine;
pub mod rules;
pub mod similarity;
pub mod text;

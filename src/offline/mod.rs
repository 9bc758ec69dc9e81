//! Files of comments in, assessments and measurements out.
//!
//! [`records`] reads JSON Lines and keeps the good when some are bad; [`read`] does so for every export that we know; [`judge`] judges a whole file,
//! each comment with what the mode lets it see, on the [`book`] of its numbers; [`archive`] does the same for archives that do not fit into memory, and
//! writes report and plan; [`backtest`] compares two rulesets, [`simulate`] goes through a past time as it came, [`plan`] reads plans; [`evaluate`] measures an engine on labelled comments; [`learn`] trains a model and its reference.

pub mod archive;
pub mod backtest;
pub mod book;
mod company;
pub mod evaluate;
pub mod judge;
pub mod learn;
mod lines;
mod links;
mod order;
pub mod plan;
pub mod read;
pub mod records;
pub mod simulate;
pub mod statistics;

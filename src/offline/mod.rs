//! Files of comments in, assessments and measurements out.
//!
//! [`records`] reads JSON Lines and keeps the good when some are bad; [`judge`] judges a whole file, each comment with what
//! the mode lets it see; [`evaluate`] measures an engine on labelled comments; [`learn`] trains a model and its reference.

mod company;
pub mod evaluate;
pub mod judge;
pub mod learn;
mod links;
pub mod records;
pub mod statistics;

//! Evidence becomes a number here and nowhere else.

pub mod features;
pub mod model;
pub mod train;

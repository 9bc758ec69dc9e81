//! Findings become numbers here, and nowhere else.
//!
//! Stage one ([`score`]): the text model's logit ([`model`]), the rules' points with their caps and the text signals' weights
//! add up to a comment's text points; the human reference ([`mod@reference`]) turns them into p, the share of genuine comments
//! that score at least as high, and `score` = 1 - p. Stage two ([`mod@thread`], [`mod@decide`]): the p of a whole thread make its
//! alarm, copies make campaigns, and the decision rules turn all of it into a verdict and its reasons; [`link`] says which
//! likeness makes copies, [`assess`] puts one comment's answer together. [`external`] weighs what plugins outside answered. [`explain`] says which words
//! carried the model's share. [`train`] learns a model. The same input with the same digests gives the same bytes out.

pub mod assess;
pub mod decide;
pub mod explain;
pub mod external;
pub mod features;
pub mod link;
pub mod model;
pub mod reference;
pub mod score;
pub mod thread;
pub mod train;

pub use assess::Place;
pub use decide::{Standing, decide};
pub use external::{External, ExternalFinding};
pub use link::Linking;
pub use model::Model;
pub use score::{Engine, TextScore};
pub use thread::ThreadScore;

/// Version of the engine: scores are comparable only within one.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

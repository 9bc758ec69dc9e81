//! Plain records that every floor shares: what a CMS sends in, and what Claque answers.
//!
//! No logic lives here beyond a record's own invariants. [`Comment`] and [`Article`] come in, [`Evidence`] and
//! [`Assessment`] go out; [`Span`] is how both sides point into a text.

mod article;
mod assessment;
mod campaign;
mod comment;
mod evidence;
mod id;

pub use article::Article;
pub use assessment::{Assessment, Because, Points, ThreadSummary, Verdict};
pub use campaign::{Campaign, SkeletonPart};
pub use comment::{Author, Comment, Label, Status};
pub use evidence::{Evidence, Level, Span};
pub use id::{Id, optional_id};

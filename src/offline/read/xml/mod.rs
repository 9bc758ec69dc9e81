//! XML as exports write it: read in pieces, never as a whole, and forgiving where nothing is lost by it.
//!
//! [`head`] tells the encoding and the root element, [`capped`] passes over what is too long for one piece, [`walk`] turns the rest into
//! opened elements, text and closed elements, which [`stack`] matches, and [`fields`] collects the text of the elements inside a record.

mod capped;
mod fields;
mod head;
mod stack;
mod walk;

pub(super) use self::fields::{Fields, SWALLOWED};
pub(super) use self::head::Root;
pub(super) use self::walk::{Fault, Step, Tag, Walk, local, prefix};

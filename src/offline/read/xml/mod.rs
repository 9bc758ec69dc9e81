//! XML as exports write it: read in pieces, never as a whole, and forgiving where nothing is lost by it.
//!
//! [`head`] tells the encoding, [`capped`] passes over what is too long for one piece, [`walk`] turns the rest into opened elements,
//! text and closed elements, and [`fields`] collects the text of the elements inside a record.

mod capped;
mod fields;
mod head;
mod walk;

pub(super) use self::fields::Fields;
pub(super) use self::head::{has_xml, text};
pub(super) use self::walk::{Step, Tag, Walk, local, prefix};

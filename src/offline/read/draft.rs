//! Fields of foreign records made into ours: ids that are none, authors of whom nothing is known, dates that cannot be read.

use chrono::{DateTime, Utc};

use crate::domain::{Author, Id};
use crate::wire::time;

/// The id of a record.
///
/// # Errors
/// When there is none, when it is longer than 512 bytes, or when it holds U+FFFD: bytes that are no text became that, and what were two ids
/// may be one now.
pub(super) fn own_id(text: Option<&str>) -> Result<Id, String> {
    match text.map(str::trim) {
        None | Some("") => Err("without an id: every comment needs one".to_owned()),
        Some(text) if text.len() > Id::LONGEST => {
            Err(format!("an id has at most {} bytes, not {}", Id::LONGEST, text.len()))
        }
        Some(text) if is_torn(text) => Err(format!("the id `{text}` holds bytes that are no text")),
        Some(text) => Ok(text.into()),
    }
}

/// Whether something in an id was no text.
pub(super) fn is_torn(id: &str) -> bool {
    id.contains(char::REPLACEMENT_CHARACTER)
}

/// An id that refers to something else. Nothing, what is too long to be one or torn, is none.
pub(super) fn other_id(text: Option<&str>) -> Option<Id> {
    let is_one = |text: &&str| !text.is_empty() && text.len() <= Id::LONGEST && !is_torn(text);
    text.map(str::trim).filter(is_one).map(Id::from)
}

/// A text that says something.
pub(super) fn said(text: Option<String>) -> Option<String> {
    let text = text?;
    let trimmed = text.trim();
    if trimmed.len() == text.len() { Some(text) } else { Some(trimmed.to_owned()) }
        .filter(|text| !text.is_empty())
}

/// An author of whom something is known.
pub(super) fn known(author: Author) -> Option<Author> {
    (author != Author::default()).then_some(author)
}

/// A date as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// None was given.
    Never,
    /// One that means something.
    At(DateTime<Utc>),
    /// One that does not.
    Unread,
}

impl When {
    pub(super) fn of_text(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Never;
        }
        let of_mail = || Some(DateTime::parse_from_rfc2822(text).ok()?.to_utc());
        time::of_text(text).or_else(of_mail).map_or(Self::Unread, Self::At)
    }

    pub(super) fn time(self) -> Option<DateTime<Utc>> {
        match self {
            Self::At(time) => Some(time),
            Self::Never | Self::Unread => None,
        }
    }
}

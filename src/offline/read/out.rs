//! The way from a reader to the sink: the one place that stamps sites and files, and words how a reading ends.

use std::io;
use std::ops::ControlFlow;

use super::{Cap, Entry, Note, Options, ReadError, Sink};
use crate::domain::{Article, Comment};
use crate::offline::records::{LabelledComment, Reject};

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// The line, from 1.
    pub(super) line: usize,
    /// The bytes before it, where they are known.
    pub(super) offset: Option<u64>,
}

/// Why a reading ends before the end.
pub(super) enum Stop {
    /// The sink has enough.
    Asked,
    /// The input fails.
    Broke(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Broke(error)
    }
}

/// What a reader writes to.
pub(super) struct Out<'a, 's> {
    pub(super) file: &'a str,
    pub(super) options: &'a Options,
    sink: &'a mut Sink<'s>,
    has_replaced: bool,
}

impl<'a, 's> Out<'a, 's> {
    pub(super) fn new(file: &'a str, options: &'a Options, sink: &'a mut Sink<'s>) -> Self {
        Self { file, options, sink, has_replaced: false }
    }

    fn emit(&mut self, entry: Entry) -> Result<(), Stop> {
        match (self.sink)(entry) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Asked),
        }
    }

    pub(super) fn comment(&mut self, comment: Comment) -> Result<(), Stop> {
        self.labelled(LabelledComment {
            comment,
            source: None,
            cluster: None,
            template_id: None,
            style: None,
        })
    }

    pub(super) fn labelled(&mut self, mut comment: LabelledComment) -> Result<(), Stop> {
        if self.options.site.is_some() {
            comment.comment.site.clone_from(&self.options.site);
        }
        self.emit(Entry::Comment(Box::new(comment)))
    }

    pub(super) fn article(&mut self, mut article: Article) -> Result<(), Stop> {
        if self.options.site.is_some() {
            article.site.clone_from(&self.options.site);
        }
        self.emit(Entry::Article(Box::new(article)))
    }

    pub(super) fn reject(&mut self, place: Place, reason: impl Into<String>) -> Result<(), Stop> {
        let Place { line, offset } = place;
        self.emit(Entry::Reject(Reject { file: self.file.to_owned(), line, offset, reason: reason.into() }))
    }

    pub(super) fn note(&mut self, note: Note) -> Result<(), Stop> {
        self.emit(Entry::Note(note))
    }

    /// Notes that bytes were no text, once for the file.
    pub(super) fn replaced(&mut self) -> Result<(), Stop> {
        if std::mem::replace(&mut self.has_replaced, true) { Ok(()) } else { self.note(Note::Replaced) }
    }

    /// Ends a reading: a failed input is one reject that says where, unless a cap was passed.
    pub(super) fn finish(&mut self, result: Result<(), Stop>, place: Place) -> Result<(), ReadError> {
        let Err(Stop::Broke(error)) = result else { return Ok(()) };
        if let Some(cap) = error.get_ref().and_then(|error| error.downcast_ref::<Cap>()) {
            let Place { line, offset } = place;
            return Err(ReadError::Cap { name: self.file.to_owned(), cap: *cap, line, offset });
        }
        // Nothing follows, so it does not matter whether the sink wants more.
        let _ = self.reject(place, format!("the file breaks off here: {error}"));
        Ok(())
    }
}

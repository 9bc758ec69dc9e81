//! Stage 1: everything that an origin has is put down in one form; what is not understood goes to `rejects.jsonl`.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::ArchiveError;
use super::articles::Library;
use super::progress::{Listener, Stage};
use super::run::{Job, MOST, Origin, Place, SAVE, StoredFacts};
use super::spool::Spooled;
use super::state::State;
use crate::offline::book::name_of;
use crate::offline::read::{self, Entry};

/// Does it, from where it was.
pub(super) fn read_in(
    job: &Job<'_>,
    origin: &mut Origin<'_>,
    place: &mut Place,
    state: &mut State,
    listener: &mut dyn Listener,
) -> Result<ControlFlow<()>, ArchiveError> {
    let mut reading = Reading {
        job,
        progress: Stage::new("read", state.comments),
        saved: Instant::now(),
        place,
        state,
        listener,
        failed: None,
        skip: 0,
    };
    let ended = match origin {
        Origin::Files { files, from, options } => {
            let from_file = reading.state.files;
            let mut ended = ControlFlow::Continue(());
            for (at, path) in files.iter().enumerate().skip(from_file) {
                reading.skip = if at == from_file { reading.state.entries } else { 0 };
                let opened = read::open(path, *from, options)?;
                let format = opened.format.name().to_owned();
                let outcome = opened.read(options, &mut |entry| reading.take(entry, None));
                ended = reading.end_of_file(at, format, outcome)?;
                if ended.is_break() {
                    break;
                }
            }
            ended
        }
        Origin::Store { each, .. } => {
            reading.skip = reading.state.entries;
            let outcome = each(&mut |entry, stored| reading.take(entry, stored));
            if let Some(error) = reading.failed.take() {
                return Err(error);
            }
            outcome.map_err(|error| ArchiveError::File {
                what: "cannot read",
                path: "the store".to_owned(),
                error: std::io::Error::other(error),
            })?;
            if job.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    };
    if ended.is_break() {
        place.save(state)?;
        return Ok(ended);
    }
    state.is_read = true;
    place.save(state)?;
    place.library = Library::new(job, &place.articles, &place.spool);
    Ok(ControlFlow::Continue(()))
}

/// Stage 1 under way.
struct Reading<'a, 'j> {
    job: &'a Job<'j>,
    progress: Stage,
    saved: Instant,
    place: &'a mut Place,
    state: &'a mut State,
    listener: &'a mut dyn Listener,
    failed: Option<ArchiveError>,
    /// Entries of this file that are spooled already.
    skip: u64,
}

impl Reading<'_, '_> {
    fn take(&mut self, entry: Entry, stored: Option<StoredFacts>) -> ControlFlow<()> {
        if self.skip > 0 {
            self.skip -= 1;
            return ControlFlow::Continue(());
        }
        match self.keep(entry, stored) {
            Ok(()) if self.job.stop.load(Ordering::Relaxed) => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn keep(&mut self, entry: Entry, stored: Option<StoredFacts>) -> Result<(), ArchiveError> {
        self.state.read.count(&entry);
        self.state.entries += 1;
        match entry {
            Entry::Comment(comment) => {
                if self.place.spool.len() >= MOST as usize {
                    return Err(ArchiveError::TooMany(MOST));
                }
                let comment = comment.comment;
                let name = name_of(comment.site.as_ref(), comment.id.as_str());
                self.place.spool.push(name, &Spooled { comment, stored })?;
            }
            Entry::Article(article) => self.place.article(&article)?,
            Entry::Reject(reject) => {
                self.place.reject(&reject)?;
                if self.job.strict {
                    return Err(ArchiveError::Strict(reject));
                }
            }
            Entry::Note(_) => {}
        }
        if self.saved.elapsed() >= SAVE {
            self.saved = Instant::now();
            self.place.save(self.state)?;
        }
        let done = self.place.spool.len() as u64;
        self.progress.tell(self.listener, done, None, (0, self.state.read.rejects), false);
        Ok(())
    }

    fn end_of_file(
        &mut self,
        at: usize,
        format: String,
        outcome: Result<(), read::ReadError>,
    ) -> Result<ControlFlow<()>, ArchiveError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        // Whoever goes on reads the rest of the file, and meets its error, again.
        if self.job.stop.load(Ordering::Relaxed) {
            return Ok(ControlFlow::Break(()));
        }
        match outcome {
            Ok(()) => {}
            // The good part of a file is kept; what nothing could be read of is an error.
            Err(error) if self.state.entries > 0 && !self.job.strict => {
                let reject = error.to_reject();
                // Told together with the end of the file, so that it is told once whatever happens in between.
                self.state.read.count(&Entry::Reject(reject.clone()));
                self.place.reject(&reject)?;
            }
            Err(error) => return Err(error.into()),
        }
        self.state.formats.push(format);
        (self.state.files, self.state.entries) = (at + 1, 0);
        self.place.save(self.state)?;
        Ok(ControlFlow::Continue(()))
    }
}

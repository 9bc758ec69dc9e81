//! The stages one after another, each going on where it was.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::articles::Library;
use super::facts::{Facts, encode};
use super::outputs::{self, Proposal};
use super::progress::{Listener, Stage};
use super::reading::read_in;
use super::spool::{Named, Spool, Spooled};
use super::state::{Identity, State};
use super::{ArchiveError, file_error};
use crate::domain::{Article, Assessment, Verdict};
use crate::engine::Engine;
use crate::intake::Allowed;
use crate::offline::book::{Fact, name_of};
use crate::offline::judge::{self, Mode, Record};
use crate::offline::order::Order;
use crate::offline::read::{Entry, Options, Tally as ReadTally};
use crate::offline::records::Reject;

pub use super::spool::StoredFacts;

/// Version of the form of work.
const FORM: u32 = 2;
/// Comments of a portion: read, judged and written together.
const PORTION: usize = 4096;
/// The time between two states.
pub(super) const SAVE: Duration = Duration::from_secs(3);
/// Comments that can be numbered.
pub(super) const MOST: u32 = u32::MAX - 1;
/// The folder in the output folder in which work stands while it is not finished.
const WORK: &str = ".work";

/// Where comments come from.
pub enum Origin<'a> {
    /// Exports; `from` names their format.
    Files {
        /// In their order.
        files: &'a [PathBuf],
        /// Their format, where it is not to be told by the files.
        from: Option<&'a str>,
        /// How they are read.
        options: &'a Options,
    },
    /// A store: everything it has is handed to the function it is given, comments with what is known of them.
    Store {
        /// Names the store's content: going on needs the same.
        digest: String,
        /// The one site that is handed on, or all.
        site: Option<&'a str>,
        /// Hands everything on.
        #[expect(clippy::type_complexity, reason = "a visitor of entries")]
        each: &'a mut dyn FnMut(
            &mut dyn FnMut(Entry, Option<StoredFacts>) -> ControlFlow<()>,
        ) -> Result<(), String>,
    },
}

/// A rescoring to be done.
pub struct Job<'a> {
    /// Rules, model, thresholds.
    pub engine: &'a Engine,
    /// Each comment with the whole archive, or with what came before it.
    pub mode: Mode,
    /// Articles beside those of the exports.
    pub articles: Vec<Article>,
    /// Campaigns that people have allowed.
    pub allowed: Allowed,
    /// The output folder.
    pub out: &'a Path,
    /// Whether work that lies there goes on.
    pub resume: bool,
    /// Whether the assessments are also written as a table by columns: only where the feature `parquet` is built in.
    pub parquet: bool,
    /// Whether a bad record ends it.
    pub strict: bool,
    /// Ends it at the next good place when it becomes true.
    pub stop: &'a AtomicBool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything is written; so many pieces were not understood.
    Finished {
        /// Comments judged.
        comments: u64,
        /// Comments flagged.
        flagged: u64,
        /// Pieces that were not understood.
        rejects: u64,
    },
    /// Stopped; going on later gives the same outcome.
    Stopped,
}

/// Does a job, on the threads of `pool`; the outcome is the same on any.
///
/// # Errors
/// See [`ArchiveError`]; what was done stays and can be gone on with.
pub fn run(
    job: &Job<'_>,
    mut origin: Origin<'_>,
    listener: &mut dyn Listener,
    pool: &rayon::ThreadPool,
) -> Result<Ended, ArchiveError> {
    let identity = identity(job, &origin)?;
    std::fs::create_dir_all(job.out).map_err(file_error("cannot make", job.out))?;
    if let Some(ended) = outputs::finished(job.out, &identity, matches!(origin, Origin::Store { .. }))? {
        if job.resume {
            return Ok(ended);
        }
        return Err(ArchiveError::NotEmpty(job.out.display().to_string()));
    }
    let work = job.out.join(WORK);
    let is_empty = std::fs::read_dir(job.out).map_err(file_error("cannot read", job.out))?.next().is_none();
    if !is_empty && !job.resume {
        return Err(ArchiveError::NotEmpty(job.out.display().to_string()));
    }
    let mut state = match State::load(&work)? {
        Some(state) => {
            // Once everything is read from a store it does not matter how that has gone on.
            let same_store = state.is_read && matches!(origin, Origin::Store { .. });
            let inputs = if same_store { state.identity.inputs.clone() } else { identity.inputs.clone() };
            match state.identity.difference(&Identity { inputs, ..identity }) {
                Some(what) => {
                    return Err(ArchiveError::OtherWork { path: job.out.display().to_string(), what });
                }
                None if matches!(&origin, Origin::Files { files, .. } if !state.is_read && files.iter().any(|f| is_standard_input(f))) =>
                {
                    return Err(ArchiveError::GoneInput(job.out.display().to_string()));
                }
                None => state,
            }
        }
        // Work that was stopped before its first word about itself, or none: other people's files stay.
        None if !is_empty && !work.exists() => {
            return Err(ArchiveError::NoWork(job.out.display().to_string()));
        }
        None => State::new(identity),
    };
    std::fs::create_dir_all(&work).map_err(file_error("cannot make", &work))?;
    let _lock = lock(&work, job)?;
    let mut place = Place::open(job, work, &state)?;
    if !state.is_read {
        match read_in(job, &mut origin, &mut place, &mut state, listener) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => return Ok(Ended::Stopped),
            Err(error) => {
                // Nothing was understood: the next try, with a mended command, finds the folder as it was.
                if state.files == 0 && state.entries == 0 {
                    let _ = std::fs::remove_dir_all(&place.work);
                    let _ = std::fs::remove_file(job.out.join("rejects.jsonl"));
                }
                return Err(error);
            }
        }
    }
    if score(job, &mut place, &mut state, listener, pool)?.is_break() {
        return Ok(Ended::Stopped);
    }
    let mut progress = Stage::new("link", 0);
    progress.tell(listener, 0, Some(state.comments), (0, state.read.rejects), true);
    let (order, book) = place.facts.book(state.comments as usize, job.mode)?;
    let record = pool.install(|| Record::new(job.engine, book, job.mode));
    let told = Told { order, record };
    progress.tell(listener, state.comments, Some(state.comments), (0, state.read.rejects), true);
    if job.stop.load(Ordering::Relaxed) {
        return Ok(Ended::Stopped);
    }
    if write(job, &mut place, &mut state, &told, listener, pool)?.is_break() {
        return Ok(Ended::Stopped);
    }
    outputs::finish(job, &place, &state, &told)
}

/// Keeps others out of the work as long as the file is open.
fn lock(work: &Path, job: &Job<'_>) -> Result<File, ArchiveError> {
    let path = work.join("lock");
    let file = File::create(&path).map_err(file_error("cannot make", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(ArchiveError::InUse(job.out.display().to_string())),
        Err(std::fs::TryLockError::Error(error)) => Err(file_error("cannot lock", &path)(error)),
    }
}

/// What stage 3 knows: the record, and which comment of it stands where.
pub(super) struct Told {
    pub(super) order: Order,
    pub(super) record: Record,
}

/// The files of a job, open.
pub(super) struct Place {
    pub(super) work: PathBuf,
    pub(super) spool: Spool,
    pub(super) articles: Spool,
    pub(super) library: Library,
    facts: Facts,
    rejects: BufWriter<File>,
    rejects_bytes: u64,
}

impl Place {
    fn open(job: &Job<'_>, work: PathBuf, state: &State) -> Result<Self, ArchiveError> {
        let spool = Spool::open(&work, "comments", state.comments)?;
        let articles = Spool::open(&work, "articles", state.articles)?;
        Ok(Self {
            library: Library::new(job, &articles, &spool),
            facts: Facts::open(&work, state.facts)?,
            rejects: cut_open(&job.out.join("rejects.jsonl"), state.rejects_bytes)?,
            rejects_bytes: state.rejects_bytes,
            spool,
            articles,
            work,
        })
    }

    pub(super) fn reject(&mut self, reject: &Reject) -> Result<(), ArchiveError> {
        let line = line(reject);
        self.rejects_bytes += line.len() as u64;
        self.rejects.write_all(&line).map_err(file_error("cannot write", Path::new("rejects.jsonl")))
    }

    pub(super) fn article(&mut self, article: &Article) -> Result<(), ArchiveError> {
        self.articles.push(name_of(article.site.as_ref(), article.id.as_str()), article)
    }

    /// Brings what was read onto the disk, and says so in the state.
    pub(super) fn save(&mut self, state: &mut State) -> Result<(), ArchiveError> {
        self.spool.flush()?;
        self.articles.flush()?;
        let rejects = self.rejects.flush().and_then(|()| self.rejects.get_ref().sync_data());
        rejects.map_err(file_error("cannot write", Path::new("rejects.jsonl")))?;
        state.comments = self.spool.len() as u64;
        state.articles = self.articles.len() as u64;
        state.rejects_bytes = self.rejects_bytes;
        state.save(&self.work)
    }
}

/// Opens a file for more and cuts it back.
pub(super) fn cut_open(path: &Path, length: u64) -> Result<BufWriter<File>, ArchiveError> {
    let mut options = File::options();
    let file = options.write(true).create(true).truncate(false).open(path);
    let mut file = file.map_err(file_error("cannot open", path))?;
    if file.metadata().map_err(file_error("cannot read", path))?.len() < length {
        return Err(ArchiveError::Damaged(path.display().to_string()));
    }
    file.set_len(length).map_err(file_error("cannot cut back", path))?;
    file.seek(SeekFrom::Start(length)).map_err(file_error("cannot open", path))?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

fn identity(job: &Job<'_>, origin: &Origin<'_>) -> Result<Identity, ArchiveError> {
    let mut options = format!("strict={}", job.strict);
    if job.parquet {
        options.push_str(" parquet");
    }
    let inputs = match origin {
        Origin::Files { files, from, options: how } => {
            let _ = write!(options, " from={from:?} {how:?}");
            files.iter().map(|path| fingerprint(path)).collect::<Result<_, _>>()?
        }
        Origin::Store { digest, site, .. } => {
            let _ = write!(options, " site={site:?}");
            vec![format!("store {digest}")]
        }
    };
    let articles = serde_json::to_vec(&job.articles).unwrap_or_default();
    let _ = write!(options, " articles={:016x}", crate::text::stable_hash(&articles));
    Ok(Identity {
        form: FORM,
        engine: crate::engine::VERSION.to_owned(),
        ruleset: job.engine.rules.digest().to_owned(),
        model: job.engine.model.digest().to_owned(),
        config: format!("{:?}", job.engine.config),
        mode: format!("{:?}", job.mode),
        inputs,
        options,
        allowed: job.allowed.digest(),
    })
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A file by name, size, time of change and the digest of its two ends.
fn fingerprint(path: &Path) -> Result<String, ArchiveError> {
    use std::os::unix::fs::FileExt;
    const END: u64 = 1 << 16;
    if is_standard_input(path) {
        return Ok("standard input".to_owned());
    }
    let failed = || file_error("cannot read", path);
    let file = File::open(path).map_err(failed())?;
    let about = file.metadata().map_err(failed())?;
    let size = about.len();
    let changed = about.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let changed = changed.unwrap_or_default().as_nanos();
    let mut bytes = Vec::new();
    for from in [0, size.saturating_sub(END)] {
        let mut end = vec![0; END.min(size) as usize];
        let mut read = 0;
        while read < end.len() {
            let rest = end.get_mut(read..).unwrap_or_default();
            match file.read_at(rest, from + read as u64).map_err(failed())? {
                0 => break,
                count => read += count,
            }
        }
        bytes.extend(end);
    }
    Ok(format!("{} {size} {changed} {:016x}", path.display(), crate::text::stable_hash(&bytes)))
}

/// Stage 2: texts become facts.
fn score(
    job: &Job<'_>,
    place: &mut Place,
    state: &mut State,
    listener: &mut dyn Listener,
    pool: &rayon::ThreadPool,
) -> Result<ControlFlow<()>, ArchiveError> {
    let all = state.comments as usize;
    let mut progress = Stage::new("score", state.facts);
    let mut saved = Instant::now();
    while (state.facts as usize) < all {
        let from = state.facts as usize;
        let range = from..(from + PORTION).min(all);
        let Place { spool, articles, library, .. } = &mut *place;
        let facts = pool.install(|| -> Result<Vec<Fact>, ArchiveError> {
            let comments: Vec<Spooled> = spool.range(range)?;
            let portion = library.portion(articles, spool, &comments)?;
            let facts = comments.par_iter().map(|one| {
                let analysis = portion.analyse(&one.comment);
                Fact::of_text(job.engine, &one.comment, &analysis, portion.article(&one.comment)).0
            });
            Ok(facts.collect())
        })?;
        let mut bytes = Vec::with_capacity(facts.len() * super::facts::RECORD);
        for fact in &facts {
            encode(fact, &mut bytes);
        }
        place.facts.push(&bytes)?;
        state.facts += facts.len() as u64;
        let stopped = job.stop.load(Ordering::Relaxed);
        if stopped || saved.elapsed() >= SAVE || state.facts as usize == all {
            saved = Instant::now();
            place.facts.flush()?;
            state.save(&place.work)?;
        }
        let is_last = state.facts as usize == all;
        progress.tell(listener, state.facts, Some(all as u64), (0, state.read.rejects), is_last);
        if stopped {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Stage 4: every comment is assessed with all that is known.
fn write(
    job: &Job<'_>,
    place: &mut Place,
    state: &mut State,
    told: &Told,
    listener: &mut dyn Listener,
    pool: &rayon::ThreadPool,
) -> Result<ControlFlow<()>, ArchiveError> {
    let all = state.comments as usize;
    let path = job.out.join("assessments.jsonl");
    let links_path = job.out.join("links.jsonl");
    let plan_path = place.work.join("plan.items");
    let mut file = cut_open(&path, state.assessments_bytes)?;
    let mut plan = cut_open(&plan_path, state.plan_bytes)?;
    let mut flags = cut_open(&place.work.join("flags.bin"), state.assessed)?;
    let mut links = cut_open(&links_path, state.links_bytes)?;
    let mut progress = Stage::new("write", state.assessed);
    let mut saved = Instant::now();
    while (state.assessed as usize) < all {
        let from = state.assessed as usize;
        let range = from..(from + PORTION).min(all);
        let Place { spool, articles, library, .. } = &mut *place;
        let assessed = pool.install(|| assess(job, spool, articles, library, told, range))?;
        for one in &assessed {
            state.tally.add(&one.comment, one.section.as_deref(), &one.assessment);
            let flag = [u8::from(one.assessment.verdict != Verdict::Allow)];
            for (file, bytes, path) in [
                (&mut file, one.line.as_slice(), &path),
                (&mut plan, &one.proposal, &plan_path),
                (&mut links, &one.links, &links_path),
                (&mut flags, &flag, &place.work),
            ] {
                file.write_all(bytes).map_err(file_error("cannot write", path))?;
            }
            state.assessments_bytes += one.line.len() as u64;
            state.plan_bytes += one.proposal.len() as u64;
            state.links_bytes += one.links.len() as u64;
        }
        state.assessed += assessed.len() as u64;
        let stopped = job.stop.load(Ordering::Relaxed);
        let is_last = state.assessed as usize == all;
        if stopped || is_last || saved.elapsed() >= SAVE {
            saved = Instant::now();
            for file in [&mut file, &mut plan, &mut flags, &mut links] {
                let synced = file.flush().and_then(|()| file.get_ref().sync_data());
                synced.map_err(file_error("cannot write", job.out))?;
            }
            state.save(&place.work)?;
        }
        let counts = (state.tally.all.flagged, state.read.rejects);
        progress.tell(listener, state.assessed, Some(all as u64), counts, is_last);
        if stopped {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// A comment with its assessment and what is written of it.
struct Assessed {
    comment: Spooled,
    assessment: Assessment,
    section: Option<String>,
    line: Vec<u8>,
    proposal: Vec<u8>,
    links: Vec<u8>,
}

/// Assesses the comments of a portion.
fn assess(
    job: &Job<'_>,
    spool: &Spool,
    articles: &Spool,
    library: &mut Library,
    told: &Told,
    range: std::ops::Range<usize>,
) -> Result<Vec<Assessed>, ArchiveError> {
    let from = range.start;
    let comments: Vec<Spooled> = spool.range(range)?;
    let portion = library.portion(articles, spool, &comments)?;
    let name_of = |rank: usize| spool.get::<Named>(told.order.place(rank)).map(|named| named.comment);
    let id_of = |rank: usize| name_of(rank).map(|name| name.id).unwrap_or_default();
    let assessed = comments.into_par_iter().enumerate().map(|(at, one)| -> Result<_, ArchiveError> {
        let comment = &one.comment;
        let rank = told.order.rank(from + at);
        let analysis = portion.analyse(comment);
        let article = portion.article(comment);
        let permits = one.permits(job, told.record.book.sketch(rank));
        let judged = judge::One { at: rank, comment, analysis: &analysis, article, text: None, permits };
        let outcome = told.record.assess(job.engine, &judged, &id_of);
        let section = portion.section(comment).map(str::to_owned);
        let proposal = Proposal::of(&one, &outcome, &analysis, section.as_deref());
        Ok(Assessed {
            line: line(&outcome.assessment),
            proposal: proposal.map(|proposal| line(&proposal)).unwrap_or_default(),
            links: outputs::links(told, rank, comment, &name_of)?,
            assessment: outcome.assessment,
            section,
            comment: one,
        })
    });
    assessed.collect()
}

/// A record as a line of JSON.
pub(super) fn line(record: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(record).unwrap_or_default();
    line.push(b'\n');
    line
}

/// What was read, for the outputs.
pub(super) fn read_counts(state: &State) -> &ReadTally {
    &state.read
}

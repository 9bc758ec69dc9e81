//! What is kept in memory of every comment of an archive while its company is looked at: numbers and signatures in columns, no text. Made once by
//! stage one, read by everything after it: `links` finds the copies, `company` the threads and authors.
//!
//! A comment costs some 250 bytes here, with its place in its thread and its author's past. Names are 64-bit hashes: of a site and an id.

use std::collections::HashMap;

use crate::domain::{Comment, Id};
use crate::engine::{Engine, TextScore};
use crate::similarity::{Features, Sketch};
use crate::text::{Analysis, Reference};

/// No author, no thread.
pub const NONE: u32 = u32::MAX;
/// No time.
const NO_TIME: i64 = i64::MIN;
/// What stage one says of a comment, as far as its company needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The comment's name: site and id, hashed.
    pub name: u64,
    /// Its author's name; none for an unknown one.
    pub author: Option<u64>,
    /// Its thread's name.
    pub thread: Option<u64>,
    /// When it was posted, in seconds since 1970.
    pub at: Option<i64>,
    /// Share of genuine comments that score at least as high; none where the text was not judged.
    pub p: Option<f64>,
    /// Words judged.
    pub words: u32,
    /// Its signature.
    pub sketch: Option<Sketch>,
}

/// A name of the outside world within its site, as one number.
pub fn name_of(site: Option<&Id>, id: &str) -> u64 {
    let site = site.map(Id::as_str).unwrap_or_default();
    crate::text::stable_hash(format!("{site}\0{id}").as_bytes())
}

impl Fact {
    /// The facts of a comment that was scored.
    pub fn new(comment: &Comment, score: &TextScore, sketch: Option<Sketch>) -> Self {
        let site = comment.site.as_ref();
        Self {
            name: name_of(site, comment.id.as_str()),
            author: comment.author_key().map(|key| name_of(site, key)),
            thread: comment.thread().map(|thread| name_of(site, thread.as_str())),
            at: comment.created_at.map(|at| at.timestamp()),
            p: (!score.abstained).then_some(score.p),
            words: score.words,
            sketch,
        }
    }

    /// Scores a text and makes its facts.
    pub fn of_text(
        engine: &Engine,
        comment: &Comment,
        analysis: &Analysis<'_>,
        article: Option<&Reference>,
    ) -> (Self, TextScore) {
        let score = engine.score_text(comment, analysis, article, None);
        let sketch = Sketch::new(&Features::new(analysis, article));
        (Self::new(comment, &score, sketch), score)
    }
}

/// Every comment, in order.
#[derive(Debug, Default)]
pub struct Book {
    pub(super) names: Vec<u64>,
    /// Dense numbers of authors and threads; [`NONE`] for none.
    pub(super) authors: Vec<u32>,
    pub(super) threads: Vec<u32>,
    times: Vec<i64>,
    /// Not a number where the text was not judged.
    ps: Vec<f64>,
    words: Vec<u16>,
    pub(super) sketches: Vec<Sketch>,
    author_numbers: HashMap<u64, u32>,
    thread_numbers: HashMap<u64, u32>,
}

fn number(numbers: &mut HashMap<u64, u32>, name: Option<u64>) -> u32 {
    let next = numbers.len() as u32;
    name.map_or(NONE, |name| *numbers.entry(name).or_insert(next))
}

impl Book {
    /// A book with room for so many comments.
    pub fn with_capacity(comments: usize) -> Self {
        Self {
            names: Vec::with_capacity(comments),
            authors: Vec::with_capacity(comments),
            threads: Vec::with_capacity(comments),
            times: Vec::with_capacity(comments),
            ps: Vec::with_capacity(comments),
            words: Vec::with_capacity(comments),
            sketches: Vec::with_capacity(comments),
            ..Self::default()
        }
    }

    /// Adds the next comment.
    pub fn push(&mut self, fact: &Fact) {
        self.names.push(fact.name);
        self.authors.push(number(&mut self.author_numbers, fact.author));
        self.threads.push(number(&mut self.thread_numbers, fact.thread));
        self.times.push(fact.at.unwrap_or(NO_TIME));
        self.ps.push(fact.p.unwrap_or(f64::NAN));
        self.words.push(fact.words.min(u32::from(u16::MAX)) as u16);
        self.sketches.push(fact.sketch.unwrap_or(Sketch::NONE));
    }

    /// How many comments it has.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How many authors and threads are named.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.author_numbers.len(), self.thread_numbers.len())
    }

    /// A comment's author by number, where it is known.
    pub(super) fn author(&self, at: usize) -> Option<u32> {
        self.authors.get(at).copied().filter(|author| *author != NONE)
    }

    /// A comment's thread by number.
    pub(super) fn thread(&self, at: usize) -> Option<u32> {
        self.threads.get(at).copied().filter(|thread| *thread != NONE)
    }

    /// When a comment was posted, in seconds since 1970.
    pub fn time(&self, at: usize) -> Option<i64> {
        self.times.get(at).copied().filter(|time| *time != NO_TIME)
    }

    /// The p of a judged text.
    pub fn p(&self, at: usize) -> Option<f64> {
        self.ps.get(at).copied().filter(|p| !p.is_nan())
    }

    /// -log10 p of a comment that counts in statistics.
    pub(super) fn unusualness(&self, engine: &Engine, at: usize) -> Option<f64> {
        let words = u32::from(self.words.get(at).copied()?);
        self.p(at).filter(|_| words >= engine.config.text.thread_words).map(|p| -p.log10())
    }

    /// A comment's signature.
    pub(super) fn sketch(&self, at: usize) -> Option<&Sketch> {
        self.sketches.get(at).filter(|sketch| sketch.content_size > 0)
    }

    /// How alike two comments' contents are.
    pub(super) fn similarity(&self, a: usize, b: usize) -> f64 {
        self.sketch(a).zip(self.sketch(b)).map_or(0.0, |(a, b)| a.content.jaccard(&b.content))
    }

    /// Whether two comments are certainly by one author.
    pub(super) fn is_same_author(&self, a: usize, b: usize) -> bool {
        self.author(a).is_some() && self.author(a) == self.author(b)
    }
}

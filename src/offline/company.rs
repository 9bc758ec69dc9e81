//! The company a comment keeps in a file: its thread and its author's other comments, with running sums, so that neither a long thread
//! nor a busy author makes a comment dearer.

use std::collections::{BTreeMap, HashMap};

use super::judge::{MOST_COMPARED, Mode, ThreadKey};
use crate::domain::{Comment, Id};
use crate::engine::{Engine, TextScore, ThreadScore};
use crate::signals::{OwnPast, ThreadView};
use crate::similarity::Sketch;

/// Comments by thread, with running sums, so that a long thread costs no more a comment than a short one.
pub(super) struct Threads {
    threads: BTreeMap<ThreadKey, Thread>,
}

#[derive(Default)]
pub(super) struct Thread {
    /// Each judged comment in file order, with the number of those that count and the sum of their -log10 p, itself included.
    members: Vec<(usize, usize, f64)>,
    /// Comments that count and whose p is at most `thread.unusual_p`, in file order.
    unusual: Vec<usize>,
}

impl Threads {
    pub(super) fn new(
        engine: &Engine,
        comments: &[Comment],
        texts: &[(TextScore, Option<Sketch>)],
        mode: Mode,
    ) -> Self {
        let mut threads: BTreeMap<ThreadKey, Thread> = BTreeMap::new();
        if mode != Mode::Isolated {
            for (at, (comment, (score, _))) in comments.iter().zip(texts).enumerate() {
                let Some(thread) = comment.thread().filter(|_| !score.abstained) else { continue };
                let thread = threads.entry((comment.site.clone(), thread.clone())).or_default();
                let (mut k, mut sum) = thread.members.last().map_or((0, 0.0), |&(_, k, sum)| (k, sum));
                if score.words >= engine.config.text.thread_words {
                    k += 1;
                    sum -= score.p.log10();
                    if score.p <= engine.config.thread.unusual_p {
                        thread.unusual.push(at);
                    }
                }
                thread.members.push((at, k, sum));
            }
        }
        Self { threads }
    }

    pub(super) fn of(&self, comment: &Comment) -> Option<&Thread> {
        self.threads.get(&(comment.site.clone(), comment.thread()?.clone()))
    }

    pub(super) fn scores(&self, engine: &Engine) -> BTreeMap<ThreadKey, ThreadScore> {
        self.threads
            .iter()
            .filter_map(|(key, thread)| Some((key.clone(), thread.score(usize::MAX, Mode::Whole, engine)?)))
            .filter(|(_, score)| score.k >= engine.config.thread.fewest)
            .collect()
    }
}

impl Thread {
    /// Comments that count and the sum of their -log10 p, as far as comment `at` may see.
    pub(super) fn sums(&self, at: usize, mode: Mode) -> Option<(usize, f64)> {
        let visible = if mode == Mode::AsOfArrival {
            self.members.partition_point(|(other, ..)| *other <= at)
        } else {
            self.members.len()
        };
        self.members.get(visible.checked_sub(1)?).map(|&(_, k, sum)| (k, sum))
    }

    pub(super) fn score(&self, at: usize, mode: Mode, engine: &Engine) -> Option<ThreadScore> {
        self.sums(at, mode).map(|(k, sum)| ThreadScore::of_sum(k, sum, &engine.config.thread))
    }

    /// What a signal may know of the others. Similarity and burst look at the [`MOST_COMPARED`] nearest unusual comments on either side.
    pub(super) fn view(
        &self,
        engine: &Engine,
        comments: &[Comment],
        at: usize,
        counts: bool,
        mode: Mode,
        similarity: impl Fn(usize) -> f64,
    ) -> ThreadView {
        let Some(comment) = comments.get(at) else { return ThreadView::default() };
        let place = self.unusual.partition_point(|other| *other < at);
        let is_unusual = self.unusual.get(place) == Some(&at);
        let end = if mode == Mode::AsOfArrival { place } else { self.unusual.len() };
        let near = self.unusual.get(place.saturating_sub(MOST_COMPARED)..end.min(place + MOST_COMPARED));
        let mut view = ThreadView {
            others: self.sums(at, mode).map_or(0, |(k, _)| k) - usize::from(counts),
            unusual: end - usize::from(is_unusual && end > place),
            ..ThreadView::default()
        };
        let (mut similar, mut compared) = (0.0, 0);
        for &other in near.unwrap_or_default().iter().filter(|other| **other != at) {
            let Some(record) = comments.get(other) else { continue };
            similar += similarity(other);
            compared += 1;
            let soon = comment.created_at.zip(record.created_at).is_some_and(|(a, b)| {
                (a - b).num_seconds().abs() <= i64::from(engine.config.thread.burst_seconds)
            });
            view.burst += usize::from(soon && !is_same_author(comment, record));
        }
        view.similarity = similar / f64::from(compared.max(1));
        view
    }
}

/// Whether two comments are certainly by one author.
pub(super) fn is_same_author(a: &Comment, b: &Comment) -> bool {
    a.author_key().is_some() && a.site == b.site && a.author_key() == b.author_key()
}

/// Every author's comments in file order.
pub(super) type Authors<'a> = HashMap<(Option<&'a Id>, &'a str), Author>;

#[derive(Default)]
pub(super) struct Author {
    /// Each comment, with the number of those that count and the sum of their -log10 p, itself included.
    own: Vec<(usize, usize, f64)>,
}

pub(super) fn authors<'a>(
    engine: &Engine,
    comments: &'a [Comment],
    texts: &[(TextScore, Option<Sketch>)],
) -> Authors<'a> {
    let mut authors: Authors<'_> = HashMap::new();
    for (at, (comment, (score, _))) in comments.iter().zip(texts).enumerate() {
        let Some(key) = comment.author_key() else { continue };
        let author = authors.entry((comment.site.as_ref(), key)).or_default();
        let (k, sum) = author.own.last().map_or((0, 0.0), |&(_, k, sum)| (k, sum));
        let term = unusualness(score, engine);
        author.own.push((at, k + usize::from(term.is_some()), sum + term.unwrap_or(0.0)));
    }
    authors
}

/// -log10 p of a comment that counts.
pub(super) fn unusualness(score: &TextScore, engine: &Engine) -> Option<f64> {
    (!score.abstained && score.words >= engine.config.text.thread_words).then(|| -score.p.log10())
}

impl Author {
    /// The author's other comments, as far as comment `at` may see; the last [`MOST_COMPARED`] are compared with it.
    pub(super) fn past(
        &self,
        at: usize,
        mode: Mode,
        term: Option<f64>,
        similarity: impl Fn(usize) -> f64,
    ) -> OwnPast {
        let place = self.own.partition_point(|(other, ..)| *other < at);
        let visible = if mode == Mode::AsOfArrival { place } else { self.own.len() };
        let includes_me = visible > place;
        let (mut k, mut sum) = visible
            .checked_sub(1)
            .and_then(|last| self.own.get(last))
            .map_or((0, 0.0), |&(_, k, sum)| (k, sum));
        if includes_me && let Some(term) = term {
            k -= 1;
            sum -= term;
        }
        let others = self.own.get(..visible).unwrap_or_default().iter().map(|(other, ..)| *other);
        OwnPast {
            comments: visible - usize::from(includes_me),
            similarity: others
                .rev()
                .filter(|other| *other != at)
                .take(MOST_COMPARED)
                .map(similarity)
                .fold(0.0, f64::max),
            unusual: (k >= 3).then(|| sum / k as f64),
        }
    }
}

//! The company a comment keeps in an archive: its thread and its author's other comments, with running sums, so that neither a long thread
//! nor a busy author makes a comment dearer.

use super::book::Book;
use super::judge::{MOST_COMPARED, Mode};
use crate::engine::{Engine, ThreadScore};
use crate::signals::{OwnPast, ThreadView};

/// A comment in a list with running sums: its place, how many of those up to it count, and the sum of their -log10 p.
type Running = (u32, u32, f64);

/// What a list says up to a place.
fn sums(list: &[Running], visible: usize) -> Option<(usize, f64)> {
    list.get(visible.checked_sub(1)?).map(|&(_, k, sum)| (k as usize, sum))
}

/// Comments by thread and by author.
#[derive(Debug, Default)]
pub(super) struct Company {
    threads: Vec<Thread>,
    authors: Vec<Vec<Running>>,
}

#[derive(Debug, Default)]
pub(super) struct Thread {
    /// Each judged comment in order.
    members: Vec<Running>,
    /// Comments that count and whose p is at most `thread.unusual_p`, in order.
    unusual: Vec<u32>,
}

impl Company {
    /// Gathers threads (not where each text is judged alone) and authors.
    pub(super) fn new(engine: &Engine, book: &Book, mode: Mode) -> Self {
        let (authors, threads) = book.counts();
        let mut company = Self::default();
        company.threads.resize_with(threads, Thread::default);
        company.authors.resize_with(authors, Vec::new);
        if mode == Mode::Isolated {
            return company;
        }
        let next = |list: &[Running], at: usize, term: Option<f64>| {
            let (k, sum) = list.last().map_or((0, 0.0), |&(_, k, sum)| (k, sum));
            (at as u32, k + u32::from(term.is_some()), sum + term.unwrap_or(0.0))
        };
        for at in 0..book.len() {
            let term = book.unusualness(engine, at);
            if let Some(author) = book.author(at).and_then(|author| company.authors.get_mut(author as usize))
            {
                author.push(next(author, at, term));
            }
            let thread = book.thread(at).filter(|_| book.p(at).is_some());
            let Some(thread) = thread.and_then(|thread| company.threads.get_mut(thread as usize)) else {
                continue;
            };
            thread.members.push(next(&thread.members, at, term));
            if term.is_some() && book.p(at).is_some_and(|p| p <= engine.config.thread.unusual_p) {
                thread.unusual.push(at as u32);
            }
        }
        company
    }

    /// The thread of a comment.
    pub(super) fn thread(&self, book: &Book, at: usize) -> Option<&Thread> {
        self.threads.get(book.thread(at)? as usize)
    }

    /// The whole threads that have enough judged comments: a comment of each, with the score.
    pub(super) fn scores(&self, engine: &Engine) -> Vec<(u32, ThreadScore)> {
        let of = |thread: &Thread| {
            let (first, ..) = thread.members.first()?;
            Some((*first, thread.score(usize::MAX, Mode::Whole, engine)?))
        };
        let scores = self.threads.iter().filter_map(of);
        scores.filter(|(_, score)| score.k >= engine.config.thread.fewest).collect()
    }

    /// The author's other comments, as far as comment `at` may see; the last [`MOST_COMPARED`] are compared with it.
    pub(super) fn past(&self, engine: &Engine, book: &Book, at: usize, mode: Mode) -> Option<OwnPast> {
        let own = self.authors.get(book.author(at)? as usize)?;
        let place = own.partition_point(|(other, ..)| (*other as usize) < at);
        let visible = if mode == Mode::AsOfArrival { place } else { own.len() };
        let includes_me = visible > place;
        let (mut k, mut sum) = sums(own, visible).unwrap_or((0, 0.0));
        if includes_me && let Some(term) = book.unusualness(engine, at) {
            k -= 1;
            sum -= term;
        }
        let others = own.get(..visible).unwrap_or_default().iter().map(|(other, ..)| *other as usize);
        Some(OwnPast {
            comments: visible - usize::from(includes_me),
            similarity: others
                .rev()
                .filter(|other| *other != at)
                .take(MOST_COMPARED)
                .map(|other| book.similarity(at, other))
                .fold(0.0, f64::max),
            unusual: (k >= 3).then(|| sum / k as f64),
        })
    }
}

impl Thread {
    /// Comments that count and the sum of their -log10 p, as far as comment `at` may see.
    fn sums(&self, at: usize, mode: Mode) -> Option<(usize, f64)> {
        let visible = if mode == Mode::AsOfArrival {
            self.members.partition_point(|(other, ..)| *other as usize <= at)
        } else {
            self.members.len()
        };
        sums(&self.members, visible)
    }

    pub(super) fn score(&self, at: usize, mode: Mode, engine: &Engine) -> Option<ThreadScore> {
        self.sums(at, mode).map(|(k, sum)| ThreadScore::of_sum(k, sum, &engine.config.thread))
    }

    /// What a signal may know of the others. Similarity and burst look at the [`MOST_COMPARED`] nearest unusual comments on either side.
    pub(super) fn view(&self, engine: &Engine, book: &Book, at: usize, mode: Mode) -> ThreadView {
        let place = self.unusual.partition_point(|other| (*other as usize) < at);
        let is_unusual = self.unusual.get(place).is_some_and(|other| *other as usize == at);
        let end = if mode == Mode::AsOfArrival { place } else { self.unusual.len() };
        let near = self.unusual.get(place.saturating_sub(MOST_COMPARED)..end.min(place + MOST_COMPARED));
        let counts = book.unusualness(engine, at).is_some();
        let mut view = ThreadView {
            others: self.sums(at, mode).map_or(0, |(k, _)| k) - usize::from(counts),
            unusual: end - usize::from(is_unusual && end > place),
            ..ThreadView::default()
        };
        let (mut similar, mut compared) = (0.0, 0);
        let near = near.unwrap_or_default().iter().map(|other| *other as usize);
        for other in near.filter(|other| *other != at) {
            similar += book.similarity(at, other);
            compared += 1;
            let soon = book
                .time(at)
                .zip(book.time(other))
                .is_some_and(|(a, b)| (a - b).abs() <= i64::from(engine.config.thread.burst_seconds));
            view.burst += usize::from(soon && !book.is_same_author(at, other));
        }
        view.similarity = similar / f64::from(compared.max(1));
        view
    }
}

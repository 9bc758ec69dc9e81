//! Judging a whole file: text first, then copies and threads, then verdicts.
//!
//! Three modes: each comment with the whole file ([`Mode::Whole`]), with what came before it ([`Mode::AsOfArrival`]), or by
//! its text alone ([`Mode::Isolated`]). Texts are judged in parallel and go into a `book`; `links` finds the copies in it, `company` the threads and authors;
//! then each comment is assessed with what those know. Everything goes by the comments' order, so the outcome does not depend on the number of threads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::book::{Book, Fact};
use super::company::Company;
use super::links::Links;
use super::order::Order;
use super::records::Articles;
use crate::domain::{Assessment, Because, Campaign, Comment, Id};
use crate::engine::{Engine, Place, Standing, TextScore, ThreadScore};
use crate::signals::{Copy, History, Known};
use crate::similarity::{CampaignId, Features, Sketch, align};
use crate::text::{Analysis, Context, Language, Reference};

/// What a comment is judged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole file.
    Whole,
    /// What came before it: by time, in file order where times are the same or missing.
    AsOfArrival,
    /// Its text alone: neither article nor parent, no other comments.
    Isolated,
}

/// The outcome of judging a file.
#[derive(Debug)]
pub struct Judged {
    /// One a comment, in file order.
    pub assessments: Vec<Assessment>,
    /// Campaigns by two or more authors, largest first.
    pub campaigns: Vec<Campaign>,
    /// Stage one of every comment.
    pub scores: Vec<TextScore>,
    /// Every thread with enough judged comments.
    pub threads: BTreeMap<ThreadKey, ThreadScore>,
}

/// A thread's name: site and id.
pub type ThreadKey = (Option<Id>, Id);

/// The most earlier comments of an author or a thread that a comment is compared with.
pub(super) const MOST_COMPARED: usize = 50;

/// Judges comments. An article that is not given is simply missing.
pub fn judge(engine: &Engine, comments: &[Comment], articles: &Articles, mode: Mode) -> Judged {
    judge_with_points(engine, comments, articles, mode, &[])
}

/// As [`judge`], with text points from elsewhere where there are any, one entry a comment: how an evaluation judges every
/// comment by a model that did not learn from it. Evidence still speaks of the engine's own model.
pub fn judge_with_points(
    engine: &Engine,
    comments: &[Comment],
    articles: &Articles,
    mode: Mode,
    points: &[Option<f64>],
) -> Judged {
    let references = References::new(comments, articles, mode);
    let texts: Vec<(TextScore, Option<Sketch>)> = comments
        .par_iter()
        .enumerate()
        .map(|(at, comment)| {
            let analysis = references.analyse(comment);
            let mut score = engine.score_text(comment, &analysis, references.article(comment), None);
            if let Some(points) = points.get(at).copied().flatten().filter(|_| !score.abstained) {
                score.points = points;
                score.p = engine.model.reference().p(points as f32);
            }
            let sketch = if mode == Mode::Isolated {
                None
            } else {
                Sketch::new(&Features::new(&analysis, references.article(comment)))
            };
            (score, sketch)
        })
        .collect();
    let order = Order::new(mode, comments.iter().map(|c| c.created_at.map(|at| at.timestamp())));
    let mut book = Book::with_capacity(comments.len());
    for place in (0..comments.len()).map(|rank| order.place(rank)) {
        if let (Some(comment), Some((score, sketch))) = (comments.get(place), texts.get(place)) {
            book.push(&Fact::new(comment, score, *sketch));
        }
    }
    let record = Record::new(engine, book, mode);
    let told = |rank: usize| comments.get(order.place(rank));
    let assessments = comments
        .par_iter()
        .zip(&texts)
        .enumerate()
        .map(|(at, (comment, (text, _)))| {
            let analysis = references.analyse(comment);
            let id_of = |other: usize| told(other).map(|other| other.id.clone()).unwrap_or_default();
            let one = One {
                at: order.rank(at),
                comment,
                analysis: &analysis,
                article: references.article(comment),
                text: Some(text),
                permits: Permits::default(),
            };
            record.assess(engine, &one, &id_of).assessment
        })
        .collect();
    let campaigns = record.links.campaigns.iter().map(|(id, members)| {
        let records: Vec<&Comment> = members.iter().filter_map(|at| told(*at as usize)).collect();
        let words: Vec<Vec<String>> = records
            .iter()
            .take(align::MOST_MEMBERS)
            .map(|comment| align::words(&references.analyse(comment)))
            .collect();
        describe(*id, &records, &words)
    });
    Judged {
        campaigns: campaigns.collect(),
        threads: record
            .thread_scores(engine)
            .into_iter()
            .filter_map(|(first, score)| {
                let comment = told(first as usize)?;
                Some(((comment.site.clone(), comment.thread()?.clone()), score))
            })
            .collect(),
        assessments,
        scores: texts.into_iter().map(|(score, _)| score).collect(),
    }
}

/// A campaign from its members in order and the words of its first ones.
pub(super) fn describe(id: CampaignId, records: &[&Comment], words: &[Vec<String>]) -> Campaign {
    let threads: BTreeSet<_> = records.iter().filter_map(|c| Some((c.site.as_ref(), c.thread()?))).collect();
    let known: BTreeSet<_> =
        records.iter().filter_map(|c| Some((c.site.as_ref(), c.author_key()?))).collect();
    let unknown = records.iter().filter(|c| c.author_key().is_none()).count();
    Campaign {
        id: id.to_string().into(),
        members: records.iter().map(|c| c.id.clone()).collect(),
        authors: known.len() + unknown,
        articles: threads.len().max(1),
        first_seen: records.iter().filter_map(|c| c.created_at).min(),
        last_seen: records.iter().filter_map(|c| c.created_at).max(),
        skeleton: align::skeleton(words),
    }
}

/// A comment with what its text is judged by.
pub(super) struct One<'a> {
    /// Its place in the book.
    pub(super) at: usize,
    pub(super) comment: &'a Comment,
    pub(super) analysis: &'a Analysis<'a>,
    pub(super) article: Option<&'a Reference>,
    /// Its text's score, where that comes from elsewhere.
    pub(super) text: Option<&'a TextScore>,
    pub(super) permits: Permits,
}

/// What people have allowed a comment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Permits {
    /// Its author is trusted.
    pub(super) trusted: bool,
    /// It belongs to a campaign that is legitimate.
    pub(super) allowed: bool,
}

/// An assessment with the numbers behind it.
pub(super) struct Outcome {
    pub(super) assessment: Assessment,
    pub(super) text: TextScore,
    pub(super) standing: Standing,
}

/// A book with everything that was made of it: what stage two asks.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) book: Book,
    pub(super) links: Links,
    company: Company,
    mode: Mode,
}

impl Record {
    /// Finds copies, threads and authors.
    pub(super) fn new(engine: &Engine, book: Book, mode: Mode) -> Self {
        let links =
            if mode == Mode::Isolated { Links::none(book.len()) } else { Links::new(engine, &book, mode) };
        Self { company: Company::new(engine, &book, mode), links, book, mode }
    }

    /// The whole threads that have enough judged comments: a comment of each, with the score.
    pub(super) fn thread_scores(&self, engine: &Engine) -> Vec<(u32, ThreadScore)> {
        self.company.scores(engine)
    }

    /// The assessment of a comment; `id_of` names other comments.
    pub(super) fn assess(&self, engine: &Engine, one: &One<'_>, id_of: &dyn Fn(usize) -> Id) -> Outcome {
        let &One { at, comment, analysis, article, .. } = one;
        let mut evidence = Vec::new();
        let own = engine.score_text(comment, analysis, article, Some(&mut evidence));
        let text = one.text.unwrap_or(&own);
        let thread =
            self.company.thread(&self.book, at).and_then(|thread| thread.score(at, self.mode, engine));
        let campaign = self.links.standing(at).filter(|standing| standing.shared);
        let counts = campaign.filter(|_| !one.permits.allowed);
        let known = (self.mode != Mode::Isolated).then(|| self.history(engine, at, id_of));
        let standing = Standing {
            thread,
            copied: counts.is_some(),
            campaign_authors: counts.map_or(0, |standing| standing.known as usize),
            trusted: one.permits.trusted,
        };
        let place = Place {
            standing,
            campaign: campaign.map(|standing| standing.campaign.to_string().into()),
            history: known.as_ref().map(|known| known as &dyn History),
        };
        let assessment = engine.assess(comment, analysis, article, text, evidence, &place);
        Outcome { assessment, text: text.clone(), standing }
    }

    fn history(&self, engine: &Engine, at: usize, id_of: &dyn Fn(usize) -> Id) -> Known {
        let copies = self.links.copies(at).iter().map(|copied| {
            let other = copied.other as usize;
            Copy {
                id: id_of(other),
                jaccard: f64::from(copied.jaccard),
                skeleton: f64::from(copied.skeleton),
                same_author: self.book.is_same_author(at, other),
            }
        });
        let thread = self.company.thread(&self.book, at);
        Known {
            copies: copies.collect(),
            thread: thread.map(|thread| thread.view(engine, &self.book, at, self.mode)).unwrap_or_default(),
            own_past: self.company.past(engine, &self.book, at, self.mode),
        }
    }
}

/// The words of articles and parents, made once.
pub(super) struct References<'a> {
    articles: HashMap<(Option<&'a Id>, &'a Id), Reference>,
    parents: HashMap<(Option<&'a Id>, &'a Id), Reference>,
}

impl<'a> References<'a> {
    fn new(comments: &'a [Comment], articles: &'a Articles, mode: Mode) -> Self {
        if mode == Mode::Isolated {
            return Self { articles: HashMap::new(), parents: HashMap::new() };
        }
        let wanted: BTreeMap<(Option<&Id>, &Id), &Comment> =
            comments.iter().filter_map(|c| Some(((c.site.as_ref(), c.article_id.as_ref()?), c))).collect();
        let articles = wanted
            .into_par_iter()
            .filter_map(|(key, comment)| Some((key, articles.of(comment)?)))
            .map(|(key, article)| {
                (key, Reference::new(&article.title, article.body.as_deref().unwrap_or_default()))
            })
            .collect();
        let wanted: BTreeSet<(Option<&Id>, &Id)> =
            comments.iter().filter_map(|c| Some((c.site.as_ref(), c.parent_id.as_ref()?))).collect();
        let parents = comments
            .par_iter()
            .filter(|c| wanted.contains(&(c.site.as_ref(), &c.id)))
            .map(|c| ((c.site.as_ref(), &c.id), Reference::new("", &c.text)))
            .collect();
        Self { articles, parents }
    }

    fn article(&self, comment: &'a Comment) -> Option<&Reference> {
        self.articles.get(&(comment.site.as_ref(), comment.article_id.as_ref()?))
    }

    pub(super) fn analyse<'t>(&self, comment: &'t Comment) -> Analysis<'t> {
        let parent = comment.parent_id.as_ref().and_then(|id| self.parents.get(&(comment.site.as_ref(), id)));
        let lang = comment.lang.as_deref().and_then(Language::parse);
        Analysis::new(&comment.text, &Context { article: self.article(comment), parent, lang })
    }
}

/// How many assessments carry each reason.
pub fn reasons(assessments: &[Assessment]) -> BTreeMap<Because, usize> {
    let mut counts = BTreeMap::new();
    for because in assessments.iter().flat_map(|a| &a.because) {
        *counts.entry(*because).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Config;
    use crate::domain::Level;
    use crate::engine::Model;
    use crate::rules::RuleSet;

    fn engine() -> Engine {
        let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        Engine {
            rules: RuleSet::load(None, today).unwrap(),
            model: Model::shipped().unwrap(),
            config: Config::default(),
        }
    }

    fn comment(id: usize, text: &str, author: &str) -> Comment {
        let wire =
            serde_json::json!({"id": id, "text": text, "author": author, "article_id": "a", "lang": "en"});
        serde_json::from_value(wire).unwrap()
    }

    const COPY: &str = "Join thousands of residents who have signed the petition against the new car park before Friday evening at nine.";

    #[test]
    fn unknown_authors_are_different_people_but_never_suffice_alone() {
        let engine = engine();
        let copies: Vec<Comment> = (0..5).map(|id| comment(id, COPY, "")).collect();
        let judged = judge(&engine, &copies, &Articles::default(), Mode::Whole);
        assert!(judged.assessments.iter().all(|a| a.campaign_id.is_some()));
        assert!(judged.assessments.iter().all(|a| !a.because.contains(&Because::Campaign)));
    }

    #[test]
    fn one_author_repeating_himself_is_no_campaign() {
        let copies: Vec<Comment> = (0..5).map(|id| comment(id, COPY, "bob")).collect();
        let judged = judge(&engine(), &copies, &Articles::default(), Mode::Whole);
        assert!(judged.campaigns.is_empty() && judged.assessments.iter().all(|a| a.campaign_id.is_none()));
        assert!(judged.assessments.iter().any(|a| a.evidence.iter().any(|e| e.signal == "self-similarity")));
    }

    #[test]
    fn three_known_authors_make_a_campaign_that_is_shown() {
        let copies: Vec<Comment> =
            ["ann", "bob", "cy"].iter().enumerate().map(|(id, author)| comment(id, COPY, author)).collect();
        let judged = judge(&engine(), &copies, &Articles::default(), Mode::Whole);
        assert_eq!(judged.campaigns.len(), 1);
        assert!(judged.assessments.iter().all(|a| a.because.contains(&Because::Campaign)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn points_of_a_level_add_up_and_evidence_is_sorted(
            words in prop::collection::vec(
                prop::sample::select(vec!["the", "article", "raises", "important", "questions", "I", "my", "wife", "1987", "crucial", "balanced", ".", "!", "lol", "nu\u{200b}anced", "thank", "you", "for", "sharing", "Bob", "http://x.example"]),
                0..60,
            )
        ) {
            let text = words.join(" ");
            let comments = [comment(1, &text, "ann"), comment(2, &text, "bob"), comment(3, "Something else entirely, I think.", "cy")];
            for assessment in judge(&engine(), &comments, &Articles::default(), Mode::Whole).assessments {
                for (level, total) in [(Level::Text, assessment.points.text), (Level::Thread, assessment.points.thread), (Level::History, assessment.points.history)] {
                    let sum: f64 = assessment.evidence.iter().filter(|e| e.level == level).map(|e| e.points).sum();
                    prop_assert!((sum - total).abs() < 1e-3, "{level:?}: {sum} is not {total}");
                }
                prop_assert!(assessment.evidence.windows(2).all(|w| w[0].points.abs() >= w[1].points.abs()));
                prop_assert!((0.0..=1.0).contains(&assessment.score));
                prop_assert!(assessment.evidence.iter().all(|e| !e.message.is_empty()));
            }
        }
    }
}

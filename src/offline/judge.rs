//! Judging a whole file: text first, then copies and threads, then verdicts.
//!
//! Three modes: each comment with the whole file ([`Mode::Whole`]), with what came before it ([`Mode::AsOfArrival`]), or by
//! its text alone ([`Mode::Isolated`]). Texts are judged in parallel; the index is filled in file order, so the outcome does
//! not depend on the number of threads.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use super::records::Articles;
use crate::domain::{Assessment, Because, Campaign, Comment, Id};
use crate::engine::{Engine, Linking, Place, Standing, TextScore, ThreadScore};
use crate::signals::{Copy, History, Known, OwnPast, ThreadView};
use crate::similarity::{CampaignId, Campaigns, Features, Index, Sketch, align};
use crate::text::{Analysis, Context, Language, Reference};

/// What a comment is judged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole file.
    Whole,
    /// What stands before it in the file.
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
const MOST_COMPARED: usize = 50;
/// p at or below which a comment of a thread is unusual.
const UNUSUAL_P: f64 = 0.05;
/// Comments within this many seconds count as one burst.
const BURST_SECONDS: i64 = 600;

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
    let links = if mode == Mode::Isolated {
        Links::none(comments.len())
    } else {
        Links::new(engine, comments, &texts, mode)
    };
    let threads = Threads::new(engine, comments, &texts, mode);
    let authors = authors(engine, comments, &texts);
    let assessments = (0..comments.len())
        .into_par_iter()
        .filter_map(|at| assess(engine, comments, at, &texts, &references, &links, &threads, &authors, mode))
        .collect();
    let campaigns = links.describe(comments, &references);
    Judged {
        assessments,
        campaigns,
        threads: threads.scores(engine),
        scores: texts.into_iter().map(|(score, _)| score).collect(),
    }
}

/// The words of articles and parents, made once.
struct References<'a> {
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

    fn analyse<'t>(&self, comment: &'t Comment) -> Analysis<'t> {
        let parent = comment.parent_id.as_ref().and_then(|id| self.parents.get(&(comment.site.as_ref(), id)));
        let lang = comment.lang.as_deref().and_then(Language::parse);
        Analysis::new(&comment.text, &Context { article: self.article(comment), parent, lang })
    }
}

/// Verified near-duplicates of every comment, and the campaigns they make.
struct Links<'a> {
    copies: Vec<Vec<(usize, f64, f64)>>,
    /// Campaign and its known authors, as far as each comment may see.
    seen: Vec<Option<(CampaignId, usize, bool)>>,
    campaigns: Campaigns,
    /// The authors of each campaign, kept up to date as it grows.
    tallies: HashMap<CampaignId, Tally<'a>>,
}

/// Who takes part in a campaign.
#[derive(Default)]
struct Tally<'a> {
    known: HashSet<(Option<&'a Id>, &'a str)>,
    unknown: usize,
}

impl<'a> Tally<'a> {
    fn of(comment: &'a Comment) -> Self {
        let key = comment.author_key().map(|key| (comment.site.as_ref(), key));
        Self { unknown: usize::from(key.is_none()), known: key.into_iter().collect() }
    }

    /// Adds the smaller to the larger, so that growing one by one stays cheap.
    fn absorb(&mut self, mut other: Self) {
        if other.known.len() > self.known.len() {
            std::mem::swap(&mut self.known, &mut other.known);
        }
        self.known.extend(other.known);
        self.unknown += other.unknown;
    }
}

impl<'a> Links<'a> {
    fn none(count: usize) -> Self {
        Self {
            copies: vec![Vec::new(); count],
            seen: vec![None; count],
            campaigns: Campaigns::default(),
            tallies: HashMap::new(),
        }
    }

    fn new(
        engine: &Engine,
        comments: &'a [Comment],
        texts: &[(TextScore, Option<Sketch>)],
        mode: Mode,
    ) -> Self {
        let linking = Linking::new(&engine.config.campaign);
        let p = |at: usize| texts.get(at).filter(|(score, _)| !score.abstained).map(|(score, _)| score.p);
        let mut links = Self::none(comments.len());
        let mut index = Index::with_capacity(comments.len());
        let mut slots: Vec<usize> = Vec::new();
        let mut found = Vec::new();
        for (at, (comment, (_, sketch))) in comments.iter().zip(texts).enumerate() {
            let Some(sketch) = sketch else { continue };
            let Some(slot) = index.insert_then_query(sketch, 0, linking.wide(), &mut found) else { continue };
            slots.resize(slots.len().max(slot.0 as usize + 1), usize::MAX);
            if let Some(place) = slots.get_mut(slot.0 as usize) {
                *place = at;
            }
            for copy in &found {
                let Some(&other) = slots.get(copy.slot.0 as usize) else { continue };
                let Some(earlier) = comments.get(other) else { continue };
                let same_record = earlier.id == comment.id && earlier.site == comment.site;
                if same_record || !linking.admits(&copy.likeness, p(at), p(other)) {
                    continue;
                }
                let (jaccard, skeleton) = (copy.likeness.jaccard, copy.likeness.skeleton);
                if let Some(mine) = links.copies.get_mut(at) {
                    mine.push((other, jaccard, skeleton));
                }
                if mode == Mode::Whole
                    && let Some(theirs) = links.copies.get_mut(other)
                {
                    theirs.push((at, jaccard, skeleton));
                }
                links.link(comments, at, other);
            }
            if mode == Mode::AsOfArrival {
                let seen = links.standing(at);
                if let Some(place) = links.seen.get_mut(at) {
                    *place = seen;
                }
            }
        }
        if mode == Mode::Whole {
            links.seen = (0..comments.len()).map(|at| links.standing(at)).collect();
            for copies in &mut links.copies {
                copies.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            }
        }
        for copies in &mut links.copies {
            copies.truncate(MOST_COMPARED);
        }
        links
    }

    /// Links two comments and joins the authors of what they belonged to.
    fn link(&mut self, comments: &'a [Comment], at: usize, other: usize) {
        let before = [at, other].map(|member| self.campaigns.campaign_of(member as u32));
        self.campaigns.link(at as u32, other as u32, |member| name(comments, member));
        let Some(now) = self.campaigns.campaign_of(at as u32) else { return };
        for (member, was) in [at, other].into_iter().zip(before) {
            let joining = match was {
                None => comments.get(member).map(Tally::of),
                Some(id) if id != now => self.tallies.remove(&id),
                Some(_) => None,
            };
            if let Some(joining) = joining {
                self.tallies.entry(now).or_default().absorb(joining);
            }
        }
    }

    /// The campaign of a comment, its number of known authors, and whether two authors share it.
    fn standing(&self, at: usize) -> Option<(CampaignId, usize, bool)> {
        let id = self.campaigns.campaign_of(at as u32)?;
        let tally = self.tallies.get(&id)?;
        Some((id, tally.known.len(), tally.known.len() + tally.unknown >= 2))
    }

    fn describe(&self, comments: &[Comment], references: &References<'_>) -> Vec<Campaign> {
        let mut campaigns: Vec<Campaign> = self
            .campaigns
            .iter()
            .filter_map(|(id, members)| {
                let first = members.first().copied()? as usize;
                let (_, known, shared) = self.standing(first)?;
                if !shared {
                    return None;
                }
                let records: Vec<&Comment> =
                    members.iter().filter_map(|m| comments.get(*m as usize)).collect();
                let words: Vec<Vec<String>> = records
                    .iter()
                    .take(align::MOST_MEMBERS)
                    .map(|c| align::words(&references.analyse(c)))
                    .collect();
                let threads: BTreeSet<_> = records.iter().filter_map(|c| c.thread()).collect();
                let unknown = records.iter().filter(|c| c.author_key().is_none()).count();
                Some(Campaign {
                    id: id.to_string().into(),
                    members: records.iter().map(|c| c.id.clone()).collect(),
                    authors: known + unknown,
                    articles: threads.len().max(1),
                    first_seen: records.iter().filter_map(|c| c.created_at).min(),
                    last_seen: records.iter().filter_map(|c| c.created_at).max(),
                    skeleton: align::skeleton(&words),
                })
            })
            .collect();
        campaigns.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then(a.id.cmp(&b.id)));
        campaigns
    }
}

/// A stable name for a campaign that begins with this comment.
fn name(comments: &[Comment], member: u32) -> u64 {
    let Some(comment) = comments.get(member as usize) else { return 0 };
    let site = comment.site.as_ref().map(Id::as_str).unwrap_or_default();
    crate::text::stable_hash(format!("{site}\0{}", comment.id).as_bytes())
}

/// Comments by thread, with running sums, so that a long thread costs no more a comment than a short one.
struct Threads {
    threads: BTreeMap<ThreadKey, Thread>,
}

#[derive(Default)]
struct Thread {
    /// Each judged comment in file order, with the number of those that count and the sum of their -log10 p, itself included.
    members: Vec<(usize, usize, f64)>,
    /// Comments that count and whose p is at most [`UNUSUAL_P`], in file order.
    unusual: Vec<usize>,
}

impl Threads {
    fn new(engine: &Engine, comments: &[Comment], texts: &[(TextScore, Option<Sketch>)], mode: Mode) -> Self {
        let mut threads: BTreeMap<ThreadKey, Thread> = BTreeMap::new();
        if mode != Mode::Isolated {
            for (at, (comment, (score, _))) in comments.iter().zip(texts).enumerate() {
                let Some(thread) = comment.thread().filter(|_| !score.abstained) else { continue };
                let thread = threads.entry((comment.site.clone(), thread.clone())).or_default();
                let (mut k, mut sum) = thread.members.last().map_or((0, 0.0), |&(_, k, sum)| (k, sum));
                if score.words >= engine.config.text.thread_words {
                    k += 1;
                    sum -= score.p.log10();
                    if score.p <= UNUSUAL_P {
                        thread.unusual.push(at);
                    }
                }
                thread.members.push((at, k, sum));
            }
        }
        Self { threads }
    }

    fn of(&self, comment: &Comment) -> Option<&Thread> {
        self.threads.get(&(comment.site.clone(), comment.thread()?.clone()))
    }

    fn scores(&self, engine: &Engine) -> BTreeMap<ThreadKey, ThreadScore> {
        self.threads
            .iter()
            .filter_map(|(key, thread)| Some((key.clone(), thread.score(usize::MAX, Mode::Whole, engine)?)))
            .filter(|(_, score)| score.k >= engine.config.thread.fewest)
            .collect()
    }
}

impl Thread {
    /// Comments that count and the sum of their -log10 p, as far as comment `at` may see.
    fn sums(&self, at: usize, mode: Mode) -> Option<(usize, f64)> {
        let visible = if mode == Mode::AsOfArrival {
            self.members.partition_point(|(other, ..)| *other <= at)
        } else {
            self.members.len()
        };
        self.members.get(visible.checked_sub(1)?).map(|&(_, k, sum)| (k, sum))
    }

    fn score(&self, at: usize, mode: Mode, engine: &Engine) -> Option<ThreadScore> {
        self.sums(at, mode).map(|(k, sum)| ThreadScore::of_sum(k, sum, &engine.config.thread))
    }

    /// What a signal may know of the others. Similarity and burst look at the [`MOST_COMPARED`] nearest unusual comments on either side.
    fn view(
        &self,
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
            let soon = comment
                .created_at
                .zip(record.created_at)
                .is_some_and(|(a, b)| (a - b).num_seconds().abs() <= BURST_SECONDS);
            view.burst += usize::from(soon && !is_same_author(comment, record));
        }
        view.similarity = similar / f64::from(compared.max(1));
        view
    }
}

/// Whether two comments are certainly by one author.
fn is_same_author(a: &Comment, b: &Comment) -> bool {
    a.author_key().is_some() && a.site == b.site && a.author_key() == b.author_key()
}

/// Every author's comments in file order.
type Authors<'a> = HashMap<(Option<&'a Id>, &'a str), Author>;

#[derive(Default)]
struct Author {
    /// Each comment, with the number of those that count and the sum of their -log10 p, itself included.
    own: Vec<(usize, usize, f64)>,
}

fn authors<'a>(
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
fn unusualness(score: &TextScore, engine: &Engine) -> Option<f64> {
    (!score.abstained && score.words >= engine.config.text.thread_words).then(|| -score.p.log10())
}

impl Author {
    /// The author's other comments, as far as comment `at` may see; the last [`MOST_COMPARED`] are compared with it.
    fn past(&self, at: usize, mode: Mode, term: Option<f64>, similarity: impl Fn(usize) -> f64) -> OwnPast {
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

#[expect(clippy::too_many_arguments, reason = "the parts of one file's judgement, each borrowed")]
fn assess(
    engine: &Engine,
    comments: &[Comment],
    at: usize,
    texts: &[(TextScore, Option<Sketch>)],
    references: &References<'_>,
    links: &Links<'_>,
    threads: &Threads,
    authors: &Authors<'_>,
    mode: Mode,
) -> Option<Assessment> {
    let comment = comments.get(at)?;
    let analysis = references.analyse(comment);
    let article = references.article(comment);
    let mut evidence = Vec::new();
    engine.score_text(comment, &analysis, article, Some(&mut evidence));
    let (text, _) = texts.get(at)?;
    let thread = threads.of(comment).and_then(|thread| thread.score(at, mode, engine));
    let campaign = links.seen.get(at).copied().flatten().filter(|(_, _, shared)| *shared);
    let known =
        (mode != Mode::Isolated).then(|| history(engine, comments, at, texts, links, threads, authors, mode));
    let place = Place {
        standing: Standing {
            thread,
            copied: campaign.is_some(),
            campaign_authors: campaign.map_or(0, |(_, known, _)| known),
        },
        campaign: campaign.map(|(id, _, _)| id.to_string().into()),
        history: known.as_ref().map(|known| known as &dyn History),
    };
    Some(engine.assess(comment, &analysis, article, text, evidence, &place))
}

#[expect(clippy::too_many_arguments, reason = "the parts of one file's judgement, each borrowed")]
fn history(
    engine: &Engine,
    comments: &[Comment],
    at: usize,
    texts: &[(TextScore, Option<Sketch>)],
    links: &Links<'_>,
    threads: &Threads,
    authors: &Authors<'_>,
    mode: Mode,
) -> Known {
    let (Some(comment), Some((score, mine))) = (comments.get(at), texts.get(at)) else {
        return Known::default();
    };
    let copies = links
        .copies
        .get(at)
        .into_iter()
        .flatten()
        .filter_map(|&(other, jaccard, skeleton)| {
            let record = comments.get(other)?;
            let same_author = is_same_author(comment, record);
            Some(Copy { id: record.id.clone(), jaccard, skeleton, same_author })
        })
        .collect();
    let sketch = |other: usize| texts.get(other).and_then(|(_, sketch)| sketch.as_ref());
    let similarity =
        |other: usize| mine.as_ref().zip(sketch(other)).map_or(0.0, |(a, b)| a.content.jaccard(&b.content));
    let term = unusualness(score, engine);
    let thread = threads
        .of(comment)
        .map(|thread| thread.view(comments, at, term.is_some(), mode, similarity))
        .unwrap_or_default();
    let own_past = comment
        .author_key()
        .and_then(|key| authors.get(&(comment.site.as_ref(), key)))
        .map(|author| author.past(at, mode, term, similarity));
    Known { copies, thread, own_past }
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

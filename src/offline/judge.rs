//! Judging a whole file: text first, then copies and threads, then verdicts.
//!
//! Three modes: each comment with the whole file ([`Mode::Whole`]), with what came before it ([`Mode::AsOfArrival`]), or by
//! its text alone ([`Mode::Isolated`]). Texts are judged in parallel; the index is filled in file order, so the outcome does
//! not depend on the number of threads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use crate::domain::{
    Article, Assessment, Because, Campaign, Comment, Evidence, Id, Level, Points, ThreadSummary,
};
use crate::engine::{self, Engine, Standing, TextScore, ThreadScore, decide};
use crate::signals::{Copy, History, OwnPast, ThreadView};
use crate::similarity::index::Thresholds;
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
/// Comments within this many seconds count as one burst.
const BURST_SECONDS: i64 = 600;

/// Judges comments. `articles` are by id; unknown ones are simply missing.
pub fn judge(engine: &Engine, comments: &[Comment], articles: &HashMap<Id, Article>, mode: Mode) -> Judged {
    judge_with_points(engine, comments, articles, mode, &[])
}

/// As [`judge`], with text points from elsewhere where there are any, one entry a comment: how an evaluation judges every
/// comment by a model that did not learn from it. Evidence still speaks of the engine's own model.
pub fn judge_with_points(
    engine: &Engine,
    comments: &[Comment],
    articles: &HashMap<Id, Article>,
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
    let threads = Threads::new(comments, &texts, mode);
    let authors = authors(comments);
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
    articles: HashMap<&'a Id, Reference>,
    parents: HashMap<(Option<&'a Id>, &'a Id), Reference>,
}

impl<'a> References<'a> {
    fn new(comments: &'a [Comment], articles: &'a HashMap<Id, Article>, mode: Mode) -> Self {
        if mode == Mode::Isolated {
            return Self { articles: HashMap::new(), parents: HashMap::new() };
        }
        let wanted: BTreeSet<&Id> = comments.iter().filter_map(|c| c.article_id.as_ref()).collect();
        let articles = wanted
            .into_par_iter()
            .filter_map(|id| articles.get_key_value(id))
            .map(|(id, article)| {
                (id, Reference::new(&article.title, article.body.as_deref().unwrap_or_default()))
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

    fn article(&self, comment: &Comment) -> Option<&Reference> {
        self.articles.get(comment.article_id.as_ref()?)
    }

    fn analyse<'t>(&self, comment: &'t Comment) -> Analysis<'t> {
        let parent = comment.parent_id.as_ref().and_then(|id| self.parents.get(&(comment.site.as_ref(), id)));
        let lang = comment.lang.as_deref().and_then(Language::parse);
        Analysis::new(&comment.text, &Context { article: self.article(comment), parent, lang })
    }
}

/// Verified near-duplicates of every comment, and the campaigns they make.
struct Links {
    copies: Vec<Vec<(usize, f64, f64)>>,
    /// Campaign and its known authors, as far as each comment may see.
    seen: Vec<Option<(CampaignId, usize, bool)>>,
    campaigns: Campaigns,
}

impl Links {
    fn none(count: usize) -> Self {
        Self { copies: vec![Vec::new(); count], seen: vec![None; count], campaigns: Campaigns::default() }
    }

    fn new(engine: &Engine, comments: &[Comment], texts: &[(TextScore, Option<Sketch>)], mode: Mode) -> Self {
        let rules = &engine.config.campaign;
        let wide = Thresholds {
            jaccard: rules.jaccard.min(rules.jaccard_improbable),
            containment: rules.containment,
            skeleton: rules.skeleton,
        };
        let sure = Thresholds { jaccard: rules.jaccard, ..wide };
        let improbable = |at: usize| {
            texts.get(at).is_some_and(|(score, _)| !score.abstained && score.p <= rules.improbable_p)
        };
        let mut links = Self::none(comments.len());
        let mut index = Index::with_capacity(comments.len());
        let mut slots: Vec<usize> = Vec::new();
        let mut found = Vec::new();
        for (at, (comment, (_, sketch))) in comments.iter().zip(texts).enumerate() {
            let Some(sketch) = sketch else { continue };
            let Some(slot) = index.insert_then_query(sketch, 0, &wide, &mut found) else { continue };
            slots.resize(slots.len().max(slot.0 as usize + 1), usize::MAX);
            if let Some(place) = slots.get_mut(slot.0 as usize) {
                *place = at;
            }
            for copy in &found {
                let Some(&other) = slots.get(copy.slot.0 as usize) else { continue };
                let Some(earlier) = comments.get(other) else { continue };
                let same_record = earlier.id == comment.id && earlier.site == comment.site;
                let counts = sure.admit(&copy.likeness) || (improbable(at) && improbable(other));
                if same_record || !counts {
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
                links.campaigns.link(at as u32, other as u32, |member| name(comments, member));
            }
            if mode == Mode::AsOfArrival {
                let seen = links.standing(comments, at);
                if let Some(place) = links.seen.get_mut(at) {
                    *place = seen;
                }
            }
        }
        if mode == Mode::Whole {
            links.seen = (0..comments.len()).map(|at| links.standing(comments, at)).collect();
            for copies in &mut links.copies {
                copies.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            }
        }
        links
    }

    /// The campaign of a comment, its number of known authors, and whether two authors share it.
    fn standing(&self, comments: &[Comment], at: usize) -> Option<(CampaignId, usize, bool)> {
        let id = self.campaigns.campaign_of(at as u32)?;
        let mut known: BTreeSet<(Option<&Id>, &str)> = BTreeSet::new();
        let mut unknown = 0;
        for member in self.campaigns.members(id) {
            match comments.get(member as usize).map(|c| (c.site.as_ref(), c.author_key())) {
                Some((site, Some(key))) => drop(known.insert((site, key))),
                _ => unknown += 1,
            }
        }
        Some((id, known.len(), known.len() + unknown >= 2))
    }

    fn describe(&self, comments: &[Comment], references: &References<'_>) -> Vec<Campaign> {
        let mut campaigns: Vec<Campaign> = self
            .campaigns
            .iter()
            .filter_map(|(id, members)| {
                let first = members.first().copied()? as usize;
                let (_, known, shared) = self.standing(comments, first)?;
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

/// Comments by thread, and the p of those that count.
struct Threads {
    members: BTreeMap<ThreadKey, Vec<(usize, f64)>>,
}

impl Threads {
    fn new(comments: &[Comment], texts: &[(TextScore, Option<Sketch>)], mode: Mode) -> Self {
        let mut members: BTreeMap<ThreadKey, Vec<(usize, f64)>> = BTreeMap::new();
        if mode != Mode::Isolated {
            for (at, (comment, (score, _))) in comments.iter().zip(texts).enumerate() {
                if let Some(thread) = comment.thread()
                    && !score.abstained
                {
                    members
                        .entry((comment.site.clone(), thread.clone()))
                        .or_default()
                        .push((at, if score.words >= 8 { score.p } else { f64::NAN }));
                }
            }
        }
        Self { members }
    }

    /// The judged comments of a thread that a comment may see.
    fn visible(&self, comment: &Comment, at: usize, mode: Mode) -> &[(usize, f64)] {
        let Some(thread) = comment.thread() else { return &[] };
        let all =
            self.members.get(&(comment.site.clone(), thread.clone())).map(Vec::as_slice).unwrap_or_default();
        if mode == Mode::AsOfArrival {
            all.get(..all.partition_point(|(other, _)| *other <= at)).unwrap_or_default()
        } else {
            all
        }
    }

    fn scores(&self, engine: &Engine) -> BTreeMap<ThreadKey, ThreadScore> {
        self.members
            .iter()
            .map(|(key, members)| (key.clone(), score_of(members, engine)))
            .filter(|(_, score)| score.k >= engine.config.thread.fewest)
            .collect()
    }
}

fn score_of(members: &[(usize, f64)], engine: &Engine) -> ThreadScore {
    let ps: Vec<f64> = members.iter().map(|(_, p)| *p).filter(|p| !p.is_nan()).collect();
    ThreadScore::new(&ps, &engine.config.thread)
}

type Authors<'a> = HashMap<(Option<&'a Id>, &'a str), Vec<usize>>;

fn authors(comments: &[Comment]) -> Authors<'_> {
    let mut authors: Authors<'_> = HashMap::new();
    for (at, comment) in comments.iter().enumerate() {
        if let Some(key) = comment.author_key() {
            authors.entry((comment.site.as_ref(), key)).or_default().push(at);
        }
    }
    authors
}

/// What the signals may know of the rest of the file.
struct FileHistory {
    copies: Vec<Copy>,
    thread: ThreadView,
    own_past: Option<OwnPast>,
}

impl History for FileHistory {
    fn copies(&self) -> &[Copy] {
        &self.copies
    }

    fn thread(&self) -> ThreadView {
        self.thread
    }

    fn own_past(&self) -> Option<OwnPast> {
        self.own_past
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one file's judgement, each borrowed")]
fn assess(
    engine: &Engine,
    comments: &[Comment],
    at: usize,
    texts: &[(TextScore, Option<Sketch>)],
    references: &References<'_>,
    links: &Links,
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
    let visible = threads.visible(comment, at, mode);
    let thread = (!visible.is_empty()).then(|| score_of(visible, engine));
    let campaign = links.seen.get(at).copied().flatten().filter(|(_, _, shared)| *shared);
    if mode != Mode::Isolated {
        let history = history(comments, at, texts, links, visible, authors, mode);
        evidence.extend(engine.context_evidence(comment, &analysis, article, &history));
    }
    let standing = Standing {
        thread,
        copied: campaign.is_some(),
        campaign_authors: campaign.map_or(0, |(_, known, _)| known),
    };
    let (verdict, because) = decide(text, &standing, &engine.config);
    let summary = comment.thread().zip(thread).filter(|(_, t)| t.k >= engine.config.thread.fewest);
    let points = round_and_sort(&mut evidence);
    Some(Assessment {
        id: comment.id.clone(),
        score: if text.abstained { 0.0 } else { 1.0 - text.p },
        verdict,
        because,
        abstained: text.abstained,
        campaign_id: campaign.map(|(id, _, _)| id.to_string().into()),
        thread: summary.map(|(id, t)| ThreadSummary { id: id.clone(), alarm: t.alarm, p: t.p }),
        points,
        evidence,
        ruleset: engine.rules.digest().to_owned(),
        model: engine.model.digest().to_owned(),
        engine: engine::VERSION,
    })
}

/// Rounds points to four decimals, sorts by weight, and adds up the levels from the rounded points.
fn round_and_sort(evidence: &mut [Evidence]) -> Points {
    let round = |value: f64| (value * 1e4).round() / 1e4 + 0.0;
    for e in evidence.iter_mut() {
        e.points = round(e.points);
    }
    evidence.sort_by(|a, b| {
        b.points
            .abs()
            .total_cmp(&a.points.abs())
            .then_with(|| a.rule.cmp(&b.rule))
            .then_with(|| a.spans.cmp(&b.spans))
    });
    let total = |level: Level| round(evidence.iter().filter(|e| e.level == level).map(|e| e.points).sum());
    Points { text: total(Level::Text), thread: total(Level::Thread), history: total(Level::History) }
}

fn history(
    comments: &[Comment],
    at: usize,
    texts: &[(TextScore, Option<Sketch>)],
    links: &Links,
    visible: &[(usize, f64)],
    authors: &Authors<'_>,
    mode: Mode,
) -> FileHistory {
    let Some(comment) = comments.get(at) else {
        return FileHistory { copies: vec![], thread: ThreadView::default(), own_past: None };
    };
    let same_author = |other: &Comment| {
        comment.author_key().is_some()
            && other.site == comment.site
            && other.author_key() == comment.author_key()
    };
    let copies = links
        .copies
        .get(at)
        .into_iter()
        .flatten()
        .filter_map(|&(other, jaccard, skeleton)| {
            let record = comments.get(other)?;
            Some(Copy { id: record.id.clone(), jaccard, skeleton, same_author: same_author(record) })
        })
        .collect();
    let sketch = |i: usize| texts.get(i).and_then(|(_, sketch)| sketch.as_ref());
    let similarity = |i: usize| sketch(at).zip(sketch(i)).map_or(0.0, |(a, b)| a.content.jaccard(&b.content));
    let mut thread = ThreadView::default();
    let mut similar = 0.0;
    for &(other, p) in visible.iter().filter(|(other, p)| *other != at && !p.is_nan()) {
        thread.others += 1;
        if p > 0.05 {
            continue;
        }
        thread.unusual += 1;
        if thread.unusual <= MOST_COMPARED {
            similar += similarity(other);
        }
        let near = comment
            .created_at
            .zip(comments.get(other).and_then(|c| c.created_at))
            .is_some_and(|(a, b)| (a - b).num_seconds().abs() <= BURST_SECONDS);
        thread.burst += usize::from(near && !comments.get(other).is_some_and(same_author));
    }
    thread.similarity = similar / thread.unusual.clamp(1, MOST_COMPARED) as f64;
    let own_past =
        comment.author_key().and_then(|key| authors.get(&(comment.site.as_ref(), key))).map(|own| {
            let others: Vec<usize> =
                own.iter().copied().filter(|o| *o != at && (mode == Mode::Whole || *o < at)).collect();
            let judged: Vec<f64> = others
                .iter()
                .filter_map(|o| texts.get(*o))
                .filter(|(s, _)| !s.abstained && s.words >= 8)
                .map(|(s, _)| -s.p.log10())
                .collect();
            OwnPast {
                comments: others.len(),
                similarity: others
                    .iter()
                    .rev()
                    .take(MOST_COMPARED)
                    .map(|o| similarity(*o))
                    .fold(0.0, f64::max),
                unusual: (judged.len() >= 3).then(|| judged.iter().sum::<f64>() / judged.len() as f64),
            }
        });
    FileHistory { copies, thread, own_past }
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
        let judged = judge(&engine, &copies, &HashMap::new(), Mode::Whole);
        assert!(judged.assessments.iter().all(|a| a.campaign_id.is_some()));
        assert!(judged.assessments.iter().all(|a| !a.because.contains(&Because::Campaign)));
    }

    #[test]
    fn one_author_repeating_himself_is_no_campaign() {
        let copies: Vec<Comment> = (0..5).map(|id| comment(id, COPY, "bob")).collect();
        let judged = judge(&engine(), &copies, &HashMap::new(), Mode::Whole);
        assert!(judged.campaigns.is_empty() && judged.assessments.iter().all(|a| a.campaign_id.is_none()));
        assert!(judged.assessments.iter().any(|a| a.evidence.iter().any(|e| e.signal == "self-similarity")));
    }

    #[test]
    fn three_known_authors_make_a_campaign_that_is_shown() {
        let copies: Vec<Comment> =
            ["ann", "bob", "cy"].iter().enumerate().map(|(id, author)| comment(id, COPY, author)).collect();
        let judged = judge(&engine(), &copies, &HashMap::new(), Mode::Whole);
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
            for assessment in judge(&engine(), &comments, &HashMap::new(), Mode::Whole).assessments {
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

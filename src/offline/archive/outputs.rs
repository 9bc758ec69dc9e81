//! What a run leaves behind beside the assessments: `campaigns.jsonl`, `links.jsonl`, `threads.jsonl`, `plan.json`, `report.html`, and, last of all, `summary.json`: a
//! folder that has one is finished.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::report::{self, CampaignView, ThreadView};
use super::run::{Ended, Job, Place, Told};
use super::spool::{Name, Named, Spooled};
use super::state::{Identity, State, replace};
use super::{ArchiveError, file_error};
use crate::domain::{Because, Campaign, Comment, Id, Status, Verdict};
use crate::engine::ThreadScore;
use crate::intake::{facts_of, priority, tags};
use crate::offline::judge::{Outcome, describe};
use crate::similarity::align;
use crate::store::records::TextFacts;
use crate::text::Analysis;

/// Campaigns and threads that the report shows.
const SHOWN: usize = 40;
/// Members of a campaign whose ids are listed in `campaigns.jsonl`.
const MOST_MEMBERS: usize = 10_000;
/// The form of a plan.
pub const PLAN_FORM: &str = "claque-plan-2";

/// A change that a plan proposes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The comment's site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Id>,
    /// Its id.
    pub id: Id,
    /// What people are asked by the store; none where they are asked nothing, as of history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Verdict>,
    /// What would be.
    pub to: Verdict,
    /// Why.
    pub because: Vec<Because>,
    /// Its campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// How it stands in public.
    pub status: Status,
    /// What only a store needs; none where the plan was made from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<StoredChange>,
}

/// What a store needs to make a change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredChange {
    /// The comment's number.
    pub seq: i64,
    /// The order of the last word about it when the plan was made: with another one the plan is stale.
    pub standing_at: i64,
    /// The numbers of its text, by which a growing campaign or thread is judged later.
    pub facts: TextFacts,
    /// Order in the queue.
    pub priority: f64,
    /// What its card can be found by.
    pub tags: Vec<String>,
    /// The assessment that takes the place of the last one.
    pub assessment: Box<RawValue>,
}

impl Proposal {
    /// What is proposed for a comment, if anything: never against what people decided.
    pub(super) fn of(
        spooled: &Spooled,
        outcome: &Outcome,
        analysis: &Analysis<'_>,
        section: Option<&str>,
    ) -> Option<Self> {
        let Outcome { assessment, text, standing } = outcome;
        let campaign = assessment.campaign_id.as_ref().map(Id::to_string);
        let stored = spooled.stored.as_ref();
        let changes = match stored {
            Some(stored) if stored.decided.is_some() => false,
            // What is kept back waits for a person: without its card nobody would publish it.
            Some(stored) if stored.verdict == Verdict::Hold && assessment.verdict == Verdict::Allow => false,
            Some(stored) => {
                // What keeps a comment back stands in the configuration; a rescoring only says that people should see it.
                let is_same = stored.verdict == assessment.verdict
                    || (stored.verdict, assessment.verdict) == (Verdict::Hold, Verdict::Review);
                !is_same
                    || (assessment.verdict != Verdict::Allow
                        && (stored.unasked || stored.campaign != campaign))
            }
            None => assessment.verdict != Verdict::Allow,
        };
        if !changes {
            return None;
        }
        let facts = facts_of(text);
        let lang = analysis.language().map(|language| language.to_string());
        Some(Self {
            site: spooled.comment.site.clone(),
            id: spooled.comment.id.clone(),
            from: stored
                .filter(|stored| !stored.unasked || assessment.verdict == Verdict::Allow)
                .map(|stored| stored.verdict),
            to: assessment.verdict,
            because: assessment.because.clone(),
            campaign,
            status: spooled.comment.status.unwrap_or(Status::Published),
            stored: stored.map(|stored| StoredChange {
                seq: stored.seq,
                standing_at: stored.standing_at,
                priority: priority(&facts, standing),
                facts,
                tags: tags(assessment, lang.as_deref(), section),
                assessment: to_raw_value(assessment).unwrap_or_default(),
            }),
        })
    }
}

/// How a folder ended that is finished; none where it is not.
pub(super) fn finished(
    out: &Path,
    identity: &Identity,
    from_store: bool,
) -> Result<Option<Ended>, ArchiveError> {
    let path = out.join("summary.json");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error("cannot read", &path)(error)),
    };
    let damaged = || ArchiveError::Damaged(out.display().to_string());
    let summary: Value = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    let mut stored: Identity = serde_json::from_value(summary.get("made_with").cloned().unwrap_or_default())
        .map_err(|_| damaged())?;
    if from_store {
        stored.inputs.clone_from(&identity.inputs);
    }
    if let Some(what) = stored.difference(identity) {
        return Err(ArchiveError::OtherWork { path: out.display().to_string(), what });
    }
    // A crash after the last word may have left the work behind.
    let _ = std::fs::remove_dir_all(out.join(".work"));
    let number = |pointer: &str| summary.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    Ok(Some(Ended::Finished {
        comments: number("/counts/all/comments"),
        flagged: number("/counts/all/flagged"),
        rejects: number("/read/rejects"),
    }))
}

/// Writes everything, says that it is finished, and clears the work away.
pub(super) fn finish(
    job: &Job<'_>,
    place: &Place,
    state: &State,
    told: &Told,
) -> Result<Ended, ArchiveError> {
    let Some(campaigns) = campaigns(job, place, told)? else { return Ok(Ended::Stopped) };
    let threads = threads(job, place, told)?;
    plan(job, place, state)?;
    #[cfg(feature = "parquet")]
    if job.parquet {
        super::parquet::write(job.out)?;
    }
    let record = &told.record;
    let summary = json!({
        "made_with": state.identity,
        "read": super::run::read_counts(state),
        "formats": state.formats,
        "counts": state.tally,
        "campaigns": record.links.campaigns.len(),
        "campaigned_comments": record.links.campaigns.iter().map(|(_, members)| members.len()).sum::<usize>(),
        "threads_alarmed": threads.iter().filter(|thread| thread.alarm).count(),
    });
    let html =
        report::html(job.engine, state.formats.as_slice(), &state.read, &state.tally, &campaigns, &threads);
    replace(&job.out.join("report.html"), html.as_bytes())?;
    let text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    replace(&job.out.join("summary.json"), (text + "\n").as_bytes())?;
    std::fs::remove_dir_all(&place.work).map_err(file_error("cannot clear away", &place.work))?;
    Ok(Ended::Finished {
        comments: state.tally.all.comments,
        flagged: state.tally.all.flagged,
        rejects: state.read.rejects,
    })
}

/// Opens a file that takes its place when it is whole.
pub(super) fn half(path: &Path) -> Result<(BufWriter<File>, std::path::PathBuf), ArchiveError> {
    let mut half = path.as_os_str().to_owned();
    half.push(".new");
    let half = std::path::PathBuf::from(half);
    let file = File::create(&half).map_err(file_error("cannot write", &half))?;
    Ok((BufWriter::with_capacity(1 << 18, file), half))
}

pub(super) fn close(file: BufWriter<File>, half: &Path, path: &Path) -> Result<(), ArchiveError> {
    let done = file.into_inner().map_err(std::io::IntoInnerError::into_error);
    done.and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(half, path))
        .map_err(file_error("cannot write", path))
}

/// A campaign in `campaigns.jsonl`.
#[derive(Serialize)]
struct CampaignLine<'a> {
    #[serde(flatten)]
    campaign: &'a Campaign,
    size: usize,
    sites: &'a [String],
}

/// Writes all campaigns, largest first; the first of them for the report. None where the job was stopped meanwhile.
fn campaigns(job: &Job<'_>, place: &Place, told: &Told) -> Result<Option<Vec<CampaignView>>, ArchiveError> {
    let path = job.out.join("campaigns.jsonl");
    let (mut file, half) = half(&path)?;
    let mut shown = Vec::new();
    for (id, members) in &told.record.links.campaigns {
        if job.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let listed = members.iter().take(MOST_MEMBERS);
        let records: Vec<Spooled> =
            listed.map(|rank| place.spool.get(told.order.place(*rank as usize))).collect::<Result<_, _>>()?;
        let comments: Vec<&Comment> = records.iter().map(|one| &one.comment).collect();
        let words: Vec<Vec<String>> = comments
            .iter()
            .take(align::MOST_MEMBERS)
            .map(|comment| align::words(&Analysis::alone(&comment.text)))
            .collect();
        let mut campaign = describe(*id, &comments, &words);
        let crowd = Crowd::of(told, place, members)?;
        (campaign.authors, campaign.articles) = (crowd.authors, crowd.articles);
        (campaign.first_seen, campaign.last_seen) =
            (crowd.time(|times| times.min()), crowd.time(|times| times.max()));
        let line = CampaignLine { campaign: &campaign, size: members.len(), sites: &crowd.sites };
        file.write_all(&super::run::line(&line)).map_err(file_error("cannot write", &path))?;
        if shown.len() < SHOWN {
            shown.push(CampaignView::of(&campaign, members.len(), &comments, &crowd.times));
        }
    }
    close(file, &half, &path)?;
    Ok(Some(shown))
}

/// What all members of a campaign are together, however many.
struct Crowd {
    /// Known authors, and each unknown one.
    authors: usize,
    articles: usize,
    sites: Vec<String>,
    /// When its comments came, in seconds since 1970.
    times: Vec<i64>,
}

impl Crowd {
    fn of(told: &Told, place: &Place, members: &[u32]) -> Result<Self, ArchiveError> {
        let book = &told.record.book;
        let ranks = || members.iter().map(|rank| *rank as usize);
        let known: HashSet<u32> = ranks().filter_map(|rank| book.author(rank)).collect();
        let threads: HashSet<u32> = ranks().filter_map(|rank| book.thread(rank)).collect();
        let mut sites = BTreeSet::new();
        for rank in ranks() {
            let named: Named = place.spool.get(told.order.place(rank))?;
            sites.extend(named.comment.site.map(|site| site.to_string()));
        }
        Ok(Self {
            authors: known.len() + ranks().filter(|rank| book.author(*rank).is_none()).count(),
            articles: threads.len().max(1),
            sites: sites.into_iter().collect(),
            times: ranks().filter_map(|rank| book.time(rank)).collect(),
        })
    }

    fn time(
        &self,
        of: impl Fn(std::iter::Copied<std::slice::Iter<'_, i64>>) -> Option<i64>,
    ) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(of(self.times.iter().copied())?, 0)
    }
}

/// A verified pair in `links.jsonl`.
#[derive(Serialize)]
struct LinkLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a Id>,
    id: &'a Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier_site: Option<&'a Id>,
    earlier_id: &'a Id,
    jaccard: f64,
    skeleton: f64,
}

/// The verified pairs of a comment with earlier ones, as lines.
pub(super) fn links(
    told: &Told,
    rank: usize,
    comment: &Comment,
    name_of: &dyn Fn(usize) -> Result<Name, ArchiveError>,
) -> Result<Vec<u8>, ArchiveError> {
    let Told { record, .. } = told;
    let mut lines = Vec::new();
    let round = |share: f64| (share * 1e4).round() / 1e4;
    for earlier in record.links.earlier(rank) {
        let likeness = record.book.sketch(rank).zip(record.book.sketch(earlier));
        let Some(likeness) = likeness.map(|(a, b)| a.compare(b)) else { continue };
        let other = name_of(earlier)?;
        lines.extend(super::run::line(&LinkLine {
            site: comment.site.as_ref(),
            id: &comment.id,
            earlier_site: other.site.as_ref(),
            earlier_id: &other.id,
            jaccard: round(likeness.jaccard),
            skeleton: round(likeness.skeleton),
        }));
    }
    Ok(lines)
}

/// A thread in `threads.jsonl`.
#[derive(Serialize)]
struct ThreadLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a Id>,
    id: &'a Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    comments: usize,
    judged: usize,
    flagged: usize,
    mean: f64,
    alarm: bool,
    p: f64,
}

/// Writes all threads with enough judged comments, the least probable first; the first of them for the report.
fn threads(job: &Job<'_>, place: &Place, told: &Told) -> Result<Vec<ThreadView>, ArchiveError> {
    let record = &told.record;
    let path = job.out.join("threads.jsonl");
    let flags_path = place.work.join("flags.bin");
    let flags = std::fs::read(&flags_path).map_err(file_error("cannot read", &flags_path))?;
    let mut sizes: HashMap<u32, (usize, usize)> = HashMap::new();
    for (at, flag) in flags.iter().enumerate() {
        if let Some(thread) = record.book.thread(told.order.rank(at)) {
            let (comments, flagged) = sizes.entry(thread).or_default();
            *comments += 1;
            *flagged += usize::from(*flag);
        }
    }
    let mut scores: Vec<(u32, ThreadScore)> = record.thread_scores(job.engine);
    scores.sort_by(|a, b| a.1.p.total_cmp(&b.1.p).then(b.1.mean.total_cmp(&a.1.mean)).then(a.0.cmp(&b.0)));
    let (mut file, half) = half(&path)?;
    let mut shown = Vec::new();
    for (first, score) in scores {
        let spooled: Spooled = place.spool.get(told.order.place(first as usize))?;
        let comment = &spooled.comment;
        let Some(id) = comment.thread() else { continue };
        let thread = record.book.thread(first as usize).unwrap_or_default();
        let (comments, flagged) = sizes.get(&thread).copied().unwrap_or_default();
        let article = place.library.article(&place.articles, comment)?;
        let title = article.as_ref().map(|article| article.title.as_str()).filter(|title| !title.is_empty());
        let line = ThreadLine {
            site: comment.site.as_ref(),
            id,
            title,
            comments,
            judged: score.k,
            flagged,
            mean: (score.mean * 1e4).round() / 1e4,
            alarm: score.alarm,
            p: score.p,
        };
        file.write_all(&super::run::line(&line)).map_err(file_error("cannot write", &path))?;
        if shown.len() < SHOWN || score.alarm {
            shown.push(ThreadView {
                title: title.unwrap_or(id.as_str()).to_owned(),
                site: comment.site.as_ref().map(Id::to_string).unwrap_or_default(),
                comments,
                flagged,
                mean: format!("{:.2}", score.mean),
                p: score.p,
                alarm: score.alarm,
            });
        }
    }
    close(file, &half, &path)?;
    Ok(shown)
}

/// A campaign that would come to the queue on one card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// The site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Id>,
    /// The campaign.
    pub campaign: String,
    /// Comments of it that the plan brings.
    pub comments: usize,
    /// Those of them that readers see now.
    pub published: usize,
}

/// What of a proposal a sweep needs.
#[derive(Deserialize)]
struct SweepItem {
    #[serde(default)]
    site: Option<Id>,
    because: Vec<Because>,
    #[serde(default)]
    campaign: Option<String>,
    status: Status,
}

/// Writes the plan: its head, then the proposals as they were put down.
fn plan(job: &Job<'_>, place: &Place, state: &State) -> Result<(), ArchiveError> {
    let path = job.out.join("plan.json");
    let (mut file, half) = half(&path)?;
    let failed = || file_error("cannot write", &path);
    let from_store = state.identity.inputs.iter().any(|input| input.starts_with("store "));
    let head = json!({
        "form": PLAN_FORM,
        "from": if from_store { "store" } else { "files" },
        "ruleset": state.identity.ruleset,
        "model": state.identity.model,
        "engine": state.identity.engine,
        "mode": state.identity.mode,
    });
    let head = head.to_string();
    let head = head.strip_suffix('}').unwrap_or(&head);
    write!(file, "{head},\"items\":[").map_err(failed())?;
    let items_path = place.work.join("plan.items");
    let items = File::open(&items_path).map_err(file_error("cannot read", &items_path))?;
    let mut sweeps: BTreeMap<(Option<Id>, String), (usize, usize)> = BTreeMap::new();
    for (at, line) in BufReader::new(items).lines().enumerate() {
        let line = line.map_err(file_error("cannot read", &items_path))?;
        write!(file, "{}\n{line}", if at == 0 { "" } else { "," }).map_err(failed())?;
        let item: SweepItem = serde_json::from_str(&line)
            .map_err(|_| ArchiveError::Damaged(items_path.display().to_string()))?;
        if let Some(campaign) = item.campaign.filter(|_| item.because.contains(&Because::Campaign)) {
            let (comments, published) = sweeps.entry((item.site, campaign)).or_default();
            *comments += 1;
            *published += usize::from(item.status == Status::Published);
        }
    }
    let mut sweeps: Vec<Sweep> = sweeps
        .into_iter()
        .map(|((site, campaign), (comments, published))| Sweep { site, campaign, comments, published })
        .collect();
    sweeps.sort_by(|a, b| b.comments.cmp(&a.comments).then(a.campaign.cmp(&b.campaign)));
    let sweeps = serde_json::to_string(&sweeps).unwrap_or_default();
    write!(file, "\n],\"sweeps\":{sweeps}}}\n").map_err(failed())?;
    close(file, &half, &path)
}

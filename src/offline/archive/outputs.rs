//! What a run leaves behind beside the assessments: `campaigns.jsonl`, `links.jsonl`, `threads.jsonl`, `plan.json`, `report.html`, and, last of all, `summary.json`: a
//! folder that has one is finished.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::report::{self, CampaignView, ThreadView};
use super::run::{Ended, Job, Place};
use super::spool::Spooled;
use super::state::{Identity, State, replace};
use super::{ArchiveError, file_error};
use crate::domain::{Assessment, Because, Campaign, Comment, Id, Verdict};
use crate::engine::ThreadScore;
use crate::offline::judge::{Record, describe};
use crate::similarity::align;

/// Campaigns and threads that the report shows.
const SHOWN: usize = 40;
/// Members of a campaign whose ids are listed in `campaigns.jsonl`.
const MOST_MEMBERS: usize = 10_000;
/// The form of a plan.
pub const PLAN_FORM: &str = "claque-plan-1";

/// A change that a plan proposes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The comment's site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Id>,
    /// Its id.
    pub id: Id,
    /// Its number in the store; none where the plan was made from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The order of the last word about it when the plan was made: with another one the plan is stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_at: Option<i64>,
    /// What is proposed in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Verdict>,
    /// What would be.
    pub to: Verdict,
    /// Why.
    pub because: Vec<Because>,
    /// Its campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// Order in the queue.
    pub priority: f64,
    /// The assessment that takes the place of the last one; none where the plan was made from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Value>,
}

impl Proposal {
    /// What is proposed for a comment, if anything: never against what people decided.
    pub(super) fn of(spooled: &Spooled, assessment: &Assessment) -> Option<Self> {
        let campaign = assessment.campaign_id.as_ref().map(Id::to_string);
        let stored = spooled.stored.as_ref();
        let changes = match stored {
            Some(stored) if stored.decided.is_some() => false,
            Some(stored) => {
                stored.verdict != assessment.verdict
                    || (assessment.verdict != Verdict::Allow && stored.campaign != campaign)
            }
            None => assessment.verdict != Verdict::Allow,
        };
        let p = (1.0 - assessment.score).max(1e-12);
        changes.then(|| Self {
            site: spooled.comment.site.clone(),
            id: spooled.comment.id.clone(),
            seq: stored.map(|stored| stored.seq),
            standing_at: stored.map(|stored| stored.standing_at),
            from: stored.map(|stored| stored.verdict),
            to: assessment.verdict,
            because: assessment.because.clone(),
            campaign,
            priority: (-p.log10() * 1e3).round() / 1e3,
            assessment: stored.and_then(|_| serde_json::to_value(assessment).ok()),
        })
    }
}

/// How a folder ended that is finished; none where it is not.
pub(super) fn finished(out: &Path, identity: &Identity) -> Result<Option<Ended>, ArchiveError> {
    let path = out.join("summary.json");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error("cannot read", &path)(error)),
    };
    let damaged = || ArchiveError::Damaged(out.display().to_string());
    let summary: Value = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    let stored: Identity = serde_json::from_value(summary.get("made_with").cloned().unwrap_or_default())
        .map_err(|_| damaged())?;
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
    record: &Record,
) -> Result<Ended, ArchiveError> {
    let campaigns = campaigns(job, place, record)?;
    let threads = threads(job, place, record)?;
    links(job, place, record)?;
    plan(job, place, state)?;
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
fn half(path: &Path) -> Result<(BufWriter<File>, std::path::PathBuf), ArchiveError> {
    let mut half = path.as_os_str().to_owned();
    half.push(".new");
    let half = std::path::PathBuf::from(half);
    let file = File::create(&half).map_err(file_error("cannot write", &half))?;
    Ok((BufWriter::with_capacity(1 << 18, file), half))
}

fn close(file: BufWriter<File>, half: &Path, path: &Path) -> Result<(), ArchiveError> {
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
    sites: Vec<String>,
}

/// Writes all campaigns, largest first; the first of them for the report.
fn campaigns(job: &Job<'_>, place: &Place, record: &Record) -> Result<Vec<CampaignView>, ArchiveError> {
    let path = job.out.join("campaigns.jsonl");
    let (mut file, half) = half(&path)?;
    let mut shown = Vec::new();
    for (id, members) in &record.links.campaigns {
        let listed = members.iter().take(MOST_MEMBERS);
        let records: Vec<Spooled> =
            listed.map(|at| place.spool.get(*at as usize)).collect::<Result<_, _>>()?;
        let comments: Vec<&Comment> = records.iter().map(|one| &one.comment).collect();
        let words: Vec<Vec<String>> = comments
            .iter()
            .take(align::MOST_MEMBERS)
            .map(|comment| align::words(&crate::text::Analysis::alone(&comment.text)))
            .collect();
        let campaign = describe(*id, &comments, &words);
        let mut sites: Vec<String> =
            comments.iter().filter_map(|c| c.site.as_ref()).map(Id::to_string).collect();
        sites.sort_unstable();
        sites.dedup();
        let line = CampaignLine { campaign: &campaign, size: members.len(), sites };
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        file.write_all(&bytes).map_err(file_error("cannot write", &path))?;
        if shown.len() < SHOWN {
            shown.push(CampaignView::of(&campaign, members.len(), &comments));
        }
    }
    close(file, &half, &path)?;
    Ok(shown)
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

/// Writes all verified pairs, by the later comment.
fn links(job: &Job<'_>, place: &Place, record: &Record) -> Result<(), ArchiveError> {
    let path = job.out.join("links.jsonl");
    let (mut file, half) = half(&path)?;
    for &(later, earlier) in &record.links.pairs {
        let likeness = record.book.sketch(later as usize).zip(record.book.sketch(earlier as usize));
        let Some(likeness) = likeness.map(|(a, b)| a.compare(b)) else { continue };
        let (a, b): (Spooled, Spooled) =
            (place.spool.get(later as usize)?, place.spool.get(earlier as usize)?);
        let round = |share: f64| (share * 1e4).round() / 1e4;
        let line = LinkLine {
            site: a.comment.site.as_ref(),
            id: &a.comment.id,
            earlier_site: b.comment.site.as_ref(),
            earlier_id: &b.comment.id,
            jaccard: round(likeness.jaccard),
            skeleton: round(likeness.skeleton),
        };
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        file.write_all(&bytes).map_err(file_error("cannot write", &path))?;
    }
    close(file, &half, &path)
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
fn threads(job: &Job<'_>, place: &Place, record: &Record) -> Result<Vec<ThreadView>, ArchiveError> {
    let path = job.out.join("threads.jsonl");
    let flags_path = place.work.join("flags.bin");
    let flags = std::fs::read(&flags_path).map_err(file_error("cannot read", &flags_path))?;
    let mut sizes: HashMap<u32, (usize, usize)> = HashMap::new();
    for (at, flag) in flags.iter().enumerate() {
        if let Some(thread) = record.book.thread(at) {
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
        let spooled: Spooled = place.spool.get(first as usize)?;
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
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        file.write_all(&bytes).map_err(file_error("cannot write", &path))?;
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
    for (at, line) in BufReader::new(items).lines().enumerate() {
        let line = line.map_err(file_error("cannot read", &items_path))?;
        write!(file, "{}\n{line}", if at == 0 { "" } else { "," }).map_err(failed())?;
    }
    file.write_all(b"\n]}\n").map_err(failed())?;
    close(file, &half, &path)
}

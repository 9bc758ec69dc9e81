//! A comment or a campaign as a card shows it: what it says with the evidence marked, why it is here, and what stands around it. Made from what the
//! store has; the similar comments are asked of the live index.

use askama::Template;
use serde::Deserialize;
use serde_json::Value;

use super::super::error::ApiError;
use super::super::review::LONGEST_NOTE;
use super::super::state::State;
use super::frame::{Frame, encoded};
use super::text::{self, Finding, Piece, Segment, When, excerpt, marked, one_in, one_in_short, person, when};
use super::words::{count, fill, say};
use crate::chart;
use crate::domain::Id;
use crate::store::StoreError;
use crate::store::records::{ArticleLine, CampaignCard, Listed, Note, PastDecision, QueueItem, Sites};

/// Characters of a row's excerpt.
const EXCERPT: usize = 220;
/// Comments shown before and after one in its thread.
const AROUND: usize = 3;
/// Look-alikes shown side by side.
const LOOK_ALIKES: usize = 4;
/// Earlier comments of the author.
const OWN: usize = 5;
/// Findings, and reasons, in the sentence that says why.
const NAMED: usize = 2;

/// What a stored assessment tells.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    pub(super) score: f64,
    pub(super) verdict: String,
    pub(super) because: Vec<String>,
    pub(super) abstained: bool,
    pub(super) trusted: bool,
    pub(super) campaign_id: Option<String>,
    pub(super) thread: Option<ToldThread>,
    pub(super) evidence: Vec<Finding>,
    pub(super) ruleset: String,
    pub(super) model: String,
    pub(super) engine: String,
}

/// How its thread looked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToldThread {
    pub(super) alarm: bool,
}

impl Told {
    /// Reads an assessment; what is not there is empty.
    pub(super) fn read(assessment: &Value) -> Self {
        Self::deserialize(assessment).unwrap_or_default()
    }
}

/// A text of a record.
pub(super) fn text_of(comment: &Value) -> &str {
    comment.get("text").and_then(Value::as_str).unwrap_or_default()
}

/// An author as a page names it.
#[derive(Debug, Clone, Default)]
pub(super) struct AuthorName {
    pub(super) name: String,
    /// The key under which the author has a page.
    pub(super) key: Option<String>,
}

/// The author of a record.
pub(super) fn author_of(comment: &Value) -> AuthorName {
    let part = |name: &str| {
        let part = comment.get("author").and_then(|author| author.get(name)).and_then(Value::as_str);
        part.filter(|part| !part.is_empty())
    };
    let key = part("id").or_else(|| part("name")).map(str::to_owned);
    let name = part("name").or_else(|| part("id")).map(|name| excerpt(name, 60));
    AuthorName { name: name.unwrap_or_else(|| say("card.no-author").to_owned()), key }
}

/// A small word about a card, with its meaning.
pub(super) struct Chip {
    pub(super) class: String,
    pub(super) text: String,
}

/// A card as a row of the list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) kind: String,
    pub(super) site: String,
    /// Its place in the order of the list.
    pub(super) rank: f64,
    pub(super) heading: String,
    pub(super) excerpt: String,
    pub(super) author: String,
    pub(super) rarity: String,
    pub(super) at: When,
    pub(super) chips: Vec<Chip>,
    pub(super) claimed_by: Option<String>,
    pub(super) campaign: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) size: i64,
    pub(super) escalated: bool,
}

impl Row {
    /// A card's row; `me` is whose claims are not worth a word.
    pub(super) fn of(item: &QueueItem, me: &str) -> Self {
        let mut chips: Vec<Chip> = item
            .because
            .iter()
            .map(|because| Chip { class: format!("b-{because}"), text: say_chip(because) })
            .collect();
        let mut add = |class: &str, key: &str| {
            chips.push(Chip { class: class.to_owned(), text: say(key).to_owned() });
        };
        if item.verdict == "hold" {
            add("b-hold", "row.held");
        }
        if item.escalated {
            add("b-escalated", "row.escalated");
        }
        if item.campaign.as_ref().is_some_and(|campaign| campaign.sweep.is_some()) {
            add("b-sweep", "row.sweep");
        }
        let claimed_by = item.claimed_by.as_deref().filter(|by| *by != me).map(person);
        let mut row = Self {
            id: item.id.clone(),
            version: item.version,
            kind: item.kind.clone(),
            site: item.site.clone(),
            rank: item.priority,
            heading: String::new(),
            excerpt: String::new(),
            author: String::new(),
            rarity: String::new(),
            at: when(item.opened_at),
            chips,
            claimed_by,
            campaign: None,
            comment: None,
            size: 1,
            escalated: item.escalated,
        };
        if let Some(campaign) = &item.campaign {
            row.heading = count("row.campaign", campaign.undecided);
            row.excerpt = excerpt(&campaign.sample, EXCERPT);
            row.author = count("row.authors", campaign.authors);
            row.at = when(campaign.last_seen);
            row.campaign = Some(campaign.id.clone());
            row.size = campaign.undecided;
        } else if let Some(comment) = &item.comment {
            let told = item.assessment.as_ref().map(Told::read).unwrap_or_default();
            row.heading = item.article.as_ref().map(title_of).unwrap_or_default();
            row.excerpt = excerpt(text_of(comment), EXCERPT);
            row.author = author_of(comment).name;
            row.rarity = if told.abstained { String::new() } else { one_in_short(1.0 - told.score) };
            row.comment = comment.get("id").and_then(Value::as_str).map(str::to_owned);
            if let Some(at) = comment.get("created_at").and_then(Value::as_str) {
                row.at =
                    chrono::DateTime::parse_from_rfc3339(at).map_or(row.at, |at| when(at.timestamp_millis()));
            }
        }
        row
    }
}

fn say_chip(because: &str) -> String {
    let key = format!("because.{because}.short");
    let text = say(&key);
    if text == key { because.to_owned() } else { text.to_owned() }
}

/// An article's headline, or what stands for it.
pub(super) fn title_of(article: &ArticleLine) -> String {
    if article.title.is_empty() { article.id.clone() } else { excerpt(&article.title, 200) }
}

/// One contribution to the score, as a bar.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) points: String,
    pub(super) svg: String,
    pub(super) messages: Vec<Message>,
    pub(super) total: bool,
}

/// What a finding says, and its place in the list.
pub(super) struct Message {
    pub(super) finding: usize,
    pub(super) text: String,
    pub(super) rule: Option<String>,
    pub(super) points: String,
}

/// The contributions of an assessment by signal, each bar beginning where the one before ended, and their sum.
pub(super) fn contributions(findings: &[Finding]) -> Vec<Bar> {
    let mut groups: Vec<(String, f64, Vec<usize>)> = Vec::new();
    for (at, finding) in findings.iter().enumerate() {
        match groups.iter_mut().find(|(signal, ..)| *signal == finding.signal) {
            Some((_, points, places)) => {
                *points += finding.points;
                places.push(at);
            }
            None => groups.push((finding.signal.clone(), finding.points, vec![at])),
        }
    }
    groups.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let mut ends = vec![0.0];
    for (_, points, _) in &groups {
        ends.push(ends.last().copied().unwrap_or(0.0) + points);
    }
    let (low, high) = ends.iter().fold((0.0f64, 0.0f64), |(low, high), end| (low.min(*end), high.max(*end)));
    let class = |points: f64| if points >= 0.0 { "up" } else { "down" };
    let mut bars: Vec<Bar> = groups
        .iter()
        .zip(&ends)
        .map(|((signal, points, places), from)| Bar {
            name: signal_name(signal),
            points: signed(*points),
            svg: chart::contribution(*from, from + points, low, high, class(*points)),
            messages: places
                .iter()
                .filter_map(|at| Some((*at, findings.get(*at)?)))
                .map(|(finding, found)| Message {
                    finding,
                    text: found.message.clone(),
                    rule: found.rule.clone(),
                    points: signed(found.points),
                })
                .collect(),
            total: false,
        })
        .collect();
    let sum = ends.last().copied().unwrap_or(0.0);
    if !bars.is_empty() {
        bars.push(Bar {
            name: say("card.sum").to_owned(),
            points: signed(sum),
            svg: chart::contribution(0.0, sum, low, high, class(sum)),
            messages: Vec::new(),
            total: true,
        });
    }
    bars
}

/// A signal's name for people.
pub(super) fn signal_name(signal: &str) -> String {
    let key = format!("signal.{signal}");
    let text = say(&key);
    if text == key { signal.to_owned() } else { text.to_owned() }
}

fn signed(points: f64) -> String {
    // A sum of roundings is shown as zero, not as minus zero.
    let points = if points.abs() < 0.005 { 0.0 } else { points };
    format!("{points:+.2}")
}

/// The sentence that says why a comment is here.
pub(super) fn sentence(told: &Told, status: &str) -> String {
    if told.trusted {
        return say("card.trusted-author").to_owned();
    }
    if told.because.is_empty() {
        let key = if told.abstained { "card.abstained" } else { "card.not-flagged" };
        return say(key).to_owned();
    }
    // The most telling reason in full, the others by their names: a sentence of six reasons explains nothing.
    let reasons: Vec<&str> = told.because.iter().take(1).map(|because| reason(because)).collect();
    let others: Vec<String> = told.because.iter().skip(1).map(|because| say_chip(because)).collect();
    let mut named: Vec<&Finding> = told
        .evidence
        .iter()
        .filter(|finding| finding.points > 0.0 && finding.signal != "text-model")
        .collect();
    named.sort_by(|a, b| b.points.total_cmp(&a.points));
    let reasons = reasons.concat();
    let named: Vec<&str> = named.iter().take(NAMED).map(|finding| finding.message.as_str()).collect();
    let key = if status == "pending" { "card.held-because" } else { "card.flagged-because" };
    let mut out = fill(key, &[("reasons", &reasons)]);
    if !named.is_empty() {
        out.push(' ');
        out.push_str(&fill("card.such-as", &[("what", &named.join("; "))]));
    }
    if !others.is_empty() {
        out.push(' ');
        out.push_str(&fill("card.also", &[("what", &others.join(", "))]));
    }
    out
}

fn reason(because: &str) -> &str {
    match because {
        "text" => say("because.text"),
        "corroborated" => say("because.corroborated"),
        "thread" => say("because.thread"),
        "campaign" => say("because.campaign"),
        "hidden-characters" => say("because.hidden-characters"),
        "rule" => say("because.rule"),
        other => other,
    }
}

/// A comment beside another.
pub(super) struct Beside {
    pub(super) id: String,
    pub(super) link: String,
    pub(super) author: String,
    pub(super) at: When,
    pub(super) text: String,
    pub(super) rarity: String,
    pub(super) status: String,
    pub(super) verdict: String,
    pub(super) decided_by: Option<String>,
    pub(super) heading: String,
}

impl Beside {
    /// A listed comment in a few words.
    pub(super) fn of(listed: &Listed, longest: usize) -> Self {
        Self {
            id: listed.id.clone(),
            link: format!("/comments/{}/{}", encoded(&listed.site), encoded(&listed.id)),
            author: author_of(&listed.comment).name,
            at: when(listed.at),
            text: excerpt(text_of(&listed.comment), longest),
            rarity: if listed.abstained { String::new() } else { one_in_short(listed.p) },
            status: listed.status.clone(),
            verdict: listed.verdict.clone(),
            decided_by: listed.decided_by.as_deref().map(person),
            heading: listed.article.as_ref().map(title_of).unwrap_or_default(),
        }
    }
}

/// A look-alike, side by side.
pub(super) struct LookAlike {
    pub(super) beside: Beside,
    pub(super) percent: i64,
    pub(super) own: Vec<Piece>,
    pub(super) other: Vec<Piece>,
}

/// What is known of the author of a comment.
pub(super) struct AuthorLine {
    pub(super) link: String,
    pub(super) numbers: String,
    pub(super) trusted: bool,
    pub(super) others: Vec<Beside>,
}

/// A past decision in a line.
pub(super) struct DecisionLine {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) reason: Option<String>,
    pub(super) note: Option<String>,
    pub(super) at: When,
    pub(super) undone: bool,
}

impl DecisionLine {
    pub(super) fn of(decision: &PastDecision) -> Self {
        let key = format!("action.{}.past", decision.action);
        let by = person(&decision.actor);
        Self {
            id: decision.id.clone(),
            text: fill(&key, &[("by", &by), ("n", &count("js.comments", decision.size))]),
            reason: decision.reason.as_deref().map(|reason| excerpt(reason, LONGEST_NOTE)),
            note: decision.note.as_deref().map(|note| excerpt(note, LONGEST_NOTE)),
            at: when(decision.at),
            undone: decision.undone_at.is_some(),
        }
    }
}

/// A note in a line.
pub(super) struct NoteLine {
    pub(super) text: String,
    pub(super) by: String,
    pub(super) at: When,
}

impl NoteLine {
    pub(super) fn of(note: &Note) -> Self {
        Self { text: excerpt(&note.text, LONGEST_NOTE), by: person(&note.actor), at: when(note.at) }
    }
}

/// A comment with everything around it.
#[derive(Template)]
#[template(path = "comment_view.html")]
pub(super) struct CommentView {
    pub(super) f: Frame,
    /// The tag of its headings: below a card's title, or right below the page's.
    pub(super) level: &'static str,
    pub(super) site: String,
    pub(super) id: String,
    pub(super) segments: Vec<Segment>,
    pub(super) is_cut: bool,
    pub(super) sentence: String,
    pub(super) rarity: String,
    pub(super) bars: Vec<Bar>,
    pub(super) abstained: bool,
    pub(super) alarm: bool,
    pub(super) author: AuthorName,
    pub(super) author_line: Option<AuthorLine>,
    pub(super) at: When,
    pub(super) status: String,
    pub(super) decided_by: Option<String>,
    pub(super) article: Option<ArticleLine>,
    pub(super) article_link: String,
    pub(super) parent: Option<Beside>,
    pub(super) around: Vec<Beside>,
    pub(super) look_alikes: Vec<LookAlike>,
    pub(super) campaign_link: Option<String>,
    pub(super) campaign_size: i64,
    pub(super) notes: Vec<NoteLine>,
    pub(super) decisions: Vec<DecisionLine>,
    pub(super) versions: String,
}

impl CommentView {
    /// Gathers what stands around a comment.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn load(
        state: &State,
        f: &Frame,
        sites: &Sites,
        listed: &Listed,
        assessment: &Value,
    ) -> Result<Self, ApiError> {
        let store = state.intake.store();
        let told = Told::read(assessment);
        let text = text_of(&listed.comment);
        let (segments, is_cut) = marked(text, &told.evidence);
        let (site, id) = (listed.site.clone(), Id::from(listed.id.as_str()));
        let parent = match listed.comment.get("parent_id").and_then(Value::as_str) {
            Some(parent) => match store.listed(site.clone(), Id::from(parent)).await {
                Ok((parent, _)) => Some(Beside::of(&parent, 400)),
                Err(StoreError::NotFound(_)) => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let around = store.around(site.clone(), id.clone(), AROUND).await?;
        let author = author_of(&listed.comment);
        let author_line = match &author.key {
            Some(key) => author_line(state, &site, key, &listed.id).await?,
            None => None,
        };
        let notes = store.notes(site.clone(), "comment", listed.id.clone()).await?;
        let decisions = store.decisions_about(site.clone(), id).await?;
        let campaign_size = match &listed.campaign {
            Some(campaign) => {
                store.campaign(site.clone(), campaign.clone()).await.map_or(0, |card| card.size)
            }
            None => 0,
        };
        Ok(Self {
            level: "h3",
            f: f.clone(),
            sentence: sentence(&told, &listed.status),
            rarity: if told.abstained { String::new() } else { one_in(1.0 - told.score) },
            bars: contributions(&told.evidence),
            abstained: told.abstained,
            alarm: told.thread.as_ref().is_some_and(|thread| thread.alarm),
            author_line,
            at: when(listed.at),
            status: listed.status.clone(),
            decided_by: listed.decided_by.as_deref().map(person),
            article_link: listed
                .comment
                .get("article_id")
                .and_then(Value::as_str)
                .map(|article| format!("/articles/{}/{}", encoded(&site), encoded(article)))
                .unwrap_or_default(),
            article: listed.article.clone(),
            parent,
            around: around.iter().map(|one| Beside::of(one, 240)).collect(),
            look_alikes: look_alikes(state, sites, listed, text).await?,
            campaign_link: listed
                .campaign
                .as_ref()
                .filter(|_| campaign_size > 1)
                .map(|campaign| format!("/campaigns/{}/{}", encoded(&site), encoded(campaign))),
            campaign_size,
            notes: notes.iter().map(NoteLine::of).collect(),
            decisions: decisions.iter().map(DecisionLine::of).collect(),
            versions: fill(
                "card.versions",
                &[("rules", &told.ruleset), ("model", &told.model), ("engine", &told.engine)],
            ),
            site: listed.site.clone(),
            id: listed.id.clone(),
            segments,
            is_cut,
            author,
        })
    }
}

async fn author_line(
    state: &State,
    site: &str,
    key: &str,
    own: &str,
) -> Result<Option<AuthorLine>, ApiError> {
    let page = match state.intake.store().author(site.to_owned(), Id::from(key)).await {
        Ok(page) => page,
        Err(StoreError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let numbers = fill(
        "card.author-numbers",
        &[
            ("comments", &count("card.comments", page.size)),
            ("approved", &page.approved),
            ("rejected", &page.rejected),
        ],
    );
    let others = page
        .comments
        .iter()
        .filter(|other| other.comment.get("id").and_then(Value::as_str).is_some_and(|id| id != own));
    let others = others.take(OWN).map(|other| Beside {
        id: String::new(),
        link: other
            .comment
            .get("id")
            .and_then(Value::as_str)
            .map(|id| format!("/comments/{}/{}", encoded(site), encoded(id)))
            .unwrap_or_default(),
        author: String::new(),
        at: when(other.at),
        text: excerpt(text_of(&other.comment), 160),
        rarity: one_in_short(1.0 - other.score),
        status: other.status.clone(),
        verdict: other.verdict.clone(),
        decided_by: other.decided_by.as_deref().map(person),
        heading: String::new(),
    });
    Ok(Some(AuthorLine {
        link: format!("/authors/{}/{}", encoded(site), encoded(key)),
        numbers,
        trusted: page.trusted,
        others: others.collect(),
    }))
}

async fn look_alikes(
    state: &State,
    sites: &Sites,
    listed: &Listed,
    text: &str,
) -> Result<Vec<LookAlike>, ApiError> {
    let found = state.intake.alike(listed.seq, listed.sketch.as_deref(), LOOK_ALIKES * 4);
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let seqs: Vec<i64> = found.iter().map(|(seq, _)| *seq).collect();
    let listing = crate::store::records::Listing::Seqs(seqs);
    let page = state.intake.store().list(sites.clone(), None, listing, None, LOOK_ALIKES * 4).await?;
    let mut out: Vec<LookAlike> = Vec::new();
    for (seq, likeness) in found {
        let Some(other) = page.comments.iter().find(|other| other.seq == seq) else { continue };
        let (own, others) = text::side_by_side(text, text_of(&other.comment));
        out.push(LookAlike {
            beside: Beside::of(other, 0),
            percent: (likeness * 100.0).round() as i64,
            own,
            other: others,
        });
        if out.len() == LOOK_ALIKES {
            break;
        }
    }
    Ok(out)
}

/// What a campaign's card says in its first line.
pub(super) fn campaign_sentence(card: &CampaignCard) -> String {
    fill(
        "campaign.sentence",
        &[
            ("comments", &count("card.comments", card.size)),
            ("authors", &count("row.authors", card.authors)),
            ("threads", &count("campaign.threads", card.threads)),
        ],
    )
}

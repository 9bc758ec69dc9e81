//! The live index: what is known of all current comments, in memory, so that a new one is placed among them in microseconds.
//!
//! A cache of the store: made from it at start, never asked for what must be durable. A newcomer is inserted before it is
//! looked up, so of two copies that arrive together at least one sees the other. What a newcomer changes about earlier comments
//! (a thread alarm, a campaign that is one now) comes back as [`Reassessed`] for the store.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::domain::{Because, Id, ThreadSummary, Verdict};
use crate::engine::{Engine, Linking, Standing, TextScore, ThreadScore, decide};
use crate::signals::{Copy, Known, OwnPast, ThreadView};
use crate::similarity::{CampaignId, Campaigns, Index, Sketch, Slot};
use crate::store::records::{Reassessed, TextFacts};

/// The most earlier comments of an author, a thread or a campaign that are looked at for one newcomer.
const MOST_COMPARED: usize = 50;
/// The most copies that a newcomer is linked to: one is enough to join, a few hold the campaign together when one goes.
const MOST_LINKED: usize = 16;
/// Milliseconds of the index's clock tick.
const TICK: i64 = 60_000;

/// A comment as the live index knows it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its number in the store; none while its first commit is under way.
    pub seq: Option<i64>,
    /// The site.
    pub site: String,
    /// The comment's id.
    pub id: String,
    /// Its thread.
    pub thread: Option<String>,
    /// Its author's key.
    pub author: Option<String>,
    /// When it was posted, in milliseconds.
    pub at: i64,
    /// The text's numbers.
    pub facts: TextFacts,
    /// Its signature.
    pub sketch: Option<Sketch>,
    /// The verdict that the store has.
    pub verdict: Verdict,
    /// The campaign that the store has.
    pub campaign: Option<String>,
    /// Whether it stands on its campaign's card in the store.
    pub on_campaign_card: bool,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a comment comes from, as far as that spares it something.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin {
    /// Its author is trusted: it is never proposed.
    pub trusted: bool,
    /// It came with a site's history, and not live: history alone queues nothing.
    pub history: bool,
    /// It belongs to a campaign that people allowed: copies are no reason.
    pub allowed: bool,
}

/// A newcomer's place.
#[derive(Debug)]
pub struct Placed {
    /// Its number here.
    pub number: u32,
    /// What signals may know.
    pub known: Known,
    /// Thread and campaign in numbers.
    pub standing: Standing,
    /// Its campaign.
    pub campaign: Option<String>,
    /// What it changed about earlier comments: to be stored with it.
    pub changed: Vec<Reassessed>,
    /// Order of this word among all.
    pub stamp: i64,
    /// How those stood before.
    before: Vec<(u32, Stored)>,
}

/// What the store has of a comment's standing.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    verdict: Verdict,
    campaign: Option<String>,
    on_campaign_card: bool,
}

/// A thread in running numbers, so that a newcomer costs the same under a long one.
#[derive(Default)]
struct Thread {
    members: Vec<u32>,
    /// Comments that count in its statistic, and the sum of their -log10 p.
    counted: usize,
    sum: f64,
    /// Those of them that are unusual.
    unusual: Vec<u32>,
}

impl Thread {
    fn add(&mut self, engine: &Engine, number: u32, facts: &TextFacts) {
        self.members.push(number);
        if counts(engine, facts) {
            self.counted += 1;
            self.sum -= facts.p.log10();
            if facts.p <= engine.config.thread.unusual_p {
                self.unusual.push(number);
            }
        }
    }

    fn take_out(&mut self, engine: &Engine, number: u32, facts: &TextFacts) {
        self.members.retain(|other| *other != number);
        self.unusual.retain(|other| *other != number);
        if counts(engine, facts) {
            self.counted = self.counted.saturating_sub(1);
            self.sum = if self.counted == 0 { 0.0 } else { self.sum + facts.p.log10() };
        }
    }
}

/// Who is in a campaign. One account name on two sites counts once: whether it is one person is not known.
#[derive(Default)]
struct Crowd {
    authors: HashSet<String>,
    unknown: usize,
}

impl Crowd {
    fn add(&mut self, author: Option<&str>) {
        match author {
            Some(author) if self.authors.contains(author) => {}
            Some(author) => drop(self.authors.insert(author.to_owned())),
            None => self.unknown += 1,
        }
    }
}

/// See the module's documentation.
#[derive(Default)]
pub struct Live {
    /// The time of the last word said about a comment, in microseconds: grows with every one, over restarts and processes too.
    clock: i64,
    /// How many comments it knows.
    known: usize,
    index: Index,
    members: Vec<Option<Member>>,
    slots: HashMap<Slot, u32>,
    slot_of: HashMap<u32, Slot>,
    by_seq: HashMap<i64, u32>,
    /// Hashes of the names of all comments that ever came: what is not here is new.
    names: HashSet<u64>,
    /// Removed in the store before their own commit was confirmed here.
    gone: HashSet<i64>,
    campaigns: Campaigns,
    /// Who is in a campaign, where that was counted.
    crowds: RefCell<HashMap<CampaignId, Crowd>>,
    threads: HashMap<(String, String), Thread>,
    authors: HashMap<(String, String), Vec<u32>>,
}

impl Live {
    /// How many comments it knows.
    pub fn len(&self) -> usize {
        self.known
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the similarity index.
    pub fn index_bytes(&self) -> usize {
        self.index.heap_bytes()
    }

    /// Whether a comment of this name may have come before; a "no" is certain as far as this process knows.
    pub fn may_know(&self, site: &str, id: &Id) -> bool {
        self.names.contains(&hash_of(site, id.as_str()))
    }

    /// Adds a comment and finds its place. With `queue`, earlier comments that it exposes may come into the queue.
    pub fn arrive(&mut self, engine: &Engine, member: &Member, queue: bool) -> Placed {
        let number = self.members.len() as u32;
        let alarm_before = self.thread_score(engine, member).is_some_and(|thread| thread.alarm);
        if let Some(thread) = &member.thread {
            let thread = self.threads.entry((member.site.clone(), thread.clone())).or_default();
            thread.add(engine, number, &member.facts);
        }
        if let Some(author) = &member.author {
            self.authors.entry((member.site.clone(), author.clone())).or_default().push(number);
        }
        if let Some(seq) = member.seq {
            self.by_seq.insert(seq, number);
        }
        self.names.insert(hash_of(&member.site, &member.id));
        self.members.push(Some(member.clone()));
        self.known += 1;
        let (copies, mut affected) = self.link(engine, number, member);
        let (standing, campaign) = self.standing(engine, number, member);
        if !alarm_before && standing.thread.is_some_and(|thread| thread.alarm) {
            affected
                .extend(self.thread_of(member).into_iter().flat_map(|thread| thread.members.iter().copied()));
        }
        affected.remove(&number);
        let known = Known {
            copies,
            thread: self.thread_view(engine, number, member),
            own_past: self.own_past(engine, member),
        };
        let mut placed = Placed {
            number,
            known,
            standing,
            campaign,
            changed: Vec::new(),
            stamp: self.tick(),
            before: Vec::new(),
        };
        for number in affected {
            let Some(before) = self.member(number).map(stored) else { continue };
            if let Some(changed) = self.changed(engine, number, queue) {
                placed.changed.push(changed);
                placed.before.push((number, before));
            }
        }
        placed
    }

    /// Takes a newcomer back that could not be stored, and what it changed with it.
    pub fn withdraw(&mut self, engine: &Engine, placed: &Placed) {
        for (number, before) in &placed.before {
            if let Some(Some(member)) = self.members.get_mut(*number as usize) {
                member.verdict = before.verdict;
                member.campaign.clone_from(&before.campaign);
                member.on_campaign_card = before.on_campaign_card;
            }
        }
        self.remove(engine, placed.number);
    }

    /// Notes that a newcomer was stored, and as what. Returns its own new standing where others arrived meanwhile.
    pub fn confirm(
        &mut self,
        engine: &Engine,
        placed: &Placed,
        seq: i64,
        verdict: Verdict,
        because: &[Because],
        queue: bool,
    ) -> Option<Reassessed> {
        if self.gone.remove(&seq) {
            self.remove(engine, placed.number);
            return None;
        }
        if let Some(Some(member)) = self.members.get_mut(placed.number as usize) {
            member.seq = Some(seq);
            member.verdict = verdict;
            member.on_campaign_card = because.contains(&Because::Campaign);
            member.campaign.clone_from(&placed.campaign);
            self.by_seq.insert(seq, placed.number);
        }
        self.changed(engine, placed.number, queue)
    }

    /// Every comment whose standing is not what the store has: after a start, what a crash left undone.
    pub fn all_changed(&mut self, engine: &Engine) -> Vec<Reassessed> {
        (0..self.members.len() as u32).filter_map(|number| self.changed(engine, number, true)).collect()
    }

    /// Forgets a comment by its number here.
    pub fn remove(&mut self, engine: &Engine, number: u32) {
        let Some(member) = self.members.get_mut(number as usize).and_then(Option::take) else { return };
        self.known = self.known.saturating_sub(1);
        if let Some(seq) = member.seq {
            self.by_seq.remove(&seq);
        }
        if let Some(id) = self.campaigns.campaign_of(number) {
            self.crowds.borrow_mut().remove(&id);
        }
        if let Some(slot) = self.slot_of.remove(&number) {
            self.slots.remove(&slot);
            self.index.remove(slot);
        }
        self.campaigns.remove(number);
        if let Some(thread) = &member.thread
            && let Some(thread) = self.threads.get_mut(&(member.site.clone(), thread.clone()))
        {
            thread.take_out(engine, number, &member.facts);
        }
        if let Some(author) = &member.author
            && let Some(list) = self.authors.get_mut(&(member.site.clone(), author.clone()))
        {
            list.retain(|other| *other != number);
        }
    }

    /// Counts every thread anew, after the thresholds have changed.
    pub fn recount(&mut self, engine: &Engine) {
        for thread in self.threads.values_mut() {
            let members = std::mem::take(thread).members;
            for number in members {
                if let Some(Some(member)) = self.members.get(number as usize) {
                    thread.add(engine, number, &member.facts);
                }
            }
        }
    }

    /// The comments most like a signature, by their numbers in the store, most alike first: content or skeleton Jaccard, whichever is more.
    pub fn alike(&self, engine: &Engine, sketch: &Sketch, most: usize) -> Vec<(i64, f64)> {
        let linking = Linking::new(&engine.config.campaign);
        let mut found = Vec::new();
        self.index.query(sketch, linking.wide(), &mut found);
        let mut alike: Vec<(i64, f64)> = found
            .iter()
            .filter_map(|copy| {
                let member = self.member(*self.slots.get(&copy.slot)?)?;
                Some((member.seq?, copy.likeness.jaccard.max(copy.likeness.skeleton)))
            })
            .collect();
        alike.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        alike.truncate(most);
        alike
    }

    /// Forgets a comment by its number in the store.
    pub fn remove_seq(&mut self, engine: &Engine, seq: i64) {
        match self.by_seq.get(&seq).copied() {
            Some(number) => self.remove(engine, number),
            None => drop(self.gone.insert(seq)),
        }
    }

    /// Takes what the store says of a comment now in place of what was known; one that is not known is not taken in.
    pub fn correct(&mut self, engine: &Engine, now: Member) {
        let Some(number) = now.seq.and_then(|seq| self.by_seq.get(&seq).copied()) else { return };
        let Some(Some(member)) = self.members.get_mut(number as usize) else { return };
        let thread = member.thread.clone().map(|thread| (member.site.clone(), thread));
        let before = std::mem::replace(&mut member.facts, now.facts);
        (member.verdict, member.campaign, member.on_campaign_card) =
            (now.verdict, now.campaign, now.on_campaign_card);
        if let Some(thread) = thread.and_then(|key| self.threads.get_mut(&key)) {
            thread.take_out(engine, number, &before);
            thread.add(engine, number, &now.facts);
        }
    }

    fn tick(&mut self) -> i64 {
        self.clock = chrono::Utc::now().timestamp_micros().max(self.clock + 1);
        self.clock
    }

    fn member(&self, number: u32) -> Option<&Member> {
        self.members.get(number as usize)?.as_ref()
    }

    /// Inserts into the index, links the copies found. Returns them, and the comments whose campaign changed by it.
    fn link(&mut self, engine: &Engine, number: u32, member: &Member) -> (Vec<Copy>, BTreeSet<u32>) {
        let mut copies = Vec::new();
        let mut affected = BTreeSet::new();
        let Some(sketch) = &member.sketch else { return (copies, affected) };
        let linking = Linking::new(&engine.config.campaign);
        let time = u32::try_from(member.at / TICK).unwrap_or(0);
        let mut found = Vec::new();
        let Some(slot) = self.index.insert_then_query(sketch, time, linking.wide(), &mut found) else {
            return (copies, affected);
        };
        self.slots.insert(slot, number);
        self.slot_of.insert(number, slot);
        let p = |facts: &TextFacts| (!facts.abstained).then_some(facts.p);
        // Campaigns that the newcomer joins, and the best standing among them before it.
        let mut joined: BTreeSet<CampaignId> = BTreeSet::new();
        let mut before = (false, false);
        for copy in found {
            let Some(other) = self.slots.get(&copy.slot).copied() else { continue };
            let Some(earlier) = self.member(other) else { continue };
            let same_record = earlier.id == member.id && earlier.site == member.site;
            if same_record || !linking.admits(&copy.likeness, p(&member.facts), p(&earlier.facts)) {
                continue;
            }
            copies.push(Copy {
                // Another site's ids are nobody's business here.
                id: if earlier.site == member.site { earlier.id.as_str() } else { "(on another site)" }
                    .into(),
                jaccard: copy.likeness.jaccard,
                skeleton: copy.likeness.skeleton,
                same_author: earlier.site == member.site
                    && member.author.is_some()
                    && earlier.author == member.author,
            });
            if copies.len() > MOST_LINKED {
                continue;
            }
            match self.campaigns.campaign_of(other) {
                Some(id) if self.campaigns.campaign_of(number) == Some(id) => {}
                Some(id) => {
                    joined.insert(id);
                    before = before.max(self.standing_of(engine, id));
                }
                None => drop(affected.insert(other)),
            }
            let members = &self.members;
            self.campaigns.link(number, other, |m| name(members, m));
        }
        let Some(now) = self.campaigns.campaign_of(number) else { return (copies, affected) };
        // A first link brings more than the newcomer.
        let is_new = !affected.is_empty();
        let merged = joined.iter().any(|id| *id != now);
        let mut crowds = self.crowds.borrow_mut();
        if merged || is_new {
            joined.iter().chain([&now]).for_each(|id| drop(crowds.remove(id)));
        } else if let Some(crowd) = crowds.get_mut(&now) {
            crowd.add(member.author.as_deref());
        }
        drop(crowds);
        // Members are looked at again only where it may matter to them, not whenever a large campaign grows by one.
        if merged || self.standing_of(engine, now) > before {
            affected.extend(self.campaigns.members(now));
        }
        copies.truncate(MOST_COMPARED);
        (copies, affected)
    }

    /// Whether two people share a campaign, and whether it has authors enough to be shown.
    fn standing_of(&self, engine: &Engine, id: CampaignId) -> (bool, bool) {
        let (known, shared) = self.authors_of(id);
        (shared, known >= engine.config.campaign.authors)
    }

    /// Known authors of a campaign, and whether two people share it.
    fn authors_of(&self, id: CampaignId) -> (usize, bool) {
        let mut crowds = self.crowds.borrow_mut();
        let crowd = crowds.entry(id).or_insert_with(|| {
            let mut crowd = Crowd::default();
            for member in self.campaigns.members(id).filter_map(|m| self.member(m)) {
                crowd.add(member.author.as_deref());
            }
            crowd
        });
        (crowd.authors.len(), crowd.authors.len() + crowd.unknown >= 2)
    }

    fn standing(&self, engine: &Engine, number: u32, member: &Member) -> (Standing, Option<String>) {
        let campaign = self.campaigns.campaign_of(number).map(|id| (id, self.authors_of(id)));
        let campaign = campaign.filter(|(_, (_, shared))| *shared);
        let counts = campaign.filter(|_| !member.origin.allowed);
        let standing = Standing {
            thread: self.thread_score(engine, member),
            copied: counts.is_some(),
            campaign_authors: counts.map_or(0, |(_, (known, _))| known),
            trusted: member.origin.trusted,
        };
        (standing, campaign.map(|(id, _)| id.to_string()))
    }

    /// The comment's new standing, where it is not the stored one; noted as stored from here on.
    fn changed(&mut self, engine: &Engine, number: u32, queue: bool) -> Option<Reassessed> {
        let member = self.member(number)?;
        let seq = member.seq?;
        let (standing, campaign) = self.standing(engine, number, member);
        let score = text_score(&member.facts);
        let (verdict, because) = decide(&score, &standing, &engine.config);
        // A verdict that was raised stays: a person is to see it, whatever came later.
        let verdict = verdict.max(member.verdict);
        let campaign = campaign.or_else(|| member.campaign.clone());
        let on_campaign_card = member.on_campaign_card || because.contains(&Because::Campaign);
        if because.is_empty() && verdict != Verdict::Allow
            || (verdict == member.verdict
                && campaign == member.campaign
                && on_campaign_card == member.on_campaign_card)
        {
            return None;
        }
        let summary = member.thread.as_ref().zip(standing.thread).map(|(id, thread)| ThreadSummary {
            id: Id::from(id.as_str()),
            alarm: thread.alarm,
            p: thread.p,
        });
        let cause = if campaign == member.campaign { "thread" } else { "campaign" };
        // History exposes nothing of history; a live comment comes into the queue whoever exposed it.
        let queue = queue || !member.origin.history;
        let priority = priority(&member.facts, &standing);
        if let Some(Some(member)) = self.members.get_mut(number as usize) {
            member.verdict = verdict;
            member.campaign.clone_from(&campaign);
            member.on_campaign_card = on_campaign_card;
        }
        let thread = summary.and_then(|summary| serde_json::to_string(&summary).ok());
        let stamp = self.tick();
        Some(Reassessed { seq, cause, verdict, because, campaign, thread, priority, queue, stamp })
    }

    fn thread_of(&self, member: &Member) -> Option<&Thread> {
        self.threads.get(&(member.site.clone(), member.thread.clone()?))
    }

    fn thread_score(&self, engine: &Engine, member: &Member) -> Option<ThreadScore> {
        member.thread.as_ref()?;
        let (counted, sum) = self.thread_of(member).map_or((0, 0.0), |thread| (thread.counted, thread.sum));
        Some(ThreadScore::of_sum(counted, sum, &engine.config.thread))
    }

    fn thread_view(&self, engine: &Engine, number: u32, member: &Member) -> ThreadView {
        let Some(thread) = self.thread_of(member) else { return ThreadView::default() };
        // A comment's other revisions are not its company.
        let is_self = |other: u32| other == number || self.member(other).is_some_and(|o| o.id == member.id);
        let own = thread.members.iter().rev().take(MOST_COMPARED).filter(|other| is_self(**other));
        let own_counted =
            own.filter_map(|own| self.member(*own)).filter(|own| counts(engine, &own.facts)).count();
        let near: Vec<&Member> = thread
            .unusual
            .iter()
            .rev()
            .filter(|other| !is_self(**other))
            .take(MOST_COMPARED)
            .filter_map(|other| self.member(*other))
            .collect();
        let similar: f64 = near.iter().map(|other| similarity(member, other)).sum();
        let burst = i64::from(engine.config.thread.burst_seconds) * 1000;
        let same_author = |other: &Member| member.author.is_some() && member.author == other.author;
        let is_unusual = counts(engine, &member.facts) && member.facts.p <= engine.config.thread.unusual_p;
        ThreadView {
            others: thread.counted.saturating_sub(own_counted),
            unusual: thread.unusual.len().saturating_sub(usize::from(is_unusual)),
            similarity: similar / near.len().max(1) as f64,
            burst: near
                .iter()
                .filter(|other| (member.at - other.at).abs() <= burst && !same_author(other))
                .count(),
        }
    }

    fn own_past(&self, engine: &Engine, member: &Member) -> Option<OwnPast> {
        let own = self.authors.get(&(member.site.clone(), member.author.clone()?))?;
        let others = own.iter().rev().filter_map(|m| self.member(*m)).filter(|other| other.id != member.id);
        let last: Vec<&Member> = others.take(MOST_COMPARED).collect();
        let judged: Vec<f64> = last
            .iter()
            .filter(|other| counts(engine, &other.facts))
            .map(|other| -other.facts.p.log10())
            .collect();
        Some(OwnPast {
            comments: if last.len() < MOST_COMPARED { last.len() } else { own.len().saturating_sub(1) },
            similarity: last.iter().map(|other| similarity(member, other)).fold(0.0, f64::max),
            unusual: (judged.len() >= 3).then(|| judged.iter().sum::<f64>() / judged.len() as f64),
        })
    }
}

fn stored(member: &Member) -> Stored {
    Stored {
        verdict: member.verdict,
        campaign: member.campaign.clone(),
        on_campaign_card: member.on_campaign_card,
    }
}

/// Whether a comment counts in its thread's statistic.
fn counts(engine: &Engine, facts: &TextFacts) -> bool {
    !facts.abstained && facts.words >= engine.config.text.thread_words
}

fn similarity(a: &Member, b: &Member) -> f64 {
    a.sketch.as_ref().zip(b.sketch.as_ref()).map_or(0.0, |(a, b)| a.content.jaccard(&b.content))
}

/// A stable name for a campaign that begins with this comment.
fn name(members: &[Option<Member>], number: u32) -> u64 {
    let Some(Some(member)) = members.get(number as usize) else { return 0 };
    hash_of(&member.site, &member.id)
}

/// A comment's name in one number.
fn hash_of(site: &str, id: &str) -> u64 {
    crate::text::stable_hash(format!("{site}\0{id}").as_bytes())
}

/// The facts as stage one's score.
pub fn text_score(facts: &TextFacts) -> TextScore {
    TextScore {
        points: facts.points,
        p: facts.p,
        abstained: facts.abstained,
        strongest_rule: facts.strongest_rule,
        words: facts.words,
        disguised: facts.disguised,
    }
}

/// A text's numbers, as a store keeps them.
pub fn facts_of(text: &TextScore) -> TextFacts {
    TextFacts {
        points: text.points,
        p: text.p,
        words: text.words,
        disguised: text.disguised,
        strongest_rule: text.strongest_rule,
        abstained: text.abstained,
    }
}

/// Order in the queue: how improbable the text is as genuine, in powers of ten, more for what many people see at once.
pub fn priority(facts: &TextFacts, standing: &Standing) -> f64 {
    let text = if facts.abstained { 0.0 } else { (-facts.p.log10()).min(12.0) };
    let campaign = (standing.campaign_authors as f64).ln_1p();
    let thread = if standing.thread.is_some_and(|thread| thread.alarm) { 1.0 } else { 0.0 };
    ((text + campaign + thread) * 1e3).round() / 1e3
}

//! Decisions: a decision, its audit entry, its events and its callbacks are one transaction. People's decisions are changed by
//! people only.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::audit::append;
use super::cards::{
    Card, LEFT_OUT, Opening, SWEEP, close_for_comment, close_settled_campaign, close_singles, open_for,
};
use super::comments::{current, of_word, word};
use super::events::event;
use super::outbox::enqueue;
use super::{SqliteStore, json_list, new_id, now};
use crate::domain::{Because, Verdict};
use crate::store::StoreError;
use crate::store::records::{Action, Decided, NewDecision, PastDecision, Sites, Target};

/// How far a skipped card falls.
pub(super) const SKIP_STEP: f64 = 10.0;
/// Comment ids listed with a past decision.
const MOST_LISTED: i64 = 100;

/// A comment that a decision changes.
pub(super) struct Member {
    pub(super) seq: i64,
    id: String,
    status: String,
    decided_by: Option<String>,
    campaign: Option<String>,
    /// Why it was proposed, as JSON.
    pub(super) because: String,
}

impl Member {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            id: row.get("id")?,
            status: row.get("status")?,
            decided_by: row.get("decided_by")?,
            campaign: row.get("campaign")?,
            because: row.get("because")?,
        })
    }

    fn load(connection: &Connection, seq: i64) -> Result<Self, StoreError> {
        Ok(connection.prepare_cached("SELECT * FROM comments WHERE seq = ?1")?.query_row([seq], Self::of)?)
    }

    /// The undecided comments of a campaign, without those that people left out when they decided it: these stand by themselves.
    pub(super) fn of_campaign(
        connection: &Connection,
        site: &str,
        campaign: &str,
    ) -> Result<Vec<Self>, StoreError> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT c.* FROM comments c WHERE c.campaign = ?2 AND c.site = ?1 AND c.is_current = 1 AND c.decided_by IS NULL
               AND NOT {LEFT_OUT} ORDER BY c.seq"
        ))?;
        let rows = statement.query_map([site, campaign], Self::of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A card with the comments that are decided with it; comments without a card come in a group without one.
struct Group {
    card: Option<Card>,
    members: Vec<Member>,
    spared: Vec<Member>,
}

impl SqliteStore {
    /// Takes a decision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a card changed, was decided or is held by somebody else, [`StoreError::NotFound`] when there is none,
    /// [`StoreError::Forbidden`] when an escalated card is above the actor's rank. Nothing is decided then.
    pub async fn decide(&self, decision: NewDecision) -> Result<Decided, StoreError> {
        self.writer.run(move |connection| decide(connection, &decision)).await
    }

    /// Past decisions of some sites, newest first, before the decision `before`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn decisions(
        &self,
        sites: Sites,
        before: Option<String>,
        limit: usize,
    ) -> Result<Vec<PastDecision>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT d.*, (SELECT count(*) FROM decision_comments x WHERE x.decision = d.id) AS size FROM decisions d
                 WHERE (?1 IS NULL OR site IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR id < ?2)
                 ORDER BY id DESC LIMIT ?3",
            )?;
            let rows = statement
                .query_map(params![json_list(&sites)?, before, limit as i64], past_decision)?
                .collect::<Result<Vec<_>, _>>()?;
            rows.into_iter().map(|past| with_comments(connection, past)).collect()
        })
        .await
    }
}

fn rfc3339(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339()
}

pub(super) fn past_decision(row: &Row<'_>) -> rusqlite::Result<PastDecision> {
    Ok(PastDecision {
        id: row.get("id")?,
        site: row.get("site")?,
        action: row.get("action")?,
        reason: row.get("reason")?,
        note: row.get("note")?,
        actor: row.get("actor")?,
        trust: row.get("trust")?,
        at: row.get("at")?,
        undo_until: rfc3339(row.get("undo_until")?),
        undone_at: row.get("undone_at")?,
        comments: Vec::new(),
        size: row.get("size")?,
    })
}

fn with_comments(connection: &Connection, mut past: PastDecision) -> Result<PastDecision, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT c.id FROM decision_comments d JOIN comments c ON c.seq = d.comment WHERE d.decision = ?1 ORDER BY c.seq LIMIT ?2",
    )?;
    past.comments =
        statement.query_map(params![past.id, MOST_LISTED], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(past)
}

fn decide(connection: &Connection, decision: &NewDecision) -> Result<Decided, StoreError> {
    let mut groups = groups(connection, decision)?;
    let mut sites = groups.iter().filter_map(|group| group.card.as_ref()).map(|card| card.site.clone());
    let site = match (sites.next(), &decision.site) {
        (Some(site), _) => site,
        (None, Some(site)) => site.clone(),
        (None, None) => return Err(StoreError::NotFound("such card")),
    };
    if sites.any(|other| other != site) {
        return Err(StoreError::Refused(
            "the cards are of several sites: decide those of one at a time".to_owned(),
        ));
    }
    let count: usize = groups.iter().map(|group| group.members.len()).sum();
    if count == 0 {
        return Err(StoreError::Refused("the decision would change no comment".to_owned()));
    }
    let (id, at) = (new_id(), now());
    let undo_until = at + decision.undo_for;
    connection
        .prepare_cached(
            "INSERT INTO decisions (id, site, action, reason, note, actor, trust, at, undo_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'moderator', ?7, ?8)",
        )?
        .execute(params![
            id,
            site,
            decision.action.name(),
            decision.reason,
            decision.note,
            decision.by.name,
            at,
            undo_until
        ])?;
    for group in &mut groups {
        if group.card.is_none() {
            group.card = card_for(connection, decision, &id, group)?;
        }
    }
    let mut settled = BTreeSet::new();
    for group in &groups {
        for member in &group.members {
            apply(connection, decision, &site, &id, group.card.as_ref(), member)?;
        }
        if let Some(card) = &group.card
            && settled.insert(card.id.clone())
        {
            connection
                .prepare_cached("INSERT INTO decision_items (decision, item) VALUES (?1, ?2)")?
                .execute([&id, &card.id])?;
            settle(connection, card, decision.action)?;
        }
        if decision.action.status().is_some() {
            leave_out(connection, &id, group)?;
        }
    }
    propose_the_rest(connection, decision, &site, &id, &groups)?;
    let ids: Vec<&String> = groups.iter().flat_map(|group| &group.members).map(|member| &member.id).collect();
    let items: Vec<&String> = groups.iter().filter_map(|group| Some(&group.card.as_ref()?.id)).collect();
    event(
        connection,
        &site,
        "decision",
        &json!({ "decision": id, "action": decision.action, "actor": decision.by.name, "items": items, "comments": ids.len() }),
    )?;
    append(
        connection,
        &decision.by.name,
        &format!("decision.{}", decision.action.name()),
        &id,
        &json!({ "site": site, "comments": ids, "reason": decision.reason }),
    )?;
    Ok(Decided { id, undo_until: rfc3339(undo_until), comments: count })
}

/// The card that an escalation needs and the comment has not; there is nothing to skip where there is none.
fn card_for(
    connection: &Connection,
    decision: &NewDecision,
    id: &str,
    group: &Group,
) -> Result<Option<Card>, StoreError> {
    let Some(member) = group.members.first() else { return Ok(None) };
    match decision.action {
        Action::Approve | Action::Reject => Ok(None),
        Action::Skip => {
            Err(StoreError::Refused(format!("`{}` is on no card: there is nothing to skip", member.id)))
        }
        Action::Escalate => {
            let mut because: Vec<Because> = serde_json::from_str(&member.because)?;
            if member.decided_by.is_some() {
                // Its campaign is settled: it is looked at again by itself.
                because.retain(|one| *one != Because::Campaign);
            }
            let opening = Opening { verdict: Verdict::Review, because: &because, priority: 0.0, tags: &[] };
            open_for(connection, member.seq, &opening)?;
            connection
                .prepare_cached(
                    "UPDATE queue SET opened_by = ?2 WHERE comment = ?1 AND is_open = 1 AND version = 1",
                )?
                .execute(params![member.seq, id])?;
            let sql = "SELECT * FROM queue WHERE is_open = 1 AND comment = ?1
                       UNION ALL SELECT * FROM queue WHERE is_open = 1 AND campaign = ?2 AND site = (
                         SELECT site FROM comments WHERE seq = ?1) LIMIT 1";
            Ok(connection
                .prepare_cached(sql)?
                .query_row(params![member.seq, member.campaign], Card::of)
                .optional()?)
        }
    }
}

/// The cards and comments that a decision is about, each looked at as the actor saw it.
fn groups(connection: &Connection, decision: &NewDecision) -> Result<Vec<Group>, StoreError> {
    let site = decision.site.as_deref().unwrap_or_default();
    if !matches!(decision.target, Target::Items(_)) && !decision.sites.contains(site) {
        return Err(StoreError::NotFound("such site"));
    }
    let of_card = |card: Card, version: Option<i64>| -> Result<Group, StoreError> {
        check(connection, decision, &card, version)?;
        let members = match (&card.campaign, card.comment) {
            (Some(campaign), _) => free_members(connection, decision, &card.site, campaign)?,
            (None, Some(seq)) => vec![Member::load(connection, seq)?],
            (None, None) => Vec::new(),
        };
        let (spared, members) =
            members.into_iter().partition(|m| decision.except.iter().any(|id| id.as_str() == m.id));
        Ok(Group { card: Some(card), members, spared })
    };
    let open = |sql: &str, value: &dyn rusqlite::ToSql| -> Result<Option<Card>, StoreError> {
        Ok(connection.prepare_cached(sql)?.query_row(params![site, value], Card::of).optional()?)
    };
    match &decision.target {
        Target::Items(items) => {
            let mut seen = BTreeSet::new();
            items
                .iter()
                .filter(|(id, _)| seen.insert(id))
                .map(|(id, version)| of_card(Card::load(connection, &decision.sites, id)?, *version))
                .collect()
        }
        Target::Campaign(id) => {
            let card = open("SELECT * FROM queue WHERE site = ?1 AND campaign = ?2 AND is_open = 1", id)?;
            if let Some(card) = card {
                return Ok(vec![of_card(card, decision.version)?]);
            }
            no_card_seen(decision)?;
            let members = free_members(connection, decision, site, id)?;
            let (spared, members) =
                members.into_iter().partition(|m| decision.except.iter().any(|id| id.as_str() == m.id));
            Ok(vec![Group { card: None, members, spared }])
        }
        Target::Undecided(comments) => {
            let mut groups = Vec::new();
            for (id, seen) in comments {
                let seq = match current(connection, site, id) {
                    Ok((seq, ..)) if seq == *seen => seq,
                    Ok(_) | Err(StoreError::NotFound(_)) => continue,
                    Err(error) => return Err(error),
                };
                let member = Member::load(connection, seq)?;
                if member.decided_by.is_some() {
                    continue;
                }
                let card =
                    open("SELECT * FROM queue WHERE site = ?1 AND comment = ?2 AND is_open = 1", &seq)?;
                let free = card.as_ref().map_or(Ok(()), |card| check(connection, decision, card, None));
                let free =
                    free.and_then(|()| check_rank(connection, decision, site, &member, card.is_some()));
                match free {
                    Ok(()) => groups.push(Group { card, members: vec![member], spared: Vec::new() }),
                    Err(StoreError::Conflict { .. } | StoreError::Forbidden(_) | StoreError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            if groups.is_empty() {
                return Err(StoreError::Refused("none of the comments is left to be decided".to_owned()));
            }
            Ok(groups)
        }
        Target::Comments(ids) => {
            let mut groups = Vec::new();
            let mut seen = BTreeSet::new();
            for id in ids {
                let (seq, ..) = current(connection, site, id)?;
                if !seen.insert(seq) {
                    continue;
                }
                let card =
                    open("SELECT * FROM queue WHERE site = ?1 AND comment = ?2 AND is_open = 1", &seq)?;
                match &card {
                    Some(card) => check(connection, decision, card, decision.version)?,
                    None => no_card_seen(decision)?,
                }
                let member = Member::load(connection, seq)?;
                check_rank(connection, decision, site, &member, card.is_some())?;
                groups.push(Group { card, members: vec![member], spared: Vec::new() });
            }
            Ok(groups)
        }
    }
}

/// The undecided comments of a campaign, without those on a card of their own that is above the actor's rank or in somebody else's hands.
fn free_members(
    connection: &Connection,
    decision: &NewDecision,
    site: &str,
    campaign: &str,
) -> Result<Vec<Member>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT q.comment FROM comments c JOIN queue q ON q.comment = c.seq AND q.is_open = 1
         WHERE c.site = ?1 AND c.campaign = ?2 AND c.is_current = 1
           AND ((q.is_escalated = 1 AND NOT ?3) OR (q.claimed_until > ?4 AND q.claimed_by <> ?5))",
    )?;
    let taken: BTreeSet<i64> = statement
        .query_map(params![site, campaign, decision.by.leads, now(), decision.by.name], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut members = Member::of_campaign(connection, site, campaign)?;
    members.retain(|member| !taken.contains(&member.seq));
    Ok(members)
}

/// A version belongs to a card: where none is open, the one that was seen is closed by now.
fn no_card_seen(decision: &NewDecision) -> Result<(), StoreError> {
    match decision.version {
        Some(version) => Err(StoreError::Conflict { version: version + 1, state: json!({ "open": false }) }),
        None => Ok(()),
    }
}

/// Whether the card is as it was seen, and the actor's to decide.
fn check(
    connection: &Connection,
    decision: &NewDecision,
    card: &Card,
    version: Option<i64>,
) -> Result<(), StoreError> {
    let is_other = !card.is_open || version.is_some_and(|seen| seen != card.version);
    if is_other || card.is_kept_from(connection, &decision.by)? {
        return Err(StoreError::Conflict { version: card.version, state: card.state(connection)? });
    }
    if card.is_escalated && decision.action == Action::Escalate {
        // A second one would take the first along when it is undone.
        return Err(StoreError::Refused("the card is escalated already".to_owned()));
    }
    if card.is_escalated && !decision.by.leads {
        return Err(StoreError::Forbidden("the card was escalated: a lead decides it".to_owned()));
    }
    Ok(())
}

/// Whether a comment that is named by itself is the actor's to decide: not what stands on somebody else's or an escalated campaign card, and
/// not what another person has decided, unless the actor leads.
fn check_rank(
    connection: &Connection,
    decision: &NewDecision,
    site: &str,
    member: &Member,
    has_card: bool,
) -> Result<(), StoreError> {
    if let (Some(campaign), false) = (&member.campaign, has_card || member.decided_by.is_some()) {
        let card = connection
            .prepare_cached("SELECT * FROM queue WHERE site = ?1 AND campaign = ?2 AND is_open = 1")?
            .query_row([site, campaign], Card::of)
            .optional()?;
        if let Some(card) = card {
            check(connection, decision, &card, None)?;
        }
    }
    let by_another =
        member.decided_by.as_ref().is_some_and(|by| by.starts_with("user:") && *by != decision.by.name);
    if by_another && !decision.by.leads && decision.action.status().is_some() {
        let by = member.decided_by.as_deref().unwrap_or_default();
        return Err(StoreError::Forbidden(format!(
            "`{}` was decided by {by}: a lead can change it",
            member.id
        )));
    }
    Ok(())
}

/// Changes one comment as decided, remembers how it was, and tells the CMS.
fn apply(
    connection: &Connection,
    decision: &NewDecision,
    site: &str,
    id: &str,
    card: Option<&Card>,
    member: &Member,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO decision_comments (decision, comment, status_before, decided_by_before) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![id, member.seq, member.status, member.decided_by])?;
    if let Some(status) = decision.action.status() {
        connection
            .prepare_cached("UPDATE comments SET status = ?2, decided_by = ?3 WHERE seq = ?1")?
            .execute(params![member.seq, word(&status), decision.by.name])?;
        close_for_comment(connection, member.seq)?;
        if card.is_none_or(|card| card.campaign.is_none()) {
            close_settled_campaign(connection, member.seq)?;
        }
    }
    if matches!(decision.action, Action::Skip) {
        return Ok(());
    }
    let because: Value = serde_json::from_str(card.map_or(&member.because, |card| &card.because))?;
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT json_extract(e.value, '$.rule') FROM assessments a, json_each(a.record, '$.evidence') e
         WHERE a.seq = (SELECT max(seq) FROM assessments WHERE comment = ?1) AND json_extract(e.value, '$.rule') IS NOT NULL LIMIT 10",
    )?;
    let rules: Vec<String> =
        statement.query_map([member.seq], |row| row.get(0))?.collect::<Result<_, _>>()?;
    enqueue(
        connection,
        site,
        &member.id,
        "comment.decided",
        &json!({
            "decision": id,
            "site": site,
            "comment": { "id": member.id, "status": decision.action.status() },
            "action": decision.action,
            "actor": decision.by.name,
            "reason": decision.reason,
            "note": decision.note,
            "campaign": member.campaign,
            "because": because,
            "rules": rules,
        }),
    )
}

/// What becomes of the card: closed by a verdict, moved back by a skip, marked by an escalation.
fn settle(connection: &Connection, card: &Card, action: Action) -> Result<(), StoreError> {
    let sql = match action {
        Action::Approve | Action::Reject => {
            "UPDATE queue SET is_open = 0, version = version + 1 WHERE id = ?1 AND is_open = 1 AND ?2 = ?2"
        }
        Action::Skip => {
            "UPDATE queue SET priority = priority - ?2, version = version + 1, claimed_by = NULL, claimed_until = NULL WHERE id = ?1"
        }
        Action::Escalate => {
            "UPDATE queue SET is_escalated = 1, priority = priority + ?2, version = version + 1, claimed_by = NULL, claimed_until = NULL WHERE id = ?1"
        }
    };
    let changed = connection.prepare_cached(sql)?.execute(params![card.id, SKIP_STEP])?;
    if action.status().is_some() {
        // A comment's own card is closed, and told of, with its comment.
        if changed > 0 {
            event(connection, &card.site, "queue.closed", &json!({ "item": card.id }))?;
        }
    }
    Ok(())
}

/// Gives the comments that were left out of a decision about a campaign cards of their own, which name the decision: see [`LEFT_OUT`].
fn leave_out(connection: &Connection, id: &str, group: &Group) -> Result<(), StoreError> {
    for member in &group.spared {
        let because: Vec<Because> =
            serde_json::from_str(group.card.as_ref().map_or(&member.because, |card| &card.because))?;
        let because: Vec<Because> = because.into_iter().filter(|b| *b != Because::Campaign).collect();
        let (verdict, priority) = match &group.card {
            Some(card) => (of_word(&card.verdict)?, card.priority),
            None => (Verdict::Review, 0.0),
        };
        open_for(connection, member.seq, &Opening { verdict, because: &because, priority, tags: &[] })?;
        connection
            .prepare_cached("UPDATE queue SET opened_by = ?2 WHERE comment = ?1 AND is_open = 1")?
            .execute(params![member.seq, id])?;
    }
    Ok(())
}

/// Remembers what was decided about whole campaigns; where one of its comments was rejected by itself, proposes the same for the others.
fn propose_the_rest(
    connection: &Connection,
    decision: &NewDecision,
    site: &str,
    id: &str,
    groups: &[Group],
) -> Result<(), StoreError> {
    if decision.action.status().is_none() {
        return Ok(());
    }
    let remember = |campaign: &str| -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "INSERT INTO campaign_states (site, campaign, decision) VALUES (?1, ?2, ?3)
                 ON CONFLICT (site, campaign) DO UPDATE SET decision = excluded.decision",
            )?
            .execute([site, campaign, id])?;
        Ok(())
    };
    let mut parts = BTreeSet::new();
    for group in groups {
        let whole = match (&group.card, &decision.target) {
            (Some(card), _) => card.campaign.as_ref(),
            (None, Target::Campaign(campaign)) => Some(campaign),
            (None, _) => None,
        };
        if let Some(campaign) = whole {
            remember(campaign)?;
            continue;
        }
        if decision.action == Action::Reject {
            parts.extend(group.members.iter().filter_map(|member| member.campaign.as_ref()));
        }
    }
    for campaign in parts {
        let rest: (i64, Option<i64>) = connection
            .prepare_cached(&format!(
                "SELECT count(*), min(c.seq) FROM comments c WHERE c.campaign = ?2 AND c.site = ?1 AND c.is_current = 1
                   AND c.decided_by IS NULL AND NOT {LEFT_OUT}"
            ))?
            .query_row([site, campaign], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (count, Some(next)) = rest else { continue };
        remember(campaign)?;
        let opening = Opening { verdict: Verdict::Review, because: SWEEP, priority: count as f64, tags: &[] };
        open_for(connection, next, &opening)?;
        close_singles(connection, site, campaign)?;
        connection
            .prepare_cached(
                "UPDATE queue SET opened_by = ?3 WHERE site = ?1 AND campaign = ?2 AND is_open = 1 AND version = 1",
            )?
            .execute([site, campaign, id])?;
    }
    Ok(())
}

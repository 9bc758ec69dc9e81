//! A campaign: a cluster of near-duplicate comments, or of comments made from one template.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Id;

/// Near-duplicates by two or more authors, grouped under one stable id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Campaign {
    /// Stable while the campaign grows; derived from its first member.
    pub id: Id,
    /// Comment ids, first seen first.
    pub members: Vec<Id>,
    /// How many different authors (unknown ones count each).
    pub authors: usize,
    /// How many different articles or threads.
    pub articles: usize,
    /// Time of the first member that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<DateTime<Utc>>,
    /// Time of the last member that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<DateTime<Utc>>,
    /// What the members share, with slots where they differ.
    pub skeleton: Vec<SkeletonPart>,
}

/// A stretch of a campaign's aligned text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SkeletonPart {
    /// Words that (nearly) every member shares.
    Text(String),
    /// A place where members differ: one filler a member, in the order of `members`; empty where a member has nothing there.
    Slot(Vec<String>),
}

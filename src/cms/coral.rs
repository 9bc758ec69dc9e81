//! Coral: the external moderation phase (signed, answered at once), and its webhooks as far as they say something by themselves.
//!
//! The phase's request has no comment id: one is made from story, author and text, the same for the same. A webhook that follows at once
//! and names a comment of the same story gives the id, where only one comment can be meant: from then on what Coral's moderators do
//! comes back. Coral shows our flag, not our reasons; those stand on the card.

use serde_json::{Value, json};

use super::{Adapter, Answered, Delivery, Event, Refusal, Reply, Setup, UNNAMED, id, text};
use crate::domain::{Article, Author, Comment, Status, Verdict};
use crate::text::stable_hash;
use crate::wire::signature;

/// See the module's documentation.
pub(super) struct Coral;

impl Adapter for Coral {
    fn name(&self) -> &'static str {
        "coral"
    }

    fn verify(&self, delivery: &Delivery<'_>, setup: &Setup<'_>) -> Result<Option<String>, Refusal> {
        let header = delivery.header("x-coral-signature").ok_or(Refusal::Signature)?;
        if !signature::any_hex(&header, setup.secrets, &[delivery.body]) {
            return Err(Refusal::Signature);
        }
        Ok(super::json(delivery.body)
            .ok()
            .and_then(|payload| text(&payload, "type").and(text(&payload, "id")).map(str::to_owned)))
    }

    fn read(&self, delivery: &Delivery<'_>, _setup: &Setup<'_>) -> Result<Event, Refusal> {
        let payload = super::json(delivery.body)?;
        if let Some(kind) = text(&payload, "type") {
            let data = payload.get("data").cloned().unwrap_or_default();
            return Ok(match (kind, id(&data, "storyID"), id(&data, "commentID")) {
                ("STORY_CREATED", Some(story), _) => Event::Article(Box::new(Article {
                    id: story,
                    url: text(&data, "storyURL").map(str::to_owned),
                    ..Article::default()
                })),
                ("COMMENT_CREATED" | "COMMENT_REPLY_CREATED", Some(story), Some(comment)) => {
                    Event::Named(story, comment)
                }
                // A reported comment may be an old one; one that waits before it is public is new.
                ("COMMENT_ENTERED_MODERATION_QUEUE", Some(story), Some(comment))
                    if matches!(text(&data, "queue"), Some("UNMODERATED" | "PENDING")) =>
                {
                    Event::Named(story, comment)
                }
                ("COMMENT_LEFT_MODERATION_QUEUE", _, Some(comment)) => {
                    let status = match text(&data, "status") {
                        Some("APPROVED") => Some(Status::Published),
                        Some("REJECTED") => Some(Status::Rejected),
                        _ => None,
                    };
                    status.map_or(Event::Ignored, |status| Event::Status(comment, status))
                }
                _ => Event::Ignored,
            });
        }
        let (comment, story) = (payload.get("comment"), payload.get("story").cloned().unwrap_or_default());
        let body = comment
            .and_then(|comment| comment.get("body"))
            .and_then(Value::as_str)
            .ok_or_else(|| Refusal::Body("`comment.body` is missing".to_owned()))?;
        let author = payload.get("author").cloned().unwrap_or_default();
        let (story_id, author_id) = (id(&story, "id"), id(&author, "id"));
        let key = format!(
            "{}\0{}\0{body}",
            story_id.as_ref().map_or("", |id| id.as_str()),
            author_id.as_ref().map_or("", |id| id.as_str())
        );
        Ok(Event::Comment(
            Box::new(Comment {
                id: format!("{UNNAMED}{:016x}", stable_hash(key.as_bytes())).into(),
                article_id: story_id.clone(),
                parent_id: comment.and_then(|comment| id(comment, "parentID")),
                author: author_id.map(|id| Author {
                    id: Some(id),
                    role: text(&author, "role").map(str::to_lowercase),
                    ..Author::default()
                }),
                text: body.to_owned(),
                ..Comment::default()
            }),
            story_id.map(|id| {
                let url = text(&story, "url").map(str::to_owned);
                Box::new(Article { id, url, ..Article::default() })
            }),
        ))
    }

    fn reply(&self, answered: &Answered) -> Reply {
        let flag = json!([{ "actionType": "FLAG", "reason": "COMMENT_DETECTED_SPAM" }]);
        match answered.verdict {
            Verdict::Hold => {
                Reply { status: 200, body: Some(json!({ "status": "SYSTEM_WITHHELD", "actions": flag })) }
            }
            Verdict::Review => Reply { status: 200, body: Some(json!({ "actions": flag })) },
            Verdict::Allow => Reply { status: 204, body: None },
        }
    }
}

//! Discourse webhooks: posts written, changed, removed, brought back.

use serde_json::{Value, json};

use super::{Adapter, Answered, Delivery, Event, Refusal, Reply, Setup, id, record, text};
use crate::domain::{Author, Comment, Status};
use crate::wire::signature;

/// See the module's documentation.
pub(super) struct Discourse;

impl Adapter for Discourse {
    fn name(&self) -> &'static str {
        "discourse"
    }

    fn verify(&self, delivery: &Delivery<'_>, setup: &Setup<'_>) -> Result<Option<String>, Refusal> {
        let header = delivery.header("x-discourse-event-signature").ok_or(Refusal::Signature)?;
        if !signature::any_hex(&header, setup.secrets, &[delivery.body]) {
            return Err(Refusal::Signature);
        }
        Ok(delivery.header("x-discourse-event-id"))
    }

    fn read(&self, delivery: &Delivery<'_>, _setup: &Setup<'_>) -> Result<Event, Refusal> {
        let payload = super::json(delivery.body)?;
        let Some(post) = payload.get("post") else { return Ok(Event::Ignored) };
        let post_id = id(post, "id").ok_or_else(|| Refusal::Body("`post.id` is missing".to_owned()))?;
        match delivery.header("x-discourse-event").as_deref() {
            Some("post_destroyed") => return Ok(Event::Status(post_id, Status::Deleted)),
            Some("post_recovered") => return Ok(Event::Status(post_id, Status::Published)),
            Some("post_created" | "post_edited") => {}
            _ => return Ok(Event::Ignored),
        }
        // Private messages are nobody's business.
        if text(post, "topic_archetype").is_some_and(|archetype| archetype != "regular") {
            return Ok(Event::Ignored);
        }
        let body = text(post, "raw").or(text(post, "cooked")).unwrap_or_default().to_owned();
        let created_at = post.get("created_at").filter(|at| at.is_string()).cloned().unwrap_or(Value::Null);
        let times: Comment =
            record(json!({ "id": "x", "text": "", "created_at": created_at }), "`post.created_at`")?;
        Ok(Event::Comment(
            Box::new(Comment {
                id: post_id,
                thread_id: id(post, "topic_id"),
                article_id: id(post, "topic_id"),
                author: id(post, "user_id").map(|user| Author {
                    id: Some(user),
                    name: text(post, "username").map(str::to_owned),
                    role: (post.get("staff") == Some(&Value::Bool(true))).then(|| "staff".to_owned()),
                    ..Author::default()
                }),
                revision: id(post, "version"),
                text: body,
                ..times
            }),
            None,
        ))
    }

    fn reply(&self, answered: &Answered) -> Reply {
        Reply { status: 200, body: Some(json!({ "verdict": answered.verdict })) }
    }
}

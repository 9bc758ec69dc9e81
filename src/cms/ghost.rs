//! Ghost webhooks: posts published and changed. Ghost sends no comments; its posts are the articles that comments are compared with.

use serde_json::{Value, json};

use super::{Adapter, Answered, Delivery, Event, Refusal, Reply, Setup, id, record, text};
use crate::domain::Article;
use crate::wire::signature;

/// Milliseconds that a delivery's time may be from ours.
const TOLERANCE: i64 = 300_000;

/// See the module's documentation.
pub(super) struct Ghost;

impl Adapter for Ghost {
    fn name(&self) -> &'static str {
        "ghost"
    }

    fn verify(&self, delivery: &Delivery<'_>, setup: &Setup<'_>) -> Result<Option<String>, Refusal> {
        let header = delivery.header("x-ghost-signature").ok_or(Refusal::Signature)?;
        let time = header.split(',').find_map(|part| part.trim().strip_prefix("t="));
        // Older versions of Ghost signed the body alone.
        let signed = time.is_some_and(|time| {
            signature::any_hex(&header, setup.secrets, &[delivery.body, time.as_bytes()])
        });
        if !signed && !signature::any_hex(&header, setup.secrets, &[delivery.body]) {
            return Err(Refusal::Signature);
        }
        if signed
            && let Some(time) = time.and_then(|time| time.parse::<i64>().ok())
            && (delivery.now - time).abs() > TOLERANCE
        {
            return Err(Refusal::Stale(TOLERANCE / 1000));
        }
        Ok(None)
    }

    fn read(&self, delivery: &Delivery<'_>, _setup: &Setup<'_>) -> Result<Event, Refusal> {
        let payload = super::json(delivery.body)?;
        let Some(post) = payload.pointer("/post/current").filter(|post| post.is_object()) else {
            return Ok(Event::Ignored);
        };
        let Some(post_id) = id(post, "id") else { return Ok(Event::Ignored) };
        let published = post.get("published_at").filter(|at| at.is_string()).cloned().unwrap_or(Value::Null);
        let times: Article =
            record(json!({ "id": "x", "published_at": published }), "`post.current.published_at`")?;
        Ok(Event::Article(Box::new(Article {
            id: post_id,
            url: text(post, "url").map(str::to_owned),
            title: text(post, "title").unwrap_or_default().to_owned(),
            body: text(post, "plaintext").or(text(post, "html")).map(str::to_owned),
            ..times
        })))
    }

    fn reply(&self, _answered: &Answered) -> Reply {
        Reply { status: 204, body: None }
    }
}

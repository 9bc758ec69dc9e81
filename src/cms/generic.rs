//! Any CMS that can sign JSON: Standard Webhooks 1.0 in, our own event names.
//!
//! `{"type": "comment.created" | "comment.updated" | "comment.status" | "comment.deleted" | "article.published", "data": {...}}`; `data` is a
//! comment record (with an `article` in it if wanted), `{"id", "status"}`, `{"id"}`, or an article record.

use serde_json::Value;

use super::{Adapter, Answered, Delivery, Event, Refusal, Reply, Setup, id, json, record};
use crate::domain::Id;
use crate::wire::signature;

/// Seconds that a delivery's time may be from ours.
pub(super) const TOLERANCE: i64 = 300;

/// See the module's documentation.
pub(super) struct Generic;

impl Adapter for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn verify(&self, delivery: &Delivery<'_>, setup: &Setup<'_>) -> Result<Option<String>, Refusal> {
        let header = |name| delivery.header(name).ok_or(Refusal::Signature);
        let (id, time, signatures) =
            (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
        let time: i64 = time.parse().map_err(|_| Refusal::Signature)?;
        if !signature::any_standard(&signatures, setup.secrets, &id, time, delivery.body) {
            return Err(Refusal::Signature);
        }
        if (delivery.now / 1000 - time).abs() > TOLERANCE {
            return Err(Refusal::Stale(TOLERANCE));
        }
        Ok(Some(id))
    }

    fn read(&self, delivery: &Delivery<'_>, _setup: &Setup<'_>) -> Result<Event, Refusal> {
        let mut payload = json(delivery.body)?;
        let mut data = payload
            .get_mut("data")
            .map(Value::take)
            .ok_or_else(|| Refusal::Body("`data` is missing".to_owned()))?;
        let kind = payload.get("type").and_then(Value::as_str).unwrap_or_default();
        let name = |data: &Value| -> Result<Id, Refusal> {
            id(data, "id").ok_or_else(|| Refusal::Body("`data.id` is missing".to_owned()))
        };
        match kind {
            "comment.created" | "comment.updated" => {
                let article = data.get_mut("article").map(Value::take).filter(|article| !article.is_null());
                let article = article.map(|article| record(article, "`data.article`")).transpose()?;
                Ok(Event::Comment(Box::new(record(data, "`data`")?), article.map(Box::new)))
            }
            "comment.status" => {
                let status = data.get("status").cloned().unwrap_or_default();
                Ok(Event::Status(name(&data)?, record(status, "`data.status`")?))
            }
            "comment.deleted" => Ok(Event::Deleted(name(&data)?)),
            "article.published" => Ok(Event::Article(Box::new(record(data, "`data`")?))),
            other => Err(Refusal::Body(format!(
                "`type` is `{other}`; known are comment.created, comment.updated, comment.status, comment.deleted, article.published"
            ))),
        }
    }

    fn reply(&self, answered: &Answered) -> Reply {
        Reply { status: 200, body: Some(answered.answer.clone()) }
    }
}

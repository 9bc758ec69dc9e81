//! The article that a thread belongs to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Id, optional_id};

/// An article: what a comment's words are compared with. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default, ToSchema)]
pub struct Article {
    /// The id that comments refer to as `article_id`.
    pub id: Id,
    /// The site that published it.
    #[serde(default, deserialize_with = "optional_id", skip_serializing_if = "Option::is_none")]
    pub site: Option<Id>,
    /// Where readers find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The headline.
    #[serde(default, deserialize_with = "text_or_none")]
    pub title: String,
    /// The text, plain or HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The section of the site, such as `politics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<DateTime<Utc>>,
}

/// A text; null is an empty one.
fn text_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

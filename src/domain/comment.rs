//! A reader's comment as the CMS or an export gives it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Id, optional_id};

/// One comment. Unknown fields are ignored, for every CMS adds its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default, ToSchema)]
pub struct Comment {
    /// Unique within its site; never empty.
    #[serde(deserialize_with = "some_id")]
    pub id: Id,
    /// The site it was posted on.
    #[serde(default, deserialize_with = "optional_id", skip_serializing_if = "Option::is_none")]
    pub site: Option<Id>,
    /// The article it was posted under.
    #[serde(default, deserialize_with = "optional_id", skip_serializing_if = "Option::is_none")]
    pub article_id: Option<Id>,
    /// The thread; where it is missing the article stands for it.
    #[serde(default, deserialize_with = "optional_id", skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<Id>,
    /// The comment it replies to.
    #[serde(default, deserialize_with = "optional_id", skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Id>,
    /// Who wrote it, as far as the CMS says.
    #[serde(default, deserialize_with = "author", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AuthorSchema>)]
    pub author: Option<Author>,
    /// When it was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When its text was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
    /// The CMS's number or hash of this version of the text.
    #[serde(default, deserialize_with = "optional_id", skip_serializing_if = "Option::is_none")]
    pub revision: Option<Id>,
    /// Where it stands in the CMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Its language (ISO 639-1), when the CMS knows; beats detection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// What the author typed, plain or HTML.
    pub text: String,
    /// Whether a field of the form was filled in that people do not see.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub honeypot: bool,
    /// What people or a data set say that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

impl Comment {
    /// The thread this comment is judged in: its `thread_id`, else its article, else none.
    pub fn thread(&self) -> Option<&Id> {
        self.thread_id.as_ref().or(self.article_id.as_ref())
    }

    /// The author's stable key: the id where there is one, else the name; `None` counts as a different person each time.
    pub fn author_key(&self) -> Option<&str> {
        let author = self.author.as_ref()?;
        author.id.as_ref().map(Id::as_str).or(author.name.as_deref()).filter(|key| !key.is_empty())
    }
}

/// What is known of an author. Every part is optional; a missing part never adds suspicion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default, ToSchema)]
pub struct Author {
    /// The CMS's id of the account.
    #[serde(default, deserialize_with = "optional_id", skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The displayed name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address, where the CMS passes it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The IP address, where the CMS passes it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The author's own web page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The browser's user agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// When the account was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<DateTime<Utc>>,
    /// The account's role in the CMS, such as `staff`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// An author as it may be written: the record, or the account's id alone.
#[derive(ToSchema)]
#[schema(as = AuthorOrId)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `author` reads")]
enum AuthorSchema {
    Record(Author),
    Id(Id),
}

fn some_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
    optional_id(deserializer)?
        .ok_or_else(|| serde::de::Error::custom("`id` is empty: every comment needs one"))
}

/// An author is an object, a bare string (an opaque key) or null.
fn author<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Author>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an author: an object, a string, an integer or null")]
    enum Wire {
        Key(Id),
        Record(Box<Author>),
    }
    Ok(Option::<Wire>::deserialize(deserializer)?.map(|wire| match wire {
        Wire::Key(id) => Author { id: Some(id).filter(|id| !id.as_str().is_empty()), ..Author::default() },
        Wire::Record(author) => *author,
    }))
}

/// Where a comment stands in the CMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Readers see it.
    Published,
    /// It waits for a person.
    Pending,
    /// A person or the CMS refused it.
    Rejected,
    /// It is gone.
    Deleted,
}

/// What a labelled data set or a moderator says a comment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Written by a person.
    Human,
    /// Written by a machine or from a template.
    Machine,
    /// Advertising written by a person.
    Spam,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_an_object_a_string_a_number_or_null() {
        let key = |json: &str| {
            let comment: Comment =
                serde_json::from_str(&format!(r#"{{"id":1,"text":"x","author":{json}}}"#)).unwrap();
            comment.author_key().map(str::to_owned)
        };
        assert_eq!(key(r#""u7""#), Some("u7".to_owned()));
        assert_eq!(key("7"), Some("7".to_owned()));
        assert_eq!(key(r#"{"id":7,"name":"Ann"}"#), Some("7".to_owned()));
        assert_eq!(key(r#"{"name":"Ann"}"#), Some("Ann".to_owned()));
        assert_eq!(key("{}"), None);
        assert_eq!(key("null"), None);
        assert_eq!(key(r#""""#), None);
    }

    #[test]
    fn the_article_stands_for_a_missing_thread() {
        let comment: Comment =
            serde_json::from_str(r#"{"id":"a","text":"x","article_id":9,"thread_id":null}"#).unwrap();
        assert_eq!(comment.thread().map(Id::as_str), Some("9"));
    }
}

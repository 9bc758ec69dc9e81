//! Which column of a table is which field of a record.
//!
//! A column is a field by the field's name or one of its usual names elsewhere, compared without case and punctuation (`Comment ID` is
//! `comment_id`); a map given by hand (`id=cid,text=body`) comes first.

use std::str::FromStr;

use super::{Options, ReadError};

/// Every field, with the names that its column goes by, the most telling first.
const FIELDS: &[(&str, &[&str])] = &[
    ("id", &["id", "comment_id", "cid", "post_id", "message_id", "uuid"]),
    ("site", &["site", "site_id", "domain", "forum"]),
    ("article_id", &["article_id", "article", "story_id", "asset_id", "comment_post_id", "page_id", "slug"]),
    ("thread_id", &["thread_id", "thread", "conversation_id", "discussion_id"]),
    ("parent_id", &["parent_id", "parent", "comment_parent", "in_reply_to", "reply_to", "pid"]),
    ("author_id", &["author_id", "user_id", "commenter_id", "account_id", "uid"]),
    (
        "author_name",
        &[
            "author_name",
            "author",
            "comment_author",
            "user_name",
            "user",
            "commenter",
            "display_name",
            "name",
        ],
    ),
    ("author_email", &["author_email", "comment_author_email", "email"]),
    ("author_ip", &["author_ip", "comment_author_ip", "ip", "ip_address"]),
    ("author_url", &["author_url", "comment_author_url"]),
    (
        "created_at",
        &[
            "created_at",
            "created",
            "comment_date_gmt",
            "comment_date",
            "date",
            "time",
            "timestamp",
            "posted_at",
            "published_at",
        ],
    ),
    ("updated_at", &["updated_at", "updated", "edited_at", "modified_at"]),
    ("status", &["status", "state", "comment_approved", "approved"]),
    ("lang", &["lang", "language", "locale"]),
    (
        "text",
        &[
            "text",
            "body",
            "comment_text",
            "comment_body",
            "comment_content",
            "comment",
            "content",
            "message",
            "markdown",
        ],
    ),
    ("label", &["label", "class", "truth"]),
    ("article_title", &["article_title", "title", "headline", "story_title", "page_title"]),
    ("article_url", &["article_url", "url", "link", "story_url", "page_url"]),
    ("article_body", &["article_body", "article_text", "story_body"]),
    ("section", &["section", "category", "article_section"]),
    ("source", &["source"]),
    ("cluster", &["cluster"]),
    ("template_id", &["template_id"]),
    ("style", &["style"]),
];

/// Names of columns that a message tells.
const MOST_TOLD: usize = 50;

/// A column map, as `--columns id=cid,text=body` gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(Vec<(&'static str, String)>);

/// Why a column map is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// A part has no `=`, or nothing on one side of it.
    #[error("`{0}` is not FIELD=COLUMN")]
    Shape(String),
    /// There is no such field.
    #[error("no field `{field}`: there are {}", fields())]
    Field {
        /// What was named.
        field: String,
    },
    /// A field is mapped twice.
    #[error("`{0}` is mapped twice")]
    Twice(&'static str),
}

fn fields() -> String {
    let names: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
    names.join(", ")
}

impl FromStr for Columns {
    type Err = ColumnError;

    fn from_str(text: &str) -> Result<Self, ColumnError> {
        let mut columns = Vec::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let shape = || ColumnError::Shape(part.to_owned());
            let (field, column) = part.split_once('=').ok_or_else(shape)?;
            let (field, column) = (field.trim(), column.trim());
            if column.is_empty() {
                return Err(shape());
            }
            let known = FIELDS.iter().find(|(name, _)| *name == field);
            let (field, _) = known.ok_or_else(|| ColumnError::Field { field: field.to_owned() })?;
            if columns.iter().any(|(of, _)| of == field) {
                return Err(ColumnError::Twice(field));
            }
            columns.push((*field, column.to_owned()));
        }
        Ok(Self(columns))
    }
}

/// Where in a row each field stands.
#[derive(Debug, Default)]
pub(super) struct Header(Vec<(&'static str, usize)>);

impl Header {
    /// # Errors
    /// The column that the map names and the table does not have.
    pub(super) fn new(names: &[String], columns: &Columns) -> Result<Self, String> {
        let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let mut found: Vec<(&'static str, usize)> = Vec::new();
        for (field, column) in &columns.0 {
            let exact = names.iter().position(|name| name.trim() == column);
            let at = exact.or_else(|| plain.iter().position(|name| *name == self::plain(column)));
            found.push((field, at.ok_or_else(|| column.clone())?));
        }
        for (field, usual) in FIELDS {
            if found.iter().any(|(of, _)| of == field) {
                continue;
            }
            let is_free = |at: &usize| !found.iter().any(|(_, taken)| taken == at);
            let places = usual.iter().filter_map(|usual| {
                let usual = self::plain(usual);
                plain.iter().position(|name| *name == usual)
            });
            if let Some(at) = places.into_iter().find(is_free) {
                found.push((field, at));
            }
        }
        Ok(Self(found))
    }

    /// The header of a table of comments.
    ///
    /// # Errors
    /// When the map names a column that is not there, or when there is none for the id or the text.
    pub(super) fn of_table(file: &str, names: &[String], options: &Options) -> Result<Self, ReadError> {
        let told = || {
            let few = names.iter().take(MOST_TOLD).map(|name| name.chars().take(40).collect());
            let more = names.len().saturating_sub(MOST_TOLD);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{:?}{more}", few.collect::<Vec<String>>())
        };
        let header = Self::new(names, &options.columns).map_err(|column| ReadError::NoSuchColumn {
            name: file.to_owned(),
            column,
            header: told(),
        })?;
        match ["id", "text"].into_iter().find(|field| header.place(field).is_none()) {
            Some(field) => Err(ReadError::Column { name: file.to_owned(), field, header: told() }),
            None => Ok(header),
        }
    }

    /// Whether a column is some field.
    #[cfg(feature = "parquet")]
    pub(super) fn uses(&self, column: usize) -> bool {
        self.0.iter().any(|(_, at)| *at == column)
    }

    /// The place of a field in a row.
    pub(super) fn place(&self, field: &str) -> Option<usize> {
        self.0.iter().find(|(of, _)| *of == field).map(|(_, at)| *at)
    }
}

/// A name without case and punctuation.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str, columns: &str) -> Result<Vec<(&'static str, usize)>, String> {
        let names: Vec<String> = names.split('|').map(str::to_owned).collect();
        Header::new(&names, &columns.parse().unwrap()).map(|header| header.0)
    }

    #[test]
    fn columns_go_by_their_usual_names_unless_told() {
        for (names, columns, expected) in [
            ("id|text", "", Ok(vec![("id", 0), ("text", 1)])),
            ("Comment ID|Body|Date", "", Ok(vec![("id", 0), ("created_at", 2), ("text", 1)])),
            ("commentId|articleId|comment", "", Ok(vec![("id", 0), ("article_id", 1), ("text", 2)])),
            ("cid|id|text", "id=cid", Ok(vec![("id", 0), ("text", 2)])),
            ("x|y", "id=x, text=Y", Ok(vec![("id", 0), ("text", 1)])),
            ("x|y", "id=z", Err("z".to_owned())),
            ("comment|message|id", "", Ok(vec![("id", 2), ("text", 0)])),
        ] {
            assert_eq!(header(names, columns), expected, "{names}");
        }
    }

    #[test]
    fn a_bad_map_says_why() {
        for (map, expected) in [
            ("id", "`id` is not FIELD=COLUMN"),
            ("id=", "`id=` is not FIELD=COLUMN"),
            ("id=a,id=b", "`id` is mapped twice"),
        ] {
            assert_eq!(map.parse::<Columns>().unwrap_err().to_string(), expected);
        }
        assert!(
            "ident=a"
                .parse::<Columns>()
                .unwrap_err()
                .to_string()
                .starts_with("no field `ident`: there are id, ")
        );
    }
}

//! Any CMS's own JSON, by a mapping: a TOML file that says where our fields stand in it.
//!
//! ```toml
//! [event]                          # without it every delivery is a comment
//! field = "event.name"
//! comment = ["comment:new", "comment:edit"]
//! deleted = "comment:gone"         # what is not named is ignored
//!
//! [signature]
//! kind = "hmac-sha256-hex"
//! header = "x-cms-signature"
//! prefix = "sha256="
//!
//! [comment]
//! id = "data.comment.uuid"
//! text = ["data.comment.plain", "data.comment.html"]
//! author.id = "data.user.id"
//! status = { field = "data.comment.state", published = ["ok", "live"], rejected = ["spam"] }
//! lang = { value = "de" }
//!
//! [article]                        # comes with the comment where its id is there
//! id = "data.story.id"
//! title = "data.story.headline"
//! ```
//!
//! `field` reads what stands at a place, `path` finds the place, `signing` checks who sent it.

mod field;
mod path;
mod signing;

use serde::Deserialize;
use serde_json::Value;

use self::field::{ARTICLE, COMMENT, Fields, described, first, paths, scalar, scalars, twice};
use self::path::Path;
use self::signing::Signing;
use super::{Adapter, Answered, Delivery, Event, Refusal, Reply, Setup};
use crate::domain::{Article, Author, Comment, Status};

/// The mapping as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    event: Option<WrittenEvents>,
    signature: Option<signing::Written>,
    comment: Option<toml::Table>,
    article: Option<toml::Table>,
}

/// `[event]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEvents {
    field: Option<toml::Value>,
    header: Option<String>,
    comment: Option<toml::Value>,
    status: Option<toml::Value>,
    deleted: Option<toml::Value>,
    article: Option<toml::Value>,
}

/// What a delivery is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Comment,
    Status,
    Deleted,
    Article,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Status => "status",
            Self::Deleted => "deleted",
            Self::Article => "article",
        }
    }
}

/// Where the kind of a delivery stands.
#[derive(Debug)]
enum Place {
    Header(String),
    Field(Vec<Path>),
}

/// Which deliveries are about what.
#[derive(Debug)]
struct Events {
    place: Place,
    words: Vec<(String, Kind)>,
}

/// A mapping that was checked.
#[derive(Debug)]
pub struct Mapping {
    events: Option<Events>,
    signing: Signing,
    comment: Fields,
    article: Option<Fields>,
}

/// The adapter: the mapping is the hook's own setting.
pub(super) struct Mapped;

impl Mapped {
    fn mapping(setup: &Setup<'_>) -> Result<Mapping, Refusal> {
        // Checked when the hook was added.
        Mapping::parse(setup.settings.unwrap_or_default())
            .map_err(|error| Refusal::Body(format!("the hook's mapping: {error}")))
    }
}

impl Adapter for Mapped {
    fn name(&self) -> &'static str {
        "mapped"
    }

    fn verify(&self, delivery: &Delivery<'_>, setup: &Setup<'_>) -> Result<Option<String>, Refusal> {
        Self::mapping(setup)?.verify(delivery, setup.secrets)
    }

    fn read(&self, delivery: &Delivery<'_>, setup: &Setup<'_>) -> Result<Event, Refusal> {
        Self::mapping(setup)?.read(delivery)
    }

    fn reply(&self, answered: &Answered) -> Reply {
        Reply { status: 200, body: Some(answered.answer.clone()) }
    }
}

impl Mapping {
    /// Reads and checks a mapping.
    ///
    /// # Errors
    /// For people: the key that is wrong, and what to write.
    pub fn parse(toml: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(toml).map_err(|error| error.to_string())?;
        let signing = written.signature.ok_or(
            "`[signature]` is missing: without it anybody could post. At the least write kind = \"header\" and header = \"x-...\", \
             a header in which the CMS sends the secret",
        )?;
        let mapping = Self {
            events: written.event.map(Events::of).transpose()?,
            signing: Signing::of(signing)?,
            comment: Fields::of("comment", COMMENT, written.comment.unwrap_or_default())?,
            article: written.article.map(|table| Fields::of("article", ARTICLE, table)).transpose()?,
        };
        mapping.check()?;
        Ok(mapping)
    }

    /// Every kind of delivery needs its fields.
    fn check(&self) -> Result<(), String> {
        let has = |kind| match &self.events {
            None => kind == Kind::Comment,
            Some(events) => events.words.iter().any(|(_, of)| *of == kind),
        };
        if has(Kind::Comment) {
            self.comment.require("id", "a comment")?;
            self.comment.require("text", "a comment")?;
        }
        if has(Kind::Status) {
            self.comment.require("id", "`event.status`")?;
            self.comment.require("status", "`event.status`")?;
        }
        if has(Kind::Deleted) {
            self.comment.require("id", "`event.deleted`")?;
        }
        match &self.article {
            Some(article) => article.require("id", "an article"),
            None if has(Kind::Article) => {
                Err("`[article]` is missing and `event.article` needs it: id = \"path.to.it\"".to_owned())
            }
            None => Ok(()),
        }
    }

    /// Checks that a delivery comes from somebody who knows one of the secrets. Returns its id where the mapping says in which
    /// header one stands.
    ///
    /// # Errors
    /// [`Refusal::Signature`] or [`Refusal::Stale`].
    pub fn verify(&self, delivery: &Delivery<'_>, secrets: &[String]) -> Result<Option<String>, Refusal> {
        self.signing.verify(delivery, secrets)
    }

    /// Maps a verified delivery. A comment that is `deleted` by its status is told as that status, for its text may be gone.
    ///
    /// # Errors
    /// [`Refusal::Body`], with the path that is missing or holds the wrong thing.
    pub fn read(&self, delivery: &Delivery<'_>) -> Result<Event, Refusal> {
        let payload = super::json(delivery.body)?;
        let kind = match &self.events {
            None => Some(Kind::Comment),
            Some(events) => events.kind(&payload, delivery)?,
        };
        let id = || self.comment.required("id", &payload).map(Into::into);
        Ok(match kind {
            None => Event::Ignored,
            Some(Kind::Comment) => match self.comment.status("status", &payload)? {
                Some(Status::Deleted) => Event::Status(id()?, Status::Deleted),
                status => {
                    let article = self.article(&payload)?;
                    let comment = Comment { status, ..self.comment(&payload, article.as_ref())? };
                    // An article of which only the id is known would take the place of one that came with its text.
                    let article = article.filter(|article| {
                        !article.title.is_empty() || article.body.is_some() || article.url.is_some()
                    });
                    Event::Comment(Box::new(comment), article.map(Box::new))
                }
            },
            Some(Kind::Status) => match self.comment.status("status", &payload)? {
                Some(status) => Event::Status(id()?, status),
                None => Event::Ignored,
            },
            Some(Kind::Deleted) => Event::Deleted(id()?),
            Some(Kind::Article) => match (self.article(&payload)?, &self.article) {
                (Some(article), _) => Event::Article(Box::new(article)),
                (None, Some(fields)) => return Err(fields.missing("id")),
                (None, None) => Event::Ignored,
            },
        })
    }

    /// What a payload gives, line by line: our field, the path at which something was found (or all that were looked at), and the
    /// value, `missing`, or what is wrong with it. The first line is the kind of event; headers are not known here.
    ///
    /// # Errors
    /// [`Refusal::Body`] when it is not a JSON object.
    pub fn explain(&self, json: &[u8]) -> Result<Vec<(String, String, String)>, Refusal> {
        let payload = super::json(json)?;
        let mut lines = vec![match &self.events {
            None => ("event".to_owned(), "(every delivery)".to_owned(), Kind::Comment.word().to_owned()),
            Some(events) => events.explain(&payload),
        }];
        lines.extend(self.comment.explain(&payload));
        lines.extend(self.article.iter().flat_map(|article| article.explain(&payload)));
        Ok(lines)
    }

    fn comment(&self, payload: &Value, article: Option<&Article>) -> Result<Comment, Refusal> {
        let text = |name| self.comment.text(name, payload);
        let id = |name| text(name).map(|id| id.map(Into::into));
        let time = |name| self.comment.time(name, payload);
        let author = Author {
            id: id("author.id")?,
            name: text("author.name")?,
            email: text("author.email")?,
            ip: text("author.ip")?,
            url: text("author.url")?,
            user_agent: text("author.user_agent")?,
            registered_at: time("author.registered_at")?,
            role: text("author.role")?,
        };
        Ok(Comment {
            id: self.comment.required("id", payload)?.into(),
            article_id: id("article_id")?.or_else(|| article.map(|article| article.id.clone())),
            thread_id: id("thread_id")?,
            parent_id: id("parent_id")?,
            author: Some(author).filter(|author| *author != Author::default()),
            created_at: time("created_at")?,
            updated_at: time("updated_at")?,
            revision: id("revision")?,
            lang: text("lang")?,
            text: self.comment.required("text", payload)?,
            ..Comment::default()
        })
    }

    /// The article, where the payload has its id.
    fn article(&self, payload: &Value) -> Result<Option<Article>, Refusal> {
        let Some(fields) = &self.article else { return Ok(None) };
        let text = |name| fields.text(name, payload);
        let Some(id) = text("id")? else { return Ok(None) };
        Ok(Some(Article {
            id: id.into(),
            url: text("url")?,
            title: text("title")?.unwrap_or_default(),
            body: text("body")?,
            section: text("section")?,
            published_at: fields.time("published_at", payload)?,
            ..Article::default()
        }))
    }
}

impl Events {
    fn of(written: WrittenEvents) -> Result<Self, String> {
        let place = match (&written.field, written.header) {
            (Some(field), None) => Place::Field(paths("event.field", field)?),
            (None, Some(header)) => Place::Header(signing::header_name("event.header", &header)?),
            (None, None) => {
                return Err("`event.field` is missing: say where the kind of event stands, or write `event.header`; where every \
                            delivery is a comment leave `[event]` out"
                    .to_owned());
            }
            (Some(_), Some(_)) => {
                return Err("`event.field` and `event.header`: write one of them".to_owned());
            }
        };
        let mut words = Vec::new();
        for (kind, value) in [
            (Kind::Comment, written.comment),
            (Kind::Status, written.status),
            (Kind::Deleted, written.deleted),
            (Kind::Article, written.article),
        ] {
            let given = value.map(|value| scalars(&format!("event.{}", kind.word()), &value)).transpose()?;
            words.extend(given.into_iter().flatten().map(|word| (word, kind)));
        }
        if words.is_empty() {
            return Err(
                "`[event]` names no event: write comment = [\"...\"] with the words that the CMS sends"
                    .to_owned(),
            );
        }
        match twice(words.iter().map(|(word, _)| word)) {
            Some(word) => Err(format!("`[event]`: `{word}` stands twice")),
            None => Ok(Self { place, words }),
        }
    }

    fn kind(&self, payload: &Value, delivery: &Delivery<'_>) -> Result<Option<Kind>, Refusal> {
        let word = match &self.place {
            Place::Header(name) => {
                delivery.header(name).ok_or_else(|| format!("the header `{name}` (event.header) is missing"))
            }
            Place::Field(paths) => word_at(paths, payload).map(|(_, word)| word),
        };
        Ok(self.of_word(&word.map_err(Refusal::Body)?))
    }

    fn of_word(&self, word: &str) -> Option<Kind> {
        self.words.iter().find(|(of, _)| of == word).map(|(_, kind)| *kind)
    }

    fn explain(&self, payload: &Value) -> field::Line {
        let (path, value) = match &self.place {
            Place::Header(name) => (format!("(header {name})"), "not in the payload".to_owned()),
            Place::Field(paths) => match word_at(paths, payload) {
                Ok((path, word)) => {
                    let kind = self.of_word(&word).map_or("ignored", Kind::word);
                    (path.to_string(), format!("{word} -> {kind}"))
                }
                Err(error) => (field::written(paths), format!("wrong: {error}")),
            },
        };
        ("event".to_owned(), path, value)
    }
}

/// The word for the kind of event, and where it stands.
fn word_at<'a>(paths: &'a [Path], payload: &Value) -> Result<(&'a Path, String), String> {
    let Some((path, value)) = first(paths, payload) else {
        return Err(format!("`{}` (event.field) is missing", field::written(paths)));
    };
    let word = scalar(value).ok_or_else(|| {
        format!("`{path}` (event.field) is {}; wanted a string or a whole number", described(value))
    })?;
    Ok((path, word))
}

#[cfg(test)]
mod tests;

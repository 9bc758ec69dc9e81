//! `/authors/{site}/{id}`: all comments of an author, how alike they are, what people decided; trust; notes.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::super::auth::{Caller, CanDecide, CanLead, CanLook};
use super::super::desk::compare;
use super::super::error::{ApiError, Code};
use super::super::review::LONGEST_NOTE;
use super::super::state::State;
use super::card::{NoteLine, text_of};
use super::form::Posted;
use super::frame::{Frame, encoded, go, local, show, with_pair};
use super::text::{When, excerpt, one_in_short, person, when};
use super::words::{count, fill};
use crate::domain::Id;
use crate::store::records::{Note, TrustedAuthor};

struct Line {
    link: String,
    text: String,
    at: When,
    rarity: String,
    alike: i64,
    status: String,
    verdict: String,
    decided_by: Option<String>,
}

#[derive(Template)]
#[template(path = "author.html")]
struct AuthorPage {
    f: Frame,
    site: String,
    id: String,
    here: String,
    numbers: String,
    trusted: bool,
    alike: String,
    lines: Vec<Line>,
    notes: Vec<NoteLine>,
}

/// The page.
pub(super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (site, id) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let mut page = state.intake.store().author(site.clone(), Id::from(id)).await?;
    compare(&mut page);
    let name = page.comments.iter().find_map(|one| {
        one.comment.get("author").and_then(|author| author.get("name")).and_then(Value::as_str)
    });
    let name = name.map_or_else(|| page.id.clone(), |name| excerpt(name, 80));
    let f = Frame::new(&state, &caller, "", name).await?;
    let most = page.comments.iter().map(|one| one.self_similarity).fold(0.0, f64::max);
    let lines = page.comments.iter().map(|one| Line {
        link: one
            .comment
            .get("id")
            .and_then(Value::as_str)
            .map(|id| format!("/comments/{}/{}", encoded(&site), encoded(id)))
            .unwrap_or_default(),
        text: excerpt(text_of(&one.comment), 400),
        at: when(one.at),
        rarity: one_in_short(1.0 - one.score),
        alike: (one.self_similarity * 100.0).round() as i64,
        status: one.status.clone(),
        verdict: one.verdict.clone(),
        decided_by: one.decided_by.as_deref().map(person),
    });
    let page = AuthorPage {
        f: f.after_step(&request),
        here: format!("/authors/{}/{}", encoded(&site), encoded(&page.id)),
        numbers: fill(
            "author.numbers",
            &[
                ("comments", &count("card.comments", page.size)),
                ("flagged", &page.proposed),
                ("approved", &page.approved),
                ("rejected", &page.rejected),
            ],
        ),
        trusted: page.trusted,
        alike: if page.comments.len() < 2 {
            String::new()
        } else {
            fill("author.alike", &[("n", &((most * 100.0).round() as i64))])
        },
        lines: lines.collect(),
        notes: page.notes.iter().map(NoteLine::of).collect(),
        id: page.id,
        site,
    };
    show(&page)
}

/// Trusts an author, or no more.
pub(super) async fn trust(
    state: web::Data<State>,
    posted: Posted<CanLead>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let (site, author) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let back = format!("/authors/{}/{}", encoded(&site), encoded(&author));
    let trusted = fields.get("trusted") == Some("true");
    let author =
        TrustedAuthor { site, author, note: fields.owned("note"), actor: caller.actor().name, at: 0 };
    state.intake.store().trust_author(author, trusted).await?;
    state.intake.refresh().await?;
    let said = if trusted { "trusted" } else { "distrusted" };
    Ok(go(&format!("{}{}", state.prefix(), with_pair(&back, "said", said))))
}

/// Keeps a note about a comment, an author or a campaign.
pub(super) async fn add_note(
    state: web::Data<State>,
    posted: Posted<CanDecide>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let kind = fields.need("kind")?;
    if !matches!(kind, "comment" | "author" | "campaign") {
        return Err(ApiError::new(Code::InvalidBody, format!("a note is about no `{kind}`")));
    }
    let text = fields.need("text")?.trim();
    if text.is_empty() || text.chars().count() > LONGEST_NOTE {
        return Err(ApiError::new(Code::InvalidBody, format!("`text` has 1 to {LONGEST_NOTE} characters")));
    }
    let note = Note {
        id: String::new(),
        site: caller.site(fields.get("site"))?,
        kind: kind.to_owned(),
        subject: fields.need("subject")?.to_owned(),
        text: text.to_owned(),
        actor: caller.actor().name,
        at: 0,
    };
    state.intake.store().add_note(note).await?;
    let back = with_pair(&local(fields.get("back"), "/queue"), "said", "noted");
    Ok(go(&format!("{}{back}", state.prefix())))
}

//! `/search`: comments with certain words; `/find`: what a pasted id or address leads to, for the palette and for the search box.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Serialize;

use super::super::auth::{Caller, CanLook};
use super::super::error::ApiError;
use super::super::state::State;
use super::card::Beside;
use super::form::Fields;
use super::frame::{Frame, encoded, show};
use super::text::{When, when};
use super::words::{count, say};
use crate::store::records::{Found, Listing};

/// Comments of a page.
const PAGE: usize = 50;
/// The longest name that is looked up, in bytes.
const LONGEST: usize = 2048;

/// Something that a name leads to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Lead {
    kind: String,
    label: String,
    site: String,
    /// A path of ours, without a proxy's prefix.
    link: String,
}

impl Lead {
    fn of(found: Found) -> Self {
        let (site, id) = (encoded(&found.site), encoded(&found.id));
        let link = match found.kind {
            "card" => format!("/queue/{id}"),
            "campaign" => format!("/campaigns/{site}/{id}"),
            "author" => format!("/authors/{site}/{id}"),
            "article" => format!("/articles/{site}/{id}"),
            _ => format!("/comments/{site}/{id}"),
        };
        let label = super::text::excerpt(&found.label, 80);
        Self { kind: say(&format!("found.{}", found.kind)).to_owned(), label, site: found.site, link }
    }
}

/// What a name leads to: an id, an article's address, or an address of ours.
async fn leads<P>(state: &State, caller: &Caller<P>, name: &str) -> Result<Vec<Lead>, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.len() > LONGEST {
        return Ok(Vec::new());
    }
    if let Some(path) = name.strip_prefix(&state.public_url).filter(|path| path.starts_with('/')) {
        let link = super::frame::local(Some(path), "/queue");
        let label = link.clone();
        return Ok(vec![Lead { kind: say("found.page").to_owned(), label, site: String::new(), link }]);
    }
    let found = state.intake.store().find(caller.sites(), name.to_owned()).await?;
    Ok(found.into_iter().map(Lead::of).collect())
}

/// For the palette.
pub(super) async fn find(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let found = leads(&state, &caller, fields.get("q").unwrap_or_default()).await?;
    Ok(HttpResponse::Ok().json(found))
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    f: Frame,
    words: String,
    leads: Vec<Lead>,
    comments: Vec<Beside>,
    next: Option<String>,
    looked_back_to: Option<When>,
    found_text: String,
}

/// The page.
pub(super) async fn search(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let words = fields.owned("q").unwrap_or_default().trim().to_owned();
    let f = Frame::new(&state, &caller, "search", say("search.title")).await?;
    let before = fields.number("before")?;
    let leads = if before.is_none() { leads(&state, &caller, &words).await? } else { Vec::new() };
    let page = if words.is_empty() || words.len() > LONGEST {
        crate::store::records::ListPage::default()
    } else {
        let listing = Listing::Text(words.clone());
        state.intake.store().list(caller.sites(), None, listing, before, PAGE).await?
    };
    let page = SearchPage {
        f,
        found_text: count("search.found", page.comments.len() as i64),
        comments: page.comments.iter().map(|one| Beside::of(one, 400)).collect(),
        next: page.next.map(|next| format!("/search?q={}&before={next}", encoded(&words))),
        looked_back_to: page.looked_back_to.map(when),
        words,
        leads,
    };
    show(&page)
}

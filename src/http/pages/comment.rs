//! `/comments/{site}/{id}`: a comment, flagged or not, with its explanation and its history. The links in answers to a CMS lead here.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::super::auth::{Caller, CanDecide, CanLook};
use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::card::{CommentView, Told, sentence};
use super::card_page::{decision_of, draw};
use super::form::{Mistake, Posted};
use super::frame::{Frame, encoded, go, local, show_as, with_pair};
use super::text::{When, when};
use super::words::{fill, say};
use crate::domain::Id;
use crate::store::records::Target;

/// One assessment of the comment's history.
struct Past {
    at: When,
    cause: String,
    text: String,
}

#[derive(Template)]
#[template(path = "comment.html")]
struct CommentPage {
    f: Frame,
    view: String,
    site: String,
    id: String,
    title: String,
    card: Option<String>,
    version: Option<i64>,
    past: Vec<Past>,
    here: String,
}

/// The page.
pub(super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    drawn(&request, &state, &caller, path.into_inner(), None).await
}

async fn drawn<P>(
    request: &HttpRequest,
    state: &State,
    caller: &Caller<P>,
    (site, id): (String, String),
    mistake: Mistake,
) -> Result<HttpResponse, ApiError> {
    let site = caller.site(Some(&site))?;
    let store = state.intake.store();
    let (listed, card) = store.listed(site.clone(), Id::from(id.as_str())).await?;
    let stored = store.comment(site.clone(), Id::from(id)).await?;
    let stored = stored.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such comment"))?;
    let read = |record: &str| serde_json::from_str::<Value>(record).unwrap_or_default();
    // Its own card's version: what stands on its campaign's card has another's.
    let version = match &card {
        Some(card) => match store.card(caller.sites(), card.clone()).await {
            Ok(card) if card.kind == "comment" => Some(card.version),
            _ => None,
        },
        None => None,
    };
    let author = super::card::author_of(&listed.comment).name;
    let f = Frame::new(state, caller, "", fill("comment.titled", &[("author", &author)])).await?;
    let f = f.after_mistake(mistake);
    let outcome = f.outcome();
    let assessment = read(stored.assessment.get());
    let view = CommentView {
        level: "h2",
        ..CommentView::load(state, &f, &caller.sites(), &listed, &assessment).await?
    };
    let past = stored.history.iter().rev().map(|one| {
        let told = Told::read(&read(one.assessment.get()));
        Past {
            at: when(one.at),
            cause: say(&format!("state.{}", one.cause)).to_owned(),
            text: format!(
                "{} — {}",
                say(&format!("verdict.{}", told.verdict)),
                sentence(&told, &listed.status)
            ),
        }
    });
    let page = CommentPage {
        view: draw(&view)?,
        title: listed.article.as_ref().map(super::card::title_of).unwrap_or_default(),
        past: past.collect(),
        here: format!("/comments/{}/{}", encoded(&site), encoded(&listed.id)),
        f: f.after_step(request),
        id: listed.id,
        card,
        version,
        site,
    };
    show_as(outcome, &page)
}

/// Decides a comment, whether it has a card or not.
pub(super) async fn decide(
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanDecide>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let (site, id) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let back = local(fields.get("back"), &format!("/comments/{}/{}", encoded(&site), encoded(&id)));
    let target = Target::Comments(vec![Id::from(id.as_str())]);
    let decision = match decision_of(&state, &caller, &fields, Some(site.clone()), target) {
        Err(error) if fields.can_mend(&error) => {
            return drawn(&request, &state, &caller, (site, id), Some((error, fields))).await;
        }
        decision => decision?,
    };
    let decided = state.intake.store().decide(decision).await?;
    Ok(go(&format!("{}{}", state.prefix(), with_pair(&back, "done", &decided.id))))
}

//! `/authors/{site}/{id}`: all comments of an author, how alike they are, what people decided; trust; notes.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::super::auth::{Caller, CanDecide, CanLead, CanLook};
use super::super::desk::compare;
use super::super::error::{ApiError, Code};
use super::super::review::{LONGEST_NOTE, check_reason};
use super::super::state::State;
use super::card::{NoteLine, text_of};
use super::card_page::{action_of, decision_of};
use super::form::{Fields, Posted};
use super::frame::{Frame, encoded, go, local, show, show_as, with_decisions, with_pair};
use super::sure::{Sample, Sure};
use super::text::{When, excerpt, one_in_short, person, when};
use super::words::{count, fill, say};
use crate::domain::Id;
use crate::store::StoreError;
use crate::store::records::{AuthorComment, Note, Target, TrustedAuthor};

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
    /// Comments listed that nobody has decided.
    undecided: i64,
    /// Whether there are more comments than are listed.
    is_cut: bool,
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
        undecided: page.comments.iter().filter(|one| is_undecided(one)).count() as i64,
        is_cut: page.size > page.comments.len() as i64,
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

/// Comments of the sample.
const SAMPLE: usize = 12;

fn is_undecided(one: &AuthorComment) -> bool {
    one.decided_by.is_none() && one.status != "deleted"
}

fn id_of(one: &AuthorComment) -> Option<&str> {
    one.comment.get("id").and_then(Value::as_str)
}

/// Decides everything of an author's that nobody has decided: asks first, with the number and a sample; then decides what was counted, and is undecided and
/// the same text still.
pub(super) async fn decide(
    state: web::Data<State>,
    posted: Posted<CanDecide>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let (site, author) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let back = format!("/authors/{}/{}", encoded(&site), encoded(&author));
    let to = |back: &str| Ok(go(&format!("{}{back}", state.prefix())));
    let review = &state.settings().review;
    let mistake =
        fields.mistake(check_reason(review, action_of(&fields)?, fields.get("reason"), fields.get("note")));
    if fields.get("sure").is_none() || mistake.is_some() {
        return match ask(&state, &caller, &fields, &site, author, &back).await? {
            Some(mut question) => {
                question.f = question.f.after_mistake(mistake);
                show_as(question.f.outcome(), &question)
            }
            None => to(&with_pair(&back, "said", "nothing-undecided")),
        };
    }
    let comments: Vec<(Id, i64)> = fields
        .all("comment")
        .filter_map(|one| one.split_once(':'))
        .filter_map(|(seq, id)| Some((Id::from(id), seq.parse().ok()?)))
        .collect();
    let named = comments.len();
    let decision = decision_of(&state, &caller, &fields, Some(site), Target::Undecided(comments))?;
    match state.intake.store().decide(decision).await {
        Ok(done) => {
            let left_out = if done.comments < named { "&said=some-left-out" } else { "" };
            to(&format!("{}{left_out}", with_decisions(&back, &[done.id])))
        }
        Err(StoreError::Refused(_)) => to(&with_pair(&back, "said", "some-left-out")),
        Err(error) => Err(error.into()),
    }
}

/// The question; none where nothing is left to decide. What waits for a lead is left to one.
async fn ask(
    state: &State,
    caller: &Caller<CanDecide>,
    fields: &Fields,
    site: &str,
    author: String,
    back: &str,
) -> Result<Option<Sure>, ApiError> {
    let action = action_of(fields)?;
    let store = state.intake.store();
    let page = store.author(site.to_owned(), Id::from(author)).await?;
    let leads = caller.actor().leads;
    let (mut open, mut above) = (Vec::new(), 0);
    for one in page.comments.iter().filter(|one| is_undecided(one)) {
        let Some(id) = id_of(one) else { continue };
        let is_above = !leads
            && match store.listed(site.to_owned(), Id::from(id)).await?.1 {
                Some(card) => store.card(caller.sites(), card).await?.escalated,
                None => false,
            };
        if is_above {
            above += 1;
        } else {
            open.push((format!("{}:{id}", one.seq), one));
        }
    }
    if open.is_empty() {
        return Ok(None);
    }
    let name = open.iter().map(|(_, one)| super::card::author_of(&one.comment).name).next();
    let f = Frame::new(state, caller, "", say("bulk.title")).await?;
    let rest = open.len().saturating_sub(SAMPLE) as i64;
    let sample = open.iter().take(SAMPLE).map(|(_, one)| {
        let status = f.status(&one.status);
        Sample::new(status, one_in_short(1.0 - one.score), excerpt(text_of(&one.comment), 220))
    });
    Ok(Some(Sure {
        question: fill(
            "author.question",
            &[
                ("action", &say(&format!("action.{}", action.name()))),
                ("comments", &count("js.comments", open.len() as i64)),
                ("author", &name.unwrap_or_default()),
            ],
        ),
        to: format!("{back}/decide"),
        action: action.name(),
        portion: if above > 0 { count("author.above", above) } else { String::new() },
        asks_why: true,
        sample: sample.collect(),
        more: if rest > 0 { count("author.more", rest) } else { String::new() },
        back: back.to_owned(),
        hidden: open.into_iter().map(|(id, _)| ("comment", id)).collect(),
        f,
    }))
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

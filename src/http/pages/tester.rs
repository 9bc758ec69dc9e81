//! `/try`: a text pasted by hand, judged and fully explained, under an address that lasts thirty days. Nothing of it comes near the queue.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::{Deserialize, Serialize};

use super::super::auth::{Caller, CanLook};
use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::card::{Bar, Told, contributions, sentence};
use super::form::{Fields, Posted};
use super::frame::{Frame, go, show, show_as};
use super::text::{Segment, When, excerpt, marked, one_in, when};
use super::words::{fill, say};
use crate::domain::{Article, Comment, Id};

/// The longest text, in bytes.
const LONGEST: usize = 100 << 10;

/// What was tried.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Tried {
    text: String,
    title: String,
    body: String,
    lang: String,
}

struct Outcome {
    segments: Vec<Segment>,
    sentence: String,
    verdict: String,
    rarity: String,
    bars: Vec<Bar>,
    versions: String,
    address: String,
    at: When,
}

#[derive(Template)]
#[template(path = "try.html")]
struct TryPage {
    f: Frame,
    tried: Tried,
    outcome: Option<Outcome>,
}

/// The empty form.
pub(super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let f = Frame::new(&state, &caller, "try", say("try.title")).await?;
    show(&TryPage { f: f.after_step(&request), tried: Tried::default(), outcome: None })
}

/// Keeps what is tried, so that its explanation has an address.
pub(super) async fn try_it(
    state: web::Data<State>,
    posted: Posted<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    match kept(&state, &caller, &fields).await {
        Err(error) if fields.can_mend(&error) => {
            let tried = tried_in(&fields);
            let f = Frame::new(&state, &caller, "try", say("try.title")).await?;
            let f = f.after_mistake(Some((error, fields)));
            show_as(f.outcome(), &TryPage { f, tried, outcome: None })
        }
        outcome => outcome,
    }
}

fn tried_in(fields: &Fields) -> Tried {
    let owned = |name: &str| fields.owned(name).unwrap_or_default();
    Tried {
        text: owned("text"),
        title: owned("title"),
        body: owned("body"),
        lang: owned("lang").trim().to_lowercase(),
    }
}

async fn kept(state: &State, caller: &Caller<CanLook>, fields: &Fields) -> Result<HttpResponse, ApiError> {
    fields.need("text")?;
    let tried = tried_in(fields);
    if tried.text.len() > LONGEST || tried.body.len() > LONGEST {
        return Err(ApiError::new(Code::TooLarge, format!("a text has at most {LONGEST} bytes here")));
    }
    if !tried.lang.is_empty() && crate::text::Language::parse(&tried.lang).is_none() {
        return Err(ApiError::new(
            Code::InvalidBody,
            fill("try.no-language", &[("lang", &excerpt(&tried.lang, 20))]),
        ));
    }
    let record =
        serde_json::to_string(&tried).map_err(|error| ApiError::new(Code::Refused, error.to_string()))?;
    let id = state.intake.store().add_trial(record, caller.actor().name).await?;
    Ok(go(&format!("{}/try/{id}", state.prefix())))
}

/// What was tried, judged by the rules and the model of now.
pub(super) async fn tried(
    state: web::Data<State>,
    caller: Caller<CanLook>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let trial = state.intake.store().trial(id.into_inner()).await?;
    let gone = || {
        ApiError::new(
            Code::NotFound,
            "nothing was tried under this address, or it was forgotten after thirty days",
        )
    };
    let trial = trial.ok_or_else(gone)?;
    let tried: Tried = serde_json::from_str(&trial.record).map_err(|_| gone())?;
    let comment = Comment {
        id: Id::from("tried"),
        text: tried.text.clone(),
        lang: Some(tried.lang.clone()).filter(|lang| !lang.is_empty()),
        ..Comment::default()
    };
    let has_article = !tried.title.is_empty() || !tried.body.is_empty();
    let article = has_article.then(|| Article {
        id: Id::from("tried"),
        title: tried.title.clone(),
        body: Some(tried.body.clone()),
        ..Article::default()
    });
    let intake = std::sync::Arc::clone(&state.intake);
    let assessment = web::block(move || intake.score(&comment, article.as_ref()))
        .await
        .map_err(|error| ApiError::new(Code::Refused, error.to_string()))?;
    let told = Told::read(&serde_json::to_value(&assessment).unwrap_or_default());
    let outcome = Outcome {
        segments: marked(&tried.text, &told.evidence).0,
        sentence: sentence(&told, ""),
        verdict: say(&format!("verdict.{}", told.verdict)).to_owned(),
        rarity: if told.abstained { String::new() } else { one_in(1.0 - told.score) },
        bars: contributions(&told.evidence),
        versions: fill(
            "card.versions",
            &[("rules", &told.ruleset), ("model", &told.model), ("engine", &told.engine)],
        ),
        address: format!("{}/try/{}", state.public_url, trial.id),
        at: when(trial.at),
    };
    let f = Frame::new(&state, &caller, "try", say("try.title")).await?;
    show(&TryPage { f, tried, outcome: Some(outcome) })
}

//! `/campaigns/{site}/{id}/rule`: a rule drafted from a campaign, with its self-test and with what it would have hit in the comments of the last thirty days;
//! kept as shadow.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::super::auth::{Caller, CanDecide, CanLead};
use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::card::text_of;
use super::form::Posted;
use super::frame::{Frame, encoded, go, show, show_as};
use super::text::excerpt;
use super::words::{count, fill, say};
use crate::domain::{Comment, Id};
use crate::rules::{RuleSet, Status, draft, selftest};
use crate::store::records::{Listing, RuleDraft, Sites};
use crate::text::{Analysis, Context, Language};

/// Members that a rule is drafted from.
const MEMBERS: usize = 40;
/// Days, and comments, that a draft is tried on.
const DAYS: i64 = 30;
const MOST_TRIED: usize = 20_000;
/// Hits shown.
const SHOWN: usize = 12;
/// The longest draft, in bytes.
const LONGEST: usize = 64 << 10;

/// A comment that the draft hit.
struct Hit {
    link: String,
    text: String,
    inside: bool,
    decided: String,
}

/// What the draft does.
#[derive(Default)]
struct Trial {
    error: Option<String>,
    self_test: String,
    passed: bool,
    summary: String,
    hits: Vec<Hit>,
}

#[derive(Template)]
#[template(path = "rule.html")]
struct RulePage {
    f: Frame,
    link: String,
    text: String,
    trial: Trial,
}

/// What stands behind a try: the comments, and which of them belong to the campaign.
struct Ground {
    comments: Vec<(Comment, Option<String>)>,
    members: std::collections::HashSet<String>,
}

/// Tries a draft. Pure: runs off the asynchronous threads.
fn try_draft(text: &str, ground: &Ground, site: &str) -> Trial {
    let rules = match draft::check(text, chrono::Utc::now().date_naive()) {
        Ok(rules) => rules,
        Err(errors) => return Trial { error: Some(errors.to_string()), ..Trial::default() },
    };
    let report = selftest::run(&rules);
    let passed = report.failures.is_empty() && report.untested.is_empty() && !rules.rules().is_empty();
    let mut self_test =
        fill("rule.self-test", &[("cases", &report.cases), ("failed", &report.failures.len())]);
    for failure in &report.failures {
        let key = if failure.expected { "rule.should-hit" } else { "rule.should-not-hit" };
        self_test.push('\n');
        self_test.push_str(&fill(key, &[("text", &failure.text)]));
    }
    let (mut hits, mut inside, mut approved, mut rejected, mut all) = (Vec::new(), 0, 0, 0, 0);
    for (comment, decided) in &ground.comments {
        if !is_hit(&rules, comment) {
            continue;
        }
        all += 1;
        let of_site = comment.site.as_ref().is_some_and(|of| of.as_str() == site);
        let is_member = of_site && ground.members.contains(comment.id.as_str());
        inside += i64::from(is_member);
        match decided.as_deref() {
            Some("published") => approved += 1,
            Some("rejected") => rejected += 1,
            _ => {}
        }
        let of = comment.site.as_ref().map(Id::as_str).unwrap_or_default();
        hits.push(Hit {
            link: format!("/comments/{}/{}", encoded(of), encoded(comment.id.as_str())),
            text: excerpt(&comment.text, 220),
            inside: is_member,
            decided: decided
                .as_ref()
                .map(|status| say(&format!("status.{status}")).to_owned())
                .unwrap_or_default(),
        });
    }
    let oldest = ground.comments.iter().filter_map(|(comment, _)| comment.created_at).min();
    let since = oldest.map_or_else(|| "–".to_owned(), |at| at.format("%-d %b %Y").to_string());
    // What it hits beside the campaign is what one has to look at.
    hits.sort_by_key(|hit| hit.inside);
    hits.truncate(SHOWN);
    let summary = fill(
        "rule.summary",
        &[
            ("hits", &count("card.comments", all)),
            ("tried", &super::words::thousands(ground.comments.len() as i64)),
            ("since", &since),
            ("inside", &inside),
            ("outside", &(all - inside)),
            ("approved", &approved),
            ("rejected", &rejected),
        ],
    );
    Trial { error: None, self_test, passed, summary, hits }
}

fn is_hit(rules: &RuleSet, comment: &Comment) -> bool {
    let lang = comment.lang.as_deref().and_then(Language::parse);
    let analysis = Analysis::new(&comment.text, &Context { lang, ..Context::default() });
    !rules.matches(&analysis, &mut selftest::facts(&analysis)).is_empty()
}

async fn ground(state: &State, sites: Sites, site: &str, id: &str) -> Result<Ground, ApiError> {
    let store = state.intake.store();
    let since = chrono::Utc::now().timestamp_millis() - DAYS * 24 * 3_600_000;
    let comments = store.recent(sites, since, MOST_TRIED).await?;
    let listing = Listing::Campaign(id.to_owned());
    let page = store.list(Sites::one(site), Some(site.to_owned()), listing, None, 10_000).await?;
    Ok(Ground { comments, members: page.comments.into_iter().map(|one| one.id).collect() })
}

async fn tried(text: String, ground: Ground, site: String) -> Result<Trial, ApiError> {
    let work = web::block(move || try_draft(&text, &ground, &site));
    work.await.map_err(|error| ApiError::new(Code::Refused, error.to_string()))
}

/// The draft.
pub(super) async fn page(
    state: web::Data<State>,
    caller: Caller<CanDecide>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (site, id) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let listing = Listing::Campaign(id.clone());
    let page =
        state.intake.store().list(Sites::one(&site), Some(site.clone()), listing, None, MEMBERS).await?;
    if page.comments.is_empty() {
        return Err(ApiError::new(Code::NotFound, "there is no such campaign"));
    }
    let _place = state.heavy.acquire().await;
    let texts: Vec<String> = page.comments.iter().map(|one| text_of(&one.comment).to_owned()).collect();
    let pack = format!("{}{}", draft::PREFIX, id.to_lowercase());
    let drafted = web::block(move || {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        draft::from_texts(&pack, &texts, chrono::Utc::now().date_naive(), say("rule.message"))
    });
    let drafted = drafted.await.map_err(|error| ApiError::new(Code::Refused, error.to_string()))?;
    let f = Frame::new(&state, &caller, "campaigns", say("rule.title")).await?;
    let link = format!("/campaigns/{}/{}", encoded(&site), encoded(&id));
    let (text, trial) = match drafted {
        Ok(text) => {
            let ground = ground(&state, caller.sites(), &site, &id).await?;
            (text.clone(), tried(text, ground, site).await?)
        }
        Err(error) => (String::new(), Trial { error: Some(error), ..Trial::default() }),
    };
    show(&RulePage { f, link, text, trial })
}

/// Tries a changed draft, or keeps it as shadow.
pub(super) async fn save(
    state: web::Data<State>,
    posted: Posted<CanLead>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let (site, id) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let text = fields.get("text").unwrap_or_default().replace("\r\n", "\n");
    let mut mistake = None;
    let _place = state.heavy.acquire().await;
    let trial = if text.len() > LONGEST {
        let error = fill("rule.too-long", &[("n", &(LONGEST >> 10))]);
        Trial { error: Some(error), ..Trial::default() }
    } else {
        let ground = ground(&state, caller.sites(), &site, &id).await?;
        tried(text.clone(), ground, site.clone()).await?
    };
    let wants_to_save = fields.get("action") == Some("save");
    if wants_to_save && trial.error.is_none() && trial.passed {
        match pack_of(&state, &text) {
            Ok(pack) => {
                let draft = RuleDraft { id: pack, site, text, actor: caller.actor().name, at: 0 };
                state.intake.store().add_rule_draft(draft).await?;
                state.reload_wanted.notify_one();
                return Ok(go(&format!("{}/admin/rules?said=draft-kept", state.prefix())));
            }
            Err(error) => mistake = Some((error, fields)),
        }
    }
    let f = Frame::new(&state, &caller, "campaigns", say("rule.title")).await?.after_mistake(mistake);
    let status = if wants_to_save {
        actix_web::http::StatusCode::UNPROCESSABLE_ENTITY
    } else {
        actix_web::http::StatusCode::OK
    };
    let link = format!("/campaigns/{}/{}", encoded(&site), encoded(&id));
    show_as(status, &RulePage { f, link, text, trial })
}

/// The pack of a draft that may be kept: of shadows alone, under a name that nobody has.
fn pack_of(state: &State, text: &str) -> Result<String, ApiError> {
    let rules = draft::check(text, chrono::Utc::now().date_naive());
    let rules = rules.map_err(|errors| ApiError::new(Code::InvalidBody, errors.to_string()))?;
    let shadows = rules.rules().iter().all(|rule| rule.status == Status::Shadow);
    let pack_of = |id: &str| id.split_once('/').map(|(pack, _)| pack.to_owned());
    let pack = rules.rules().first().and_then(|rule| pack_of(&rule.id)).filter(|_| shadows);
    let pack = pack.ok_or_else(|| ApiError::new(Code::InvalidBody, say("rule.none")))?;
    let engine = state.intake.engine();
    if engine.rules.rules().iter().any(|rule| pack_of(&rule.id).as_ref() == Some(&pack)) {
        return Err(ApiError::new(Code::Refused, fill("rule.known", &[("pack", &pack)])));
    }
    Ok(pack)
}

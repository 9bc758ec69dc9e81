//! `/admin/thresholds`: other thresholds tried on the comments of the last days, before anybody writes them into the configuration: what would be flagged
//! that is not, and what would be spared. Both sides are judged anew, by the rules and the model of now, each comment with all the others of that time.

use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::super::auth::{Caller, CanAdmin};
use super::super::super::error::{ApiError, Code};
use super::super::super::state::State;
use super::super::form::{Fields, no_number, wants_page};
use super::super::frame::{Frame, encoded, show_as};
use super::super::text::{excerpt, one_in_short};
use super::super::words::{fill, say, thousands};
use crate::config::{Config, Settings};
use crate::domain::{Comment, Id, Verdict};
use crate::engine::Engine;
use crate::offline::judge::{Mode, judge};
use crate::offline::records::Articles;

/// Comments that are judged at the most: the newest ones.
const MOST: usize = 20_000;
/// Days looked at.
const DAYS: i64 = 14;
const MOST_DAYS: i64 = 90;
/// Comments listed of each kind.
const SHOWN: usize = 20;

/// A threshold on the page.
struct Threshold {
    /// Its name in the address.
    name: String,
    section: &'static str,
    key: &'static str,
    value: String,
    now: String,
    changed: bool,
}

struct Flip {
    link: String,
    text: String,
    rarity: String,
    decided: String,
}

#[derive(Default)]
struct Preview {
    summary: String,
    caught: Vec<Flip>,
    spared: Vec<Flip>,
    caught_count: usize,
    spared_count: usize,
    lines: String,
}

#[derive(Template)]
#[template(path = "thresholds.html")]
struct ThresholdsPage {
    f: Frame,
    thresholds: Vec<Threshold>,
    days: i64,
    preview: Option<Preview>,
}

/// What can be changed here, with its value in a configuration.
fn values(config: &Config) -> Vec<(&'static str, &'static str, String)> {
    let (text, thread, campaign) = (&config.text, &config.thread, &config.campaign);
    vec![
        ("text", "alone_p", text.alone_p.to_string()),
        ("text", "alone_words", text.alone_words.to_string()),
        ("text", "corroborated_p", text.corroborated_p.to_string()),
        ("text", "hidden_words", text.hidden_words.to_string()),
        ("text", "rule_points", text.rule_points.to_string()),
        ("thread", "fewest", thread.fewest.to_string()),
        ("thread", "base", thread.base.to_string()),
        ("thread", "slope", thread.slope.to_string()),
        ("thread", "member_p", thread.member_p.to_string()),
        ("campaign", "jaccard", campaign.jaccard.to_string()),
        ("campaign", "skeleton", campaign.skeleton.to_string()),
        ("campaign", "jaccard_improbable", campaign.jaccard_improbable.to_string()),
        ("campaign", "authors", campaign.authors.to_string()),
    ]
}

/// The configuration of now with the fields of an address laid over it, and the lines that would say so.
fn changed(now: &Config, fields: &Fields) -> Result<(Config, String), ApiError> {
    let mut text = String::new();
    let mut lines = String::new();
    let mut section = "";
    let mut written = "";
    for (of, key, value) in values(now) {
        let name = format!("{of}.{key}");
        let wanted = fields.get(&name).map_or(value.as_str(), str::trim);
        if !wanted.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(no_number(&name, wanted));
        }
        if of != section {
            let _ = writeln!(text, "[{of}]");
            section = of;
        }
        let _ = writeln!(text, "{key} = {wanted}");
        if wanted != value {
            if of != written {
                let _ = writeln!(lines, "[{of}]");
                written = of;
            }
            let _ = writeln!(lines, "{key} = {wanted}");
        }
    }
    let settings = Settings::parse(&text).map_err(|error| ApiError::new(Code::InvalidParameter, error))?;
    // What is not on the page stays as it is.
    let mut config = *now;
    let new = settings.judging;
    config.text.alone_p = new.text.alone_p;
    config.text.alone_words = new.text.alone_words;
    config.text.corroborated_p = new.text.corroborated_p;
    config.text.hidden_words = new.text.hidden_words;
    config.text.rule_points = new.text.rule_points;
    config.thread.fewest = new.thread.fewest;
    config.thread.base = new.thread.base;
    config.thread.slope = new.thread.slope;
    config.thread.member_p = new.thread.member_p;
    config.campaign.jaccard = new.campaign.jaccard;
    config.campaign.skeleton = new.campaign.skeleton;
    config.campaign.jaccard_improbable = new.campaign.jaccard_improbable;
    config.campaign.authors = new.campaign.authors;
    Ok((config, lines))
}

/// Judges comments by both configurations. Pure: runs off the asynchronous threads.
fn preview(
    engine: &Engine,
    config: Config,
    comments: &[(Comment, Option<String>)],
    articles: &Articles,
) -> Preview {
    // In the order in which they came.
    let records: Vec<Comment> = comments.iter().rev().map(|(comment, _)| comment.clone()).collect();
    let other = Engine { config, ..engine.clone() };
    let (before, after) = (
        judge(engine, &records, articles, Mode::Whole).assessments,
        judge(&other, &records, articles, Mode::Whole).assessments,
    );
    let mut out = Preview::default();
    let (mut flagged_before, mut flagged_after) = (0i64, 0i64);
    let decided = comments.iter().rev().map(|(_, decided)| decided);
    for ((comment, decided), (before, after)) in records.iter().zip(decided).zip(before.iter().zip(&after)) {
        let (was, is) = (before.verdict != Verdict::Allow, after.verdict != Verdict::Allow);
        flagged_before += i64::from(was);
        flagged_after += i64::from(is);
        let (list, counter) = match (was, is) {
            (false, true) => (&mut out.caught, &mut out.caught_count),
            (true, false) => (&mut out.spared, &mut out.spared_count),
            _ => continue,
        };
        *counter += 1;
        let site = comment.site.as_ref().map(Id::as_str).unwrap_or_default();
        let decided = decided.as_ref().map(|status| say(&format!("status.{status}")).to_owned());
        let flip = Flip {
            link: format!("/comments/{}/{}", encoded(site), encoded(comment.id.as_str())),
            text: excerpt(&comment.text, 220),
            rarity: one_in_short(1.0 - after.score),
            decided: decided.unwrap_or_default(),
        };
        // What people approved comes first: it is what a threshold must not catch.
        if flip.decided == say("status.published") { list.insert(0, flip) } else { list.push(flip) }
    }
    out.caught.truncate(SHOWN);
    out.spared.truncate(SHOWN);
    out.summary = fill(
        "thresholds.summary",
        &[
            ("comments", &thousands(records.len() as i64)),
            ("before", &thousands(flagged_before)),
            ("after", &thousands(flagged_after)),
            ("caught", &thousands(out.caught_count as i64)),
            ("spared", &thousands(out.spared_count as i64)),
        ],
    );
    out
}

/// The page; with other values in the address also what they would change.
pub(in super::super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanAdmin>,
) -> Result<HttpResponse, ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let engine = state.intake.engine();
    let now = engine.config;
    let wanted = fields.number("days").and_then(|days: Option<i64>| Ok((days, changed(&now, &fields)?)));
    let (days, (config, lines), mistake) = match wanted {
        Ok((days, changed)) => (days, changed, None),
        Err(error) if wants_page(&request) => (None, (now, String::new()), Some((error, fields))),
        Err(error) => return Err(error),
    };
    let days = days.unwrap_or(DAYS).clamp(1, MOST_DAYS);
    let thresholds =
        values(&now).into_iter().zip(values(&config)).map(|((section, key, now), (.., value))| Threshold {
            name: format!("{section}.{key}"),
            section,
            key,
            changed: now != value,
            value,
            now,
        });
    let thresholds: Vec<Threshold> = thresholds.collect();
    let preview = if thresholds.iter().any(|one| one.changed) {
        let store = state.intake.store();
        let since = chrono::Utc::now().timestamp_millis() - days * 24 * 3_600_000;
        let comments = store.recent(caller.sites(), since, MOST).await?;
        let mut articles = std::collections::BTreeMap::new();
        for (comment, _) in &comments {
            if let (Some(site), Some(id)) = (&comment.site, &comment.article_id)
                && !articles.contains_key(&(site.clone(), id.clone()))
            {
                let article = store.article(site.to_string(), id.clone()).await?;
                articles.insert((site.clone(), id.clone()), article);
            }
        }
        let articles = articles.into_iter().filter_map(|((site, _), article)| {
            article.map(|article| crate::domain::Article { site: Some(site), ..article })
        });
        let articles = Articles::new(articles.collect());
        let _place = state.heavy.acquire().await;
        let work = web::block(move || preview(&engine, config, &comments, &articles));
        let mut preview = work.await.map_err(|error| ApiError::new(Code::Refused, error.to_string()))?;
        preview.lines = lines;
        Some(preview)
    } else {
        None
    };
    let f = Frame::new(&state, &caller, "admin", say("thresholds.title")).await?.after_mistake(mistake);
    let f = f.after_step(&request);
    show_as(f.outcome(), &ThresholdsPage { f, thresholds, days, preview })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays_and_what_is_changed_is_told() {
        let mut now = Config::default();
        now.text.odd_spelling_p = 0.02;
        let fields = Fields::parse(b"text.alone_p=0.001&campaign.authors=5&days=3").unwrap();
        let (config, lines) = changed(&now, &fields).unwrap();
        assert_eq!((config.text.alone_p, config.campaign.authors), (0.001, 5));
        assert_eq!(config.text.odd_spelling_p, 0.02);
        assert_eq!(lines, "[text]\nalone_p = 0.001\n[campaign]\nauthors = 5\n");
        assert_eq!(changed(&now, &Fields::default()).unwrap().0, now);
        let wrong = Fields::parse(b"text.alone_p=7").unwrap();
        assert!(changed(&now, &wrong).unwrap_err().detail.contains("alone_p"));
        let injected = Fields::parse(b"text.alone_p=0.1%0Aobserve_only%3Dtrue").unwrap();
        assert!(changed(&now, &injected).is_err());
    }
}

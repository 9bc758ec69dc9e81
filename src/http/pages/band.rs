//! `/band`: single comments by how rare their text is, as a histogram with two handles; what lies between them is decided together. Everything in the
//! band is read and decided in portions, each a decision of its own that can be undone.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::auth::{Caller, CanDecide, CanLook};
use super::super::error::ApiError;
use super::super::review::check_reason;
use super::super::state::State;
use super::card::Row;
use super::card_page::action_of;
use super::form::Posted;
use super::frame::{Frame, go, show, show_as, with_decisions, with_pair};
use super::queue::decide_by_site;
use super::sure::{Sample, Sure};
use super::text::rounded;
use super::words::{count, fill, say, thousands};
use crate::chart::{Series, bars};
use crate::store::records::QueueFilter;

/// Columns of the histogram: powers of ten of the rarity, in halves; the last holds what is beyond.
pub(super) const COLUMNS: usize = 25;
/// Cards of the sample.
const SAMPLE: usize = 12;
/// Cards decided at once.
const PORTION: usize = 100;

#[derive(Template)]
#[template(path = "band.html")]
struct BandPage {
    f: Frame,
    chart: String,
    rows: Vec<(String, usize, String)>,
    counts: String,
    from: usize,
    until: usize,
    last: usize,
    from_text: String,
    until_text: String,
    sites: Vec<String>,
    site: String,
    cards: i64,
    cards_text: String,
    sample: Vec<Row>,
    here: String,
    seen: i64,
}

/// Rarity at the left edge of a column, as "1 in N".
fn edge(column: usize) -> f64 {
    10f64.powf(column as f64 / 2.0)
}

/// A column's left edge in words. Beyond the reference the scale puts in order and measures nothing: the page says so.
fn edge_text(column: usize) -> String {
    let n = edge(column);
    match column {
        0 => say("row.common").to_owned(),
        _ if n < 1e6 => fill("row.one-in", &[("n", &thousands(rounded(n)))]),
        _ if n < 1e9 => fill("band.millions", &[("n", &thousands((n / 1e6).round() as i64))]),
        _ => fill("band.billions", &[("n", &thousands((n / 1e9).round() as i64))]),
    }
}

/// The filter of a band: columns `from` up to, but not with, `until`.
fn band(from: usize, until: usize, site: Option<String>) -> QueueFilter {
    QueueFilter {
        site,
        kind: Some("comment".to_owned()),
        one_in_from: Some(edge(from)),
        // The last column has no end.
        one_in_until: (until < COLUMNS).then(|| edge(until)),
        ..QueueFilter::default()
    }
}

/// The handles of an address: columns, the left one before the right one.
fn handles(fields: &super::form::Fields) -> Result<(usize, usize), ApiError> {
    let from: usize = fields.number("low")?.unwrap_or(0);
    let until: usize = fields.number("high")?.unwrap_or(COLUMNS);
    let (from, until) = (from.min(until), from.max(until));
    Ok((from.min(COLUMNS - 1), until.clamp(1, COLUMNS).max(from.min(COLUMNS - 1) + 1)))
}

/// The page.
pub(super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let fields = super::form::Fields::parse(request.query_string().as_bytes())?;
    let (from, until) = handles(&fields)?;
    let site = fields.owned("site");
    if let Some(site) = &site {
        caller.site(Some(site))?;
    }
    let store = state.intake.store();
    let all = QueueFilter { site: site.clone(), kind: Some("comment".to_owned()), ..QueueFilter::default() };
    let seen = chrono::Utc::now().timestamp_millis();
    let mut counts = vec![0usize; COLUMNS];
    for (.., rare) in store.free_cards(caller.sites(), all, caller.actor(), usize::MAX >> 1).await? {
        let column = ((rare * 2.0).max(0.0) as usize).min(COLUMNS - 1);
        if let Some(count) = counts.get_mut(column) {
            *count += 1;
        }
    }
    let labels: Vec<String> = (0..COLUMNS).map(edge_text).collect();
    let part = |inside: bool| -> Vec<f64> {
        let value = |(at, count): (usize, &usize)| {
            if (from..until).contains(&at) == inside { *count as f64 } else { 0.0 }
        };
        counts.iter().enumerate().map(value).collect()
    };
    let (inside, outside) = (part(true), part(false));
    let series = [
        Series { class: "c1", name: say("band.inside"), values: &inside },
        Series { class: "c0", name: say("band.outside"), values: &outside },
    ];
    let items = store.queue(caller.sites(), band(from, until, site.clone()), None, SAMPLE).await?;
    let f = Frame::new(&state, &caller, "band", say("band.title")).await?;
    let cards: i64 = counts.iter().skip(from).take(until - from).map(|count| *count as i64).sum();
    let site = site.unwrap_or_default();
    let sites = store.sites().await?.into_iter().map(|site| site.id);
    let rows = labels.iter().cloned().zip(&counts).enumerate().map(|(at, (label, count))| {
        (
            label,
            *count,
            if (from..until).contains(&at) { say("band.inside").to_owned() } else { String::new() },
        )
    });
    let page = BandPage {
        f: f.after_step(&request),
        chart: bars(say("band.chart"), &labels, &series, 180.0),
        rows: rows.collect(),
        counts: serde_json::to_string(&counts).unwrap_or_default(),
        from,
        until,
        last: COLUMNS,
        from_text: labels.get(from).cloned().unwrap_or_default(),
        until_text: labels.get(until).cloned().unwrap_or_else(|| say("band.no-end").to_owned()),
        sites: sites.filter(|id| caller.sites().contains(id)).collect(),
        here: address((from, until), &site),
        site,
        cards,
        cards_text: count("js.cards", cards),
        seen,
        sample: items.iter().map(|item| Row::of(item, &caller.actor().name)).collect(),
    };
    show(&page)
}

/// Where a band of a site is shown.
fn address((from, until): (usize, usize), site: &str) -> String {
    format!("/band?low={from}&high={until}&site={}", super::frame::encoded(site))
}

/// Decides a portion of a band, of the cards that were there when the page was made (`seen`).
pub(super) async fn decide(
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanDecide>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let (from, until) = handles(&fields)?;
    let site = fields.owned("site");
    let action = action_of(&fields)?;
    let filter = QueueFilter { until: fields.number("seen")?, ..band(from, until, site.clone()) };
    let free = state.intake.store().free_cards(caller.sites(), filter, caller.actor(), PORTION).await?;
    let items: Vec<(String, Option<i64>)> =
        free.into_iter().map(|(id, version, _)| (id, Some(version))).collect();
    let wants_json = request
        .headers()
        .get("accept")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"));
    let review = &state.settings().review;
    let mistake = fields.mistake(check_reason(review, action, fields.get("reason"), fields.get("note")));
    // The script asks by itself, before the first portion.
    if !wants_json && (fields.get("sure").is_none() || mistake.is_some()) && !items.is_empty() {
        let mut question = ask(&state, &caller, &fields, action, (from, until), items).await?;
        question.f = question.f.after_mistake(mistake);
        return show_as(question.f.outcome(), &question);
    }
    let reached = items.len();
    let (decided, left_out) = if items.is_empty() {
        (Vec::new(), 0)
    } else {
        decide_by_site(&state, &caller, action, items, &fields).await?
    };
    let reached = reached - left_out;
    if wants_json {
        return Ok(HttpResponse::Ok().json(serde_json::json!({ "cards": reached, "decisions": decided })));
    }
    let back = address((from, until), site.as_deref().unwrap_or_default());
    let back = if decided.is_empty() {
        with_pair(&back, "said", "nothing-selected")
    } else {
        with_decisions(&back, &decided)
    };
    Ok(go(&format!("{}{back}", state.prefix())))
}

/// Asks before a portion of a band is decided without a script.
async fn ask(
    state: &State,
    caller: &Caller<CanDecide>,
    fields: &super::form::Fields,
    action: crate::store::records::Action,
    (from, until): (usize, usize),
    portion: Vec<(String, Option<i64>)>,
) -> Result<Sure, ApiError> {
    let site = fields.owned("site");
    let store = state.intake.store();
    let cards = portion.len() as i64;
    let filter = QueueFilter { until: fields.number("seen")?, ..band(from, until, site.clone()) };
    let all = store.free_cards(caller.sites(), filter, caller.actor(), usize::MAX >> 1).await?.len() as i64;
    let mut sample = Vec::new();
    for (id, _) in portion.into_iter().take(SAMPLE) {
        sample.push(Sample::of(Row::of(&store.card(caller.sites(), id).await?, &caller.actor().name)));
    }
    let rest = cards - sample.len() as i64;
    let f = Frame::new(state, caller, "band", say("band.title")).await?;
    let what = say(&format!("action.{}", action.name())).to_owned();
    let question = fill("band.question", &[("action", &what), ("cards", &count("js.cards", cards))]);
    let names = ["low", "high", "site", "seen"];
    let hidden = names.into_iter().filter_map(|name| Some((name, fields.owned(name)?)));
    Ok(Sure {
        question,
        to: "/band".to_owned(),
        asks_why: true,
        action: action.name(),
        hidden: hidden.collect(),
        portion: if all > cards {
            fill("band.first", &[("all", &count("js.cards", all))])
        } else {
            String::new()
        },
        more: if rest > 0 { count("bulk.more", rest) } else { String::new() },
        sample,
        back: address((from, until), site.as_deref().unwrap_or_default()),
        f,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::form::Fields;
    use crate::http::review::Asked;

    #[test]
    fn handles_are_put_in_order_and_hold_something() {
        let read = |query: &str| handles(&Fields::parse(query.as_bytes()).unwrap()).unwrap();
        assert_eq!(read(""), (0, COLUMNS));
        assert_eq!(read("low=9&high=4"), (4, 9));
        assert_eq!(read("low=7&high=7"), (7, 8));
        assert_eq!(read("low=999&high=999"), (COLUMNS - 1, COLUMNS));
        assert!(handles(&Fields::parse(b"low=x").unwrap()).is_err());
    }

    #[test]
    fn the_last_column_has_no_end() {
        assert_eq!(band(3, COLUMNS, None).one_in_until, None);
        assert!(band(3, 5, None).one_in_until.unwrap() > band(3, 5, None).one_in_from.unwrap());
        // Every query of the band is one the queue's page understands.
        let query = serde_urlencoded::to_string(band(3, 5, Some("a".to_owned()))).unwrap();
        assert!(Asked::parse(&query, &[]).is_ok());
    }
}

//! `/morning`: what a desk wants to know before it begins: backlog, inflow, how long decisions took, campaigns that grow, rules that got noisy. Every
//! chart has its numbers as a table; `/morning.csv` has them all.

use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::auth::{Caller, CanLook};
use super::super::error::ApiError;
use super::super::state::State;
use super::form::Fields;
use super::frame::{Frame, encoded, show};
use super::text::{When, excerpt, person, when};
use super::words::{say, thousands};
use crate::chart::{Series, bars, spark};
use crate::store::records::{Morning, RuleResult, Sites};

/// Days looked at when none are named, and at the most.
const DAYS: i64 = 14;
const MOST_DAYS: i64 = 90;
/// Rules in the list of the noisy ones; decisions from which a share says something.
const MOST_RULES: usize = 15;
const FEWEST: i64 = 5;
/// A rule of lower precision is called noisy.
const NOISY: f64 = 0.8;

struct Grown {
    link: String,
    site: String,
    sample: String,
    lately: i64,
    size: i64,
    spark: String,
}

struct RuleRow {
    name: String,
    rejected: i64,
    approved: i64,
    precision: String,
    interval: String,
    noisy: bool,
}

struct Person {
    name: String,
    counts: Vec<i64>,
}

#[derive(Template)]
#[template(path = "morning.html")]
struct MorningPage {
    f: Frame,
    days: i64,
    sites: Vec<String>,
    site: String,
    open: String,
    oldest: Option<When>,
    ages: String,
    age_rows: Vec<(String, i64)>,
    inflow: String,
    inflow_rows: Vec<(String, i64, i64)>,
    comments: String,
    flagged: String,
    share: String,
    median: String,
    ninety: String,
    timed: String,
    decided: String,
    decided_rows: Vec<(String, i64, i64)>,
    people: Vec<Person>,
    growing: Vec<Grown>,
    rules: Vec<RuleRow>,
    query: String,
}

fn asked(request: &HttpRequest, caller: &Caller<CanLook>) -> Result<(Sites, String, i64), ApiError> {
    let fields = Fields::parse(request.query_string().as_bytes())?;
    // A number that is none counts as none: the field shows what was taken for it.
    let days = fields.number("days").ok().flatten().unwrap_or(DAYS).clamp(1, MOST_DAYS);
    Ok(match fields.get("site") {
        Some(site) => (Sites::one(&caller.site(Some(site))?), site.to_owned(), days),
        None => (caller.sites(), String::new(), days),
    })
}

/// Precision with its 95 % interval (Wilson, 1927), as shares.
pub(super) fn precision(result: &RuleResult) -> Option<(f64, f64, f64)> {
    let n = (result.rejected + result.approved) as f64;
    if n == 0.0 {
        return None;
    }
    let (share, z) = (result.rejected as f64 / n, 1.96);
    let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    Some((share, (middle - half).max(0.0), (middle + half).min(1.0)))
}

/// The value below which a share of ascending numbers lies.
fn quantile(ascending: &[f64], share: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    ascending.get((last as f64 * share).round() as usize).copied()
}

fn minutes(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(minutes) if minutes < 1.0 => format!("{:.0} s", minutes * 60.0),
        Some(minutes) if minutes < 120.0 => format!("{minutes:.0} min"),
        Some(minutes) if minutes < 2880.0 => format!("{:.1} h", minutes / 60.0),
        Some(minutes) => format!("{:.1} d", minutes / 1440.0),
    }
}

fn day_name(day: i64) -> String {
    let at = chrono::DateTime::from_timestamp(day * 86_400, 0).unwrap_or_default();
    at.format("%-d %b").to_string()
}

/// Comments and flags by day, from the first day asked for to today.
fn by_day(morning: &Morning, days: i64) -> Vec<(i64, i64, i64)> {
    let today = chrono::Utc::now().timestamp() / 86_400;
    let mut all: Vec<(i64, i64, i64)> = (today - days + 1..=today).map(|day| (day, 0, 0)).collect();
    for hour in &morning.hours {
        if let Some(day) = all.iter_mut().find(|(day, ..)| *day == hour.hour / 24) {
            day.1 += hour.comments;
            day.2 += hour.flagged;
        }
    }
    all
}

fn decided_by_day(morning: &Morning, days: i64) -> Vec<(i64, i64, i64)> {
    let today = chrono::Utc::now().timestamp() / 86_400;
    let mut all: Vec<(i64, i64, i64)> = (today - days + 1..=today).map(|day| (day, 0, 0)).collect();
    for (of_day, action, count) in &morning.decided {
        if let Some(day) = all.iter_mut().find(|(day, ..)| day == of_day) {
            if action == "approve" {
                day.1 += count;
            } else {
                day.2 += count;
            }
        }
    }
    all
}

/// Names of the five ages of a card.
const AGES: [&str; 5] = ["morning.age.1", "morning.age.2", "morning.age.3", "morning.age.4", "morning.age.5"];
/// What people do, in the order of the table's columns.
const ACTIONS: [&str; 4] = ["approve", "reject", "escalate", "skip"];

fn people(morning: &Morning) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for (actor, action, count) in &morning.deciders {
        let name = person(actor);
        let Some(column) = ACTIONS.iter().position(|known| known == action) else { continue };
        if people.last().is_none_or(|last| last.name != name) {
            people.push(Person { name, counts: vec![0; ACTIONS.len()] });
        }
        if let Some(cell) = people.last_mut().and_then(|last| last.counts.get_mut(column)) {
            *cell += count;
        }
    }
    people
}

fn rule_rows(results: &[RuleResult]) -> Vec<RuleRow> {
    let row = |result: &RuleResult| {
        let (share, low, high) = precision(result)?;
        Some(RuleRow {
            name: result.name.clone(),
            rejected: result.rejected,
            approved: result.approved,
            precision: format!("{:.0} %", share * 100.0),
            interval: format!("{:.0}–{:.0} %", low * 100.0, high * 100.0),
            noisy: share < NOISY && result.rejected + result.approved >= FEWEST,
        })
    };
    let mut rows: Vec<RuleRow> =
        results.iter().filter(|one| one.rejected + one.approved >= FEWEST).filter_map(row).collect();
    // The noisy ones first, then the busy ones: the store has them by number of hits.
    rows.sort_by_key(|row| !row.noisy);
    rows.truncate(MOST_RULES);
    rows
}

fn two_series(title: &str, days: &[(i64, i64, i64)], names: [(&str, &str); 2]) -> String {
    let labels: Vec<String> = days.iter().map(|(day, ..)| day_name(*day)).collect();
    let first: Vec<f64> = days.iter().map(|day| day.1 as f64).collect();
    let second: Vec<f64> = days.iter().map(|day| day.2 as f64).collect();
    let series = [
        Series { class: names[0].0, name: say(names[0].1), values: &first },
        Series { class: names[1].0, name: say(names[1].1), values: &second },
    ];
    bars(title, &labels, &series, 180.0)
}

/// The page.
pub(super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let (sites, site, days) = asked(&request, &caller)?;
    let store = state.intake.store();
    let morning = store.morning(sites, days).await?;
    let f = Frame::new(&state, &caller, "morning", say("morning.title")).await?;
    let inflow = by_day(&morning, days);
    let rest: Vec<(i64, i64, i64)> =
        inflow.iter().map(|(day, comments, flagged)| (*day, comments - flagged, *flagged)).collect();
    let decided = decided_by_day(&morning, days);
    let (comments, flagged) = inflow.iter().fold((0, 0), |sum, day| (sum.0 + day.1, sum.1 + day.2));
    let ages: Vec<f64> = morning.ages.iter().map(|age| *age as f64).collect();
    let age_names: Vec<String> = AGES.iter().map(|key| say(key).to_owned()).collect();
    let of_ages = Series { class: "c1", name: say("morning.cards"), values: &ages };
    let growing = morning.growing.iter().map(|one| Grown {
        link: format!("/campaigns/{}/{}", encoded(&one.site), encoded(&one.id)),
        site: one.site.clone(),
        sample: excerpt(&one.sample, 140),
        lately: one.lately,
        size: one.size,
        spark: spark(say("campaigns.last-day"), &one.hours.iter().map(|h| *h as f64).collect::<Vec<_>>()),
    });
    let all_sites = store.sites().await?.into_iter().map(|site| site.id);
    let page = MorningPage {
        f,
        days,
        sites: all_sites.filter(|id| caller.sites().contains(id)).collect(),
        query: format!("days={days}&site={}", encoded(&site)),
        site,
        open: thousands(morning.queue.all),
        oldest: morning.queue.oldest_at.map(when),
        ages: bars(say("morning.ages"), &age_names, &[of_ages], 130.0),
        age_rows: age_names.iter().cloned().zip(morning.ages).collect(),
        inflow: two_series(
            say("morning.inflow"),
            &rest,
            [("c0", "morning.other-comments"), ("c2", "morning.flagged")],
        ),
        inflow_rows: inflow.iter().map(|(day, all, flagged)| (day_name(*day), *all, *flagged)).collect(),
        comments: thousands(comments),
        flagged: thousands(flagged),
        share: format!("{:.2} %", flagged as f64 / (comments as f64).max(1.0) * 100.0),
        median: minutes(quantile(&morning.handling, 0.5)),
        ninety: minutes(quantile(&morning.handling, 0.9)),
        timed: thousands(morning.handling.len() as i64),
        decided: two_series(
            say("morning.decided"),
            &decided,
            [("c3", "morning.approved"), ("c2", "morning.rejected")],
        ),
        decided_rows: decided
            .iter()
            .map(|(day, approved, rejected)| (day_name(*day), *approved, *rejected))
            .collect(),
        people: people(&morning),
        growing: growing.collect(),
        rules: rule_rows(&morning.rules),
    };
    show(&page)
}

/// A field of a CSV file (RFC 4180). What a spreadsheet would take for a formula is kept from being one.
fn field(text: &str) -> String {
    let text =
        if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// All numbers of the page: `what,name,first,second`.
pub(super) async fn csv(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let (sites, _, days) = asked(&request, &caller)?;
    let morning = state.intake.store().morning(sites, days).await?;
    let mut out = "what,name,value,of which\r\n".to_owned();
    let mut line = |what: &str, name: &str, value: &str, part: &str| {
        let _ = write!(out, "{what},{},{value},{part}\r\n", field(name));
    };
    line("open cards", "all", &morning.queue.all.to_string(), &morning.queue.campaigns.to_string());
    for (key, count) in AGES.iter().zip(morning.ages) {
        line("open cards by age", say(key), &count.to_string(), "");
    }
    for hour in &morning.hours {
        let at = chrono::DateTime::from_timestamp(hour.hour * 3600, 0).unwrap_or_default();
        let at = at.format("%Y-%m-%dT%H:00Z").to_string();
        line("comments by hour (flagged)", &at, &hour.comments.to_string(), &hour.flagged.to_string());
    }
    for (share, name) in [(0.5, "median"), (0.9, "90 %")] {
        let value = quantile(&morning.handling, share).map_or(String::new(), |value| format!("{value:.1}"));
        line("handling time in minutes", name, &value, "");
    }
    for (day, action, count) in &morning.decided {
        let at = chrono::DateTime::from_timestamp(day * 86_400, 0).unwrap_or_default();
        line(
            &format!("comments decided: {action}"),
            &at.format("%Y-%m-%d").to_string(),
            &count.to_string(),
            "",
        );
    }
    for (actor, action, count) in &morning.deciders {
        line(&format!("decisions: {action}"), &person(actor), &count.to_string(), "");
    }
    for one in &morning.growing {
        line("campaign (last 24 hours)", &one.id, &one.size.to_string(), &one.lately.to_string());
    }
    for one in &morning.rules {
        let all = one.rejected + one.approved;
        line("rule or signal: decided (rejected)", &one.name, &all.to_string(), &one.rejected.to_string());
    }
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("content-disposition", "attachment; filename=\"claque-morning.csv\""))
        .body(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_has_an_interval_that_holds_it() {
        let (share, low, high) =
            precision(&RuleResult { name: "x".to_owned(), rejected: 9, approved: 1 }).unwrap();
        assert!(low < share && share < high && (share - 0.9).abs() < 1e-9);
        assert!((low - 0.596).abs() < 0.01 && (high - 0.982).abs() < 0.01, "{low} {high}");
        assert!(precision(&RuleResult { name: "x".to_owned(), rejected: 0, approved: 0 }).is_none());
    }

    #[test]
    fn a_spreadsheet_gets_no_formula() {
        assert_eq!(field("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
    }

    #[test]
    fn quantiles_of_few_numbers() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.5), Some(2.0));
        assert_eq!(minutes(Some(0.5)), "30 s");
    }
}

//! `/queue`: the list of open cards with the first one laid open beside it; filters, saved views, decisions about a selection. Rows and numbers alone are
//! there for the scripts.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::auth::{Caller, CanDecide, CanLook};
use super::super::error::{ApiError, Code};
use super::super::review::{Asked, BECAUSES, check_reason, next_page};
use super::super::state::State;
use super::card::Row;
use super::card_page::{self, Pane};
use super::form::{Fields, Mistake, Posted};
use super::frame::{Frame, go, local, show_as, with_decisions, with_pair};
use super::text::excerpt;
use super::words::{count, fill, say};
use crate::access::Permission;
use crate::store::StoreError;
use crate::store::records::{Action, NewDecision, Order, QueueFilter, QueueItem, Target, View};

/// Cards of a page.
pub(super) const PAGE: usize = 25;
/// Cards of a selection.
const MOST: usize = 200;
/// Names in the address that are not the filter's.
pub(super) const OTHERS: &[&str] = &["done", "said", "zen"];

/// A queue with a name.
struct Queue {
    name: &'static str,
    link: &'static str,
    count: Option<i64>,
    /// The name of that number, for the script.
    counted: &'static str,
    here: bool,
}

/// A choice of a filter.
struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

/// A filter that is chosen from a list.
struct Select {
    name: &'static str,
    label: &'static str,
    choices: Vec<Choice>,
}

/// A filter that is typed.
struct Typed {
    name: &'static str,
    label: &'static str,
    value: String,
}

struct ViewLine {
    id: String,
    name: String,
    owner: String,
    own: bool,
    here: bool,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    f: Frame,
    queues: Vec<Queue>,
    views: Vec<ViewLine>,
    selects: Vec<Select>,
    typed: Vec<Typed>,
    is_filtered: bool,
    /// How many parts of the filter are set.
    set: usize,
    /// The number of the last thing that had happened when the page was made: from there on it listens.
    event: i64,
    rows: String,
    is_empty: bool,
    pane: String,
    next: Option<String>,
    query: String,
    here: String,
    /// How many cards the queue has, and under which name that is counted; none where a filter is laid over it.
    open: Option<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "rows.html")]
struct Rows<'a> {
    f: &'a Frame,
    all: Vec<Row>,
    here: &'a str,
}

/// `/` leads to the queue.
pub(super) async fn home(state: web::Data<State>, _caller: Caller<CanLook>) -> HttpResponse {
    go(&format!("{}/queue", state.prefix()))
}

/// The queue.
pub(super) async fn page(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let (asked, mistake) = asked_of(request.query_string())?;
    let filter = asked.filter(&state, &caller).await?;
    let limit = asked.page.limit.unwrap_or(PAGE).clamp(1, MOST);
    let store = state.intake.store();
    let f = Frame::new(&state, &caller, "queue", say("queue.title")).await?.after_mistake(mistake);
    let f = f.after_step(&request);
    let outcome = f.outcome();
    let event = store.last_event().await?;
    let items = store.queue(caller.sites(), filter.clone(), asked.after()?, limit).await?;
    let next = next_page(&items, limit, filter.order.unwrap_or_default());
    let here = here(&asked, &filter);
    let pane = match items.first() {
        Some(first) => match Pane::load(&state, &f, &caller, first.clone(), &here).await {
            Ok(pane) => pane.draw()?,
            // It went while the list was read: the others are there all the same.
            Err(error) if error.code == Code::NotFound => String::new(),
            Err(error) => return Err(error),
        },
        None => String::new(),
    };
    let views = store.views(caller.actor().name, caller.sites()).await?;
    let me = caller.actor().name;
    let rows = draw_rows(&f, &items, &me, &here, filter.order.unwrap_or_default())?;
    let sites = store.sites().await?;
    let sites: Vec<String> =
        sites.into_iter().map(|site| site.id).filter(|id| caller.sites().contains(id)).collect();
    let queues = queues(&f, &asked, &filter);
    let open = queues.iter().find(|queue| queue.here);
    let whole = QueuePage {
        event,
        open: open.and_then(|queue| Some((queue.counted, count("js.open", queue.count?)))),
        queues,
        views: views
            .into_iter()
            .map(|view| ViewLine {
                own: view.owner == me,
                owner: super::text::person(&view.owner),
                here: asked.page.view.as_deref() == Some(&view.id),
                id: view.id,
                name: excerpt(&view.name, 200),
            })
            .collect(),
        selects: selects(&filter, &sites),
        typed: typed(&filter),
        is_filtered: filter != QueueFilter::default() || !f.mistake.is_empty(),
        set: serde_urlencoded::to_string(&filter)
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .count(),
        is_empty: items.is_empty(),
        rows,
        pane,
        next: next.map(|next| with_pair(&here, "after", &next)),
        query: here.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default(),
        here,
        f,
    };
    show_as(outcome, &whole)
}

/// What an address asks for. A number of the filter that is none is left out, and told of.
fn asked_of(query: &str) -> Result<(Asked, Mistake), ApiError> {
    let error = match Asked::parse(query, OTHERS) {
        Ok(asked) => return Ok((asked, None)),
        Err(error) => error,
    };
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(|_| error.clone())?;
    let is_wrong = |name: &str, value: &str| match name {
        "one_in_from" | "one_in_until" => !value.parse().is_ok_and(|n: f64| n.is_finite() && n >= 1.0),
        "from" | "until" => value.parse::<i64>().is_err(),
        _ => false,
    };
    let (wrong, right): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|(name, value)| !value.is_empty() && is_wrong(name, value));
    let (name, value) = wrong.first().ok_or(error)?;
    let asked = Asked::parse(&serde_urlencoded::to_string(&right).unwrap_or_default(), OTHERS)?;
    let field = say(&format!("filter.{}", name.replace('_', "-"))).to_owned();
    let detail = fill("form.bad-filter", &[("field", &field), ("value", &excerpt(value, 40))]);
    Ok((asked, Some((ApiError::new(Code::InvalidParameter, detail), Fields::parse(query.as_bytes())?))))
}

/// The address of the list as it is now, without its page.
pub(super) fn here(asked: &Asked, filter: &QueueFilter) -> String {
    let query = match &asked.page.view {
        Some(view) => serde_urlencoded::to_string([("view", view)]),
        None => serde_urlencoded::to_string(filter),
    };
    match query.unwrap_or_default().as_str() {
        "" => "/queue".to_owned(),
        query => format!("/queue?{query}"),
    }
}

pub(super) fn draw_rows(
    f: &Frame,
    items: &[QueueItem],
    me: &str,
    here: &str,
    order: Order,
) -> Result<String, ApiError> {
    let row = |item| Row { rank: order.rank(item), ..Row::of(item, me) };
    let rows = Rows { f, all: items.iter().map(row).collect(), here };
    rows.render().map_err(|error| ApiError::new(Code::Refused, error.to_string()))
}

/// The named queues; the address of each is a filter.
fn queues(f: &Frame, asked: &Asked, filter: &QueueFilter) -> Vec<Queue> {
    let counts = &f.counts;
    let comments = counts.all - counts.campaigns;
    let is = |other: QueueFilter| {
        asked.page.view.is_none() && *filter == QueueFilter { order: filter.order, ..other }
    };
    let of = |kind: &str| QueueFilter { kind: Some(kind.to_owned()), ..QueueFilter::default() };
    let escalated = QueueFilter { escalated: Some(true), ..QueueFilter::default() };
    let held = QueueFilter { verdict: Some("hold".to_owned()), ..QueueFilter::default() };
    let queue = |name: &'static str, link, count, here| Queue {
        name,
        link,
        count,
        counted: name.strip_prefix("queue.").unwrap_or(name),
        here,
    };
    vec![
        queue("queue.all", "/queue", Some(counts.all), is(QueueFilter::default())),
        queue("queue.campaigns", "/queue?kind=campaign", Some(counts.campaigns), is(of("campaign"))),
        queue("queue.comments", "/queue?kind=comment", Some(comments), is(of("comment"))),
        queue("queue.escalated", "/queue?escalated=true", Some(counts.escalated), is(escalated)),
        queue("queue.held", "/queue?verdict=hold", None, is(held)),
    ]
}

fn selects(filter: &QueueFilter, sites: &[String]) -> Vec<Select> {
    let select = |name, label, values: Vec<(String, String)>, chosen: Option<&str>| Select {
        name,
        label,
        choices: std::iter::once((String::new(), say("filter.any").to_owned()))
            .chain(values)
            .map(|(value, text)| Choice { chosen: chosen.unwrap_or_default() == value, value, text })
            .collect(),
    };
    let same = |values: &[&str], key: &str| -> Vec<(String, String)> {
        let text = |value: &&str| ((*value).to_owned(), say(&format!("{key}.{value}")).to_owned());
        values.iter().map(text).collect()
    };
    let becauses = BECAUSES
        .iter()
        .map(|because| ((*because).to_owned(), say(&format!("because.{because}.short")).to_owned()));
    let escalated = filter.escalated.map(|escalated| escalated.to_string());
    let mut all = vec![
        select("kind", "filter.kind", same(&["comment", "campaign"], "kind"), filter.kind.as_deref()),
        select("because", "filter.because", becauses.collect(), filter.because.as_deref()),
        select("verdict", "filter.verdict", same(&["review", "hold"], "verdict"), filter.verdict.as_deref()),
        select(
            "status",
            "filter.status",
            same(&["published", "pending", "rejected", "deleted"], "status"),
            filter.status.as_deref(),
        ),
        select(
            "escalated",
            "filter.escalated",
            vec![
                ("true".to_owned(), say("filter.yes").to_owned()),
                ("false".to_owned(), say("filter.no").to_owned()),
            ],
            escalated.as_deref(),
        ),
    ];
    let order = match filter.order {
        Some(Order::Newest) => Some("newest"),
        Some(Order::Oldest) => Some("oldest"),
        Some(Order::Urgent) | None => None,
    };
    let mut orders = select("order", "filter.order", same(&["newest", "oldest"], "order"), order);
    if let Some(first) = orders.choices.first_mut() {
        say("order.urgent").clone_into(&mut first.text);
    }
    all.insert(0, orders);
    if sites.len() > 1 {
        let sites = sites.iter().map(|site| (site.clone(), site.clone())).collect();
        all.insert(0, select("site", "filter.site", sites, filter.site.as_deref()));
    }
    all
}

fn typed(filter: &QueueFilter) -> Vec<Typed> {
    let typed =
        |name, label, value: &Option<String>| Typed { name, label, value: value.clone().unwrap_or_default() };
    let number = |value: Option<f64>| value.map(|value| value.to_string());
    let time = |value: Option<i64>| value.map(|value| value.to_string());
    let mut all = vec![
        typed("text", "filter.text", &filter.text),
        typed("section", "filter.section", &filter.section),
        typed("lang", "filter.lang", &filter.lang),
        typed("author", "filter.author", &filter.author),
        typed("rule", "filter.rule", &filter.rule),
        typed("signal", "filter.signal", &filter.signal),
        typed("one_in_from", "filter.one-in-from", &number(filter.one_in_from)),
        typed("one_in_until", "filter.one-in-until", &number(filter.one_in_until)),
    ];
    // Shown only where a link or a view brought them: nobody types milliseconds.
    for (name, label, value) in [
        ("from", "filter.from", time(filter.from)),
        ("until", "filter.until", time(filter.until)),
        ("campaign", "filter.campaign", filter.campaign.clone()),
    ] {
        if value.is_some() {
            all.push(typed(name, label, &value));
        }
    }
    all
}

/// Rows alone: the next page, or the card `id` if it fits the filter.
pub(super) async fn rows(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let asked = Asked::parse(request.query_string(), &["id", "done", "said", "zen"])?;
    let one = Fields::parse(request.query_string().as_bytes())?.owned("id");
    let filter = asked.filter(&state, &caller).await?;
    let limit = asked.page.limit.unwrap_or(PAGE).clamp(1, MOST);
    let store = state.intake.store();
    let (items, next) = if let Some(id) = one {
        let card = store.fitting(caller.sites(), filter.clone(), id).await?;
        (card.into_iter().collect::<Vec<_>>(), None)
    } else {
        let items = store.queue(caller.sites(), filter.clone(), asked.after()?, limit).await?;
        let next = next_page(&items, limit, filter.order.unwrap_or_default());
        (items, next)
    };
    let f = Frame::new(&state, &caller, "queue", "").await?;
    let html = draw_rows(
        &f,
        &items,
        &caller.actor().name,
        &here(&asked, &filter),
        filter.order.unwrap_or_default(),
    )?;
    let mut answer = HttpResponse::Ok();
    if let Some(next) = next {
        answer.insert_header(("x-next", super::frame::encoded(&next)));
    }
    Ok(answer.content_type("text/html; charset=utf-8").body(html))
}

/// The numbers beside the queues' names.
pub(super) async fn counts(
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let counts = state.intake.store().queue_counts(caller.sites()).await?;
    Ok(HttpResponse::Ok().json(counts))
}

struct Picked {
    id: String,
    version: i64,
    text: String,
    heading: String,
}

#[derive(Template)]
#[template(path = "bulk.html")]
struct BulkPage {
    f: Frame,
    action: &'static str,
    question: String,
    picked: Vec<Picked>,
    more: String,
    hidden: Vec<(String, i64)>,
    back: String,
}

/// Cards shown before a selection is decided.
const SAMPLE: usize = 10;

/// Decides a selection: asks first, with a sample, then does it. All cards are of one site; those of several are decided site by site.
pub(super) async fn bulk(
    state: web::Data<State>,
    posted: Posted<CanDecide>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let back = local(fields.get("back"), "/queue");
    let action = card_page::action_of(&fields)?;
    let mut items: Vec<(String, Option<i64>)> = Vec::new();
    for item in fields.all("item") {
        let (id, version) = item.split_once(':').unwrap_or((item, ""));
        items.push((id.to_owned(), version.parse().ok()));
    }
    if items.is_empty() {
        return Ok(go(&format!("{}{}", state.prefix(), with_pair(&back, "said", "nothing-selected"))));
    }
    items.truncate(MOST);
    let store = state.intake.store();
    let review = &state.settings().review;
    let mistake = fields.mistake(check_reason(review, action, fields.get("reason"), fields.get("note")));
    if fields.get("sure").is_some() && mistake.is_none() {
        let (decided, left_out) = decide_by_site(&state, &caller, action, items, &fields).await?;
        let mut to = if decided.is_empty() { back } else { with_decisions(&back, &decided) };
        if left_out > 0 {
            to = format!("{to}{}said=some-left-out", if to.contains('?') { '&' } else { '?' });
        }
        return Ok(go(&format!("{}{to}", state.prefix())));
    }
    let mut picked = Vec::new();
    let mut comments = 0;
    let mut hidden = Vec::new();
    for (id, version) in items {
        let item = store.card(caller.sites(), id).await?;
        if is_above(&item, &caller, action) {
            continue;
        }
        let row = Row::of(&item, "");
        comments += row.size;
        hidden.push((item.id, version.unwrap_or(item.version)));
        picked.push(Picked { id: row.id, version: row.version, text: row.excerpt, heading: row.heading });
    }
    if picked.is_empty() {
        return Ok(go(&format!("{}{}", state.prefix(), with_pair(&back, "said", "some-left-out"))));
    }
    let f = Frame::new(&state, &caller, "queue", say("bulk.title")).await?.after_mistake(mistake);
    let question = fill(
        "bulk.question",
        &[
            ("action", &say(&format!("action.{}", action.name()))),
            ("cards", &count("js.cards", picked.len() as i64)),
            ("comments", &count("card.comments", comments)),
        ],
    );
    let rest = picked.len().saturating_sub(SAMPLE);
    picked.truncate(SAMPLE);
    let more = if rest > 0 { count("bulk.more", rest as i64) } else { String::new() };
    show_as(f.outcome(), &BulkPage { f, action: action.name(), question, picked, more, hidden, back })
}

/// Takes one decision a site; the ids of the decisions, and how many cards were left out because somebody else has or decided them.
pub(super) async fn decide_by_site(
    state: &State,
    caller: &Caller<CanDecide>,
    action: Action,
    items: Vec<(String, Option<i64>)>,
    fields: &Fields,
) -> Result<(Vec<String>, usize), ApiError> {
    let settings = state.settings();
    check_reason(&settings.review, action, fields.get("reason"), fields.get("note"))?;
    let store = state.intake.store();
    let mut by_site: std::collections::BTreeMap<String, Vec<(String, Option<i64>)>> =
        std::collections::BTreeMap::new();
    let mut decided = Vec::new();
    let mut left_out = 0;
    for (id, version) in items {
        match store.card(caller.sites(), id.clone()).await {
            Ok(card) if !is_above(&card, caller, action) => {
                by_site.entry(card.site).or_default().push((id, version));
            }
            Ok(_) | Err(StoreError::NotFound(_)) => left_out += 1,
            Err(error) => return Err(error.into()),
        }
    }
    let mut rest: Vec<Vec<(String, Option<i64>)>> = by_site.into_values().collect();
    while let Some(mut items) = rest.pop() {
        let decision = NewDecision {
            sites: caller.sites(),
            site: None,
            target: Target::Items(items.clone()),
            version: None,
            action,
            reason: fields.owned("reason"),
            note: fields.owned("note"),
            except: Vec::new(),
            by: caller.actor(),
            undo_for: settings.review.undo_minutes * 60_000,
        };
        match store.decide(decision).await {
            Ok(done) => decided.push(done.id),
            // One card of somebody else's does not keep the others: it stays behind, and they are tried again.
            Err(StoreError::Conflict { state, version }) => {
                let before = items.len();
                let taken = state.get("id").and_then(serde_json::Value::as_str);
                items.retain(|(id, _)| Some(id.as_str()) != taken);
                if items.len() == before {
                    return Err(StoreError::Conflict { state, version }.into());
                }
                left_out += before - items.len();
                if !items.is_empty() {
                    rest.push(items);
                }
            }
            // What is done can be undone only where it is told of.
            Err(_) if !decided.is_empty() => left_out += items.len(),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((decided, left_out))
}

/// Whether a card waits for a lead, and is not the caller's; or waits already, and cannot be sent to one again.
fn is_above(card: &QueueItem, caller: &Caller<CanDecide>, action: Action) -> bool {
    card.escalated && (!caller.actor().leads || action == Action::Escalate)
}

/// Keeps the filter of a page under a name.
pub(super) async fn save_view(
    state: web::Data<State>,
    posted: Posted<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let asked = Asked::parse(fields.get("query").unwrap_or_default(), OTHERS)?;
    let shared = fields.get("shared").is_some();
    if shared && !caller.identity.may(Permission::Decide) {
        return Err(ApiError::new(Code::Forbidden, "to share a view needs the permission `decide`"));
    }
    let view = View {
        id: String::new(),
        owner: caller.actor().name,
        name: super::super::desk::named("name", fields.need("name")?)?,
        query: asked.filter(&state, &caller).await?,
        shared,
    };
    let id = state.intake.store().save_view(view, caller.sites()).await?;
    Ok(go(&format!("{}/queue?view={id}&said=view-saved", state.prefix())))
}

/// Forgets a view.
pub(super) async fn delete_view(
    state: web::Data<State>,
    posted: Posted<CanLook>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    state.intake.store().delete_view(posted.caller.actor().name, id.into_inner()).await?;
    Ok(go(&format!("{}/queue?said=view-deleted", state.prefix())))
}

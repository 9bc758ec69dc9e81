//! `/campaigns`: those that grew, and one of them: who, where, when, what its comments share and where they differ, and one decision about all.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::super::auth::{Caller, CanDecide, CanLead, CanLook};
use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::card::{Beside, NoteLine, campaign_sentence};
use super::card_page::{decision_of, draw};
use super::form::{Fields, Mistake, Posted};
use super::frame::{Frame, encoded, go, local, show, show_as, with_pair};
use super::text::{When, excerpt, person, when};
use super::words::{count, fill, say};
use crate::chart::{Series, bars};
use crate::domain::{Id, SkeletonPart};
use crate::similarity::align::{MOST_MEMBERS, skeleton, words};
use crate::store::records::{AllowedCampaign, CampaignCard, Listing, Sites, Target};
use crate::text::Analysis;

/// Members shown at first.
const SAMPLE: usize = 12;
/// Members of a page.
const PAGE: usize = 100;
/// Campaigns listed.
const MOST: usize = 100;
/// Columns of the timeline.
const COLUMNS: i64 = 24;
/// Different fillers shown of a slot.
const FILLERS: usize = 6;
/// Days that a legitimate campaign may be allowed at the most.
const MOST_DAYS: i64 = 366;

/// A part of the skeleton as it is shown.
pub(super) struct Part {
    pub(super) text: String,
    /// What members have in this place, most frequent first; none for shared words.
    pub(super) fillers: Vec<String>,
    pub(super) more: i64,
}

/// Something that members share, and how many.
pub(super) struct Share {
    pub(super) text: String,
    pub(super) link: String,
    pub(super) count: i64,
}

/// A campaign with everything about it.
#[derive(Template)]
#[template(path = "campaign_view.html")]
pub(super) struct CampaignView {
    pub(super) f: Frame,
    /// The tag of its headings: below a card's title, or right below the page's.
    pub(super) level: &'static str,
    pub(super) site: String,
    pub(super) id: String,
    pub(super) link: String,
    pub(super) sentence: String,
    pub(super) size: i64,
    pub(super) undecided: i64,
    pub(super) published: i64,
    pub(super) first: When,
    pub(super) last: When,
    pub(super) timeline: String,
    pub(super) timeline_rows: Vec<(String, String)>,
    pub(super) parts: Vec<Part>,
    pub(super) members: Vec<Beside>,
    /// What was ticked before a mistake, and is not among the members shown.
    pub(super) also_left_out: Vec<String>,
    pub(super) next: Option<i64>,
    pub(super) articles: Vec<Share>,
    pub(super) sites: Vec<Share>,
    pub(super) sweep: Option<String>,
    pub(super) sweep_members: Vec<Beside>,
    pub(super) notes: Vec<NoteLine>,
}

impl CampaignView {
    /// Gathers a campaign as a site sees it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn load<P>(
        state: &State,
        f: &Frame,
        caller: &Caller<P>,
        site: &str,
        card: &CampaignCard,
    ) -> Result<Self, ApiError> {
        let store = state.intake.store();
        let sites = Sites::one(site);
        let of = |listing| store.list(sites.clone(), Some(site.to_owned()), listing, None, MOST_MEMBERS);
        let page = of(Listing::Campaign(card.id.clone())).await?;
        let texts: Vec<String> =
            page.comments.iter().map(|one| super::card::text_of(&one.comment).to_owned()).collect();
        let parts = web::block(move || parts(&texts)).await;
        let parts = parts.map_err(|error| ApiError::new(Code::Refused, error.to_string()))?;
        let times = store.campaign_times(site.to_owned(), card.id.clone()).await?;
        let (timeline, timeline_rows) = timeline(&times);
        let sweep = card.sweep.as_ref().map(|sweep| {
            fill(
                "campaign.sweep",
                &[
                    ("by", &person(&sweep.actor)),
                    ("action", &say(&format!("action.{}.past-word", sweep.action))),
                    ("n", &count("card.comments", card.undecided)),
                ],
            )
        });
        let sweep_members =
            if sweep.is_some() { of(Listing::Sweep(card.id.clone())).await?.comments } else { Vec::new() };
        let mut articles: Vec<Share> = Vec::new();
        for article in page.comments.iter().filter_map(|one| one.article.as_ref()) {
            let link = format!("/articles/{}/{}", encoded(site), encoded(&article.id));
            match articles.iter_mut().find(|share| share.link == link) {
                Some(share) => share.count += 1,
                None => articles.push(Share { text: super::card::title_of(article), link, count: 1 }),
            }
        }
        articles.sort_by_key(|share| -share.count);
        let elsewhere = store.campaign_sites(caller.sites(), card.id.clone()).await?;
        let others = elsewhere.into_iter().filter(|(other, _)| other != site).map(|(other, count)| Share {
            link: format!("/campaigns/{}/{}", encoded(&other), encoded(&card.id)),
            text: other,
            count,
        });
        let notes = store.notes(site.to_owned(), "campaign", card.id.clone()).await?;
        Ok(Self {
            f: f.clone(),
            level: "h3",
            link: format!("/campaigns/{}/{}", encoded(site), encoded(&card.id)),
            sentence: campaign_sentence(card),
            size: card.size,
            undecided: card.undecided,
            published: card.published,
            first: when(card.first_seen),
            last: when(card.last_seen),
            timeline,
            timeline_rows,
            parts,
            members: page.comments.iter().take(SAMPLE).map(|one| Beside::of(one, 300)).collect(),
            also_left_out: f
                .kept_all("except")
                .filter(|id| page.comments.iter().take(SAMPLE).all(|one| one.id != *id))
                .map(str::to_owned)
                .collect(),
            next: page.comments.get(SAMPLE - 1).filter(|_| page.comments.len() > SAMPLE).map(|last| last.seq),
            articles,
            sites: others.collect(),
            sweep,
            sweep_members: sweep_members.iter().take(SAMPLE).map(|one| Beside::of(one, 300)).collect(),
            notes: notes.iter().map(NoteLine::of).collect(),
            site: site.to_owned(),
            id: card.id.clone(),
        })
    }
}

/// What texts share, and what stands in their slots.
fn parts(texts: &[String]) -> Vec<Part> {
    let members: Vec<Vec<String>> = texts.iter().map(|text| words(&Analysis::alone(text))).collect();
    let parts = skeleton(&members).into_iter().map(|part| match part {
        SkeletonPart::Text(text) => Part { text, fillers: Vec::new(), more: 0 },
        SkeletonPart::Slot(fillers) => {
            let mut counts: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
            for filler in fillers {
                let filler = if filler.is_empty() { say("campaign.nothing").to_owned() } else { filler };
                *counts.entry(excerpt(&filler, 60)).or_default() += 1;
            }
            let mut sorted: Vec<(String, usize)> = counts.into_iter().collect();
            sorted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            let more = sorted.len().saturating_sub(FILLERS) as i64;
            let fillers = sorted
                .into_iter()
                .take(FILLERS)
                .map(|(filler, count)| if count > 1 { format!("{filler} ×{count}") } else { filler });
            Part { text: String::new(), fillers: fillers.collect(), more }
        }
    });
    parts.collect()
}

/// How many comments came in each part of the campaign's time, as a chart and as rows.
fn timeline(times: &[i64]) -> (String, Vec<(String, String)>) {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return (String::new(), Vec::new()) };
    // Whole steps that people count in.
    let steps = [5, 15, 60, 180, 360, 1440, 10_080, 43_200].map(|minutes| minutes * 60_000);
    let span = last - first;
    let step = steps.into_iter().find(|step| span / step < COLUMNS).unwrap_or(span / COLUMNS + 1);
    let begin = first / step * step;
    let columns = ((last - begin) / step + 1) as usize;
    let mut counts = vec![0.0; columns];
    for at in times {
        if let Some(count) = counts.get_mut(((at - begin) / step) as usize) {
            *count += 1.0;
        }
    }
    let form = if step < 86_400_000 { "%-d %b %H:%M" } else { "%-d %b" };
    let label = |column: usize| {
        let at = chrono::DateTime::from_timestamp_millis(begin + step * column as i64).unwrap_or_default();
        at.format(form).to_string()
    };
    let labels: Vec<String> = (0..columns).map(label).collect();
    let rows = labels.iter().cloned().zip(counts.iter().map(ToString::to_string)).collect();
    let series = Series { class: "c1", name: say("campaign.comments"), values: &counts };
    (bars(say("campaign.timeline"), &labels, &[series], 140.0), rows)
}

struct ListRow {
    link: String,
    sentence: String,
    sample: String,
    site: String,
    undecided: i64,
    last: When,
    spark: String,
    lately: i64,
}

#[derive(Template)]
#[template(path = "campaigns.html")]
struct ListPage {
    f: Frame,
    rows: Vec<ListRow>,
    allowed: Vec<AllowedRow>,
}

struct AllowedRow {
    id: String,
    title: String,
    site: String,
    until: When,
    by: String,
}

/// All campaigns, those that grew in the last day first.
pub(super) async fn list(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
) -> Result<HttpResponse, ApiError> {
    let f = Frame::new(&state, &caller, "campaigns", say("campaigns.title")).await?;
    let f = f.after_step(&request);
    let store = state.intake.store();
    let growing = store.growing(caller.sites()).await?;
    let campaigns = store.campaigns_by_site(caller.sites(), MOST).await?;
    let mut rows: Vec<ListRow> = campaigns
        .iter()
        .map(|(site, card)| {
            let grew = growing.iter().find(|one| one.id == card.id && one.site == *site);
            let hours: Vec<f64> =
                grew.map_or_else(Vec::new, |one| one.hours.iter().map(|h| *h as f64).collect());
            ListRow {
                link: format!("/campaigns/{}/{}", encoded(site), encoded(&card.id)),
                sentence: campaign_sentence(card),
                sample: excerpt(&card.sample, 180),
                site: site.clone(),
                undecided: card.undecided,
                last: when(card.last_seen),
                spark: crate::chart::spark(say("campaigns.last-day"), &hours),
                lately: grew.map_or(0, |one| one.lately),
            }
        })
        .collect();
    rows.sort_by_key(|row| -row.lately);
    let allowed = store.allowed_campaigns(caller.sites()).await?;
    let allowed = allowed.into_iter().map(|one| AllowedRow {
        id: one.id,
        title: excerpt(&one.title, 200),
        site: one.site,
        until: when(one.expires_at),
        by: person(&one.actor),
    });
    show(&ListPage { f, rows, allowed: allowed.collect() })
}

#[derive(Template)]
#[template(path = "campaign.html")]
struct CampaignPage {
    f: Frame,
    view: String,
    site: String,
    id: String,
    link: String,
    undecided: i64,
    card: Option<String>,
    version: Option<i64>,
}

/// One campaign.
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
    let card = state.intake.store().campaign(site.clone(), id.clone()).await?;
    let title = fill("campaign.titled", &[("sample", &excerpt(&card.sample, 60))]);
    let f = Frame::new(state, caller, "campaigns", title).await?.after_mistake(mistake);
    let outcome = f.outcome();
    let view = CampaignView { level: "h2", ..CampaignView::load(state, &f, caller, &site, &card).await? };
    let open = state.intake.store().card_of_campaign(site.clone(), id.clone()).await?;
    let version = open.as_ref().map(|(_, version)| *version);
    let page = CampaignPage {
        link: view.link.clone(),
        view: draw(&view)?,
        undecided: card.undecided,
        f: f.after_step(request),
        card: open.map(|(card, _)| card),
        version,
        site,
        id,
    };
    show_as(outcome, &page)
}

#[derive(Template)]
#[template(path = "members.html")]
struct MemberRows<'a> {
    f: &'a Frame,
    members: Vec<Beside>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "members_page.html")]
struct MembersPage {
    f: Frame,
    rows: String,
    link: String,
    undecided: i64,
    version: Option<i64>,
}

/// All comments of a campaign, page by page; with `part=rows` for the script, without the frame.
pub(super) async fn members(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (site, id) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let listing = Listing::Campaign(id.clone());
    let after = fields.number("after")?;
    let page = state.intake.store().list(Sites::one(&site), Some(site.clone()), listing, after, PAGE).await?;
    let link = format!("/campaigns/{}/{}", encoded(&site), encoded(&id));
    let f = Frame::new(&state, &caller, "campaigns", say("campaign.members")).await?;
    let rows = MemberRows {
        f: &f,
        members: page.comments.iter().map(|one| Beside::of(one, 2000)).collect(),
        next: page.next.map(|next| format!("{link}/members?after={next}")),
    };
    if fields.get("part") == Some("rows") {
        return show(&rows);
    }
    let card = state.intake.store().campaign(site.clone(), id.clone()).await?;
    let version = state.intake.store().card_of_campaign(site, id).await?.map(|(_, version)| version);
    show(&MembersPage { rows: draw(&rows)?, f, link, undecided: card.undecided, version })
}

/// Decides a campaign, whether it has a card or not.
pub(super) async fn decide(
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanDecide>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let (site, id) = path.into_inner();
    let site = caller.site(Some(&site))?;
    let back = local(fields.get("back"), &format!("/campaigns/{}/{}", encoded(&site), encoded(&id)));
    let target = Target::Campaign(id.clone());
    let decision = match decision_of(&state, &caller, &fields, Some(site.clone()), target) {
        Err(error) if fields.can_mend(&error) => {
            return drawn(&request, &state, &caller, (site, id), Some((error, fields))).await;
        }
        decision => decision?,
    };
    let decided = state.intake.store().decide(decision).await?;
    Ok(go(&format!("{}{}", state.prefix(), with_pair(&back, "done", &decided.id))))
}

/// Allows a legitimate campaign, or with `id` of an allowed one no more.
pub(super) async fn allow(
    request: HttpRequest,
    state: web::Data<State>,
    posted: Posted<CanLead>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let Posted { caller, fields } = posted;
    let names = path.into_inner();
    match allowed(&state, &caller, &fields, names.clone()).await {
        Err(error) if fields.can_mend(&error) && error.code != Code::NotFound => {
            drawn(&request, &state, &caller, names, Some((error, fields))).await
        }
        outcome => outcome,
    }
}

async fn allowed(
    state: &State,
    caller: &Caller<CanLead>,
    fields: &Fields,
    (site, id): (String, String),
) -> Result<HttpResponse, ApiError> {
    let site = caller.site(Some(&site))?;
    let store = state.intake.store();
    if fields.get("stop").is_some() {
        store.disallow_campaign(caller.sites(), id, caller.actor().name).await?;
        state.intake.refresh().await?;
        return Ok(go(&format!("{}/campaigns?said=disallowed", state.prefix())));
    }
    let days: i64 = fields.number("days")?.unwrap_or(14);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(ApiError::new(Code::InvalidBody, fill("campaign.days", &[("most", &MOST_DAYS)])));
    }
    let allowed = AllowedCampaign {
        id: String::new(),
        site,
        title: super::super::desk::named("title", fields.need("title")?)?,
        expires_at: Utc::now().timestamp_millis() + days * 24 * 3_600_000,
        actor: caller.actor().name,
        at: 0,
        sketch: Vec::new(),
        canon_version: 0,
    };
    store.allow_campaign(allowed, Id::from(id).to_string()).await?;
    state.intake.refresh().await?;
    Ok(go(&format!("{}/campaigns?said=allowed", state.prefix())))
}

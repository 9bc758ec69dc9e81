//! `/articles/{site}/{id}`: an article's thread with the score of every comment.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::super::auth::{Caller, CanLook};
use super::super::error::{ApiError, Code};
use super::super::state::State;
use super::card::Beside;
use super::form::Fields;
use super::frame::{Frame, encoded, show};
use super::text::{When, excerpt, when};
use super::words::say;
use crate::chart::{Series, bars};
use crate::domain::Id;
use crate::store::records::{Listing, Sites};

/// Comments of a page.
const PAGE: usize = 200;
/// Columns of the chart: powers of ten of a text's rarity, in halves.
const COLUMNS: usize = 10;

#[derive(Template)]
#[template(path = "article.html")]
struct ArticlePage {
    f: Frame,
    site: String,
    url: Option<String>,
    section: Option<String>,
    published: Option<When>,
    comments: Vec<Beside>,
    flagged: usize,
    chart: String,
    rows: Vec<(String, String)>,
    next: Option<String>,
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
    let fields = Fields::parse(request.query_string().as_bytes())?;
    let store = state.intake.store();
    let article = store.article(site.clone(), Id::from(id.as_str())).await?;
    let after = fields.number("after")?;
    let listing = Listing::Article(id.clone());
    let page = store.list(Sites::one(&site), Some(site.clone()), listing, after, PAGE).await?;
    if article.is_none() && page.comments.is_empty() {
        return Err(ApiError::new(Code::NotFound, "there is no such article and no comment under it"));
    }
    let title = article.as_ref().map(|article| article.title.clone()).filter(|title| !title.is_empty());
    let f = Frame::new(&state, &caller, "", excerpt(&title.unwrap_or_else(|| id.clone()), 300)).await?;
    let (chart, rows) = rarities(page.comments.iter().filter(|one| !one.abstained).map(|one| one.p));
    // Only an address that a browser opens as a page is a link.
    let url = article.as_ref().and_then(|article| article.url.clone());
    let page = ArticlePage {
        f,
        url: url.filter(|url| url.starts_with("https://") || url.starts_with("http://")),
        section: article.as_ref().and_then(|article| article.section.as_deref()).map(|s| excerpt(s, 80)),
        published: article.and_then(|article| article.published_at).map(|at| when(at.timestamp_millis())),
        flagged: page.comments.iter().filter(|one| one.verdict != "allow").count(),
        comments: page.comments.iter().map(|one| Beside::of(one, 600)).collect(),
        chart,
        rows,
        next: page.next.map(|next| format!("/articles/{}/{}?after={next}", encoded(&site), encoded(&id))),
        site,
    };
    show(&page)
}

/// How rare the texts of some comments are, as a chart and as rows.
fn rarities(ps: impl Iterator<Item = f64>) -> (String, Vec<(String, String)>) {
    let mut counts = vec![0.0; COLUMNS];
    for p in ps {
        let column = (-p.max(1e-300).log10() * 2.0) as usize;
        if let Some(count) = counts.get_mut(column.min(COLUMNS - 1)) {
            *count += 1.0;
        }
    }
    let label = |column: usize| super::text::one_in_short(10f64.powf(-(column as f64) / 2.0));
    let labels: Vec<String> = (0..COLUMNS).map(label).collect();
    let rows = labels.iter().cloned().zip(counts.iter().map(ToString::to_string)).collect();
    // The last name is too long for the foot of a chart.
    let mut labels = labels;
    if let Some(last) = labels.last_mut() {
        say("article.rarer").clone_into(last);
    }
    let series = Series { class: "c1", name: say("campaign.comments"), values: &counts };
    (bars(say("article.chart"), &labels, &[series], 150.0), rows)
}

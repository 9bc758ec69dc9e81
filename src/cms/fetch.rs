//! Article texts from their addresses, where only those are known: fetched behind the scenes, for the comments that come later.
//!
//! Off by default. The fetch reaches nothing private unless that is meant, follows no redirect, and reads at most two megabytes of HTML.

use std::time::Duration;

use chrono::Utc;

use super::extract::{charset, extract};
use crate::domain::Article;
use crate::store::{Store, StoreError};
use crate::wire::outbound::agent;

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of a page, in bytes.
const LARGEST: u64 = 2 << 20;
/// Articles of one round.
const AT_ONCE: usize = 20;

/// Fetches what is due; the number of articles tried.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn fetch_due(store: &Store, allow_private: bool) -> Result<usize, StoreError> {
    let due = store.articles_to_fetch(AT_ONCE).await?;
    let count = due.len();
    for (site, article) in due {
        let (id, url) = (article.id.clone(), article.url.clone().unwrap_or_default());
        let page = tokio::task::spawn_blocking(move || page(&url, allow_private)).await;
        match page.unwrap_or_else(|_| Err("the fetch failed".to_owned())).map(|page| merged(article, &page)) {
            Ok(Some(article)) => store.put_article(site, article).await?,
            Ok(None) => store.article_not_fetched(site, id).await?,
            Err(error) => {
                tracing::warn!(site, article = %id, error, "an article was not fetched");
                store.article_not_fetched(site, id).await?;
            }
        }
    }
    Ok(count)
}

/// The HTML behind an address.
fn page(url: &str, allow_private: bool) -> Result<String, String> {
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return Err(format!("`{url}` is no web address"));
    }
    let request = agent(PATIENCE, allow_private)
        .get(url)
        .header("accept", "text/html")
        .header("user-agent", concat!("claque/", env!("CARGO_PKG_VERSION")));
    let mut answer = request.call().map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("it answered {}", answer.status().as_u16()));
    }
    let kind = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let is_html = kind.as_deref().is_some_and(|kind| kind.contains("html"));
    if !is_html {
        return Err(format!("it is `{}`, not HTML", kind.unwrap_or_default()));
    }
    let mut bytes = Vec::new();
    let reader = answer.body_mut().as_reader();
    std::io::Read::read_to_end(&mut std::io::Read::take(reader, LARGEST), &mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(charset(kind.as_deref(), &bytes))
}

/// The article with what its page says; none when the page says nothing.
fn merged(mut article: Article, page: &str) -> Option<Article> {
    let found = extract(page)?;
    let body = found.body.filter(|body| !body.is_empty())?;
    if article.title.is_empty() {
        article.title = found.title.unwrap_or_default();
    }
    article.body = Some(body);
    article.section = article.section.or(found.section);
    article.published_at = article.published_at.or(found.published_at.map(|at| at.with_timezone(&Utc)));
    Some(article)
}

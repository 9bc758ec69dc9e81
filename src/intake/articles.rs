//! Articles that comments arrived under lately, analysed once: many comments stand under few articles.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::{Article, Id};
use crate::store::{Store, StoreError};
use crate::text::Reference;

/// How long an article is believed: another process may have changed it.
const FRESH: Duration = Duration::from_secs(10);
/// The most articles that are kept.
const MOST: usize = 2000;

/// An article with its words.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) article: Article,
    pub(super) words: Reference,
}

impl Known {
    fn new(article: Article) -> Self {
        let words = Reference::new(&article.title, article.body.as_deref().unwrap_or_default());
        Self { article, words }
    }
}

type Entry = (Option<Arc<Known>>, Instant);

/// The articles of lately; of some it is known that there is none.
#[derive(Default)]
pub(super) struct Articles(Mutex<HashMap<(String, Id), Entry>>);

impl Articles {
    /// The article of a site, from here or from the store.
    pub(super) async fn get(
        &self,
        store: &Store,
        site: &str,
        id: &Id,
    ) -> Result<Option<Arc<Known>>, StoreError> {
        let key = (site.to_owned(), id.clone());
        {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((article, _)) = known.get(&key).filter(|(_, at)| at.elapsed() < FRESH) {
                return Ok(article.clone());
            }
        }
        let article = store.article(key.0.clone(), key.1.clone()).await?;
        let article = article.map(|article| Arc::new(Known::new(article)));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (_, at)| at.elapsed() < FRESH);
            if known.len() >= MOST {
                known.clear();
            }
        }
        known.insert(key, (article.clone(), Instant::now()));
        Ok(article)
    }

    /// Forgets one that was changed.
    pub(super) fn forget(&self, site: &str, id: &Id) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(site.to_owned(), id.clone()));
    }
}

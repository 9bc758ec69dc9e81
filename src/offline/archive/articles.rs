//! The words of the articles and parents that a portion of comments is judged with.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::ArchiveError;
use super::run::Job;
use super::spool::{ByName, Spool, Spooled};
use crate::domain::{Article, Comment, Id};
use crate::offline::book::name_of;
use crate::offline::records::Articles;
use crate::text::{Analysis, Context, Language, Reference};

/// Articles whose words are kept for the next portion: comments of an article mostly stand together.
const KEPT: usize = 2000;

/// Articles of an archive, and where comments are found.
pub(super) struct Library {
    /// Those that were named by hand: they count before those of the exports.
    named: Articles,
    articles: ByName,
    comments: ByName,
    sections: HashMap<u64, Option<String>>,
    words: HashMap<u64, Option<Reference>>,
}

/// What one portion needs.
pub(super) struct Portion<'a> {
    words: &'a HashMap<u64, Option<Reference>>,
    sections: &'a HashMap<u64, Option<String>>,
    parents: HashMap<u64, Reference>,
}

/// The key under which an article's words are kept: that of the comment's own site.
fn key(comment: &Comment) -> Option<u64> {
    Some(name_of(comment.site.as_ref(), comment.article_id.as_ref()?.as_str()))
}

impl Library {
    pub(super) fn new(job: &Job<'_>, articles: &Spool, comments: &Spool) -> Self {
        Self {
            named: Articles::new(job.articles.clone()),
            articles: ByName::new(&articles.names),
            comments: ByName::new(&comments.names),
            sections: HashMap::new(),
            words: HashMap::new(),
        }
    }

    /// The article of a comment: the one of its site, else one that names no site.
    pub(super) fn article(
        &self,
        articles: &Spool,
        comment: &Comment,
    ) -> Result<Option<Article>, ArchiveError> {
        let Some(id) = &comment.article_id else { return Ok(None) };
        if let Some(article) = self.named.of(comment) {
            return Ok(Some(article.clone()));
        }
        let find = |site: Option<&Id>| self.articles.find(&articles.names, site, id.as_str());
        find(comment.site.as_ref()).or_else(|| find(None)).map(|at| articles.get(at)).transpose()
    }

    /// Gathers what a portion of comments is judged with.
    pub(super) fn portion<'a>(
        &'a mut self,
        articles: &Spool,
        spool: &Spool,
        comments: &[Spooled],
    ) -> Result<Portion<'a>, ArchiveError> {
        if self.words.len() > KEPT {
            self.words.clear();
            self.sections.clear();
        }
        let mut wanted: Vec<(u64, &Comment)> = Vec::new();
        let mut seen = HashSet::new();
        for comment in comments.iter().map(|one| &one.comment) {
            if let Some(key) = key(comment)
                && !self.words.contains_key(&key)
                && seen.insert(key)
            {
                wanted.push((key, comment));
            }
        }
        let library = &*self;
        let made: Vec<(u64, Option<Article>)> = wanted
            .par_iter()
            .map(|(key, comment)| Ok((*key, library.article(articles, comment)?)))
            .collect::<Result<_, ArchiveError>>()?;
        let made: Vec<(u64, Option<String>, Option<Reference>)> = made
            .into_par_iter()
            .map(|(key, article)| {
                let words = article.as_ref().map(|article| {
                    Reference::new(&article.title, article.body.as_deref().unwrap_or_default())
                });
                (key, article.and_then(|article| article.section), words)
            })
            .collect();
        for (key, section, words) in made {
            self.sections.insert(key, section);
            self.words.insert(key, words);
        }
        let parents = comments
            .par_iter()
            .filter_map(|one| {
                let comment = &one.comment;
                let parent = comment.parent_id.as_ref()?;
                let at = self.comments.find(&spool.names, comment.site.as_ref(), parent.as_str())?;
                Some((name_of(comment.site.as_ref(), parent.as_str()), at))
            })
            .collect::<HashMap<u64, usize>>();
        let parents = parents
            .into_par_iter()
            .map(|(name, at)| {
                let parent: Spooled = spool.get(at)?;
                Ok((name, Reference::new("", &parent.comment.text)))
            })
            .collect::<Result<HashMap<u64, Reference>, ArchiveError>>()?;
        Ok(Portion { words: &self.words, sections: &self.sections, parents })
    }
}

impl Portion<'_> {
    /// The words of a comment's article.
    pub(super) fn article(&self, comment: &Comment) -> Option<&Reference> {
        self.words.get(&key(comment)?)?.as_ref()
    }

    /// The section of a comment's article, where that is known.
    pub(super) fn section(&self, comment: &Comment) -> Option<&str> {
        self.sections.get(&key(comment)?)?.as_deref()
    }

    /// A comment's analysis in its context.
    pub(super) fn analyse<'t>(&self, comment: &'t Comment) -> Analysis<'t> {
        let parent = comment.parent_id.as_ref();
        let parent = parent.and_then(|id| self.parents.get(&name_of(comment.site.as_ref(), id.as_str())));
        let lang = comment.lang.as_deref().and_then(Language::parse);
        Analysis::new(&comment.text, &Context { article: self.article(comment), parent, lang })
    }
}

//! `claque import`: a site's past comments, from any export, into the store: judged and remembered, nothing queued. What is there already is known again.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use serde_json::json;
use tokio::runtime::Runtime;

use super::database::{Database, runtime};
use super::output::warn;
use super::rescore::Reading;
use super::score::read_articles;
use super::{EngineArgs, Outcome};
use crate::domain::{Article, Comment, Id};
use crate::intake::{Intake, Outcome as Taken};
use crate::offline::read::{Entry, Tally, open};
use crate::store::{Store, StoreError};

/// Comments taken together, so that they share commits.
const AT_ONCE: usize = 256;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An export, oldest comment first: JSON Lines, CSV, WordPress, Disqus, Commento, Remark42, Coral; also .gz and .zst; `-` for standard input
    file: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Articles as JSON Lines, beside those of the export
    #[arg(long, value_name = "FILE")]
    articles: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    engine: EngineArgs,
}

/// What becomes of an import's records.
struct Import<'a> {
    runtime: &'a Runtime,
    intake: Arc<Intake>,
    place: String,
    /// The site of everything, where it was named.
    named: Option<String>,
    /// The sites of the store.
    sites: BTreeSet<String>,
    /// Comments that are taken together, each with its site.
    group: Vec<(String, Comment)>,
    taken: u64,
    known: u64,
    rejected: u64,
    articles: u64,
}

/// Where a record belongs.
enum Belongs {
    To(String),
    /// To a site that the store does not have.
    Elsewhere(String),
    /// It says nothing, and nobody else does.
    Unsaid,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let (engine, settings) = args.engine.load_with_settings(Vec::new())?;
    let store = Store::open_existing(&args.database.db).map_err(|error| anyhow!("{error}"))?;
    let (articles, rejects) = read_articles(args.articles.as_ref())?;
    super::output::report_rejects(&rejects);
    let options = args.reading.options()?;
    let opened = open(&args.file, args.reading.format()?, &options)?;
    let runtime = runtime()?;
    let prepared = runtime.block_on(async {
        let sites: BTreeSet<String> = store.sites().await?.into_iter().map(|site| site.id).collect();
        let intake = Intake::beside(Arc::new(engine), store, &settings).await?;
        Ok::<_, StoreError>((sites, intake))
    });
    let (sites, intake) = prepared.map_err(|error| anyhow!("{error}"))?;
    let named = args.reading.site.clone();
    if let Some(site) = named.as_ref().filter(|site| !sites.contains(*site)) {
        bail!("{}", no_site(site));
    }
    let mut import = Import {
        runtime: &runtime,
        intake,
        place: args.file.display().to_string(),
        named,
        sites,
        group: Vec::new(),
        taken: 0,
        known: 0,
        rejected: rejects.len() as u64,
        articles: 0,
    };
    for article in articles.iter() {
        import.article(article.clone())?;
    }
    import.articles = 0;
    let mut notes = Tally::default();
    let mut failed = None;
    let read = opened.read(&options, &mut |entry| {
        let done = match entry {
            Entry::Comment(labelled) => import.comment(labelled.comment),
            Entry::Article(article) => import.article(*article),
            Entry::Reject(bad) => {
                import.rejected += 1;
                warn(&bad);
                Ok(())
            }
            Entry::Note(_) => {
                notes.count(&entry);
                Ok(())
            }
        };
        match done {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    // What was read before an error is kept and told, whatever ended the reading.
    import.take();
    for (note, count) in &notes.notes {
        warn(format_args!("{}: {note}: {count}", import.place));
    }
    let Import { taken, known, rejected, articles, .. } = import;
    args.database.say(
        &format!(
            "{taken} comments taken, {known} known before, {articles} articles, {rejected} rejected. A server that runs finds their copies after its next start."
        ),
        &json!({ "taken": taken, "known": known, "articles": articles, "rejected": rejected }),
    )?;
    read?;
    failed.map_or(Ok(()), Err)?;
    Ok(if rejected == 0 { Outcome::Done } else { Outcome::SomeRejected })
}

fn no_site(site: &str) -> String {
    format!("there is no site `{site}`: add it with `claque sites add {site} --title TEXT`")
}

impl Import<'_> {
    fn belongs(&self, site: Option<&Id>) -> Belongs {
        match (&self.named, site.map(Id::as_str)) {
            (Some(named), _) => Belongs::To(named.clone()),
            (None, Some(site)) if self.sites.contains(site) => Belongs::To(site.to_owned()),
            (None, Some(site)) => Belongs::Elsewhere(site.to_owned()),
            (None, None) => Belongs::Unsaid,
        }
    }

    /// The site of a record; none if it was rejected.
    ///
    /// # Errors
    /// When nothing says where it belongs: the next record would not say it either.
    fn site(&mut self, what: &str, site: Option<&Id>) -> Result<Option<String>> {
        match self.belongs(site) {
            Belongs::To(site) => Ok(Some(site)),
            Belongs::Elsewhere(site) => {
                let mend = format!("{}, or say with --site to which it belongs", no_site(&site));
                self.reject(what, &mend);
                Ok(None)
            }
            Belongs::Unsaid => bail!("say with --site which site the comments belong to"),
        }
    }

    fn comment(&mut self, comment: Comment) -> Result<()> {
        let Some(site) = self.site(comment.id.as_str(), comment.site.as_ref())? else { return Ok(()) };
        // Two records of one comment are taken in their order.
        let is_again = |(of, other): &(String, Comment)| other.id == comment.id && *of == site;
        if self.group.len() >= AT_ONCE || self.group.iter().any(is_again) {
            self.take();
        }
        self.group.push((site, comment));
        Ok(())
    }

    fn article(&mut self, article: Article) -> Result<()> {
        let what = format!("article {}", article.id);
        let Some(site) = self.site(&what, article.site.as_ref())? else { return Ok(()) };
        match self.runtime.block_on(self.intake.put_article(site, article)) {
            Ok(()) => self.articles += 1,
            Err(error) => self.reject(&what, &error.to_string()),
        }
        Ok(())
    }

    fn reject(&mut self, what: &str, error: &str) {
        self.rejected += 1;
        warn(format_args!("{}: `{what}`: {error}", self.place));
    }

    /// Takes the group.
    fn take(&mut self) {
        let intake = &self.intake;
        let takes = std::mem::take(&mut self.group).into_iter().map(|(site, comment)| async move {
            let id = comment.id.clone();
            (id, intake.take(site, comment, false, None, ()).await)
        });
        for (id, result) in self.runtime.block_on(futures_util::future::join_all(takes)) {
            match result {
                Ok(Taken::Taken(one)) if !one.fresh => self.known += 1,
                Ok(_) => self.taken += 1,
                Err(error) => self.reject(id.as_str(), &error.to_string()),
            }
        }
    }
}

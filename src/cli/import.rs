//! `claque import`: a site's past comments, from any export, into the store: judged and remembered, nothing queued. What is there already is known again.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use serde_json::json;

use super::database::{Database, runtime};
use super::rescore::Reading;
use super::score::read_articles;
use super::{EngineArgs, Outcome};
use crate::domain::{Comment, Id};
use crate::intake::{Intake, Outcome as Taken};
use crate::offline::read::{Entry, open};
use crate::store::Store;

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

/// What became of an import's records.
#[derive(Default)]
struct Imported {
    taken: u64,
    known: u64,
    rejected: u64,
    articles: u64,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let (engine, settings) = args.engine.load_with_settings(Vec::new())?;
    let store = Store::open_existing(&args.database.db).map_err(|error| anyhow!("{error}"))?;
    let site = args
        .reading
        .site
        .clone()
        .ok_or_else(|| anyhow!("say with --site which site the comments belong to"))?;
    let (articles, rejects) = read_articles(args.articles.as_ref())?;
    super::output::report_rejects(&rejects);
    let place = args.file.display().to_string();
    let mut options = args.reading.options()?;
    // A record of another site is a mistake here, not to be renamed.
    options.site = None;
    let opened = open(&args.file, args.reading.format()?, &options)?;
    let runtime = runtime()?;
    let intake = runtime.block_on(async {
        for article in articles.iter() {
            store.put_article(site.clone(), article.clone()).await?;
        }
        Intake::start(Arc::new(engine), store, &settings).await
    });
    let intake = intake.map_err(|error| anyhow!("{error}"))?;
    let mut imported = Imported { rejected: rejects.len() as u64, ..Imported::default() };
    let mut group: Vec<Comment> = Vec::new();
    opened.read(&options, &mut |entry| {
        match entry {
            Entry::Comment(labelled) => {
                let comment = labelled.comment;
                if let Some(of) = comment.site.as_ref().map(Id::as_str).filter(|of| *of != site) {
                    reject(
                        &place,
                        comment.id.as_str(),
                        &format!("it is of site `{of}`, not `{site}`"),
                        &mut imported,
                    );
                    return ControlFlow::Continue(());
                }
                // Two records of one comment are taken in their order.
                if group.len() >= AT_ONCE || group.iter().any(|other| other.id == comment.id) {
                    runtime.block_on(take(&intake, &site, std::mem::take(&mut group), &place, &mut imported));
                }
                group.push(comment);
            }
            Entry::Article(article) => match runtime.block_on(intake.put_article(site.clone(), *article)) {
                Ok(()) => imported.articles += 1,
                Err(error) => reject(&place, "an article", &error.to_string(), &mut imported),
            },
            Entry::Reject(bad) => {
                imported.rejected += 1;
                eprintln!("claque: {bad}");
            }
            Entry::Note(_) => {}
        }
        ControlFlow::Continue(())
    })?;
    runtime.block_on(take(&intake, &site, group, &place, &mut imported));
    let Imported { taken, known, rejected, articles } = imported;
    args.database.say(
        &format!(
            "{taken} comments taken, {known} known before, {articles} articles, {rejected} rejected. A server that runs finds their copies after its next start."
        ),
        &json!({ "taken": taken, "known": known, "articles": articles, "rejected": rejected }),
    )?;
    Ok(if rejected == 0 { Outcome::Done } else { Outcome::SomeRejected })
}

fn reject(place: &str, what: &str, error: &str, imported: &mut Imported) {
    imported.rejected += 1;
    eprintln!("claque: {place}: `{what}`: {error}");
}

async fn take(intake: &Arc<Intake>, site: &str, group: Vec<Comment>, place: &str, imported: &mut Imported) {
    let takes = group.into_iter().map(|comment| async move {
        let id = comment.id.clone();
        (id, intake.take(site.to_owned(), comment, false, None, ()).await)
    });
    for (id, result) in futures_util::future::join_all(takes).await {
        match result {
            Ok(Taken::Taken(one)) if !one.fresh => imported.known += 1,
            Ok(_) => imported.taken += 1,
            Err(error) => reject(place, id.as_str(), &error.to_string(), imported),
        }
    }
}

//! `claque plan`: what a rescoring of the store proposes: shown, applied, taken back.

use anyhow::{Context, Result, anyhow};
use clap::Subcommand;
use serde_json::json;

use super::Outcome;
use super::database::Database;
use super::output::{printable, write_to};
use crate::offline::plan::Plan;
use crate::store::StoreError;

/// Changes shown.
const SHOWN: usize = 20;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what a plan would change
    Show {
        /// The plan's file, or with --db the id of one that is kept
        plan: String,
        /// The store
        #[arg(long, value_name = "PATH")]
        db: Option<std::path::PathBuf>,
    },
    /// Apply a plan: all of it or nothing; what people decided stays
    Apply {
        /// The plan's file, or the id of one that is kept
        plan: String,
        #[command(flatten)]
        database: Database,
    },
    /// Take an applied plan back
    Undo {
        /// The plan's file, or its id
        plan: String,
        #[command(flatten)]
        database: Database,
    },
    /// List the plans that are kept
    List {
        #[command(flatten)]
        database: Database,
    },
}

pub(super) fn run(command: &Command) -> Result<Outcome> {
    match command {
        Command::Show { plan, db } => show(plan, db.as_deref()),
        Command::Apply { plan, database } => {
            let (id, text) = text_of(plan, database)?;
            let read = Plan::read(&text).map_err(|error| anyhow!("{plan} {error}"))?;
            let (head, items) = Plan::parts(&text).map_err(|error| anyhow!("{plan} {error}"))?;
            let changes = read.changes().map_err(|error| anyhow!("{plan} {error}"))?;
            let of = id.clone();
            let applied = database.with(|store| async move {
                store.add_plan(of.clone(), head, items, "operator".to_owned()).await?;
                store.apply_plan(of, changes, "operator".to_owned()).await
            })?;
            database.say(
                &format!(
                    "{id}: {} comments changed; left alone: {} decided by people, {} in somebody's hands, kept back, swept, trusted or found by a plugin; {} cards opened, {} closed",
                    applied.changed, applied.decided, applied.held, applied.opened, applied.closed
                ),
                &json!({ "plan": id, "applied": applied }),
            )
        }
        Command::Undo { plan, database } => {
            let id = if std::path::Path::new(plan).exists() { Plan::id(&read(plan)?) } else { plan.clone() };
            let of = id.clone();
            let restored = database.with(|store| async move {
                store.undo_plan(of, "operator".to_owned()).await.map_err(no_such_plan)
            })?;
            database.say(
                &format!("{id}: {restored} comments are as they were"),
                &json!({ "plan": id, "restored": restored }),
            )
        }
        Command::List { database } => {
            let plans = database.with(|store| async move { store.plans().await })?;
            database.list(
                &plans,
                |plan| {
                    let state = match (plan.applied_at, plan.undone_at) {
                        (None, _) => "proposed",
                        (Some(_), None) => "applied",
                        (Some(_), Some(_)) => "taken back",
                    };
                    format!("{}\t{} changes\t{state}", plan.id, plan.items)
                },
                |plan| json!(plan),
            )
        }
    }
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

/// A plan's id and text, from a file or from the store.
fn text_of(plan: &str, database: &Database) -> Result<(String, String)> {
    if std::path::Path::new(plan).exists() {
        let text = read(plan)?;
        return Ok((Plan::id(&text), text));
    }
    let of = plan.to_owned();
    let found = database.with(|store| async move { store.plan(of).await.map_err(no_such_plan) })?;
    Ok((plan.to_owned(), found.1))
}

fn no_such_plan(error: StoreError) -> StoreError {
    match error {
        StoreError::NotFound(_) => {
            StoreError::Refused("there is no such file, and no plan of that id is kept".to_owned())
        }
        other => other,
    }
}

fn show(name: &str, db: Option<&std::path::Path>) -> Result<Outcome> {
    let (id, text) = if let Some(db) = db {
        text_of(name, &Database::at(db))?
    } else {
        let text = read(name)?;
        (Plan::id(&text), text)
    };
    let plan = Plan::read(&text).map_err(|error| anyhow!("{name} {error}"))?;
    let counts = plan.counts();
    let [from, ruleset, model, engine] =
        [&plan.from, &plan.ruleset, &plan.model, &plan.engine].map(|text| printable(text));
    write_to(None, |out| {
        writeln!(
            out,
            "{id}: {} changes, made from {from} with rules {ruleset}, model {model}, engine {engine}",
            counts.items
        )?;
        writeln!(
            out,
            "{} would come into the queue, {} would leave it, {} would belong to another campaign, or to none",
            counts.caught, counts.spared, counts.moved
        )?;
        for sweep in plan.sweeps.iter().take(SHOWN) {
            let site = sweep.site.as_ref().map(ToString::to_string).unwrap_or_default();
            writeln!(
                out,
                "  sweep {} {}: {} comments, {} of them public",
                printable(&site),
                printable(&sweep.campaign),
                sweep.comments,
                sweep.published
            )?;
        }
        if plan.sweeps.len() > SHOWN {
            writeln!(out, "  ... and {} more sweeps", plan.sweeps.len() - SHOWN)?;
        }
        for item in plan.items.iter().take(SHOWN) {
            let site = item.site.as_ref().map(ToString::to_string).unwrap_or_default();
            let because = serde_json::to_string(&item.because)?;
            let from = item.from.map_or_else(|| "-".to_owned(), |from| format!("{from:?}").to_lowercase());
            let to = format!("{:?}", item.to).to_lowercase();
            writeln!(
                out,
                "  {} {}\t{from} -> {to}\t{because}",
                printable(&site),
                printable(item.id.as_str())
            )?;
        }
        if plan.items.len() > SHOWN {
            writeln!(out, "  ... and {} more", plan.items.len() - SHOWN)?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}

//! The command line: one file a subcommand.
//!
//! Exit codes: 0 done, flagged or not; 1 a check failed; 2 bad usage or unreadable input; 3 finished, some records rejected.

mod accounts;
mod backtest;
mod connections;
mod database;
mod demo;
mod eval;
mod export;
mod filters;
mod import;
mod operate;
mod output;
mod plan;
mod progress;
mod rescore;
mod rules;
mod score;
mod serve;
mod shell;
mod simulate;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Parser, Subcommand};

use crate::config::{Config, Settings};
use crate::engine::{Engine, Model};
use crate::rules::{RuleSet, Source};

/// Finds templated, bot-like comments under news articles, and says why.
#[derive(Debug, Parser)]
#[command(name = "claque", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Score a file of comments and say why
    Score(score::Args),
    /// Print the example thread scored and explained
    Demo(demo::Args),
    /// Measure on labelled comments: who is found, who is wrongly flagged, by what
    Eval(eval::Args),
    /// Judge an archive, from exports or from the store, and write report and plan
    Rescore(rescore::Args),
    /// Show, apply and take back what a rescoring of the store proposes
    #[command(subcommand)]
    Plan(plan::Command),
    /// Compare two rulesets: which verdicts flip, and by what
    Backtest(backtest::Args),
    /// Go through a past time again: what would be flagged as it came, how many decisions, how soon campaigns show
    Simulate(simulate::Args),
    /// Filter: comments in, what links and places them out, as JSON Lines
    Sketch(filters::SketchArgs),
    /// Filter: candidate pairs of sketches in, verified links out, as JSON Lines
    Verify(filters::VerifyArgs),
    /// Learn a text model from labelled comments
    Train(train::Args),
    /// Check, test, list, explain and begin rule files
    Rules(rules::Args),
    /// Run the service
    Serve(serve::Args),
    /// Add and list sites
    #[command(subcommand)]
    Sites(accounts::Sites),
    /// Make API keys
    #[command(subcommand)]
    Keys(accounts::Keys),
    /// Add users
    #[command(subcommand)]
    Users(accounts::Users),
    /// Add ways in for content systems
    #[command(subcommand)]
    Hooks(connections::Hooks),
    /// Add addresses that get decisions
    #[command(subcommand)]
    Callbacks(connections::Callbacks),
    /// Try out how content systems are read
    #[command(subcommand)]
    Cms(connections::Cms),
    /// Take a site's past comments in: judged and remembered, not queued
    Import(import::Args),
    /// Write the comments that the store has, with what people decided
    Export(export::Args),
    /// Copy the database while it is in use
    Backup(operate::Backup),
    /// Put a backup in place
    Restore(operate::Restore),
    /// Tell and erase what is stored of an author
    #[command(subcommand)]
    Privacy(operate::Privacy),
    /// Print and check configurations
    #[command(subcommand)]
    Config(operate::Configuration),
    /// Say whether all is well: exit code 1 when something is not
    Doctor(operate::Doctor),
    /// Print completions for a shell
    Completions(shell::Completions),
    /// Write the manual's pages
    Man(shell::Man),
    /// Verify and export the audit log
    #[command(subcommand)]
    Audit(operate::Audit),
}

/// What a finished command says to the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// A gate or check failed.
    CheckFailed,
    /// Finished, some records rejected.
    SomeRejected,
    /// Stopped by Ctrl-C; the work can go on.
    Interrupted,
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let outcome = match &cli.command {
        Command::Score(args) => score::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Rescore(args) => rescore::run(args),
        Command::Plan(command) => plan::run(command),
        Command::Backtest(args) => backtest::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Sketch(args) => filters::sketch(args),
        Command::Verify(args) => filters::verify(args),
        Command::Train(args) => train::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Sites(command) => accounts::sites(command),
        Command::Keys(command) => accounts::keys(command),
        Command::Users(command) => accounts::users(command),
        Command::Hooks(command) => connections::hooks(command),
        Command::Callbacks(command) => connections::callbacks(command),
        Command::Cms(command) => connections::cms(command),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
        Command::Backup(args) => operate::backup(args),
        Command::Restore(args) => operate::restore(args),
        Command::Privacy(command) => operate::privacy(command),
        Command::Config(command) => operate::configuration(command),
        Command::Doctor(args) => operate::doctor(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
        Command::Audit(command) => operate::audit(command),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::CheckFailed) => ExitCode::from(1),
        Ok(Outcome::SomeRejected) => ExitCode::from(3),
        // As a shell says it of a program that Ctrl-C ended.
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        // Whoever closed the pipe has seen enough.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::warn(format_args!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// The reasons by which a rejection says that a text is templated: those of a configuration, or the usual ones.
fn templated(config: Option<&PathBuf>) -> Result<Vec<String>> {
    let engine = EngineArgs { config: config.cloned(), ..EngineArgs::default() };
    Ok(engine.settings()?.service.review.templated)
}

/// Where rules, model and thresholds come from.
#[derive(Debug, Clone, Default, clap::Args)]
struct EngineArgs {
    /// Directory of rule files, merged over the shipped ones
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Model file instead of the shipped one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// TOML file with thresholds and the service's settings; `claque config example` prints one
    #[arg(long, value_name = "FILE", env = "CLAQUE_CONFIG")]
    config: Option<PathBuf>,
}

impl EngineArgs {
    fn load(&self) -> Result<Engine> {
        Ok(self.load_with_settings(Vec::new())?.0)
    }

    /// Rules with drafts of the desk beside them, model and thresholds, and what the service needs beside them.
    fn load_with_settings(&self, drafts: Vec<Source>) -> Result<(Engine, Settings)> {
        let model = match &self.model {
            Some(path) => {
                let bytes =
                    std::fs::read(path).with_context(|| format!("cannot read model {}", path.display()))?;
                Model::read(&bytes).map_err(|error| anyhow!("model {} is {error}", path.display()))?
            }
            None => Model::shipped().map_err(|error| anyhow!("the shipped model is {error}"))?,
        };
        let settings = self.settings()?;
        Ok((self.with_model_and(model, settings.judging, drafts)?, settings))
    }

    fn with_model(&self, model: Model) -> Result<Engine> {
        self.with_model_and(model, self.settings()?.judging, Vec::new())
    }

    fn with_model_and(&self, model: Model, config: Config, drafts: Vec<Source>) -> Result<Engine> {
        let rules = RuleSet::load_with(self.rules.as_deref(), drafts, chrono::Utc::now().date_naive())
            .map_err(|errors| anyhow!("the rules have mistakes:\n{errors}"))?;
        Ok(Engine { rules, model, config })
    }

    fn settings(&self) -> Result<Settings> {
        let (text, place) = match &self.config {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read configuration {}", path.display()))?;
                (text, path.display().to_string())
            }
            None => (String::new(), "of the environment".to_owned()),
        };
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Settings::with_environment(&text, variables)
            .map_err(|error| anyhow!("configuration {place}: {error}"))
    }
}

//! `claque rules`: what rule authors need.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;

use super::Outcome;
use super::output::write_to;
use crate::domain::Comment;
use crate::engine::score::MODEL_SIGNAL;
use crate::offline::records::read_lines;
use crate::rules::{CompiledRule, Group, RuleSet, is_pack_id, is_rule_id, lint, selftest};
use crate::signals::{self, SIGNALS};

/// Genuine-sounding comments of our own writing that no strong rule should hit.
const SAMPLE: &[u8] = include_bytes!("../../examples/corpus/genuine-sample.jsonl");

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lint rules: mistakes, dead, duplicate, overlapping, unreachable, too broad
    Check(Where),
    /// Run the test cases that stand beside the rules
    Test(Where),
    /// List rules with their points and status
    List(Where),
    /// Explain a rule (PACK/ID) or a signal
    Explain {
        /// Rule or signal id
        id: String,
        #[command(flatten)]
        place: Where,
    },
    /// Print a new rule file to fill in
    New {
        /// PACK/ID of the rule
        id: String,
        /// Where to write instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
struct Where {
    /// Directory of rule files, merged over the shipped ones
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

impl Where {
    fn load(&self) -> Result<RuleSet, crate::rules::RuleErrors> {
        RuleSet::load(self.rules.as_deref(), chrono::Utc::now().date_naive())
    }
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    match &args.command {
        Command::Check(place) => check(place),
        Command::Test(place) => test(place),
        Command::List(place) => list(place),
        Command::Explain { id, place } => explain(id, place),
        Command::New { id, out } => new(id, out.as_ref()),
    }
}

fn check(place: &Where) -> Result<Outcome> {
    if let Some(dir) = place.rules.as_ref().filter(|dir| !dir.is_dir()) {
        bail!("{} is not a directory of rule files", dir.display());
    }
    let rules = match place.load() {
        Ok(rules) => rules,
        Err(errors) => {
            eprintln!("{errors}");
            eprintln!("{} mistakes", errors.0.len());
            return Ok(Outcome::CheckFailed);
        }
    };
    let sample: Vec<Comment> = read_lines::<Comment>("the bundled sample", SAMPLE)?.records;
    let texts: Vec<&str> = sample.iter().map(|c| c.text.as_str()).collect();
    let signals: Vec<&str> = SIGNALS.iter().map(|signal| signal.id()).collect();
    let remarks = lint::lint(&rules, &texts, &signals);
    let failed = remarks.iter().filter(|r| r.fails).count();
    write_to(None, |out| {
        for remark in &remarks {
            let kind = if remark.fails { "error" } else { "remark" };
            writeln!(out, "{kind}: {} [{}] {}", remark.rule, remark.lint, remark.message)?;
        }
        writeln!(
            out,
            "{} rules, {} groups, ruleset {}: {failed} errors, {} remarks",
            rules.rules().len(),
            rules.groups().len(),
            rules.digest(),
            remarks.len() - failed
        )
    })?;
    Ok(if failed == 0 { Outcome::Done } else { Outcome::CheckFailed })
}

fn load(place: &Where) -> Result<RuleSet> {
    place.load().map_err(|errors| anyhow!("the rules have mistakes:\n{errors}"))
}

fn test(place: &Where) -> Result<Outcome> {
    let rules = load(place)?;
    let report = selftest::run(&rules);
    write_to(None, |out| {
        for failure in &report.failures {
            let wanted = if failure.expected { "hit" } else { "not hit" };
            writeln!(out, "FAILED {}: should {wanted} {:?}", failure.rule, failure.text)?;
        }
        for rule in &report.untested {
            writeln!(out, "untested {rule}: it has no case that must hit")?;
        }
        writeln!(
            out,
            "{} cases of {} rules, {} failed, {} rules untested",
            report.cases,
            report.rules,
            report.failures.len(),
            report.untested.len()
        )
    })?;
    Ok(if report.failures.is_empty() && report.untested.is_empty() {
        Outcome::Done
    } else {
        Outcome::CheckFailed
    })
}

fn list(place: &Where) -> Result<Outcome> {
    let rules = load(place)?;
    write_to(None, |out| {
        for rule in rules.rules() {
            let group = rule.group.and_then(|g| rules.groups().get(g)).map_or("-", |g| g.id.as_str());
            writeln!(
                out,
                "{:<46} {:>5.2}  {:<8} {:<16} {}",
                rule.id,
                rule.written_points,
                rule.status.name(),
                group,
                rule.message
            )?;
        }
        for signal in SIGNALS {
            let weight = rules.signal_weight(signal.id());
            writeln!(
                out,
                "{:<46} {:>5.2}  signal   cap {:<12} {:?}",
                signal.id(),
                weight.weight,
                weight.cap,
                signal.level()
            )?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}

fn explain(id: &str, place: &Where) -> Result<Outcome> {
    let rules = load(place)?;
    if let Some(signal) = signals::by_id(id) {
        let weight = rules.signal_weight(id);
        return said(&format!(
            "{}\n\n# Weight\n{} points for a full finding, at most {} in all\n",
            signals::documentation(signal),
            weight.weight,
            weight.cap
        ));
    }
    if id == MODEL_SIGNAL {
        return said(
            "The learned text model: which words and turns of phrase occur in machine-written comments and not in genuine ones.\n\n\
             # Weight\nIts logit counts in full; each piece of evidence shows the stretch of words that carried it.\n\
             `claque train` prints what a model was made from.\n",
        );
    }
    let Some(rule) = rules.rule(id) else {
        let near = rules
            .rules()
            .iter()
            .map(|r| r.id.as_str())
            .chain(SIGNALS.iter().map(|s| s.id()))
            .max_by(|a, b| strsim::jaro_winkler(id, a).total_cmp(&strsim::jaro_winkler(id, b)))
            .unwrap_or_default();
        bail!("no rule or signal is called {id}; did you mean {near}? `claque rules list` names all");
    };
    write_to(None, |out| describe(out, rule, rule.group.and_then(|g| rules.groups().get(g))))?;
    Ok(Outcome::Done)
}

fn said(text: &str) -> Result<Outcome> {
    write_to(None, |out| out.write_all(text.as_bytes()))?;
    Ok(Outcome::Done)
}

fn describe(out: &mut dyn Write, rule: &CompiledRule, group: Option<&Group>) -> io::Result<()> {
    writeln!(out, "{}  ({}, {})", rule.id, rule.status.name(), rule.file)?;
    writeln!(out, "tells the moderator: {}", rule.message)?;
    writeln!(out, "pattern ({:?}, {:?}):", rule.kind, rule.at)?;
    for line in rule.pattern.lines() {
        writeln!(out, "  {line}")?;
    }
    let cap = group.map_or_else(String::new, |g| format!(", with group `{}` at most {}", g.id, g.cap));
    writeln!(out, "points: {}{cap}", rule.written_points)?;
    if let Some(expires) = rule.expires {
        writeln!(out, "expires: {expires}")?;
    }
    if let Some(note) = &rule.note {
        writeln!(out, "note: {note}")?;
    }
    writeln!(out, "owner: {}", rule.owner)?;
    for case in &rule.tests {
        writeln!(out, "test: {} {:?}", if case.hits { "hits" } else { "does not hit" }, case.text)?;
    }
    Ok(())
}

fn new(id: &str, out: Option<&PathBuf>) -> Result<Outcome> {
    let Some((pack, rule)) = id.split_once('/').filter(|(pack, rule)| is_pack_id(pack) && is_rule_id(rule))
    else {
        bail!(
            "`{id}` is no rule id: write PACK/ID, such as newsroom/great-read, in lower-case letters, digits and hyphens (dots too in PACK)"
        );
    };
    if let Some(path) = out.filter(|path| path.exists()) {
        bail!("{} exists already", path.display());
    }
    let today = chrono::Utc::now().date_naive();
    let text = format!(
        "[pack]\nid = \"{pack}\"\ntitle = \"What these rules are about\"\nlang = [\"en\"]\nowner = \"your newsroom\"\n\n[[group]]\nid = \"{pack}\"\ncap = 1.5\n\n\
         [[rule]]\nid = \"{rule}\"\nkind = \"template\"\ntemplate = \"(what a|such a) [truly] great read\"\npoints = 0.5\ngroup = \"{pack}\"\nstatus = \"shadow\"\nadded = {today}\n\
         message = \"stock praise: what a great read\"\nnote = \"Where you saw it, and how often.\"\n\n[[rule.test]]\ntext = \"What a truly great read!\"\nhits = true\n\n\
         [[rule.test]]\ntext = \"I read a great deal.\"\nhits = false\n"
    );
    if let Some(parent) = out.and_then(|path| path.parent()).filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    write_to(out.map(PathBuf::as_path), |to| to.write_all(text.as_bytes()))?;
    Ok(Outcome::Done)
}

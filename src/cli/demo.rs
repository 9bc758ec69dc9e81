//! `claque demo`: the example thread, scored and explained.

use std::io::IsTerminal;

use anyhow::{Result, anyhow};

use super::output::{table, write_to};
use super::{EngineArgs, Outcome};
use crate::domain::{Article, Comment};
use crate::offline::judge::{Mode, judge};
use crate::offline::records::{Articles, read_lines};

const ARTICLE: &[u8] = include_bytes!("../../examples/thread/article.jsonl");
const COMMENTS: &[u8] = include_bytes!("../../examples/thread/comments.jsonl");

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only print (what it does today; the desk comes with the service)
    #[arg(long)]
    once: bool,
}

pub(super) fn run(_args: &Args) -> Result<Outcome> {
    let engine = EngineArgs::default().load()?;
    let articles = Articles::new(read_lines::<Article>("the example's article", ARTICLE)?.records);
    let comments = read_lines::<Comment>("the example's comments", COMMENTS)?.records;
    let judged = judge(&engine, &comments, &articles, Mode::Whole);
    let article = articles.iter().next().ok_or_else(|| anyhow!("the example has no article"))?;
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    write_to(None, |out| {
        writeln!(out, "{}\n", article.title)?;
        table(out, &comments, &judged.assessments, &judged.campaigns, colour)
    })?;
    Ok(Outcome::Done)
}

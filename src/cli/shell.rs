//! `claque completions`, `claque man`: for shells and packagers.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::CommandFactory;

use super::output::write_to;
use super::{Cli, Outcome};

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The folder to write the pages to, one a command
    folder: PathBuf,
}

pub(super) fn completions(args: &Completions) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "claque", &mut script);
    write_to(None, |out| out.write_all(&script))?;
    Ok(Outcome::Done)
}

pub(super) fn man(args: &Man) -> Result<Outcome> {
    std::fs::create_dir_all(&args.folder)
        .with_context(|| format!("cannot make {}", args.folder.display()))?;
    clap_mangen::generate_to(Cli::command(), &args.folder)
        .with_context(|| format!("cannot write to {}", args.folder.display()))?;
    Ok(Outcome::Done)
}

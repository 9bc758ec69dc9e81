//! How the progress of a long run is told: a bar on a terminal, JSON lines for programs, or nothing.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

use crate::offline::archive::progress::{Listener, Quiet, Step};

/// How to tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum How {
    /// A bar where standard error is a terminal, else nothing
    Auto,
    /// One JSON object a line on standard error
    Json,
    /// Nothing
    Quiet,
}

/// Who hears of the progress.
pub(super) fn listener(how: How) -> Box<dyn Listener> {
    match how {
        How::Auto if std::io::stderr().is_terminal() => Box::new(Bar(ProgressBar::no_length())),
        How::Json => Box::new(Lines),
        How::Auto | How::Quiet => Box::new(Quiet),
    }
}

struct Lines;

impl Listener for Lines {
    fn hear(&mut self, step: &Step) {
        let line = serde_json::to_string(step).unwrap_or_default();
        // Whoever does not listen any more misses nothing that matters.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

struct Bar(ProgressBar);

impl Listener for Bar {
    fn hear(&mut self, step: &Step) {
        let with = if step.of.is_some() {
            "{msg:6} {wide_bar} {human_pos}/{human_len} {prefix}"
        } else {
            "{msg:6} {human_pos} {prefix}"
        };
        if let Ok(style) = ProgressStyle::with_template(with) {
            self.0.set_style(style);
        }
        if let Some(of) = step.of {
            self.0.set_length(of);
        }
        self.0.set_position(step.done);
        self.0.set_message(step.stage);
        let eta = step.eta_seconds.map_or(String::new(), |eta| format!(", {eta} s left"));
        self.0.set_prefix(format!(
            "{}/s{eta}, {} flagged, {} not understood, {} MiB",
            step.rate, step.flagged, step.rejected, step.memory_mib
        ));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

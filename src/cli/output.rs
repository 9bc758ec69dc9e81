//! Where results go, and how a table and a scored thread look.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

use crate::domain::{Assessment, Campaign, Comment, SkeletonPart, Verdict};
use crate::engine::score::highlighted;
use crate::offline::records::Reject;

/// Writes to a file, atomically for a regular one, or to standard output.
///
/// # Errors
/// When the place cannot be written.
pub(super) fn write_to(
    out: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let Some(path) = out else {
        let mut stdout = BufWriter::new(io::stdout().lock());
        write(&mut stdout)?;
        return Ok(stdout.flush()?);
    };
    let failed = || format!("cannot write {}", path.display());
    // A link is followed: what it points at is written anew, the link stays.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let special = path.metadata().is_ok_and(|meta| !meta.is_file());
    if special {
        let mut file =
            BufWriter::new(std::fs::OpenOptions::new().write(true).open(path).with_context(failed)?);
        write(&mut file).with_context(failed)?;
        return file.flush().with_context(failed);
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = BufWriter::new(std::fs::File::create(&part).with_context(failed)?);
    write(&mut file).with_context(failed)?;
    file.flush().with_context(failed)?;
    std::fs::rename(&part, path).with_context(failed)
}

/// Whether an error is a reader that went away.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// How a command prints what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Tables for people
    Table,
    /// One JSON document
    Json,
}

/// Prints what was found.
pub(super) fn tell<T: serde::Serialize>(
    it: &T,
    format: Format,
    table: impl FnOnce(&mut dyn Write, &T) -> io::Result<()>,
) -> Result<()> {
    write_to(None, |out| match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, it)?;
            out.write_all(b"\n")
        }
        Format::Table => table(out, it),
    })
}

/// Says something on standard error; whatever it quotes cannot command a terminal.
pub(super) fn warn(message: impl std::fmt::Display) {
    let message = message.to_string();
    let lines: Vec<String> = message.lines().map(printable).collect();
    eprintln!("claque: {}", lines.join("\n"));
}

/// Names rejected lines on standard error: the first few, then how many more.
pub(super) fn report_rejects(rejects: &[Reject]) {
    const SHOWN: usize = 20;
    for reject in rejects.iter().take(SHOWN) {
        warn(format_args!("rejected {reject}"));
    }
    if rejects.len() > SHOWN {
        warn(format_args!("rejected {} more lines", rejects.len() - SHOWN));
    }
}

/// How far the shipped reference reaches: beyond its 26,000 genuine comments p is an extrapolation, good for order and not for claims.
const REACH: u64 = 20_000;

/// "1 in 1,300 genuine comments scores this high".
pub(super) fn one_in(score: f64) -> String {
    let p = 1.0 - score;
    if p >= 0.5 {
        return "as most genuine comments".to_owned();
    }
    let n = (1.0 / p.max(1e-9)).round() as u64;
    if n > REACH {
        return format!("fewer than 1 in {} genuine comments score this high", thousands(REACH));
    }
    let two_digits = if n >= 100 { 10u64.pow(n.ilog10() - 1) } else { 1 };
    format!("1 in {} genuine comments scores this high", thousands(n / two_digits * two_digits))
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, ch) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(ch);
    }
    out
}

/// How many findings the table shows of a flagged comment.
const FINDINGS: usize = 5;

/// Prints assessments as a table that explains the flagged ones.
///
/// # Errors
/// When the writer fails.
pub(super) fn table(
    out: &mut dyn Write,
    comments: &[Comment],
    assessments: &[Assessment],
    campaigns: &[Campaign],
    colour: bool,
) -> io::Result<()> {
    let (bold, dim, mark, off) =
        if colour { ("\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[0m") } else { ("", "", "", "") };
    for (comment, assessment) in comments.iter().zip(assessments) {
        let verdict = match assessment.verdict {
            Verdict::Allow => "allow ",
            Verdict::Review => "REVIEW",
            Verdict::Hold => "HOLD  ",
        };
        let author = comment
            .author
            .as_ref()
            .and_then(|a| a.name.as_deref().or(a.id.as_ref().map(crate::domain::Id::as_str)))
            .unwrap_or("unknown author");
        let flagged = assessment.verdict != Verdict::Allow;
        let emphasis = if flagged { bold } else { dim };
        writeln!(
            out,
            "{emphasis}{verdict} {:>7.4}  {}  {}{off}",
            assessment.score,
            printable(&assessment.id.to_string()),
            printable(author)
        )?;
        if flagged {
            writeln!(out, "  {}", highlight(&comment.text, assessment, mark, off))?;
            let because: Vec<String> = assessment
                .because
                .iter()
                .map(|b| {
                    serde_json::to_value(b)
                        .ok()
                        .and_then(|v| v.as_str().map(str::to_owned))
                        .unwrap_or_default()
                })
                .collect();
            writeln!(
                out,
                "  because: {}; {}",
                because.join(", "),
                if assessment.abstained { "text not judged".to_owned() } else { one_in(assessment.score) }
            )?;
            for e in assessment
                .evidence
                .iter()
                .filter(|e| e.points.abs() >= 0.05 || e.rule.is_some())
                .take(FINDINGS)
            {
                writeln!(out, "    {:+6.2}  {}", e.points, printable(&e.message))?;
            }
            if let Some(id) = &assessment.campaign_id {
                writeln!(out, "    campaign {id}")?;
            }
        } else {
            writeln!(out, "  {dim}{}{off}", printable(&shortened(&comment.text, 100)))?;
        }
    }
    for campaign in campaigns {
        writeln!(
            out,
            "\n{bold}campaign {}{off}: {} comments by {} authors",
            campaign.id,
            campaign.members.len(),
            campaign.authors
        )?;
        writeln!(out, "  {}", printable(&skeleton_line(campaign)))?;
    }
    let flagged = assessments.iter().filter(|a| a.verdict != Verdict::Allow).count();
    let alarmed: std::collections::BTreeSet<_> =
        assessments.iter().filter_map(|a| a.thread.as_ref()).filter(|t| t.alarm).map(|t| &t.id).collect();
    writeln!(
        out,
        "\n{} comments, {flagged} for review, {} campaigns, {} threads alarmed",
        assessments.len(),
        campaigns.len(),
        alarmed.len()
    )
}

/// The skeleton in one line: `the [tram|library] is`.
pub(super) fn skeleton_line(campaign: &Campaign) -> String {
    let parts: Vec<String> = campaign
        .skeleton
        .iter()
        .map(|part| match part {
            SkeletonPart::Text(text) => text.clone(),
            SkeletonPart::Slot(fillers) => {
                let mut distinct: Vec<&str> =
                    fillers.iter().map(|f| if f.is_empty() { "-" } else { f.as_str() }).collect();
                distinct.sort_unstable();
                distinct.dedup();
                distinct.truncate(4);
                format!("[{}]", distinct.join(" | "))
            }
        })
        .collect();
    parts.join(" ")
}

fn shortened(text: &str, limit: usize) -> String {
    let cut = crate::text::truncate::truncate(text, limit);
    if cut.len() < text.len() { format!("{cut}...") } else { cut.to_owned() }
}

/// The text with the evidence's spans in `mark`.
fn highlight(text: &str, assessment: &Assessment, mark: &str, off: &str) -> String {
    let mut out = String::new();
    let mut from = 0usize;
    for span in highlighted(&assessment.evidence) {
        let (start, end) = (span.start as usize, span.end as usize);
        out.push_str(&printable(text.get(from..start).unwrap_or_default()));
        out.push_str(mark);
        out.push_str(&printable(text.get(start..end).unwrap_or_default()));
        out.push_str(off);
        from = end;
    }
    out.push_str(&printable(text.get(from..).unwrap_or_default()));
    out
}

/// A share with its interval, in per cent.
pub(super) fn share(value: Option<f64>, interval: Option<(f64, f64)>) -> String {
    match (value, interval) {
        (Some(value), Some((low, high))) => {
            format!("{:.1} % ({:.1}-{:.1})", value * 100.0, low * 100.0, high * 100.0)
        }
        _ => "-".to_owned(),
    }
}

/// Text that cannot command a terminal: control and bidirectional characters are shown as their code.
pub(super) fn printable(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '\n' | '\r' | '\t' => out.push(' '),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                let _ = write!(out, "<{:04X}>", ch as u32);
            }
            _ if ch.is_control() => {
                let _ = write!(out, "<{:02X}>", ch as u32);
            }
            _ => out.push(ch),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_reads_as_a_frequency() {
        for (score, expected) in [
            (0.3, "as most genuine comments"),
            (0.99, "1 in 100 genuine comments scores this high"),
            (0.99923, "1 in 1,200 genuine comments scores this high"),
            (1.0, "fewer than 1 in 20,000 genuine comments score this high"),
        ] {
            assert_eq!(one_in(score), expected);
        }
    }

    #[test]
    fn hostile_text_cannot_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\nd"), "a<1B>[2Jb<202E>c d");
    }
}

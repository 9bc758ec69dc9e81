//! `claque sketch` and `claque verify`: pure filters from JSON Lines to JSON Lines, for archives past one machine. No store, no state; the same input gives
//! the same bytes. A job scheduler or a database joins the bands in between (see the README).

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::score::read_articles;
use super::{EngineArgs, Outcome};
use crate::domain::{Comment, Evidence, Id};
use crate::engine::Linking;
use crate::offline::book::Fact;
use crate::offline::records::Articles;
use crate::similarity::Features;
use crate::similarity::{Sketch, bands};
use crate::text::{Analysis, CANON_VERSION, Context, Language, Reference};

/// Version of the records.
const FORM: u32 = 1;
/// Lines that are worked on together.
const PORTION: usize = 2048;
/// The longest line, in bytes.
const LONGEST: usize = 8 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct SketchArgs {
    /// Articles as JSON Lines
    #[arg(long, value_name = "FILE")]
    articles: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    engine: EngineArgs,
}

/// A line in: a comment, and with it what it replies to.
#[derive(Deserialize)]
struct Input {
    #[serde(flatten)]
    comment: Comment,
    /// The text of the comment it replies to: sentences that repeat it are not judged.
    #[serde(default)]
    parent_text: Option<String>,
}

/// A line out: what is needed of a comment to link it and to place it.
#[derive(Debug, Serialize, Deserialize)]
struct Sketched {
    /// Version of this form, and of the form of text behind the signature.
    v: u32,
    canon: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    site: Option<Id>,
    id: Id,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thread: Option<String>,
    /// When it was posted, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    /// Share of genuine comments that score at least as high; none where the text was not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<f64>,
    words: u32,
    /// Keys of the bands, hexadecimal; empty where a band does not apply.
    bands: Vec<String>,
    /// The signature, in base64; none for a text that is too short to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// A candidate pair in.
#[derive(Deserialize)]
struct Candidate {
    a: Sketched,
    b: Sketched,
}

/// A verified link out.
#[derive(Serialize)]
struct Linked<'a> {
    v: u32,
    a: Named<'a>,
    b: Named<'a>,
    jaccard: f64,
    containment: f64,
    skeleton: f64,
}

#[derive(Serialize)]
struct Named<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a Id>,
    id: &'a Id,
}

pub(super) fn sketch(args: &SketchArgs) -> Result<Outcome> {
    let engine = args.engine.load()?;
    let (articles, rejects) = read_articles(args.articles.as_ref())?;
    if let Some(reject) = rejects.first() {
        bail!("{reject}");
    }
    filter(|line| {
        let input: Input = serde_json::from_str(line).map_err(|error| reason(&error))?;
        let (sketched, evidence) = sketched(&engine, &articles, &input);
        let mut value = serde_json::to_value(&sketched).map_err(|error| error.to_string())?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("evidence".to_owned(), serde_json::to_value(evidence).unwrap_or_default());
        }
        Ok(Some(value.to_string()))
    })
}

fn sketched(engine: &crate::engine::Engine, articles: &Articles, input: &Input) -> (Sketched, Vec<Evidence>) {
    let comment = &input.comment;
    let article = articles.of(comment);
    let article =
        article.map(|article| Reference::new(&article.title, article.body.as_deref().unwrap_or_default()));
    let parent = input.parent_text.as_ref().map(|text| Reference::new("", text));
    let lang = comment.lang.as_deref().and_then(Language::parse);
    let context = Context { article: article.as_ref(), parent: parent.as_ref(), lang };
    let analysis = Analysis::new(&comment.text, &context);
    let mut evidence = Vec::new();
    let score = engine.score_text(comment, &analysis, article.as_ref(), Some(&mut evidence));
    let fact = Fact::new(comment, &score, Sketch::new(&Features::new(&analysis, article.as_ref())));
    let keys = fact.sketch.as_ref().map(bands).unwrap_or_default();
    let sketched = Sketched {
        v: FORM,
        canon: CANON_VERSION,
        site: comment.site.clone(),
        id: comment.id.clone(),
        author: comment.author_key().map(str::to_owned),
        thread: comment.thread().map(Id::to_string),
        at: fact.at,
        p: fact.p,
        words: fact.words,
        bands: keys.iter().map(|key| key.map_or(String::new(), |key| format!("{key:016x}"))).collect(),
        signature: fact.sketch.map(|sketch| STANDARD.encode(sketch.to_bytes())),
    };
    (sketched, evidence)
}

pub(super) fn verify(args: &VerifyArgs) -> Result<Outcome> {
    let engine = args.engine.load()?;
    let linking = Linking::new(&engine.config.campaign);
    filter(|line| {
        let pair: Candidate = serde_json::from_str(line).map_err(|error| reason(&error))?;
        let signature = |one: &Sketched| -> std::result::Result<Option<Sketch>, String> {
            if one.v != FORM || one.canon != CANON_VERSION {
                return Err(format!("`{}` was sketched by another version: sketch it again", one.id));
            }
            let Some(text) = &one.signature else { return Ok(None) };
            let bytes = STANDARD.decode(text).ok().and_then(|bytes| Sketch::from_bytes(&bytes));
            bytes.map(Some).ok_or_else(|| format!("the signature of `{}` is none", one.id))
        };
        let (Some(a), Some(b)) = (signature(&pair.a)?, signature(&pair.b)?) else { return Ok(None) };
        let same = pair.a.id == pair.b.id && pair.a.site == pair.b.site;
        let likeness = a.compare(&b);
        if same || !linking.admits(&likeness, pair.a.p, pair.b.p) {
            return Ok(None);
        }
        let round = |share: f64| (share * 1e4).round() / 1e4;
        let linked = Linked {
            v: FORM,
            a: Named { site: pair.a.site.as_ref(), id: &pair.a.id },
            b: Named { site: pair.b.site.as_ref(), id: &pair.b.id },
            jaccard: round(likeness.jaccard),
            containment: round(likeness.containment),
            skeleton: round(likeness.skeleton),
        };
        serde_json::to_string(&linked).map(Some).map_err(|error| error.to_string())
    })
}

/// What is wrong with a line, without the number that each line has when it is parsed by itself.
fn reason(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// Works on standard input line by line, in parallel and in order. A bad line ends it with its number: a filter of a pipeline must not lose anything quietly.
fn filter(work: impl Fn(&str) -> std::result::Result<Option<String>, String> + Sync) -> Result<Outcome> {
    let mut input = std::io::stdin().lock();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut number = 0usize;
    loop {
        let mut lines: Vec<String> = Vec::with_capacity(PORTION);
        while lines.len() < PORTION {
            let mut bytes = Vec::new();
            let limit = LONGEST as u64 + 1;
            let read = std::io::Read::take(&mut input, limit).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                break;
            }
            if bytes.len() > LONGEST {
                bail!("standard input:{}: longer than {LONGEST} bytes", number + lines.len() + 1);
            }
            let line = String::from_utf8(bytes)
                .map_err(|_| anyhow!("standard input:{}: not UTF-8", number + lines.len() + 1))?;
            lines.push(line);
        }
        if lines.is_empty() {
            out.flush()?;
            return Ok(Outcome::Done);
        }
        let done: Vec<std::result::Result<Option<String>, String>> =
            lines.par_iter().map(|line| if line.trim().is_empty() { Ok(None) } else { work(line) }).collect();
        for (at, outcome) in done.into_iter().enumerate() {
            match outcome {
                Ok(Some(line)) => writeln!(out, "{line}")?,
                Ok(None) => {}
                Err(error) => {
                    out.flush()?;
                    bail!("standard input:{}: {error}", number + at + 1);
                }
            }
        }
        number += lines.len();
    }
}

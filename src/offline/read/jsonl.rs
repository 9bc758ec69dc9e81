//! JSON Lines of our own records, or one array of them.
//!
//! A record with a `text` is a comment, one with a `title` and no `text` an article. A date that cannot be read costs the date, not the
//! comment.

use serde_json::Value;

use super::compressed::peeked;
use super::draft::{When, is_torn, own_id};
use super::json::{Pieces, of_value};
use super::out::{Out, Place, Stop};
use super::{Format, Note, Options, ReadError, Sink, Source};
use crate::domain::Article;
use crate::offline::lines::Lines;
use crate::offline::records::{LabelledComment, is_object, reason};

/// See the module's documentation.
pub(super) struct Jsonl;

impl Format for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let is_named = [".jsonl", ".ndjson", ".json"].iter().any(|ending| name.ends_with(ending));
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        is_named || matches!(head.first(), None | Some(b'{' | b'['))
    }

    fn read(&self, source: Source, options: &Options, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let Source { name, input, .. } = source;
        let mut out = Out::new(&name, options, sink);
        let start = Place { line: 1, offset: Some(0) };
        let (head, input) = match peeked(input, 1 << 16) {
            Ok(peeked) => peeked,
            Err(error) => return out.finish(Err(error.into()), start),
        };
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        if head.trim_ascii_start().starts_with(b"[") {
            let mut pieces = Pieces::new(input);
            let result = array(&mut pieces, &mut out);
            return out.finish(result, pieces.place());
        }
        let mut lines = Lines::mended(input, ending(head));
        let result = each_line(&mut lines, &mut out);
        let (line, offset) = lines.place();
        out.finish(result, Place { line, offset: Some(offset) })
    }
}

/// What ends the lines: a carriage return alone, as on old Macs, only where there is nothing else and a record ends before it.
fn ending(head: &[u8]) -> u8 {
    let first = head.iter().position(|byte| *byte == b'\r').and_then(|at| head.get(..at));
    let is_old = first.is_some_and(|first| first.trim_ascii_end().ends_with(b"}")) && !head.contains(&b'\n');
    if is_old { b'\r' } else { b'\n' }
}

fn array(pieces: &mut Pieces, out: &mut Out<'_, '_>) -> Result<(), Stop> {
    pieces.peek(b"")?;
    pieces.step()?;
    let is_closed = pieces.each(true, out, |text, _, out| record(text, out))?;
    let place = pieces.place();
    if is_closed && pieces.peek(b"")?.is_some() {
        out.reject(place, "the file goes on after the end of its list")?;
    }
    Ok(())
}

fn each_line(lines: &mut Lines<super::compressed::Input>, out: &mut Out<'_, '_>) -> Result<(), Stop> {
    while let Some(line) = lines.next()? {
        let place = Place { line: line.number, offset: Some(line.offset) };
        let read = match line.text {
            Ok(text) => record(text, out)?,
            Err(reason) => Err(reason),
        };
        if let Err(reason) = read {
            out.reject(place, reason)?;
        }
        if lines.has_replaced {
            out.replaced()?;
        }
    }
    Ok(())
}

/// Reads one record: outside the stop, inside the reason why it is none.
fn record(text: &str, out: &mut Out<'_, '_>) -> Result<Result<(), String>, Stop> {
    if let Err(reason) = is_object(text) {
        return Ok(Err(reason));
    }
    let error = match serde_json::from_str(text) {
        Ok(comment) => return labelled(comment, out),
        Err(error) => reason(&error),
    };
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return Ok(Err(error)) };
    if value.get("text").is_none() && value.get("title").is_some() {
        return match serde_json::from_value::<Article>(value) {
            Ok(article) if is_torn(article.id.as_str()) => Ok(own_id(Some(article.id.as_str())).map(drop)),
            Ok(article) => out.article(article).map(Ok),
            Err(error) => Ok(Err(error.to_string())),
        };
    }
    let has_time = mend_dates(&mut value);
    match serde_json::from_value::<LabelledComment>(value) {
        Ok(comment) => {
            if !has_time {
                out.note(Note::NoTime)?;
            }
            labelled(comment, out)
        }
        Err(_) => Ok(Err(error)),
    }
}

/// Hands a comment on, unless its id is torn; torn ids of what it refers to are none.
fn labelled(mut labelled: LabelledComment, out: &mut Out<'_, '_>) -> Result<Result<(), String>, Stop> {
    let comment = &mut labelled.comment;
    if is_torn(comment.id.as_str()) {
        return Ok(own_id(Some(comment.id.as_str())).map(drop));
    }
    let of_author = comment.author.as_mut().map(|author| &mut author.id);
    let others = [&mut comment.article_id, &mut comment.thread_id, &mut comment.parent_id];
    for other in others.into_iter().chain(of_author) {
        other.take_if(|id| is_torn(id.as_str()));
    }
    out.labelled(labelled).map(Ok)
}

/// Dates as we write them; one that cannot be read becomes none. False if there was such a one.
fn mend_dates(record: &mut Value) -> bool {
    let mut are_read = true;
    for path in ["/created_at", "/updated_at", "/author/registered_at"] {
        if let Some(date) = record.pointer_mut(path) {
            let when = of_value(date);
            are_read &= when != When::Unread;
            *date = when.time().map_or(Value::Null, |time| time.to_rfc3339().into());
        }
    }
    are_read
}

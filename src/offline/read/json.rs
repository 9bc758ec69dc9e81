//! JSON values, one after another, each held by itself: elements of an array, or documents in a row.
//!
//! This only finds where a value ends; serde reads what is inside. So a value that makes no sense costs itself alone, one over 8 MiB is
//! passed over, and no depth of brackets can exhaust the stack.

use std::borrow::Cow;
use std::io::{self, BufRead};

use chrono::DateTime;
use serde_json::Value;

use super::compressed::Input;
use super::draft::{When, other_id, said};
use super::out::{Out, Place, Stop};
use crate::domain::Id;
use crate::offline::records::{LONGEST_LINE, reason};
use crate::wire::time;

/// Brackets are told apart down to this depth; serde reads none as deep.
const DEEPEST: u32 = 128;

/// Values of a file, one after another.
pub(super) struct Pieces {
    input: Input,
    place: Place,
    buffer: Vec<u8>,
}

/// What became of the value of an object's member.
pub(super) enum Member {
    /// It was read to its end.
    Read,
    /// Nothing of it was read.
    Left,
    /// The file broke off within it, which has been said.
    Cut,
}

/// One value.
enum Piece {
    /// It is in the buffer.
    Whole,
    /// It is longer than is held.
    TooLong,
    /// Its brackets or quotes do not match; we stand somewhere after the mistake.
    Broken(&'static str),
    /// The file ends inside it.
    Cut,
}

impl Pieces {
    pub(super) fn new(input: Input) -> Self {
        Self { input, place: Place { line: 1, offset: Some(0) }, buffer: Vec::new() }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Reads on while `goes_on` says so of each byte; adds what was read to the buffer as long as it is `held`.
    fn take(&mut self, mut is_held: bool, mut goes_on: impl FnMut(u8) -> bool) -> io::Result<bool> {
        loop {
            let bytes = match self.input.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if bytes.is_empty() {
                return Ok(false);
            }
            let end = bytes.iter().position(|byte| !goes_on(*byte));
            let used = end.unwrap_or(bytes.len());
            let taken = bytes.get(..used).unwrap_or_default();
            self.place.line += memchr::memchr_iter(b'\n', taken).count();
            self.place.offset = self.place.offset.map(|offset| offset + used as u64);
            is_held &= self.buffer.len() + used <= LONGEST_LINE + 1;
            if is_held {
                self.buffer.extend_from_slice(taken);
            } else {
                self.buffer.clear();
            }
            self.input.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// The next byte that is neither white space nor one of these.
    pub(super) fn peek(&mut self, besides: &[u8]) -> io::Result<Option<u8>> {
        let is_start = self.place.offset == Some(0);
        let is_mark = |byte| is_start && matches!(byte, 0xef | 0xbb | 0xbf);
        let goes_on = |byte: u8| byte.is_ascii_whitespace() || besides.contains(&byte) || is_mark(byte);
        if !self.take(false, goes_on)? {
            return Ok(None);
        }
        Ok(self.input.fill_buf()?.first().copied())
    }

    /// Steps over one byte.
    pub(super) fn step(&mut self) -> io::Result<()> {
        let mut is_first = true;
        self.take(false, |_| std::mem::take(&mut is_first))?;
        Ok(())
    }

    /// The value that begins here.
    fn value(&mut self) -> io::Result<Piece> {
        self.buffer.clear();
        let mut scan = Scan::default();
        let mut length = 0_usize;
        let has_end = self.take(true, |byte| {
            length += 1;
            scan.goes_on(byte)
        })?;
        Ok(match scan.state {
            State::Broken(why) => Piece::Broken(why),
            // A number at the very end of a file has no other end.
            State::Scalar if !has_end => Piece::Whole,
            _ if !has_end && scan.state != State::Done => Piece::Cut,
            _ if length > LONGEST_LINE => Piece::TooLong,
            _ => Piece::Whole,
        })
    }

    /// Every value up to the end of the array, or of the file where there is none. What is no value is rejected. `read` gives the
    /// reason if it does not understand one. True when the array was closed.
    pub(super) fn each(
        &mut self,
        in_array: bool,
        out: &mut Out<'_, '_>,
        mut read: impl FnMut(&str, Place, &mut Out<'_, '_>) -> Result<Result<(), String>, Stop>,
    ) -> Result<bool, Stop> {
        loop {
            let Some(byte) = self.peek(b",")? else {
                if in_array {
                    out.reject(self.place, "the file breaks off here: its list is never closed")?;
                }
                return Ok(false);
            };
            if in_array && byte == b']' {
                self.step()?;
                return Ok(true);
            }
            let place = self.place;
            let understood = match self.value()? {
                Piece::Whole => {
                    let text = String::from_utf8_lossy(&self.buffer);
                    if let Cow::Owned(_) = text {
                        out.replaced()?;
                    }
                    read(&text, place, out)?
                }
                Piece::TooLong => Err(format!("longer than {LONGEST_LINE} bytes")),
                Piece::Broken(why) => {
                    out.reject(place, why)?;
                    if self.resume()? {
                        continue;
                    }
                    return Ok(false);
                }
                Piece::Cut => {
                    out.reject(place, "the file breaks off here: it ends within this record")?;
                    return Ok(false);
                }
            };
            if let Err(reason) = understood {
                out.reject(place, reason)?;
            }
        }
    }

    /// After a broken value: on to a line that begins with `{` or closes the list, if there is one.
    fn resume(&mut self) -> io::Result<bool> {
        while self.take(false, |byte| byte != b'\n')? {
            match self.peek(b",")? {
                Some(b'{' | b']') => return Ok(true),
                Some(_) => {}
                None => break,
            }
        }
        Ok(false)
    }

    /// Steps into an object: hands every name to `member`, with the first byte of its value, which it may read; what it leaves is passed
    /// over.
    pub(super) fn members(
        &mut self,
        out: &mut Out<'_, '_>,
        mut member: impl FnMut(&mut Self, &str, u8, &mut Out<'_, '_>) -> Result<Member, Stop>,
    ) -> Result<(), Stop> {
        self.step()?;
        loop {
            let place = self.place;
            match self.peek(b",")? {
                Some(b'}') => return Ok(self.step()?),
                Some(b'"') => {}
                _ => return out.reject(place, "the file breaks off here: a name or } is missing"),
            }
            let Piece::Whole = self.value()? else {
                return out.reject(place, "the file breaks off here: a name that does not end");
            };
            let name: String = serde_json::from_slice(&self.buffer).unwrap_or_default();
            let Some(first) = self.peek(b":")? else {
                return out.reject(place, "the file breaks off here: a value is missing");
            };
            match member(self, &name, first, out)? {
                Member::Read => {}
                Member::Cut => return Ok(()),
                Member::Left => {
                    if let Piece::Cut | Piece::Broken(_) = self.value()? {
                        return out.reject(place, format!("the file breaks off here: `{name}` does not end"));
                    }
                }
            }
        }
    }
}

/// A value's end, byte by byte.
#[derive(Default)]
struct Scan {
    state: State,
    depth: u32,
    /// For each open bracket, the innermost last, whether it is a square one.
    squares: u128,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    Scalar,
    Between,
    String,
    Escaped,
    /// The value ended with the byte before.
    Done,
    Broken(&'static str),
}

impl Scan {
    /// Whether this byte still belongs to the value.
    fn goes_on(&mut self, byte: u8) -> bool {
        match self.state {
            State::Done | State::Broken(_) => return false,
            State::Escaped => self.state = State::String,
            State::String => match byte {
                b'\\' => self.state = State::Escaped,
                b'"' => self.close_string(),
                b'\n' => {
                    self.state = State::Broken("a text that goes on after its line: its quote is missing");
                }
                _ => {}
            },
            State::Scalar => {
                if byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}' | b'{' | b'[' | b'"') {
                    return false;
                }
            }
            State::Start | State::Between => match byte {
                b'"' => self.state = State::String,
                b'{' | b'[' => self.open(byte == b'['),
                b'}' | b']' => self.close(byte == b']'),
                _ if self.state == State::Start => self.state = State::Scalar,
                _ => {}
            },
        }
        !matches!(self.state, State::Broken(_))
    }

    fn close_string(&mut self) {
        self.state = if self.depth == 0 { State::Done } else { State::Between };
    }

    fn open(&mut self, is_square: bool) {
        self.state = State::Between;
        self.depth = self.depth.saturating_add(1);
        if self.depth <= DEEPEST {
            self.squares = self.squares << 1 | u128::from(is_square);
        }
    }

    fn close(&mut self, is_square: bool) {
        if self.depth == 0 {
            self.state = State::Broken("a closing bracket where a record should begin");
            return;
        }
        if self.depth <= DEEPEST {
            if (self.squares & 1 == 1) != is_square {
                self.state = State::Broken("brackets that do not match");
                return;
            }
            self.squares >>= 1;
        }
        self.depth -= 1;
        if self.depth == 0 {
            self.state = State::Done;
        }
    }
}

/// A foreign record: fields by name, forgiving of types.
pub(super) struct Foreign(Value);

impl Foreign {
    /// # Errors
    /// When the text is no JSON object.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let value = serde_json::from_str(text).map_err(|error| reason(&error))?;
        if let Value::Object(_) = value {
            Ok(Self(value))
        } else {
            Err("not a JSON object: a record stands between { and }".to_owned())
        }
    }

    /// A value by its path, such as `user.name`.
    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.0, |value, name| value.get(name)).filter(|value| !value.is_null())
    }

    /// A text as it is.
    pub(super) fn raw(&self, path: &str) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// A text that says something.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        said(self.raw(path).map(str::to_owned))
    }

    /// An id: a string, a number, or Mongo's `{"$oid": "..."}`.
    pub(super) fn key(&self, path: &str) -> Option<String> {
        match self.get(path)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Object(wrapped) => Some(wrapped.get("$oid")?.as_str()?.to_owned()),
            _ => None,
        }
    }

    /// An id that refers to something else.
    pub(super) fn id(&self, path: &str) -> Option<Id> {
        other_id(self.key(path).as_deref())
    }

    pub(super) fn is_true(&self, path: &str) -> bool {
        self.get(path).and_then(Value::as_bool) == Some(true)
    }

    /// A date: a text, a number of seconds or milliseconds, or Mongo's `{"$date": ...}`.
    pub(super) fn when(&self, path: &str) -> When {
        self.get(path).map_or(When::Never, of_value)
    }
}

pub(super) fn of_value(value: &Value) -> When {
    match value {
        Value::Null => When::Never,
        Value::String(text) => When::of_text(text),
        Value::Number(number) => number.as_f64().and_then(time::of_number).map_or(When::Unread, When::At),
        Value::Object(wrapped) => match (wrapped.get("$date"), wrapped.get("$numberLong")) {
            (Some(Value::Number(milliseconds)), _) => {
                let time = milliseconds.as_i64().and_then(DateTime::from_timestamp_millis);
                time.map_or(When::Unread, When::At)
            }
            (Some(Value::Object(long)), _) => long.get("$numberLong").map_or(When::Unread, of_long),
            (Some(date @ Value::String(_)), _) => of_value(date),
            (None, Some(long)) => of_long(long),
            _ => When::Unread,
        },
        _ => When::Unread,
    }
}

/// Milliseconds since 1970, written as a text.
fn of_long(long: &Value) -> When {
    let milliseconds = long.as_str().and_then(|text| text.parse().ok());
    milliseconds.and_then(DateTime::from_timestamp_millis).map_or(When::Unread, When::At)
}

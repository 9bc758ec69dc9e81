//! XML as opened elements, text and closed elements.
//!
//! Entities are the five of XML, characters by number, and HTML's names, which exports use although they may not. Entities that a DTD
//! declares are never expanded: they stay as they are written, and the declaration is reported. Where the ends of elements
//! do not fit their starts the walk goes on by names and says so.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::super::compressed::{Input, peeked};
use super::super::decoded::Decoded;
use super::super::out::{Place, Stop};
use super::capped::Capped;
use super::head;
use super::stack::{Ends, Stack, short};

const SWALLOWING_TAG: &str = "a tag in which other tags stand: a quote is missing, and what it holds is lost";

/// One step through a file.
pub(in crate::offline::read) enum Step<'a> {
    /// An element begins. What closes by itself (`<a/>`) is followed by its [`Step::Close`].
    Open(Tag<'a>),
    /// Text, with entities and CDATA resolved; none where it is longer than is held.
    Text(Option<Cow<'a, str>>),
    /// A CDATA section; none where it is longer than is held.
    Cdata(Option<Cow<'a, str>>),
    /// An element ends; its name as written.
    Close(String),
    /// The markup does not fit together here: something was lost, or is not where it seems to be.
    Fault(Fault),
    /// A DTD declares entities.
    Entities,
    /// The document is complete.
    End,
    /// The file ends or turns into something else before the document is complete.
    Broken(String),
}

/// Markup that does not fit together.
pub(in crate::offline::read) struct Fault {
    /// What is wrong.
    pub(in crate::offline::read) reason: String,
    /// The name of an element that ends without having begun.
    pub(in crate::offline::read) stray: Option<String>,
}

/// The beginning of an element.
pub(in crate::offline::read) struct Tag<'a>(BytesStart<'a>);

impl Tag<'_> {
    /// The name as written, prefix and all.
    pub(in crate::offline::read) fn name(&self) -> &str {
        let name: &str = &self.0;
        name.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default()
    }

    /// Attributes whose name is this one, whatever its prefix.
    pub(in crate::offline::read) fn attribute(&self, local: &str) -> Option<String> {
        self.attributes().find(|(name, _)| self::local(name) == local).map(|(_, value)| value)
    }

    /// The attributes that can be read, names as written.
    pub(in crate::offline::read) fn attributes(&self) -> impl Iterator<Item = (String, String)> {
        let mut attributes = self.0.attributes();
        attributes.with_checks(false);
        attributes.flatten().map(|attribute| {
            let value = html_escape::decode_html_entities(attribute.value.as_ref()).into_owned();
            (attribute.key.as_ref().to_owned(), value)
        })
    }
}

/// A name without its prefix.
pub(in crate::offline::read) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// A name's prefix.
pub(in crate::offline::read) fn prefix(name: &str) -> Option<&str> {
    name.rsplit_once(':').map(|(prefix, _)| prefix)
}

/// Steps through a file.
pub(in crate::offline::read) struct Walk {
    reader: Reader<Capped>,
    buffer: Vec<u8>,
    stack: Stack,
    /// The element whose end was read already, after a fault.
    ending: Option<String>,
    /// Whether the root element was closed.
    is_complete: bool,
    is_utf8: bool,
    start: Place,
}

impl Walk {
    /// # Errors
    /// When the input fails at once.
    pub(in crate::offline::read) fn new(input: Input) -> Result<Self, Stop> {
        let (first, input) = peeked(input, 1024)?;
        let encoding = head::encoding(&first);
        let decoded = Decoded::new(input, encoding);
        let mut reader = Reader::from_reader(Capped::new(decoded));
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.allow_unmatched_ends = true;
        config.check_end_names = false;
        config.expand_empty_elements = true;
        let is_utf8 = encoding == encoding_rs::UTF_8 && !first.starts_with(b"\xef\xbb\xbf");
        let start = Place { line: 1, offset: Some(0) };
        Ok(Self {
            reader,
            buffer: Vec::new(),
            stack: Stack::default(),
            ending: None,
            is_complete: false,
            is_utf8,
            start,
        })
    }

    /// How many elements are open.
    pub(in crate::offline::read) fn depth(&self) -> usize {
        self.stack.depth()
    }

    /// The bytes read so far, as UTF-8.
    pub(in crate::offline::read) fn offset(&self) -> u64 {
        self.reader.get_ref().input.offset
    }

    /// Says that the element that was opened last does not lie within the one at this depth, which was never closed, but beside it.
    pub(in crate::offline::read) fn is_beside(&mut self, depth: usize, name: &str) {
        self.stack.cut(depth.saturating_sub(1));
        self.stack.push(name);
    }

    /// Where the latest step began.
    pub(in crate::offline::read) fn place(&self) -> Place {
        self.start
    }

    /// Whether bytes were met that are no text in the file's encoding.
    pub(in crate::offline::read) fn has_replaced(&self) -> bool {
        self.reader.get_ref().input.has_replaced
    }

    /// The next step, and where it begins.
    ///
    /// # Errors
    /// When the input fails.
    pub(in crate::offline::read) fn next(&mut self) -> Result<(Place, Step<'_>), Stop> {
        if let Some(name) = self.ending.take() {
            self.stack.cut(self.stack.depth().saturating_sub(1));
            self.is_complete = self.stack.depth() == 0;
            return Ok((self.start, Step::Close(name)));
        }
        self.buffer.clear();
        let capped = self.reader.get_mut();
        capped.begin();
        let decoded = &capped.input;
        let is_exact = self.is_utf8 && !decoded.has_replaced;
        self.start = Place { line: decoded.line, offset: is_exact.then_some(decoded.offset) };
        let event = self.reader.read_event_into(&mut self.buffer);
        let Capped { is_over, has_swallowed, .. } = *self.reader.get_ref();
        let step = match event {
            Ok(Event::Start(tag)) if has_swallowed || swallows(&tag) => {
                Step::Fault(Fault { reason: SWALLOWING_TAG.to_owned(), stray: None })
            }
            Ok(Event::Start(tag)) => {
                let tag = Tag(tag);
                self.stack.push(tag.name());
                self.is_complete = false;
                Step::Open(tag)
            }
            Ok(Event::End(tag)) => {
                let name = tag.name().as_ref().to_owned();
                match self.stack.ends(&name) {
                    Ends::Innermost => {
                        self.stack.cut(self.stack.depth().saturating_sub(1));
                        self.is_complete = self.stack.depth() == 0;
                        Step::Close(name)
                    }
                    Ends::Outer(depth) => {
                        let open = self.stack.name(depth + 1);
                        let reason = format!("</{}> stands where </{open}> should", short(&name));
                        self.stack.cut(depth);
                        self.ending = Some(name);
                        Step::Fault(Fault { reason, stray: None })
                    }
                    Ends::Nothing => {
                        let reason = format!("</{}> ends what never began", short(&name));
                        Step::Fault(Fault { reason, stray: Some(name) })
                    }
                }
            }
            Ok(Event::Comment(text)) if text.contains("<!--") => {
                let reason = "a comment <!-- in which another begins: its end is missing".to_owned();
                Step::Fault(Fault { reason, stray: None })
            }
            Ok(Event::Text(text)) => Step::Text((!is_over).then(|| text.xml10_content())),
            Ok(Event::CData(text)) => Step::Cdata((!is_over).then(|| text.xml10_content())),
            Ok(Event::GeneralRef(reference)) => Step::Text((!is_over).then(|| resolved(&reference).into())),
            Ok(Event::DocType(declaration)) if is_over || declaration.contains("<!ENTITY") => Step::Entities,
            Ok(Event::Eof) if self.is_complete => Step::End,
            Ok(Event::Eof) => Step::Broken("the file ends before the document does".to_owned()),
            Ok(_) | Err(quick_xml::Error::IllFormed(_)) => Step::Text(Some(Cow::Borrowed(""))),
            // What follows a complete document (blank lines, a log's last words) loses nothing.
            Err(quick_xml::Error::Io(error)) => {
                let kind = error.kind();
                return Err(match std::sync::Arc::into_inner(error) {
                    Some(error) => error.into(),
                    None => std::io::Error::from(kind).into(),
                });
            }
            Err(_) if self.is_complete => Step::End,
            Err(error) => Step::Broken(error.to_string()),
        };
        Ok((self.start, step))
    }
}

/// Whether other tags stand within a tag, which then lacks a quote: XML has no `<` in the value of an attribute.
fn swallows(tag: &str) -> bool {
    tag.split_once('<').is_some_and(|(_, rest)| rest.contains('>'))
}

/// What an entity stands for; one that is not known stands for itself.
fn resolved(reference: &BytesRef<'_>) -> String {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => character.to_string(),
        Ok(None) => {
            let written = format!("&{};", &**reference);
            if &**reference == "apos" {
                return "'".to_owned();
            }
            html_escape::decode_html_entities(&written).into_owned()
        }
        // A number that is no character, such as that of a lone surrogate.
        Err(_) => "\u{fffd}".to_owned(),
    }
}

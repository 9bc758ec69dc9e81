//! The text of the elements inside one record.

use super::super::out::Place;
use crate::offline::records::LONGEST_LINE;

/// What an element counts beside its text: a record of a million empty ones is too long as well.
const OF_EACH: usize = 64;
/// How a CDATA section begins.
const CDATA: &str = "<![CDATA[";

/// What is said of a record whose text holds the next one. It is kept, for a reader may have written just that.
pub(in crate::offline::read) const SWALLOWED: &str =
    "its text holds the next record: a CDATA section seems to lack its end";

/// Collects the text of known elements. What is inside them, such as markup that somebody forgot to escape, counts by its text.
#[derive(Default)]
pub(in crate::offline::read) struct Fields {
    /// Where the record begins.
    pub(in crate::offline::read) place: Place,
    /// How deep the record's element lies.
    pub(in crate::offline::read) depth: usize,
    /// The name of the record's element as written.
    name: String,
    values: Vec<(&'static str, String)>,
    /// The element that is being read: its name as written, and how deep it lies.
    open: Option<(String, usize)>,
    size: usize,
    is_over: bool,
    /// Why the record cannot be trusted.
    fault: Option<String>,
    /// Whether a CDATA section holds the start of another.
    is_nested: bool,
    /// Whether a CDATA section has swallowed the next record, by all that can be told.
    pub(in crate::offline::read) has_swallowed: bool,
}

impl Fields {
    pub(in crate::offline::read) fn new(name: &str, depth: usize, place: Place) -> Self {
        Self { place, depth, name: name.to_owned(), ..Self::default() }
    }

    /// The name of the record's element as written.
    pub(in crate::offline::read) fn name(&self) -> &str {
        &self.name
    }

    /// Whether an element's text is being read.
    pub(in crate::offline::read) fn is_reading(&self) -> bool {
        self.open.is_some()
    }

    /// Begins an element.
    pub(in crate::offline::read) fn begin(&mut self, field: &'static str, name: &str, depth: usize) {
        self.open = Some((name.to_owned(), depth));
        self.put(field, String::new());
    }

    /// Adds a field that is no element.
    pub(in crate::offline::read) fn set(&mut self, field: &'static str, value: String) {
        self.put(field, value);
    }

    fn put(&mut self, field: &'static str, value: String) {
        self.size += value.len() + OF_EACH;
        if self.size > LONGEST_LINE {
            self.overflow();
        } else if !self.is_over {
            self.values.push((field, value));
        }
    }

    /// Gives up a record that is too long; nothing more of it is held.
    pub(in crate::offline::read) fn overflow(&mut self) {
        self.is_over = true;
        self.values = Vec::new();
    }

    /// Text of the element that is being read. `None` stands for more than is held.
    pub(in crate::offline::read) fn text(&mut self, text: Option<&str>) {
        if self.open.is_none() || self.is_over {
            return;
        }
        self.size += text.map_or(0, str::len);
        match (text, self.values.last_mut()) {
            (Some(text), Some((_, value))) if self.size <= LONGEST_LINE => value.push_str(text),
            _ => self.overflow(),
        }
    }

    /// A CDATA section of the element that is being read.
    pub(in crate::offline::read) fn cdata(&mut self, text: Option<&str>) {
        if let (Some(text), Some((field, _))) = (text, &self.open)
            && text.contains(CDATA)
        {
            self.is_nested = true;
            self.has_swallowed |= has_swallowed(text, field, &self.name);
        }
        self.text(text);
    }

    /// Ends the element that is being read, if this is its end. An element that was never closed ends with the one around it.
    pub(in crate::offline::read) fn close(&mut self, name: &str, depth: usize) {
        let is_end = |(open, at): &(String, usize)| depth < *at || (depth == *at && open == name);
        if self.open.as_ref().is_some_and(is_end) {
            self.open = None;
        }
    }

    /// A field's text, the first that says something if there are several.
    pub(in crate::offline::read) fn take(&mut self, field: &str) -> Option<String> {
        let mut values = self.values.iter_mut().filter(|(of, _)| *of == field);
        let first = values.next()?;
        let (_, value) = if first.1.trim().is_empty() {
            values.find(|(_, value)| !value.trim().is_empty()).unwrap_or(first)
        } else {
            first
        };
        Some(std::mem::take(value))
    }

    /// Says that the record's markup does not fit together. The first fault counts, for the others follow from it.
    pub(in crate::offline::read) fn spoil(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    /// Whether the record is within bounds and whole.
    ///
    /// # Errors
    /// A sentence that names the bound or the fault.
    pub(in crate::offline::read) fn check(&self) -> Result<(), String> {
        match &self.fault {
            _ if self.is_over => Err(format!("longer than {LONGEST_LINE} bytes")),
            Some(fault) if self.is_nested => Err(format!("{fault}: a CDATA section seems to lack its end")),
            Some(fault) => Err(fault.clone()),
            None => Ok(()),
        }
    }
}

/// Whether a CDATA section without an end went on into the next record's section of the same field: the field and the record end in it,
/// another record and another section begin. A reader's word that quotes XML begins what it ends.
fn has_swallowed(text: &str, field: &str, record: &str) -> bool {
    let Some((before, rest)) = text.split_once(&format!("</{field}>")) else { return false };
    if before.contains(&format!("<{field}")) {
        return false;
    }
    let Some((_, rest)) = rest.split_once(&format!("</{record}>")) else { return false };
    rest.split_once(&format!("<{record}")).is_some_and(|(_, rest)| rest.contains(CDATA))
}

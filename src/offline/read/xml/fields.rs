//! The text of the elements inside one record.

use super::super::out::Place;
use crate::offline::records::LONGEST_LINE;

/// Collects the text of known elements. What is inside them, such as markup that somebody forgot to escape, counts by its text.
#[derive(Default)]
pub(in crate::offline::read) struct Fields {
    /// Where the record begins.
    pub(in crate::offline::read) place: Place,
    values: Vec<(&'static str, String)>,
    /// The element that is being read: its name as written, and how deep it lies.
    open: Option<(String, usize)>,
    size: usize,
    is_over: bool,
}

impl Fields {
    pub(in crate::offline::read) fn new(place: Place) -> Self {
        Self { place, ..Self::default() }
    }

    /// Whether an element's text is being read.
    pub(in crate::offline::read) fn is_reading(&self) -> bool {
        self.open.is_some()
    }

    /// Begins an element.
    pub(in crate::offline::read) fn begin(&mut self, field: &'static str, name: &str, depth: usize) {
        self.values.push((field, String::new()));
        self.open = Some((name.to_owned(), depth));
    }

    /// Adds a field that is no element.
    pub(in crate::offline::read) fn set(&mut self, field: &'static str, value: String) {
        self.size += value.len();
        self.is_over |= self.size > LONGEST_LINE;
        self.values.push((field, value));
    }

    /// Text of the element that is being read. `None` stands for more than is held.
    pub(in crate::offline::read) fn text(&mut self, text: Option<&str>) {
        let (Some(_), Some((_, value))) = (&self.open, self.values.last_mut()) else { return };
        self.size += text.map_or(0, str::len);
        self.is_over |= text.is_none() || self.size > LONGEST_LINE;
        match text {
            Some(text) if !self.is_over => value.push_str(text),
            _ => value.clear(),
        }
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

    /// Whether the record is within bounds.
    ///
    /// # Errors
    /// A sentence that names the bound.
    pub(in crate::offline::read) fn check(&self) -> Result<(), String> {
        if self.is_over { Err(format!("longer than {LONGEST_LINE} bytes")) } else { Ok(()) }
    }
}

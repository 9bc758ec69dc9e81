//! The elements that are open, by name.

/// So many are known by name. Exports nest far less; what lies deeper is only counted, so that no depth costs memory.
const MOST_KNOWN: usize = 256;
/// Names are compared by so many bytes.
const LONGEST_NAME: usize = 128;

/// What the end of an element ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// The innermost element.
    Innermost,
    /// The one at this depth, so that those inside it were never closed.
    Outer(usize),
    /// None that is open.
    Nothing,
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Stack {
    /// All names in a row, so that opening an element allocates nothing.
    names: String,
    ends: Vec<usize>,
    deeper: usize,
}

impl Stack {
    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.ends.len() + self.deeper
    }

    pub(super) fn push(&mut self, name: &str) {
        if self.ends.len() < MOST_KNOWN {
            self.names.push_str(short(name));
            self.ends.push(self.names.len());
        } else {
            self.deeper += 1;
        }
    }

    /// Leaves no more elements open than these.
    pub(super) fn cut(&mut self, depth: usize) {
        self.deeper = depth.saturating_sub(self.ends.len()).min(self.deeper);
        self.ends.truncate(depth);
        self.names.truncate(self.ends.last().copied().unwrap_or_default());
    }

    /// The name of the element at a depth, from 1.
    pub(super) fn name(&self, depth: usize) -> &str {
        let Some(end) = depth.checked_sub(1).and_then(|at| self.ends.get(at)) else { return "" };
        let start = depth.checked_sub(2).and_then(|at| self.ends.get(at)).copied().unwrap_or_default();
        self.names.get(start..*end).unwrap_or_default()
    }

    /// What the end of an element of this name ends.
    pub(super) fn ends(&self, name: &str) -> Ends {
        let (name, known) = (short(name), self.ends.len());
        let found = (1..=known).rev().find(|depth| self.name(*depth) == name);
        match found {
            Some(depth) if depth == known => Ends::Innermost,
            // Of what is only counted the names are not known.
            None if self.deeper > 0 => Ends::Innermost,
            Some(depth) => Ends::Outer(depth),
            None => Ends::Nothing,
        }
    }
}

/// The beginning of a name, for one may be as long as a file.
pub(super) fn short(name: &str) -> &str {
    name.get(..name.floor_char_boundary(LONGEST_NAME)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_matched_with_starts() {
        let mut stack = Stack::default();
        for name in ["a", "b", "c"] {
            stack.push(name);
        }
        assert_eq!(
            ["c", "a", "x"].map(|name| stack.ends(name)),
            [Ends::Innermost, Ends::Outer(1), Ends::Nothing]
        );
        stack.cut(2);
        assert_eq!((stack.depth(), stack.name(2), stack.ends("b")), (2, "b", Ends::Innermost));
        for _ in 0..1000 {
            stack.push("d");
        }
        assert_eq!(
            (stack.depth(), stack.ends("d"), stack.ends("b")),
            (1002, Ends::Innermost, Ends::Outer(2))
        );
        stack.cut(1001);
        assert_eq!(stack.depth(), 1001);
        stack.cut(1);
        assert_eq!((stack.depth(), stack.ends("a")), (1, Ends::Innermost));
    }
}

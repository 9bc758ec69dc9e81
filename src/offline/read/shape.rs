//! What the first bytes of a JSON file say of its first record: the names of its members, whatever stands in its texts.

/// A member of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Member {
    name: String,
    /// The first byte of its value.
    first: u8,
    /// The names of the members of the first object in its value, where the value is a list.
    within: Vec<String>,
}

/// The first object of a file, or of the list that the file is; as far as the first bytes go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape(Vec<Member>);

impl Shape {
    /// None where the first bytes are no JSON.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let bytes = head.strip_prefix(b"[").unwrap_or(head).trim_ascii_start();
        if !matches!(bytes.first(), Some(b'{')) {
            return None;
        }
        Some(Self(members(bytes)))
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.0.iter().find(|member| member.name == name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// The name of the first member.
    pub(super) fn begins_with(&self, name: &str) -> bool {
        self.0.first().is_some_and(|member| member.name == name)
    }

    /// Whether a member's value begins with this byte.
    pub(super) fn is(&self, name: &str, first: u8) -> bool {
        self.member(name).is_some_and(|member| member.first == first)
    }

    /// Whether a member is a list whose first object has a member of that name.
    pub(super) fn lists(&self, name: &str, of: &str) -> bool {
        self.member(name).is_some_and(|member| member.within.iter().any(|name| name == of))
    }
}

/// The members of the object that begins here.
fn members(bytes: &[u8]) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    // For each bracket that is open, whether it is a curly one.
    let mut open: Vec<bool> = Vec::new();
    let (mut is_name, mut is_first_within) = (false, true);
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let depth = open.len();
        if depth == 1 && !is_name && !byte.is_ascii_whitespace() && !matches!(byte, b':' | b',') {
            set_first(&mut members, *byte);
        }
        match byte {
            b'{' | b'[' => {
                open.push(*byte == b'{');
                is_name = *byte == b'{';
            }
            b'}' | b']' => {
                open.pop();
                if open.is_empty() {
                    break;
                }
                is_first_within &= depth != 3;
                is_name = false;
            }
            b',' => {
                is_name = open.last() == Some(&true);
                is_first_within |= depth == 1;
            }
            b':' => is_name = false,
            b'"' => {
                let Some((text, after)) = string(rest) else { break };
                rest = after;
                match (is_name, open.as_slice(), members.last_mut()) {
                    (true, [true], _) => members.push(Member { name: text, ..Member::default() }),
                    (true, [true, false, true], Some(member)) if is_first_within => member.within.push(text),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    members
}

fn set_first(members: &mut [Member], byte: u8) {
    if let Some(member) = members.last_mut().filter(|member| member.first == 0) {
        member.first = byte;
    }
}

/// The string whose quote was just read, and what comes after it.
fn string(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut is_escaped = false;
    let end = bytes.iter().position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    })?;
    Some((String::from_utf8_lossy(bytes.get(..end)?).into_owned(), bytes.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_first_object() {
        let text = br#" [{"a\"b":"c","list":[{"x":{"y":1},"z":[{"w":1}]},{"v":1}],"n": null,"o":{"p":[{"q":1}]}}, {"late":1}]"#;
        let shape = Shape::of(text).unwrap();
        let told: Vec<(&str, char, String)> = shape
            .0
            .iter()
            .map(|member| (member.name.as_str(), char::from(member.first), member.within.join(" ")))
            .collect();
        assert_eq!(
            told,
            [
                ("a\\\"b", '"', String::new()),
                ("list", '[', "x z".to_owned()),
                ("n", 'n', String::new()),
                ("o", '{', String::new()),
            ]
        );
        let cut = Shape::of(br#"{"version":1,"comments":[{"commentHex":"a","markdown":"and so"#).unwrap();
        assert!(cut.begins_with("version") && cut.lists("comments", "commentHex"));
        assert_eq!(Shape::of(b"[1,2]"), None);
    }
}

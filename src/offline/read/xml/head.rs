//! What the first bytes of an XML file say: whether it is one, in which encoding it is written, and what its root element is.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::walk::{local, prefix};

/// The declaration stands within the first bytes.
const DECLARATION: usize = 512;

/// The encoding of a file without a byte order mark, by its declaration (XML 1.0, appendix F). UTF-8 if it says nothing that we know.
pub(super) fn encoding(head: &[u8]) -> &'static Encoding {
    if head.starts_with(b"<\0") {
        return UTF_16LE;
    }
    if head.starts_with(b"\0<") {
        return UTF_16BE;
    }
    let start = head.get(..DECLARATION).unwrap_or(head);
    let start = String::from_utf8_lossy(start);
    let declared = || {
        let declaration =
            start.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']).strip_prefix("<?xml")?;
        let (declaration, _) = declaration.split_once("?>")?;
        let (_, value) = declaration.split_once("encoding")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let label = value.split(quote).nth(1)?;
        Encoding::for_label(label.as_bytes())
    };
    // A declaration that could be read byte by byte is not in UTF-16, whatever it says.
    declared().filter(|encoding| encoding.is_ascii_compatible()).unwrap_or(UTF_8)
}

/// What the first bytes say of the document, elements and attributes alone: a text may name any format.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::offline::read) struct Root {
    /// The root element's name without its prefix.
    pub(in crate::offline::read) name: String,
    /// The namespaces that it declares.
    pub(in crate::offline::read) namespaces: Vec<String>,
    /// Whether an element has the prefix `wp`.
    pub(in crate::offline::read) has_wp: bool,
}

impl Root {
    /// None where the first bytes are no XML.
    pub(in crate::offline::read) fn of(head: &[u8]) -> Option<Self> {
        let text = encoding(head).decode(head).0;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if !text.starts_with('<') {
            return None;
        }
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.allow_unmatched_ends = true;
        config.check_end_names = false;
        let mut root = None;
        // What is cut or broken ends the search.
        loop {
            match reader.read_event() {
                Ok(Event::Start(tag) | Event::Empty(tag)) => {
                    let root = root.get_or_insert_with(|| Self::new(&tag));
                    if prefix(tag.name().as_ref()) == Some("wp") {
                        root.has_wp = true;
                        break;
                    }
                }
                Ok(Event::Eof) | Err(_) => break,
                Ok(_) => {}
            }
        }
        root
    }

    fn new(tag: &BytesStart<'_>) -> Self {
        let mut attributes = tag.attributes();
        attributes.with_checks(false);
        let is_namespace = |name: &str| name == "xmlns" || name.starts_with("xmlns:");
        let namespaces = attributes
            .flatten()
            .filter(|attribute| is_namespace(attribute.key.as_ref()))
            .map(|attribute| attribute.value.as_ref().to_owned());
        Self { name: local(tag.name().as_ref()).to_owned(), namespaces: namespaces.collect(), has_wp: false }
    }

    /// Whether a namespace is declared whose name has this in it.
    pub(in crate::offline::read) fn declares(&self, part: &str) -> bool {
        self.namespaces.iter().any(|namespace| namespace.contains(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_tells_the_encoding() {
        for (head, expected) in [
            ("<rss/>", "UTF-8"),
            ("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "windows-1252"),
            ("\u{feff}<?xml version=\"1.0\" encoding = \"windows-1251\" ?>", "windows-1251"),
            ("\n<?xml version=\"1.0\" encoding=\"Shift_JIS\"?>", "Shift_JIS"),
            ("<?xml version=\"1.0\" encoding=\"utf-16\"?>", "UTF-8"),
            ("<?xml version=\"1.0\" encoding=\"none such\"?>", "UTF-8"),
            ("<?xml version=\"1.0\"?><a encoding=\"koi8-r\"/>", "UTF-8"),
            ("<?xml encoding", "UTF-8"),
            ("", "UTF-8"),
        ] {
            assert_eq!(encoding(head.as_bytes()).name(), expected, "{head}");
        }
        assert_eq!(encoding(b"<\0?\0").name(), "UTF-16LE");
        assert_eq!(encoding(b"\0<\0?").name(), "UTF-16BE");
    }
}

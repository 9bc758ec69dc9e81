//! What the first bytes of an XML file say: whether it is one, and in which encoding it is written.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

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

/// The first bytes as text.
pub(in crate::offline::read) fn text(head: &[u8]) -> Cow<'_, str> {
    encoding(head).decode(head).0
}

/// Whether the first bytes are XML.
pub(in crate::offline::read) fn has_xml(head: &str) -> bool {
    head.trim_start_matches('\u{feff}').trim_start().starts_with('<')
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

//! A page's bytes to text.

use encoding_rs::{Encoding, UTF_8};
use html5gum::Token;

use super::page::{attribute, tokens};

/// How far into a page its `<meta charset>` must stand, in bytes (HTML, "prescan a byte stream").
const PRESCAN: usize = 1024;

/// Decodes a page: by its byte order mark, by the header's charset, by its `<meta charset>`, else as UTF-8. Bytes that do not fit
/// become U+FFFD.
pub(in crate::cms) fn charset(content_type: Option<&str>, bytes: &[u8]) -> String {
    let encoding = content_type
        .and_then(charset_parameter)
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .or_else(|| declared(bytes))
        .unwrap_or(UTF_8);
    encoding.decode(bytes).0.into_owned()
}

/// The encoding that a page's head declares. One that could not have carried the declaration is UTF-8 (HTML, "prescan").
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(bytes.get(..PRESCAN).unwrap_or(bytes)).into_owned();
    let label = tokens(&head).find_map(|token| match token {
        Token::StartTag(tag) if tag.name == b"meta" => attribute(&tag, "charset").or_else(|| {
            attribute(&tag, "http-equiv").filter(|name| name.eq_ignore_ascii_case("content-type"))?;
            charset_parameter(&attribute(&tag, "content")?).map(str::to_owned)
        }),
        _ => None,
    })?;
    Encoding::for_label(label.as_bytes()).map(Encoding::output_encoding)
}

/// `utf-8` out of `text/html; charset="utf-8"`.
fn charset_parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets() {
        let latin = b"caf\xe9";
        let meta = |meta: &str| [meta.as_bytes(), latin].concat();
        for (header, bytes, text) in [
            (Some("text/html; charset=iso-8859-1"), latin.to_vec(), "caf\u{e9}"),
            (Some("text/html;boundary=x; Charset=\"Windows-1252\""), latin.to_vec(), "caf\u{e9}"),
            (
                Some("text/html; charset=nonsense"),
                meta("<meta charset=latin1>"),
                "<meta charset=latin1>caf\u{e9}",
            ),
            (
                None,
                meta("<META content='text/html; charset=latin1' HTTP-EQUIV=Content-Type>"),
                "<META content='text/html; charset=latin1' HTTP-EQUIV=Content-Type>caf\u{e9}",
            ),
            (None, meta("<!-- <meta charset=latin1> -->"), "<!-- <meta charset=latin1> -->caf\u{fffd}"),
            (
                None,
                meta("<meta name=a content='a; charset=latin1'>"),
                "<meta name=a content='a; charset=latin1'>caf\u{fffd}",
            ),
            (Some("text/html"), "\u{e9}\u{20ac}".as_bytes().to_vec(), "\u{e9}\u{20ac}"),
            (Some("text/html; charset=latin1"), "\u{feff}\u{e9}".as_bytes().to_vec(), "\u{e9}"),
            (Some("text/html; charset=shift_jis"), b"\x93\xfa\x96{".to_vec(), "\u{65e5}\u{672c}"),
            (None, b"\xff\xfea\0".to_vec(), "a"),
            (None, Vec::new(), ""),
        ] {
            assert_eq!(charset(header, &bytes), text, "{header:?}");
        }
        let late = [" ".repeat(PRESCAN).as_bytes(), b"<meta charset=latin1>\xe9"].concat();
        assert!(charset(None, &late).ends_with('\u{fffd}'), "declared too late");
    }
}

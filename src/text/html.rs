//! HTML to text in one pass: tags and comments out, entities decoded however deeply they were escaped.
//!
//! An output stack makes nesting harmless: a `>` takes back everything since its `<` when that reads like a tag, a `;`
//! replaces the `&...` before it by its character. So the output holds neither complete tags nor complete entities,
//! and the work is linear in the input.

use super::glyph::Glyph;
use crate::domain::Span;

/// The longest entity looked for, in characters, `&` and `;` included.
const LONGEST_ENTITY: usize = 34;
/// The longest tag taken out, in characters (attributes included).
const LONGEST_TAG: usize = 4096;
/// Tags that end a line.
const BLOCK_TAGS: [&str; 14] =
    ["p", "br", "div", "li", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "tr", "table", "hr"];

/// The other tags that comment systems write and pasted pages hold. Anything else between angle brackets is the author's text: a
/// whole comment put between `<` and `>` must not vanish.
const INLINE_TAGS: [&str; 46] = [
    "a",
    "abbr",
    "acronym",
    "article",
    "aside",
    "b",
    "big",
    "body",
    "caption",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "dl",
    "dt",
    "em",
    "figure",
    "figcaption",
    "font",
    "footer",
    "head",
    "header",
    "html",
    "i",
    "iframe",
    "img",
    "ins",
    "kbd",
    "main",
    "mark",
    "nav",
    "o",
    "picture",
    "pre",
    "q",
    "s",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "u",
    "video",
];
/// Further tags of tables and documents.
const OTHER_TAGS: [&str; 18] = [
    "script", "style", "tbody", "td", "tfoot", "th", "thead", "svg", "path", "meta", "link", "noscript",
    "h5", "h6", "col", "colgroup", "title", "tt",
];

fn is_known_tag(name: &str) -> bool {
    let name = name.trim_start_matches(['/', '!', '?']);
    [BLOCK_TAGS.as_slice(), &INLINE_TAGS, &OTHER_TAGS].iter().any(|list| list.contains(&name))
        || matches!(name, "doctype" | "xml")
}

/// Whether `ch` can begin or end something this stage changes.
pub(super) fn is_markup(ch: char) -> bool {
    matches!(ch, '<' | '&')
}

/// Strips tags and decodes entities. Returns the number of tags taken out.
pub(super) fn strip(glyphs: &mut Vec<Glyph>) -> u32 {
    let mut out: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    let mut opens: Vec<usize> = Vec::new();
    let mut hidden_from: Option<usize> = None;
    let mut tags = 0;
    for &glyph in glyphs.iter() {
        match glyph.ch {
            '<' => {
                opens.push(out.len());
                out.push(glyph);
            }
            '>' => {
                out.push(glyph);
                if let Some(tag) = take_tag(&mut out, &mut opens) {
                    tags += 1;
                    apply_tag(&tag, &mut out, &mut hidden_from);
                    opens.retain(|&open| open < out.len());
                }
            }
            ';' => {
                out.push(glyph);
                if decode_entity(&mut out) && out.last().is_some_and(|last| last.ch == '<') {
                    opens.push(out.len().saturating_sub(1));
                } else if out.last().is_some_and(|last| last.ch == '>')
                    && let Some(tag) = take_tag(&mut out, &mut opens)
                {
                    tags += 1;
                    apply_tag(&tag, &mut out, &mut hidden_from);
                    opens.retain(|&open| open < out.len());
                }
            }
            _ => out.push(glyph),
        }
    }
    *glyphs = out;
    tags
}

/// A tag that was taken out: its name (lower case, `/` in front when closing) and its raw bytes.
struct Tag {
    name: String,
    raw: Span,
}

/// Takes the tag that ends at the top of the stack off it, if there is one.
fn take_tag(out: &mut Vec<Glyph>, opens: &mut Vec<usize>) -> Option<Tag> {
    while opens.last().is_some_and(|&open| open >= out.len()) {
        opens.pop();
    }
    let open = *opens.last()?;
    let inside = out.get(open + 1..out.len() - 1)?;
    if inside.len() > LONGEST_TAG {
        return None;
    }
    let first = inside.first()?.ch;
    let comment = inside.len() >= 3 && inside.iter().take(3).map(|g| g.ch).eq("!--".chars());
    let is_tag = if comment {
        inside.len() >= 5 && inside.iter().rev().take(2).all(|g| g.ch == '-')
    } else {
        first.is_ascii_alphabetic()
            || (matches!(first, '/' | '!' | '?') && inside.get(1).is_some_and(|g| g.ch.is_ascii_alphabetic()))
    };
    if !is_tag {
        return None;
    }
    let name: String = inside
        .iter()
        .enumerate()
        .map_while(|(at, g)| {
            let opens = at == 0 && matches!(g.ch, '/' | '!' | '?');
            (g.ch.is_ascii_alphanumeric() || opens).then(|| g.ch.to_ascii_lowercase())
        })
        .collect();
    let is_html = comment || (is_known_tag(&name) && has_attributes_only(inside, name.len()));
    if !is_html {
        return None;
    }
    let raw = out.get(open)?.raw.cover(out.last()?.raw);
    opens.pop();
    out.truncate(open);
    Some(Tag { name, raw })
}

/// Whether what stands behind a tag's name reads like attributes: nothing, `/`, or words of which each has a value. `<a comment in
/// plain words>` does not.
fn has_attributes_only(inside: &[Glyph], name: usize) -> bool {
    let rest: String = inside.iter().skip(name).map(|g| g.ch).collect();
    let rest = rest.trim().trim_end_matches('/').trim();
    rest.is_empty() || rest.contains('=') || !rest.contains(char::is_whitespace)
}

/// What a tag leaves behind: a line break for a block, nothing for the rest; scripts and styles vanish with their content.
fn apply_tag(tag: &Tag, out: &mut Vec<Glyph>, hidden_from: &mut Option<usize>) {
    let name = tag.name.trim_start_matches('/');
    match (tag.name.as_str(), *hidden_from) {
        ("script" | "style", None) => *hidden_from = Some(out.len()),
        ("/script" | "/style", Some(from)) => {
            out.truncate(from);
            *hidden_from = None;
        }
        _ if BLOCK_TAGS.contains(&name) => out.push(Glyph { ch: '\n', raw: tag.raw }),
        _ => {}
    }
}

/// Replaces the entity that ends at the top of the stack by its characters. True when there was one.
fn decode_entity(out: &mut Vec<Glyph>) -> bool {
    let from = out.len().saturating_sub(LONGEST_ENTITY);
    let Some(tail) = out.get(from..) else { return false };
    let Some(back) = tail.iter().rposition(|g| g.ch == '&') else { return false };
    let Some(entity_glyphs) = tail.get(back..) else { return false };
    let well_formed = entity_glyphs.len() >= 3
        && entity_glyphs
            .iter()
            .skip(1)
            .take(entity_glyphs.len() - 2)
            .enumerate()
            .all(|(at, g)| g.ch.is_ascii_alphanumeric() || (at == 0 && g.ch == '#'));
    if !well_formed {
        return false;
    }
    let entity: String = entity_glyphs.iter().map(|g| g.ch).collect();
    let decoded = html_escape::decode_html_entities(&entity);
    if decoded == entity {
        return false;
    }
    let (Some(first), Some(last)) = (entity_glyphs.first(), entity_glyphs.last()) else { return false };
    let raw = first.raw.cover(last.raw);
    let decoded: Vec<char> = decoded.chars().collect();
    out.truncate(from + back);
    out.extend(decoded.into_iter().map(|ch| Glyph { ch, raw }));
    true
}

#[cfg(test)]
mod tests {
    use super::super::glyph::glyphs;
    use super::*;

    fn text(html: &str) -> String {
        let mut buffer = glyphs(html);
        strip(&mut buffer);
        buffer.iter().map(|g| g.ch).collect()
    }

    #[test]
    fn tags_go_entities_become_text() {
        for (html, plain) in [
            ("<p>Well <b>said</b>!</p>", "\nWell said!\n"),
            ("R&amp;D &lt;3", "R&D <3"),
            ("it&#39;s &amp;amp;amp;#39;so&#x27;", "it's 'so'"),
            ("a < b and c > d", "a < b and c > d"),
            ("I <3 you", "I <3 you"),
            ("x<!-- a > b -->y", "xy"),
            ("x<script>alert(1)</script>y", "xy"),
            ("<a href=\"x\">link</a>", "link"),
            ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
            ("fish & chips; peas", "fish & chips; peas"),
            ("&nosuch;", "&nosuch;"),
            ("&am<b>p;", "&"),
            ("<The article raises questions>", "<The article raises questions>"),
            ("<a nuanced understanding is crucial>", "<a nuanced understanding is crucial>"),
            ("<script>a<b</script>As an AI> text", "As an AI> text"),
            ("<!DOCTYPE html>x<br/>y", "x\ny"),
        ] {
            assert_eq!(text(html), plain, "{html}");
        }
    }

    #[test]
    fn a_long_run_of_openers_is_linear() {
        let hostile = "<".repeat(200_000) + &">".repeat(200_000);
        assert_eq!(text(&hostile).len(), 400_000);
    }
}

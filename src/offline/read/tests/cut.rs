//! Files cut or changed anywhere: the good part is kept, nothing panics.

use proptest::prelude::*;

use super::*;

const REMARK42: &str = "{\"version\":1,\"users\":[],\"posts\":[]}\n{\"id\":\"a\",\"pid\":\"\",\"text\":\"one \\u00e9\",\"locator\":{\"site\":\"s\",\"url\":\"u\"},\"title\":\"T\"}\n{\"id\":\"b\",\"pid\":\"a\",\"text\":\"two\",\"locator\":{\"site\":\"s\",\"url\":\"u\"}}\n";
const COMMENTO: &str = "{\"version\":1,\"comments\":[{\"commentHex\":\"a\",\"markdown\":\"one\",\"url\":\"u\"},{\"commentHex\":\"b\",\"markdown\":\"tw\\\"o\"}],\"commenters\":[]}";
const CORAL: &str = "[{\"id\":\"a\",\"storyID\":\"s\",\"revisions\":[{\"body\":\"one\"}]},\n{\"id\":\"b\",\"storyID\":\"s\",\"revisions\":[{\"body\":\"two\"}]}]";

const FILES: [(&str, &str); 7] = [
    ("wxr", include_str!("../../../../examples/exports/site.wxr.xml")),
    ("disqus", include_str!("../../../../examples/exports/disqus.xml")),
    ("csv", include_str!("../../../../examples/exports/comments.csv")),
    ("jsonl", include_str!("../../../../examples/exports/comments.jsonl")),
    ("remark42", REMARK42),
    ("commento", COMMENTO),
    ("coral", CORAL),
];

fn read_as(format: &str, bytes: &[u8]) -> Read {
    let (read, result) = try_read("x", bytes, Some(format), &Options::default());
    // Only a table whose header is cut cannot be read at all.
    assert!(result.is_ok() || format == "csv", "{result:?}");
    read
}

/// What a file cut at this byte keeps is what the whole file begins with.
fn check_cut(format: &str, text: &str, at: usize) -> Result<(), TestCaseError> {
    let whole = read_as(format, text.as_bytes());
    let cut = read_as(format, &text.as_bytes()[..at]);
    prop_assert!(cut.comments.len() <= whole.comments.len());
    // Where a last row ends without quotes, nobody can see that it was cut.
    let sure = if format == "csv" { cut.comments.len().saturating_sub(1) } else { cut.comments.len() };
    prop_assert_eq!(&cut.comments[..sure], &whole.comments[..sure]);
    prop_assert!(cut.rejects.len() <= 1, "{:?}", cut.reasons());
    if !matches!(format, "csv" | "jsonl" | "remark42")
        && at > 0
        && !text.as_bytes()[at..].trim_ascii().is_empty()
    {
        prop_assert_eq!(cut.rejects.len(), 1, "{} cut at {}", format, at);
        let offset = cut.rejects[0].offset.unwrap_or_default();
        prop_assert!(offset <= at as u64);
    }
    Ok(())
}

#[test]
fn small_files_are_cut_everywhere() {
    for (format, text) in &FILES[4..] {
        for at in 0..text.len() {
            check_cut(format, text, at).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_file_keeps_its_beginning(which in 0..FILES.len(), at in 0.0..1.0_f64) {
        let (format, text) = FILES[which];
        let mut at = (text.len() as f64 * at) as usize;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        check_cut(format, text, at)?;
    }

    #[test]
    fn changed_bytes_never_panic(
        which in 0..FILES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        from in 0..FILES.len(),
    ) {
        let mut bytes = FILES[which].1.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let options = Options::default();
        let _ = try_read("x", &bytes, Some(FILES[from].0), &options);
        let _ = try_read("x", &bytes, None, &options);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), from in 0..FILES.len()) {
        let options = Options::default();
        let _ = try_read("x", &bytes, Some(FILES[from].0), &options);
        let _ = try_read("x", &bytes, None, &options);
        let mut packed = b"\x28\xb5\x2f\xfd".to_vec();
        packed.extend_from_slice(&bytes);
        let _ = try_read("x", &packed, None, &options);
    }
}

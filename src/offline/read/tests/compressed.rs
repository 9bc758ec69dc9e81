//! gzip and Zstandard, whole, cut and hostile.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn lines(from: u32, to: u32) -> String {
    (from..to).fold(String::new(), |text, id| {
        text + &format!(
            "{{\"id\":{id},\"text\":\"comment number {}\"}}
",
            id.wrapping_mul(2654435761)
        )
    })
}

#[test]
fn all_members_and_frames_are_read_whatever_the_name() {
    let skippable = [0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    for bytes in [
        gzip(lines(0, 2000).as_bytes()),
        [gzip(lines(0, 900).as_bytes()), gzip(b""), gzip(lines(900, 2000).as_bytes())].concat(),
        zstandard(lines(0, 2000).as_bytes()),
        [
            &skippable,
            &*zstandard(lines(0, 900).as_bytes()),
            &skippable,
            &*zstandard(lines(900, 2000).as_bytes()),
        ]
        .concat(),
    ] {
        let read = read("export", bytes);
        assert_eq!((read.tally.comments, read.tally.rejects), (2000, 0), "{:?}", read.reasons());
    }
}

#[test]
fn a_cut_or_corrupt_file_keeps_the_good_part() {
    for (which, whole) in
        [("gzip", gzip(lines(0, 20_000).as_bytes())), ("zstd", zstandard(lines(0, 20_000).as_bytes()))]
    {
        let cut = read("x", &whole[..whole.len() * 3 / 4]);
        assert!((5000..20_000).contains(&cut.tally.comments), "{which}: {:?}", cut.tally);
        assert_eq!(cut.tally.rejects, 1, "{which}: {:?}", cut.reasons());
        let mut corrupt = whole.clone();
        let at = corrupt.len() - 6;
        corrupt[at] ^= 0xff;
        let corrupt = read("x", corrupt);
        assert!(corrupt.tally.comments > 15_000, "{which}: {:?}", corrupt.tally);
        assert!(corrupt.tally.rejects <= 2, "{which}: {:?}", corrupt.reasons());
    }
    let trailing = read("x", [gzip(lines(0, 10).as_bytes()), b"trailing".to_vec()].concat());
    assert_eq!((trailing.tally.comments, trailing.tally.rejects), (10, 1));
}

#[test]
fn bombs_meet_a_cap_that_the_message_names() {
    let bomb = vec![b' '; 80 << 20];
    for bytes in [gzip(&bomb), zstandard(&bomb)] {
        let (_, result) = try_read("bomb.jsonl.gz", &bytes, None, &Options::default());
        let error = result.unwrap_err().to_string();
        assert!(error.contains("unfolds to more than 500 times its size"), "{error}");
    }
    let text = lines(0, 100_000);
    let options = Options { max_bytes: 1 << 20, ..Options::default() };
    for bytes in [gzip(text.as_bytes()), zstandard(text.as_bytes())] {
        let (read, result) = try_read("x.jsonl", &bytes, None, &options);
        assert_eq!(
            result.unwrap_err().to_string(),
            "x.jsonl: unfolds to more than 1048576 bytes: raise --max-bytes if the file is to be trusted"
        );
        assert!(read.tally.comments > 10_000, "what came before stands");
    }
}

#[test]
fn xml_meets_the_cap_too() {
    let text = wxr(&[&format!("<title>{}</title>{}", "x ".repeat(2 << 20), wp_comment(1, ""))]);
    let options = Options { max_bytes: 1 << 20, ..Options::default() };
    let (_, result) = try_read("x", &gzip(text.as_bytes()), None, &options);
    assert!(matches!(result, Err(ReadError::Cap { .. })), "{result:?}");
}

#[test]
fn a_cut_frame_gives_out_all_that_was_decoded() {
    // Three blocks and a part of the fourth, all within the decoder's window.
    let text = lines(0, 20_000);
    let whole = zstandard(text.as_bytes());
    let cut = read("x", &whole[..whole.len() * 3 / 4]);
    let block = 128 << 10;
    let decoded = text.len() * 3 / 4 / block * block - block;
    let expected = text.as_bytes()[..decoded].split(|byte| *byte == b'\n').count() as u64 - 1;
    assert!(cut.tally.comments >= expected, "{} of at least {expected}", cut.tally.comments);
    assert!(cut.rejects[0].reason.ends_with("the compressed data ends early"), "{:?}", cut.reasons());
    let mut damaged = whole.clone();
    let at = damaged.len() / 2;
    damaged[at..at + 64].fill(0xff);
    let damaged = read("x", damaged);
    assert!(damaged.tally.comments > 0);
    let reasons = damaged.reasons();
    assert!(reasons.iter().all(|reason| !reason.contains('{') && !reason.contains("Err")), "{reasons:?}");
    for (bytes, expected) in [
        (gzip(b"{}")[..10].to_vec(), "cannot read x: the compressed data ends early"),
        (zstandard(b"{}")[..8].to_vec(), "cannot read x: the compressed data ends early"),
        (gzip(&gzip(b"{}")), "cannot read x: it is compressed twice: take one compression off first"),
        (gzip(&zstandard(b"{}")), "cannot read x: it is compressed twice: take one compression off first"),
    ] {
        let (_, result) = try_read("x", &bytes, None, &Options::default());
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_cap_says_where_it_was_met() {
    let text = lines(0, 1000) + &" ".repeat(2 << 20);
    let options = Options { max_bytes: 1 << 20, ..Options::default() };
    let (read, result) = try_read("x.jsonl", &gzip(text.as_bytes()), None, &options);
    assert_eq!(read.tally.comments, 1000);
    let reject = result.unwrap_err().to_reject();
    assert_eq!((reject.file.as_str(), reject.line), ("x.jsonl", 1001));
    assert_eq!(reject.offset, Some(lines(0, 1000).len() as u64));
    assert_eq!(
        reject.reason,
        "unfolds to more than 1048576 bytes: raise --max-bytes if the file is to be trusted; the rest of the file was not read"
    );
}

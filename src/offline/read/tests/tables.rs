//! CSV and its like.

use super::*;

fn mapped(name: &str, text: impl AsRef<[u8]>, columns: &str) -> (Read, Result<(), ReadError>) {
    let options = Options { columns: columns.parse().unwrap(), ..Options::default() };
    try_read(name, text.as_ref(), Some("csv"), &options)
}

#[test]
fn every_delimiter_and_ending_of_lines() {
    for (name, text) in [
        ("x.csv", "id,author,text\n1,Ann,\"a, \"\"b\"\"\nc\"\n\n2,,d\n"),
        ("x.csv", "\u{feff}id;author;text\r\n1;Ann;\"a, \"\"b\"\"\nc\"\r\n2;;d"),
        ("x.tsv", "id\tauthor\ttext\n1\tAnn\t\"a, \"\"b\"\"\nc\"\n2\t\td\n"),
        ("x", "id|author|text\r1|Ann|\"a, \"\"b\"\"\nc\"\r2||d\r"),
    ] {
        let read = read(name, text);
        assert_eq!(read.texts(), ["a, \"b\"\nc", "d"], "{name} {:?}", read.reasons());
        assert_eq!((&read.get("1").author, &read.get("2").author), (&Some(author("Ann")), &None));
    }
}

#[test]
fn excel_writes_utf16() {
    let text = "\u{feff}id\ttext\r\n1\tna\u{ef}ve\r\n";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read("x.txt", bytes).texts(), ["na\u{ef}ve"]);
}

#[test]
fn bad_rows_are_named_and_the_rest_is_kept() {
    let mut text = "id,label,created_at,text\n1,human,,a\n2,human,,b,c\n,human,,d\n4,parrot,,e\n5,,soon,é\n6,bot,2026-01-02,\n7,x,,g\n\n8,spam,1767323045,\"h\n"
        .as_bytes()
        .to_vec();
    let at = text.windows(4).position(|window| window == b"7,x,").unwrap() + 2;
    text[at] = 0xff;
    let read = read("t.csv", text);
    assert_eq!(read.ids(), ["1", "5", "6"]);
    assert_eq!(read.get("6").label, Some(Label::Machine));
    assert_eq!(read.notes, [Note::NoTime, Note::Replaced]);
    assert_eq!(
        read.reasons(),
        [
            "t.csv:3: 5 fields where the header has 4: is a field with a delimiter not quoted? (at byte 36)",
            "t.csv:4: without an id: every comment needs one (at byte 49)",
            "t.csv:5: unknown label `parrot`: expected human, machine or spam (at byte 59)",
            "t.csv:8: unknown label `\u{fffd}`: expected human, machine or spam (at byte 100)",
            "t.csv:10: the file breaks off here: it ends within a quoted field that begins in this row (at byte 108)",
        ]
    );
}

#[test]
fn a_stray_quote_at_the_very_end_is_text() {
    assert_eq!(read("t.csv", "id,text\n1,a 5\" pipe").texts(), ["a 5\" pipe"]);
    let cut = read("t.csv", "id,text\n1,a\n2");
    assert_eq!((cut.ids(), cut.rejects.len()), (vec!["1"], 1));
}

#[test]
fn columns_may_be_named_by_hand() {
    let (read, result) = mapped("t", "cid,who,words\n1,Ann,a\n", "id=cid,author_name=who,text=words");
    result.unwrap();
    assert_eq!((read.texts(), &read.get("1").author), (vec!["a"], &Some(author("Ann"))));
    for (columns, expected) in [
        ("", "t: no column for `id` among [\"cid\", \"who\"]; name it with --columns id=COLUMN"),
        ("id=cid", "t: no column for `text` among [\"cid\", \"who\"]; name it with --columns text=COLUMN"),
        ("id=none", "t: no column `none` among [\"cid\", \"who\"]"),
    ] {
        let (_, result) = mapped("t", "cid2,who\n".replace('2', ""), columns);
        let told = result.map_or_else(|error| error.to_string(), |()| "read".to_owned());
        if columns.is_empty() {
            // `cid` is a usual name for the id, so only the text is missing.
            assert!(told.contains("no column for `text`"), "{told}");
        } else {
            assert_eq!(told, expected);
        }
    }
}

#[test]
fn rows_that_are_too_short_are_named() {
    let read = read("t.csv", "id,author,text\n1,ann,hello there\nworld\n2,bob,hi\n");
    assert_eq!(read.ids(), ["1", "2"]);
    assert_eq!(
        read.reasons(),
        ["t.csv:3: 1 field where the header has 3: is a field with a line break not quoted? (at byte 33)"]
    );
    let read = self::read("t.csv", "text,id,author,status\na,1\nb,2,ann\n,\nc, ,\n");
    assert_eq!(read.ids(), ["1", "2"], "delimiters at the end of a row may be left out");
    assert_eq!(read.rejects.len(), 2, "{:?}", read.reasons());
}

#[test]
fn older_tables_are_read_as_windows_1252() {
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode("id;größe;text\n1;;naïve – “yes”\n2;;ok\n");
    for name in ["x.csv", "x"] {
        let read = read(name, &bytes);
        assert_eq!(read.texts(), ["naïve – “yes”", "ok"]);
        assert_eq!((read.notes, read.rejects.len()), (vec![Note::Windows1252], 0));
    }
    let mut both = "id,text\n1,é\n2,_\n".as_bytes().to_vec();
    *both.iter_mut().find(|byte| **byte == b'_').unwrap() = 0xe9;
    let read = read("x", both);
    assert_eq!((read.texts(), &*read.notes), (vec!["é", "\u{fffd}"], &[Note::Replaced][..]));
}

#[test]
fn a_header_that_is_too_long_says_so() {
    let columns = (0..5000).map(|at| format!("column number {at}")).collect::<Vec<_>>().join(",");
    let (_, result) = mapped("t", format!("{columns},id,text\n1,2\n"), "");
    let told = result.unwrap_err().to_string();
    assert_eq!(told, "t: its header row is too long: it has more than 4096 columns or 8388608 bytes");
    let columns = (0..100).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",");
    let (_, result) = mapped("t", format!("{columns}\n1,2\n"), "");
    let told = result.unwrap_err().to_string();
    assert!(told.contains("\"c49\"] and 50 more; name it"), "{told}");
}

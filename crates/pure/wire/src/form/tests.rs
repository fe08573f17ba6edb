//! Forms as browsers and libraries send them, however they are cut, and every way to send them wrong.

use proptest::prelude::*;

use super::*;

const TYPE: &str = "multipart/form-data; boundary=----x";

/// Reads a form in pieces of so many bytes.
fn read(content_type: &str, body: &[u8], piece: usize) -> Result<(Fields, Vec<u8>), FormError> {
    let mut head = FormHead::new(content_type)?;
    let mut pieces = body.chunks(piece.max(1));
    let mut content = Vec::new();
    let (fields, mut file) = loop {
        let piece = pieces.next().ok_or_else(|| head.end())?;
        if let Some(found) = head.push(piece)? {
            break found;
        }
    };
    loop {
        while let Some(bytes) = file.next_piece() {
            content.extend_from_slice(&bytes);
        }
        match pieces.next() {
            Some(piece) => file.push(piece),
            None => break,
        }
    }
    file.finish().map(|()| (fields, content))
}

fn part(head: &str, content: &str) -> String {
    format!("------x\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
}

fn form(parts: &[String]) -> Vec<u8> {
    [parts.concat().as_bytes(), b"------x--\r\n"].concat()
}

#[test]
fn fields_and_file_are_read_however_they_are_cut() {
    let file = "------x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"C:\\a \\\"b\\\".txt\"\r\n\
                Content-Type: text/plain\r\n\r\n\r\n--\r\n------\r\n------y\r\n";
    let parts = [
        part("name=\"Key\"", "a/${filename}"),
        part("name=x-amz-meta-Ü", ""),
        part("name=\"x-ignore-a\"", "1"),
        file.into(),
    ];
    let body = form(&parts);
    for piece in [1, 2, 3, 7, 64, body.len()] {
        let (fields, content) = read(TYPE, &body, piece).expect("a form");
        let found: Vec<_> = fields.iter().collect();
        assert_eq!(found, [("key", "a/${filename}"), ("x-amz-meta-ü", "")], "{piece}");
        assert_eq!(fields.file_name.as_deref(), Some("C:\\a \"b\".txt"));
        assert_eq!(fields.file_type.as_deref(), Some("text/plain"));
        assert_eq!(content, b"\r\n--\r\n------\r\n------y", "{piece}");
    }
}

#[test]
fn what_is_wrong_with_a_form_has_its_own_fault() {
    let key = || part("name=\"key\"", "a");
    let file = || part("name=\"file\"; filename=\"a\"", "content");
    for (parts, code) in [
        (vec![key()], "InvalidArgument"),
        (vec![key(), key(), file()], "InvalidArgument"),
        (vec![part("", "a"), file()], "MalformedPOSTRequest"),
        (vec![part("name=\"key", "a"), file()], "MalformedPOSTRequest"),
        (vec!["------y\r\n".to_owned()], "MalformedPOSTRequest"),
        (vec!["------x junk\r\n".to_owned()], "MalformedPOSTRequest"),
        (vec![part("name=\"key\"", &"a".repeat(FIELDS_BYTES_MAX)), file()], "MaxPostPreDataLengthExceededError"),
        (
            vec![part("name=\"a\"", &"a".repeat(19_000)), part("name=\"b\"", &"b".repeat(1500)), file()],
            "MaxPostPreDataLengthExceededError",
        ),
    ] {
        for piece in [1, usize::MAX] {
            let body = form(&parts);
            let found = read(TYPE, &body, piece.min(body.len())).expect_err("refused").fault();
            assert_eq!(found.code, code, "{parts:?}");
        }
    }
    let cut = [key(), file()].concat();
    assert_eq!(read(TYPE, cut.as_bytes(), 5), Err(FormError::Malformed), "without its end");
    for content_type in [
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"a;b\u{e9}\"",
        &format!("multipart/form-data; boundary={}", "x".repeat(71)),
    ] {
        assert_eq!(FormHead::new(content_type).err(), Some(FormError::Boundary), "{content_type}");
    }
    assert!(FormHead::new("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"").is_ok());
}

proptest! {
    #[test]
    fn a_files_content_comes_out_as_it_went_in(
        content in prop::collection::vec(prop::sample::select(b"\r\n-xa".to_vec()), 0..200),
        piece in 1_usize..50,
    ) {
        let delimited = memchr::memmem::find(&content, b"\r\n------x").is_some();
        let head = b"------x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
        let body = [head.as_slice(), &content, b"\r\n------x--\r\n"].concat();
        let (_, found) = read(TYPE, &body, piece).expect("a form");
        prop_assert!(delimited || found == content);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..300), piece in 1_usize..50) {
        let _ = read(TYPE, &body, piece);
        let _ = read(TYPE, &[b"------x\r\n", body.as_slice()].concat(), piece);
    }
}

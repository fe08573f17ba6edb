//! Bodies as AWS's examples and its clients send them, and every way to send them wrong.

use std::sync::Arc;

use http::HeaderValue;
use proptest::prelude::*;

use super::*;
use crate::sigv4::{Authorization, RequestParts, SigningKey};

/// The secret of the examples in AWS's documentation.
const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// The chain that the examples' request begins, which has this signature.
fn chain(signature: &str) -> ChunkChain {
    let mut headers = HeaderMap::new();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
         SignedHeaders=host;x-amz-date,Signature={signature}"
    );
    headers.insert("authorization", HeaderValue::try_from(authorization).expect("a header"));
    headers.insert("x-amz-date", HeaderValue::from_static("20130524T000000Z"));
    let parts =
        RequestParts { method: "PUT", path: "/chunkObject.txt", query: "", headers: &headers, host: Some("s3") };
    let authorization = Authorization::parse(&parts).expect("signed");
    authorization.chunk_chain(Arc::new(SigningKey::derive(SECRET, "20130524", "us-east-1", "s3")))
}

fn head(fields: &[(&'static str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"))
    };
    fields.iter().map(field).collect()
}

/// Pushes a body in pieces of so many bytes.
fn read(mut body: Body, bytes: &[u8], piece: usize) -> Result<(Vec<u8>, Finished), BodyError> {
    let mut plain = Vec::new();
    for mut piece in bytes.chunks(piece.max(1)) {
        while let Some(data) = body.push(&mut piece)? {
            plain.extend_from_slice(data);
        }
        assert!(piece.is_empty(), "all bytes are taken");
    }
    body.finish().map(|finished| (plain, finished))
}

/// "Example: PUT object", with its three chunks of 64 KiB, 1 KiB and nothing.
fn signed_example() -> (HeaderMap, Vec<u8>) {
    let mut body = Vec::new();
    for (length, signature) in [
        (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ] {
        body.extend_from_slice(format!("{length:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend(std::iter::repeat_n(b'a', length));
        body.extend_from_slice(b"\r\n");
    }
    (head(&[("x-amz-decoded-content-length", "66560")]), body)
}

const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

/// "Example: PUT object with trailing headers".
fn trailer_example() -> (HeaderMap, Vec<u8>) {
    let mut body = Vec::new();
    for (length, signature) in [
        (65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
        (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
        (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
    ] {
        body.extend_from_slice(format!("{length:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend(std::iter::repeat_n(b'a', length));
        if length > 0 {
            body.extend_from_slice(b"\r\n");
        }
    }
    body.extend_from_slice(
        b"x-amz-checksum-crc32c:sOO8/Q==\r\n\
          x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
    );
    (head(&[("x-amz-decoded-content-length", "66560"), ("x-amz-trailer", "x-amz-checksum-crc32c")]), body)
}

const TRAILER_SEED: &str = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";

fn signed(headers: &HeaderMap) -> Body {
    Body::new(StatedPayload::SignedChunks { trailer: false }, headers, Some(chain(SEED))).expect("a head")
}

fn with_trailer(headers: &HeaderMap) -> Body {
    Body::new(StatedPayload::SignedChunks { trailer: true }, headers, Some(chain(TRAILER_SEED))).expect("a head")
}

fn unsigned(headers: &HeaderMap) -> Result<Body, BodyError> {
    Body::new(StatedPayload::UnsignedChunks, headers, None)
}

#[test]
fn awss_examples_are_read_however_they_are_cut() {
    for piece in [1, 7, 4096, 100_000] {
        let (headers, body) = signed_example();
        let (plain, finished) = read(signed(&headers), &body, piece).expect("signed");
        assert_eq!((plain.len(), finished.length), (66560, 66560));
        assert!(plain.iter().all(|byte| *byte == b'a'));
        let (headers, body) = trailer_example();
        let (plain, finished) = read(with_trailer(&headers), &body, piece).expect("signed");
        assert_eq!((plain.len(), finished.given), (66560, Some(Algorithm::Crc32c)));
        assert_eq!(finished.base64(Algorithm::Crc32c).as_deref(), Some("sOO8/Q=="));
    }
}

#[test]
fn a_trailer_is_read_as_minio_and_aws_write_it() {
    // minio-go ends the checksum's line with a line feed and has an empty line before the signature.
    let (headers, body) = trailer_example();
    let text = String::from_utf8(body).expect("ASCII");
    let minio = text.replace("sOO8/Q==\r\n", "sOO8/Q==\n\r\n");
    assert!(read(with_trailer(&headers), minio.as_bytes(), 50).is_ok());
    let headers = head(&[("x-amz-decoded-content-length", "5"), ("x-amz-trailer", "x-amz-checksum-crc32")]);
    for end in [
        "x-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        "x-amz-checksum-crc32:NhCmhg==\n\r\n\r\n",
        "X-Amz-Checksum-Crc32: NhCmhg== \r\n\r\n",
    ] {
        let body = format!("5\r\nhello\r\n0\r\n{end}");
        let (plain, finished) = read(unsigned(&headers).expect("a head"), body.as_bytes(), 3).expect("right");
        assert_eq!((plain.as_slice(), finished.given), (b"hello".as_slice(), Some(Algorithm::Crc32)));
    }
}

#[test]
fn every_changed_byte_of_a_signed_body_is_noticed() {
    let (headers, body) = trailer_example();
    // Every byte outside the long runs of data, and some of them.
    let places = (0..200).chain(65_500..65_800).chain(66_600..body.len()).chain([1000, 30_000]);
    for at in places {
        let mut changed = body.clone();
        changed[at] ^= 1;
        // The case of a hexadecimal digit and of a header's name is free, and no bit of it was flipped here.
        let result = read(with_trailer(&headers), &changed, 100_000);
        assert!(result.is_err(), "byte {at}: {:?} for {:?}", char::from(changed[at]), char::from(body[at]));
    }
    for length in (0..body.len()).step_by(97).chain(66_600..body.len() - 1) {
        assert!(read(with_trailer(&headers), &body[..length], 100_000).is_err(), "cut at {length}");
    }
}

#[test]
fn chunks_in_another_order_or_left_out_are_refused() {
    let (headers, body) = signed_example();
    let first = 65536 + "10000;chunk-signature=".len() + 64 + 4;
    let second = 1024 + "400;chunk-signature=".len() + 64 + 4;
    let (head_chunk, rest) = body.split_at(first);
    let (second_chunk, last) = rest.split_at(second);
    let swapped = [second_chunk, head_chunk, last].concat();
    assert_eq!(read(signed(&headers), &swapped, 100_000).err(), Some(BodyError::Signature));
    let shorter = [head_chunk, last].concat();
    assert_eq!(read(signed(&headers), &shorter, 100_000).err(), Some(BodyError::Signature));
    let twice = [head_chunk, head_chunk, last].concat();
    assert!(read(signed(&headers), &twice, 100_000).is_err());
    // The end is signed too: nothing can be cut off.
    assert_eq!(read(signed(&headers), head_chunk, 100_000).err(), Some(BodyError::Incomplete));
    assert_eq!(read(signed(&headers), b"0\r\n\r\n", 100_000).err(), Some(BodyError::Signature));
    assert!(matches!(
        Body::new(StatedPayload::SignedChunks { trailer: false }, &headers, None),
        Err(BodyError::Unchained)
    ));
}

#[test]
fn what_is_wrong_between_chunks_or_behind_them_is_refused_with_its_own_fault() {
    let plain = [("x-amz-decoded-content-length", "5")];
    let crc = [("x-amz-decoded-content-length", "5"), ("x-amz-trailer", "x-amz-checksum-crc32")];
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(300));
    let many = format!("5\r\nhello\r\n0\r\n{}\r\n", "x-amz-checksum-crc32:NhCmhg==\r\n".repeat(20));
    for (fields, body, code) in [
        (&plain[..], "5\r\nhello\r\n0\r\n\r\n", ""),
        (&plain, "5\r\nhello\r\n0\r\n\r\n\r\n", ""),
        (&plain, "5\r\nhello\r\n0\r\n\r\nx", "IncompleteBody"),
        (&plain, "5\r\nhello\r\n0\r\n\r\n\r\n\r\n", "IncompleteBody"),
        (&plain, "5\r\nhello\r\n0\r\n", "IncompleteBody"),
        (&plain, "5\r\nhello", "IncompleteBody"),
        (&plain, "", "IncompleteBody"),
        (&plain, "4\r\nhell\r\n0\r\n\r\n", "IncompleteBody"),
        (&plain, "6\r\nhello!\r\n0\r\n\r\n", "IncompleteBody"),
        (&plain, "5\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (&plain, "5\r\nhello\n0\r\n\r\n", "IncompleteBody"),
        (&plain, "5\r\nhelloX0\r\n\r\n", "IncompleteBody"),
        (&plain, "+5\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (&plain, "0x5\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (&plain, "\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (&plain, "10000000000000005\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (&plain, "ffffffffffffffff\r\nhello!", "IncompleteBody"),
        (&plain, "5;chunk-signature=00\r\nhello\r\n0\r\n\r\n", "IncompleteBody"),
        (&plain, long.as_str(), "IncompleteBody"),
        (&plain, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "MalformedTrailerError"),
        (&crc, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", ""),
        (&crc, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhw==\r\n\r\n", "BadDigest"),
        (&crc, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:!\r\n\r\n", "InvalidRequest"),
        (&crc, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:NhCmhg==\r\n\r\n", "MalformedTrailerError"),
        (&crc, "5\r\nhello\r\n0\r\nx-amz-meta-a:1\r\n\r\n", "MalformedTrailerError"),
        (&crc, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32\r\n\r\n", "MalformedTrailerError"),
        (&crc, "5\r\nhello\r\n0\r\n\r\n", "MalformedTrailerError"),
        (&crc, many.as_str(), "MalformedTrailerError"),
        (&crc, "5\r\nhello\r\n0\r\nx-amz-trailer-signature:00\r\n\r\n", "MalformedTrailerError"),
    ] {
        for piece in [1, 1000] {
            let result = read(unsigned(&head(fields)).expect("a head"), body.as_bytes(), piece);
            let found = result.err().map(|error| error.fault().code).unwrap_or_default();
            assert_eq!(found, code, "{body:?}");
        }
    }
}

#[test]
fn a_head_that_contradicts_itself_is_refused() {
    let length = ("x-amz-decoded-content-length", "5");
    for (fields, code) in [
        (vec![], "MissingContentLength"),
        (vec![("x-amz-decoded-content-length", "-5")], "InvalidArgument"),
        (vec![("x-amz-decoded-content-length", "99999999999999999999")], "InvalidArgument"),
        (vec![length, ("x-amz-trailer", "x-amz-meta-a")], "InvalidRequest"),
        (vec![length, ("x-amz-trailer", "x-amz-checksum-crc32,x-amz-checksum-sha1")], "InvalidRequest"),
        (
            vec![length, ("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-checksum-crc32", "NhCmhg==")],
            "InvalidRequest",
        ),
        (
            vec![length, ("x-amz-checksum-crc32", "NhCmhg==="), ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")],
            "InvalidRequest",
        ),
        (vec![length, ("x-amz-checksum-sha1", "NhCmhg==")], "InvalidRequest"),
        (vec![length, ("content-md5", "NhCmhg==")], "InvalidDigest"),
        (vec![length, ("x-amz-checksum-crc16", "NhCmhg==")], "NotImplemented"),
    ] {
        let found = unsigned(&head(&fields)).err().map(|error| error.fault().code);
        assert_eq!(found, Some(code), "{fields:?}");
    }
    let settings = [length, ("x-amz-checksum-type", "FULL_OBJECT"), ("x-amz-checksum-mode", "ENABLED")];
    assert!(unsigned(&head(&settings)).is_ok());
    let headers = head(&[("x-amz-trailer", "x-amz-checksum-crc32")]);
    assert_eq!(Body::new(StatedPayload::Unsigned, &headers, None).err(), Some(BodyError::Trailer));
}

#[test]
fn digests_of_a_plain_body_are_checked_at_its_end() {
    // From Python's hashlib and zlib, and botocore's awscrt for the others.
    let right = [
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("x-amz-checksum-crc32c", "mnG7TA=="),
        ("x-amz-checksum-crc64nvme", "M3eFcAZSQlc="),
        ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
        ("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
    ];
    let hash = crypto::sha256(b"hello");
    for (name, value) in right {
        let headers = head(&[(name, value)]);
        for (text, fits) in [(b"hello", true), (b"hallo", false)] {
            let body = Body::new(StatedPayload::Unsigned, &headers, None).expect("a head");
            let result = read(body, text, 2);
            assert_eq!(result.is_ok(), fits, "{name}");
            if let Err(error) = result {
                assert_eq!(error.fault().code, "BadDigest");
            }
        }
    }
    let body = Body::new(StatedPayload::Hash(hash), &HeaderMap::new(), None).expect("a head");
    let (plain, finished) = read(body, b"hello", 2).expect("right");
    assert_eq!((plain.as_slice(), finished.given), (b"hello".as_slice(), None));
    let body = Body::new(StatedPayload::Hash(hash), &HeaderMap::new(), None).expect("a head");
    let fault = read(body, b"hallo", 2).expect_err("another").fault();
    assert_eq!(fault.code, "XAmzContentSHA256Mismatch");
    let mut body = Body::new(StatedPayload::Unsigned, &HeaderMap::new(), None).expect("a head");
    body.compute(Algorithm::Crc64Nvme);
    let (_, finished) = read(body, b"hello", 2).expect("nothing to check");
    assert_eq!(finished.base64(Algorithm::Crc64Nvme).as_deref(), Some("M3eFcAZSQlc="));
    assert_eq!(finished.base64(Algorithm::Sha1), None);
}

#[test]
fn every_algorithm_has_its_published_check_value() {
    // The check values of the catalogue of CRCs; the others from Python's hashlib and the reference code of XXHASH.
    for (algorithm, expect) in [
        (Algorithm::Crc32, "cbf43926"),
        (Algorithm::Crc32c, "e3069283"),
        (Algorithm::Crc64Nvme, "ae8b14860a799888"),
        (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        (
            Algorithm::Sha512,
            "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274a\
             d27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85",
        ),
        (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
        (Algorithm::XxHash64, "8cb841db40e6ae83"),
        (Algorithm::XxHash3, "72dcb18b67a17dff"),
        (Algorithm::XxHash128, "33119477ede5dcd5e9716427681d5860"),
    ] {
        let mut running = Running::new(algorithm);
        b"123456789".chunks(4).for_each(|bytes| running.update(bytes));
        let digest = running.finish();
        assert_eq!(crypto::hex::encode(&digest), expect, "{}", algorithm.name());
        assert_eq!(digest.len(), algorithm.length());
        assert_eq!(Algorithm::of_header(algorithm.header()), Some(algorithm));
        assert_eq!(Algorithm::of_name(algorithm.name()), Some(algorithm));
    }
    let parts = [b"\xf7".as_slice(), b"\xc3".as_slice()];
    assert_eq!(composite(Algorithm::Crc32, parts), composite(Algorithm::Crc32, [b"\xf7\xc3".as_slice()]));
}

proptest! {
    #[test]
    fn the_checksum_of_a_whole_follows_from_those_of_its_parts(
        first in prop::collection::vec(any::<u8>(), 0..300),
        second in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let digest = |bytes: &[u8]| {
                let mut running = Running::new(algorithm);
                running.update(bytes);
                running.finish()
            };
            let whole = digest(&[first.clone(), second.clone()].concat());
            let combined = combine(algorithm, &digest(&first), &digest(&second), second.len() as u64);
            prop_assert_eq!(combined, Some(whole));
        }
        prop_assert_eq!(combine(Algorithm::Sha1, &[0; 20], &[0; 20], 1), None);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic_or_let_more_through_than_was_said(
        body in prop::collection::vec(any::<u8>(), 0..200),
        text in "(0|1|5|a|\r\n|;chunk-signature=|hello|x-amz-checksum-crc32:|\n){0,30}",
        piece in 1..50usize,
    ) {
        let headers = head(&[("x-amz-decoded-content-length", "5"), ("x-amz-trailer", "x-amz-checksum-crc32")]);
        for bytes in [body.as_slice(), text.as_bytes()] {
            if let Ok((plain, _)) = read(unsigned(&headers).expect("a head"), bytes, piece) {
                prop_assert_eq!(plain.len(), 5);
            }
            let (headers, _) = signed_example();
            prop_assert!(read(signed(&headers), bytes, piece).is_err());
        }
    }
}

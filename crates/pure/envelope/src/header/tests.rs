use super::*;

fn header(suite: AlgorithmSuite, framing: Framing) -> Header {
    Header {
        suite,
        message_id: vec![7; if suite.format_version() == 1 { 16 } else { 32 }],
        context: EncryptionContext::from([("a", "b")]),
        encrypted_data_keys: vec![
            EncryptedDataKey {
                provider_id: "p".to_owned(),
                provider_info: b"info".to_vec(),
                ciphertext: vec![1, 2, 3],
            },
            EncryptedDataKey { provider_id: "q".to_owned(), provider_info: Vec::new(), ciphertext: vec![0; 300] },
        ],
        framing,
        commitment: suite.commits().then_some([9; 32]),
    }
}

fn framed() -> Framing {
    Framing::Framed(NonZeroU32::new(4096).unwrap())
}

/// The header with a nonce where it has one, and a tag.
fn whole(header: &Header) -> Vec<u8> {
    let mut bytes = header.serialize().unwrap();
    if header.suite.format_version() == 1 {
        bytes.extend_from_slice(&[5; NONCE_LENGTH]);
    }
    bytes.extend_from_slice(&[6; TAG_LENGTH]);
    bytes
}

#[test]
fn every_suite_and_framing_reads_back() {
    for suite in AlgorithmSuite::ALL {
        for framing in [framed(), Framing::Unframed] {
            let header = header(suite, framing);
            let bytes = whole(&header);
            let parsed = parse(&[&bytes[..], b"body"].concat(), None).unwrap().unwrap();
            assert_eq!(parsed.header, header);
            assert_eq!(parsed.bytes, bytes.len());
            assert_eq!(&bytes[..parsed.authenticated_bytes], header.serialize().unwrap());
            assert_eq!(parsed.tag, [6; 16]);
            assert_eq!(parsed.nonce, if suite.format_version() == 1 { [5; 12] } else { [0; 12] });
            assert_eq!(Header::inspect(&bytes[..]).unwrap(), header);
        }
    }
}

#[test]
fn a_header_cut_anywhere_asks_for_more() {
    for suite in [AlgorithmSuite::Aes128Gcm, AlgorithmSuite::Aes256GcmHkdfSha512CommitKey] {
        let bytes = whole(&header(suite, framed()));
        for end in 0..bytes.len() {
            assert!(parse(&bytes[..end], None).unwrap().is_none(), "cut at {end}");
            assert!(matches!(Header::inspect(&bytes[..end]), Err(Error::Truncated { part: Part::Header })));
        }
    }
}

#[test]
fn malformed_headers_are_refused_with_the_reason() {
    // Offsets into a version 1 header: version 0, type 1, suite 2, message 4, context 20 (2 + 8 bytes), data keys 30,
    // content type, reserved, IV length and frame length at the end of the authenticated part.
    let good = whole(&header(AlgorithmSuite::Aes256GcmHkdfSha256, framed()));
    let end = good.len() - NONCE_LENGTH - TAG_LENGTH;
    let cases: [(usize, &[u8], &str); 14] = [
        (0, &[3], "the message format has the unknown version 3"),
        (0, b"AYA", "the message is Base64 text; decode it first"),
        (0, b"AgV", "the message is Base64 text; decode it first"),
        (1, &[0x81], "the message type is malformed: it is not 80"),
        (2, &[0xff, 0xff], "the message names the unknown algorithm suite ffff"),
        (2, &[0x05, 0x78], "the algorithm suite is malformed: it belongs to the other version of the format"),
        (22, &[0, 2], "the encryption context is malformed: an entry is cut short"),
        (30, &[0, 0], "the list of encrypted data keys is malformed: it is empty"),
        (34, &[0xff], "the key provider is malformed: it is not UTF-8"),
        (end - 10, &[3], "the content type is malformed: it is neither 1 nor 2"),
        (end - 10, &[1], "the frame length is malformed: it is not zero in a message without frames"),
        (end - 9, &[1], "the reserved field is malformed: it is not zero"),
        (end - 5, &[16], "the IV length is malformed: it is not 12"),
        (end - 4, &[0, 0, 0, 0], "the frame length is malformed: it is zero"),
    ];
    for (at, patch, expected) in cases {
        let mut bytes = good.clone();
        bytes[at..at + patch.len()].copy_from_slice(patch);
        assert_eq!(parse(&bytes, None).unwrap_err().to_string(), expected, "at {at}");
    }
}

#[test]
fn the_number_of_data_keys_is_bounded_before_they_are_read() {
    let bytes = whole(&header(AlgorithmSuite::Aes256GcmHkdfSha256, framed()));
    assert!(parse(&bytes, Some(2)).unwrap().is_some());
    assert!(matches!(parse(&bytes[..32], Some(1)), Err(Error::TooManyDataKeys { count: 2, max: 1 })));
}

#[test]
fn an_endless_header_is_refused() {
    let mut bytes = whole(&header(AlgorithmSuite::Aes256GcmHkdfSha256, framed()))[..30].to_vec();
    bytes.extend_from_slice(&[0xff, 0xff]);
    let refused = Header::inspect(bytes.chain(std::io::repeat(0x20)));
    assert!(matches!(refused, Err(Error::HeaderTooLong { max: LENGTH_MAX })), "{refused:?}");
}

#[test]
fn fields_that_do_not_fit_are_refused() {
    let mut long = header(AlgorithmSuite::Aes256GcmHkdfSha256, framed());
    long.encrypted_data_keys[0].ciphertext = vec![0; 65_536];
    assert!(matches!(long.serialize(), Err(Error::DataKeyTooLong { bytes: 65_536 })));
    long.encrypted_data_keys = vec![long.encrypted_data_keys[1].clone(); 65_536];
    assert!(matches!(long.serialize(), Err(Error::TooManyDataKeys { count: 65_536, .. })));
}

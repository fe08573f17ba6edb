//! Messages that were changed, cut or put together anew, in every way of decrypting; and what the settings refuse.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::io::{Cursor, Read};
use std::num::NonZeroU32;

use common::{Memory, keyring, plaintext};
use envelope::{
    AlgorithmSuite, Bytes, CommitmentPolicy, Decryption, Encryption, Error, Framing, Inspection, KeyFailureReason,
    MultiKeyring, Part, RawAesKeyring, RequiredContext,
};

const UNSIGNED: AlgorithmSuite = AlgorithmSuite::Aes256GcmHkdfSha512CommitKey;
const SIGNED: AlgorithmSuite = AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384;

/// Frames of the messages here, in bytes, and what each takes.
const FRAME: usize = 10;
const STRIDE: usize = FRAME + 32;

fn sealed(suite: AlgorithmSuite, length: usize) -> Vec<u8> {
    let keyring = keyring();
    let policy = match suite.format_version() {
        1 => CommitmentPolicy::ForbidEncryptAllowDecrypt,
        _ => CommitmentPolicy::RequireEncryptRequireDecrypt,
    };
    let encryption = Encryption::new(&keyring).suite(suite).commitment_policy(policy);
    encryption.frame_length(NonZeroU32::new(10).unwrap()).encrypt(&plaintext(length)).unwrap()
}

/// Where the body of a message begins.
fn body_of(message: &[u8], length: usize, suite: AlgorithmSuite) -> usize {
    let frames = length.saturating_sub(1) / FRAME;
    let footer = if suite.signs() { 105 } else { 0 };
    message.len() - footer - (length - frames * FRAME + 40) - frames * STRIDE
}

/// The refusals of every way of decrypting. None may have released anything of a signed message.
fn refusals(message: &[u8]) -> Vec<Error> {
    let keyring = keyring();
    let decryption = Decryption::new(&keyring).commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt);
    let mut found = vec![decryption.decrypt(message).expect_err("it is refused")];
    let mut released = Vec::new();
    found.push(decryption.decrypt_seekable(Cursor::new(message), &mut released).expect_err("it is refused"));
    let signed = decryption.unverified_reader(message).is_ok_and(|reader| reader.opened().header.suite().signs());
    assert!(!signed || released.is_empty(), "a signed message is verified first");
    let mut released = Vec::new();
    found.push(decryption.decrypt_spooled(message, Cursor::new(Vec::new()), &mut released).expect_err("it is refused"));
    assert!(!signed || released.is_empty(), "a signed message is verified first");
    for threads in [1, 3] {
        let decryption = decryption.clone().threads(threads);
        let refused = decryption.decrypt_at(&Bytes(message), message.len() as u64, &Memory::default());
        found.push(refused.expect_err("it is refused"));
    }
    let mut unverified = Vec::new();
    found.push(decryption.decrypt_stream_unverified(message, &mut unverified).expect_err("it is refused"));
    found
}

/// Every way refuses with one of the expected outcomes.
fn refused(message: &[u8], what: &str, expected: impl Fn(&Error) -> bool) {
    for error in refusals(message) {
        assert!(expected(&error), "{what}: {error:?}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for suite in [UNSIGNED, SIGNED, AlgorithmSuite::Aes128Gcm] {
        let message = sealed(suite, 25);
        let body = body_of(&message, 25, suite);
        for at in 0..message.len() {
            let mut changed = message.clone();
            changed[at] ^= 1 << (at % 8);
            let what = format!("{suite} byte {at} of {}, body at {body}", message.len());
            refused(&changed, &what, |error| match error {
                Error::FrameNotAuthentic { .. } | Error::FrameOrder { .. } | Error::SignatureNotAuthentic => at >= body,
                Error::Truncated { part: Part::Body | Part::Footer } | Error::TrailingBytes => at >= body,
                Error::Malformed { field: "final frame", .. } => at >= body,
                _ => at < body,
            });
        }
    }
}

#[test]
fn messages_without_frames_are_refused_when_they_were_changed_or_cut() {
    for suite in [UNSIGNED, SIGNED, AlgorithmSuite::Aes128Gcm] {
        let keyring = keyring();
        let policy = match suite.format_version() {
            1 => CommitmentPolicy::ForbidEncryptAllowDecrypt,
            _ => CommitmentPolicy::RequireEncryptRequireDecrypt,
        };
        let encryption = Encryption::new(&keyring).suite(suite).commitment_policy(policy).unframed();
        let message = encryption.encrypt(&plaintext(25)).unwrap();
        let body = message.len() - if suite.signs() { 105 } else { 0 } - 25 - 36;
        for at in 0..message.len() {
            let mut changed = message.clone();
            changed[at] ^= 1 << (at % 8);
            refused(&changed, &format!("{suite} byte {at}, body at {body}"), |error| match error {
                Error::FrameNotAuthentic { sequence: 1 } | Error::FrameTooLong { .. } => at >= body,
                Error::Truncated { part: Part::Body | Part::Footer } | Error::TrailingBytes => at >= body,
                Error::SignatureNotAuthentic => at >= body,
                _ => at < body,
            });
        }
        for end in 0..message.len() {
            refused(&message[..end], &format!("{suite} cut at {end}"), |error| {
                matches!(error, Error::Truncated { .. })
            });
        }
        let longer = [&message[..], b"!"].concat();
        refused(&longer, "a byte more", |error| matches!(error, Error::TrailingBytes));
    }
}

#[test]
fn every_truncation_is_refused_as_one() {
    for suite in [UNSIGNED, SIGNED, AlgorithmSuite::Aes256GcmHkdfSha256] {
        let message = sealed(suite, 25);
        for end in 0..message.len() {
            refused(&message[..end], &format!("{suite} cut at {end}"), |error| {
                matches!(error, Error::Truncated { .. })
            });
        }
    }
}

#[test]
fn an_inspection_finds_what_is_cut_off_or_follows() {
    let keyring = keyring();
    for suite in [UNSIGNED, SIGNED] {
        let encryption = Encryption::new(&keyring).suite(suite).frame_length(NonZeroU32::new(10).unwrap());
        for message in [encryption.encrypt(&plaintext(35)).unwrap(), encryption.unframed().encrypt(b"x").unwrap()] {
            let inspect = |bytes: &[u8]| Inspection::of(&Bytes(bytes), bytes.len() as u64);
            let inspected = inspect(&message).unwrap();
            let framed = inspected.header.framing() != Framing::Unframed;
            assert_eq!((inspected.plaintext_bytes, inspected.frames), if framed { (35, 4) } else { (1, 0) });
            for end in 0..message.len() {
                assert!(matches!(inspect(&message[..end]), Err(Error::Truncated { .. })), "cut at {end}");
            }
            assert!(matches!(inspect(&[&message[..], b"!"].concat()), Err(Error::TrailingBytes)));
        }
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    for suite in [UNSIGNED, SIGNED] {
        let message = sealed(suite, 25);
        for count in [1, 40, STRIDE, 200] {
            let longer = [&message[..], &vec![0; count]].concat();
            refused(&longer, &format!("{count} bytes more"), |error| matches!(error, Error::TrailingBytes));
        }
        let twice = [&message[..], &message].concat();
        refused(&twice, "the message twice", |error| matches!(error, Error::TrailingBytes));
    }
}

#[test]
fn frames_that_were_moved_are_refused() {
    let message = sealed(UNSIGNED, 35);
    let body = body_of(&message, 35, UNSIGNED);
    let (header, frames) = message.split_at(body);
    let frame = |index: usize| &frames[index * STRIDE..(index + 1) * STRIDE];
    let last = &frames[3 * STRIDE..];
    let other = sealed(UNSIGNED, 35);
    let other = &other[body..];

    let order = |expected, found| move |error: &Error| matches!(error, Error::FrameOrder { expected: e, found: f } if (*e, *f) == (expected, found));
    let swapped = [header, frame(1), frame(0), frame(2), last].concat();
    for error in refusals(&swapped) {
        assert!(order(1, 2)(&error) || order(2, 1)(&error), "{error:?}");
    }
    refused(&[header, frame(0), frame(2), last].concat(), "one left out", |error| {
        matches!(error, Error::FrameOrder { expected: 2 | 3, found: 3 | 4 })
    });
    refused(&[header, frame(0), frame(0), frame(1), frame(2), last].concat(), "one twice", |error| {
        matches!(error, Error::FrameOrder { .. })
    });
    let foreign = [header, frame(0), &other[STRIDE..2 * STRIDE], frame(2), last].concat();
    refused(&foreign, "one of another message", |error| matches!(error, Error::FrameNotAuthentic { sequence: 2 }));
    refused(&[header, other].concat(), "another body", |error| matches!(error, Error::FrameNotAuthentic { .. }));
    refused(&[header, last].concat(), "only the last", |error| {
        matches!(error, Error::FrameOrder { expected: 1, found: 4 })
    });
    // A regular frame dressed up as the final one: its tag says otherwise.
    let mut dressed = [header, &[0xff; 4], &frame(0)[..16], &10_u32.to_be_bytes(), &frame(0)[16..]].concat();
    refused(&dressed, "a regular frame as the final one", |error| {
        matches!(error, Error::FrameNotAuthentic { sequence: 1 })
    });
    // A final frame that claims to be longer than the others.
    dressed[body + 20..body + 24].copy_from_slice(&11_u32.to_be_bytes());
    refused(&dressed, "a long final frame", |error| {
        matches!(error, Error::Malformed { field: "final frame", reason: "it is longer than the others" })
    });
}

#[test]
fn an_unverified_reader_keeps_the_last_frame_back_and_stays_refused() {
    let mut message = sealed(SIGNED, 25);
    *message.last_mut().unwrap() ^= 1;
    let keyring = keyring();
    let mut reader = Decryption::new(&keyring).unverified_reader(&message[..]).unwrap();
    let mut released = Vec::new();
    assert!(reader.read_to_end(&mut released).is_err());
    assert!(released.len() <= 20, "{}", released.len());
    assert!(reader.read(&mut [0; 100]).is_err());
}

/// Yields one byte at a time, and an interruption before each.
struct Dripping<'a>(&'a [u8], bool);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

/// Would block now and then.
struct Blocking<'a>(&'a [u8], usize);

impl Read for Blocking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(3) {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(7);
        self.0.read(&mut buffer[..count])
    }
}

#[test]
fn slow_and_interrupted_sources_lose_nothing() {
    let keyring = keyring();
    for suite in [UNSIGNED, SIGNED] {
        let message = sealed(suite, 95);
        let mut released = Vec::new();
        Decryption::new(&keyring).decrypt_stream_unverified(Dripping(&message, false), &mut released).unwrap();
        assert_eq!(released, plaintext(95));

        // The header is read at once, so the source blocks after it only.
        let (header, body) = message.split_at(body_of(&message, 95, suite));
        let mut reader = Decryption::new(&keyring).unverified_reader(header.chain(Blocking(body, 0))).unwrap();
        let mut released = Vec::new();
        let mut buffer = [0; 9];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => released.extend_from_slice(&buffer[..read]),
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            }
        }
        assert_eq!(released, plaintext(95));
    }
}

#[test]
fn a_source_that_changes_between_the_passes_is_refused() {
    struct Changing(Cursor<Vec<u8>>, usize);
    impl Read for Changing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(buffer)
        }
    }
    impl std::io::Seek for Changing {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.1 += 1;
            if self.1 == 3 {
                // An unused bit of the signature, which decrypts as well.
                *self.0.get_mut().last_mut().unwrap() ^= 1;
            }
            self.0.seek(to)
        }
    }
    let keyring = keyring();
    let message = sealed(SIGNED, 25);
    let mut released = Vec::new();
    let source = Changing(Cursor::new(message), 0);
    let refused = Decryption::new(&keyring).decrypt_seekable(source, &mut released).unwrap_err();
    assert!(refused.to_string().contains("changed while it was read"), "{refused}");
    assert!(released.is_empty());
}

#[test]
fn the_commitment_policy_holds_both_ways() {
    use CommitmentPolicy::*;
    let keyring = keyring();
    let old = AlgorithmSuite::Aes256GcmHkdfSha256;
    let cases =
        [(ForbidEncryptAllowDecrypt, UNSIGNED), (RequireEncryptAllowDecrypt, old), (RequireEncryptRequireDecrypt, old)];
    for (policy, suite) in cases {
        let refused = Encryption::new(&keyring).commitment_policy(policy).suite(suite).encrypt(b"").unwrap_err();
        assert!(matches!(refused, Error::Policy { .. }), "{refused:?}");
    }
    let refused = Decryption::new(&keyring).decrypt(&sealed(old, 1)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the commitment policy require-encrypt-require-decrypt does not allow AES_256_GCM_IV12_TAG16_HKDF_SHA256"
    );
}

#[test]
fn a_data_key_that_the_header_does_not_commit_to_is_refused() {
    let mut message = sealed(UNSIGNED, 1);
    let body = body_of(&message, 1, UNSIGNED);
    message[body - 16 - 1] ^= 1;
    assert!(matches!(refusals(&message)[0], Error::Commitment));
}

#[test]
fn bounds_are_kept() {
    let keyring = keyring();
    let two = || MultiKeyring::new(common::keyring()).with(RawAesKeyring::new("tests", "second", &[1; 16]).unwrap());
    let refused = Encryption::new(&two()).data_keys_max(1).encrypt(b"").unwrap_err();
    assert!(matches!(refused, Error::TooManyDataKeys { count: 2, max: 1 }));
    let message = Encryption::new(&two()).data_keys_max(2).encrypt(b"x").unwrap();
    let refused = Decryption::new(&keyring).data_keys_max(1).decrypt(&message).unwrap_err();
    assert!(matches!(refused, Error::TooManyDataKeys { count: 2, max: 1 }));

    let bounded = Encryption::new(&keyring).plaintext_max(10);
    assert!(bounded.encrypt(&[0; 10]).is_ok());
    assert!(matches!(bounded.encrypt(&[0; 11]), Err(Error::PlaintextTooLong { max: 10 })));
    assert!(matches!(bounded.encrypt_stream(&[0; 11][..], Vec::new()), Err(Error::PlaintextTooLong { max: 10 })));
    let at = bounded.encrypt_at(&Bytes(&[0; 11]), 11, &Memory::default());
    assert!(matches!(at, Err(Error::PlaintextTooLong { max: 10 })));

    let message = Encryption::new(&keyring).suite(UNSIGNED).unframed().encrypt(&[0; 100]).unwrap();
    let decryption = Decryption::new(&keyring).frame_bytes_max(99);
    let refused = decryption.decrypt_stream(&message[..], Vec::new()).unwrap_err();
    assert!(matches!(refused, Error::FrameTooLong { bytes: 100, max: 99 }));
    assert!(matches!(
        decryption.decrypt_range(&Bytes(&message), message.len() as u64, 0..1, Vec::new()),
        Err(Error::NotFramed)
    ));
}

/// Takes some bytes and then no more.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_failed_completes_no_message() {
    use std::io::Write as _;
    let keyring = keyring();
    let mut writer = Encryption::new(&keyring).writer(Full(10_000)).unwrap();
    assert_eq!(writer.write_all(&vec![0; 3 << 20]).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    assert!(writer.write_all(b"x").is_err());
    assert!(writer.finish().is_err());
    let mut writer = Encryption::new(&keyring).plaintext_max(5).writer(Vec::new()).unwrap();
    assert!(writer.write_all(b"123456").is_err());
    assert!(writer.finish().is_err());
}

#[test]
fn the_context_is_checked_before_anything_is_opened() {
    let keyring = keyring();
    let message = Encryption::new(&keyring).context([("a", "1"), ("b", "2")]).encrypt(b"x").unwrap();
    let decryption = || Decryption::new(&keyring);
    assert!(decryption().expect_entry("a", "1").expect_name("b").decrypt(&message).is_ok());
    assert!(decryption().context([("b", "2")]).decrypt(&message).is_ok());
    let mismatches = [decryption().expect_entry("a", "2"), decryption().context([("b", "1")])];
    for decryption in mismatches {
        assert!(matches!(decryption.decrypt(&message), Err(Error::ContextMismatch { .. })));
    }
    assert!(
        matches!(decryption().expect_name("c").decrypt(&message), Err(Error::ContextMissing { name }) if name == "c")
    );
    // An entry that the message neither stores nor was made with.
    assert!(matches!(decryption().context([("c", "3")]).decrypt(&message), Err(Error::Unwrap { .. })));
    let reserved = Encryption::new(&keyring).context([("aws-crypto-x", "1")]).encrypt(b"x");
    assert!(matches!(reserved, Err(Error::ReservedContext { name }) if name == "aws-crypto-x"));
}

#[test]
fn required_entries_are_authenticated_and_not_stored() {
    let materials = RequiredContext::new(keyring(), ["tenant"]);
    let context = [("tenant", "blue"), ("shown", "yes")];
    for suite in [UNSIGNED, SIGNED] {
        let message = Encryption::new(&materials).suite(suite).context(context).encrypt(b"x").unwrap();
        let (plaintext, opened) = Decryption::new(&materials).context([("tenant", "blue")]).decrypt(&message).unwrap();
        assert_eq!(plaintext, b"x");
        assert_eq!((opened.header.context().get("tenant"), opened.context.get("tenant")), (None, Some("blue")));
        assert_eq!(opened.header.context().get("shown"), Some("yes"));
        let refused = Decryption::new(&materials).decrypt(&message).unwrap_err();
        assert!(matches!(refused, Error::ContextMissing { name } if name == "tenant"));
        let wrong = Decryption::new(&materials).context([("tenant", "red")]).decrypt(&message).unwrap_err();
        assert!(matches!(wrong, Error::Unwrap { .. }));
    }
    let refused = Encryption::new(&materials).context([("shown", "yes")]).encrypt(b"x").unwrap_err();
    assert!(matches!(refused, Error::ContextMissing { name } if name == "tenant"));
}

#[test]
fn a_refusal_names_each_wrapping_key_and_its_reason() {
    let message = sealed(UNSIGNED, 1);
    let keys = MultiKeyring::for_decryption()
        .with(RawAesKeyring::new("tests", "aes-256", &[0; 32]).unwrap())
        .with(RawAesKeyring::new("tests", "another", &[0; 16]).unwrap());
    let refused = Decryption::new(&keys).decrypt(&message).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot decrypt: no wrapping key matched the data key, which is wrapped under tests aes-256: \
         raw AES key tests/aes-256: another key has this name, or the encryption context is another, or the data key was \
         changed; raw AES key tests/another: the message's data key is not under it"
    );
    let Error::Unwrap { failures, .. } = refused else { panic!("{refused}") };
    assert!(matches!(failures[0].reason, KeyFailureReason::NotAuthentic));
    assert!(matches!(failures[1].reason, KeyFailureReason::NotUsed));

    let key = |index: usize| RawAesKeyring::new("tests", format!("key-{index}"), &[0; 16]).unwrap();
    let many = (1..30).fold(MultiKeyring::new(key(0)), |keys, index| keys.with(key(index)));
    let message = Encryption::new(&many).encrypt(b"x").unwrap();
    let told = Decryption::new(&keyring()).decrypt(&message).unwrap_err().to_string();
    assert!(told.contains("tests key-19; and 10 more: raw AES key tests/aes-256"), "{told}");
}

#[test]
fn a_message_of_any_wrapping_key_opens_and_tells_which() {
    let (first, second) = (keyring(), RawAesKeyring::new("tests", "second", &[1; 24]).unwrap());
    let both = MultiKeyring::new(keyring()).with(RawAesKeyring::new("tests", "second", &[1; 24]).unwrap());
    let message = Encryption::new(&both).encrypt(b"x").unwrap();
    let (_, opened) = Decryption::new(&first).decrypt(&message).unwrap();
    assert_eq!((opened.data_key_index, opened.wrapping_key.as_str()), (0, "raw AES key tests/aes-256"));
    let (_, opened) = Decryption::new(&second).decrypt(&message).unwrap();
    assert_eq!((opened.data_key_index, opened.wrapping_key.as_str()), (1, "raw AES key tests/second"));
    let nobody = Encryption::new(&MultiKeyring::for_decryption()).encrypt(b"x").unwrap_err();
    assert!(matches!(nobody, Error::Wrap(_)), "{nobody}");
}

//! Every suite, framing and way of encrypting against every way of decrypting.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::io::{Cursor, Read, Write};
use std::num::NonZeroU32;

use common::{Memory, keyring, plaintext};
use envelope::{
    AlgorithmSuite, Bytes, CommitmentPolicy, Decryption, Encryption, Error, Framing, Inspection, RawAesKeyring,
};

fn encryption(keyring: &RawAesKeyring, suite: AlgorithmSuite) -> Encryption<'_> {
    let policy = match suite.format_version() {
        1 => CommitmentPolicy::ForbidEncryptAllowDecrypt,
        _ => CommitmentPolicy::RequireEncryptRequireDecrypt,
    };
    Encryption::new(keyring).suite(suite).commitment_policy(policy).context([("purpose", "test"), ("größe", "ünïcode")])
}

fn decryption(keyring: &RawAesKeyring) -> Decryption<'_> {
    Decryption::new(keyring).commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt)
}

fn frames(length: u32) -> NonZeroU32 {
    NonZeroU32::new(length).unwrap()
}

/// The message made in every way there is; all have the same length.
fn sealed_every_way(encryption: &Encryption<'_>, plaintext: &[u8]) -> Vec<Vec<u8>> {
    let whole = encryption.encrypt(plaintext).unwrap();
    let mut streamed = Vec::new();
    let sealed = encryption.encrypt_stream(plaintext, &mut streamed).unwrap();
    assert_eq!((sealed.plaintext_bytes, sealed.message_bytes), (plaintext.len() as u64, streamed.len() as u64));
    let mut writer = encryption.writer(Vec::new()).unwrap();
    for piece in plaintext.chunks(1000) {
        writer.write_all(piece).unwrap();
    }
    let (written, _) = writer.finish().unwrap();
    let mut messages = vec![whole, streamed, written];
    for threads in [1, 3] {
        let memory = Memory::default();
        let encryption = encryption.clone().threads(threads);
        let sealed = encryption.encrypt_at(&Bytes(plaintext), plaintext.len() as u64, &memory).unwrap();
        let message = memory.into_bytes();
        assert_eq!((sealed.plaintext_bytes, sealed.message_bytes), (plaintext.len() as u64, message.len() as u64));
        messages.push(message);
    }
    assert!(messages.iter().all(|message| message.len() == messages[0].len()));
    messages
}

fn opens_every_way(decryption: &Decryption<'_>, message: &[u8], expected: &[u8]) {
    let same = |plaintext: &[u8]| assert!(plaintext == expected, "{} bytes for {}", plaintext.len(), expected.len());
    let (plaintext, opened) = decryption.decrypt(message).unwrap();
    same(&plaintext);
    assert_eq!(opened.context.get("größe"), Some("ünïcode"));
    let signed = opened.header.suite().signs();

    let mut plaintext = Vec::new();
    decryption.unverified_reader(message).unwrap().read_to_end(&mut plaintext).unwrap();
    same(&plaintext);
    match decryption.reader(message) {
        Ok(mut reader) => {
            assert!(!signed);
            let mut plaintext = Vec::new();
            reader.read_to_end(&mut plaintext).unwrap();
            same(&plaintext);
        }
        Err(error) => assert!(signed && matches!(error, Error::Signed), "{error}"),
    }
    let opening = common::wait(decryption.begin(message)).unwrap().unwrap();
    assert!(common::wait(decryption.begin(&message[..opening.body_offset() - 1])).unwrap().is_none());
    let body = &message[opening.body_offset()..];
    same(&opening.open(body).unwrap().0);
    let inspected = Inspection::of(&Bytes(message), message.len() as u64).unwrap();
    assert_eq!(inspected.header, opened.header);
    assert_eq!((inspected.plaintext_bytes, inspected.signature_bytes > 0), (expected.len() as u64, signed));

    let mut plaintext = Vec::new();
    decryption.decrypt_seekable(Cursor::new(message), &mut plaintext).unwrap();
    same(&plaintext);
    let mut plaintext = Vec::new();
    decryption.decrypt_spooled(message, Cursor::new(Vec::new()), &mut plaintext).unwrap();
    same(&plaintext);
    for threads in [1, 3] {
        let memory = Memory::default();
        decryption.clone().threads(threads).decrypt_at(&Bytes(message), message.len() as u64, &memory).unwrap();
        same(&memory.into_bytes());
    }
}

#[test]
fn every_suite_in_every_way() {
    let keyring = keyring();
    for suite in AlgorithmSuite::ALL {
        for length in [0, 1, 4095, 4096, 4097, 8192] {
            let plaintext = plaintext(length);
            for message in sealed_every_way(&encryption(&keyring, suite), &plaintext) {
                opens_every_way(&decryption(&keyring), &message, &plaintext);
            }
        }
        let plaintext = plaintext(5000);
        for message in sealed_every_way(&encryption(&keyring, suite).unframed(), &plaintext) {
            opens_every_way(&decryption(&keyring), &message, &plaintext);
            assert_eq!(decryption(&keyring).decrypt(&message).unwrap().1.header.framing(), Framing::Unframed);
        }
    }
}

#[test]
fn every_frame_length_in_every_way() {
    let keyring = keyring();
    let suites = [AlgorithmSuite::Aes256GcmHkdfSha512CommitKey, AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384];
    for suite in suites {
        for (frame_length, length) in [
            (1, 300),
            (7, 5000),
            (8192, (1 << 20) + 5),
            (1 << 20, (1 << 20) + 1),
            ((1 << 20) + 1, 3 << 20),
            (u32::MAX, 70_000),
        ] {
            let plaintext = plaintext(length);
            let encryption = encryption(&keyring, suite).frame_length(frames(frame_length));
            for message in sealed_every_way(&encryption, &plaintext) {
                opens_every_way(&decryption(&keyring), &message, &plaintext);
            }
        }
    }
}

#[test]
fn the_length_of_a_message_is_known_before_it_is_sealed() {
    let keyring = keyring();
    for suite in AlgorithmSuite::ALL {
        for length in [0, 4096, 100_000] {
            let encryption = encryption(&keyring, suite);
            let future = std::pin::pin!(encryption.begin(Some(length)));
            let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
            let std::task::Poll::Ready(sealing) = future.poll(context) else { panic!("raw keys are ready at once") };
            let sealing = sealing.unwrap();
            let expected = sealing.message_bytes(length).unwrap();
            assert_eq!(sealing.seal(&plaintext(usize::try_from(length).unwrap())).unwrap().len() as u64, expected);
        }
    }
}

#[test]
fn ranges_are_what_the_whole_has_there() {
    let keyring = keyring();
    let plaintext = plaintext(100_003);
    for frame_length in [100, 4096, 1 << 20] {
        for (suite, signed) in [
            (AlgorithmSuite::Aes256GcmHkdfSha512CommitKey, false),
            (AlgorithmSuite::Aes128GcmHkdfSha256EcdsaP256, true),
            (AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384, true),
        ] {
            let message = encryption(&keyring, suite).frame_length(frames(frame_length)).encrypt(&plaintext).unwrap();
            let (source, length) = (Bytes(&message), message.len() as u64);
            let decryption = decryption(&keyring);
            assert_eq!(decryption.plaintext_bytes(&source, length).unwrap().0, 100_003);
            for (from, to) in [
                (0, 0),
                (0, 1),
                (99, 101),
                (4095, 4097),
                (50_000, 90_000),
                (100_002, 100_003),
                (0, 200_000),
                (100_003, 100_009),
            ] {
                let mut range = Vec::new();
                decryption.decrypt_range_unverified(&source, length, from..to, &mut range).unwrap();
                let end = usize::try_from(to).unwrap().min(plaintext.len());
                assert!(range == plaintext[usize::try_from(from).unwrap().min(end)..end], "{from}..{to}");
                let refused = decryption.decrypt_range(&source, length, from..to, Vec::new()).err();
                assert_eq!(matches!(refused, Some(Error::Signed)), signed);
            }
        }
    }
}

/// Counts the bytes that are read.
struct Counting<'a>(Bytes<'a>, std::sync::atomic::AtomicUsize);

impl envelope::ReadAt for Counting<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.1.fetch_add(buffer.len(), std::sync::atomic::Ordering::Relaxed);
        self.0.read_at(buffer, offset)
    }
}

#[test]
fn a_range_reads_the_header_and_its_frames_only() {
    let keyring = keyring();
    let plaintext = plaintext(3 << 20);
    let message = encryption(&keyring, AlgorithmSuite::Aes256GcmHkdfSha512CommitKey).encrypt(&plaintext).unwrap();
    let source = Counting(Bytes(&message), 0.into());
    let mut range = Vec::new();
    decryption(&keyring).decrypt_range(&source, message.len() as u64, 1_000_000..1_010_000, &mut range).unwrap();
    assert!(range == plaintext[1_000_000..1_010_000]);
    assert!(source.1.into_inner() < 3 * 4096 + 4 * 4128);
}

//! Bytes after an authentic header: opening never panics, every way of opening agrees, and only the message opens.
#![no_main]

use std::io::{self, Cursor};
use std::num::NonZeroU32;
use std::sync::{LazyLock, Mutex};

use envelope::{AlgorithmSuite, Bytes, CommitmentPolicy, Decryption, Encryption, RawAesKeyring, WriteAt};
use libfuzzer_sys::fuzz_target;

static KEYRING: LazyLock<RawAesKeyring> =
    LazyLock::new(|| RawAesKeyring::new("fuzz", "key", &[7; 32]).expect("32 bytes"));

const PLAINTEXT: &[u8] = b"forty bytes of plaintext in small frames";

/// Messages, and where their bodies begin.
static MESSAGES: LazyLock<Vec<(Vec<u8>, usize)>> = LazyLock::new(|| {
    let suites = [
        AlgorithmSuite::Aes256GcmHkdfSha256,
        AlgorithmSuite::Aes128GcmHkdfSha256EcdsaP256,
        AlgorithmSuite::Aes256GcmHkdfSha512CommitKey,
        AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384,
    ];
    let mut messages = Vec::new();
    for suite in suites {
        let policy = match suite.format_version() {
            1 => CommitmentPolicy::ForbidEncryptAllowDecrypt,
            _ => CommitmentPolicy::RequireEncryptAllowDecrypt,
        };
        let encryption = Encryption::new(&*KEYRING).suite(suite).commitment_policy(policy);
        let framed = encryption.clone().frame_length(NonZeroU32::new(16).expect("not zero"));
        for encryption in [framed, encryption.unframed()] {
            let message = encryption.encrypt(PLAINTEXT).expect("it encrypts");
            // A message without plaintext differs in its body only, whose length is known.
            let body = message.len() - encryption.encrypt(&[]).expect("it encrypts").len();
            let unframed = matches!(
                envelope::Header::inspect(&message[..]).expect("a header").framing(),
                envelope::Framing::Unframed
            );
            let least = if unframed { 36 } else { 40 };
            let footer = match suite.id() {
                0x0214 => 73,
                0x0578 => 105,
                _ => 0,
            };
            messages.push((message.clone(), message.len() - body - least - footer));
        }
    }
    messages
});

#[derive(Default)]
struct Memory(Mutex<Vec<u8>>);

impl WriteAt for Memory {
    fn write_all_at(&self, buffer: &[u8], offset: u64) -> io::Result<()> {
        let mut bytes = self.0.lock().expect("not poisoned");
        let (begin, end) = (offset as usize, offset as usize + buffer.len());
        let length = bytes.len().max(end);
        bytes.resize(length, 0);
        bytes[begin..end].copy_from_slice(buffer);
        Ok(())
    }
}

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (which, in_place, bytes) = input;
    let (message, begin) = &MESSAGES[usize::from(which) % MESSAGES.len()];
    let (header, body) = message.split_at(*begin);
    // Either other bytes in place of the body, or the body with the bytes mixed into it.
    let mut changed = header.to_vec();
    if in_place {
        changed.extend_from_slice(bytes);
    } else {
        changed.extend_from_slice(body);
        for (place, byte) in changed[*begin..].iter_mut().zip(bytes) {
            *place ^= byte;
        }
    }
    let length = changed.len() as u64;
    let decryption = Decryption::new(&*KEYRING).commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt);
    let whole = decryption.decrypt(&changed).map(|(plaintext, _)| plaintext);
    let staging = Memory::default();
    let at = decryption.clone().threads(1).decrypt_at(&Bytes(&changed), length, &staging);
    assert_eq!(whole.is_ok(), at.is_ok(), "{:?} and {:?}", whole.err(), at.err());
    if let Ok(plaintext) = whole {
        assert_eq!(plaintext, PLAINTEXT);
        assert_eq!(changed, *message);
    } else {
        let mut released = Vec::new();
        assert!(decryption.decrypt_seekable(Cursor::new(&changed), &mut released).is_err());
        assert!(PLAINTEXT.starts_with(&released));
    }
    let mut range = Vec::new();
    if decryption.decrypt_range_unverified(&Bytes(&changed), length, 5..20, &mut range).is_ok() {
        assert_eq!(range, PLAINTEXT[5..20]);
    }
});

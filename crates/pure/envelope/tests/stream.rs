//! Streams of tokio carry the messages that the others do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::num::NonZeroU32;

use common::{keyring, plaintext};
use envelope::{AlgorithmSuite, Decryption, Encryption, Error, Part};

/// A pipe through which the bytes come a few at a time.
fn dripping(bytes: Vec<u8>) -> tokio::io::DuplexStream {
    let (mut near, far) = tokio::io::duplex(777);
    tokio::spawn(async move {
        tokio::io::AsyncWriteExt::write_all(&mut near, &bytes).await.unwrap();
    });
    far
}

#[tokio::test]
async fn streams_of_tokio_and_of_the_standard_library_read_each_other() {
    let keyring = keyring();
    let suites = [AlgorithmSuite::Aes256GcmHkdfSha512CommitKey, AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384];
    for suite in suites {
        for (frame_length, length) in [(4096, 0), (4096, 4096), (100, 5000), (1 << 20, 100_000), (2000, (1 << 20) + 9)]
        {
            let plaintext = plaintext(length);
            let encryption = Encryption::new(&keyring).suite(suite);
            let encryption = encryption.frame_length(NonZeroU32::new(frame_length).unwrap());
            let mut message = Vec::new();
            let sealed = encryption.encrypt_async(dripping(plaintext.clone()), &mut message).await.unwrap();
            assert_eq!((sealed.plaintext_bytes, sealed.message_bytes), (length as u64, message.len() as u64));
            let decryption = Decryption::new(&keyring);
            assert!(decryption.decrypt(&message).unwrap().0 == plaintext);

            let mut opened = Vec::new();
            decryption.decrypt_async_unverified(dripping(message.clone()), &mut opened).await.unwrap();
            assert!(opened == plaintext);
            let mut opened = Vec::new();
            match decryption.decrypt_async(dripping(message.clone()), &mut opened).await {
                Ok(_) => assert!(!suite.signs() && opened == plaintext),
                Err(error) => assert!(suite.signs() && matches!(error, Error::Signed) && opened.is_empty()),
            }
            message.pop();
            let refused = decryption.decrypt_async_unverified(&message[..], Vec::new()).await.unwrap_err();
            assert!(matches!(refused, Error::Truncated { part: Part::Body | Part::Footer }), "{refused}");
            let refused = decryption.decrypt_async_unverified(&message[..50], Vec::new()).await.unwrap_err();
            assert!(matches!(refused, Error::Truncated { part: Part::Header }), "{refused}");
        }
    }
}

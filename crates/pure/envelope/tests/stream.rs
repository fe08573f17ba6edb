//! Streams of tokio carry the messages that the others do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::io::{Cursor, SeekFrom};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll};

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
            let mut opened = Vec::new();
            decryption.decrypt_seekable_async(Cursor::new(&message), &mut opened).await.unwrap();
            assert!(opened == plaintext);
            let (mut opened, mut spool) = (Vec::new(), Cursor::new(Vec::new()));
            decryption.decrypt_spooled_async(dripping(message.clone()), &mut spool, &mut opened).await.unwrap();
            assert!(opened == plaintext);
            assert!(spool.into_inner() == if suite.signs() { &message[..] } else { &[] });
            message.pop();
            let refused = decryption.decrypt_async_unverified(&message[..], Vec::new()).await.unwrap_err();
            assert!(matches!(refused, Error::Truncated { part: Part::Body | Part::Footer }), "{refused}");
            let refused = decryption.decrypt_async_unverified(&message[..50], Vec::new()).await.unwrap_err();
            assert!(matches!(refused, Error::Truncated { part: Part::Header }), "{refused}");
        }
    }
}

#[tokio::test]
async fn nothing_of_a_signed_message_is_released_before_its_signature_is_good() {
    let keyring = keyring();
    let decryption = Decryption::new(&keyring);
    for length in [10, 3 << 20] {
        let mut message = Encryption::new(&keyring).encrypt(&plaintext(length)).unwrap();
        *message.last_mut().unwrap() ^= 1;
        let mut released = Vec::new();
        let refused = decryption.decrypt_seekable_async(Cursor::new(&message), &mut released).await.unwrap_err();
        assert!(matches!(refused, Error::SignatureNotAuthentic), "{refused}");
        let spool = Cursor::new(Vec::new());
        let refused = decryption.decrypt_spooled_async(&message[..], spool, &mut released).await.unwrap_err();
        assert!(matches!(refused, Error::SignatureNotAuthentic), "{refused}");
        assert!(released.is_empty());
    }
}

/// A source whose last byte is another one each time that somebody goes back to its beginning.
struct Changing(Cursor<Vec<u8>>);

impl tokio::io::AsyncRead for Changing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl tokio::io::AsyncSeek for Changing {
    fn start_seek(mut self: Pin<&mut Self>, to: SeekFrom) -> std::io::Result<()> {
        if to == SeekFrom::Start(0) {
            *self.0.get_mut().last_mut().unwrap() ^= 1;
        }
        Pin::new(&mut self.0).start_seek(to)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<u64>> {
        Pin::new(&mut self.0).poll_complete(context)
    }
}

#[tokio::test]
async fn a_source_that_changes_between_the_passes_is_refused() {
    let keyring = keyring();
    let message = Encryption::new(&keyring).encrypt(&plaintext(1000)).unwrap();
    let mut released = Vec::new();
    let source = Changing(Cursor::new(message));
    let refused = Decryption::new(&keyring).decrypt_seekable_async(source, &mut released).await.unwrap_err();
    assert!(refused.to_string().contains("changed while it was read"), "{refused}");
    assert!(released.is_empty());
}

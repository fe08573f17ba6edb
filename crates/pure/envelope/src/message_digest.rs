//! The digest that a message's signature is over, on a thread of its own when there is much to hash; and the footer.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crypto::signature::{self, Ecdsa, EcdsaKey};
use crypto::{CryptoError, Sha256, Sha384};

use crate::Error;
use crate::buffer::Buffer;

/// How many buffers wait for the hashing thread at most.
const WAITING_MAX: usize = 2;

/// Signatures are drawn until one has the usual length, so that a message's length follows from its plaintext's.
/// About every second one has, and nearly every other has once its s is the order minus s.
const DRAWS_MAX: usize = 64;

/// The longest signature that is read, in bytes: two integers of 49 bytes, and their DER.
pub(crate) const SIGNATURE_MAX: usize = 104;

/// A digest that takes in bytes one piece after the other.
#[derive(Clone)]
pub(crate) enum MessageDigest {
    Sha256(Sha256),
    Sha384(Sha384),
}

impl MessageDigest {
    pub(crate) fn new(algorithm: Ecdsa) -> Self {
        match algorithm {
            Ecdsa::P256Sha256 => Self::Sha256(Sha256::new()),
            Ecdsa::P384Sha384 => Self::Sha384(Sha384::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(digest) => digest.update(bytes),
            Self::Sha384(digest) => digest.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha256(digest) => digest.finish().to_vec(),
            Self::Sha384(digest) => digest.finish().to_vec(),
        }
    }
}

/// The length of a footer that [`footer`] makes, in bytes.
pub(crate) const fn footer_bytes(algorithm: Ecdsa) -> usize {
    2 + signature_bytes(algorithm)
}

const fn signature_bytes(algorithm: Ecdsa) -> usize {
    match algorithm {
        Ecdsa::P256Sha256 => 71,
        Ecdsa::P384Sha384 => 103,
    }
}

/// Signs a digest and puts the footer together.
pub(crate) fn footer(key: &EcdsaKey, digest: &[u8]) -> Result<Vec<u8>, Error> {
    for _ in 0..DRAWS_MAX {
        let drawn = key.sign_digest(digest)?;
        let usual = |signature: &Vec<u8>| signature.len() == signature_bytes(key.algorithm());
        let mirrored = || signature::mirrored(key.algorithm(), &drawn).filter(usual);
        if let Some(signature) = if usual(&drawn) { Some(drawn) } else { mirrored() } {
            let length = u16::try_from(signature.len()).map_err(|_| CryptoError::Length { bytes: signature.len() })?;
            return Ok([&length.to_be_bytes(), &signature[..]].concat());
        }
    }
    Err(Error::Crypto(CryptoError::Key))
}

/// Hashes buffers in their order: here while there are few, on a thread of its own once there are more.
pub(crate) struct DigestLane {
    state: State,
    spare: Option<Buffer>,
    pushed: usize,
    threaded: bool,
}

enum State {
    Here(MessageDigest),
    Apart {
        full: SyncSender<Buffer>,
        empty: Receiver<Buffer>,
        thread: JoinHandle<MessageDigest>,
    },
    /// The thread is gone without its digest.
    Lost,
}

impl DigestLane {
    /// A lane that may use a thread of its own if `threaded`.
    pub(crate) const fn new(digest: MessageDigest, threaded: bool) -> Self {
        Self { state: State::Here(digest), spare: None, pushed: 0, threaded }
    }

    /// A buffer to fill next.
    pub(crate) fn spare(&mut self) -> Buffer {
        if let (None, State::Apart { empty, .. }) = (&self.spare, &self.state) {
            self.spare = empty.try_recv().ok();
        }
        self.spare.take().unwrap_or_default()
    }

    /// Takes in a buffer.
    pub(crate) fn push(&mut self, buffer: Buffer) {
        self.pushed += 1;
        if self.threaded && self.pushed == 2 {
            self.spawn();
        }
        match &mut self.state {
            State::Here(digest) => {
                digest.update(buffer.filled());
                self.spare = Some(buffer);
            }
            State::Apart { full, .. } => {
                if full.send(buffer).is_err() {
                    self.state = State::Lost;
                }
            }
            State::Lost => {}
        }
    }

    fn spawn(&mut self) {
        let State::Here(here) = &self.state else { return };
        let mut digest = here.clone();
        let (full, waiting) = sync_channel::<Buffer>(WAITING_MAX);
        let (done, empty) = sync_channel(WAITING_MAX + 2);
        let spawned = thread::Builder::new().spawn(move || {
            for buffer in waiting {
                digest.update(buffer.filled());
                // The other side may be done already and need no buffer any more.
                let _ = done.try_send(buffer);
            }
            digest
        });
        // Where the system gives no thread, the digest stays here.
        if let Ok(thread) = spawned {
            self.state = State::Apart { full, empty, thread };
        }
    }

    /// The digest of all that was taken in.
    pub(crate) fn finish(self) -> Result<Vec<u8>, Error> {
        let digest = match self.state {
            State::Here(digest) => Some(digest),
            State::Apart { full, empty: _, thread } => {
                drop(full);
                thread.join().ok()
            }
            State::Lost => None,
        };
        let lost = || std::io::Error::other("the hashing thread is gone");
        Ok(digest.ok_or_else(lost)?.finish())
    }
}

//! The public key that verifies a message's signature.

use std::sync::{Arc, OnceLock};

use crypto::signature::{Ecdsa, EcdsaPublicKey};

use crate::{AlgorithmSuite, Error};

/// The public key that verifies a message's signature. It is read with its first signature, and its clones share that:
/// messages under one data key have one public key.
#[derive(Clone)]
pub struct VerificationKey(Arc<Inner>);

struct Inner {
    algorithm: Ecdsa,
    point: Vec<u8>,
    /// `None` inside when it is no public key.
    read: OnceLock<Option<EcdsaPublicKey>>,
}

impl VerificationKey {
    /// The key of messages of a suite from its point, compressed or not; `None` if the suite does not sign.
    #[must_use]
    pub fn new(suite: AlgorithmSuite, point: Vec<u8>) -> Option<Self> {
        let algorithm = suite.signature()?;
        Some(Self(Arc::new(Inner { algorithm, point, read: OnceLock::new() })))
    }

    /// Signature algorithm of the key.
    pub(crate) fn algorithm(&self) -> Ecdsa {
        self.0.algorithm
    }

    /// Verifies a signature over a digest.
    pub(crate) fn verify(&self, digest: &[u8], signature: &[u8]) -> Result<(), Error> {
        let Inner { algorithm, point, read } = &*self.0;
        let key = read.get_or_init(|| EcdsaPublicKey::read(*algorithm, point).ok());
        let verified = key.as_ref().is_some_and(|key| key.verify_digest(digest, signature).is_ok());
        if verified { Ok(()) } else { Err(Error::SignatureNotAuthentic) }
    }
}

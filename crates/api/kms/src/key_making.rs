//! Making key pairs that take long to make, off the runtime's workers and few at a time, so that nobody else waits for
//! them.

use std::sync::Arc;
use std::thread::available_parallelism;

use crypto::{KeyPair, PairKind};
use tokio::sync::Semaphore;

use crate::Kms;
use crate::error::KmsError;
use crate::new_material::NewMaterial;
use crate::spec::KeySpec;

/// Bounds how many pairs are being made at once.
pub(crate) struct KeyMaking(Arc<Semaphore>);

impl KeyMaking {
    /// Half of the machine may make keys; the other half serves.
    pub(crate) fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((cores / 2).max(1))))
    }
}

impl Kms {
    /// A new random pair.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when none could be made.
    pub(crate) async fn random_pair(&self, kind: PairKind) -> Result<KeyPair, KmsError> {
        let failed = || KmsError::Damaged(format!("no {kind:?} pair could be made"));
        if !kind.is_slow_to_make() {
            return KeyPair::generate(kind).map_err(|_| failed());
        }
        let turn = Arc::clone(&self.key_making.0).acquire_owned().await.map_err(|_| failed())?;
        let made = tokio::task::spawn_blocking(move || {
            // Held to the end, also when the caller has gone by then.
            let _turn = turn;
            KeyPair::generate(kind)
        });
        made.await.map_err(|_| failed())?.map_err(|_| failed())
    }

    /// Random material of a spec.
    ///
    /// # Errors
    /// As for [`random_pair`](Self::random_pair).
    pub(crate) async fn random_material(&self, spec: KeySpec) -> Result<NewMaterial, KmsError> {
        match spec.pair_kind() {
            Some(kind) => Ok(NewMaterial::from(self.random_pair(kind).await?)),
            None => Ok(NewMaterial::symmetric(spec)),
        }
    }
}

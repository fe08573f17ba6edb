//! Making keys that take long to make, off the runtime's workers and few at a time, so that nobody else waits for them.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

use crate::Kms;
use crate::error::KmsError;
use crate::new_material::NewMaterial;
use crate::spec::KeySpec;

/// Bounds how many keys are being made at once.
pub(crate) struct KeyMaking(Arc<Semaphore>);

impl KeyMaking {
    /// Half of the machine may make keys; the other half serves.
    pub(crate) fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((cores / 2).max(1))))
    }
}

impl Kms {
    /// Random material of a spec.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when none could be made.
    pub(crate) async fn random_material(&self, spec: KeySpec) -> Result<NewMaterial, KmsError> {
        if !spec.is_slow_to_make() {
            return NewMaterial::random(spec);
        }
        let ended = |_| KmsError::Damaged(format!("no {spec} key could be made: the server is stopping"));
        let turn = Arc::clone(&self.key_making.0).acquire_owned().await.map_err(|_| ended(()))?;
        let made = tokio::task::spawn_blocking(move || {
            // Held to the end, also when the caller has gone by then.
            let _turn = turn;
            NewMaterial::random(spec)
        });
        made.await.map_err(|_| ended(()))?
    }
}

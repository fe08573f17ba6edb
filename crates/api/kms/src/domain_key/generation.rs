//! Generation of random key material: pairs that take long are generated on threads of their own.

use crypto::{KeyPair, PairKind};

use crate::Kms;
use crate::domain_key::NewMaterial;
use crate::error::KmsError;
use crate::record::KeySpec;

impl Kms {
    /// A new random pair.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when none could be made.
    pub(crate) async fn random_pair(&self, kind: PairKind) -> Result<KeyPair, KmsError> {
        let make = move || KeyPair::generate(kind).map_err(|_| KmsError::Damaged(format!("no {kind:?} pair was made")));
        if kind.is_slow_to_make() { self.key_making.run(make).await } else { make() }
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

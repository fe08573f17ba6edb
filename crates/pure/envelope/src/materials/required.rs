//! Entries of the encryption context that every message must have and none stores.

use std::collections::BTreeSet;

use super::{DecryptionMaterials, DecryptionRequest, EncryptionMaterials, EncryptionRequest, MaterialsSource};
use crate::Error;
use crate::keyring::Pending;

/// Requires entries of the encryption context, both when encrypting and when decrypting.
///
/// Their values are authenticated and not stored in the message, so whoever decrypts has to know them.
///
/// Source: AWS Encryption SDK Specification, Required Encryption Context Cryptographic Materials Manager.
pub struct RequiredContext<M> {
    inner: M,
    names: BTreeSet<String>,
}

impl<M: MaterialsSource> RequiredContext<M> {
    /// Requires entries with these names of every request to `inner`.
    #[must_use]
    pub fn new<N: Into<String>>(inner: M, names: impl IntoIterator<Item = N>) -> Self {
        Self { inner, names: names.into_iter().map(Into::into).collect() }
    }

    fn missing(&self, has: impl Fn(&str) -> bool) -> Result<(), Error> {
        match self.names.iter().find(|name| !has(name)) {
            Some(name) => Err(Error::ContextMissing { name: name.clone() }),
            None => Ok(()),
        }
    }
}

impl<M: MaterialsSource> MaterialsSource for RequiredContext<M> {
    fn encryption<'a>(&'a self, mut request: EncryptionRequest) -> Pending<'a, Result<EncryptionMaterials, Error>> {
        Box::pin(async move {
            self.missing(|name| request.context.contains(name))?;
            request.unstored.extend(self.names.iter().cloned());
            let materials = self.inner.encryption(request).await?;
            self.missing(|name| materials.unstored.contains(name))?;
            Ok(materials)
        })
    }

    fn decryption<'a>(&'a self, request: DecryptionRequest<'a>) -> Pending<'a, Result<DecryptionMaterials, Error>> {
        Box::pin(async move {
            self.missing(|name| request.reproduced.contains(name))?;
            let materials = self.inner.decryption(request).await?;
            self.missing(|name| materials.context.contains(name))?;
            Ok(materials)
        })
    }
}

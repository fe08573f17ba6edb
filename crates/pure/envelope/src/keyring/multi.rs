//! Several keyrings as one: every one of them wraps, any one of them opens.

use super::{KeyFailure, KeyFailureReason, Keyring, Pending, Unwrapped, Unwrapping, Wrapping};

/// Several keyrings as one.
///
/// The generator makes the data key and the others wrap it too, so any of them can open the message. Without a
/// generator it decrypts only.
///
/// Source: AWS Encryption SDK Specification, Multi-Keyring.
#[derive(Default)]
pub struct MultiKeyring {
    generator: Option<Box<dyn Keyring>>,
    others: Vec<Box<dyn Keyring>>,
}

impl MultiKeyring {
    /// A keyring whose data keys `generator` makes.
    #[must_use]
    pub fn new(generator: impl Keyring + 'static) -> Self {
        Self { generator: Some(Box::new(generator)), others: Vec::new() }
    }

    /// A keyring without a generator, for decryption.
    #[must_use]
    pub fn for_decryption() -> Self {
        Self::default()
    }

    /// Adds a keyring that wraps as well and is tried after those before it.
    #[must_use]
    pub fn with(mut self, keyring: impl Keyring + 'static) -> Self {
        self.others.push(Box::new(keyring));
        self
    }
}

impl Keyring for MultiKeyring {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        Box::pin(async move {
            let incapable = |what| KeyFailure::new("the multi-keyring", KeyFailureReason::Incapable(what));
            match &self.generator {
                Some(_) if keys.data_key().is_some() => return Err(incapable("its generator comes second to another")),
                Some(generator) => generator.wrap(keys).await?,
                None => {}
            }
            if keys.data_key().is_none() {
                return Err(incapable("it has no generator to make a data key"));
            }
            for keyring in &self.others {
                keyring.wrap(keys).await?;
            }
            Ok(())
        })
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        Box::pin(async move {
            let mut failures = Vec::new();
            for keyring in self.generator.iter().chain(&self.others) {
                match keyring.open(keys).await {
                    Ok(opened) => return Ok(opened),
                    Err(more) => failures.extend(more),
                }
            }
            Err(failures)
        })
    }
}

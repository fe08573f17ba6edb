//! Settings that the commands on messages share: the encryption context, the algorithm suite, policies and bounds.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use clap::Args;
use envelope::{AlgorithmSuite, CommitmentPolicy, Decryption, Encryption, EncryptionContext, FRAME_LENGTH_DEFAULT};

use crate::failure::Failure;

/// How messages are encrypted.
#[derive(Args)]
pub(crate) struct Sealing {
    /// Algorithm suite, by its name or its number such as 0478
    #[arg(long, value_name = "SUITE")]
    pub(crate) algorithm: Option<AlgorithmSuite>,

    /// Bytes of plaintext in a frame; 0 for a message without frames, which takes memory for the whole of it
    #[arg(long, value_name = "BYTES")]
    pub(crate) frame_length: Option<u32>,
}

impl Sealing {
    /// Sets the algorithm suite and the frames.
    pub(crate) fn apply<'m>(&self, mut encryption: Encryption<'m>, usual: NonZeroU32) -> Encryption<'m> {
        if let Some(suite) = self.algorithm {
            encryption = encryption.suite(suite);
        }
        match self.frame_length.map(NonZeroU32::new) {
            None => encryption.frame_length(usual),
            Some(Some(length)) => encryption.frame_length(length),
            Some(None) => encryption.unframed(),
        }
    }

    pub(crate) fn encryption<'m>(&self, encryption: Encryption<'m>) -> Encryption<'m> {
        self.apply(encryption, FRAME_LENGTH_DEFAULT)
    }
}

/// Bounds on messages.
#[derive(Args)]
pub(crate) struct Bounds {
    /// Whether messages without key commitment may be made or read
    ///
    /// forbid-encrypt-allow-decrypt, require-encrypt-allow-decrypt or require-encrypt-require-decrypt.
    #[arg(long, value_name = "POLICY", value_parser = policy, default_value_t)]
    pub(crate) commitment_policy: CommitmentPolicy,

    /// How many encrypted data keys a message may have, and so how many calls of a key service it can cause
    #[arg(long, value_name = "N")]
    pub(crate) max_encrypted_data_keys: Option<NonZeroUsize>,
}

impl Bounds {
    pub(crate) fn encryption<'m>(&self, encryption: Encryption<'m>) -> Encryption<'m> {
        let encryption = encryption.commitment_policy(self.commitment_policy);
        match self.max_encrypted_data_keys {
            None => encryption,
            Some(max) => encryption.data_keys_max(max.get()),
        }
    }

    pub(crate) fn decryption<'m>(&self, decryption: Decryption<'m>) -> Decryption<'m> {
        let decryption = decryption.commitment_policy(self.commitment_policy);
        match self.max_encrypted_data_keys {
            None => decryption,
            Some(max) => decryption.data_keys_max(max.get()),
        }
    }
}

/// How much of a message is in memory.
#[derive(Args)]
pub(crate) struct Held {
    /// The longest frame, or message without frames, that is held in memory, in bytes [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    max_length: Option<NonZeroU64>,
}

impl Held {
    pub(crate) fn decryption<'m>(&self, decryption: Decryption<'m>) -> Decryption<'m> {
        match self.max_length {
            None => decryption,
            Some(max) => decryption.frame_bytes_max(max.get()),
        }
    }
}

fn policy(text: &str) -> Result<CommitmentPolicy, String> {
    let all = [
        CommitmentPolicy::ForbidEncryptAllowDecrypt,
        CommitmentPolicy::RequireEncryptAllowDecrypt,
        CommitmentPolicy::RequireEncryptRequireDecrypt,
    ];
    let names = || all.map(|policy| policy.to_string()).join(", ");
    all.into_iter().find(|policy| policy.to_string() == text).ok_or_else(|| format!("it is one of {}", names()))
}

/// The encryption context of new messages, from `name=value` pairs.
pub(crate) fn context(pairs: &[String]) -> Result<EncryptionContext, Failure> {
    let mut entries = BTreeMap::new();
    for pair in pairs {
        let (name, value) = pair.split_once('=').ok_or_else(|| wrong(pair, "is not of the form name=value"))?;
        if entries.insert(name, value).is_some() {
            return Err(wrong(pair, "gives a name a second value"));
        }
    }
    Ok(entries.into_iter().collect())
}

/// Requirements on the encryption context of messages: names with values, and names alone.
pub(crate) struct Required {
    values: EncryptionContext,
    names: Vec<String>,
    unstored: EncryptionContext,
}

impl Required {
    /// From `name=value` pairs and names; the names of `unstored` are those that messages do not store.
    pub(crate) fn of(given: &[String], unstored: &[String]) -> Result<Self, Failure> {
        let (pairs, names): (Vec<_>, Vec<_>) = given.iter().cloned().partition(|text| text.contains('='));
        let mut values = EncryptionContext::new();
        let mut apart = EncryptionContext::new();
        for (name, value) in context(&pairs)? {
            if unstored.contains(&name) { apart.insert(name, value) } else { values.insert(name, value) }
        }
        Ok(Self { values, names, unstored: apart })
    }

    /// Has them required before any data key is opened.
    pub(crate) fn of_messages<'m>(&self, mut decryption: Decryption<'m>) -> Decryption<'m> {
        for (name, value) in self.values.iter() {
            decryption = decryption.expect_entry(name, value);
        }
        for name in &self.names {
            decryption = decryption.expect_name(name);
        }
        decryption.context(self.unstored.clone())
    }
}

fn wrong(pair: &str, why: &str) -> Failure {
    Failure::Usage(format!("the encryption context's {pair:?} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn contexts_are_read_and_ambiguous_ones_refused() {
        let read = context(&texts(&["a=b=c", "d="])).expect("a context");
        assert_eq!(read, EncryptionContext::from([("a", "b=c"), ("d", "")]));
        assert!(context(&texts(&["a"])).is_err());
        assert!(context(&texts(&["a=1", "a=2"])).is_err());
    }

    #[test]
    fn values_names_and_what_is_not_stored_are_told_apart() {
        let required = Required::of(&texts(&["a=1", "b", "c=3"]), &texts(&["c"])).expect("requirements");
        assert_eq!(required.values, EncryptionContext::from([("a", "1")]));
        assert_eq!(required.names, ["b"]);
        assert_eq!(required.unstored, EncryptionContext::from([("c", "3")]));
    }
}

//! Tokens that clients give requests, so that the same request again is not done again.

use crypto::{hex, sha256};
use serde::{Deserialize, Serialize};
use store::{Record, Tx};

use crate::error::{CodeCommitError, Refusal};

/// A request that was done, stored under its account and Region by operation, caller and token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TokenRecord {
    /// The digest of the input.
    input: String,
    /// The request's result.
    made: String,
}

impl Record for TokenRecord {
    const COLLECTION: &'static str = "codecommit-token";
}

/// A request about a repository, stored under it by the name that its [`TokenRecord`] has: removed with the repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TokenOfRecord {
    /// The name that it is stored under.
    pub(crate) name: String,
}

impl Record for TokenOfRecord {
    const COLLECTION: &'static str = "codecommit-token-of";
}

/// A request with a token.
#[derive(Clone)]
pub(crate) struct Tokened {
    domain: String,
    id: String,
    input: String,
}

/// How many characters a token has at most.
const TOKEN_MAX: usize = 1024;

impl Tokened {
    /// The request of `caller` for `operation`, with all that its input says as `parts`.
    ///
    /// # Errors
    /// [`Refusal::InvalidClientRequestToken`].
    pub(crate) fn new(
        domain: &str,
        (operation, caller): (&str, &str),
        token: Option<&str>,
        parts: &[&str],
    ) -> Result<Option<Self>, CodeCommitError> {
        let Some(token) = token else { return Ok(None) };
        if token.is_empty() || token.chars().count() > TOKEN_MAX {
            return Err(Refusal::InvalidClientRequestToken.into());
        }
        let (id, input) = (digest(&[operation, caller, token]), digest(parts));
        Ok(Some(Self { domain: domain.to_owned(), id, input }))
    }

    /// The stored result of this request.
    ///
    /// # Errors
    /// [`Refusal::IdempotencyParameterMismatch`] if it was another.
    pub(crate) fn made(&self, tx: &Tx<'_>) -> Result<Option<String>, CodeCommitError> {
        match tx.get::<TokenRecord>(&self.domain, &self.id)? {
            None => Ok(None),
            Some(known) if known.input == self.input => Ok(Some(known.made)),
            Some(_) => Err(Refusal::IdempotencyParameterMismatch.into()),
        }
    }

    /// Notes what the request made in a repository.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn note(self, tx: &mut Tx<'_>, repository: &str, made: &str) -> Result<(), CodeCommitError> {
        let Self { domain, id, input } = self;
        tx.put(&domain, &id, &TokenRecord { input, made: made.to_owned() })?;
        let entry = TokenOfRecord { name: id };
        Ok(tx.put(repository, &entry.name, &entry)?)
    }
}

/// A digest of texts that keeps them apart.
fn digest(parts: &[&str]) -> String {
    let bytes: Vec<u8> =
        parts.iter().flat_map(|part| [&part.len().to_be_bytes()[..], part.as_bytes()].concat()).collect();
    hex::encode(&sha256(&bytes))
}

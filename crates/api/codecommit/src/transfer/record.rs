//! The audit record of a transfer: one for what is listed, one for the objects that are sent or pushed, however many
//! requests that takes. Capabilities alone and rounds of a negotiation show nothing and leave none; a refusal always does.
//!
//! Source: AWS CodeCommit User Guide, "Logging AWS CodeCommit API calls with AWS CloudTrail".

use git::Repository;
use git_wire::{Capabilities, Fetch, clean};
use serde::Serialize;
use service::{AuditClass, Unrecorded};
use wire::Fault;

use super::TransferError;

/// Capabilities and refused references that a record lists, and characters of each.
const LISTED_MAX: usize = 16;
const CHARACTERS_MAX: usize = 120;

/// The error's name in the record of a push that is refused for what it sends, or that breaks off.
pub(super) const PUSH_REFUSED: &str = "PushRefusedException";

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Carrier {
    /// HTTP, with TLS or without.
    Http,
    /// SSH.
    Ssh,
    /// The admin socket of the server's host.
    Host,
}

/// A repository whose transfer the client may have, to be had with its record.
pub struct Permitted {
    repository: Repository,
    record: Record,
}

impl Permitted {
    pub(super) const fn new(repository: Repository, record: Record) -> Self {
        Self { repository, record }
    }

    /// The repository, for a client that sees what there is: references, locks, sizes.
    ///
    /// # Errors
    /// [`TransferError::Refused`] when it cannot be recorded.
    pub fn listed(self) -> Result<Repository, TransferError> {
        self.record.listed()?;
        Ok(self.repository)
    }

    /// The repository, for a client that is sent contents.
    ///
    /// # Errors
    /// [`TransferError::Refused`] when it cannot be recorded.
    pub fn transferred(self) -> Result<Repository, TransferError> {
        self.record.transferred()?;
        Ok(self.repository)
    }

    /// The repository, for a client that changes something beside its references, such as a large file or a lock.
    ///
    /// # Errors
    /// [`TransferError::Refused`] when it cannot be recorded.
    pub fn changed(self) -> Result<Repository, TransferError> {
        self.record.write(AuditClass::Change, true, None, None)?;
        Ok(self.repository)
    }

    /// Its parts, for transfers that know only later what they are.
    pub(super) fn into_parts(self) -> (Repository, Record) {
        (self.repository, self.record)
    }
}

/// The record of a transfer that was permitted.
pub(super) struct Record {
    unrecorded: Unrecorded,
    about: About,
}

/// The repository and the way to it, in every record of a transfer.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    pub(crate) protocol: Carrier,
    pub(crate) repository_name: String,
    pub(crate) repository_id: String,
}

/// Members of `additionalEventData`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Additional {
    #[serde(flatten)]
    about: About,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Vec<String>>,
    data_transferred: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    shallow: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Refused>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_omitted: Option<usize>,
}

/// A reference that a push does not change.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Refused {
    #[serde(rename = "ref")]
    name: String,
    reason: String,
}

impl Refused {
    /// A reference and why it stays as it is.
    pub(crate) fn new(name: &str, reason: &str) -> Self {
        Self { name: shortened(name), reason: shortened(reason) }
    }
}

/// A push as its record describes it.
#[derive(Clone)]
pub(crate) struct Pushed {
    pub(crate) about: About,
    pub(crate) capabilities: Vec<String>,
    /// Whether objects came with it.
    pub(crate) pack: bool,
}

impl Pushed {
    /// The data added to the record of a push that leaves `refused` as they are.
    pub(crate) fn with(&self, mut refused: Vec<Refused>) -> Additional {
        let omitted = refused.len().checked_sub(LISTED_MAX).filter(|omitted| *omitted > 0);
        refused.truncate(LISTED_MAX);
        Additional {
            about: self.about.clone(),
            capabilities: Some(self.capabilities.clone()),
            data_transferred: self.pack,
            shallow: None,
            refused,
            refused_omitted: omitted,
        }
    }
}

impl Record {
    pub(super) const fn new(unrecorded: Unrecorded, about: About) -> Self {
        Self { unrecorded, about }
    }

    pub(super) const fn about(&self) -> &About {
        &self.about
    }

    /// Records that the client sees what there is.
    pub(super) fn listed(&self) -> Result<(), TransferError> {
        self.write(AuditClass::Use, false, None, None)
    }

    /// Records that objects are sent to the client.
    pub(super) fn fetched(&self, fetch: &Fetch) -> Result<(), TransferError> {
        let Fetch { thin_pack, no_progress, include_tag, ofs_delta, shallow, deepen, filter, .. } = fetch;
        let named = [
            (*thin_pack, "thin-pack"),
            (*no_progress, "no-progress"),
            (*include_tag, "include-tag"),
            (*ofs_delta, "ofs-delta"),
            (filter.is_some(), "filter"),
        ];
        let named = named.into_iter().filter(|(has, _)| *has).map(|(_, name)| name.to_owned()).collect();
        self.write(
            AuditClass::Use,
            true,
            Some(named),
            Some(!shallow.is_empty() || *deepen != git_wire::Deepen::default()),
        )
    }

    /// Records that contents are sent to the client otherwise.
    pub(super) fn transferred(&self) -> Result<(), TransferError> {
        self.write(AuditClass::Use, true, None, None)
    }

    /// Records that a push changed nothing.
    pub(super) fn failed(
        &self,
        error: &TransferError,
        pushed: &Pushed,
        refused: Vec<Refused>,
    ) -> Result<(), TransferError> {
        let fault = match error {
            TransferError::Refused(fault) => fault.clone(),
            other => Fault::sender(PUSH_REFUSED, clean(other.words().as_bytes())),
        };
        Ok(self.unrecorded.record_failure(&fault, &pushed.with(refused))?)
    }

    fn write(
        &self,
        class: AuditClass,
        data_transferred: bool,
        capabilities: Option<Vec<String>>,
        shallow: Option<bool>,
    ) -> Result<(), TransferError> {
        let (about, refused, refused_omitted) = (self.about.clone(), Vec::new(), None);
        let additional = Additional { about, capabilities, data_transferred, shallow, refused, refused_omitted };
        Ok(self.unrecorded.record(class, &additional)?)
    }
}

/// Capabilities as a record lists them.
pub(super) fn listed(capabilities: &Capabilities) -> Vec<String> {
    capabilities.words().take(LISTED_MAX).map(|word| shortened(&clean(word))).collect()
}

fn shortened(text: &str) -> String {
    text.chars().take(CHARACTERS_MAX).collect()
}

//! The advertisement: what a repository has and what the server can do.

use std::sync::Arc;

use git::{Reference, Repository};
use git_wire::{
    Advertisement, Offer, Service, Version, receive_capabilities, service_line, upload_capabilities, v2_capabilities,
};

use super::record::Record;
use super::{Client, Output, Permitted, TransferError, Transfers, Upload};
use crate::reference::HIDDEN;

/// Bytes that are put together before they are sent.
pub(super) const PIECE_BYTES: usize = 32 << 10;

/// An advertisement that a client may have.
pub struct Discovery {
    repository: Repository,
    service: Service,
    version: Version,
    stateless: bool,
    agent: Arc<str>,
    record: Record,
}

impl Transfers {
    /// Opens a repository for a client that wants to know what is there. `stateless` says that each of its requests stands
    /// alone, as over HTTP.
    ///
    /// # Errors
    /// As for [`pull`](Self::pull).
    pub async fn discover(
        &self,
        client: &Client,
        name: &str,
        service: Service,
        version: Version,
        stateless: bool,
    ) -> Result<Discovery, TransferError> {
        let (repository, record) = match service {
            Service::ReceivePack => {
                let (repository, _, record) = self.open_for_push(client, name, Vec::new()).await?;
                (repository, record)
            }
            Service::UploadPack | Service::UploadArchive => self.pull(client, name).await?.into_parts(),
        };
        let discovery = Discovery { repository, service, version, stateless, agent: Arc::clone(&self.agent), record };
        if !discovery.has_capabilities_alone() {
            discovery.record.listed()?;
        }
        Ok(discovery)
    }
}

impl Discovery {
    /// The repository as it was discovered.
    #[must_use]
    pub const fn repository(&self) -> &Repository {
        &self.repository
    }

    /// A fetch on the same connection.
    #[must_use]
    pub fn into_upload(self) -> Upload {
        Upload::new(Permitted::new(self.repository, self.record), self.stateless)
    }

    /// Whether it shows nothing of the repository: with version 2, references are asked for. Nobody has defined version 2
    /// of pushes.
    fn has_capabilities_alone(&self) -> bool {
        self.version == Version::V2 && self.service != Service::ReceivePack
    }

    /// Sends it.
    ///
    /// # Errors
    /// [`TransferError::Gone`].
    pub async fn send(&self, output: &Output) -> Result<(), TransferError> {
        let Self { repository, service, version, stateless, agent, .. } = self;
        let head = repository.references().find(repository.head());
        let offer = Offer {
            format: repository.format(),
            head: head.map(|head| head.name.as_bytes()),
            stateless: *stateless,
            agent,
        };
        let mut out = Vec::new();
        let pushes = *service == Service::ReceivePack;
        if self.has_capabilities_alone() {
            v2_capabilities(&mut out, offer);
            return output.send(out).await;
        }
        if *stateless {
            service_line(&mut out, *service);
        }
        let capabilities = if pushes { receive_capabilities(offer) } else { upload_capabilities(offer) };
        let mut advertisement = Advertisement::new((*version).min(Version::V1), repository.format(), capabilities);
        if let Some(head) = head.filter(|_| !pushes) {
            advertisement.reference(&mut out, shown("HEAD", head, false));
        }
        for reference in repository.references().iter().filter(|found| !found.name.starts_with(HIDDEN)) {
            advertisement.reference(&mut out, shown(reference.name, reference, !pushes));
            if out.len() >= PIECE_BYTES {
                output.send(std::mem::take(&mut out)).await?;
            }
        }
        advertisement.finish(&mut out);
        output.send(out).await
    }
}

fn shown<'a>(name: &'a str, reference: Reference<'_>, peeled: bool) -> git_wire::Reference<'a> {
    let Reference { id, peeled: target, .. } = reference;
    git_wire::Reference { name: name.as_bytes(), id, peeled: target.filter(|_| peeled) }
}

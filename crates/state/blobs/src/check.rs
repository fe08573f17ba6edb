//! A comparison of all blobs of a place with the references to them. Knows no service: who owns a blob is asked for.

use std::fmt;
use std::pin::Pin;

use store::{Store, StoreError};

use crate::{BlobError, BlobId, Blobs, Owner, Reference};

/// How many references or blobs are compared at once.
const PAGE: usize = 1000;

/// A future of [`Owners`].
pub type OwnerFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Owner>, StoreError>> + Send + 'a>>;

/// The services that own blobs, for a check that opens those.
pub trait Owners: Send + Sync {
    /// The owner that a reference names; `None` if the service or its owner is not known.
    fn owner<'a>(&'a self, store: &'a Store, reference: &'a Reference) -> OwnerFuture<'a>;

    /// Whether the key of an owner that [`owner`](Self::owner) does not know is one that only a caller of the service can
    /// open. Of such a blob no more is checked than that it is there, and as long as what was written.
    fn opens_for_callers_only(&self, _: &Reference) -> bool {
        false
    }
}

/// Why a blob is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Something refers to it, and it is not there.
    Missing,
    /// It is longer or shorter than what was written.
    Length {
        /// Length that was written, in bytes.
        written: u64,
        /// Length that was found, in bytes.
        found: u64,
    },
    /// Another blob is in its place.
    Swapped {
        /// The other one.
        with: BlobId,
    },
    /// Its bytes are not those that were written, or not for this owner.
    Changed,
    /// Nobody knows the owner that the reference names, so that it was not opened.
    Unowned {
        /// The service that the reference names.
        service: String,
    },
}

/// A blob that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyBlob {
    /// The blob.
    pub id: BlobId,
    /// Its fault.
    pub fault: Fault,
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobReport {
    /// How many blobs were opened from beginning to end, and are what was written.
    pub intact: u64,
    /// The length of their content in bytes.
    pub plaintext_bytes: u64,
    /// How many blobs are there and as long as what was written, and could not be opened without a caller of their
    /// service.
    pub unopened: u64,
    /// Blobs that something refers to and that are not as they should be.
    pub faulty: Vec<FaultyBlob>,
    /// Blobs that nothing refers to. A sweep removes them, unless they are just being written.
    pub unreferenced: Vec<BlobId>,
}

impl Blobs {
    /// Opens every blob that `store` refers to, from beginning to end, and lists those that nothing refers to.
    ///
    /// Others may write and sweep meanwhile: what is missing counts only if it is still referred to afterwards.
    ///
    /// # Errors
    /// [`BlobError::Io`], [`BlobError::UnknownVersion`], [`BlobError::References`].
    pub async fn check_all(&self, store: &Store, owners: &dyn Owners) -> Result<BlobReport, BlobError> {
        let mut report = BlobReport::default();
        let mut after = None;
        loop {
            let page = store.read(move |tx| Reference::page(tx, after, PAGE)).await?;
            for (id, reference) in &page {
                match self.fault(store, owners, id, reference).await? {
                    Ok(Some(plaintext_bytes)) => {
                        report.intact += 1;
                        report.plaintext_bytes += plaintext_bytes;
                    }
                    Ok(None) => report.unopened += 1,
                    Err(fault) if refers(store, *id).await? => report.faulty.push(FaultyBlob { id: *id, fault }),
                    Err(_) => {}
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == PAGE => after = Some(*last),
                _ => break,
            }
        }
        report.unreferenced = self.unreferenced(store).await?;
        Ok(report)
    }

    /// The blobs that nothing in `store` refers to, in the order of their ids.
    ///
    /// # Errors
    /// [`BlobError::Io`], [`BlobError::References`].
    pub async fn unreferenced(&self, store: &Store) -> Result<Vec<BlobId>, BlobError> {
        let mut unreferenced = Vec::new();
        let mut after = None;
        loop {
            let page = self.list(after, PAGE).await?;
            let ids: Vec<_> = page.iter().map(|listed| listed.id).collect();
            let strays = store.read(move |tx| {
                let mut strays = Vec::new();
                for id in ids {
                    if Reference::find(tx, &id)?.is_none() {
                        strays.push(id);
                    }
                }
                Ok::<_, StoreError>(strays)
            });
            unreferenced.extend(strays.await?);
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.id),
                _ => return Ok(unreferenced),
            }
        }
    }

    /// Opens a blob from beginning to end. Yields the length of its content, none if it could not be opened without a
    /// caller; or what is the matter.
    async fn fault(
        &self,
        store: &Store,
        owners: &dyn Owners,
        id: &BlobId,
        reference: &Reference,
    ) -> Result<Result<Option<u64>, Fault>, BlobError> {
        let Some(found) = self.sealed_bytes(id).await? else { return Ok(Err(Fault::Missing)) };
        if found != reference.sealed_bytes {
            return Ok(Err(Fault::Length { written: reference.sealed_bytes, found }));
        }
        let Some(owner) = owners.owner(store, reference).await? else {
            if owners.opens_for_callers_only(reference) {
                return Ok(match self.header_id(id).await? {
                    Some(found) if found == *id => Ok(None),
                    Some(with) => Err(Fault::Swapped { with }),
                    None => Err(Fault::Changed),
                });
            }
            return Ok(Err(Fault::Unowned { service: reference.service.clone() }));
        };
        match self.check(&owner, id).await {
            Ok(contents) => Ok(Ok(Some(contents.plaintext_bytes))),
            Err(BlobError::Missing { .. }) => Ok(Err(Fault::Missing)),
            Err(BlobError::NotAuthentic { .. }) => Ok(Err(match self.header_id(id).await? {
                Some(with) if with != *id => Fault::Swapped { with },
                _ => Fault::Changed,
            })),
            Err(error) => Err(error),
        }
    }
}

async fn refers(store: &Store, id: BlobId) -> Result<bool, StoreError> {
    store.read(move |tx| Ok(Reference::find(tx, &id)?.is_some())).await
}

impl BlobReport {
    /// Whether every blob that something refers to is what was written.
    #[must_use]
    pub const fn is_intact(&self) -> bool {
        self.faulty.is_empty()
    }
}

impl fmt::Display for FaultyBlob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        match &self.fault {
            Fault::Missing => write!(out, "blob {id} is missing"),
            Fault::Length { written, found } => write!(out, "blob {id} has {found} bytes, and {written} were written"),
            Fault::Swapped { with } => write!(out, "blob {id} is not there: blob {with} is in its place"),
            Fault::Changed => write!(out, "blob {id} is not what was written"),
            Fault::Unowned { service } => {
                write!(out, "blob {id} belongs to {service:?}, and its owner there is not known")
            }
        }
    }
}

//! Where a data directory's blobs lie, and who owns them.

use std::sync::Arc;

use blobs::{Blobs, Location, OwnerFuture, Owners, Reference};
use store::Store;

use crate::blob_transport::BlobTransport;
use crate::data_dir::Layout;
use crate::durable_state::unblocked;
use crate::error::{ConfigError, ServerError};

/// The owners of all services' blobs.
#[derive(Default)]
pub(crate) struct Registered {
    buckets: s3::BlobOwners,
}

impl Owners for Registered {
    fn owner<'a>(&'a self, store: &'a Store, reference: &'a Reference) -> OwnerFuture<'a> {
        // Keys of repositories, and of objects that are not protected by their bucket alone, take a caller.
        Box::pin(self.buckets.find(store, reference))
    }

    fn opens_for_callers_only(&self, reference: &Reference) -> bool {
        [git::SERVICE, buckets::SERVICE].contains(&&*reference.service)
    }
}

/// The place that the setting `blobs` names, or else the directory within the data directory.
///
/// # Errors
/// [`ConfigError::Value`].
pub fn location(layout: &Layout, setting: Option<&str>) -> Result<Location, ServerError> {
    let Some(setting) = setting else { return Ok(Location::Directory(layout.blobs())) };
    let rule = "a directory or s3://BUCKET/PREFIX, with ?endpoint=URL&region=NAME&profile=NAME where needed";
    Location::parse(setting).map_err(|_| ConfigError::Value { setting: "blobs", rule }.into())
}

/// Opens the place of a server's blobs, or makes it.
///
/// # Errors
/// As for [`location`] and [`open_existing`].
pub(crate) async fn open(layout: &Layout, setting: Option<&str>) -> Result<Blobs, ServerError> {
    let location = location(layout, setting)?;
    unblocked(move || match location {
        Location::Directory(path) => Ok(Blobs::in_directory(&path)?),
        Location::S3(location) => {
            let transport = BlobTransport::of_process(&location)?;
            Ok(Blobs::in_bucket(location, Arc::new(transport)))
        }
    })
    .await
}

/// Opens the blobs of a place; `None` if it is a directory that is not there. Blocks.
///
/// # Errors
/// [`ServerError::Blobs`], [`ServerError::Client`].
pub(crate) fn open_existing(location: &Location) -> Result<Option<Blobs>, ServerError> {
    match location {
        Location::Directory(path) if !path.exists() => Ok(None),
        Location::Directory(path) => Ok(Some(Blobs::in_directory(path)?)),
        Location::S3(location) => {
            let transport = BlobTransport::of_process(location)?;
            Ok(Some(Blobs::in_bucket(location.clone(), Arc::new(transport))))
        }
    }
}

//! A box: its record, how it is found, and what acting on it needs.

use std::sync::Arc;

use blobs::BlobId;
use serde::{Deserialize, Serialize};
use service::{Call, Need, Resource, ResourcePolicy};
use store::Record;

use crate::{Toy, ToyError};

/// A box as it is stored, under its shelf and its name.
#[derive(Clone, Serialize, Deserialize)]
pub struct BoxRecord {
    blob: [u8; BlobId::BYTES],
    pub(crate) bytes: u64,
    pub(crate) label: Option<String>,
}

impl Record for BoxRecord {
    const COLLECTION: &'static str = "toy.box";
}

impl BoxRecord {
    pub(crate) fn new(id: BlobId, bytes: u64, label: Option<String>) -> Self {
        Self { blob: id.to_bytes(), bytes, label }
    }

    pub(crate) const fn blob(&self) -> BlobId {
        BlobId::from_bytes(self.blob)
    }
}

/// The name of a box: its shelf and its own.
pub type BoxName<'a> = (&'a str, &'a str);

pub(crate) fn need<'n>(name: BoxName<'n>, action: &'static str, call: &Call<'_, Toy>) -> Need<'n> {
    let (shelf, name) = name;
    let need = Need::identity(action, format!("arn:aws:toy:{}:{}:{shelf}/{name}", call.region, call.account()));
    match &call.service.open_shelf {
        Some((open, policy)) if open == shelf => need.guarded(ResourcePolicy::Shared(Arc::clone(policy))),
        _ => need,
    }
}

impl Resource for BoxRecord {
    type Service = Toy;
    type Key<'a> = BoxName<'a>;

    async fn find<'a>((shelf, name): BoxName<'a>, call: &'a Call<'_, Toy>) -> Result<Self, ToyError> {
        let (shelf, id) = (shelf.to_owned(), name.to_owned());
        let found = call.service.store.read(move |tx| tx.get::<Self>(&shelf, &id)).await?;
        found.ok_or_else(|| ToyError::Missing { name: name.to_owned() })
    }

    fn need<'n>(&'n self, name: BoxName<'n>, action: &'static str, call: &'n Call<'_, Toy>) -> Need<'n> {
        need(name, action, call)
    }

    fn need_of_missing<'n>(name: BoxName<'n>, action: &'static str, call: &'n Call<'_, Toy>) -> Option<Need<'n>> {
        Some(need(name, action, call))
    }
}

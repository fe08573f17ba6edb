//! The IAM action of an operation that does not state it: its name behind the service's prefix, joined at compile time.

use std::marker::PhantomData;

use super::{Resource, ResourceOperation};
use crate::operation::Service;

/// The longest action in bytes. A longer one does not compile.
const LENGTH_MAX: usize = 96;

/// The action of `O`.
pub(super) struct Action<O>(PhantomData<O>);

impl<O: ResourceOperation> Action<O> {
    const PREFIX: &'static str = <<O::On as Resource>::Service as Service>::NAME;

    const BYTES: [u8; LENGTH_MAX] = joined(Self::PREFIX.as_bytes(), O::NAME.as_bytes());

    /// The action, such as `kms:Encrypt`.
    pub(super) const TEXT: &'static str = {
        let (text, _) = Self::BYTES.split_at(Self::PREFIX.len() + 1 + O::NAME.len());
        match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(_) => panic!("two texts joined are a text"),
        }
    };
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where an index out of bounds is an error")]
const fn joined(prefix: &[u8], name: &[u8]) -> [u8; LENGTH_MAX] {
    let mut bytes = [0; LENGTH_MAX];
    let mut at = 0;
    while at < prefix.len() {
        bytes[at] = prefix[at];
        at += 1;
    }
    bytes[at] = b':';
    at = 0;
    while at < name.len() {
        bytes[prefix.len() + 1 + at] = name[at];
        at += 1;
    }
    bytes
}

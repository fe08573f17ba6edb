//! Groups as they are stored.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::Timestamp;

use crate::records::entity::{Entity, Holder, Identity};
use crate::values::kind::Kind;
use crate::values::tag::Tag;

/// A group as it is stored, under its account and unique id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) identity: Identity,
    pub(crate) created: Timestamp,
    /// The ARNs of the attached managed policies, in the order they were attached.
    pub(crate) attached: Vec<String>,
}

impl Record for Group {
    const COLLECTION: &'static str = "iam.group";
}

impl Entity for Group {
    const KIND: Kind = Kind::Group;

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn identity_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

impl Holder for Group {
    const INLINE_SIZE_MAX: usize = 5120;
    const ATTACHED_QUOTA: &'static str = "PoliciesPerGroup";

    fn attached(&self) -> &[String] {
        &self.attached
    }

    fn attached_mut(&mut self) -> &mut Vec<String> {
        &mut self.attached
    }

    fn boundary(&self) -> Option<&str> {
        None
    }
}

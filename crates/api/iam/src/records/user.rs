//! Users as they are stored.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::Timestamp;

use crate::records::entity::{Entity, Holder, Identity, Tagged};
use crate::values::kind::Kind;
use crate::values::tag::Tag;
use crate::values::unique_id::{self, Prefix};

/// A user as it is stored, under its account and unique id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) identity: Identity,
    pub(crate) created: Timestamp,
    pub(crate) tags: Vec<Tag>,
    /// The ARN of the permissions boundary.
    pub(crate) boundary: Option<String>,
    /// The ARNs of the attached managed policies, in the order they were attached.
    pub(crate) attached: Vec<String>,
    /// The unique ids of the groups the user is in.
    pub(crate) groups: Vec<String>,
    /// The ids of the user's access keys.
    pub(crate) access_keys: Vec<String>,
}

impl Record for User {
    const COLLECTION: &'static str = "iam.user";
}

impl Entity for User {
    const KIND: Kind = Kind::User;

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn identity_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

impl Tagged for User {
    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }
}

impl Holder for User {
    const INLINE_SIZE_MAX: usize = 2048;
    const ATTACHED_QUOTA: &'static str = "PoliciesPerUser";

    fn attached(&self) -> &[String] {
        &self.attached
    }

    fn attached_mut(&mut self) -> &mut Vec<String> {
        &mut self.attached
    }

    fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }
}

impl User {
    /// A user without anything yet.
    pub(crate) fn new(account: &str, path: &str, name: &str, created: Timestamp) -> Self {
        Self {
            identity: Identity {
                account: account.to_owned(),
                id: unique_id::generate(Prefix::User),
                path: path.to_owned(),
                name: name.to_owned(),
            },
            created,
            tags: Vec::new(),
            boundary: None,
            attached: Vec::new(),
            groups: Vec::new(),
            access_keys: Vec::new(),
        }
    }
}

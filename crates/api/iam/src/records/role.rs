//! Roles as they are stored.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::Timestamp;

use crate::records::entity::{Entity, Holder, Identity, Tagged};
use crate::records::trust::Trust;
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::tag::Tag;

/// How long a session of a role lasts at most unless the role says otherwise, in seconds.
pub(crate) const SESSION_SECONDS_DEFAULT: u32 = 3600;

/// A role as it is stored, under its account and unique id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) identity: Identity,
    pub(crate) created: Timestamp,
    pub(crate) description: Option<String>,
    pub(crate) trust: Trust,
    /// How long a session can last, in seconds.
    pub(crate) session_seconds_max: u32,
    pub(crate) tags: Vec<Tag>,
    /// The ARN of the permissions boundary.
    pub(crate) boundary: Option<String>,
    /// The ARNs of the attached managed policies, in the order they were attached.
    pub(crate) attached: Vec<String>,
}

impl Record for Role {
    const COLLECTION: &'static str = "iam.role";
}

impl Entity for Role {
    const KIND: Kind = Kind::Role;

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

impl Tagged for Role {
    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }
}

impl Holder for Role {
    const INLINE_SIZE_MAX: usize = 10_240;
    const ATTACHED_QUOTA: &'static str = "PoliciesPerRole";

    fn attached(&self) -> &[String] {
        &self.attached
    }

    fn attached_mut(&mut self) -> &mut Vec<String> {
        &mut self.attached
    }

    fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }

    fn check_unprotected(&self) -> Result<()> {
        if self.is_protected() { Err(IamError::ProtectedRole { name: self.identity.name.clone() }) } else { Ok(()) }
    }
}

/// The paths of roles that belong to services begin with this.
pub(crate) const SERVICE_PATH: &str = "/aws-service-role/";

impl Role {
    /// Whether it belongs to a service.
    pub(crate) fn is_protected(&self) -> bool {
        self.identity.path.starts_with(SERVICE_PATH)
    }
}

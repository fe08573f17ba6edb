//! Instance profiles as they are stored.
//!
//! A profile's record names its role; a record for each pair leads from the role back. The two change together.

use serde::{Deserialize, Serialize};
use store::{ReadTx, Record};
use wire::Timestamp;

use crate::records::entity::{Entity, Identity, Tagged};
use crate::values::error::Result;
use crate::values::kind::Kind;
use crate::values::tag::Tag;

/// An instance profile as it is stored, under its account and unique id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct InstanceProfile {
    pub(crate) identity: Identity,
    pub(crate) created: Timestamp,
    pub(crate) tags: Vec<Tag>,
    /// The unique ids of its roles.
    pub(crate) roles: Vec<String>,
}

impl Record for InstanceProfile {
    const COLLECTION: &'static str = "iam.instance-profile";
}

impl Entity for InstanceProfile {
    const KIND: Kind = Kind::InstanceProfile;

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

impl Tagged for InstanceProfile {
    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }
}

/// A profile that has a role, under the role's unique id and the profile's.
#[derive(Serialize, Deserialize)]
pub(crate) struct ProfileOfRole {
    pub(crate) profile: String,
}

impl Record for ProfileOfRole {
    const COLLECTION: &'static str = "iam.profile-of-role";
}

/// The profiles of a role, in the order of their names.
pub(crate) fn of_role(tx: &ReadTx<'_>, role: &Identity) -> Result<Vec<InstanceProfile>> {
    let mut profiles = Vec::new();
    for entry in tx.all::<ProfileOfRole>(&role.id)? {
        profiles.extend(tx.get::<InstanceProfile>(&role.account, &entry.profile)?);
    }
    profiles.sort_by(|a, b| a.identity.name.cmp(&b.identity.name));
    Ok(profiles)
}

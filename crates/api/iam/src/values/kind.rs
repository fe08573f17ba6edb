//! The kinds of things that have a name, a path and an ARN, and how messages call them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of things that IAM names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A user.
    User,
    /// A group of users.
    Group,
    /// A role.
    Role,
    /// A managed policy.
    Policy,
    /// An instance profile.
    #[serde(rename = "instance-profile")]
    InstanceProfile,
}

impl Kind {
    /// As it stands in ARNs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InstanceProfile => "instance-profile",
            kind => kind.as_words(),
        }
    }

    /// As refusals call it.
    #[must_use]
    pub const fn as_words(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
            Self::Policy => "policy",
            Self::InstanceProfile => "instance profile",
        }
    }

    /// As it stands at the beginning of a message that says it is missing.
    pub(crate) fn with_name(self, name: &str) -> String {
        match self {
            Self::InstanceProfile => format!("Instance Profile {name}"),
            kind => format!("The {kind} with name {name}"),
        }
    }

    /// As it stands at the beginning of a message that says it exists.
    pub(crate) fn taken(self, name: &str) -> String {
        match self {
            Self::InstanceProfile => format!("Instance Profile {name}"),
            kind => format!("{} with name {name}", kind.capitalised()),
        }
    }

    /// As it stands at the beginning of a message.
    #[must_use]
    pub const fn capitalised(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Role => "Role",
            Self::Policy => "Policy",
            Self::InstanceProfile => "Instance Profile",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

//! IAM and STS: who there is in an account, what they may do, and how they prove who they are.
//!
//! Owns users, groups, roles, policies and credentials; authenticates every call and decides whether it may be made.
//! Refuses to know what the other services' resources are: they hand in their policies with each need.
//!
//! Folders import downwards: values, records, resources, policies, principals, credentials, authority, reports, accounts,
//! sts. `directory` is the service's state, `operations` its table.

mod accounts;
mod authority;
mod credentials;
mod directory;
mod operations;
mod policies;
mod principals;
mod records;
mod reports;
mod resources;
mod sts;
mod values;

pub use accounts::bootstrap::{FirstAdministrator, bootstrap, end_first_start, unfinished_first_start};
pub use accounts::operator::{Handover, create_account, recover};
pub use accounts::seed::{SeedAccessKey, SeedAccount, SeedGroup, SeedPolicy, SeedRole, SeedUser, seed};
pub use accounts::service_control::{clear_service_control, service_control, set_service_control};
pub use directory::Iam;
pub use records::account::{Account, accounts};
pub use sts::Sts;
pub use values::error::{Conflict, IamError, Quota};
pub use values::kind::Kind;
pub use values::secret::SecretAccessKey;

#[cfg(test)]
mod tests;

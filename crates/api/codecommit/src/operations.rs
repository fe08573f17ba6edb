//! The table of operations: the only list of them. `GitPull` and `GitPush` have no API and are performed for clients of
//! Git.

use service::Entry;

use crate::{CodeCommit, repository};

/// Every operation that CodeCommit serves.
pub(crate) static TABLE: &[Entry<CodeCommit>] = service::operations![
    repository::get::BatchGetRepositories,
    repository::create::CreateRepository,
    repository::delete::DeleteRepository,
    repository::get::GetRepository,
    repository::list::ListRepositories,
    repository::update::UpdateRepositoryDescription,
    repository::update::UpdateRepositoryEncryptionKey,
    repository::update::UpdateRepositoryName,
];

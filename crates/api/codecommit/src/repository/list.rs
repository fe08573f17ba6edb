//! `ListRepositories`.

use service::{Account, AuditClass, Call, Permit, ResourceOperation, Window};

use crate::CodeCommit;
use crate::error::CodeCommitError;
use crate::record::{RepositoryRecord, domain};
use crate::rules::TOKEN;

/// How many repositories a page has.
const PAGE: usize = 1000;

wire::text_enum! {
    /// The sort key of a list.
    pub(crate) enum SortBy { RepositoryName = "repositoryName", LastModifiedDate = "lastModifiedDate" }
}

wire::text_enum! {
    /// The direction of a list.
    pub(crate) enum Order { Ascending = "ascending", Descending = "descending" }
}

wire::shape! {
    pub(crate) struct ListRepositoriesInput {
        "nextToken" next_token: String, optional, [TOKEN];
        "sortBy" sort_by: SortBy, optional, [];
        "order" order: Order, optional, [];
    }
}

wire::output! {
    /// A repository in a list.
    pub(crate) struct RepositoryNameIdPair {
        "repositoryName" repository_name: String, required;
        "repositoryId" repository_id: String, required;
    }
}

wire::output! {
    pub(crate) struct ListRepositoriesOutput {
        "repositories" repositories: Vec<RepositoryNameIdPair>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the repositories of the account in the Region.
pub(crate) struct ListRepositories;

impl ResourceOperation for ListRepositories {
    type On = Account<CodeCommit>;
    const NAME: &'static str = "ListRepositories";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListRepositoriesInput;
    type Output = ListRepositoriesOutput;

    fn key(_: &Self::Input) {}

    async fn run(
        input: Self::Input,
        _: &Permit<Account<CodeCommit>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let domain = domain(call.account(), call.region);
        let mut found = call.service.store.read(move |tx| tx.all::<RepositoryRecord>(&domain)).await?;
        match input.sort_by.unwrap_or(SortBy::RepositoryName) {
            SortBy::RepositoryName => found.sort_by(|a, b| a.name.cmp(&b.name)),
            SortBy::LastModifiedDate => found.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name))),
        }
        if input.order == Some(Order::Descending) {
            found.reverse();
        }
        let page = Window::new(input.next_token, None::<i32>, PAGE, PAGE).by_count(found)?;
        let page = page.map(|record| RepositoryNameIdPair { repository_name: record.name, repository_id: record.id });
        Ok(ListRepositoriesOutput { repositories: page.items, next_token: page.next })
    }
}

//! `GetPullRequest` and `ListPullRequests`.

use std::ops::Bound;

use service::{AuditClass, Call, Permit, ResourceOperation, Window};
use store::ReadTx;
use wire::Arn;
use wire::shape::Rule;

use super::{PullRequestInput, PullRequestOutput};
use crate::CodeCommit;
use crate::access::{Opened, Pull};
use crate::error::{CodeCommitError, Refusal};
use crate::record::pull_request::{PullRequestEntry, PullRequestStatus, author_digest, number_of};
use crate::rules::{MAX_RESULTS, NAME, NAME_PATTERN, TOKEN};

/// How many pull requests a page has.
const PAGE: usize = 100;

/// How many pull requests a page has at most.
const PAGE_MAX: usize = 1000;

/// How many entries are read at once.
const BATCH: usize = 1000;

/// Gets a pull request.
pub(crate) struct GetPullRequest;

impl ResourceOperation for GetPullRequest {
    type On = Pull<true>;
    const NAME: &'static str = "GetPullRequest";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = PullRequestInput;
    type Output = PullRequestOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        _: Self::Input,
        found: &Permit<Pull<true>>,
        _: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        Ok(PullRequestOutput::of(found.record.clone(), &found.repository.name))
    }
}

wire::shape! {
    pub(crate) struct ListPullRequestsInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "authorArn" author: String, optional, [Rule::Length(1, 2048)];
        "pullRequestStatus" status: PullRequestStatus, optional, [];
        "nextToken" next_token: String, optional, [TOKEN];
        "maxResults" max_results: i32, optional, [MAX_RESULTS];
    }
}

wire::output! {
    pub(crate) struct ListPullRequestsOutput {
        "pullRequestIds" ids: Vec<String>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the pull requests of a repository, the latest first.
pub(crate) struct ListPullRequests;

impl ResourceOperation for ListPullRequests {
    type On = Opened;
    const NAME: &'static str = "ListPullRequests";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListPullRequestsInput;
    type Output = ListPullRequestsOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        let valid = input.author.as_ref().is_none_or(|author| author.parse::<Arn>().is_ok());
        if valid { Ok(()) } else { Err(Refusal::InvalidAuthorArn.into()) }
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let size = Window::new(None, input.max_results, PAGE, PAGE_MAX).size();
        let author = input.author.as_deref().map(author_digest);
        let open = input.status.map(|status| status == PullRequestStatus::Open);
        let listing = format!("{author:?}{open:?}").into_bytes();
        let id = found.id.clone();
        let wanted = move |entry: &PullRequestEntry| {
            open.is_none_or(|open| entry.open == open) && author.as_ref().is_none_or(|author| *author == entry.author)
        };
        let page = move |tx: &ReadTx<'_>| {
            let index = tx.index::<PullRequestEntry>(&id)?;
            let mut after = input.next_token.map(|token| index.open_token(&listing, &token)).transpose()?;
            let (mut ids, mut last) = (Vec::new(), None);
            loop {
                let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
                let found = index.range(&[], from, BATCH)?;
                after = found.items.last().map(|(key, _)| key.clone());
                for (key, _) in found.items.into_iter().filter(|(_, entry)| wanted(entry)) {
                    if ids.len() == size {
                        let next_token = last.map(|last: Vec<u8>| index.token(&listing, &last));
                        return Ok(ListPullRequestsOutput { ids, next_token });
                    }
                    ids.extend(number_of(&key).map(|number| number.to_string()));
                    last = Some(key);
                }
                if !found.more {
                    return Ok::<_, CodeCommitError>(ListPullRequestsOutput { ids, next_token: None });
                }
            }
        };
        call.service.store.read(page).await
    }
}

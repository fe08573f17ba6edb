//! `CreatePullRequest`.

use git::Repository;
use git_object::ObjectId;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::Tx;
use wire::SecretText;
use wire::shape::Rule;

use super::{DESCRIPTION, PullRequestOutput, TITLE};
use crate::CodeCommit;
use crate::access::{Named, Opened, need_of_name};
use crate::content::{Reader, blocking, branch_name, full_branch, merge_base};
use crate::error::{CodeCommitError, Refusal};
use crate::record::pull_request::{
    EventRecord, OpenEntry, PullRequestCounter, PullRequestRecord, PullRequestStatus, RuleRecord,
};
use crate::record::rule::{Of, RuleContent};
use crate::record::template::TemplateRecord;
use crate::record::{RepositoryRecord, Tokened};
use crate::rules::{NAME, NAME_PATTERN};

/// How many open pull requests a repository has at most.
const OPEN_MAX: usize = 1000;

wire::shape! {
    /// The branches of a pull request.
    pub(crate) struct Target {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "sourceReference" source: String, required, [Rule::Length(1, 300)];
        "destinationReference" destination: String, optional, [Rule::Length(1, 300)];
    }
}

wire::shape! {
    pub(crate) struct CreatePullRequestInput {
        "title" title: SecretText, required, [TITLE];
        "description" description: SecretText, optional, [DESCRIPTION];
        "targets" targets: Vec<Target>, required, [];
        "clientRequestToken" token: String, optional, [];
    }
}

/// Opens a pull request.
pub(crate) struct CreatePullRequest;

const ACTION: &str = "codecommit:CreatePullRequest";

impl Operation for CreatePullRequest {
    type Service = CodeCommit;
    const NAME: &'static str = "CreatePullRequest";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreatePullRequestInput;
    type Output = PullRequestOutput;
    type Target = Named;

    async fn find(input: &Self::Input, call: &Call<'_, CodeCommit>) -> Result<Named, CodeCommitError> {
        let target = match &input.targets[..] {
            [] => return Err(Refusal::TargetsRequired.into()),
            [target] => target,
            _ => return Err(Refusal::MultipleRepositoriesInPullRequest.into()),
        };
        let name = &target.repository_name;
        let found = Named::look_up(name, call).await?;
        found.ok_or_else(|| Refusal::RepositoryDoesNotExist { name: name.clone() }.into())
    }

    fn needs<'n>(input: &'n Self::Input, found: Option<&'n Named>, call: &'n Call<'_, CodeCommit>) -> Vec<Need<'n>> {
        let needs: Vec<_> = match found {
            Some(found) => vec![found.need_of(ACTION)],
            None => input.targets.iter().map(|target| need_of_name(&target.repository_name, ACTION, call)).collect(),
        };
        if needs.is_empty() { vec![Need::identity(ACTION, "*")] } else { needs }
    }

    async fn run(
        input: Self::Input,
        found: Permit<Named>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let mut opened = Opened::sealed(found.into_inner());
        opened.open(call).await?;
        let CreatePullRequestInput { title, description, targets, token } = input;
        let target = targets.into_iter().next().ok_or(Refusal::TargetsRequired)?;
        if title.0.trim().is_empty() {
            return Err(Refusal::TitleRequired.into());
        }
        let author = call.caller.principal.arn.to_string();
        let destination = target.destination.clone().unwrap_or_default();
        let description = description.map(|text| text.0.to_string()).filter(|text| !text.is_empty());
        let parts = [&*title.0, description.as_deref().unwrap_or_default(), &opened.id, &target.source, &destination];
        let tokened = Tokened::new(&opened.domain(), (Self::NAME, &author), token.as_deref(), &parts)?;

        let git = opened.git(call).await?;
        let source = branch(&git, &target.source)?;
        let head = branch_name(git.head()).unwrap_or_default().to_owned();
        let destination = branch(&git, target.destination.as_deref().unwrap_or(&head))?;
        if source.0 == destination.0 {
            return Err(Refusal::SourceAndDestinationAreSame.into());
        }
        let reader = Reader::new(&git);
        let (one, other) = (source.1, destination.1);
        let base = blocking(move || merge_base(&reader, &one, &other)).await?;
        let mut record = PullRequestRecord {
            id: 0,
            account: opened.account.clone(),
            region: opened.region.clone(),
            repository_id: opened.id.clone(),
            title: title.0.to_string(),
            description,
            status: PullRequestStatus::Open,
            author: author.clone(),
            created: call.now,
            active: call.now,
            source: source.0,
            destination: destination.0,
            source_commit: source.1.to_string(),
            destination_commit: destination.1.to_string(),
            merge_base: base.map(|base| base.to_string()),
            merge: None,
            token,
            revision: String::new(),
            rules: Vec::new(),
            approvals: Vec::new(),
            overrider: None,
            events: 0,
        };
        record.begin_revision();
        let made = move |tx: &mut Tx<'_>| insert(tx, record, tokened);
        let record = call.write(&call.service.store, made).await?;
        Ok(PullRequestOutput::of(record, &opened.name))
    }
}

/// The full name and the tip of a branch, which callers may name either way.
fn branch(git: &Repository, text: &str) -> Result<(String, ObjectId), CodeCommitError> {
    let name = if text.starts_with("refs/") { text.to_owned() } else { full_branch(text) };
    if git_object::refname::check(name.as_bytes()).is_err() {
        return Err(Refusal::InvalidReferenceName { name: text.to_owned() }.into());
    }
    if branch_name(&name).is_none() {
        return Err(Refusal::ReferenceTypeNotSupported { name }.into());
    }
    match git.reference(&name) {
        Some(tip) => Ok((name, tip)),
        None => Err(Refusal::ReferenceDoesNotExist { name }.into()),
    }
}

/// Writes a new pull request with the rules of its repository's templates, unless the same request made it before.
fn insert(
    tx: &mut Tx<'_>,
    mut record: PullRequestRecord,
    tokened: Option<Tokened>,
) -> Result<PullRequestRecord, CodeCommitError> {
    let domain = record.domain();
    if let Some(made) = tokened.as_ref().map(|tokened| tokened.made(tx)).transpose()?.flatten() {
        let known = tx.get::<PullRequestRecord>(&domain, &made)?;
        return known.ok_or_else(|| Refusal::PullRequestDoesNotExist { id: made }.into());
    }
    // Each is there twice, by its source and by its destination.
    let open = tx.index::<OpenEntry>(&record.repository_id)?;
    if open.range(&[], std::ops::Bound::Unbounded, 2 * OPEN_MAX)?.items.len() >= 2 * OPEN_MAX {
        return Err(Refusal::MaximumOpenPullRequestsExceeded { most: OPEN_MAX }.into());
    }
    let last = tx.get::<PullRequestCounter>(&domain, "")?.map_or(0, |counter| counter.last);
    record.id = last + 1;
    tx.put(&domain, "", &PullRequestCounter { last: record.id })?;

    let repository = tx.get::<RepositoryRecord>(&domain, &record.repository_id)?;
    let missing = || Refusal::RepositoryDoesNotExist { name: record.repository_id.clone() };
    let (author, now) = (record.author.clone(), record.created);
    let created = EventRecord::Created {
        source: record.source_commit.clone(),
        destination: record.destination_commit.clone(),
        base: record.merge_base.clone(),
    };
    for id in repository.ok_or_else(missing)?.templates {
        let Some(template) = tx.get::<TemplateRecord>(&domain, &id)? else { continue };
        let content = RuleContent::parse(&template.content, Of::Template);
        if let Some(content) = content.filter(|content| content.is_for(&record.destination)) {
            record.rules.push(RuleRecord {
                id: uuid::Uuid::new_v4().to_string(),
                name: template.name.clone(),
                content: content.of_rule(),
                created: now,
                modified: now,
                modified_by: author.clone(),
                template: Some((template.id, template.name)),
            });
        }
    }
    record.add_event(tx, created, &author, now)?;
    for rule in record.rules.clone() {
        let event = EventRecord::RuleCreated { id: rule.id, name: rule.name, content: rule.content };
        record.add_event(tx, event, &author, now)?;
    }
    record.put(tx)?;
    if let Some(tokened) = tokened {
        tokened.note(tx, &record.repository_id, &record.id.to_string())?;
    }
    Ok(record)
}

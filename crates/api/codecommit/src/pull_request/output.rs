//! A pull request as answers show it.

use wire::Timestamp;

use crate::record::pull_request::{MergeOption, Merged, PullRequestRecord, PullRequestStatus, RuleRecord};
use crate::record::rule::digest;

wire::output! {
    /// How a pull request was merged.
    pub(crate) struct MergeMetadata {
        "isMerged" is_merged: bool, required;
        "mergedBy" merged_by: String, optional;
        "mergeCommitId" merge_commit_id: String, optional;
        "mergeOption" merge_option: MergeOption, optional;
    }
}

wire::output! {
    /// The branches of a pull request.
    pub(crate) struct PullRequestTarget {
        "repositoryName" repository_name: String, required;
        "sourceReference" source_reference: String, required;
        "destinationReference" destination_reference: String, required;
        "destinationCommit" destination_commit: String, required;
        "sourceCommit" source_commit: String, required;
        "mergeBase" merge_base: String, optional;
        "mergeMetadata" merge_metadata: MergeMetadata, required;
    }
}

wire::output! {
    /// The template that a rule was made by.
    pub(crate) struct OriginApprovalRuleTemplate {
        "approvalRuleTemplateId" id: String, required;
        "approvalRuleTemplateName" name: String, required;
    }
}

wire::output! {
    /// An approval rule.
    pub(crate) struct ApprovalRule {
        "approvalRuleId" id: String, required;
        "approvalRuleName" name: String, required;
        "approvalRuleContent" content: String, required;
        "ruleContentSha256" sha256: String, required;
        "lastModifiedDate" modified: Timestamp, required;
        "creationDate" created: Timestamp, required;
        "lastModifiedUser" modified_by: String, required;
        "originApprovalRuleTemplate" template: OriginApprovalRuleTemplate, optional;
    }
}

wire::output! {
    /// A pull request.
    pub(crate) struct PullRequest {
        "pullRequestId" id: String, required;
        "title" title: String, required;
        "description" description: String, optional;
        "lastActivityDate" active: Timestamp, required;
        "creationDate" created: Timestamp, required;
        "pullRequestStatus" status: PullRequestStatus, required;
        "authorArn" author: String, required;
        "pullRequestTargets" targets: Vec<PullRequestTarget>, required;
        "clientRequestToken" token: String, optional;
        "revisionId" revision: String, required;
        "approvalRules" rules: Vec<ApprovalRule>, required;
    }
}

wire::output! {
    /// An output that is a pull request.
    pub(crate) struct PullRequestOutput {
        "pullRequest" pull_request: PullRequest, required;
    }
}

impl From<Option<Merged>> for MergeMetadata {
    fn from(merged: Option<Merged>) -> Self {
        match merged {
            None => Self { is_merged: false, merged_by: None, merge_commit_id: None, merge_option: None },
            Some(Merged { by, commit, option }) => {
                Self { is_merged: true, merged_by: Some(by), merge_commit_id: commit, merge_option: option }
            }
        }
    }
}

impl From<RuleRecord> for ApprovalRule {
    fn from(record: RuleRecord) -> Self {
        Self {
            id: record.id,
            name: record.name,
            sha256: digest(&record.content),
            content: record.content,
            modified: record.modified,
            created: record.created,
            modified_by: record.modified_by,
            template: record.template.map(|(id, name)| OriginApprovalRuleTemplate { id, name }),
        }
    }
}

impl PullRequestOutput {
    /// The pull request of a record, of a repository of that name.
    pub(crate) fn of(record: PullRequestRecord, repository_name: &str) -> Self {
        let target = PullRequestTarget {
            repository_name: repository_name.to_owned(),
            source_reference: record.source,
            destination_reference: record.destination,
            destination_commit: record.destination_commit,
            source_commit: record.source_commit,
            merge_base: record.merge_base,
            merge_metadata: record.merge.into(),
        };
        let pull_request = PullRequest {
            id: record.id.to_string(),
            title: record.title,
            description: record.description,
            active: record.active,
            created: record.created,
            status: record.status,
            author: record.author,
            targets: vec![target],
            token: record.token,
            revision: record.revision,
            rules: record.rules.into_iter().map(ApprovalRule::from).collect(),
        };
        Self { pull_request }
    }
}

//! The error of each member that is missing or breaks a constraint: CodeCommit has its own for nearly all of them.
//!
//! Source: the operations' lists of errors in the AWS CodeCommit API Reference.

use wire::Fault;
use wire::shape::{Breach, Wrong};

/// The errors of a member: when it is missing, when its value is not valid, when it has too many elements.
struct Row {
    member: &'static str,
    /// The operations that the row is for, by what their names begin with; all of them if it is empty.
    operation: &'static str,
    missing: &'static str,
    value: &'static str,
    count: &'static str,
}

macro_rules! rows {
    ($($member:literal $(of $operation:literal)? : $missing:ident, $value:ident $(, $count:ident)?;)*) => {
        &[$(Row {
            member: $member,
            operation: concat!($($operation)?),
            missing: concat!(stringify!($missing), "Exception"),
            value: concat!(stringify!($value), "Exception"),
            count: rows!(@count $value $($count)?),
        },)*]
    };
    (@count $value:ident) => { concat!(stringify!($value), "Exception") };
    (@count $value:ident $count:ident) => { concat!(stringify!($count), "Exception") };
}

/// The first row that fits decides. Members that AWS never misses have the error of a bad value in both places.
const ROWS: &[Row] = rows! {
    "repositoryName": RepositoryNameRequired, InvalidRepositoryName;
    "oldName": RepositoryNameRequired, InvalidRepositoryName;
    "newName": RepositoryNameRequired, InvalidRepositoryName;
    "repositoryNames": RepositoryNamesRequired, InvalidRepositoryName, MaximumRepositoryNamesExceeded;
    "repositoryDescription": InvalidRepositoryDescription, InvalidRepositoryDescription;
    "kmsKeyId": EncryptionKeyRequired, EncryptionKeyInvalidId;
    "sortBy": InvalidSortBy, InvalidSortBy;
    "order": InvalidOrder, InvalidOrder;
    "nextToken": InvalidContinuationToken, InvalidContinuationToken;
    "NextToken": InvalidContinuationToken, InvalidContinuationToken;
    "maxResults": InvalidMaxResults, InvalidMaxResults;
    "MaxResults": InvalidMaxResults, InvalidMaxResults;
    "resourceArn": ResourceArnRequired, InvalidResourceArn;
    "tags": TagsMapRequired, InvalidTagsMap, TooManyTags;
    "tagKeys": TagKeysListRequired, InvalidTagKeysList, TooManyTags;

    "branchName": BranchNameRequired, InvalidBranchName;
    "defaultBranchName": BranchNameRequired, InvalidBranchName;
    "targetBranch": InvalidTargetBranch, InvalidTargetBranch;
    "commitId": CommitIdRequired, InvalidCommitId;
    "commitIds": CommitIdsListRequired, InvalidCommitId, CommitIdsLimitExceeded;
    "beforeCommitId": CommitIdRequired, InvalidCommitId;
    "afterCommitId": CommitIdRequired, InvalidCommitId;
    "sourceCommitId": CommitIdRequired, InvalidCommitId;
    "parentCommitId": ParentCommitIdRequired, InvalidParentCommitId;
    "commitSpecifier": CommitRequired, InvalidCommit;
    "sourceCommitSpecifier": CommitRequired, InvalidCommit;
    "destinationCommitSpecifier": CommitRequired, InvalidCommit;
    "beforeCommitSpecifier": CommitRequired, InvalidCommit;
    "afterCommitSpecifier": CommitRequired, InvalidCommit;
    "blobId": BlobIdRequired, InvalidBlobId;
    "beforeBlobId": BlobIdRequired, InvalidBlobId;
    "afterBlobId": BlobIdRequired, InvalidBlobId;
    "filePath": PathRequired, InvalidPath;
    "folderPath": PathRequired, InvalidPath;
    "beforePath": PathRequired, InvalidPath;
    "afterPath": PathRequired, InvalidPath;
    "filePaths": PathRequired, InvalidPath;

    "name" of "PutFile": NameLengthExceeded, NameLengthExceeded;
    "name" of "DeleteFile": NameLengthExceeded, NameLengthExceeded;
    "authorName": NameLengthExceeded, NameLengthExceeded;
    "email": InvalidEmail, InvalidEmail;
    "commitMessage": CommitMessageLengthExceeded, CommitMessageLengthExceeded;
    "fileContent": FileContentRequired, FileContentSizeLimitExceeded;
    "fileMode": FileModeRequired, InvalidFileMode;
    "putFiles": FileEntryRequired, FileEntryRequired, MaximumFileEntriesExceeded;
    "deleteFiles" of "CreateCommit": FileEntryRequired, FileEntryRequired, MaximumFileEntriesExceeded;
    "setFileModes" of "CreateCommit": FileEntryRequired, FileEntryRequired, MaximumFileEntriesExceeded;

    "mergeOption": MergeOptionRequired, InvalidMergeOption;
    "conflictDetailLevel": InvalidConflictDetailLevel, InvalidConflictDetailLevel;
    "conflictResolutionStrategy": InvalidConflictResolutionStrategy, InvalidConflictResolutionStrategy;
    "conflictResolution": InvalidConflictResolution, InvalidConflictResolution;
    "replaceContents": InvalidConflictResolution, InvalidConflictResolution, MaximumConflictResolutionEntriesExceeded;
    "deleteFiles": InvalidConflictResolution, InvalidConflictResolution, MaximumConflictResolutionEntriesExceeded;
    "setFileModes": InvalidConflictResolution, InvalidConflictResolution, MaximumConflictResolutionEntriesExceeded;
    "replacementType": ReplacementTypeRequired, InvalidReplacementType;
    "content" of "Merge": ReplacementContentRequired, InvalidReplacementContent;
    "content" of "CreateUnreferencedMergeCommit": ReplacementContentRequired, InvalidReplacementContent;
    "maxMergeHunks": InvalidMaxMergeHunks, InvalidMaxMergeHunks;
    "maxConflictFiles": InvalidMaxConflictFiles, InvalidMaxConflictFiles;

    "pullRequestId": PullRequestIdRequired, InvalidPullRequestId;
    "title": TitleRequired, InvalidTitle;
    "description": InvalidDescription, InvalidDescription;
    "targets": TargetsRequired, InvalidTargets;
    "sourceReference": ReferenceNameRequired, InvalidReferenceName;
    "destinationReference": ReferenceNameRequired, InvalidReferenceName;
    "pullRequestStatus": PullRequestStatusRequired, InvalidPullRequestStatus;
    "pullRequestEventType": InvalidPullRequestEventType, InvalidPullRequestEventType;
    "actorArn": InvalidActorArn, InvalidActorArn;
    "authorArn": InvalidAuthorArn, InvalidAuthorArn;
    "revisionId": RevisionIdRequired, InvalidRevisionId;
    "approvalState": ApprovalStateRequired, InvalidApprovalState;
    "overrideStatus": OverrideStatusRequired, InvalidOverrideStatus;
    "clientRequestToken": ClientRequestTokenRequired, InvalidClientRequestToken;

    "approvalRuleName": ApprovalRuleNameRequired, InvalidApprovalRuleName;
    "approvalRuleContent": ApprovalRuleContentRequired, InvalidApprovalRuleContent;
    "newRuleContent" of "UpdatePullRequest": ApprovalRuleContentRequired, InvalidApprovalRuleContent;
    "newRuleContent": ApprovalRuleTemplateContentRequired, InvalidApprovalRuleTemplateContent;
    "existingRuleContentSha256": InvalidRuleContentSha256, InvalidRuleContentSha256;
    "approvalRuleTemplateName": ApprovalRuleTemplateNameRequired, InvalidApprovalRuleTemplateName;
    "oldApprovalRuleTemplateName": ApprovalRuleTemplateNameRequired, InvalidApprovalRuleTemplateName;
    "newApprovalRuleTemplateName": ApprovalRuleTemplateNameRequired, InvalidApprovalRuleTemplateName;
    "approvalRuleTemplateContent": ApprovalRuleTemplateContentRequired, InvalidApprovalRuleTemplateContent;
    "approvalRuleTemplateDescription": InvalidApprovalRuleTemplateDescription, InvalidApprovalRuleTemplateDescription;

    "commentId": CommentIdRequired, InvalidCommentId;
    "inReplyTo": CommentIdRequired, InvalidCommentId;
    "content": CommentContentRequired, CommentContentSizeLimitExceeded;
    "filePosition": InvalidFilePosition, InvalidFilePosition;
    "relativeFileVersion": InvalidRelativeFileVersionEnum, InvalidRelativeFileVersionEnum;
    "reactionValue": ReactionValueRequired, InvalidReactionValue;
    "reactionUserArn": InvalidReactionUserArn, InvalidReactionUserArn;

    "triggers": RepositoryTriggersListRequired, RepositoryTriggersListRequired, MaximumRepositoryTriggersExceeded;
    "name": RepositoryTriggerNameRequired, InvalidRepositoryTriggerName;
    "destinationArn": RepositoryTriggerDestinationArnRequired, InvalidRepositoryTriggerDestinationArn;
    "customData": InvalidRepositoryTriggerCustomData, InvalidRepositoryTriggerCustomData;
    "branches": RepositoryTriggerBranchNameListRequired, InvalidRepositoryTriggerBranchName, MaximumBranchesExceeded;
    "events": RepositoryTriggerEventsListRequired, InvalidRepositoryTriggerEvents;
};

/// The fault of a member of an operation's input.
pub(crate) fn fault_of(operation: &str, breach: Breach) -> Option<Fault> {
    let row = ROWS.iter().find(|row| row.member == breach.member && operation.starts_with(row.operation))?;
    let member = row.member;
    Some(match breach.wrong {
        Wrong::Missing => Fault::sender(row.missing, format!("A value for {member} is required.")),
        Wrong::Value => Fault::sender(row.value, format!("The value of {member} is not valid.")),
        Wrong::Count => Fault::sender(row.count, format!("The number of elements of {member} is not valid.")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_means_different_things_has_the_error_of_its_operation() {
        let code = |operation, member, wrong| fault_of(operation, Breach { member, wrong }).map(|fault| fault.code);
        for (operation, member, wrong, expected) in [
            ("PutFile", "name", Wrong::Value, "NameLengthExceededException"),
            ("PutRepositoryTriggers", "name", Wrong::Missing, "RepositoryTriggerNameRequiredException"),
            ("PostCommentReply", "content", Wrong::Missing, "CommentContentRequiredException"),
            ("MergeBranchesBySquash", "content", Wrong::Value, "InvalidReplacementContentException"),
            ("CreateCommit", "deleteFiles", Wrong::Count, "MaximumFileEntriesExceededException"),
            ("GetRepository", "repositoryName", Wrong::Count, "InvalidRepositoryNameException"),
        ] {
            assert_eq!(code(operation, member, wrong), Some(expected), "{operation} {member}");
        }
        assert_eq!(code("GetBlobDifferences", "contextLines", Wrong::Value), None);
    }
}

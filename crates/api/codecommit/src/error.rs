//! Errors of CodeCommit's operations.
//!
//! A refusal is one outcome and its facts. Faults of KMS become those that CodeCommit has for them. Causes go to the log.

mod key_fault;

use git::GitError;
use service::ServiceError;
use store::StoreError;
use wire::{CommonFault, Fault, Protocol};

pub use key_fault::KeyFault;

/// Declares the refusals: the name of each, which is its code without `Exception`, its facts and its message.
macro_rules! refusals {
    ($($name:ident $({ $($fact:ident : $kind:ty),* })? = $message:literal,)*) => {
        /// A request that is not done, and why: named as in AWS's API, without `Exception`.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[allow(missing_docs, reason = "the names are AWS's own and documented there; a fact is named by its field")]
        pub enum Refusal {
            $(#[error($message)] $name $({ $($fact: $kind),* })?,)*
        }

        impl Refusal {
            /// The error's name in the protocol.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => concat!(stringify!($name), "Exception"),)*
                }
            }
        }
    };
}

refusals! {
    RepositoryDoesNotExist { name: String } = "{name} does not exist",
    RepositoryNameExists { name: String } = "Repository named {name} already exists",
    RepositoryNameRequired = "The name of a repository is required.",
    RepositoryNamesRequired = "At least one repository name is required.",
    MaximumRepositoryNamesExceeded { most: usize } = "At most {most} repository names can be given at once.",
    InvalidRepositoryName { name: String } =
        "{name} is no name for a repository: it has 1 to 100 letters, digits, periods, underscores and dashes, and does \
         not end in .git",
    RepositoryLimitExceeded { most: usize } = "The account has {most} repositories in this Region, as many as it can have.",
    OperationNotAllowed { reason: &'static str } = "The operation is not allowed: {reason}.",
    TooManyTags { most: usize } = "A repository can have {most} tags.",
    InvalidTagsMap = "Keys of tags have 1 to 128 characters, values at most 256, and no two keys differ in case only.",
    InvalidSystemTagUsage = "Keys of tags do not begin with aws:.",
    InvalidResourceArn = "The ARN is not one of a repository in this account and Region.",
    TagKeysListRequired = "At least one key of a tag is required.",

    ApprovalRuleTemplateDoesNotExist { name: String } = "There is no approval rule template named {name}",
    ApprovalRuleTemplateNameAlreadyExists { name: String } = "There is an approval rule template named {name} already",
    ApprovalRuleTemplateInUse { name: String } = "{name} is associated with at least one repository",
    InvalidApprovalRuleTemplateContent = "The content of the approval rule template is not valid.",
    NumberOfRuleTemplatesExceeded { most: usize } = "An account can have {most} approval rule templates in a Region.",
    MaximumRuleTemplatesAssociatedWithRepository { most: usize } =
        "A repository can be associated with {most} approval rule templates.",
    InvalidRuleContentSha256 = "The content is not the one that has this SHA-256 digest.",

    ApprovalRuleDoesNotExist { name: String } = "The pull request has no approval rule named {name}",
    ApprovalRuleNameAlreadyExists { name: String } = "The pull request has an approval rule named {name} already",
    InvalidApprovalRuleContent = "The content of the approval rule is not valid.",
    NumberOfRulesExceeded { most: usize } = "A pull request can have {most} approval rules.",
    CannotDeleteApprovalRuleFromTemplate { name: String } = "{name} was made by a template and cannot be deleted",
    CannotModifyApprovalRuleFromTemplate { name: String } = "{name} was made by a template and cannot be changed",
    PullRequestCannotBeApprovedByAuthor = "The author of a pull request cannot approve it.",
    MaximumNumberOfApprovalsExceeded { most: usize } = "A pull request can have {most} approvals.",
    OverrideAlreadySet = "The approval rules of this revision are set aside already.",
    RevisionNotCurrent = "The revision is not the current one of the pull request.",
    InvalidRevisionId = "The revision is none of the pull request's.",

    PullRequestDoesNotExist { id: String } = "There is no pull request {id}",
    PullRequestAlreadyClosed { id: u64 } = "Pull request {id} is closed already",
    InvalidPullRequestStatusUpdate = "A closed pull request stays closed.",
    PullRequestApprovalRulesNotSatisfied { names: String } = "These approval rules are not satisfied: {names}",
    RepositoryNotAssociatedWithPullRequest { name: String } = "The pull request is not one of {name}",
    MaximumOpenPullRequestsExceeded { most: usize } = "A repository can have {most} open pull requests.",
    SourceAndDestinationAreSame = "The source and the destination of a pull request must be different branches.",
    MultipleRepositoriesInPullRequest = "A pull request has one target.",
    TargetsRequired = "A pull request needs a target.",
    TitleRequired = "A pull request needs a title.",
    TipOfSourceReferenceIsDifferent = "The tip of the source branch is not the commit that was stated.",
    AuthorDoesNotExist = "There is no such user or role in the account.",
    InvalidAuthorArn = "The author is not an ARN of a user or of a role's session.",
    InvalidActorArn = "The actor is not an ARN of a user or of a role's session.",
    InvalidClientRequestToken = "The client request token has 1 to 1024 characters.",
    IdempotencyParameterMismatch = "The client request token was used for another request.",
    InvalidReferenceName { name: String } = "{name} is no name of a branch",
    ReferenceDoesNotExist { name: String } = "{name} does not exist",
    ReferenceTypeNotSupported { name: String } = "{name} is no branch",

    CommentDoesNotExist { id: String } = "There is no comment {id}",
    CommentDeleted { id: String } = "Comment {id} is deleted",
    CommentNotCreatedByCaller = "Only its author can change a comment.",
    CommentContentRequired = "A comment needs a content.",
    CommentContentSizeLimitExceeded { most: usize } = "A comment can have {most} characters.",
    ReactionLimitExceeded = "The comment has as many reactions as it can have.",
    CommitIdRequired = "The id of a commit is required.",
    InvalidReactionValue = "The reaction is none of those that there are.",
    InvalidReactionUserArn = "The user is not an ARN.",
    InvalidFileLocation = "The location of the file is not valid.",
    InvalidFilePosition = "The position is not valid.",
    BeforeCommitIdAndAfterCommitIdAreSame = "The commits that are compared must be different ones.",
    PathDoesNotExist { path: String } = "Could not find path {path}",
    PathRequired = "A path is required.",

    BranchNameRequired = "The name of a branch is required.",
    InvalidBranchName { name: String } = "{name} is no name for a branch",
    BranchDoesNotExist { name: String } = "Branch {name} does not exist",
    BranchNameExists { name: String } = "Branch {name} exists already",
    BranchNameIsTagName { name: String } = "{name} is the name of a tag",
    DefaultBranchCannotBeDeleted { name: String } = "{name} is the default branch and cannot be deleted",
    CommitIdDoesNotExist { id: String } = "Commit {id} does not exist",
    CommitDoesNotExist { name: String } = "Could not resolve {name} to a commit",
    CommitRequired = "A commit is required.",
    CommitIdsListRequired = "At least one commit is required.",
    CommitIdsLimitExceeded { most: usize } = "At most {most} commits can be given at once.",
    InvalidCommit { name: String } = "{name} names no commit",
    InvalidCommitId { id: String } = "{id} is no id of a commit",
    BlobIdDoesNotExist { id: String } = "Blob {id} does not exist",
    InvalidBlobId { id: String } = "{id} is no id of a blob",
    InvalidPath { path: String } = "{path} is no path of a file",
    FileDoesNotExist { path: String } = "Could not find path {path}",
    FolderDoesNotExist { path: String } = "Could not find folder {path}",
    FileTooLarge { bytes: u64, most: u64 } = "The file has {bytes} bytes; at most {most} can be read so",

    ParentCommitIdRequired = "The id of the branch's tip is required.",
    InvalidParentCommitId { id: String } = "{id} is no id of a commit",
    ParentCommitDoesNotExist { id: String } = "Commit {id} does not exist",
    ParentCommitIdOutdated { tip: String } = "The tip of the branch is {tip}",
    SameFileContent = "The file has this content and mode already.",
    NoChange = "The commit would change nothing.",
    FileContentRequired = "The content of the file is required.",
    FileContentSizeLimitExceeded { most: usize } = "A file can have {most} bytes.",
    FolderContentSizeLimitExceeded { most: usize } = "All files of a commit can have {most} bytes together.",
    FileEntryRequired = "A commit needs at least one change.",
    MaximumFileEntriesExceeded { most: usize } = "A commit can change {most} files.",
    PutFileEntryConflict { path: String } = "{path} is put as a file and as a folder",
    SourceFileOrContentRequired { path: String } = "{path} needs a content or a source",
    FileContentAndSourceFileSpecified { path: String } = "{path} has both a content and a source",
    SamePathRequest { path: String } = "{path} is changed twice",
    RestrictedSourceFile { path: String } = "{path} cannot be a source",
    FileNameConflictsWithDirectoryName { path: String } = "{path} is a folder",
    DirectoryNameConflictsWithFileName { path: String } = "{path} is a file",
    FilePathConflictsWithSubmodulePath { path: String } = "{path} is a submodule",
    NameLengthExceeded = "The name of the author is too long.",
    InvalidEmail = "The address of the author is not valid.",
    CommitMessageLengthExceeded { most: usize } = "A commit message can have {most} bytes.",

    InvalidMergeOption = "The merge option is not one for this operation.",
    ManualMergeRequired = "The branches have conflicts that have to be settled first.",
    ConcurrentReferenceUpdate = "The branch was changed meanwhile.",
    TipsDivergenceExceeded { most: usize } = "The histories differ in more than {most} commits.",
    InvalidTargetBranch { name: String } = "{name} is no branch that can be merged into",
    InvalidConflictResolution = "The resolution of conflicts is not valid.",
    MultipleConflictResolutionEntries { path: String } = "{path} is settled twice",
    ReplacementContentRequired { path: String } = "{path} needs a content",
    MaximumFileContentToLoadExceeded { most: u64 } = "A file that both sides changed has more than {most} bytes.",
    MaximumItemsToCompareExceeded { most: usize } = "More than {most} files differ.",
    InvalidMaxMergeHunks = "The number of hunks is not valid.",
    InvalidMaxConflictFiles = "The number of files is not valid.",

    RepositoryTriggersListRequired = "A list of triggers is required.",
    MaximumRepositoryTriggersExceeded { most: usize } = "A repository can have {most} triggers.",
    MaximumBranchesExceeded { most: usize } = "A trigger can name {most} branches.",
    InvalidRepositoryTriggerName { name: String } = "{name} is no name for a trigger, or another has it",
    InvalidRepositoryTriggerDestinationArn { arn: String } = "{arn} is no ARN of a topic or a function",
    InvalidRepositoryTriggerRegion { arn: String } = "{arn} is in another Region than the repository",
    InvalidRepositoryTriggerBranchName { name: String } = "{name} is no name of a branch",
    InvalidRepositoryTriggerEvents = "A trigger has at least one event, and all events stand alone.",
    RepositoryTriggerBranchNameListRequired = "A list of branches is required; an empty one stands for all of them.",
    RepositoryTriggerEventsListRequired = "At least one event is required.",

    InvalidContinuationToken = "The continuation token is not one that this operation gave.",
}

/// An error of an operation of CodeCommit.
#[derive(Debug, thiserror::Error)]
pub enum CodeCommitError {
    /// The request is not done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The repository's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The caller may not do a part of what was asked for.
    #[error("{}", .0.message)]
    Forbidden(Fault),
    /// The repository's objects or references.
    #[error("the repository failed")]
    Git(#[source] GitError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// Something happened meanwhile that the change did not take into account.
    #[error("overtaken by another change")]
    Overtaken,
    /// A record contradicts itself.
    #[error("{0}")]
    Damaged(String),
}

impl From<StoreError> for CodeCommitError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BadCursor => Refusal::InvalidContinuationToken.into(),
            other => Self::Store(other),
        }
    }
}

impl From<GitError> for CodeCommitError {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Store(error) => Self::Store(error),
            other => Self::Git(other),
        }
    }
}

impl ServiceError for CodeCommitError {
    fn fault(&self) -> Fault {
        match self {
            Self::Refused(refusal) => Fault::sender(refusal.code(), refusal.to_string()),
            Self::Key(fault) => fault.fault(),
            Self::Forbidden(fault) => fault.clone(),
            Self::Git(_) | Self::Store(_) | Self::Overtaken | Self::Damaged(_) => {
                CommonFault::InternalFailure.fault(Protocol::json("1.1", ""))
            }
        }
    }
}

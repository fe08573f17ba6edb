//! The golden matrix: for each operation, and for `GitPull` and `GitPush`, which of five typical callers may call it.
//!
//! An operation that is added without a row fails the test, as does one whose decision changes.

use std::fmt::Write as _;

use service::{AuditClass, Entry, Service as _};

use super::*;
use crate::{GitPull, GitPullInput, GitPush, GitPushInput};

/// File of the expected matrix.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/matrix.txt");

/// The columns. `full`, `power` and `reader` hold what AWS's managed policies for CodeCommit give; `nobody` is of the
/// account and holds nothing; `stranger` holds everything in another account.
const CALLERS: [&str; 5] = ["full", "power", "reader", "nobody", "stranger"];

/// A repository and what hangs on it.
struct Stage {
    name: String,
    tip: String,
    topic: String,
    pull_request: String,
    revision: String,
    comment: String,
}

impl Stage {
    async fn set(world: &World, number: usize) -> Self {
        let name = format!("r{number}");
        world.done("admin", "CreateRepository", json!({"repositoryName": name})).await;
        let template = json!({
            "approvalRuleTemplateName": name, "approvalRuleTemplateContent": super::templates::CONTENT,
        });
        world.done("admin", "CreateApprovalRuleTemplate", template).await;
        let put = |branch: &str, parent: Option<&str>| {
            json!({
                "repositoryName": name, "branchName": branch, "parentCommitId": parent, "filePath": branch,
                "fileContent": base64(b"a"),
            })
        };
        let tip = text(&world.done("admin", "PutFile", put("main", None)).await["commitId"]);
        let branch = json!({"repositoryName": name, "branchName": "topic", "commitId": tip});
        world.done("admin", "CreateBranch", branch).await;
        let topic = text(&world.done("admin", "PutFile", put("topic", Some(&tip))).await["commitId"]);
        let targets = json!([{"repositoryName": name, "sourceReference": "topic"}]);
        let opened = json!({"title": "t", "targets": targets});
        let opened = world.done("ana", "CreatePullRequest", opened).await["pullRequest"].take();
        let pull_request = text(&opened["pullRequestId"]);
        let rule = json!({"pullRequestId": pull_request, "approvalRuleName": "rule", "approvalRuleContent": RULE});
        world.done("admin", "CreatePullRequestApprovalRule", rule).await;
        let comment = json!({"repositoryName": name, "afterCommitId": tip, "content": "c"});
        let posted = world.done("ana", "PostCommentForComparedCommit", comment).await;
        let comment = text(&posted["comment"]["commentId"]);
        Self { name, tip, topic, pull_request, revision: text(&opened["revisionId"]), comment }
    }

    /// A value for each member that some operation requires.
    fn value(&self, operation: &str, member: &str) -> Value {
        match member {
            "repositoryName" if operation == "CreateRepository" => json!(format!("{}-new", self.name)),
            "repositoryName" | "oldName" => json!(self.name),
            "newName" => json!(format!("{}-renamed", self.name)),
            "repositoryNames" => json!([self.name]),
            "branchName" if operation == "CreateBranch" => json!("new"),
            "branchName" | "defaultBranchName" => json!("main"),
            "parentCommitId" | "commitId" | "beforeCommitId" => json!(self.tip),
            "afterCommitId" => json!(self.topic),
            "commitIds" => json!([self.tip]),
            "blobId" | "afterBlobId" => json!("2e65efe2a145dda7ee51d1741299f848e5bf752e"),
            "afterCommitSpecifier" | "destinationCommitSpecifier" => json!("main"),
            "sourceCommitSpecifier" => json!("topic"),
            "mergeOption" => json!("THREE_WAY_MERGE"),
            "filePath" if operation.starts_with("Get") => json!("main"),
            "filePath" => json!("topic"),
            "folderPath" => json!("/"),
            "fileContent" => json!("YQ=="),
            "resourceArn" => json!(repository_arn(&self.name)),
            "tags" => json!({"a": "b"}),
            "tagKeys" => json!(["a"]),
            "approvalRuleTemplateName" if operation == "CreateApprovalRuleTemplate" => {
                json!(format!("{}-new", self.name))
            }
            "approvalRuleTemplateName" | "oldApprovalRuleTemplateName" => json!(self.name),
            "newApprovalRuleTemplateName" => json!(format!("{}-renamed", self.name)),
            "newRuleContent" if operation == "UpdatePullRequestApprovalRuleContent" => json!(RULE),
            "approvalRuleTemplateContent" | "newRuleContent" => json!(super::templates::CONTENT),
            "approvalRuleTemplateDescription" | "description" => json!("d"),
            "approvalRuleName" if operation == "CreatePullRequestApprovalRule" => json!("another"),
            "approvalRuleName" => json!("rule"),
            "approvalRuleContent" => json!(RULE),
            "pullRequestId" => json!(self.pull_request),
            "revisionId" => json!(self.revision),
            "approvalState" => json!("APPROVE"),
            "overrideStatus" => json!("OVERRIDE"),
            "pullRequestStatus" => json!("CLOSED"),
            "title" => json!("t"),
            "targets" => json!([{"repositoryName": self.name, "sourceReference": "topic"}]),
            "commentId" | "inReplyTo" => json!(self.comment),
            "content" => json!("c"),
            "reactionValue" => json!(":thumbsup:"),
            "triggers" => json!([{
                "name": "t", "destinationArn": "arn:aws:sns:us-east-1:111122223333:t", "branches": [], "events": ["all"],
            }]),
            "kmsKeyId" => json!("alias/aws/codecommit"),
            _ => {
                panic!("{operation}: give {member} a value in crates/api/codecommit/src/tests/matrix.rs, Stage::value")
            }
        }
    }

    fn input(&self, entry: &Entry<CodeCommit>) -> Value {
        let required = entry.input.iter().filter(|member| member.required).map(|member| member.name);
        let besides: &[&str] = match entry.name {
            "GetBranch" => &["repositoryName", "branchName"],
            _ => &[],
        };
        let mut input: serde_json::Map<_, _> = required
            .chain(besides.iter().copied())
            .map(|member| (member.to_owned(), self.value(entry.name, member)))
            .collect();
        if entry.name == "CreateCommit" {
            input.insert("parentCommitId".to_owned(), json!(self.tip));
            input.insert("deleteFiles".to_owned(), json!([{"filePath": "main"}]));
        }
        if entry.name == "DeleteFile" {
            input.insert("filePath".to_owned(), json!("main"));
        }
        Value::Object(input)
    }
}

const RULE: &str = r#"{"Version":"2018-11-08","Statements":[{"Type":"Approvers","NumberOfApprovalsNeeded":1}]}"#;

/// `+` for a call that passed authorisation, whatever came of it, `-` for one that was denied or got the answer that
/// what exists does not.
fn mark(operation: &str, code: Option<&str>) -> char {
    match code {
        None => '+',
        Some("InternalFailure" | "SerializationException" | "ValidationException") => {
            panic!("{operation} never got to its decision: {code:?}")
        }
        // What is another account's.
        Some("AccessDeniedException" | "InvalidResourceArnException") => '-',
        Some(
            "RepositoryDoesNotExistException"
            | "ApprovalRuleTemplateDoesNotExistException"
            | "PullRequestDoesNotExistException"
            | "CommentDoesNotExistException",
        ) => '-',
        Some(_) => '+',
    }
}

/// A world in which there is something to act on.
fn world() -> World {
    let world = World::new();
    let power = json!([
        "codecommit:AssociateApprovalRuleTemplateWithRepository",
        "codecommit:BatchAssociateApprovalRuleTemplateWithRepositories",
        "codecommit:BatchDisassociateApprovalRuleTemplateFromRepositories",
        "codecommit:BatchGet*",
        "codecommit:BatchDescribe*",
        "codecommit:Create*",
        "codecommit:DeleteBranch",
        "codecommit:DeleteFile",
        "codecommit:Describe*",
        "codecommit:DisassociateApprovalRuleTemplateFromRepository",
        "codecommit:EvaluatePullRequestApprovalRules",
        "codecommit:Get*",
        "codecommit:List*",
        "codecommit:Merge*",
        "codecommit:OverridePullRequestApprovalRules",
        "codecommit:Put*",
        "codecommit:Post*",
        "codecommit:TagResource",
        "codecommit:Test*",
        "codecommit:UntagResource",
        "codecommit:Update*",
        "codecommit:GitPull",
        "codecommit:GitPush",
    ]);
    let reader = json!([
        "codecommit:BatchGet*",
        "codecommit:BatchDescribe*",
        "codecommit:Describe*",
        "codecommit:EvaluatePullRequestApprovalRules",
        "codecommit:Get*",
        "codecommit:List*",
        "codecommit:GitPull",
    ]);
    world.user("full", ACCOUNT, &[allow(&json!("codecommit:*"), "*")]);
    world.user("power", ACCOUNT, &[allow(&power, "*")]);
    world.user("reader", ACCOUNT, &[allow(&reader, "*")]);
    world
}

#[tokio::test]
async fn who_may_call_what_is_as_decided() {
    let world = world();
    let mut found = format!("# action: {}\n", CALLERS.join(" "));
    let (mut stage, mut stages) = (None, 0);
    for entry in CodeCommit::operations() {
        let mut marks = String::new();
        for caller in CALLERS {
            let set = match stage.take() {
                Some(set) => set,
                None => Stage::set(&world, stages).await,
            };
            stages += 1;
            let answer = world.call(caller, entry.name, set.input(entry)).await;
            let code = answer.as_ref().err().and_then(|error| error.split(':').next());
            marks.push(' ');
            marks.push(mark(entry.name, code));
            // What a change left behind would bear on the next caller.
            if answer.is_err() || entry.class != AuditClass::Change {
                stage = Some(set);
            }
        }
        let _ = writeln!(found, "codecommit:{}{marks}", entry.name);
    }
    let name = Stage::set(&world, stages).await.name;
    let (mut pulls, mut pushes) = (String::new(), String::new());
    for caller in CALLERS {
        let pulled = world.performed::<GitPull>(caller, GitPullInput { repository_name: name.clone() }).await;
        pulls.extend([' ', mark("GitPull", pulled.as_ref().err().map(|fault| fault.code))]);
        let push = GitPushInput { repository_name: name.clone(), references: Vec::new() };
        let pushed = world.performed::<GitPush>(caller, push).await;
        pushes.extend([' ', mark("GitPush", pushed.as_ref().err().map(|fault| fault.code))]);
    }
    let _ = writeln!(found, "codecommit:GitPull{pulls}\ncodecommit:GitPush{pushes}");
    if std::env::var_os("WRITE_MATRIX").is_some() {
        std::fs::write(GOLDEN, &found).expect("written");
    }
    let golden = std::fs::read_to_string(GOLDEN).expect("the matrix");
    assert!(
        found == golden,
        "the matrix in {GOLDEN} does not say what the operations decide (+ permitted, - denied, for {}). Read each row \
         that differs, and have the file written with WRITE_MATRIX=1 if it is right:\n{found}",
        CALLERS.join(", "),
    );
}

/// Operations that go on while a repository's key is disabled: AWS's list, which is of names, tags, titles and what is said
/// about changes; and two more, since one has to be able to remove such a repository, and one names none.
const WITHOUT_KEY: [&str; 21] = [
    "CreateApprovalRuleTemplate",
    "CreateRepository",
    "DeleteApprovalRuleTemplate",
    "DeleteCommentContent",
    "DeleteRepository",
    "GetApprovalRuleTemplate",
    "GetCommentReactions",
    "ListApprovalRuleTemplates",
    "ListRepositories",
    "ListRepositoriesForApprovalRuleTemplate",
    "ListTagsForResource",
    "PostCommentReply",
    "PutCommentReaction",
    "TagResource",
    "UntagResource",
    "UpdateApprovalRuleTemplateContent",
    "UpdateApprovalRuleTemplateDescription",
    "UpdateApprovalRuleTemplateName",
    "UpdateComment",
    "UpdatePullRequestDescription",
    "UpdatePullRequestTitle",
];

#[tokio::test]
async fn a_disabled_key_stops_all_that_reads_or_changes_contents() {
    let world = world();
    let key = world.key().await;
    let (mut stage, mut stages) = (None, 0);
    for entry in CodeCommit::operations() {
        let set: Stage = match stage.take() {
            Some(set) => set,
            None => {
                world.kms("EnableKey", json!({"KeyId": key})).await;
                let set = Stage::set(&world, stages).await;
                let moved = json!({"repositoryName": set.name, "kmsKeyId": key});
                world.done("admin", "UpdateRepositoryEncryptionKey", moved).await;
                world.kms("DisableKey", json!({"KeyId": key})).await;
                set
            }
        };
        stages += 1;
        let answer = world.call("admin", entry.name, set.input(entry)).await;
        let said = match &answer {
            Ok(answer) => answer.to_string(),
            Err(error) => error.clone(),
        };
        let stopped = said.contains("EncryptionKeyDisabledException");
        let goes_on = WITHOUT_KEY.contains(&entry.name) || entry.name == "UpdateRepositoryName";
        assert_eq!(stopped, !goes_on, "{}: {said}", entry.name);
        if answer.is_err() || entry.class != AuditClass::Change {
            stage = Some(set);
        }
    }
}

//! The golden matrix: for each operation, and for `GitPull` and `GitPush`, which of five typical callers may call it.
//!
//! An operation that is added without a row fails the test, as does one whose decision changes.

use std::fmt::Write as _;

use service::{Entry, Service as _};

use super::*;
use crate::{GitPull, GitPullInput, GitPush, GitPushInput};

/// File of the expected matrix.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/matrix.txt");

/// The columns. `full`, `power` and `reader` hold what AWS's managed policies for CodeCommit give; `nobody` is of the
/// account and holds nothing; `stranger` holds everything in another account.
const CALLERS: [&str; 5] = ["full", "power", "reader", "nobody", "stranger"];

/// A value for each member that some operation requires.
fn value(operation: &str, member: &str) -> Value {
    match member {
        "repositoryName" | "oldName" => json!("first"),
        "newName" => json!("second"),
        "repositoryNames" => json!(["first"]),
        "kmsKeyId" => json!("alias/aws/codecommit"),
        _ => panic!("{operation}: give {member} a value in crates/api/codecommit/src/tests/matrix.rs, value"),
    }
}

fn input(entry: &Entry<CodeCommit>) -> Value {
    let required = entry.input.iter().filter(|member| member.required).map(|member| member.name);
    Value::Object(required.map(|member| (member.to_owned(), value(entry.name, member))).collect())
}

/// `+` for a call that passed authorisation, whatever came of it, `-` for one that was denied or got the answer that
/// what exists does not.
fn mark(operation: &str, code: Option<&str>) -> char {
    match code {
        None => '+',
        Some("InternalFailure" | "SerializationException" | "ValidationException") => {
            panic!("{operation} never got to its decision: {code:?}")
        }
        Some("AccessDeniedException") => '-',
        Some(code) if code.ends_with("DoesNotExistException") => '-',
        Some(_) => '+',
    }
}

/// A world in which there is something to act on.
async fn world() -> World {
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
    world.repository("first").await;
    world
}

#[tokio::test]
async fn who_may_call_what_is_as_decided() {
    let mut found = format!("# action: {}\n", CALLERS.join(" "));
    for entry in CodeCommit::operations() {
        let mut marks = String::new();
        for caller in CALLERS {
            let answer = world().await.call(caller, entry.name, input(entry)).await;
            let code = answer.as_ref().err().and_then(|error| error.split(':').next());
            marks.push(' ');
            marks.push(mark(entry.name, code));
        }
        let _ = writeln!(found, "codecommit:{}{marks}", entry.name);
    }
    let (mut pulls, mut pushes) = (String::new(), String::new());
    for caller in CALLERS {
        let world = world().await;
        let name = || "first".to_owned();
        let pulled = world.performed::<GitPull>(caller, GitPullInput { repository_name: name() }).await;
        pulls.extend([' ', mark("GitPull", pulled.as_ref().err().map(|fault| fault.code))]);
        let push = GitPushInput { repository_name: name(), references: Vec::new() };
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

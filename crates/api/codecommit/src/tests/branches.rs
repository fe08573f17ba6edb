//! Branches, over the real repository of Git.

use super::*;

fn named(branch: &str) -> Value {
    json!({"repositoryName": "first", "branchName": branch})
}

#[tokio::test]
async fn a_branch_is_made_found_listed_and_deleted() {
    let world = World::new();
    world.repository("first").await;
    let tip = world.put("main", None, "a.txt", "one").await;
    world.branch("topic/a", &tip).await;
    let found = world.done("reader", "GetBranch", named("topic/a")).await;
    assert_eq!(found["branch"], json!({"branchName": "topic/a", "commitId": tip}));
    let list = json!({"repositoryName": "first"});
    assert_eq!(world.done("reader", "ListBranches", list.clone()).await, json!({"branches": ["main", "topic/a"]}));
    let create =
        |branch: &str, commit: &str| json!({"repositoryName": "first", "branchName": branch, "commitId": commit});
    for (input, code) in [
        (create("topic/a", &tip), "BranchNameExists"),
        (create("topic", &tip), "BranchNameExists"),
        (create("main/x", &tip), "BranchNameExists"),
        (create("x", &"0".repeat(40)), "CommitDoesNotExist"),
        (create("x", "main"), "InvalidCommitId"),
        (create("a..b", &tip), "InvalidBranchName"),
        (create(&tip, &tip), "InvalidBranchName"),
        (create("-x", &tip), "InvalidBranchName"),
        (create(&"x".repeat(257), &tip), "InvalidBranchName"),
    ] {
        assert_eq!(world.refused("admin", "CreateBranch", input.clone()).await, code, "{input}");
    }
    let gone = world.done("admin", "DeleteBranch", named("topic/a")).await;
    assert_eq!(gone["deletedBranch"], json!({"branchName": "topic/a", "commitId": tip}));
    assert_eq!(world.done("admin", "DeleteBranch", named("topic/a")).await, json!({}));
    assert_eq!(world.refused("admin", "GetBranch", named("topic/a")).await, "BranchDoesNotExist");
    assert_eq!(world.refused("admin", "GetBranch", json!({"branchName": "main"})).await, "RepositoryNameRequired");
    assert_eq!(world.refused("admin", "GetBranch", json!({"repositoryName": "first"})).await, "BranchNameRequired");
    let token = json!({"repositoryName": "first", "nextToken": "!"});
    assert_eq!(world.refused("admin", "ListBranches", token).await, "InvalidContinuationToken");
}

#[tokio::test]
async fn the_first_branch_is_the_default_one_until_another_is_named() {
    let world = World::new();
    world.repository("first").await;
    let metadata = || world.done("admin", "GetRepository", json!({"repositoryName": "first"}));
    let default = |input: &str| json!({"repositoryName": "first", "defaultBranchName": input});
    assert_eq!(world.refused("admin", "UpdateDefaultBranch", default("main")).await, "BranchDoesNotExist");
    let tip = world.put("trunk", None, "a.txt", "one").await;
    assert_eq!(metadata().await["repositoryMetadata"]["defaultBranch"], "trunk");
    world.branch("main", &tip).await;
    assert_eq!(metadata().await["repositoryMetadata"]["defaultBranch"], "trunk");
    assert_eq!(world.refused("admin", "DeleteBranch", named("trunk")).await, "DefaultBranchCannotBeDeleted");
    world.done("admin", "UpdateDefaultBranch", default("main")).await;
    assert_eq!(metadata().await["repositoryMetadata"]["defaultBranch"], "main");
    world.done("admin", "DeleteBranch", named("trunk")).await;
}

#[tokio::test]
async fn a_policy_protects_a_branch_from_the_api_as_from_pushes() {
    let world = World::new();
    world.repository("first").await;
    let tip = world.put("main", None, "a.txt", "one").await;
    world.branch("topic", &tip).await;
    let deny = json!({
        "Effect": "Deny", "Action": "codecommit:*", "Resource": "*",
        "Condition": {
            "StringEqualsIfExists": {"codecommit:References": "refs/heads/main"},
            "Null": {"codecommit:References": "false"},
        },
    });
    world.user("dev", ACCOUNT, &[allow(&json!("*"), "*"), deny]);
    let put = |branch: &str| {
        json!({
            "repositoryName": "first", "branchName": branch, "parentCommitId": tip, "filePath": "b",
            "fileContent": base64(b"b"),
        })
    };
    world.done("dev", "GetBranch", named("main")).await;
    assert_eq!(world.refused("dev", "PutFile", put("main")).await, "AccessDenied");
    world.done("dev", "PutFile", put("topic")).await;
    assert_eq!(world.refused("dev", "DeleteBranch", named("main")).await, "AccessDenied");
    world.done("dev", "DeleteBranch", named("topic")).await;
}

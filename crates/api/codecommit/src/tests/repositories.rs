//! Repositories: made, described, renamed, moved to another key, listed and removed.

use super::*;
use crate::{GitPull, GitPullInput, GitPush, GitPushInput};

#[tokio::test]
async fn a_repository_is_made_under_the_default_key_and_its_addresses_are_where_the_call_came_in() {
    let world = World::new();
    let input = json!({"repositoryName": "first", "repositoryDescription": "d", "tags": {"Team": "red"}});
    let made = world.done("admin", "CreateRepository", input).await["repositoryMetadata"].take();
    assert_eq!(made["cloneUrlHttp"], "https://git.example.com:8443/v1/repos/first");
    assert_eq!(made["cloneUrlSsh"], "ssh://git.example.com/v1/repos/first");
    assert_eq!(made["Arn"], repository_arn("first"));
    assert_eq!(made["accountId"], ACCOUNT);
    assert_eq!(made["repositoryDescription"], "d");
    assert!(text(&made["kmsKeyId"]).starts_with("arn:aws:kms:us-east-1:111122223333:key/"), "{made}");
    assert!(made.get("defaultBranch").is_none());
    let found = world.done("reader", "GetRepository", json!({"repositoryName": "first"})).await;
    assert_eq!(found["repositoryMetadata"], made);
}

#[tokio::test]
async fn a_name_is_taken_once_and_has_awss_form() {
    let world = World::new();
    world.repository("first").await;
    for (name, code) in [
        ("first", "RepositoryNameExists"),
        ("first.git", "InvalidRepositoryName"),
        ("FIRST.GIT", "InvalidRepositoryName"),
        ("..", "InvalidRepositoryName"),
        ("", "InvalidRepositoryName"),
        ("a/b", "InvalidRepositoryName"),
        (&"x".repeat(101), "InvalidRepositoryName"),
    ] {
        assert_eq!(world.refused("admin", "CreateRepository", json!({"repositoryName": name})).await, code, "{name}");
    }
    world.repository("First").await;
    for (tags, code) in [
        (json!({"aws:a": "b"}), "InvalidSystemTagUsage"),
        (json!({"a": "b", "A": "b"}), "InvalidTagsMap"),
        (json!({"": "b"}), "InvalidTagsMap"),
        (Value::Object((0..51).map(|n| (n.to_string(), json!(""))).collect()), "TooManyTags"),
    ] {
        let input = json!({"repositoryName": "tagged", "tags": tags});
        assert_eq!(world.refused("admin", "CreateRepository", input).await, code);
    }
    let long = json!({"repositoryName": "x", "repositoryDescription": "d".repeat(1001)});
    assert_eq!(world.refused("admin", "CreateRepository", long).await, "InvalidRepositoryDescription");
}

#[tokio::test]
async fn deleting_gives_the_id_once_and_succeeds_again() {
    let world = World::new();
    let made = world.repository("first").await;
    let input = json!({"repositoryName": "first"});
    assert_eq!(world.done("admin", "DeleteRepository", input.clone()).await["repositoryId"], made["repositoryId"]);
    assert_eq!(world.done("admin", "DeleteRepository", input.clone()).await, json!({}));
    assert_eq!(world.refused("admin", "GetRepository", input).await, "RepositoryDoesNotExist");
    let again = world.repository("first").await;
    assert_ne!(again["repositoryId"], made["repositoryId"]);
}

#[tokio::test]
async fn a_renamed_repository_keeps_its_id_and_needs_the_right_on_both_names() {
    let world = World::new();
    let made = world.repository("first").await;
    world.repository("taken").await;
    world.user("bob", ACCOUNT, &[allow(&json!("codecommit:*"), &repository_arn("first"))]);
    let input = |to: &str| json!({"oldName": "first", "newName": to});
    assert_eq!(world.refused("bob", "UpdateRepositoryName", input("second")).await, "AccessDenied");
    assert_eq!(world.refused("admin", "UpdateRepositoryName", input("taken")).await, "RepositoryNameExists");
    assert_eq!(world.refused("admin", "UpdateRepositoryName", input("x.git")).await, "InvalidRepositoryName");
    world.pass_seconds(1);
    world.done("admin", "UpdateRepositoryName", input("second")).await;
    assert_eq!(world.refused("admin", "UpdateRepositoryName", input("third")).await, "RepositoryDoesNotExist");
    let found = world.done("admin", "GetRepository", json!({"repositoryName": "second"})).await;
    assert_eq!(found["repositoryMetadata"]["repositoryId"], made["repositoryId"]);
    assert_eq!(found["repositoryMetadata"]["Arn"], repository_arn("second"));
}

#[tokio::test]
async fn a_description_is_changed_and_taken_away() {
    let world = World::new();
    world.repository("first").await;
    for (description, expected) in [(json!("d"), json!("d")), (json!(""), Value::Null), (Value::Null, Value::Null)] {
        let input = json!({"repositoryName": "first", "repositoryDescription": description});
        world.done("admin", "UpdateRepositoryDescription", input).await;
        let found = world.done("admin", "GetRepository", json!({"repositoryName": "first"})).await;
        assert_eq!(found["repositoryMetadata"]["repositoryDescription"], expected);
    }
}

#[tokio::test]
async fn a_batch_says_what_is_not_there_and_what_cannot_be_opened() {
    let world = World::new();
    let key = world.key().await;
    let under = json!({"repositoryName": "locked", "kmsKeyId": key});
    let locked = world.done("admin", "CreateRepository", under).await["repositoryMetadata"].take();
    world.repository("open").await;
    world.kms("DisableKey", json!({"KeyId": key})).await;
    let input = json!({"repositoryNames": ["open", "locked", "none"]});
    let found = world.done("admin", "BatchGetRepositories", input.clone()).await;
    assert_eq!(found["repositories"].as_array().expect("a list").len(), 1);
    assert_eq!(found["repositories"][0]["repositoryName"], "open");
    assert_eq!(found["repositoriesNotFound"], json!(["none"]));
    assert_eq!(found["errors"][0]["errorCode"], "EncryptionKeyDisabledException");
    assert_eq!(found["errors"][0]["repositoryId"], locked["repositoryId"]);
    assert_eq!(found["errors"][1]["errorCode"], "RepositoryDoesNotExistException");
    // One repository that is forbidden forbids the call.
    world.user("bob", ACCOUNT, &[allow(&json!("codecommit:*"), &repository_arn("open"))]);
    assert_eq!(world.refused("bob", "BatchGetRepositories", input).await, "AccessDenied");
    let refused = |names: Value| world.refused("admin", "BatchGetRepositories", json!({"repositoryNames": names}));
    assert_eq!(refused(json!([])).await, "RepositoryNamesRequired");
    assert_eq!(refused(json!(vec!["a"; 101])).await, "MaximumRepositoryNamesExceeded");
    assert_eq!(refused(json!(vec!["a"; 2000])).await, "MaximumRepositoryNamesExceeded");
    assert_eq!(refused(json!(["a/b"])).await, "InvalidRepositoryName");
}

#[tokio::test]
async fn a_list_is_sorted_as_asked_and_knows_its_own_tokens() {
    let world = World::new();
    for name in ["b", "a", "c"] {
        world.repository(name).await;
        world.pass_seconds(1);
    }
    for (sort, order, expected) in [
        (None, None, ["a", "b", "c"]),
        (Some("repositoryName"), Some("descending"), ["c", "b", "a"]),
        (Some("lastModifiedDate"), Some("ascending"), ["b", "a", "c"]),
        (Some("lastModifiedDate"), Some("descending"), ["c", "a", "b"]),
    ] {
        let listed = world.done("reader", "ListRepositories", json!({"sortBy": sort, "order": order})).await;
        let names: Vec<_> =
            listed["repositories"].as_array().expect("a list").iter().map(|one| text(&one["repositoryName"])).collect();
        assert_eq!(names, expected, "{sort:?} {order:?}");
    }
    let refused = |input: Value| world.refused("admin", "ListRepositories", input);
    assert_eq!(refused(json!({"nextToken": "x"})).await, "InvalidContinuationToken");
    assert_eq!(refused(json!({"sortBy": "x"})).await, "InvalidSortBy");
    assert_eq!(refused(json!({"order": "x"})).await, "InvalidOrder");
}

#[tokio::test]
async fn the_kms_key_governs_and_its_refusals_have_codecommits_names() {
    let world = World::new();
    let key = world.key().await;
    world.done("admin", "CreateRepository", json!({"repositoryName": "first", "kmsKeyId": key})).await;
    let get = json!({"repositoryName": "first"});
    // Whoever may read the repository and not use the key.
    let refused = world.call("reader", "GetRepository", get.clone()).await.expect_err("refused");
    assert!(refused.starts_with("EncryptionKeyAccessDeniedException: User: arn:aws:iam::111122223333:user/reader"));
    assert!(refused.contains("kms:Decrypt") && refused.contains(&key), "{refused}");
    world.kms("DisableKey", json!({"KeyId": key})).await;
    assert_eq!(world.refused("admin", "GetRepository", get.clone()).await, "EncryptionKeyDisabled");
    // What needs no contents goes on.
    let rename = |from: &str, to: &str| json!({"oldName": from, "newName": to});
    world.done("admin", "UpdateRepositoryName", rename("first", "second")).await;
    world.done("admin", "UpdateRepositoryName", rename("second", "first")).await;
    world.kms("EnableKey", json!({"KeyId": key})).await;
    world.done("admin", "GetRepository", get.clone()).await;
    world.kms("ScheduleKeyDeletion", json!({"KeyId": key})).await;
    assert_eq!(world.refused("admin", "GetRepository", get.clone()).await, "EncryptionKeyUnavailable");
    // A repository whose key is going can still be removed.
    world.done("admin", "DeleteRepository", get).await;
    for (key, code) in [
        ("00000000-0000-0000-0000-000000000000", "EncryptionKeyNotFound"),
        ("alias/none", "EncryptionKeyNotFound"),
        ("no key", "EncryptionKeyInvalidId"),
    ] {
        let input = json!({"repositoryName": "third", "kmsKeyId": key});
        assert_eq!(world.refused("admin", "CreateRepository", input).await, code, "{key}");
    }
    let made = world.kms("CreateKey", json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"})).await;
    let input = json!({"repositoryName": "third", "kmsKeyId": made["KeyMetadata"]["KeyId"]});
    assert_eq!(world.refused("admin", "CreateRepository", input).await, "EncryptionKeyInvalidUsage");
}

#[tokio::test]
async fn who_may_only_decrypt_reads_and_stores_nothing() {
    let world = World::new();
    let key = world.key().await;
    world.done("admin", "CreateRepository", json!({"repositoryName": "first", "kmsKeyId": key})).await;
    world.user("decrypts", ACCOUNT, &[allow(&json!(["codecommit:*", "kms:Decrypt"]), "*")]);
    world.done("decrypts", "GetRepository", json!({"repositoryName": "first"})).await;
    let pull = GitPullInput { repository_name: "first".to_owned() };
    world.performed::<GitPull>("decrypts", pull).await.expect("permitted");
    let push = GitPushInput { repository_name: "first".to_owned(), references: Vec::new() };
    let refused = world.performed::<GitPush>("decrypts", push).await.err().expect("refused").message;
    let file = json!({"repositoryName": "first", "branchName": "main", "filePath": "a", "fileContent": "YQ=="});
    let put = world.call("decrypts", "PutFile", file).await.expect_err("refused");
    for refused in [refused, put] {
        assert!(refused.contains(&format!("kms:GenerateDataKey on resource: {key}")), "{refused}");
    }
}

#[tokio::test]
async fn another_key_takes_over_and_the_data_key_stays_the_same() {
    let world = World::new();
    let (one, two) = (world.key().await, world.key().await);
    let made = world.done("admin", "CreateRepository", json!({"repositoryName": "first", "kmsKeyId": one})).await;
    let pull = || GitPullInput { repository_name: "first".to_owned() };
    let before = world.performed::<GitPull>("admin", pull()).await.expect("permitted");
    let input = json!({"repositoryName": "first", "kmsKeyId": two});
    let moved = world.done("admin", "UpdateRepositoryEncryptionKey", input.clone()).await;
    let id = made["repositoryMetadata"]["repositoryId"].clone();
    assert_eq!(moved, json!({"repositoryId": id, "kmsKeyId": two, "originalKmsKeyId": one}));
    world.kms("DisableKey", json!({"KeyId": one})).await;
    let after = world.performed::<GitPull>("admin", pull()).await.expect("permitted");
    assert_eq!(before.key.expose(), after.key.expose());
    world.kms("DisableKey", json!({"KeyId": two})).await;
    assert_eq!(
        world.refused("admin", "GetRepository", json!({"repositoryName": "first"})).await,
        "EncryptionKeyDisabled"
    );
    assert_eq!(world.refused("admin", "UpdateRepositoryEncryptionKey", input).await, "EncryptionKeyDisabled");
    let missing = json!({"repositoryName": "first"});
    assert_eq!(world.refused("admin", "UpdateRepositoryEncryptionKey", missing).await, "EncryptionKeyRequired");
}

#[tokio::test]
async fn the_default_key_asks_for_no_right_and_heeds_a_deny() {
    let world = World::new();
    world.repository("first").await;
    let get = json!({"repositoryName": "first"});
    world.done("reader", "GetRepository", get.clone()).await;
    let deny = json!({"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"});
    world.user("denied", ACCOUNT, &[allow(&json!("codecommit:*"), "*"), deny]);
    assert_eq!(world.refused("denied", "GetRepository", get).await, "EncryptionKeyAccessDenied");
}

#[tokio::test]
async fn a_deleted_repository_leaves_nothing_behind() {
    let world = World::new();
    let (main, topic) = super::pull_requests::branches(&world).await;
    let id = super::pull_requests::opened(&world).await["pullRequestId"].clone();
    let post = json!({
        "repositoryName": "first", "beforeCommitId": main, "afterCommitId": topic, "content": "words",
        "clientRequestToken": "once",
    });
    let posted = world.done("ana", "PostCommentForComparedCommit", post.clone()).await;
    let again = world.done("ana", "PostCommentForComparedCommit", post).await;
    assert_eq!(again["comment"]["commentId"], posted["comment"]["commentId"]);
    let comment = json!({"commentId": posted["comment"]["commentId"]});
    let sides = json!({
        "repositoryName": "first", "sourceCommitSpecifier": "topic", "destinationCommitSpecifier": "main",
    });
    world.done("admin", "MergeBranchesBySquash", sides).await;
    let count = async || world.codecommit.store.read(remaining).await.expect("read");
    assert_ne!(count().await, 0);
    world.done("admin", "DeleteRepository", json!({"repositoryName": "first"})).await;
    assert_eq!(world.refused("admin", "GetPullRequest", json!({"pullRequestId": id})).await, "PullRequestDoesNotExist");
    assert_eq!(world.refused("admin", "GetComment", comment).await, "CommentDoesNotExist");
    assert_eq!(world.codecommit.purge_repositories().await.expect("purged"), 1);
    assert_eq!(count().await, 0);
    assert_eq!(world.codecommit.purge_repositories().await.expect("purged"), 0);
}

/// How many records there are of what belongs to repositories.
fn remaining(tx: &store::ReadTx<'_>) -> Result<usize, store::StoreError> {
    use crate::record::comment::{CommentRecord, ThreadRecord};
    use crate::record::merge::MergeRecord;
    use crate::record::pull_request::{PullRequestEventRecord, PullRequestRecord};
    use crate::record::{TokenOfRecord, TokenRecord};
    fn count<R: store::Record>(tx: &store::ReadTx<'_>) -> Result<usize, store::StoreError> {
        Ok(tx.scan_collection::<R>(None, 1000)?.items.len())
    }
    Ok(count::<CommentRecord>(tx)?
        + count::<ThreadRecord>(tx)?
        + count::<MergeRecord>(tx)?
        + count::<TokenRecord>(tx)?
        + count::<TokenOfRecord>(tx)?
        + count::<PullRequestRecord>(tx)?
        + count::<PullRequestEventRecord>(tx)?)
}

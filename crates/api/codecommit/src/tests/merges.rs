//! Merges of branches and of pull requests, conflicts hunk by hunk, and how they are settled.

use super::pull_requests::{branches, opened};
use super::*;

/// `main` and `topic`, which both have changed `a`, in lines far apart unless `close`.
async fn diverged(world: &World, close: bool) -> (String, String, String) {
    world.repository("first").await;
    let lines = |changes: &[(usize, &str)]| -> String {
        let line = |number: usize| {
            let changed = changes.iter().find(|(changed, _)| *changed == number);
            changed.map_or_else(|| format!("line {number}\n"), |(_, text)| format!("{text}\n"))
        };
        (1..=30).map(line).collect()
    };
    let base = world.put("main", None, "a", &lines(&[])).await;
    world.branch("topic", &base).await;
    let main = world.put("main", Some(&base), "a", &lines(&[(5, "main")])).await;
    let topic = world.put("topic", Some(&base), "a", &lines(&[(if close { 5 } else { 25 }, "topic")])).await;
    (base, main, topic)
}

fn sides(extra: Value) -> Value {
    let mut input = json!({
        "repositoryName": "first", "sourceCommitSpecifier": "topic", "destinationCommitSpecifier": "main",
    });
    input.as_object_mut().expect("a map").extend(extra.as_object().expect("a map").clone());
    input
}

async fn commit(world: &World, id: &Value) -> Value {
    world.done("reader", "GetCommit", json!({"repositoryName": "first", "commitId": id})).await["commit"].take()
}

async fn content(world: &World, at: &str, path: &str) -> String {
    use base64::Engine as _;
    let input = json!({"repositoryName": "first", "commitSpecifier": at, "filePath": path});
    let found = world.done("reader", "GetFile", input).await;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text(&found["fileContent"])).expect("base64");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn a_branch_moves_forward_to_what_leads_to_it() {
    let world = World::new();
    let (main, topic) = branches(&world).await;
    let options = world.done("reader", "GetMergeOptions", sides(json!({}))).await;
    assert_eq!(
        options,
        json!({
            "mergeOptions": ["FAST_FORWARD_MERGE", "SQUASH_MERGE", "THREE_WAY_MERGE"],
            "sourceCommitId": topic, "destinationCommitId": main, "baseCommitId": main,
        })
    );
    let back = json!({
        "repositoryName": "first", "sourceCommitSpecifier": "main", "destinationCommitSpecifier": "topic",
    });
    assert_eq!(world.refused("admin", "MergeBranchesByFastForward", back).await, "ManualMergeRequired");
    let merged = world.done("admin", "MergeBranchesByFastForward", sides(json!({}))).await;
    assert_eq!(merged["commitId"], topic);
    let found = world.done("reader", "GetBranch", json!({"repositoryName": "first", "branchName": "main"})).await;
    assert_eq!(found["branch"]["commitId"], topic);
}

#[tokio::test]
async fn changes_far_apart_merge_by_line_and_not_by_file() {
    let world = World::new();
    let (base, main, topic) = diverged(&world, false).await;
    let conflicts = |level: &str| sides(json!({"mergeOption": "THREE_WAY_MERGE", "conflictDetailLevel": level}));
    let by_file = world.done("reader", "GetMergeConflicts", conflicts("FILE_LEVEL")).await;
    assert_eq!(by_file["mergeable"], false);
    assert_eq!(by_file["baseCommitId"], base);
    let metadata = &by_file["conflictMetadataList"][0];
    assert_eq!((&metadata["filePath"], &metadata["contentConflict"]), (&json!("a"), &json!(true)));
    assert_eq!(metadata["mergeOperations"], json!({"source": "M", "destination": "M"}));
    assert_eq!(metadata["fileModes"], json!({"source": "NORMAL", "destination": "NORMAL", "base": "NORMAL"}));
    let by_line = world.done("reader", "GetMergeConflicts", conflicts("LINE_LEVEL")).await;
    assert_eq!((&by_line["mergeable"], &by_line["conflictMetadataList"]), (&json!(true), &json!([])));
    let forward = sides(json!({"mergeOption": "FAST_FORWARD_MERGE"}));
    let forward = world.done("reader", "GetMergeConflicts", forward).await;
    assert_eq!((&forward["mergeable"], &forward["conflictMetadataList"]), (&json!(false), &json!([])));
    assert_eq!(world.refused("admin", "MergeBranchesByThreeWay", sides(json!({}))).await, "ManualMergeRequired");
    let named = json!({
        "conflictDetailLevel": "LINE_LEVEL", "authorName": "Ana", "email": "ana@example.com", "commitMessage": "both",
    });
    let merged = world.done("admin", "MergeBranchesByThreeWay", sides(named)).await;
    let made = commit(&world, &merged["commitId"]).await;
    assert_eq!((&made["parents"], &made["message"]), (&json!([main, topic]), &json!("both\n")));
    assert_eq!(made["author"]["email"], "ana@example.com");
    let found = content(&world, "main", "a").await;
    assert!(found.contains("main\n") && found.contains("topic\n") && !found.contains("line 5\n"), "{found}");
    let known = json!({
        "repositoryName": "first", "sourceCommitSpecifier": topic, "destinationCommitSpecifier": main,
    });
    let known = world.done("reader", "GetMergeCommit", known).await;
    assert_eq!((&known["mergedCommitId"], &known["baseCommitId"]), (&merged["commitId"], &json!(base)));
}

#[tokio::test]
async fn a_squash_has_one_parent() {
    let world = World::new();
    let (_, main, _) = diverged(&world, false).await;
    let merged =
        world.done("admin", "MergeBranchesBySquash", sides(json!({"conflictDetailLevel": "LINE_LEVEL"}))).await;
    let made = commit(&world, &merged["commitId"]).await;
    assert_eq!(made["parents"], json!([main]));
    assert_eq!(made["author"]["name"], user_arn(ACCOUNT, "admin"));
}

#[tokio::test]
async fn a_conflict_is_shown_hunk_by_hunk() {
    let world = World::new();
    let (base, main, topic) = diverged(&world, true).await;
    let describe = |extra: Value| {
        let mut input = sides(json!({"mergeOption": "THREE_WAY_MERGE", "conflictDetailLevel": "LINE_LEVEL"}));
        input.as_object_mut().expect("a map").extend(extra.as_object().expect("a map").clone());
        input
    };
    let shown = world.done("ana", "DescribeMergeConflicts", describe(json!({"filePath": "a"}))).await;
    assert_eq!((&shown["sourceCommitId"], &shown["destinationCommitId"]), (&json!(topic), &json!(main)));
    assert_eq!(shown["baseCommitId"], base);
    let detail = |text: &str| json!({"startLine": 5, "endLine": 5, "hunkContent": base64(text.as_bytes())});
    assert_eq!(
        shown["mergeHunks"],
        json!([{
            "isConflict": true, "source": detail("topic\n"), "destination": detail("main\n"), "base": detail("line 5\n"),
        }])
    );
    assert_eq!(shown["conflictMetadata"]["numberOfConflicts"], 1);
    assert_eq!(
        shown["conflictMetadata"]["isBinaryFile"],
        json!({"source": false, "destination": false, "base": false})
    );
    let batch = world.done("ana", "BatchDescribeMergeConflicts", describe(json!({}))).await;
    assert_eq!(batch["conflicts"][0]["mergeHunks"], shown["mergeHunks"]);
    let none = describe(json!({"filePaths": ["none"]}));
    let none = world.done("ana", "BatchDescribeMergeConflicts", none).await;
    assert_eq!(none["errors"][0]["exceptionName"], "FileDoesNotExistException");
    for (extra, code) in [
        (json!({"filePath": "none"}), "FileDoesNotExist"),
        (json!({"filePath": "a", "mergeOption": "FAST_FORWARD_MERGE"}), "InvalidMergeOption"),
        (json!({"filePath": "a", "mergeOption": null}), "MergeOptionRequired"),
        (json!({"filePath": "a", "maxMergeHunks": 0}), "InvalidMaxMergeHunks"),
        (json!({"filePath": "a", "conflictDetailLevel": "x"}), "InvalidConflictDetailLevel"),
        (json!({"filePath": "a", "conflictResolutionStrategy": "x"}), "InvalidConflictResolutionStrategy"),
        (json!({"filePath": "a", "sourceCommitSpecifier": "none"}), "CommitDoesNotExist"),
        (json!({"filePath": "a", "sourceCommitSpecifier": null}), "CommitRequired"),
        (json!({"filePath": "a", "nextToken": "x"}), "InvalidContinuationToken"),
    ] {
        assert_eq!(world.refused("admin", "DescribeMergeConflicts", describe(extra.clone())).await, code, "{extra}");
    }
    let options = world.done("reader", "GetMergeOptions", sides(json!({"conflictDetailLevel": "LINE_LEVEL"}))).await;
    assert_eq!(options["mergeOptions"], json!([]));
}

#[tokio::test]
async fn conflicts_are_settled_by_a_side_or_file_by_file() {
    for (settle, expected) in [
        (json!({"conflictResolutionStrategy": "ACCEPT_SOURCE"}), "topic\n"),
        (json!({"conflictResolutionStrategy": "ACCEPT_DESTINATION"}), "main\n"),
        (
            json!({
                "conflictResolutionStrategy": "AUTOMERGE",
                "conflictResolution": {"replaceContents": [{
                    "filePath": "a", "replacementType": "USE_NEW_CONTENT", "content": base64(b"settled\n"),
                    "fileMode": "EXECUTABLE",
                }]},
            }),
            "settled\n",
        ),
        (
            json!({
                "conflictResolutionStrategy": "AUTOMERGE",
                "conflictResolution": {"replaceContents": [{"filePath": "a", "replacementType": "KEEP_BASE"}]},
            }),
            "line 5\n",
        ),
        (
            json!({
                "conflictResolutionStrategy": "AUTOMERGE",
                "conflictResolution": {"replaceContents": [{"filePath": "a", "replacementType": "KEEP_SOURCE"}]},
            }),
            "topic\n",
        ),
    ] {
        let world = World::new();
        diverged(&world, true).await;
        world.done("admin", "MergeBranchesByThreeWay", sides(settle.clone())).await;
        let found = content(&world, "main", "a").await;
        assert!(found.contains(expected), "{settle}: {found}");
    }
    let world = World::new();
    diverged(&world, true).await;
    let replace = |entry: Value| json!({"conflictResolutionStrategy": "AUTOMERGE", "conflictResolution": entry});
    let keep = json!({"filePath": "a", "replacementType": "KEEP_SOURCE"});
    for (extra, code) in [
        (replace(json!({})), "ManualMergeRequired"),
        (json!({"conflictResolution": {"replaceContents": [keep]}}), "InvalidConflictResolution"),
        (replace(json!({"replaceContents": [keep, keep]})), "MultipleConflictResolutionEntries"),
        (
            replace(json!({"replaceContents": [{"filePath": "a", "replacementType": "USE_NEW_CONTENT"}]})),
            "ReplacementContentRequired",
        ),
        (replace(json!({"replaceContents": [{"filePath": "a"}]})), "ReplacementTypeRequired"),
        (replace(json!({"replaceContents": [{"filePath": "a", "replacementType": "x"}]})), "InvalidReplacementType"),
        (replace(json!({"replaceContents": vec![keep.clone(); 101]})), "MaximumConflictResolutionEntriesExceeded"),
        (json!({"targetBranch": "none"}), "BranchDoesNotExist"),
        (json!({"targetBranch": "a..b"}), "InvalidBranchName"),
        (json!({"targetBranch": "topic", "conflictDetailLevel": "LINE_LEVEL"}), "ConcurrentReferenceUpdate"),
    ] {
        let code_found = world.refused("admin", "MergeBranchesBySquash", sides(extra.clone())).await;
        assert_eq!(code_found, code, "{extra}");
    }
    let deleted = replace(json!({"deleteFiles": [{"filePath": "a"}], "replaceContents": []}));
    let merged = world.done("admin", "MergeBranchesBySquash", sides(deleted)).await;
    let root = json!({"repositoryName": "first", "folderPath": "/", "commitSpecifier": merged["commitId"]});
    assert_eq!(world.done("reader", "GetFolder", root).await["files"], json!([]));
}

#[tokio::test]
async fn an_unreferenced_merge_is_read_by_its_id_and_moves_no_branch() {
    let world = World::new();
    let (_, main, topic) = diverged(&world, false).await;
    let wanted = sides(json!({"mergeOption": "THREE_WAY_MERGE", "conflictDetailLevel": "LINE_LEVEL"}));
    let made = world.done("admin", "CreateUnreferencedMergeCommit", wanted.clone()).await;
    assert_eq!(commit(&world, &made["commitId"]).await["parents"], json!([main, topic]));
    let found = world.done("reader", "GetBranch", json!({"repositoryName": "first", "branchName": "main"})).await;
    assert_eq!(found["branch"]["commitId"], main);
    let listed = world.done("reader", "ListBranches", json!({"repositoryName": "first"})).await;
    assert_eq!(listed, json!({"branches": ["main", "topic"]}));
    let known = world.done("reader", "GetMergeCommit", sides(json!({}))).await;
    assert_eq!(known["mergedCommitId"], made["commitId"]);
    let forward = sides(json!({"mergeOption": "FAST_FORWARD_MERGE"}));
    assert_eq!(world.refused("admin", "CreateUnreferencedMergeCommit", forward).await, "InvalidMergeOption");
}

#[tokio::test]
async fn a_pull_request_is_merged_three_ways_and_closed_as_merged() {
    for (operation, option, parents) in [
        ("MergePullRequestByFastForward", "FAST_FORWARD_MERGE", 1),
        ("MergePullRequestBySquash", "SQUASH_MERGE", 1),
        ("MergePullRequestByThreeWay", "THREE_WAY_MERGE", 2),
    ] {
        let world = World::new();
        let (_, topic) = branches(&world).await;
        let id = opened(&world).await["pullRequestId"].clone();
        let wanted = json!({"pullRequestId": id, "repositoryName": "first", "sourceCommitId": topic});
        let merged = world.done("admin", operation, wanted.clone()).await["pullRequest"].take();
        assert_eq!(merged["pullRequestStatus"], "CLOSED");
        let metadata = merged["pullRequestTargets"][0]["mergeMetadata"].clone();
        assert_eq!((&metadata["isMerged"], &metadata["mergeOption"]), (&json!(true), &json!(option)));
        assert_eq!(metadata["mergedBy"], user_arn(ACCOUNT, "admin"));
        let found = world.done("reader", "GetBranch", json!({"repositoryName": "first", "branchName": "main"})).await;
        assert_eq!(found["branch"]["commitId"], metadata["mergeCommitId"]);
        let made = commit(&world, &metadata["mergeCommitId"]).await;
        assert_eq!(made["parents"].as_array().expect("a list").len(), parents);
        assert_eq!(world.refused("admin", operation, wanted).await, "PullRequestAlreadyClosed");
    }
}

#[tokio::test]
async fn a_pull_request_is_merged_only_as_it_was_looked_at_and_approved() {
    let world = World::new();
    branches(&world).await;
    world.repository("second").await;
    let one = opened(&world).await;
    let id = one["pullRequestId"].clone();
    let merge = |extra: Value| {
        let mut input = json!({"pullRequestId": id, "repositoryName": "first"});
        input.as_object_mut().expect("a map").extend(extra.as_object().expect("a map").clone());
        input
    };
    for (extra, code) in [
        (json!({"sourceCommitId": "0".repeat(40)}), "TipOfSourceReferenceIsDifferent"),
        (json!({"sourceCommitId": "x"}), "InvalidCommitId"),
        (json!({"repositoryName": "second"}), "RepositoryNotAssociatedWithPullRequest"),
        (json!({"pullRequestId": "9"}), "PullRequestDoesNotExist"),
        (json!({"email": "<"}), "InvalidEmail"),
    ] {
        assert_eq!(world.refused("admin", "MergePullRequestBySquash", merge(extra.clone())).await, code, "{extra}");
    }
    let content = r#"{"Version":"2018-11-08","Statements":[{"Type":"Approvers","NumberOfApprovalsNeeded":1}]}"#;
    let rule = json!({"pullRequestId": id, "approvalRuleName": "rule", "approvalRuleContent": content});
    world.done("admin", "CreatePullRequestApprovalRule", rule).await;
    assert_eq!(
        world.refused("admin", "MergePullRequestBySquash", merge(json!({}))).await,
        "PullRequestApprovalRulesNotSatisfied"
    );
    let approve = json!({"pullRequestId": id, "revisionId": one["revisionId"], "approvalState": "APPROVE"});
    world.done("admin", "UpdatePullRequestApprovalState", approve).await;
    // A branch that takes changes through pull requests alone.
    let deny = json!({
        "Effect": "Deny", "Action": "codecommit:*", "Resource": "*",
        "Condition": {
            "StringEquals": {"codecommit:References": "refs/heads/main"}, "Bool": {"codecommit:ThroughPullRequest": "false"},
        },
    });
    world.user("dev", ACCOUNT, &[allow(&json!("*"), "*"), deny]);
    assert_eq!(world.refused("dev", "MergeBranchesBySquash", sides(json!({}))).await, "AccessDenied");
    world.done("dev", "MergePullRequestBySquash", merge(json!({}))).await;
}

#[tokio::test]
async fn a_destination_that_comes_to_hold_the_source_closes_the_pull_request_as_merged() {
    let world = World::new();
    branches(&world).await;
    let id = opened(&world).await["pullRequestId"].clone();
    let merged = world.done("ana", "MergeBranchesByFastForward", sides(json!({}))).await;
    let found = world.done("reader", "GetPullRequest", json!({"pullRequestId": id})).await["pullRequest"].take();
    assert_eq!(found["pullRequestStatus"], "CLOSED");
    assert_eq!(
        found["pullRequestTargets"][0]["mergeMetadata"],
        json!({"isMerged": true, "mergedBy": user_arn(ACCOUNT, "ana"), "mergeCommitId": merged["commitId"]})
    );
}

//! Commits made and read.

use super::*;

fn commit(parent: &str, changes: Value) -> Value {
    let mut input = json!({
        "repositoryName": "first", "branchName": "main", "parentCommitId": parent, "authorName": "Ana",
        "email": "ana@example.com", "commitMessage": "change",
    });
    input.as_object_mut().expect("a map").extend(changes.as_object().expect("a map").clone());
    input
}

#[tokio::test]
async fn a_commit_puts_copies_moves_deletes_and_sets_modes() {
    let world = World::new();
    world.repository("first").await;
    let mut tip = world.put("main", None, "a", "a").await;
    for path in ["b", "c", "d/e"] {
        tip = world.put("main", Some(&tip), path, path).await;
    }
    let changes = json!({
        "putFiles": [
            {"filePath": "new", "fileContent": base64(b"new"), "fileMode": "EXECUTABLE"},
            {"filePath": "a", "fileContent": base64(b"a2")},
            {"filePath": "copy", "sourceFile": {"filePath": "b"}},
            {"filePath": "moved", "sourceFile": {"filePath": "c", "isMove": true}},
        ],
        "deleteFiles": [{"filePath": "d/e"}],
        "setFileModes": [{"filePath": "b", "fileMode": "EXECUTABLE"}],
    });
    let made = world.done("admin", "CreateCommit", commit(&tip, changes)).await;
    let paths = |list: &str| -> Vec<String> {
        made[list].as_array().expect("a list").iter().map(|file| text(&file["absolutePath"])).collect()
    };
    assert_eq!(paths("filesAdded"), ["new", "copy", "moved"]);
    assert_eq!(paths("filesUpdated"), ["a", "b"]);
    assert_eq!(paths("filesDeleted"), ["c", "d/e"]);
    let root = world.done("reader", "GetFolder", json!({"repositoryName": "first", "folderPath": ""})).await;
    let files: Vec<_> = root["files"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| (text(&file["relativePath"]), text(&file["fileMode"])))
        .collect();
    let expected =
        [("a", "NORMAL"), ("b", "EXECUTABLE"), ("copy", "NORMAL"), ("moved", "NORMAL"), ("new", "EXECUTABLE")];
    assert_eq!(files, expected.map(|(path, mode)| (path.to_owned(), mode.to_owned())));
    assert_eq!(root["subFolders"], json!([]));

    let get = json!({"repositoryName": "first", "commitId": made["commitId"]});
    let found = world.done("reader", "GetCommit", get).await["commit"].take();
    assert_eq!(found["treeId"], made["treeId"]);
    assert_eq!(found["parents"], json!([tip]));
    assert_eq!(found["message"], "change\n");
    assert_eq!(found["author"], json!({"name": "Ana", "email": "ana@example.com", "date": "1790000000 +0000"}));
    assert_eq!(found["author"], found["committer"]);
}

#[tokio::test]
async fn a_commit_is_refused_as_aws_refuses_it() {
    let world = World::new();
    world.repository("first").await;
    let tip = world.put("main", None, "a", "a").await;
    let tip = world.put("main", Some(&tip), "d/.gitkeep", "x").await;
    let put = |path: &str| json!({"filePath": path, "fileContent": base64(b"x")});
    for (changes, code) in [
        (json!({}), "FileEntryRequired"),
        (json!({"putFiles": [{"filePath": "x"}]}), "SourceFileOrContentRequired"),
        (
            json!({"putFiles": [{"filePath": "x", "fileContent": "", "sourceFile": {"filePath": "a"}}]}),
            "FileContentAndSourceFileSpecified",
        ),
        (json!({"putFiles": [put("x"), put("x")]}), "SamePathRequest"),
        (json!({"putFiles": [put("a")], "deleteFiles": [{"filePath": "a"}]}), "SamePathRequest"),
        (json!({"putFiles": [put("x"), put("x/y")]}), "PutFileEntryConflict"),
        (json!({"putFiles": [{"filePath": "x", "sourceFile": {"filePath": "d/.gitkeep"}}]}), "RestrictedSourceFile"),
        (json!({"putFiles": [{"filePath": "x", "sourceFile": {"filePath": "none"}}]}), "FileDoesNotExist"),
        (json!({"putFiles": [{"fileContent": ""}]}), "PathRequired"),
        (json!({"putFiles": [put("..")]}), "InvalidPath"),
        (json!({"putFiles": [put("a/x")]}), "DirectoryNameConflictsWithFileName"),
        (json!({"putFiles": [put("d")]}), "FileNameConflictsWithDirectoryName"),
        (json!({"putFiles": [{"filePath": "a", "fileContent": base64(b"a")}]}), "NoChange"),
        (json!({"deleteFiles": [{"filePath": "none"}]}), "FileDoesNotExist"),
        (json!({"setFileModes": [{"filePath": "none", "fileMode": "NORMAL"}]}), "FileDoesNotExist"),
        (json!({"setFileModes": [{"filePath": "a"}]}), "FileModeRequired"),
        (json!({"setFileModes": [{"filePath": "a", "fileMode": "X"}]}), "InvalidFileMode"),
        (json!({"putFiles": vec![put("x"); 101]}), "MaximumFileEntriesExceeded"),
        (json!({"putFiles": [put("x")], "email": "a<b"}), "InvalidEmail"),
        (json!({"putFiles": [put("x")], "authorName": "n".repeat(2000)}), "NameLengthExceeded"),
        (json!({"putFiles": [put("x")], "branchName": "none"}), "BranchDoesNotExist"),
        (json!({"putFiles": [put("x")], "parentCommitId": null}), "ParentCommitIdRequired"),
    ] {
        assert_eq!(world.refused("admin", "CreateCommit", commit(&tip, changes.clone())).await, code, "{changes}");
    }
}

#[tokio::test]
async fn a_batch_of_commits_says_which_are_not_there() {
    let world = World::new();
    world.repository("first").await;
    let tip = world.put("main", None, "a", "a").await;
    let input = json!({"repositoryName": "first", "commitIds": [tip, "0".repeat(40), "x"]});
    let found = world.done("reader", "BatchGetCommits", input).await;
    assert_eq!(found["commits"][0]["commitId"], tip);
    assert_eq!(found["errors"][0]["errorCode"], "CommitIdDoesNotExistException");
    assert_eq!(found["errors"][1]["errorCode"], "InvalidCommitIdException");
    let refused =
        |ids: Value| world.refused("admin", "BatchGetCommits", json!({"repositoryName": "first", "commitIds": ids}));
    assert_eq!(refused(json!([])).await, "CommitIdsListRequired");
    assert_eq!(refused(json!(vec!["a"; 101])).await, "CommitIdsLimitExceeded");
    let get = json!({"repositoryName": "first", "commitId": "main"});
    assert_eq!(world.refused("admin", "GetCommit", get).await, "InvalidCommitId");
}

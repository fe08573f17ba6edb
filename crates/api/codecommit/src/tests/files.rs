//! Files, folders and blobs, over the real repository of Git.

use super::*;

fn put(branch: &str, parent: Option<&str>, path: &str, content: &str) -> Value {
    json!({
        "repositoryName": "first", "branchName": branch, "parentCommitId": parent, "filePath": path,
        "fileContent": base64(content.as_bytes()),
    })
}

#[tokio::test]
async fn a_file_is_put_and_read_at_any_commit() {
    let world = World::new();
    world.repository("first").await;
    let one = world.done("admin", "PutFile", put("main", None, "/docs/a.txt", "one\n")).await;
    let first = text(&one["commitId"]);
    let two = world.done("admin", "PutFile", put("main", Some(&first), "docs/a.txt", "two\n")).await;
    let get = |commit: Value| json!({"repositoryName": "first", "filePath": "docs/a.txt", "commitSpecifier": commit});
    for (commit, expected) in [
        (Value::Null, "two\n"),
        (json!("main"), "two\n"),
        (json!("refs/heads/main"), "two\n"),
        (two["commitId"].clone(), "two\n"),
        (one["commitId"].clone(), "one\n"),
    ] {
        let found = world.done("reader", "GetFile", get(commit.clone())).await;
        assert_eq!(found["fileContent"], base64(expected.as_bytes()), "{commit}");
        assert_eq!((&found["fileMode"], &found["fileSize"]), (&json!("NORMAL"), &json!(4)));
        assert_eq!(found["filePath"], "docs/a.txt");
    }
    let blob = json!({"repositoryName": "first", "blobId": one["blobId"]});
    assert_eq!(world.done("reader", "GetBlob", blob).await["content"], base64(b"one\n"));
    // The id that git gives to this content.
    assert_eq!(one["blobId"], "5626abf0f72e58d7a153368ba57db4c673c0e171");
    for (operation, input, code) in [
        ("GetFile", get(json!("none")), "CommitDoesNotExist"),
        ("GetFile", get(json!("0".repeat(40))), "CommitDoesNotExist"),
        ("GetFile", json!({"repositoryName": "first", "filePath": "docs"}), "FileDoesNotExist"),
        ("GetFile", json!({"repositoryName": "first", "filePath": "docs/b"}), "FileDoesNotExist"),
        ("GetFile", json!({"repositoryName": "first"}), "PathRequired"),
        ("GetBlob", json!({"repositoryName": "first", "blobId": "0".repeat(40)}), "BlobIdDoesNotExist"),
        ("GetBlob", json!({"repositoryName": "first", "blobId": one["commitId"]}), "BlobIdDoesNotExist"),
        ("GetBlob", json!({"repositoryName": "first", "blobId": "x"}), "InvalidBlobId"),
        ("GetFolder", json!({"repositoryName": "first", "folderPath": "none"}), "FolderDoesNotExist"),
        ("GetFolder", json!({"repositoryName": "first", "folderPath": "docs/a.txt"}), "FolderDoesNotExist"),
    ] {
        assert_eq!(world.refused("admin", operation, input.clone()).await, code, "{operation} {input}");
    }
    world.repository("empty").await;
    let input = json!({"repositoryName": "empty", "filePath": "a"});
    assert_eq!(world.refused("admin", "GetFile", input).await, "CommitDoesNotExist");
}

#[tokio::test]
async fn a_parent_has_to_be_the_tip() {
    let world = World::new();
    world.repository("first").await;
    assert_eq!(
        world.refused("admin", "PutFile", put("main", Some(&"1".repeat(40)), "a", "x")).await,
        "ParentCommitDoesNotExist"
    );
    let first = world.put("main", None, "a", "1").await;
    let second = world.put("main", Some(&first), "a", "2").await;
    for (branch, parent, content, code) in [
        ("main", None, "x", "ParentCommitIdRequired"),
        ("main", Some(first.as_str()), "x", "ParentCommitIdOutdated"),
        ("main", Some("x"), "x", "InvalidParentCommitId"),
        ("main", Some(&*"1".repeat(40)), "x", "ParentCommitDoesNotExist"),
        ("other", Some(&second), "x", "BranchDoesNotExist"),
        ("main", Some(&second), "2", "SameFileContent"),
        ("main", Some(&second), "", "FileContentRequired"),
    ] {
        assert_eq!(
            world.refused("admin", "PutFile", put(branch, parent, "a", content)).await,
            code,
            "{branch} {parent:?}"
        );
    }
    for (path, code) in [
        ("a/b", "DirectoryNameConflictsWithFileName"),
        ("x/../y", "InvalidPath"),
        ("x//y", "InvalidPath"),
        ("", "InvalidPath"),
        (".git/config", "InvalidPath"),
        ("a/.GIT/x", "InvalidPath"),
        ("git~1/x", "InvalidPath"),
        (&*["d"; 22].join("/"), "InvalidPath"),
    ] {
        assert_eq!(world.refused("admin", "PutFile", put("main", Some(&second), path, "x")).await, code, "{path}");
    }
    let third = world.put("main", Some(&second), "d/e", "x").await;
    let conflict = world.refused("admin", "PutFile", put("main", Some(&third), "d", "x")).await;
    assert_eq!(conflict, "FileNameConflictsWithDirectoryName");
}

#[tokio::test]
async fn a_deleted_file_takes_an_empty_folder_along_unless_that_is_kept() {
    let world = World::new();
    world.repository("first").await;
    let mut tip = world.put("main", None, "keep/a", "1").await;
    tip = world.put("main", Some(&tip), "go/b/c", "2").await;
    let delete = |path: &str, tip: &str, keep: bool| {
        json!({
            "repositoryName": "first", "branchName": "main", "filePath": path, "parentCommitId": tip,
            "keepEmptyFolders": keep,
        })
    };
    let gone = world.done("admin", "DeleteFile", delete("go/b/c", &tip, false)).await;
    assert_eq!(gone["filePath"], "go/b/c");
    tip = text(&gone["commitId"]);
    tip = text(&world.done("admin", "DeleteFile", delete("keep/a", &tip, true)).await["commitId"]);
    let root = world.done("reader", "GetFolder", json!({"repositoryName": "first", "folderPath": "/"})).await;
    assert_eq!(root["subFolders"].as_array().expect("a list").len(), 1);
    assert_eq!(root["subFolders"][0]["absolutePath"], "keep");
    let kept = world.done("reader", "GetFolder", json!({"repositoryName": "first", "folderPath": "keep"})).await;
    assert_eq!(kept["files"][0]["absolutePath"], "keep/.gitkeep");
    assert_eq!(kept["files"][0]["relativePath"], ".gitkeep");
    assert_eq!(world.refused("admin", "DeleteFile", delete("none", &tip, false)).await, "FileDoesNotExist");
    assert_eq!(world.refused("admin", "DeleteFile", delete("keep", &tip, false)).await, "FileDoesNotExist");
}

#[tokio::test]
async fn a_files_history_goes_back_through_a_rename() {
    let world = World::new();
    world.repository("first").await;
    let one = world.put("main", None, "old", "1").await;
    world.pass_seconds(1);
    let two = world.put("main", Some(&one), "old", "2").await;
    world.pass_seconds(1);
    let other = world.put("main", Some(&two), "other", "x").await;
    world.pass_seconds(1);
    let input = json!({
        "repositoryName": "first", "branchName": "main", "parentCommitId": other,
        "putFiles": [{"filePath": "new", "sourceFile": {"filePath": "old", "isMove": true}}],
    });
    let moved = text(&world.done("admin", "CreateCommit", input).await["commitId"]);
    world.pass_seconds(1);
    let three = world.put("main", Some(&moved), "new", "3").await;
    let list = |extra: Value| {
        let mut input = json!({"repositoryName": "first", "filePath": "new"});
        input.as_object_mut().expect("a map").extend(extra.as_object().expect("a map").clone());
        input
    };
    let found = world.done("reader", "ListFileCommitHistory", list(json!({}))).await;
    let seen: Vec<_> = found["revisionDag"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|version| (text(&version["commit"]["commitId"]), text(&version["path"])))
        .collect();
    let expected = [(&three, "new"), (&moved, "new"), (&two, "old"), (&one, "old")];
    assert_eq!(seen, expected.map(|(id, path)| (id.clone(), path.to_owned())));
    let page = world.done("reader", "ListFileCommitHistory", list(json!({"maxResults": 3}))).await;
    assert_eq!(page["revisionDag"].as_array().expect("a list").len(), 3);
    let rest = world.done("reader", "ListFileCommitHistory", list(json!({"nextToken": page["nextToken"]}))).await;
    assert_eq!(rest["revisionDag"][0]["commit"]["commitId"], one);
    assert!(rest.get("nextToken").is_none());
    let bad = list(json!({"nextToken": "x"}));
    assert_eq!(world.refused("admin", "ListFileCommitHistory", bad).await, "InvalidContinuationToken");
}

//! Differences of commits and of blobs.

use super::*;

#[tokio::test]
async fn differences_are_listed_as_git_lists_them() {
    let world = World::new();
    world.repository("first").await;
    let one = world.put("main", None, "a", "a\n").await;
    let one = world.put("main", Some(&one), "d/b", "b\n").await;
    let two = world.put("main", Some(&one), "a", "A\n").await;
    let two = world.put("main", Some(&two), "d/c", "c\n").await;
    let delete = json!({"repositoryName": "first", "branchName": "main", "filePath": "d/b", "parentCommitId": two});
    world.done("admin", "DeleteFile", delete).await;
    let get = |extra: Value| {
        let mut input = json!({"repositoryName": "first", "afterCommitSpecifier": "main"});
        input.as_object_mut().expect("a map").extend(extra.as_object().expect("a map").clone());
        input
    };
    let seen = |found: &Value| -> Vec<(String, String)> {
        let list = found["differences"].as_array().expect("a list");
        let path = |one: &Value| {
            let side = if one["afterBlob"].is_null() { "beforeBlob" } else { "afterBlob" };
            text(&one[side]["path"])
        };
        list.iter().map(|one| (text(&one["changeType"]), path(one))).collect()
    };
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(kind, path)| ((*kind).to_owned(), (*path).to_owned())).collect()
    };
    let all = world.done("reader", "GetDifferences", get(json!({}))).await;
    assert_eq!(seen(&all), pairs(&[("A", "a"), ("A", "d/c")]));
    assert_eq!(all["differences"][0]["afterBlob"]["mode"], "100644");
    let since = world.done("reader", "GetDifferences", get(json!({"beforeCommitSpecifier": one}))).await;
    assert_eq!(seen(&since), pairs(&[("M", "a"), ("D", "d/b"), ("A", "d/c")]));
    let below = get(json!({"beforeCommitSpecifier": one, "afterPath": "d"}));
    assert_eq!(seen(&world.done("reader", "GetDifferences", below).await), pairs(&[("D", "d/b"), ("A", "d/c")]));
    let page =
        world.done("reader", "GetDifferences", get(json!({"beforeCommitSpecifier": one, "MaxResults": 2}))).await;
    assert_eq!(seen(&page).len(), 2);
    let rest = get(json!({"beforeCommitSpecifier": one, "NextToken": page["NextToken"]}));
    assert_eq!(seen(&world.done("reader", "GetDifferences", rest).await), pairs(&[("A", "d/c")]));
    for (extra, code) in [
        (json!({"beforeCommitSpecifier": "none"}), "CommitDoesNotExist"),
        (json!({"NextToken": "x"}), "InvalidContinuationToken"),
        (json!({"MaxResults": -1}), "InvalidMaxResults"),
        (json!({"afterCommitSpecifier": null}), "CommitRequired"),
    ] {
        assert_eq!(world.refused("admin", "GetDifferences", get(extra.clone())).await, code, "{extra}");
    }
}

#[tokio::test]
async fn blobs_are_compared_line_by_line() {
    let world = World::new();
    world.repository("first").await;
    let lines: Vec<String> = (1..=20).map(|number| format!("line {number}\n")).collect();
    let one = world.put("main", None, "a", &lines.concat()).await;
    let mut changed = lines.clone();
    changed[9] = "LINE 10\n".to_owned();
    changed.push("last".to_owned());
    let two = world.put("main", Some(&one), "a", &changed.concat()).await;
    world.put("main", Some(&two), "binary", "a\0b").await;
    let blob = async |commit: &str, path: &str| {
        let input = json!({"repositoryName": "first", "filePath": path, "commitSpecifier": commit});
        text(&world.done("reader", "GetFile", input).await["blobId"])
    };
    let (before, after, binary) = (blob(&one, "a").await, blob(&two, "a").await, blob("main", "binary").await);
    let compare = |extra: Value| {
        let mut input = json!({"repositoryName": "first", "beforeBlobId": before, "afterBlobId": after});
        input.as_object_mut().expect("a map").extend(extra.as_object().expect("a map").clone());
        input
    };
    let found = world.done("reader", "GetBlobDifferences", compare(json!({"contextLines": 1}))).await;
    assert_eq!(found["isBinary"], false);
    assert_eq!(found["hunks"].as_array().expect("a list").len(), 2);
    assert_eq!(
        found["hunks"][0],
        json!({
            "beforeStartLine": 9, "beforeLineCount": 3, "afterStartLine": 9, "afterLineCount": 3,
            "changes": [
                {"type": "CONTEXT", "beforeLineNumber": 9, "afterLineNumber": 9, "content": "line 9"},
                {"type": "DELETE", "beforeLineNumber": 10, "content": "line 10"},
                {"type": "ADD", "afterLineNumber": 10, "content": "LINE 10"},
                {"type": "CONTEXT", "beforeLineNumber": 11, "afterLineNumber": 11, "content": "line 11"},
            ],
        })
    );
    let page = world.done("reader", "GetBlobDifferences", compare(json!({"contextLines": 0, "MaxResults": 1}))).await;
    let rest = compare(json!({"contextLines": 0, "NextToken": page["NextToken"]}));
    let rest = world.done("reader", "GetBlobDifferences", rest).await;
    assert_eq!(rest["hunks"][0]["changes"], json!([{"type": "ADD", "afterLineNumber": 21, "content": "last"}]));
    let same = world.done("reader", "GetBlobDifferences", compare(json!({"beforeBlobId": after}))).await;
    assert_eq!(same["hunks"], json!([]));
    let new = world.done("reader", "GetBlobDifferences", compare(json!({"beforeBlobId": null}))).await;
    assert_eq!((&new["beforeBlobSize"], &new["hunks"][0]["afterLineCount"]), (&json!(0), &json!(21)));
    let other = world.done("reader", "GetBlobDifferences", compare(json!({"afterBlobId": binary}))).await;
    assert_eq!((&other["isBinary"], &other["hunks"], &other["afterBlobSize"]), (&json!(true), &json!([]), &json!(3)));
    for (extra, code) in [
        (json!({"contextLines": 21}), "Validation"),
        (json!({"afterBlobId": "x"}), "InvalidBlobId"),
        (json!({"afterBlobId": "0".repeat(40)}), "BlobIdDoesNotExist"),
        (json!({"NextToken": "x"}), "InvalidContinuationToken"),
    ] {
        assert_eq!(world.refused("admin", "GetBlobDifferences", compare(extra.clone())).await, code, "{extra}");
    }
}

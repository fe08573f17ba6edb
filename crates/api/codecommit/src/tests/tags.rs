//! Tags: added, listed, removed, and what policies make of them.

use super::*;

#[tokio::test]
async fn tags_are_added_changed_listed_and_removed() {
    let world = World::new();
    world.repository("first").await;
    let arn = repository_arn("first");
    let tag = |tags: Value| json!({"resourceArn": arn, "tags": tags});
    world.done("admin", "TagResource", tag(json!({"Team": "red", "a": ""}))).await;
    world.done("admin", "TagResource", tag(json!({"Team": "blue"}))).await;
    let list = json!({"resourceArn": arn});
    let listed = world.done("reader", "ListTagsForResource", list.clone()).await;
    assert_eq!(listed, json!({"tags": {"Team": "blue", "a": ""}}));
    world.done("admin", "UntagResource", json!({"resourceArn": arn, "tagKeys": ["a", "none"]})).await;
    assert_eq!(world.done("admin", "ListTagsForResource", list).await["tags"], json!({"Team": "blue"}));
    for (operation, input, code) in [
        ("TagResource", tag(json!({"aws:x": ""})), "InvalidSystemTagUsage"),
        ("TagResource", tag(json!({"TEAM": ""})), "InvalidTagsMap"),
        ("TagResource", tag(json!({"x": "v".repeat(257)})), "InvalidTagsMap"),
        ("TagResource", tag(Value::Object((0..50).map(|n| (n.to_string(), json!(""))).collect())), "TooManyTags"),
        ("TagResource", json!({"resourceArn": arn}), "TagsMapRequired"),
        ("UntagResource", json!({"resourceArn": arn, "tagKeys": []}), "TagKeysListRequired"),
        ("UntagResource", json!({"resourceArn": arn, "tagKeys": ["aws:x"]}), "InvalidSystemTagUsage"),
        ("ListTagsForResource", json!({}), "ResourceArnRequired"),
        ("ListTagsForResource", json!({"resourceArn": "first"}), "InvalidResourceArn"),
        ("ListTagsForResource", json!({"resourceArn": arn.replace("us-east-1", "eu-west-1")}), "InvalidResourceArn"),
        ("ListTagsForResource", json!({"resourceArn": arn.replace("codecommit", "kms")}), "InvalidResourceArn"),
        ("ListTagsForResource", json!({"resourceArn": repository_arn("none")}), "RepositoryDoesNotExist"),
        ("ListTagsForResource", json!({"resourceArn": arn, "nextToken": "x"}), "InvalidContinuationToken"),
    ] {
        assert_eq!(world.refused("admin", operation, input.clone()).await, code, "{operation} {input}");
    }
}

#[tokio::test]
async fn policies_go_by_tags_of_repositories_and_of_requests() {
    let world = World::new();
    for (name, team) in [("red", "red"), ("blue", "blue")] {
        world.done("admin", "CreateRepository", json!({"repositoryName": name, "tags": {"Team": team}})).await;
    }
    let mut statement = allow(&json!("codecommit:*"), "*");
    statement["Condition"] = json!({"StringEquals": {"aws:ResourceTag/Team": "red"}});
    world.user("red", ACCOUNT, &[statement]);
    world.done("red", "GetRepository", json!({"repositoryName": "red"})).await;
    assert_eq!(world.refused("red", "GetRepository", json!({"repositoryName": "blue"})).await, "AccessDenied");
    let mut statement = allow(&json!("codecommit:CreateRepository"), "*");
    statement["Condition"] = json!({"StringEquals": {"aws:RequestTag/Team": "red"}});
    world.user("maker", ACCOUNT, &[statement]);
    let make = |tags: Value| json!({"repositoryName": "new", "tags": tags});
    assert_eq!(world.refused("maker", "CreateRepository", make(json!({"Team": "blue"}))).await, "AccessDenied");
    world.done("maker", "CreateRepository", make(json!({"Team": "red"}))).await;
}

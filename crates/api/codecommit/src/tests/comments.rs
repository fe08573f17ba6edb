//! Comments, replies and reactions.

use super::pull_requests::{branches, opened};
use super::*;

#[tokio::test]
async fn threads_are_listed_with_their_replies_in_order() {
    let world = World::new();
    let (main, topic) = branches(&world).await;
    let id = opened(&world).await["pullRequestId"].clone();
    let post = |content: &str, location: Value| {
        json!({
            "pullRequestId": id, "repositoryName": "first", "beforeCommitId": main, "afterCommitId": topic,
            "content": content, "location": location,
        })
    };
    let location = json!({"filePath": "b", "filePosition": 1, "relativeFileVersion": "AFTER"});
    let one = world.done("ana", "PostCommentForPullRequest", post("one", location.clone())).await;
    assert_eq!(one["location"], location);
    // The id that git gives to this content.
    assert_eq!(one["afterBlobId"], "61780798228d17af2d34fce4cfbdf35556832472");
    assert!(one.get("beforeBlobId").is_none());
    world.pass_seconds(1);
    world.done("ana", "PostCommentForPullRequest", post("two", Value::Null)).await;
    world.pass_seconds(1);
    let reply = json!({"inReplyTo": one["comment"]["commentId"], "content": "three"});
    let reply = world.done("admin", "PostCommentReply", reply).await["comment"].take();
    assert_eq!(reply["inReplyTo"], one["comment"]["commentId"]);
    let again = json!({"inReplyTo": reply["commentId"], "content": "four"});
    world.pass_seconds(1);
    world.done("ana", "PostCommentReply", again).await;
    let listed = world.done("reader", "GetCommentsForPullRequest", json!({"pullRequestId": id})).await;
    let contents: Vec<Vec<String>> = listed["commentsForPullRequestData"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|thread| thread["comments"].as_array().expect("a list").iter().map(|one| text(&one["content"])).collect())
        .collect();
    assert_eq!(contents, [vec!["one", "three", "four"], vec!["two"]]);
    let page = world.done("reader", "GetCommentsForPullRequest", json!({"pullRequestId": id, "maxResults": 1})).await;
    let rest = json!({"pullRequestId": id, "nextToken": page["nextToken"]});
    let rest = world.done("reader", "GetCommentsForPullRequest", rest).await;
    assert_eq!(rest["commentsForPullRequestData"][0]["comments"][0]["content"], "two");
    let about = json!({"pullRequestId": id, "repositoryName": "first", "beforeCommitId": main, "afterCommitId": topic});
    let about = world.done("reader", "GetCommentsForPullRequest", about).await;
    assert_eq!(about["commentsForPullRequestData"].as_array().expect("a list").len(), 2);
    for (input, code) in [
        (json!({"pullRequestId": id, "repositoryName": "first"}), "CommitIdRequired"),
        (json!({"pullRequestId": id, "beforeCommitId": main}), "RepositoryNameRequired"),
        (json!({"pullRequestId": id, "nextToken": "x"}), "InvalidContinuationToken"),
        (json!({"pullRequestId": "9"}), "PullRequestDoesNotExist"),
    ] {
        assert_eq!(world.refused("admin", "GetCommentsForPullRequest", input).await, code);
    }
    let refused = |change: (&'static str, Value)| {
        let mut input = post("x", Value::Null);
        input[change.0] = change.1;
        world.refused("ana", "PostCommentForPullRequest", input)
    };
    world.repository("second").await;
    for (member, value, code) in [
        ("content", json!(""), "CommentContentRequired"),
        ("content", json!("x".repeat(10_241)), "CommentContentSizeLimitExceeded"),
        ("repositoryName", json!("second"), "RepositoryNotAssociatedWithPullRequest"),
        ("afterCommitId", json!(main), "BeforeCommitIdAndAfterCommitIdAreSame"),
        ("afterCommitId", json!("x"), "InvalidCommitId"),
        ("afterCommitId", json!("0".repeat(40)), "CommitDoesNotExist"),
        ("location", json!({"filePosition": 1}), "PathRequired"),
        ("location", json!({"filePath": "none"}), "PathDoesNotExist"),
        ("location", json!({"filePath": "b", "filePosition": 9}), "InvalidFilePosition"),
        ("location", json!({"filePath": "b", "filePosition": 0}), "InvalidFilePosition"),
        ("location", json!({"filePath": "b", "relativeFileVersion": "x"}), "InvalidRelativeFileVersionEnum"),
        ("location", json!({"filePath": "b", "relativeFileVersion": "BEFORE"}), "PathDoesNotExist"),
    ] {
        assert_eq!(refused((member, value.clone())).await, code, "{member} {value}");
    }
}

#[tokio::test]
async fn compared_commits_have_threads_of_their_own_and_tokens_are_used_once() {
    let world = World::new();
    let (main, topic) = branches(&world).await;
    let post = |content: &str, before: Value| {
        json!({
            "repositoryName": "first", "beforeCommitId": before, "afterCommitId": topic, "content": content,
            "clientRequestToken": "token",
        })
    };
    let one = world.done("ana", "PostCommentForComparedCommit", post("one", json!(main))).await;
    let again = world.done("ana", "PostCommentForComparedCommit", post("one", json!(main))).await;
    assert_eq!(one, again);
    let code = world.refused("ana", "PostCommentForComparedCommit", post("two", json!(main))).await;
    assert_eq!(code, "IdempotencyParameterMismatch");
    world.done("admin", "PostCommentForComparedCommit", post("alone", Value::Null)).await;
    let list = |before: Value| json!({"repositoryName": "first", "beforeCommitId": before, "afterCommitId": topic});
    for (before, expected) in [(json!(main), "one"), (Value::Null, "alone")] {
        let listed = world.done("reader", "GetCommentsForComparedCommit", list(before)).await;
        let data = listed["commentsForComparedCommitData"].as_array().expect("a list");
        assert_eq!((data.len(), &data[0]["comments"][0]["content"]), (1, &json!(expected)));
    }
}

#[tokio::test]
async fn a_comment_is_changed_by_its_author_and_emptied() {
    let world = World::new();
    let (_, topic) = branches(&world).await;
    let post = json!({"repositoryName": "first", "afterCommitId": topic, "content": "one"});
    let id = world.done("ana", "PostCommentForComparedCommit", post).await["comment"]["commentId"].take();
    let comment = json!({"commentId": id});
    let change = |content: &str| json!({"commentId": id, "content": content});
    assert_eq!(world.refused("admin", "UpdateComment", change("x")).await, "CommentNotCreatedByCaller");
    let changed = world.done("ana", "UpdateComment", change("two")).await;
    assert_eq!(changed["comment"]["content"], "two");
    assert_eq!(world.done("reader", "GetComment", comment.clone()).await["comment"]["content"], "two");
    let emptied = world.done("admin", "DeleteCommentContent", comment.clone()).await["comment"].take();
    assert_eq!((&emptied["deleted"], emptied.get("content")), (&json!(true), None));
    for (operation, input) in [
        ("UpdateComment", change("x")),
        ("DeleteCommentContent", comment.clone()),
        ("GetComment", comment.clone()),
        ("GetCommentReactions", comment.clone()),
        ("PutCommentReaction", json!({"commentId": id, "reactionValue": "none"})),
    ] {
        assert_eq!(world.refused("ana", operation, input).await, "CommentDeleted", "{operation}");
    }
    // The thread stays, and takes replies.
    world.done("ana", "PostCommentReply", json!({"inReplyTo": id, "content": "three"})).await;
    let none = json!({"commentId": "00000000-0000-0000-0000-000000000000"});
    assert_eq!(world.refused("admin", "GetComment", none.clone()).await, "CommentDoesNotExist");
    assert_eq!(world.refused("admin", "GetComment", json!({"commentId": "/"})).await, "InvalidCommentId");
    assert_eq!(world.refused("admin", "GetComment", json!({})).await, "CommentIdRequired");
    let there = world.call("nobody", "GetComment", comment).await.expect_err("refused");
    let missing = world.call("nobody", "GetComment", none).await.expect_err("refused");
    assert_eq!(there.replace(&text(&id), "00000000-0000-0000-0000-000000000000"), missing);
}

#[tokio::test]
async fn a_user_has_one_reaction_to_a_comment() {
    let world = World::new();
    let (_, topic) = branches(&world).await;
    let post = json!({"repositoryName": "first", "afterCommitId": topic, "content": "one"});
    let id = world.done("ana", "PostCommentForComparedCommit", post).await["comment"]["commentId"].take();
    let react = |value: &str| json!({"commentId": id, "reactionValue": value});
    world.done("ana", "PutCommentReaction", react(":thumbsup:")).await;
    world.done("admin", "PutCommentReaction", react("U+1F44E")).await;
    world.done("admin", "PutCommentReaction", react("\u{1F44D}")).await;
    let found = world.done("ana", "GetComment", json!({"commentId": id})).await["comment"].take();
    assert_eq!(found["reactionCounts"], json!({"THUMBSUP": 2}));
    assert_eq!(found["callerReactions"], json!(["THUMBSUP"]));
    let listed = world.done("reader", "GetCommentReactions", json!({"commentId": id})).await;
    let mut users = vec![user_arn(ACCOUNT, "admin"), user_arn(ACCOUNT, "ana")];
    users.sort();
    assert_eq!(
        listed["reactionsForComment"],
        json!([{
            "reaction": {"emoji": "\u{1F44D}", "shortCode": ":thumbsup:", "unicode": "U+1F44D"},
            "reactionUsers": users, "reactionsFromDeletedUsersCount": 0,
        }])
    );
    world.done("admin", "PutCommentReaction", react("none")).await;
    let of = json!({"commentId": id, "reactionUserArn": user_arn(ACCOUNT, "admin")});
    assert_eq!(world.done("reader", "GetCommentReactions", of).await["reactionsForComment"], json!([]));
    assert_eq!(world.refused("ana", "PutCommentReaction", react(":nothing:")).await, "InvalidReactionValue");
    assert_eq!(world.refused("ana", "PutCommentReaction", json!({"commentId": id})).await, "ReactionValueRequired");
    let bad = json!({"commentId": id, "reactionUserArn": "x"});
    assert_eq!(world.refused("ana", "GetCommentReactions", bad).await, "InvalidReactionUserArn");
}

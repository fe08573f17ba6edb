//! Tags, their rules and their limits.

use super::server::{Server, allow};

#[tokio::test]
async fn tags_of_a_user_are_set_replaced_and_removed_without_regard_to_case() {
    let server = Server::start().await;
    let name = ("UserName", "ana");
    let tagged = [name, ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "blue")];
    let made = server.admin("CreateUser", &tagged).await.ok();
    assert_eq!((made.text("Key"), made.text("Value")), ("Team", "blue"));
    let more = [
        name,
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "red"),
        ("Tags.member.2.Key", "cost centre"),
        ("Tags.member.2.Value", ""),
    ];
    server.admin("TagUser", &more).await.ok();
    let listed = server.admin("ListUserTags", &[name]).await.ok();
    assert_eq!(listed.all("Key"), ["cost centre", "team"]);
    assert_eq!(server.admin("GetUser", &[name]).await.ok().all("Key"), ["cost centre", "team"]);
    server.admin("UntagUser", &[name, ("TagKeys.member.1", "TEAM")]).await.ok();
    assert_eq!(server.admin("ListUserTags", &[name]).await.ok().text("Key"), "cost centre");
}

#[tokio::test]
async fn tags_of_a_policy_tell_letter_case_apart() {
    let server = Server::start().await;
    let arn = server.policy("p", &allow("s3:*")).await;
    let tags = [
        ("PolicyArn", arn.as_str()),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.2.Key", "A"),
        ("Tags.member.2.Value", "2"),
    ];
    server.admin("TagPolicy", &tags).await.ok();
    let first = server.admin("ListPolicyTags", &[("PolicyArn", &arn), ("MaxItems", "1")]).await.ok();
    assert_eq!((first.text("Key"), first.text("IsTruncated")), ("A", "true"));
    let rest = [("PolicyArn", arn.as_str()), ("Marker", first.text("Marker"))];
    assert_eq!(server.admin("ListPolicyTags", &rest).await.ok().text("Key"), "a");
}

#[tokio::test]
async fn what_is_no_tag_is_refused_in_awss_words() {
    let server = Server::start().await;
    let (long_key, long_value) = ("k".repeat(129), "v".repeat(257));
    for (key, value, code, expected) in [
        ("a&b", "", "ValidationError", r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"),
        ("a", "b&c", "ValidationError", r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"),
        ("", "", "ValidationError", "Member must have length greater than or equal to 1"),
        (long_key.as_str(), "", "ValidationError", "Member must have length less than or equal to 128"),
        ("a", long_value.as_str(), "ValidationError", "Member must have length less than or equal to 256"),
        ("AWS:x", "", "InvalidInput", "not allowed to mutate system tags"),
    ] {
        let tags = [("UserName", "administrator"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)];
        let message = server.admin("TagUser", &tags).await.refused(400, code);
        assert!(message.contains(expected), "{key} {value}: {message}");
    }
    let twice = [
        ("UserName", "administrator"),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", ""),
        ("Tags.member.2.Key", "A"),
        ("Tags.member.2.Value", ""),
    ];
    let message = server.admin("TagUser", &twice).await.refused(400, "InvalidInput");
    assert_eq!(message, "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
}

#[tokio::test]
async fn an_entity_has_at_most_fifty_tags() {
    let server = Server::start().await;
    for start in [0, 25] {
        let names: Vec<_> = (1..=25)
            .map(|index| {
                (
                    format!("Tags.member.{index}.Key"),
                    format!("Tags.member.{index}.Value"),
                    format!("k{}", start + index),
                )
            })
            .collect();
        let mut tags = vec![("UserName", "administrator")];
        for (key, value, name) in &names {
            tags.extend([(key.as_str(), name.as_str()), (value.as_str(), "v")]);
        }
        server.admin("TagUser", &tags).await.ok();
    }
    let one = [("UserName", "administrator"), ("Tags.member.1.Key", "x"), ("Tags.member.1.Value", "v")];
    let message = server.admin("TagUser", &one).await.refused(409, "LimitExceeded");
    assert_eq!(message, "The number of tags has reached the maximum limit.");
}

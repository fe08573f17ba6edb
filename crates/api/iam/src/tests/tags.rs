//! Tags, their rules and their limits.

use super::server::{ACCOUNT, Server, allow};

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
async fn a_second_key_that_differs_in_case_only_is_refused_for_whatever_has_tags() {
    const WORDS: &str = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    let server = Server::start().await;
    let document = allow("s3:*");
    let trust = document.replace(r#""Resource""#, r#""Principal":"*","Resource""#).replace("s3:*", "sts:AssumeRole");
    let trust = trust.replace(r#","Resource":"*""#, "");
    let twice = [
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "red"),
        ("Tags.member.2.Key", "team"),
        ("Tags.member.2.Value", "blue"),
    ];
    let (policy, provider) = (format!("arn:aws:iam::{ACCOUNT}:policy/p"), "https://id.example");
    let provider_arn = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/id.example");
    let thumbprint = ("ThumbprintList.member.1", "0123456789012345678901234567890123456789");
    for (kind, create, named, replaces) in [
        ("User", &[("UserName", "u")][..], ("UserName", "u"), true),
        ("Role", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &trust)], ("RoleName", "r"), true),
        ("InstanceProfile", &[("InstanceProfileName", "i")], ("InstanceProfileName", "i"), true),
        ("Policy", &[("PolicyName", "p"), ("PolicyDocument", &document)], ("PolicyArn", &policy), false),
        ("OpenIDConnectProvider", &[("Url", provider), thumbprint], ("OpenIDConnectProviderArn", &provider_arn), false),
    ] {
        let call = async |operation: &str, target: &[(&str, &str)], tags: &[(&str, &str)]| {
            server.admin(&format!("{operation}{kind}"), &[target, tags].concat()).await
        };
        assert_eq!(call("Create", create, &twice).await.refused(400, "InvalidInput"), WORDS, "{kind}");
        call("Create", create, &twice[..2]).await.ok();
        assert_eq!(call("Tag", &[named], &twice).await.refused(400, "InvalidInput"), WORDS, "{kind}");
        let other = [("Tags.member.1.Key", "TEAM"), twice[1]];
        let answer = call("Tag", &[named], &other).await;
        // AWS tells the tags of some kinds apart by case: there, another key does not replace this one.
        if replaces {
            answer.ok();
        } else {
            assert_eq!(answer.refused(400, "InvalidInput"), WORDS, "{kind}");
        }
        let listed = server.admin(&format!("List{kind}Tags"), &[named]).await.ok();
        assert_eq!(listed.all("Key"), [if replaces { "TEAM" } else { "Team" }], "{kind}");
    }
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

#[tokio::test]
async fn who_may_not_touch_a_tag_may_not_in_another_case() {
    let server = Server::start().await;
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"},
        {"Effect":"Deny","Action":["iam:TagUser","iam:UntagUser"],"Resource":"*",
        "Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"Team"}}}]}"#;
    let ana = server.user_who("ana", document).await;
    let name = ("UserName", "ana");
    let tag = |key| [name, ("Tags.member.1.Key", key), ("Tags.member.1.Value", "red")];
    server.admin("TagUser", &tag("Team")).await.ok();
    for key in ["Team", "team", "TEAM"] {
        server.call(&ana, "TagUser", &tag(key)).await.refused(403, "AccessDenied");
        server.call(&ana, "UntagUser", &[name, ("TagKeys.member.1", key)]).await.refused(403, "AccessDenied");
    }
    server.call(&ana, "TagUser", &tag("stage")).await.ok();
    server.call(&ana, "UntagUser", &[name, ("TagKeys.member.1", "Stage")]).await.ok();
    assert_eq!(server.admin("ListUserTags", &[name]).await.ok().all("Key"), ["Team"]);
}

//! Managed policies and their versions, the account's own and AWS's.

use percent_encoding::percent_decode_str;

use super::server::{ACCOUNT, Server, allow};

#[tokio::test]
async fn a_policy_and_its_versions_live_and_end() {
    let server = Server::start().await;
    let arn = server.policy("limits", &allow("s3:Get*")).await;
    assert_eq!(arn, format!("arn:aws:iam::{ACCOUNT}:policy/limits"));
    let policy = ("PolicyArn", arn.as_str());
    let shown = server.admin("GetPolicy", &[policy]).await.ok();
    assert_eq!(shown.text("DefaultVersionId"), "v1");
    assert!(shown.text("PolicyId").starts_with("ANPA"));
    assert_eq!(shown.text("AttachmentCount"), "0");

    let second = allow("s3:Put*");
    let parameters = [policy, ("PolicyDocument", second.as_str()), ("SetAsDefault", "true")];
    let made = server.admin("CreatePolicyVersion", &parameters).await.ok();
    assert_eq!((made.text("VersionId"), made.text("IsDefaultVersion")), ("v2", "true"));
    let versions = server.admin("ListPolicyVersions", &[policy]).await.ok();
    assert_eq!(versions.all("VersionId"), ["v2", "v1"]);
    assert_eq!(versions.all("IsDefaultVersion"), ["true", "false"]);
    let read = server.admin("GetPolicyVersion", &[policy, ("VersionId", "v2")]).await.ok();
    assert_eq!(percent_decode_str(read.text("Document")).decode_utf8_lossy(), second);

    let message = server.admin("DeletePolicy", &[policy]).await.refused(409, "DeleteConflict");
    assert!(message.starts_with("This policy has more than one version."), "{message}");
    let message =
        server.admin("DeletePolicyVersion", &[policy, ("VersionId", "v2")]).await.refused(409, "DeleteConflict");
    assert_eq!(message, "Cannot delete the default version of a policy.");
    server.admin("SetDefaultPolicyVersion", &[policy, ("VersionId", "v1")]).await.ok();
    server.admin("DeletePolicyVersion", &[policy, ("VersionId", "v2")]).await.ok();
    server.admin("DeletePolicy", &[policy]).await.ok();
    let message = server.admin("GetPolicy", &[policy]).await.refused(404, "NoSuchEntity");
    assert_eq!(message, format!("Policy {arn} was not found."));
}

#[tokio::test]
async fn a_version_number_is_not_used_again() {
    let server = Server::start().await;
    let (arn, document) = (server.policy("limits", &allow("s3:*")).await, allow("kms:*"));
    let parameters = [("PolicyArn", arn.as_str()), ("PolicyDocument", document.as_str())];
    for version in ["v2", "v3", "v4", "v5"] {
        assert_eq!(server.admin("CreatePolicyVersion", &parameters).await.ok().text("VersionId"), version);
    }
    let message = server.admin("CreatePolicyVersion", &parameters).await.refused(409, "LimitExceeded");
    assert!(message.starts_with("A managed policy can have up to 5 versions."), "{message}");
    server.admin("DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v5")]).await.ok();
    assert_eq!(server.admin("CreatePolicyVersion", &parameters).await.ok().text("VersionId"), "v6");
}

#[tokio::test]
async fn versions_that_are_not_there_are_told_of_in_awss_words() {
    let server = Server::start().await;
    let arn = server.policy("limits", &allow("s3:*")).await;
    let missing = format!("arn:aws:iam::{ACCOUNT}:policy/missing");
    for action in ["GetPolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"] {
        for arn in [&arn, &missing] {
            let message =
                server.admin(action, &[("PolicyArn", arn), ("VersionId", "v9")]).await.refused(404, "NoSuchEntity");
            assert_eq!(message, format!("Policy {arn} version v9 does not exist or is not attachable."), "{action}");
        }
        server.admin(action, &[("PolicyArn", &arn), ("VersionId", "9")]).await.refused(400, "ValidationError");
    }
}

#[tokio::test]
async fn what_is_no_policy_is_refused() {
    let server = Server::start().await;
    for document in ["{", "[]", "{}", r#"{"Version":"2012-10-17"}"#, r#"{"Statement":[{"Effect":"Maybe"}]}"#] {
        let parameters = [("PolicyName", "bad"), ("PolicyDocument", document)];
        server.admin("CreatePolicy", &parameters).await.refused(400, "MalformedPolicyDocument");
        let parameters = [("UserName", "administrator"), ("PolicyName", "bad"), ("PolicyDocument", document)];
        server.admin("PutUserPolicy", &parameters).await.refused(400, "MalformedPolicyDocument");
    }
    // A principal belongs into a resource's policy.
    let document = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}]}"#;
    let parameters = [("PolicyName", "bad"), ("PolicyDocument", document)];
    server.admin("CreatePolicy", &parameters).await.refused(400, "MalformedPolicyDocument");
}

#[tokio::test]
async fn the_size_of_a_policy_is_limited_without_its_white_space() {
    let server = Server::start().await;
    let of_length = |name: &str, length: usize| {
        let empty = allow(name).len();
        allow(&format!("{name}{}", "x".repeat(length - empty)))
    };
    let fits = of_length("s3:", 6144).replace(',', ",      \n");
    server.admin("CreatePolicy", &[("PolicyName", "fits"), ("PolicyDocument", &fits)]).await.ok();
    let over = of_length("s3:", 6145);
    let answer = server.admin("CreatePolicy", &[("PolicyName", "over"), ("PolicyDocument", &over)]).await;
    assert_eq!(answer.refused(409, "LimitExceeded"), "Cannot exceed quota for PolicySize: 6144");
}

#[tokio::test]
async fn two_policies_cannot_have_one_name_under_any_path() {
    let server = Server::start().await;
    server.policy("limits", &allow("s3:*")).await;
    let document = allow("s3:*");
    let parameters = [("PolicyName", "Limits"), ("Path", "/other/"), ("PolicyDocument", document.as_str())];
    let message = server.admin("CreatePolicy", &parameters).await.refused(409, "EntityAlreadyExists");
    assert_eq!(message, "A policy called Limits already exists. Duplicate names are not allowed.");
}

#[tokio::test]
async fn aws_managed_policies_are_read_and_never_changed() {
    let server = Server::start().await;
    let arn = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    let shown = server.admin("GetPolicy", &[arn]).await.ok();
    assert_eq!((shown.text("AttachmentCount"), shown.text("DefaultVersionId")), ("1", "v1"));
    let version = server.admin("GetPolicyVersion", &[arn, ("VersionId", "v1")]).await.ok();
    assert!(version.text("Document").contains("%22Action%22"));
    assert_eq!(server.admin("ListPolicyVersions", &[arn]).await.ok().all("VersionId"), ["v1"]);
    server.admin("DeletePolicy", &[arn]).await.refused(400, "InvalidInput");
    let document = allow("s3:*");
    server.admin("CreatePolicyVersion", &[arn, ("PolicyDocument", &document)]).await.refused(400, "InvalidInput");
    server
        .admin("TagPolicy", &[arn, ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")])
        .await
        .refused(400, "InvalidInput");
}

#[tokio::test]
async fn lists_of_policies_join_aws_managed_and_own() {
    let server = Server::start().await;
    for number in 0..7 {
        server.policy(&format!("own{number}"), &allow("s3:*")).await;
    }
    let count = |scope: &'static str, max: &'static str| {
        let server = &server;
        async move {
            let (mut names, mut marker) = (Vec::new(), None::<String>);
            loop {
                let mut parameters = vec![("Scope", scope), ("MaxItems", max)];
                if let Some(marker) = &marker {
                    parameters.push(("Marker", marker));
                }
                let listed = server.admin("ListPolicies", &parameters).await.ok();
                names.extend(listed.all("PolicyName").into_iter().map(str::to_owned));
                if listed.text("IsTruncated") == "false" {
                    names.sort();
                    names.dedup();
                    return names.len();
                }
                marker = Some(listed.text("Marker").to_owned());
            }
        }
    };
    let catalogue = crate::records::aws_managed::all().len();
    for max in ["1", "3", "10", "20", "1000"] {
        assert_eq!(count("AWS", max).await, catalogue, "{max}");
        assert_eq!(count("Local", max).await, 7, "{max}");
        assert_eq!(count("All", max).await, catalogue + 7, "{max}");
    }
    let attached = server.admin("ListPolicies", &[("OnlyAttached", "true")]).await.ok();
    assert_eq!(attached.all("PolicyName"), ["AdministratorAccess"]);
}

#[tokio::test]
async fn a_policy_of_another_account_is_out_of_reach() {
    let server = Server::start().await;
    let arn = "arn:aws:iam::999988887777:policy/theirs";
    server.admin("GetPolicy", &[("PolicyArn", arn)]).await.refused(403, "AccessDenied");
    let attach = [("UserName", "administrator"), ("PolicyArn", arn)];
    let message = server.admin("AttachUserPolicy", &attach).await.refused(404, "NoSuchEntity");
    assert_eq!(message, format!("Policy {arn} does not exist or is not attachable."));
}

//! Nothing that a caller does takes the last administrator away.

use super::access_keys::root_key;
use super::server::{Server, allow, document};

const ADMINISTRATOR: (&str, &str) = ("UserName", "administrator");
const ALL: (&str, &str) = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");

#[tokio::test]
async fn the_last_administrator_stays_whatever_is_tried() {
    let server = Server::start().await;
    let key = ("AccessKeyId", server.admin.id.as_str());
    // Neither rights without a key, nor a key without all rights, make another one.
    server.admin("CreateUser", &[("UserName", "keyless")]).await.ok();
    server.allow("keyless", &allow("*")).await;
    server.user_who("limited", &allow("iam:List*")).await;
    for (action, parameters) in [
        ("DetachUserPolicy", vec![ADMINISTRATOR, ALL]),
        ("DeleteAccessKey", vec![ADMINISTRATOR, key]),
        ("UpdateAccessKey", vec![ADMINISTRATOR, key, ("Status", "Inactive")]),
    ] {
        let message = server.admin(action, &parameters).await.refused(409, "DeleteConflict");
        assert!(message.contains("sealstack admin recover"), "{action}: {message}");
    }
    server.admin("DetachUserPolicy", &[("UserName", "keyless"), ALL]).await.refused(404, "NoSuchEntity");
    server.admin("ListUsers", &[]).await.ok();
}

#[tokio::test]
async fn rights_through_groups_and_inline_policies_count() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let (group, user) = (("GroupName", "admins"), ("UserName", "ana"));
    server.admin("CreateGroup", &[group]).await.ok();
    server.admin("AttachGroupPolicy", &[group, ALL]).await.ok();
    server.admin("AddUserToGroup", &[group, user]).await.ok();
    // Now there are two.
    server.call(&ana, "DetachUserPolicy", &[ADMINISTRATOR, ALL]).await.ok();
    server.call(&ana, "RemoveUserFromGroup", &[group, user]).await.refused(409, "DeleteConflict");
    server.call(&ana, "DetachGroupPolicy", &[group, ALL]).await.refused(409, "DeleteConflict");
    let own = allow("iam:*");
    let put = [user, ("PolicyName", "own"), ("PolicyDocument", own.as_str())];
    server.call(&ana, "PutUserPolicy", &put).await.ok();
    server.call(&ana, "RemoveUserFromGroup", &[group, user]).await.ok();
    server.call(&ana, "DeleteUserPolicy", &[user, ("PolicyName", "own")]).await.refused(409, "DeleteConflict");
    let less = allow("s3:*");
    let replace = [user, ("PolicyName", "own"), ("PolicyDocument", less.as_str())];
    server.call(&ana, "PutUserPolicy", &replace).await.refused(409, "DeleteConflict");
}

#[tokio::test]
async fn the_root_users_key_counts() {
    let server = Server::start().await;
    let root = root_key(&server).await;
    server.call(&root, "DetachUserPolicy", &[ADMINISTRATOR, ALL]).await.ok();
    server.call(&root, "DeleteAccessKey", &[("AccessKeyId", &root.id)]).await.refused(409, "DeleteConflict");
}

#[tokio::test]
async fn what_an_administrators_policies_say_next_is_weighed_before_it_counts() {
    let server = Server::start().await;
    // Whoever holds everything through a policy of the account's own.
    let policy = server.policy("everything", &allow("*")).await;
    let policy_arn = ("PolicyArn", policy.as_str());
    server.admin("AttachUserPolicy", &[ADMINISTRATOR, policy_arn]).await.ok();
    server.admin("DetachUserPolicy", &[ADMINISTRATOR, ALL]).await.ok();
    let refused = |answer: super::server::Answer| {
        let message = answer.refused(409, "DeleteConflict");
        assert!(message.contains("sealstack admin recover"), "{message}");
    };
    let less = allow("s3:*");
    let next = [policy_arn, ("PolicyDocument", less.as_str()), ("SetAsDefault", "true")];
    refused(server.admin("CreatePolicyVersion", &next).await);
    server.admin("CreatePolicyVersion", &next[..2]).await.ok();
    refused(server.admin("SetDefaultPolicyVersion", &[policy_arn, ("VersionId", "v2")]).await);
    server.admin("DeletePolicyVersion", &[policy_arn, ("VersionId", "v1")]).await.refused(409, "DeleteConflict");
    let view = server.admin("GetPolicy", &[policy_arn]).await.ok();
    assert_eq!(view.text("DefaultVersionId"), "v1", "nothing is half done");
    assert_eq!(server.admin("ListPolicyVersions", &[policy_arn]).await.ok().all("VersionId"), ["v2", "v1"]);
}

#[tokio::test]
async fn denies_and_boundaries_do_not_take_the_last_administrator_away_either() {
    let server = Server::start().await;
    let refused = |answer: super::server::Answer| answer.refused(409, "DeleteConflict");
    let denying = document("Deny", "iam:*", "*");
    let deny = server.policy("deny", &denying).await;
    refused(server.admin("AttachUserPolicy", &[ADMINISTRATOR, ("PolicyArn", &deny)]).await);
    let put = [ADMINISTRATOR, ("PolicyName", "deny"), ("PolicyDocument", denying.as_str())];
    refused(server.admin("PutUserPolicy", &put).await);
    server.admin("CreateGroup", &[("GroupName", "limited")]).await.ok();
    server.admin("AttachGroupPolicy", &[("GroupName", "limited"), ("PolicyArn", &deny)]).await.ok();
    refused(server.admin("AddUserToGroup", &[("GroupName", "limited"), ADMINISTRATOR]).await);
    let limit = server.policy("limit", &allow("s3:*")).await;
    let narrow = [ADMINISTRATOR, ("PermissionsBoundary", limit.as_str())];
    refused(server.admin("PutUserPermissionsBoundary", &narrow).await);
    // A boundary that lets it be is fine, until its document does not any more.
    let wide = server.policy("wide", &allow("*")).await;
    server.admin("PutUserPermissionsBoundary", &[ADMINISTRATOR, ("PermissionsBoundary", &wide)]).await.ok();
    let less = allow("s3:*");
    let next = [("PolicyArn", wide.as_str()), ("PolicyDocument", less.as_str()), ("SetAsDefault", "true")];
    refused(server.admin("CreatePolicyVersion", &next).await);
    // With another administrator all of it goes.
    server.user_who("second", &allow("*")).await;
    server.admin("CreatePolicyVersion", &next).await.ok();
}

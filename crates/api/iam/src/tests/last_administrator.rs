//! Nothing that a caller does takes the last administrator away.

use super::access_keys::root_key;
use super::server::{Server, allow};

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

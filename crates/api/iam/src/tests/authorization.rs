//! Each step of the evaluation, from the outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::access_keys::root_key;
use super::server::{ACCOUNT, Server, allow, document};

#[tokio::test]
async fn nothing_is_allowed_by_default() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let message = server.call(&ana, "ListUsers", &[]).await.refused(403, "AccessDenied");
    assert_eq!(
        message,
        format!(
            "User: arn:aws:iam::{ACCOUNT}:user/ana is not authorized to perform: iam:ListUsers on resource: \
             arn:aws:iam::{ACCOUNT}:user/ because no identity-based policy allows the iam:ListUsers action"
        )
    );
}

#[tokio::test]
async fn an_explicit_deny_anywhere_wins() {
    let server = Server::start().await;
    let ana = server.user_who("ana", &allow("*")).await;
    server.call(&ana, "ListUsers", &[]).await.ok();
    let deny = server.policy("deny", &document("Deny", "iam:ListUsers", "*")).await;
    server.admin("CreateGroup", &[("GroupName", "team")]).await.ok();
    server.admin("AttachGroupPolicy", &[("GroupName", "team"), ("PolicyArn", &deny)]).await.ok();
    server.admin("AddUserToGroup", &[("GroupName", "team"), ("UserName", "ana")]).await.ok();
    let message = server.call(&ana, "ListUsers", &[]).await.refused(403, "AccessDenied");
    let cited = format!("with an explicit deny in an identity-based policy: Statement[0] of {deny}");
    assert!(message.ends_with(&cited), "{message}");
    server.call(&ana, "ListGroups", &[]).await.ok();
}

#[tokio::test]
async fn the_root_user_needs_no_policy() {
    let server = Server::start().await;
    let root = root_key(&server).await;
    server.call(&root, "CreateUser", &[("UserName", "ana")]).await.ok();
    server.call(&root, "DeleteUser", &[("UserName", "ana")]).await.ok();
}

#[tokio::test]
async fn a_new_default_version_takes_effect_on_the_next_call() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let arn = server.policy("p", &allow("iam:ListUsers")).await;
    let policy = ("PolicyArn", arn.as_str());
    server.admin("AttachUserPolicy", &[("UserName", "ana"), policy]).await.ok();
    let second = allow("iam:ListGroups");
    server.admin("CreatePolicyVersion", &[policy, ("PolicyDocument", &second)]).await.ok();
    for _ in 0..10 {
        server.call(&ana, "ListUsers", &[]).await.ok();
        server.call(&ana, "ListGroups", &[]).await.refused(403, "AccessDenied");
        server.admin("SetDefaultPolicyVersion", &[policy, ("VersionId", "v2")]).await.ok();
        server.call(&ana, "ListGroups", &[]).await.ok();
        server.call(&ana, "ListUsers", &[]).await.refused(403, "AccessDenied");
        server.admin("SetDefaultPolicyVersion", &[policy, ("VersionId", "v1")]).await.ok();
    }
}

#[tokio::test]
async fn rights_end_with_the_answer_that_takes_them() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let attach = [("UserName", "ana"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")];
    for _ in 0..10 {
        server.admin("AttachUserPolicy", &attach).await.ok();
        server.call(&ana, "ListUsers", &[]).await.ok();
        server.admin("DetachUserPolicy", &attach).await.ok();
        server.call(&ana, "ListUsers", &[]).await.refused(403, "AccessDenied");
        server.allow("ana", &allow("iam:ListUsers")).await;
        server.call(&ana, "ListUsers", &[]).await.ok();
        server.admin("DeleteUserPolicy", &[("UserName", "ana"), ("PolicyName", "own")]).await.ok();
        server.call(&ana, "ListUsers", &[]).await.refused(403, "AccessDenied");
    }
}

#[tokio::test]
async fn policies_see_the_callers_tags_and_name() {
    let server = Server::start().await;
    let own = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iam:GetUser","Resource":"arn:aws:iam::*:user/${aws:username}"},
        {"Effect":"Allow","Action":"iam:TagUser","Resource":"*","Condition":{"StringEquals":{
            "aws:ResourceTag/team":"${aws:PrincipalTag/team}","aws:RequestTag/level":["1","2"]},
            "ForAllValues:StringEquals":{"aws:TagKeys":"level"}}}]}"#;
    let ana = server.user_who("ana", own).await;
    server.call(&ana, "GetUser", &[("UserName", "ana")]).await.ok();
    server.call(&ana, "GetUser", &[("UserName", "administrator")]).await.refused(403, "AccessDenied");

    let team = |user: &'static str, team: &'static str| {
        [("UserName", user), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", team)]
    };
    server.admin("CreateUser", &[("UserName", "bob")]).await.ok();
    let level = |value| [("UserName", "bob"), ("Tags.member.1.Key", "level"), ("Tags.member.1.Value", value)];
    server.call(&ana, "TagUser", &level("1")).await.refused(403, "AccessDenied");
    server.admin("TagUser", &team("ana", "blue")).await.ok();
    server.admin("TagUser", &team("bob", "blue")).await.ok();
    server.call(&ana, "TagUser", &level("1")).await.ok();
    server.call(&ana, "TagUser", &level("3")).await.refused(403, "AccessDenied");
    server.call(&ana, "TagUser", &team("bob", "red")).await.refused(403, "AccessDenied");
    server.admin("TagUser", &team("bob", "red")).await.ok();
    server.call(&ana, "TagUser", &level("2")).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn tagging_what_one_makes_needs_the_right_to_tag() {
    let server = Server::start().await;
    let ana = server.user_who("ana", &allow("iam:CreateUser")).await;
    let tagged = [("UserName", "bob"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")];
    let message = server.call(&ana, "CreateUser", &tagged).await.refused(403, "AccessDenied");
    assert!(message.contains("iam:TagUser"), "{message}");
    server.call(&ana, "CreateUser", &[("UserName", "bob")]).await.ok();
}

/// Others ask all the time, so that what they put together falls into every moment of a change.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rights_end_with_the_answer_while_others_ask() {
    let server = Arc::new(Server::start().await);
    let ana = server.user("ana").await;
    let arn = server.policy("p", &allow("iam:ListUsers")).await;
    let over = Arc::new(AtomicBool::new(false));
    let askers: Vec<_> = (0..3)
        .map(|_| {
            let (server, ana, over) = (Arc::clone(&server), ana.clone(), Arc::clone(&over));
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    server.call(&ana, "ListUsers", &[("MaxItems", "1")]).await;
                }
            })
        })
        .collect();
    let attach = [("UserName", "ana"), ("PolicyArn", arn.as_str())];
    for round in 0..100 {
        server.admin("AttachUserPolicy", &attach).await.ok();
        let answer = server.call(&ana, "ListUsers", &[("MaxItems", "1")]).await;
        assert_eq!(answer.status, 200, "given in round {round}: {}", answer.body);
        server.admin("DetachUserPolicy", &attach).await.ok();
        let answer = server.call(&ana, "ListUsers", &[("MaxItems", "1")]).await;
        assert_eq!(answer.status, 403, "taken in round {round}: {}", answer.body);
    }
    let about = [("UserName", "ana"), ("AccessKeyId", ana.id.as_str()), ("Status", "Inactive")];
    server.admin("UpdateAccessKey", &about).await.ok();
    server.call(&ana, "ListUsers", &[]).await.refused(403, "InvalidClientTokenId");
    over.store(true, Ordering::Relaxed);
    for asker in askers {
        asker.await.expect("no panic");
    }
}

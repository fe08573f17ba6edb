//! Users: their life, their names, and what keeps them from being deleted.

use super::access_keys::root_key;
use super::server::{ACCOUNT, NOW, Server, allow, document};
use crate::IamError;
use crate::records::entity;
use crate::records::user::User;

#[tokio::test]
async fn a_user_is_made_shown_renamed_and_deleted() {
    let server = Server::start().await;
    let made = server.admin("CreateUser", &[("UserName", "Ana"), ("Path", "/team/")]).await.ok();
    let id = made.text("UserId").to_owned();
    assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");
    assert_eq!(made.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/team/Ana"));
    assert_eq!(made.text("CreateDate"), "2026-09-21T14:13:20Z");
    assert!(made.all("Tags").is_empty() && made.all("PermissionsBoundary").is_empty());

    let renamed = [("UserName", "Ana"), ("NewUserName", "Anna"), ("NewPath", "/")];
    server.admin("UpdateUser", &renamed).await.ok();
    let shown = server.admin("GetUser", &[("UserName", "Anna")]).await.ok();
    assert_eq!((shown.text("UserId"), shown.text("Path")), (id.as_str(), "/"));
    let missing = server.admin("GetUser", &[("UserName", "Ana")]).await;
    assert_eq!(missing.refused(404, "NoSuchEntity"), "The user with name Ana cannot be found.");

    server.admin("DeleteUser", &[("UserName", "Anna")]).await.ok();
    server.admin("GetUser", &[("UserName", "Anna")]).await.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn a_user_deleted_and_made_again_is_somebody_else() {
    let server = Server::start().await;
    let first = server.admin("CreateUser", &[("UserName", "ana")]).await.ok().text("UserId").to_owned();
    server.admin("DeleteUser", &[("UserName", "ana")]).await.ok();
    let second = server.admin("CreateUser", &[("UserName", "ana")]).await.ok().text("UserId").to_owned();
    assert_ne!(first, second);
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/ana").parse().expect("an ARN");
    let known = service::ports::Principals::unique_id(&*server.iam, &arn).await.expect("read");
    assert_eq!(known.as_deref(), Some(second.as_str()));
}

#[tokio::test]
async fn names_are_taken_whatever_their_letter_case() {
    let server = Server::start().await;
    server.admin("CreateUser", &[("UserName", "Ana")]).await.ok();
    let again = server.admin("CreateUser", &[("UserName", "ANA"), ("Path", "/other/")]).await;
    assert_eq!(again.refused(409, "EntityAlreadyExists"), "User with name ANA already exists.");
    server.admin("CreateUser", &[("UserName", "Bob")]).await.ok();
    let taken = server.admin("UpdateUser", &[("UserName", "Bob"), ("NewUserName", "ana")]).await;
    taken.refused(409, "EntityAlreadyExists");
    // The same name in other letters is no conflict with itself, and what was left is free.
    server.admin("UpdateUser", &[("UserName", "Ana"), ("NewUserName", "ANA")]).await.ok();
    server.admin("UpdateUser", &[("UserName", "ANA"), ("NewUserName", "Zoe")]).await.ok();
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
}

#[tokio::test]
async fn what_is_no_name_is_refused_in_awss_words() {
    let server = Server::start().await;
    let long = "x".repeat(65);
    for (parameters, expected) in [
        (
            vec![("UserName", "a b")],
            "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the \
             following: +=,.@_-",
        ),
        (vec![("UserName", long.as_str())], "Member must have length less than or equal to 64"),
        (vec![("UserName", "")], "Member must have length greater than or equal to 1"),
        (vec![], "Member must not be null"),
        (vec![("UserName", "ana"), ("Path", "team/")], "Member must satisfy regular expression pattern"),
        (vec![("UserName", "ana"), ("PermissionsBoundary", "not an arn but long enough")], "Invalid ARN"),
    ] {
        let answer = server.admin("CreateUser", &parameters).await;
        let message = answer.refused(400, "ValidationError");
        assert!(message.contains(expected), "{parameters:?}: {message}");
    }
}

#[tokio::test]
async fn lists_page_filter_and_join_up() {
    let server = Server::start().await;
    for number in 0..25 {
        let path = if number % 5 == 0 { "/five/" } else { "/" };
        let name = format!("user{number:02}");
        server.admin("CreateUser", &[("UserName", &name), ("Path", path)]).await.ok();
    }
    let mut seen = Vec::new();
    let mut marker = String::new();
    for page in 0.. {
        let mut parameters = vec![("MaxItems", "10")];
        if page > 0 {
            parameters.push(("Marker", &marker));
        }
        let listed = server.admin("ListUsers", &parameters).await.ok();
        seen.extend(listed.all("UserName").into_iter().map(str::to_owned));
        if listed.text("IsTruncated") == "false" {
            assert!(listed.all("Marker").is_empty());
            break;
        }
        marker = listed.text("Marker").to_owned();
    }
    seen.sort();
    let mut expected: Vec<_> = (0..25).map(|number| format!("user{number:02}")).collect();
    expected.insert(0, "administrator".to_owned());
    assert_eq!(seen, expected);

    let filtered = server.admin("ListUsers", &[("PathPrefix", "/five/")]).await.ok();
    assert_eq!(filtered.all("UserName"), ["user00", "user05", "user10", "user15", "user20"]);
    assert_eq!(filtered.text("IsTruncated"), "false");
    server.admin("ListUsers", &[("Marker", "made-up")]).await.refused(400, "ValidationError");
    server.admin("ListUsers", &[("MaxItems", "1001")]).await.refused(400, "ValidationError");
}

#[tokio::test]
async fn a_user_in_use_is_not_deleted() {
    let server = Server::start().await;
    let key = server.user("ana").await;
    let name = ("UserName", "ana");
    server.admin("AttachUserPolicy", &[name, ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")]).await.ok();
    server.allow("ana", &allow("s3:*")).await;
    server.admin("CreateGroup", &[("GroupName", "team")]).await.ok();
    server.admin("AddUserToGroup", &[name, ("GroupName", "team")]).await.ok();

    let conflicts = [
        (
            "Cannot delete entity, must delete access keys first.",
            "DeleteAccessKey",
            vec![name, ("AccessKeyId", &key.id)],
        ),
        (
            "Cannot delete entity, must detach all policies first.",
            "DetachUserPolicy",
            vec![name, ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")],
        ),
        (
            "Cannot delete entity, must remove users from group first.",
            "RemoveUserFromGroup",
            vec![name, ("GroupName", "team")],
        ),
        ("Cannot delete entity, must delete policies first.", "DeleteUserPolicy", vec![name, ("PolicyName", "own")]),
    ];
    for (message, remedy, parameters) in conflicts {
        assert_eq!(server.admin("DeleteUser", &[name]).await.refused(409, "DeleteConflict"), message);
        server.admin(remedy, &parameters).await.ok();
    }
    server.admin("DeleteUser", &[name]).await.ok();
}

#[tokio::test]
async fn without_a_name_the_caller_is_meant() {
    let server = Server::start().await;
    let own = document("Allow", "iam:*", &format!("arn:aws:iam::{ACCOUNT}:user/ana"));
    let ana = server.user_who("ana", &own).await;
    assert_eq!(server.call(&ana, "GetUser", &[]).await.ok().text("UserName"), "ana");
    assert_eq!(server.call(&ana, "ListAccessKeys", &[]).await.ok().text("AccessKeyId"), ana.id);
    server.call(&ana, "CreateAccessKey", &[]).await.ok();
}

#[tokio::test]
async fn a_rename_needs_the_right_to_both_names() {
    let server = Server::start().await;
    let one = document("Allow", "iam:UpdateUser", &format!("arn:aws:iam::{ACCOUNT}:user/ana"));
    let ana = server.user_who("ana", &one).await;
    let rename = [("UserName", "ana"), ("NewUserName", "root-of-all")];
    let message = server.call(&ana, "UpdateUser", &rename).await.refused(403, "AccessDenied");
    assert!(message.contains("user root-of-all"), "{message}");
}

#[tokio::test]
async fn a_stranger_cannot_tell_missing_from_forbidden() {
    let server = Server::start().await;
    let eve = server.user("eve").await;
    let secret = ("Path", "/hidden/");
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"Service":"ec2.amazonaws.com"}}]}"#;
    server.admin("CreateUser", &[("UserName", "there"), secret]).await.ok();
    server.admin("CreateGroup", &[("GroupName", "there"), secret]).await.ok();
    let role = [("RoleName", "there"), secret, ("AssumeRolePolicyDocument", trust)];
    server.admin("CreateRole", &role).await.ok();
    server.admin("CreateInstanceProfile", &[("InstanceProfileName", "there"), secret]).await.ok();
    for (name, actions) in [
        (
            "UserName",
            vec![
                "GetUser",
                "UpdateUser",
                "DeleteUser",
                "ListAccessKeys",
                "CreateAccessKey",
                "ListUserTags",
                "ListGroupsForUser",
                "ListUserPolicies",
                "ListAttachedUserPolicies",
                "GetLoginProfile",
                "ListSSHPublicKeys",
                "ListServiceSpecificCredentials",
            ],
        ),
        ("GroupName", vec!["GetGroup", "UpdateGroup", "DeleteGroup", "ListGroupPolicies"]),
        ("RoleName", vec!["GetRole", "DeleteRole", "ListRolePolicies", "ListRoleTags", "ListInstanceProfilesForRole"]),
        ("InstanceProfileName", vec!["GetInstanceProfile", "DeleteInstanceProfile", "ListInstanceProfileTags"]),
    ] {
        for action in actions {
            let there = server.call(&eve, action, &[(name, "there")]).await.refused(403, "AccessDenied");
            let missing = server.call(&eve, action, &[(name, "gone")]).await.refused(403, "AccessDenied");
            assert_eq!(there, missing.replace("gone", "there"), "{action}");
            assert!(!there.contains("hidden"), "{there}");
        }
    }
}

#[tokio::test]
async fn a_stranger_does_not_learn_whose_an_access_key_is() {
    let server = Server::start().await;
    let (eve, ana) = (server.user("eve").await, server.user("ana").await);
    let root = root_key(&server).await;
    let ask = async |id: &str| {
        let answer = server.call(&eve, "GetAccessKeyLastUsed", &[("AccessKeyId", id)]).await;
        answer.refused(403, "AccessDenied").replace(id, "KEY")
    };
    let missing = ask("AKIAMISSINGMISSING22").await;
    assert!(missing.contains("access key KEY"), "{missing}");
    assert_eq!(ask(&ana.id).await, missing);
    assert_eq!(ask(&root.id).await, missing);
}

#[tokio::test]
async fn a_filter_that_few_pass_is_answered_in_bounded_steps() {
    let server = Server::start().await;
    let write = server.store.write(|tx| {
        for number in 0..2500 {
            let path = if number == 1234 { "/rare/" } else { "/" };
            entity::insert(tx, &User::new(ACCOUNT, path, &format!("user{number}"), NOW))?;
        }
        Ok::<_, IamError>(())
    });
    write.await.expect("written");
    for max in ["1", "1000"] {
        let (mut found, mut calls, mut marker) = (Vec::new(), 0, String::new());
        loop {
            let mut parameters = vec![("PathPrefix", "/rare"), ("MaxItems", max)];
            if calls > 0 {
                parameters.push(("Marker", &marker));
            }
            let listed = server.admin("ListUsers", &parameters).await.ok();
            found.extend(listed.all("UserName").into_iter().map(str::to_owned));
            calls += 1;
            if listed.text("IsTruncated") == "false" {
                break;
            }
            marker = listed.text("Marker").to_owned();
        }
        assert_eq!(found, ["user1234"], "{max}");
        assert!((3..=4).contains(&calls), "{calls} calls for pages of {max}");
    }
}

//! Groups and their members.

use super::server::{ACCOUNT, Server, allow};

#[tokio::test]
async fn a_group_lives_and_ends() {
    let server = Server::start().await;
    let made = server.admin("CreateGroup", &[("GroupName", "Team"), ("Path", "/eu/")]).await.ok();
    assert!(made.text("GroupId").starts_with("AGPA"));
    assert_eq!(made.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:group/eu/Team"));
    let taken = server.admin("CreateGroup", &[("GroupName", "TEAM")]).await;
    assert_eq!(taken.refused(409, "EntityAlreadyExists"), "Group with name TEAM already exists.");
    server.admin("UpdateGroup", &[("GroupName", "Team"), ("NewGroupName", "Crew")]).await.ok();
    let missing = server.admin("GetGroup", &[("GroupName", "Team")]).await;
    assert_eq!(missing.refused(404, "NoSuchEntity"), "The group with name Team cannot be found.");
    assert_eq!(server.admin("ListGroups", &[("PathPrefix", "/eu")]).await.ok().text("GroupName"), "Crew");
    server.admin("DeleteGroup", &[("GroupName", "Crew")]).await.ok();
    server.admin("DeleteGroup", &[("GroupName", "Crew")]).await.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn members_come_and_go() {
    let server = Server::start().await;
    for user in ["ana", "bob"] {
        server.admin("CreateUser", &[("UserName", user)]).await.ok();
    }
    server.admin("CreateGroup", &[("GroupName", "team")]).await.ok();
    for user in ["ana", "bob", "ana"] {
        server.admin("AddUserToGroup", &[("GroupName", "team"), ("UserName", user)]).await.ok();
    }
    let shown = server.admin("GetGroup", &[("GroupName", "team")]).await.ok();
    assert_eq!(shown.all("UserName"), ["ana", "bob"]);
    assert_eq!(server.admin("ListGroupsForUser", &[("UserName", "ana")]).await.ok().text("GroupName"), "team");
    let busy = server.admin("DeleteGroup", &[("GroupName", "team")]).await;
    busy.refused(409, "DeleteConflict");
    for _ in 0..2 {
        // Removing somebody who is not in it is no error.
        server.admin("RemoveUserFromGroup", &[("GroupName", "team"), ("UserName", "ana")]).await.ok();
    }
    assert_eq!(server.admin("GetGroup", &[("GroupName", "team")]).await.ok().text("UserName"), "bob");
    // The user is looked for before the group.
    let answer = server.admin("AddUserToGroup", &[("GroupName", "none"), ("UserName", "nobody")]).await;
    assert_eq!(answer.refused(404, "NoSuchEntity"), "The user with name nobody cannot be found.");
}

#[tokio::test]
async fn membership_gives_and_takes_the_groups_rights_at_once() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    server.admin("CreateGroup", &[("GroupName", "team")]).await.ok();
    let attach = [("GroupName", "team"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")];
    server.admin("AttachGroupPolicy", &attach).await.ok();
    let document = allow("iam:CreateGroup");
    let put = [("GroupName", "team"), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    server.admin("PutGroupPolicy", &put).await.ok();

    let pair = [("GroupName", "team"), ("UserName", "ana")];
    server.call(&ana, "ListUsers", &[]).await.refused(403, "AccessDenied");
    server.admin("AddUserToGroup", &pair).await.ok();
    server.call(&ana, "ListUsers", &[]).await.ok();
    server.call(&ana, "CreateGroup", &[("GroupName", "another")]).await.ok();
    server.admin("DeleteGroupPolicy", &[("GroupName", "team"), ("PolicyName", "p")]).await.ok();
    server.call(&ana, "CreateGroup", &[("GroupName", "third")]).await.refused(403, "AccessDenied");
    server.admin("RemoveUserFromGroup", &pair).await.ok();
    server.call(&ana, "ListUsers", &[]).await.refused(403, "AccessDenied");
}

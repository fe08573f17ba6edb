//! Permissions boundaries.

use super::server::{ACCOUNT, Server, allow};

#[tokio::test]
async fn a_boundary_is_set_shown_counted_and_removed() {
    let server = Server::start().await;
    let arn = server.policy("limit", &allow("s3:*")).await;
    let (name, boundary) = (("UserName", "ana"), ("PermissionsBoundary", arn.as_str()));
    let made = server.admin("CreateUser", &[name, boundary]).await.ok();
    assert_eq!(made.text("PermissionsBoundaryArn"), arn);
    let shown = server.admin("GetUser", &[name]).await.ok();
    assert_eq!(shown.text("PermissionsBoundaryType"), "Policy");
    let policy = ("PolicyArn", arn.as_str());
    assert_eq!(server.admin("GetPolicy", &[policy]).await.ok().text("PermissionsBoundaryUsageCount"), "1");
    server.admin("DeletePolicy", &[policy]).await.refused(409, "DeleteConflict");
    let used = [policy, ("PolicyUsageFilter", "PermissionsBoundary")];
    assert_eq!(server.admin("ListEntitiesForPolicy", &used).await.ok().text("UserName"), "ana");

    server.admin("PutUserPermissionsBoundary", &[name, boundary]).await.ok();
    assert_eq!(server.admin("GetPolicy", &[policy]).await.ok().text("PermissionsBoundaryUsageCount"), "1");
    server.admin("DeleteUserPermissionsBoundary", &[name]).await.ok();
    assert!(server.admin("GetUser", &[name]).await.ok().all("PermissionsBoundary").is_empty());
    server.admin("PutUserPermissionsBoundary", &[name, boundary]).await.ok();
    // A boundary goes with its user and does not keep it.
    server.admin("DeleteUser", &[name]).await.ok();
    server.admin("DeletePolicy", &[policy]).await.ok();
}

#[tokio::test]
async fn a_boundary_must_exist() {
    let server = Server::start().await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/none");
    let message = server
        .admin("CreateUser", &[("UserName", "ana"), ("PermissionsBoundary", &arn)])
        .await
        .refused(404, "NoSuchEntity");
    assert_eq!(message, format!("Scope ARN: {arn} does not exist or is not attachable."));
    // Nothing of the user was left behind.
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
}

#[tokio::test]
async fn a_boundary_limits_what_policies_give_at_once() {
    let server = Server::start().await;
    let limit = server.policy("limit", &allow("iam:List*")).await;
    let ana = server.user_who("ana", &allow("iam:*")).await;
    server.call(&ana, "GetUser", &[]).await.ok();
    let bound = [("UserName", "ana"), ("PermissionsBoundary", limit.as_str())];
    server.admin("PutUserPermissionsBoundary", &bound).await.ok();
    server.call(&ana, "ListUsers", &[]).await.ok();
    let message = server.call(&ana, "GetUser", &[]).await.refused(403, "AccessDenied");
    assert!(message.ends_with("because no permissions boundary allows the iam:GetUser action"), "{message}");
    server.admin("DeleteUserPermissionsBoundary", &[("UserName", "ana")]).await.ok();
    server.call(&ana, "GetUser", &[]).await.ok();
}

#[tokio::test]
async fn a_delegate_can_be_held_to_a_boundary_for_those_it_makes() {
    let server = Server::start().await;
    let limit = server.policy("limit", &allow("s3:*")).await;
    let only = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPolicy"],
        "Resource":"*","Condition":{{"StringEquals":{{"iam:PermissionsBoundary":"{limit}"}}}}}}]}}"#
    );
    let delegate = server.user_who("delegate", &only).await;
    server.call(&delegate, "CreateUser", &[("UserName", "free")]).await.refused(403, "AccessDenied");
    let bound = [("UserName", "bound"), ("PermissionsBoundary", limit.as_str())];
    server.call(&delegate, "CreateUser", &bound).await.ok();
    let document = allow("*");
    let put = |user| [("UserName", user), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    server.call(&delegate, "PutUserPolicy", &put("bound")).await.ok();
    server.call(&delegate, "PutUserPolicy", &put("administrator")).await.refused(403, "AccessDenied");
}

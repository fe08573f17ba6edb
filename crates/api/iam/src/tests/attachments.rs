//! Attaching managed policies, counting and listing what is attached.

use super::server::{ACCOUNT, Key, Server, allow};

#[tokio::test]
async fn a_policy_is_attached_counted_listed_and_detached() {
    let server = Server::start().await;
    let arn = server.policy("reads", &allow("s3:Get*")).await;
    let policy = ("PolicyArn", arn.as_str());
    for (make, attach, member) in
        [("CreateUser", "AttachUserPolicy", "UserName"), ("CreateGroup", "AttachGroupPolicy", "GroupName")]
    {
        server.admin(make, &[(member, "one")]).await.ok();
        server.admin(attach, &[(member, "one"), policy]).await.ok();
        // Attaching again changes nothing.
        server.admin(attach, &[(member, "one"), policy]).await.ok();
    }
    assert_eq!(server.admin("GetPolicy", &[policy]).await.ok().text("AttachmentCount"), "2");
    let listed = server.admin("ListAttachedUserPolicies", &[("UserName", "one")]).await.ok();
    assert_eq!((listed.text("PolicyName"), listed.text("PolicyArn")), ("reads", arn.as_str()));
    let entities = server.admin("ListEntitiesForPolicy", &[policy]).await.ok();
    assert_eq!((entities.text("UserName"), entities.text("GroupName")), ("one", "one"));
    let users = server.admin("ListEntitiesForPolicy", &[policy, ("EntityFilter", "User")]).await.ok();
    assert_eq!((users.all("UserName").len(), users.all("GroupName").len()), (1, 0));

    let message = server.admin("DeletePolicy", &[policy]).await.refused(409, "DeleteConflict");
    assert_eq!(message, "Cannot delete a policy attached to entities.");
    server.admin("DetachUserPolicy", &[("UserName", "one"), policy]).await.ok();
    let again = server.admin("DetachUserPolicy", &[("UserName", "one"), policy]).await;
    assert_eq!(again.refused(404, "NoSuchEntity"), format!("Policy {arn} was not found."));
    server.admin("DetachGroupPolicy", &[("GroupName", "one"), policy]).await.ok();
    server.admin("DeletePolicy", &[policy]).await.ok();
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_attached() {
    let server = Server::start().await;
    for (arn, status, code, message) in [
        (
            format!("arn:aws:iam::{ACCOUNT}:policy/none"),
            404,
            "NoSuchEntity",
            format!("Policy arn:aws:iam::{ACCOUNT}:policy/none does not exist or is not attachable."),
        ),
        (
            "arn:aws:iam::aws:policy/none".to_owned(),
            404,
            "NoSuchEntity",
            "Policy arn:aws:iam::aws:policy/none does not exist or is not attachable.".to_owned(),
        ),
        (
            "long enough but not an arn".to_owned(),
            400,
            "ValidationError",
            "Invalid ARN:  Could not be parsed!".to_owned(),
        ),
    ] {
        let answer = server.admin("AttachUserPolicy", &[("UserName", "administrator"), ("PolicyArn", &arn)]).await;
        assert_eq!(answer.refused(status, code), message);
    }
}

#[tokio::test]
async fn at_most_ten_policies_are_attached() {
    let server = Server::start().await;
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
    let arns: Vec<_> =
        crate::records::aws_managed::all().iter().take(11).map(|policy| policy.arn.to_string()).collect();
    for arn in arns.iter().take(10) {
        server.admin("AttachUserPolicy", &[("UserName", "ana"), ("PolicyArn", arn)]).await.ok();
    }
    let eleventh = server.admin("AttachUserPolicy", &[("UserName", "ana"), ("PolicyArn", &arns[10])]).await;
    assert_eq!(eleventh.refused(409, "LimitExceeded"), "Cannot exceed quota for PoliciesPerUser: 10");
}

#[tokio::test]
async fn attaching_can_be_limited_to_certain_policies() {
    let server = Server::start().await;
    let only = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:AttachUserPolicy",
        "iam:DetachUserPolicy"],"Resource":"*","Condition":{"ArnLike":{"iam:PolicyARN":
        "arn:aws:iam::aws:policy/*ReadOnlyAccess"}}}]}"#;
    let delegate: Key = server.user_who("delegate", only).await;
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
    let attach = |arn| [("UserName", "ana"), ("PolicyArn", arn)];
    let fits = attach("arn:aws:iam::aws:policy/IAMReadOnlyAccess");
    server.call(&delegate, "AttachUserPolicy", &fits).await.ok();
    server.call(&delegate, "DetachUserPolicy", &fits).await.ok();
    let other = attach("arn:aws:iam::aws:policy/AdministratorAccess");
    server.call(&delegate, "AttachUserPolicy", &other).await.refused(403, "AccessDenied");
}

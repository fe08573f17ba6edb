//! Roles and their trust policies.

use percent_encoding::percent_decode_str;

use super::server::{ACCOUNT, Server, allow};

fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
    )
}

#[tokio::test]
async fn a_role_lives_and_ends() {
    let server = Server::start().await;
    let document = trust(r#"{"Service":"codedeploy.amazonaws.com"}"#);
    let parameters = [("RoleName", "Deploy"), ("AssumeRolePolicyDocument", document.as_str()), ("Path", "/svc/")];
    let made = server.admin("CreateRole", &parameters).await.ok();
    assert!(made.text("RoleId").starts_with("AROA"));
    assert_eq!(made.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:role/svc/Deploy"));
    let read = percent_decode_str(made.text("AssumeRolePolicyDocument")).decode_utf8_lossy().into_owned();
    assert_eq!(read, document);
    assert!(made.all("MaxSessionDuration").is_empty());

    let name = ("RoleName", "Deploy");
    let update = [name, ("Description", "for deployments"), ("MaxSessionDuration", "7200")];
    server.admin("UpdateRole", &update).await.ok();
    server.admin("UpdateRole", &[name]).await.ok();
    let shown = server.admin("GetRole", &[name]).await.ok();
    assert_eq!((shown.text("Description"), shown.text("MaxSessionDuration")), ("for deployments", "7200"));
    server.admin("UpdateRole", &[name, ("MaxSessionDuration", "60")]).await.refused(400, "ValidationError");
    let described = server.admin("UpdateRoleDescription", &[name, ("Description", "other")]).await.ok();
    assert_eq!(described.text("Description"), "other");
    assert_eq!(server.admin("ListRoles", &[]).await.ok().text("RoleName"), "Deploy");

    let inline = allow("s3:*");
    let put = [name, ("PolicyName", "p"), ("PolicyDocument", inline.as_str())];
    server.admin("PutRolePolicy", &put).await.ok();
    let attached = [name, ("PolicyArn", "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRole")];
    server.admin("AttachRolePolicy", &attached).await.ok();
    server.admin("DeleteRole", &[name]).await.refused(409, "DeleteConflict");
    server.admin("DetachRolePolicy", &attached).await.ok();
    server.admin("DeleteRole", &[name]).await.refused(409, "DeleteConflict");
    server.admin("DeleteRolePolicy", &[name, ("PolicyName", "p")]).await.ok();
    server.admin("DeleteRole", &[name]).await.ok();
    let gone = server.admin("GetRole", &[name]).await;
    assert_eq!(gone.refused(404, "NoSuchEntity"), "The role with name Deploy cannot be found.");
}

#[tokio::test]
async fn a_trust_policy_names_only_those_who_exist() {
    let server = Server::start().await;
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
    for (principal, exists) in [
        (format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:user/ana"}}"#), true),
        (format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:user/team/ana"}}"#), false),
        (format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:user/bob"}}"#), false),
        (format!(r#"{{"AWS":"{ACCOUNT}"}}"#), true),
        (format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}}"#), true),
        (r#"{"AWS":"999988887777"}"#.to_owned(), false),
        (r#""*""#.to_owned(), true),
    ] {
        let document = trust(&principal);
        let parameters = [("RoleName", "r"), ("AssumeRolePolicyDocument", document.as_str())];
        let answer = server.admin("CreateRole", &parameters).await;
        if exists {
            answer.ok();
            server.admin("DeleteRole", &[("RoleName", "r")]).await.ok();
        } else {
            let message = answer.refused(400, "MalformedPolicyDocument");
            assert!(message.starts_with("Invalid principal in policy:"), "{principal}: {message}");
        }
    }
}

#[tokio::test]
async fn a_trust_policy_is_about_assuming_and_has_no_resource() {
    let server = Server::start().await;
    for (document, expected) in [
        (
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}]}"#,
            "may only specify STS AssumeRole actions",
        ),
        (r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}]}"#, "Resource"),
        (r#"{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}"#, "Principal"),
    ] {
        let parameters = [("RoleName", "r"), ("AssumeRolePolicyDocument", document)];
        let message = server.admin("CreateRole", &parameters).await.refused(400, "MalformedPolicyDocument");
        assert!(message.contains(expected), "{message}");
    }
}

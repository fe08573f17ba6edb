//! Several accounts on one server, and what their operator can do about them.

use super::server::{ACCOUNT, Key, OPERATOR, Server, allow, document};
use crate::{clear_service_control, create_account, recover, service_control, set_service_control};

impl Server {
    /// Another account: its id and its root user's access key.
    async fn account(&self, name: &str) -> (String, Key) {
        let made = create_account(&self.store, name, OPERATOR).await.expect("made");
        (made.account, Key { id: made.access_key_id, secret: made.secret_access_key.expose().to_owned() })
    }
}

fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

#[tokio::test]
async fn an_account_has_its_own_users_and_sees_no_others() {
    let server = Server::start().await;
    let (other, root) = server.account("other").await;
    server.call(&root, "CreateUser", &[("UserName", "administrator")]).await.ok();
    let listed = server.call(&root, "ListUsers", &[]).await.ok();
    assert_eq!(listed.text("Arn"), format!("arn:aws:iam::{other}:user/administrator"));
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
    server.call(&root, "GetUser", &[("UserName", "ana")]).await.refused(404, "NoSuchEntity");
    for name in ["other", "", "default", "123456789012", "a b", "a/b"] {
        assert!(create_account(&server.store, name, OPERATOR).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn across_accounts_both_sides_have_to_allow() {
    let server = Server::start().await;
    let (other, root) = server.account("other").await;
    server.call(&root, "CreateUser", &[("UserName", "eve")]).await.ok();
    let made = server.call(&root, "CreateAccessKey", &[("UserName", "eve")]).await.ok();
    let eve = Key { id: made.text("AccessKeyId").to_owned(), secret: made.text("SecretAccessKey").to_owned() };
    let eve_arn = format!("arn:aws:iam::{other}:user/eve");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/Deploy");
    let assume = [("RoleArn", role.as_str()), ("RoleSessionName", "visit")];
    let may = document("Allow", "sts:AssumeRole", &role);
    let put = [("UserName", "eve"), ("PolicyName", "own"), ("PolicyDocument", may.as_str())];

    // Neither side; then hers alone; then both; then the role's alone, which names her.
    let closed = trust(ACCOUNT);
    let parameters = [("RoleName", "Deploy"), ("AssumeRolePolicyDocument", closed.as_str())];
    server.admin("CreateRole", &parameters).await.ok();
    server.sts(&eve, "AssumeRole", &assume).await.refused(403, "AccessDenied");
    server.call(&root, "PutUserPolicy", &put).await.ok();
    server.sts(&eve, "AssumeRole", &assume).await.refused(403, "AccessDenied");
    for principal in [&eve_arn, &other] {
        let open = trust(principal);
        let parameters = [("RoleName", "Deploy"), ("PolicyDocument", open.as_str())];
        server.admin("UpdateAssumeRolePolicy", &parameters).await.ok();
        let session = server.sts(&eve, "AssumeRole", &assume).await.ok().session();
        assert_eq!(server.sts(&session, "GetCallerIdentity", &[]).await.ok().text("Account"), ACCOUNT);
        server.call(&root, "DeleteUserPolicy", &put[..2]).await.ok();
        server.sts(&eve, "AssumeRole", &assume).await.refused(403, "AccessDenied");
        server.call(&root, "PutUserPolicy", &put).await.ok();
    }
}

#[tokio::test]
async fn a_service_control_policy_limits_everybody_in_its_account_and_nobody_else() {
    let server = Server::start().await;
    let (other, root) = server.account("other").await;
    let limits = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"iam:CreateUser","Resource":"*"}]}"#;
    set_service_control(&server.store, "other", limits.to_owned(), OPERATOR).await.expect("set");
    assert_eq!(service_control(&server.store, &other).await.expect("read").as_deref(), Some(limits));
    let message = server.call(&root, "CreateUser", &[("UserName", "eve")]).await.refused(403, "AccessDenied");
    let why = "with an explicit deny in a service control policy: Statement[1] of service control policy";
    assert!(message.ends_with(why), "{message}");
    server.call(&root, "CreateGroup", &[("GroupName", "team")]).await.ok();
    server.admin("CreateUser", &[("UserName", "eve")]).await.ok();

    let only = allow("iam:List*");
    set_service_control(&server.store, &other, only, OPERATOR).await.expect("set");
    server.call(&root, "ListUsers", &[]).await.ok();
    let message = server.call(&root, "CreateGroup", &[("GroupName", "more")]).await.refused(403, "AccessDenied");
    assert!(message.contains("because no service control policy allows"), "{message}");
    assert!(clear_service_control(&server.store, &other, OPERATOR).await.expect("cleared"));
    assert!(!clear_service_control(&server.store, &other, OPERATOR).await.expect("cleared"));
    server.call(&root, "CreateGroup", &[("GroupName", "more")]).await.ok();
    assert!(set_service_control(&server.store, &other, "{}".to_owned(), OPERATOR).await.is_err());
    assert!(set_service_control(&server.store, "nobody", limits.to_owned(), OPERATOR).await.is_err());
}

#[tokio::test]
async fn an_administrator_can_be_made_again_from_the_host() {
    let server = Server::start().await;
    for expected in ["recovered-administrator", "recovered-administrator-2"] {
        let made = recover(&server.store, None, OPERATOR).await.expect("made");
        assert_eq!(made.arn.as_str(), format!("arn:aws:iam::{ACCOUNT}:user/{expected}"));
        let key = Key { id: made.access_key_id, secret: made.secret_access_key.expose().to_owned() };
        server.call(&key, "ListUsers", &[]).await.ok();
    }
    let (other, _) = server.account("other").await;
    assert!(recover(&server.store, None, OPERATOR).await.is_err(), "there are two");
    assert!(recover(&server.store, Some("nobody"), OPERATOR).await.is_err());
    for account in ["other", &other] {
        assert_eq!(recover(&server.store, Some(account), OPERATOR).await.expect("made").account, other);
    }
}

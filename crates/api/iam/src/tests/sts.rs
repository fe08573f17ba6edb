//! Who one is.

use super::access_keys::root_key;
use super::server::{ACCOUNT, Server, document};

#[tokio::test]
async fn whoever_signs_may_ask_who_they_are_even_if_it_is_denied() {
    let server = Server::start().await;
    let ana = server.user_who("ana", &document("Deny", "*", "*")).await;
    let id = server.admin("GetUser", &[("UserName", "ana")]).await.ok().text("UserId").to_owned();
    let said = server.sts(&ana, "GetCallerIdentity", &[]).await.ok();
    assert_eq!((said.text("UserId"), said.text("Account")), (id.as_str(), ACCOUNT));
    assert_eq!(said.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/ana"));
    let root = root_key(&server).await;
    let said = server.sts(&root, "GetCallerIdentity", &[]).await.ok();
    assert_eq!((said.text("UserId"), said.text("Arn")), (ACCOUNT, format!("arn:aws:iam::{ACCOUNT}:root").as_str()));
}

#[tokio::test]
async fn a_rename_shows_at_once() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    server.sts(&ana, "GetCallerIdentity", &[]).await.ok();
    server.admin("UpdateUser", &[("UserName", "ana"), ("NewUserName", "anna")]).await.ok();
    let said = server.sts(&ana, "GetCallerIdentity", &[]).await.ok();
    assert_eq!(said.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/anna"));
}

#[tokio::test]
async fn an_access_keys_account_is_told_to_those_who_may_know() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let about = [("AccessKeyId", server.admin.id.as_str())];
    server.sts(&ana, "GetAccessKeyInfo", &about).await.refused(403, "AccessDenied");
    assert_eq!(server.sts(&server.admin, "GetAccessKeyInfo", &about).await.ok().text("Account"), ACCOUNT);
}

//! Access keys: from the answer that makes one to the answer that ends it.

use super::server::{Key, Server, allow};
use crate::records::access_key::AccessKey;

#[tokio::test]
async fn a_new_key_signs_at_once_and_its_secret_is_shown_once() {
    let server = Server::start().await;
    let key = server.user_who("ana", &allow("iam:*")).await;
    assert!(key.id.starts_with("AKIA") && key.id.len() == 20, "{}", key.id);
    assert_eq!(key.secret.len(), 40);
    let listed = server.call(&key, "ListAccessKeys", &[]).await.ok();
    assert_eq!((listed.text("AccessKeyId"), listed.text("Status")), (key.id.as_str(), "Active"));
    assert!(!listed.body.contains(&key.secret) && !listed.body.contains("SecretAccessKey"));
}

#[tokio::test]
async fn the_trail_tells_who_made_a_key_and_never_its_secret() {
    let server = Server::start().await;
    let key = server.user_who("ana", &allow("iam:*")).await;
    let second = server.call(&key, "CreateAccessKey", &[]).await.ok();
    server.call(&key, "ListAccessKeys", &[]).await.ok();
    let trail = server.trail().await;
    for told in [r#""eventName":"CreateAccessKey""#, r#""eventName":"ListAccessKeys""#, &key.id] {
        assert!(trail.contains(told), "{told}");
    }
    for secret in [server.admin.secret.as_str(), &key.secret, second.text("SecretAccessKey")] {
        assert!(!trail.contains(secret), "a secret is in the trail");
    }
}

#[tokio::test]
async fn a_deactivated_key_is_refused_from_the_answer_on() {
    let server = Server::start().await;
    let key = server.user_who("ana", &allow("iam:GetUser")).await;
    let status = |status| [("UserName", "ana"), ("AccessKeyId", key.id.as_str()), ("Status", status)];
    for _ in 0..20 {
        server.call(&key, "GetUser", &[]).await.ok();
        server.admin("UpdateAccessKey", &status("Inactive")).await.ok();
        server.call(&key, "GetUser", &[]).await.refused(403, "InvalidClientTokenId");
        server.admin("UpdateAccessKey", &status("Active")).await.ok();
    }
    server.admin("UpdateAccessKey", &status("Expired")).await.refused(400, "InvalidInput");
    server.admin("UpdateAccessKey", &status("Broken")).await.refused(400, "ValidationError");
}

#[tokio::test]
async fn a_deleted_key_is_refused_from_the_answer_on() {
    let server = Server::start().await;
    let key = server.user_who("ana", &allow("iam:GetUser")).await;
    server.call(&key, "GetUser", &[]).await.ok();
    server.admin("DeleteAccessKey", &[("UserName", "ana"), ("AccessKeyId", &key.id)]).await.ok();
    server.call(&key, "GetUser", &[]).await.refused(403, "InvalidClientTokenId");
}

#[tokio::test]
async fn a_wrong_secret_and_a_key_that_never_was_are_refused() {
    let server = Server::start().await;
    let key = server.user("ana").await;
    let wrong = Key { secret: "x".repeat(40), ..key };
    server.call(&wrong, "GetUser", &[]).await.refused(403, "SignatureDoesNotMatch");
    for id in ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "AKIA", "AKIAIOSFODNN7-EXAMPL"] {
        let unknown = Key { id: id.to_owned(), secret: "x".repeat(40) };
        server.call(&unknown, "GetUser", &[]).await.refused(403, "InvalidClientTokenId");
    }
}

#[tokio::test]
async fn a_user_has_at_most_two_keys() {
    let server = Server::start().await;
    server.user("ana").await;
    server.key_of("ana").await;
    let third = server.admin("CreateAccessKey", &[("UserName", "ana")]).await;
    assert_eq!(third.refused(409, "LimitExceeded"), "Cannot exceed quota for AccessKeysPerUser: 2");
}

#[tokio::test]
async fn one_user_cannot_change_anothers_key_by_naming_themselves() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    server.user("bob").await;
    for (action, status) in [("DeleteAccessKey", None), ("UpdateAccessKey", Some(("Status", "Inactive")))] {
        let mut parameters = vec![("UserName", "bob"), ("AccessKeyId", ana.id.as_str())];
        parameters.extend(status);
        let message = server.admin(action, &parameters).await.refused(404, "NoSuchEntity");
        assert_eq!(message, format!("The Access Key with id {} cannot be found.", ana.id));
    }
    server.call(&ana, "GetUser", &[]).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn the_last_use_of_a_key_is_known_before_and_after_it_is_written() {
    let server = Server::start().await;
    let key = server.user_who("ana", &allow("iam:GetUser")).await;
    let about = [("AccessKeyId", key.id.as_str())];
    let last = || server.admin("GetAccessKeyLastUsed", &about);
    let unused = last().await.ok();
    assert_eq!((unused.text("ServiceName"), unused.text("Region")), ("N/A", "N/A"));
    assert!(unused.all("LastUsedDate").is_empty());

    // A signature that does not verify is no use.
    let wrong = Key { secret: "x".repeat(40), ..key.clone() };
    server.call(&wrong, "GetUser", &[]).await.refused(403, "SignatureDoesNotMatch");
    assert_eq!(last().await.ok().text("ServiceName"), "N/A");

    server.call(&key, "GetUser", &[]).await.ok();
    for written in [false, true] {
        if written {
            server.iam.flush_last_uses().await.expect("written");
        }
        let used = last().await.ok();
        assert_eq!((used.text("ServiceName"), used.text("Region")), ("iam", "us-east-1"), "{written}");
        assert_eq!((used.text("UserName"), used.text("LastUsedDate")), ("ana", "2026-09-21T14:13:20Z"), "{written}");
    }
    server.sts(&key, "GetCallerIdentity", &[]).await.ok();
    assert_eq!(last().await.ok().text("ServiceName"), "sts");
}

#[tokio::test]
async fn nobody_learns_of_access_keys_that_are_not_the_accounts() {
    let server = Server::start().await;
    let asked = server.admin("GetAccessKeyLastUsed", &[("AccessKeyId", "AKIAIOSFODNN7EXAMPLE")]).await;
    let message = asked.refused(403, "AccessDenied");
    assert!(message.ends_with(
        "is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key AKIAIOSFODNN7EXAMPLE"
    ));
}

#[tokio::test]
async fn the_root_user_has_keys_of_its_own() {
    let server = Server::start().await;
    let root = root_key(&server).await;
    assert!(server.call(&root, "GetUser", &[]).await.ok().body.contains(":root</Arn>"));
    let made = server.call(&root, "CreateAccessKey", &[]).await.ok();
    assert!(made.all("UserName").is_empty());
    let second = made.text("AccessKeyId").to_owned();
    assert_eq!(server.call(&root, "ListAccessKeys", &[]).await.ok().all("AccessKeyId").len(), 2);
    server.call(&root, "DeleteAccessKey", &[("AccessKeyId", &second)]).await.ok();
    assert_eq!(server.call(&root, "ListAccessKeys", &[]).await.ok().text("AccessKeyId"), root.id);
}

/// Gives the account's root user an access key, as the command line on the host does.
pub(super) async fn root_key(server: &Server) -> Key {
    let key = AccessKey::new(super::server::ACCOUNT, None, super::server::NOW);
    let made = Key { id: key.id.clone(), secret: key.secret.expose().to_owned() };
    let write = server.store.write(move |tx| {
        let mut account = crate::records::account::find(tx, super::server::ACCOUNT)?.expect("the account");
        account.root_access_keys.push(key.id.clone());
        tx.put(crate::records::account::PARENT, super::server::ACCOUNT, &account)?;
        tx.insert(crate::records::access_key::PARENT, &key.id, &key)
    });
    write.await.expect("written");
    made
}

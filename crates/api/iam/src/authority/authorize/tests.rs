//! Decisions on resources that bring a policy of their own, as keys do.

use std::sync::Arc;

use policy::{Context, Kind as Grammar, Policy, PolicyLayer, Principal, Reason};
use service::ports::Authority;
use service::{Caller, Need, ResourcePolicy};
use wire::Arn;

use crate::tests::server::{ACCOUNT, Server, allow};

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1";
const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";

fn key_policy(principal: &str) -> Policy {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
        "Action":"kms:Decrypt","Resource":"*"}}]}}"#
    );
    Policy::parse(&text, Grammar::Resource).expect("a policy")
}

async fn caller(server: &Server, name: &str) -> Caller {
    let shown = server.admin("GetUser", &[("UserName", name)]).await.ok();
    let arn: Arn = shown.text("Arn").parse().expect("an ARN");
    Caller::new(Principal::user(arn, shown.text("UserId")), ACCESS_KEY.to_owned(), Context::new(), None)
}

async fn decide(server: &Server, caller: &Caller, policy: Policy) -> Result<(), Reason> {
    let need = Need::identity("kms:Decrypt", KEY).guarded(ResourcePolicy::Mandatory(Arc::new(policy)));
    server.iam.decide(caller, &need, &Context::new()).await.expect("decided")
}

#[tokio::test]
async fn a_mandatory_policy_binds_administrators_and_the_root_user() {
    let server = Server::start().await;
    server.user_who("ana", &allow("kms:*")).await;
    let ana = caller(&server, "ana").await;
    let root = Caller::new(Principal::root(ACCOUNT), ACCESS_KEY.to_owned(), Context::new(), None);
    let other = key_policy("arn:aws:iam::111122223333:user/bob");
    for caller in [&ana, &root] {
        let refused = Err(Reason::NoAllow(PolicyLayer::Resource));
        assert_eq!(decide(&server, caller, other.clone()).await, refused);
        assert!(decide(&server, caller, key_policy(ACCOUNT)).await.is_ok());
    }
}

#[tokio::test]
async fn delegating_to_the_account_leaves_it_to_identity_policies() {
    let server = Server::start().await;
    server.user("bob").await;
    let bob = caller(&server, "bob").await;
    assert!(decide(&server, &bob, key_policy(ACCOUNT)).await.is_err());
    server.allow("bob", &allow("kms:Decrypt")).await;
    assert!(decide(&server, &bob, key_policy(ACCOUNT)).await.is_ok());
}

#[tokio::test]
async fn a_policy_tied_to_a_user_does_not_mean_the_next_one_of_that_name() {
    let server = Server::start().await;
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
    let ana = caller(&server, "ana").await;
    let mut policy = key_policy(ana.principal.arn.as_str());
    let id = ana.principal.unique_id.clone();
    policy.bind_principals(&mut |_| Some(id.clone()));
    assert!(decide(&server, &ana, policy.clone()).await.is_ok());

    server.admin("DeleteUser", &[("UserName", "ana")]).await.ok();
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
    let next = caller(&server, "ana").await;
    assert_eq!(next.principal.arn, ana.principal.arn);
    assert!(decide(&server, &next, policy.clone()).await.is_err());
    // The deleted user is refused as well, in a call that began too late.
    assert!(decide(&server, &ana, policy).await.is_err());
}

#[tokio::test]
async fn a_grant_needs_no_policy_that_allows() {
    let server = Server::start().await;
    server.user("ana").await;
    let ana = caller(&server, "ana").await;
    let policy = Arc::new(key_policy("arn:aws:iam::111122223333:user/bob"));
    let need = Need::identity("kms:Decrypt", KEY).guarded(ResourcePolicy::Granted(Arc::clone(&policy)));
    let decision = server.iam.decide(&ana, &need, &Context::new()).await.expect("decided");
    assert!(decision.is_ok(), "{decision:?}");
}

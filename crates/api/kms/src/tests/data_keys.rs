//! Data keys for other services: whoever may not use the KMS key gets none.

use service::ports::{DataKey, DataKeyContext, DataKeys as _};
use service::{Behalf, Performer, RequestOrigin};
use wire::Fault;

use super::*;
use crate::ServiceDataKeys;

const CODECOMMIT: Option<&str> = Some("codecommit.amazonaws.com");
const S3: Option<&str> = Some("s3.amazonaws.com");
const ONE: DataKeyContext<'_> = &[("aws:codecommit:id", "one")];
const TWO: DataKeyContext<'_> = &[("aws:codecommit:id", "two")];

impl World {
    fn caller(&self, name: &str) -> Arc<Caller> {
        Arc::clone(&self.people.identities.read().expect("no test panicked")[name].caller)
    }

    fn data_keys(&self) -> ServiceDataKeys {
        ServiceDataKeys::new(Performer::new(Arc::clone(&self.core), Arc::clone(&self.kms)))
    }

    async fn generated(
        &self,
        (caller, via): (&str, Option<&'static str>),
        key: &str,
        context: DataKeyContext<'_>,
    ) -> Result<DataKey, Fault> {
        let origin = RequestOrigin { ip: Ipv4Addr::LOCALHOST.into(), secure: true, host: None, user_agent: "", via };
        let caller = self.caller(caller);
        let behalf = Behalf { caller: &caller, region: REGION, origin: &origin };
        self.data_keys().generate(behalf, key, context).await
    }

    async fn opened(
        &self,
        (caller, via): (&str, Option<&'static str>),
        key: &DataKey,
        context: DataKeyContext<'_>,
    ) -> Result<Key256, Fault> {
        let origin = RequestOrigin { ip: Ipv4Addr::LOCALHOST.into(), secure: true, host: None, user_agent: "", via };
        let caller = self.caller(caller);
        let behalf = Behalf { caller: &caller, region: REGION, origin: &origin };
        self.data_keys().open(behalf, &key.sealed, &key.key_arn, context).await
    }
}

/// `Ok`, or the fault's code.
fn outcome<T>(result: &Result<T, Fault>) -> &'static str {
    result.as_ref().map_or_else(|fault| fault.code, |_| "Ok")
}

#[tokio::test]
async fn who_may_not_use_the_key_gets_no_data_key() {
    let world = World::new();
    world.user("carol", ACCOUNT, "AIDACAROL", None);
    let mut through = allow("alice", json!(["kms:GenerateDataKey", "kms:Decrypt"]));
    through["Condition"] = json!({"StringEquals": {
        "kms:ViaService": format!("codecommit.{REGION}.amazonaws.com"), "kms:EncryptionContext:aws:codecommit:id": "one",
    }});
    let statements = [through, allow("bob", json!("kms:GenerateDataKey")), allow("carol", json!("kms:Decrypt"))];
    let key = world.key_with(&statements).await;
    let (of_one, of_two) = (world.generated(("admin", CODECOMMIT), &key, ONE).await, TWO);
    let of_one = of_one.expect("the administrator has everything");
    let of_two = (world.generated(("admin", CODECOMMIT), &key, of_two).await.expect("a data key"), TWO);
    assert_eq!(of_one.key_arn, arn_of(&key));

    const DENIED: &str = "AccessDeniedException";
    let golden = [
        (("admin", None), ONE, "Ok", "Ok"),
        (("admin", CODECOMMIT), TWO, "Ok", "Ok"),
        // Through the service, and for this repository only.
        (("alice", CODECOMMIT), ONE, "Ok", "Ok"),
        (("alice", CODECOMMIT), TWO, DENIED, DENIED),
        (("alice", S3), ONE, DENIED, DENIED),
        (("alice", None), ONE, DENIED, DENIED),
        (("bob", CODECOMMIT), ONE, "Ok", DENIED),
        (("carol", CODECOMMIT), ONE, DENIED, "Ok"),
        (("worker", CODECOMMIT), ONE, DENIED, DENIED),
        (("stranger", CODECOMMIT), ONE, DENIED, DENIED),
        (("other-root", CODECOMMIT), ONE, DENIED, DENIED),
    ];
    for (who, context, generates, opens) in golden {
        let generated = world.generated(who, &of_one.key_arn, context).await;
        assert_eq!(outcome(&generated), generates, "{who:?} generates in {context:?}");
        let sealed = if context == ONE { &of_one } else { &of_two.0 };
        let opened = world.opened(who, sealed, context).await;
        assert_eq!(outcome(&opened), opens, "{who:?} opens in {context:?}");
        if let Ok(opened) = opened {
            assert_eq!(opened.expose(), sealed.key.expose());
        }
    }
}

#[tokio::test]
async fn a_data_key_opens_in_its_own_context_and_while_its_key_is_enabled() {
    let world = World::new();
    let (key, who) = (world.key().await, ("admin", CODECOMMIT));
    let mut generated = world.generated(who, &key, ONE).await.expect("a data key");
    assert_eq!(outcome(&world.opened(who, &generated, TWO).await), "InvalidCiphertextException");
    assert_eq!(outcome(&world.opened(who, &generated, &[]).await), "InvalidCiphertextException");
    world.done("admin", "DisableKey", json!({"KeyId": key})).await;
    assert_eq!(outcome(&world.opened(who, &generated, ONE).await), "DisabledException");
    assert_eq!(outcome(&world.generated(who, &key, ONE).await), "DisabledException");
    world.done("admin", "EnableKey", json!({"KeyId": key})).await;
    assert_eq!(outcome(&world.opened(who, &generated, ONE).await), "Ok");
    if let Some(last) = generated.sealed.last_mut() {
        *last ^= 1;
    }
    assert_eq!(outcome(&world.opened(who, &generated, ONE).await), "InvalidCiphertextException");
}

#[tokio::test]
async fn a_managed_key_gives_data_keys_through_its_service_only() {
    let world = World::new();
    let alias = "alias/aws/codecommit";
    assert_eq!(outcome(&world.generated(("alice", CODECOMMIT), alias, ONE).await), "Ok");
    for via in [S3, None] {
        for caller in ["alice", "admin", "root"] {
            assert_eq!(outcome(&world.generated((caller, via), alias, ONE).await), "AccessDeniedException");
        }
    }
}

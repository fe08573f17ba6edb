use serde_json::{Value, json};
use store::Store;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Who makes accounts.
const OPERATOR: service::Operator = service::Operator { uid: 1000, time: NOW };
const ACCOUNT: &str = "111122223333";
const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
    "Principal":{"AWS":["arn:aws:iam::111122223333:user/alice","444455556666"]}}]}"#;

fn account(id: &str) -> SeedAccount {
    SeedAccount {
        id: id.to_owned(),
        name: None,
        administrator: None,
        policies: Vec::new(),
        groups: Vec::new(),
        users: Vec::new(),
        roles: Vec::new(),
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a seed")
}

fn alice() -> Value {
    json!({"name": "alice", "access-keys": [{"id": "AKIAALICEALICE222222", "secret": "alice's own secret"}],
        "groups": ["staff"], "policies": ["use-keys"], "inline-policies": {"more": ALLOW}, "tags": {"team": "blue"}})
}

fn world() -> Vec<SeedAccount> {
    let first = SeedAccount {
        administrator: Some(read(json!({"id": "AKIAADMINISTRATOR222", "secret": "the administrator's"}))),
        policies: vec![read(json!({"name": "use-keys", "document": ALLOW}))],
        groups: vec![read(json!({"name": "staff", "policies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}))],
        users: vec![read(alice())],
        roles: vec![read(json!({"name": "deployer", "trust": TRUST, "boundary": "use-keys"}))],
        ..account(ACCOUNT)
    };
    vec![first, account("444455556666")]
}

async fn planted(store: &Store) -> Vec<FirstAdministrator> {
    seed(store, world(), OPERATOR).await.expect("planted").expect("the first")
}

#[tokio::test]
async fn a_seed_grows_the_same_world_every_time() {
    let mut grown = Vec::new();
    for _ in 0..2 {
        let store = Store::open_in_memory().expect("a store");
        let administrators = planted(&store).await;
        let (first, second) = (&administrators[0], &administrators[1]);
        assert_eq!((first.account.as_str(), second.account.as_str()), (ACCOUNT, "444455556666"));
        assert_eq!(first.access_key_id, "AKIAADMINISTRATOR222");
        assert_eq!(first.secret_access_key.expose(), "the administrator's");
        assert_eq!(second.arn.as_str(), "arn:aws:iam::444455556666:user/administrator");
        let ids = store
            .read(|tx| {
                let user: User = entity::load(tx, ACCOUNT, "alice")?;
                let role: Role = entity::load(tx, ACCOUNT, "deployer")?;
                let group: Group = entity::load(tx, ACCOUNT, "staff")?;
                assert_eq!(user.groups, [group.identity.id.as_str()]);
                assert_eq!(role.boundary.as_deref(), Some("arn:aws:iam::111122223333:policy/use-keys"));
                assert_eq!(user.attached, ["arn:aws:iam::111122223333:policy/use-keys"]);
                assert_eq!(user.tags.len(), 1);
                Ok::<_, IamError>([user.identity.id, role.identity.id, group.identity.id])
            })
            .await
            .expect("read");
        grown.push(ids);
        assert!(seed(&store, world(), OPERATOR).await.expect("read").is_none(), "once only");
    }
    assert_eq!(grown[0], grown[1]);
    assert!(grown[0][0].starts_with("AIDA") && grown[0][1].starts_with("AROA"));
}

#[tokio::test]
async fn what_a_seed_may_not_say_is_refused_and_nothing_is_kept() {
    let users = |users: Vec<Value>| SeedAccount { users: users.into_iter().map(read).collect(), ..account(ACCOUNT) };
    let key = |id: &str, secret: &str| json!({"name": "bob", "access-keys": [{"id": id, "secret": secret}]});
    let secret = "long enough a secret";
    for (world, complaint) in [
        (vec![account("1")], "twelve digits"),
        (vec![account(ACCOUNT), account(ACCOUNT)], "given twice"),
        (vec![users(vec![json!({"name": "a b"})])], "alphanumeric"),
        (vec![users(vec![json!({"name": "administrator"})])], "already exists"),
        (vec![users(vec![key("ASIAALICEALICE222222", secret)])], "begin with AKIA"),
        (vec![users(vec![key("AKIAALICEALICE222222", "short")])], "shorter than 16"),
        (vec![users(vec![alice()])], "staff"),
        (vec![users(vec![json!({"name": "bob", "policies": ["none"]})])], "policy/none"),
        (vec![users(vec![json!({"name": "bob", "inline-policies": {"x": "{}"}})])], ""),
    ] {
        let store = Store::open_in_memory().expect("a store");
        let error = seed(&store, world, OPERATOR).await.map(|_| ()).expect_err(complaint);
        assert!(error.to_string().contains(complaint), "{error}");
        assert!(account::accounts(&store).await.expect("read").is_empty());
    }
}

#[test]
fn what_a_seed_does_not_know_is_refused() {
    let refused = |value: Value| serde_json::from_value::<SeedUser>(value).is_err();
    assert!(refused(json!({"name": "bob", "acces-keys": []})));
    assert!(refused(json!({})));
}

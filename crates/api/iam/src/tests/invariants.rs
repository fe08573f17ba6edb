//! Whatever is done in whatever order: counts, indexes and lists tell the same story.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use store::Store;

use super::server::{ACCOUNT, Server, allow};
use crate::records::attachment::{self, Attachment, Usage, UsageCount};
use crate::records::entity;
use crate::records::managed_policy::ManagedPolicy;
use crate::records::user::User;
use crate::values::error::IamError;

const USERS: [&str; 3] = ["ana", "bob", "Ana"];
const POLICIES: [&str; 3] = [
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "arn:aws:iam::111122223333:policy/own",
    "arn:aws:iam::111122223333:policy/none",
];

#[derive(Clone, Debug)]
enum Step {
    CreateUser(usize),
    DeleteUser(usize),
    Rename(usize, usize),
    Attach(usize, usize),
    Detach(usize, usize),
    Bound(usize, usize),
    Unbound(usize),
    CreatePolicy,
    DeletePolicy,
}

fn step() -> impl Strategy<Value = Step> {
    let (user, policy) = (0..USERS.len(), 0..POLICIES.len());
    prop_oneof![
        3 => user.clone().prop_map(Step::CreateUser),
        1 => user.clone().prop_map(Step::DeleteUser),
        1 => (user.clone(), user.clone()).prop_map(|(from, to)| Step::Rename(from, to)),
        3 => (user.clone(), policy.clone()).prop_map(|(user, policy)| Step::Attach(user, policy)),
        2 => (user.clone(), policy.clone()).prop_map(|(user, policy)| Step::Detach(user, policy)),
        2 => (user.clone(), policy).prop_map(|(user, policy)| Step::Bound(user, policy)),
        1 => user.prop_map(Step::Unbound),
        2 => Just(Step::CreatePolicy),
        1 => Just(Step::DeletePolicy),
    ]
}

async fn take(server: &Server, step: Step) {
    let (action, parameters): (_, Vec<(&str, &str)>) = match step {
        Step::CreateUser(user) => ("CreateUser", vec![("UserName", USERS[user])]),
        Step::DeleteUser(user) => ("DeleteUser", vec![("UserName", USERS[user])]),
        Step::Rename(from, to) => ("UpdateUser", vec![("UserName", USERS[from]), ("NewUserName", USERS[to])]),
        Step::Attach(user, policy) => {
            ("AttachUserPolicy", vec![("UserName", USERS[user]), ("PolicyArn", POLICIES[policy])])
        }
        Step::Detach(user, policy) => {
            ("DetachUserPolicy", vec![("UserName", USERS[user]), ("PolicyArn", POLICIES[policy])])
        }
        Step::Bound(user, policy) => {
            ("PutUserPermissionsBoundary", vec![("UserName", USERS[user]), ("PermissionsBoundary", POLICIES[policy])])
        }
        Step::Unbound(user) => ("DeleteUserPermissionsBoundary", vec![("UserName", USERS[user])]),
        Step::DeletePolicy => ("DeletePolicy", vec![("PolicyArn", POLICIES[1])]),
        Step::CreatePolicy => {
            let document = allow("s3:*");
            server.admin("CreatePolicy", &[("PolicyName", "own"), ("PolicyDocument", &document)]).await;
            return;
        }
    };
    let answer = server.admin(action, &parameters).await;
    assert!(answer.status < 500, "{}", answer.body);
}

async fn check(store: &Store) {
    let read = store.read(|tx| {
        let users = tx.all::<User>(ACCOUNT)?;
        let mut names = BTreeSet::new();
        let mut uses: BTreeMap<String, UsageCount> = BTreeMap::new();
        for user in &users {
            assert!(names.insert(user.identity.name.to_ascii_lowercase()), "two users with one name");
            let found = entity::find::<User>(tx, ACCOUNT, &user.identity.name)?;
            assert_eq!(found.map(|found| found.identity), Some(user.identity.clone()), "the name leads to the user");
            for arn in &user.attached {
                uses.entry(arn.clone()).or_default().attachments += 1;
            }
            if let Some(arn) = &user.boundary {
                uses.entry(arn.clone()).or_default().boundaries += 1;
            }
        }
        for arn in POLICIES.into_iter().chain(["arn:aws:iam::aws:policy/AdministratorAccess"]) {
            let counted = attachment::usage(tx, ACCOUNT, arn)?;
            assert_eq!(counted, uses.get(arn).copied().unwrap_or_default(), "{arn}");
            let listed = tx.all::<Attachment>(&Attachment::parent(ACCOUNT, arn))?;
            let of = |usage| u32::try_from(listed.iter().filter(|one| one.usage == usage).count()).expect("few");
            assert_eq!(
                (of(Usage::Permissions), of(Usage::Boundary)),
                (counted.attachments, counted.boundaries),
                "{arn}"
            );
        }
        let own = tx.all::<ManagedPolicy>(ACCOUNT)?;
        assert!(own.len() <= 1);
        if own.is_empty() {
            assert!(!uses.contains_key(POLICIES[1]), "a policy that is gone is in use");
        }
        Ok::<_, IamError>(())
    });
    read.await.expect("read");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn uses_counts_and_names_agree_after_any_changes(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let server = Server::start().await;
            for step in steps {
                take(&server, step).await;
            }
            check(&server.store).await;
        });
    }
}

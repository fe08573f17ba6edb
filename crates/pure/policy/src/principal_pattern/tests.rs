use super::*;
use crate::scene::{alice, arn, bob, deployer};

fn aws(text: &str) -> PrincipalPattern {
    PrincipalPattern::aws(text).unwrap_or_else(|| panic!("{text}"))
}

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const DEPLOYER: &str = "arn:aws:iam::111122223333:role/path/Deployer";
const BUILD: &str = "arn:aws:sts::111122223333:assumed-role/Deployer/build-7";
const BOB: &str = "arn:aws:sts::111122223333:federated-user/bob";
const ROOT: &str = "arn:aws:iam::111122223333:root";

#[test]
fn entries_are_told_apart() {
    let named = |text| PrincipalPattern::Named { arn: arn(text), bound: Bound::Name };
    for (text, expect) in [
        ("*", PrincipalPattern::Anyone),
        ("111122223333", PrincipalPattern::Account("111122223333".to_owned())),
        (ROOT, PrincipalPattern::Account("111122223333".to_owned())),
        ("arn:aws-cn:iam::111122223333:root", PrincipalPattern::Account("111122223333".to_owned())),
        (ALICE, named(ALICE)),
        (DEPLOYER, named(DEPLOYER)),
        (BUILD, PrincipalPattern::Session(arn(BUILD))),
        (BOB, PrincipalPattern::Session(arn(BOB))),
        ("AROADEPLOYERDEPLOYER", PrincipalPattern::UniqueId("AROADEPLOYERDEPLOYER".to_owned())),
    ] {
        assert_eq!(aws(text), expect);
    }
}

#[test]
fn entries_are_shown_as_aws_quotes_them() {
    for text in ["*", "111122223333", ALICE, BUILD, "AROADEPLOYERDEPLOYER"] {
        assert_eq!(aws(text).to_string(), format!(r#""AWS":"{text}""#));
    }
    let service = PrincipalPattern::service("ec2.amazonaws.com").expect("a service");
    assert_eq!(service.to_string(), r#""Service":"ec2.amazonaws.com""#);
}

#[test]
fn wildcards_and_what_is_no_principal_are_refused() {
    for text in [
        "",
        "alice",
        "1111",
        "1111222233334",
        "**",
        "arn:aws:iam::*:root",
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::111122223333:user/al?ce",
        "arn:aws:iam::111122223333:user/${aws:username}",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::111122223333:user//x",
        "arn:aws:iam::111122223333:user",
        "arn:aws:iam::111122223333:group/admins",
        "arn:aws:iam::111122223333:root/x",
        "arn:aws:iam::111122223333:*",
        "arn:aws:iam:eu-1:111122223333:user/alice",
        "arn:aws:iam::1:user/alice",
        "arn:aws:iam:::user/alice",
        "arn:awsome:iam::111122223333:user/alice",
        "arn:aws:sts::111122223333:assumed-role/Deployer",
        "arn:aws:sts::111122223333:assumed-role/Deployer/a/b",
        "arn:aws:sts::111122223333:assumed-role/Deployer/*",
        "arn:aws:s3:::bucket",
        "AIDA",
        "aidaaliceALICEALICE1",
    ] {
        assert_eq!(PrincipalPattern::aws(text), None, "{text}");
    }
    for text in ["*", "codedeploy", "*.amazonaws.com", ".amazonaws.com", "a b.com", ""] {
        assert_eq!(PrincipalPattern::service(text), None, "{text}");
    }
    for text in ["*", "", "google", "https://accounts.google.com", "arn:aws:iam::111122223333:user/x", "a b.com"] {
        assert_eq!(PrincipalPattern::federated(text), None, "{text}");
    }
    for text in ["*", "", "79a59d"] {
        assert_eq!(PrincipalPattern::canonical_user(text), None, "{text}");
    }
}

#[test]
fn entries_reach_whom_they_name_and_only_so_far() {
    let others: [&str; 3] = ["444455556666", "arn:aws:iam::111122223333:user/Alice", "AIDAALICEALICEALICE2"];
    for (principal, reaches) in [
        (
            alice(),
            vec![
                ("*", Reach::Direct),
                ("111122223333", Reach::Account),
                (ROOT, Reach::Account),
                (ALICE, Reach::Direct),
                ("AIDAALICEALICEALICE1", Reach::Direct),
            ],
        ),
        (
            deployer(),
            vec![
                ("*", Reach::Direct),
                (ROOT, Reach::Account),
                (DEPLOYER, Reach::Holder),
                (BUILD, Reach::Direct),
                ("AROADEPLOYERDEPLOYER", Reach::Holder),
            ],
        ),
        (
            bob(),
            vec![
                ("*", Reach::Direct),
                (ROOT, Reach::Account),
                (ALICE, Reach::Holder),
                (BOB, Reach::Direct),
                ("AIDAALICEALICEALICE1", Reach::Holder),
            ],
        ),
        (Principal::root("111122223333"), vec![("*", Reach::Direct), (ROOT, Reach::Account)]),
        (Principal::anonymous(), vec![("*", Reach::Direct)]),
        (Principal::service("ec2.amazonaws.com"), vec![("*", Reach::Direct)]),
    ] {
        let all =
            ["*", ROOT, "111122223333", ALICE, DEPLOYER, BUILD, BOB, "AIDAALICEALICEALICE1", "AROADEPLOYERDEPLOYER"];
        for text in all.into_iter().chain(others) {
            let expect = reaches.iter().find(|(pattern, _)| *pattern == text).map(|(_, reach)| *reach);
            let expect = expect.or_else(|| {
                (text == "111122223333")
                    .then(|| reaches.iter().find(|(one, _)| *one == ROOT).map(|(_, reach)| *reach))?
            });
            assert_eq!(aws(text).reach(&principal), expect, "{text} {principal:?}");
        }
    }
}

#[test]
fn services_and_providers_are_reached_by_their_own_names() {
    let service = PrincipalPattern::service("ec2.amazonaws.com").expect("a service");
    assert_eq!(service.reach(&Principal::service("ec2.amazonaws.com")), Some(Reach::Direct));
    assert_eq!(service.reach(&Principal::service("kms.amazonaws.com")), None);
    assert_eq!(service.reach(&alice()), None);
    let provider = "arn:aws:iam::111122223333:oidc-provider/id.example.com/x";
    let pattern = PrincipalPattern::federated(provider).expect("a provider");
    assert_eq!(pattern.reach(&Principal::federated(provider)), Some(Reach::Direct));
    assert_eq!(pattern.reach(&Principal::federated("accounts.google.com")), None);
}

#[test]
fn a_name_that_was_tied_is_the_one_it_was_tied_to() {
    let tied = |bound| PrincipalPattern::Named { arn: arn(ALICE), bound };
    assert_eq!(tied(Bound::Id("AIDAALICEALICEALICE1".to_owned())).reach(&alice()), Some(Reach::Direct));
    assert_eq!(tied(Bound::Id("AIDAALICEALICEALICE0".to_owned())).reach(&alice()), None);
    assert_eq!(tied(Bound::Id("AIDAALICEALICEALICE0".to_owned())).reach(&bob()), None);
    assert_eq!(tied(Bound::Nobody).reach(&alice()), None);
    let role = PrincipalPattern::Named { arn: arn(DEPLOYER), bound: Bound::Id("AROADEPLOYERDEPLOYER".to_owned()) };
    assert_eq!(role.reach(&deployer()), Some(Reach::Holder), "the session's name does not belong to the role's id");
}

#[test]
fn not_principal_leaves_out_only_who_is_listed_with_their_account() {
    let list = |texts: &[&str]| texts.iter().map(|text| aws(text)).collect::<Vec<_>>();
    for (texts, principal, expect) in [
        (&[ALICE, ROOT][..], alice(), true),
        (&[ALICE, "111122223333"], alice(), true),
        (&[ALICE], alice(), false),
        (&[ROOT], alice(), false),
        (&[ROOT], Principal::root("111122223333"), true),
        (&[ALICE], Principal::root("111122223333"), false),
        (&[DEPLOYER, ROOT], deployer(), true),
        (&[BUILD, ROOT], deployer(), true),
        (&[DEPLOYER, BUILD], deployer(), false),
        (&[DEPLOYER, ROOT], alice(), false),
        (&["*"], alice(), true),
        (&["*"], Principal::anonymous(), true),
        (&[ALICE, ROOT], Principal::anonymous(), false),
    ] {
        assert_eq!(exempts(&list(texts), &principal), expect, "{texts:?} {principal:?}");
    }
    let service = [PrincipalPattern::service("ec2.amazonaws.com").expect("a service")];
    assert!(exempts(&service, &Principal::service("ec2.amazonaws.com")));
    assert!(!exempts(&service, &Principal::service("kms.amazonaws.com")));
}

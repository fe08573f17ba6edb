use crate::scene::{alice, bob, deployer};
use crate::{Context, Principal};

#[test]
fn the_context_says_of_each_caller_what_aws_says() {
    let root = Principal::root("111122223333");
    let service = Principal::service("codedeploy.amazonaws.com");
    let anonymous = Principal::anonymous();
    let federated = Principal::federated("accounts.google.com");
    let (alice, bob, deployer) = (alice(), bob(), deployer());
    let keys = ["aws:PrincipalArn", "aws:PrincipalType", "aws:userid", "aws:username", "aws:PrincipalAccount"];
    for (principal, expect) in [
        (&root, ["arn:aws:iam::111122223333:root", "Account", "111122223333", "", "111122223333"]),
        (&alice, ["arn:aws:iam::111122223333:user/alice", "User", "AIDAALICEALICEALICE1", "alice", "111122223333"]),
        (
            &deployer,
            [
                "arn:aws:iam::111122223333:role/path/Deployer",
                "AssumedRole",
                "AROADEPLOYERDEPLOYER:build-7",
                "",
                "111122223333",
            ],
        ),
        (
            &bob,
            ["arn:aws:sts::111122223333:federated-user/bob", "FederatedUser", "111122223333:bob", "", "111122223333"],
        ),
        (&service, ["", "", "", "", ""]),
        (&federated, ["", "", "", "", ""]),
        (&anonymous, ["", "Anonymous", "anonymous", "", ""]),
    ] {
        let mut context = Context::new();
        principal.describe(&mut context);
        let text = |key: &str| context.get(key).map(|values| values.as_slice()[0].text().into_owned());
        assert_eq!(keys.map(|key| text(key).unwrap_or_default()), expect, "{principal:?}");
        let name = if *principal == service { Some("codedeploy.amazonaws.com".to_owned()) } else { None };
        assert_eq!(text("aws:PrincipalServiceName"), name);
        assert_eq!(text("aws:PrincipalIsAWSService"), Some(name.is_some().to_string()));
    }
}

#[test]
fn a_session_name_is_added_to_a_role_id_that_lacks_it() {
    let deployer = Principal { unique_id: "AROADEPLOYERDEPLOYER".to_owned(), ..deployer() };
    let mut context = Context::new();
    deployer.describe(&mut context);
    let userid = context.get("aws:userid").expect("a user id");
    assert_eq!(userid.as_slice()[0].text(), "AROADEPLOYERDEPLOYER:build-7");
}

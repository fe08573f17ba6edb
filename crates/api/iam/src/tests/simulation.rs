//! Simulations agree with what calls meet, and say which statement decided.

use super::server::{ACCOUNT, Server, allow, document};

#[tokio::test]
async fn a_simulation_decides_as_the_call_does() {
    let server = Server::start().await;
    let ana = server.user_who("ana", &allow("iam:List*")).await;
    let deny = server.policy("deny", &document("Deny", "iam:ListRoles", "*")).await;
    server.admin("CreateGroup", &[("GroupName", "team")]).await.ok();
    server.admin("AttachGroupPolicy", &[("GroupName", "team"), ("PolicyArn", &deny)]).await.ok();
    server.admin("AddUserToGroup", &[("GroupName", "team"), ("UserName", "ana")]).await.ok();
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/ana");
    for (operation, decision, source) in [
        ("ListUsers", "allowed", Some(("own", "user"))),
        ("ListRoles", "explicitDeny", Some((deny.as_str(), "user-managed"))),
        ("GetAccountSummary", "implicitDeny", None),
    ] {
        let action = format!("iam:{operation}");
        let asked = [("PolicySourceArn", arn.as_str()), ("ActionNames.member.1", &action)];
        let told = server.admin("SimulatePrincipalPolicy", &asked).await.ok();
        assert_eq!(told.text("EvalDecision"), decision, "{operation}");
        let cited = told.all("SourcePolicyId").into_iter().zip(told.all("SourcePolicyType")).next();
        assert_eq!(cited, source, "{operation}");
        let status = server.call(&ana, operation, &[]).await.status;
        assert_eq!(status == 200, decision == "allowed", "{operation}");
    }
}

#[tokio::test]
async fn a_custom_simulation_takes_conditions_boundaries_and_organizations_into_account() {
    let server = Server::start().await;
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*",
        "Condition":{"StringEquals":{"aws:RequestedRegion":"eu-central-1"}}}}"#;
    let (everything, nothing) = (allow("*"), allow("ec2:*"));
    let base = vec![
        ("PolicyInputList.member.1", policy),
        ("ActionNames.member.1", "s3:GetObject"),
        ("ResourceArns.member.1", "arn:aws:s3:::b/x"),
    ];
    let told = server.admin("SimulateCustomPolicy", &base).await.ok();
    assert_eq!(told.text("EvalDecision"), "implicitDeny");
    assert!(told.body.contains("<MissingContextValues><member>aws:RequestedRegion</member>"), "{}", told.body);
    let with = |more: &[(&'static str, &'static str)]| {
        let region = [
            ("ContextEntries.member.1.ContextKeyName", "aws:RequestedRegion"),
            ("ContextEntries.member.1.ContextKeyValues.member.1", "eu-central-1"),
            ("ContextEntries.member.1.ContextKeyType", "string"),
        ];
        base.iter().chain(&region).chain(more).copied().collect::<Vec<_>>()
    };
    let told = server.admin("SimulateCustomPolicy", &with(&[])).await.ok();
    assert_eq!((told.text("EvalDecision"), told.text("SourcePolicyId")), ("allowed", "PolicyInputList.1"));
    assert_eq!(told.all("Line"), ["1", "2"]);

    for (member, boundary) in [
        ("PermissionsBoundaryPolicyInputList.member.1", true),
        ("OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1", false),
    ] {
        for (document, decision) in [(&everything, "allowed"), (&nothing, "implicitDeny")] {
            let mut asked = with(&[]);
            asked.push((member, document));
            let told = server.admin("SimulateCustomPolicy", &asked).await.ok();
            assert_eq!(told.text("EvalDecision"), decision, "{member}");
            let detail = if boundary { "AllowedByPermissionsBoundary" } else { "AllowedByOrganizations" };
            assert_eq!(told.text(detail), (decision == "allowed").to_string(), "{member}");
        }
    }
    let broken = [("PolicyInputList.member.1", "{}"), ("ActionNames.member.1", "s3:GetObject")];
    server.admin("SimulateCustomPolicy", &broken).await.refused(400, "InvalidInput");
}

#[tokio::test]
async fn simulations_page() {
    let server = Server::start().await;
    let everything = allow("*");
    let asked = [
        ("PolicyInputList.member.1", everything.as_str()),
        ("ActionNames.member.1", "s3:GetObject"),
        ("ActionNames.member.2", "s3:PutObject"),
        ("MaxItems", "1"),
    ];
    let first = server.admin("SimulateCustomPolicy", &asked).await.ok();
    assert_eq!((first.text("EvalActionName"), first.text("IsTruncated")), ("s3:GetObject", "true"));
    let marker = first.text("Marker").to_owned();
    let next = [asked[0], asked[1], asked[2], asked[3], ("Marker", &marker)];
    let second = server.admin("SimulateCustomPolicy", &next).await.ok();
    assert_eq!((second.text("EvalActionName"), second.text("IsTruncated")), ("s3:PutObject", "false"));
}

#[tokio::test]
async fn context_keys_are_those_of_conditions_and_variables() {
    let server = Server::start().await;
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",
        "Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}"#;
    let custom = server.admin("GetContextKeysForCustomPolicy", &[("PolicyInputList.member.1", policy)]).await.ok();
    assert_eq!(custom.all("member"), ["aws:SecureTransport", "aws:username"]);
    server.user_who("ana", policy).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/ana");
    let own = server.admin("GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", &arn)]).await.ok();
    assert_eq!(own.all("member"), ["aws:SecureTransport", "aws:username"]);
    let nobody = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    let missing = server.admin("GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", &nobody)]).await;
    missing.refused(404, "NoSuchEntity");
}

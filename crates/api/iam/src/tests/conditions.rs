//! Condition keys in whole calls: of the network, of time, of who calls, of IAM and of STS; each is met and then not.

use policy::Value;
use serde_json::{Value as Json, json};
use service::ports::Roles;
use wire::Arn;

use super::server::{ACCOUNT, Key, Server, allow, pass};

/// A server with the user Ana, who has a tag and nothing else.
struct Ana {
    server: Server,
    key: Key,
}

impl std::ops::Deref for Ana {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Ana {
    async fn arrives() -> Self {
        let server = Server::start().await;
        let tags = [("UserName", "ana"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
        server.admin("CreateUser", &tags).await.ok();
        let key = server.key_of("ana").await;
        Self { server, key }
    }
}

/// A condition, what is asked besides, and whether that is allowed.
type Case<'a> = (Json, &'a [(&'a str, &'a str)], bool);

/// A document that allows an action under a condition.
fn only(action: &str, condition: &Json) -> String {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Whether `parameters` are allowed to Ana under each condition.
async fn decides(server: &Ana, action: &str, parameters: &[(&str, &str)], cases: &[(Json, bool)]) {
    for (condition, allowed) in cases {
        server.allow("ana", &only(&format!("iam:{action}"), condition)).await;
        let answer = server.call(&server.key, action, parameters).await;
        assert_eq!(answer.error != Some("AccessDenied"), *allowed, "{action} under {condition}: {}", answer.body);
    }
}

#[tokio::test]
async fn item_11_every_request_has_keys_of_network_time_and_caller() {
    let server = Ana::arrives().await;
    // It is 2026-09-21T14:13:20Z, and the call comes over TLS from this host.
    let cases = [
        (json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}), true),
        (json!({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "::1"]}}), false),
        (json!({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}), false),
        (json!({"Bool": {"aws:SecureTransport": "true"}}), true),
        (json!({"Bool": {"aws:SecureTransport": "false"}}), false),
        (json!({"DateGreaterThan": {"aws:CurrentTime": "2026-09-21T14:00:00Z"}}), true),
        (json!({"DateLessThan": {"aws:CurrentTime": "2026-09-21T14:13:20Z"}}), false),
        (json!({"NumericGreaterThanEquals": {"aws:EpochTime": "1790000000"}}), true),
        (json!({"DateLessThan": {"aws:EpochTime": "1790000000"}}), false),
        (json!({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}), true),
        (json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}), false),
        (json!({"StringEquals": {"aws:username": "ana"}}), true),
        (json!({"StringEquals": {"aws:username": "Ana"}}), false),
        (json!({"StringLike": {"aws:userid": "AIDA*"}}), true),
        (json!({"StringLike": {"aws:userid": "AROA*"}}), false),
        (json!({"ArnEquals": {"aws:PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:user/ana")}}), true),
        (json!({"ArnLike": {"aws:PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:role/*")}}), false),
        (json!({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}), true),
        (json!({"StringEquals": {"aws:PrincipalAccount": "444455556666"}}), false),
        (json!({"StringEquals": {"aws:PrincipalType": "User"}}), true),
        (json!({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}), false),
        (json!({"StringEquals": {"aws:PrincipalTag/team": "red"}}), true),
        (json!({"StringEquals": {"aws:PrincipalTag/team": "blue"}}), false),
        (json!({"Bool": {"aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false"}}), true),
        (json!({"Bool": {"aws:ViaAWSService": "true"}}), false),
        // Long-lived credentials have neither MFA nor an age, and accounts here are in no organization.
        (json!({"Null": {"aws:MultiFactorAuthPresent": "true", "aws:TokenIssueTime": "true"}}), true),
        (json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}), false),
        (json!({"StringEquals": {"aws:PrincipalOrgID": "o-example"}}), false),
    ];
    decides(&server, "ListUsers", &[], &cases).await;
}

#[tokio::test]
async fn item_11_a_sessions_age_and_identity_are_keys() {
    let server = Server::start().await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT},
        "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}]});
    let made = [("RoleName", "worker"), ("AssumeRolePolicyDocument", &*trust.to_string())];
    server.admin("CreateRole", &made).await.ok();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/worker");
    let ask = [("RoleArn", role.as_str()), ("RoleSessionName", "shift"), ("SourceIdentity", "ana")];
    let session = server.sts(&server.admin, "AssumeRole", &ask).await.ok().session();
    pass(600);
    for (condition, allowed) in [
        (json!({"DateLessThanEquals": {"aws:TokenIssueTime": "2026-09-21T14:13:20Z"}}), true),
        (json!({"DateGreaterThan": {"aws:TokenIssueTime": "2026-09-21T14:20:00Z"}}), false),
        (json!({"StringEquals": {"aws:SourceIdentity": "ana"}}), true),
        (json!({"StringEquals": {"aws:SourceIdentity": "bob"}}), false),
        (json!({"StringLike": {"aws:userid": "AROA*:shift"}, "ArnEquals": {"aws:PrincipalArn": role}}), true),
        (json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}}), true),
        (json!({"Null": {"aws:username": "true"}}), true),
    ] {
        let document = only("iam:ListUsers", &condition);
        let put = [("RoleName", "worker"), ("PolicyName", "own"), ("PolicyDocument", document.as_str())];
        server.admin("PutRolePolicy", &put).await.ok();
        let answer = server.call(&session, "ListUsers", &[]).await;
        assert_eq!(answer.error.is_none(), allowed, "{condition}: {}", answer.body);
    }
}

#[tokio::test]
async fn keys_of_iam_limit_boundaries_policies_roles_and_tags() {
    let server = Ana::arrives().await;
    let limit = server.policy("limit", &allow("s3:*")).await;
    let other = server.policy("other", &allow("s3:*")).await;
    let bounded = json!({"StringEquals": {"iam:PermissionsBoundary": limit}});
    let create = [("UserName", "eve"), ("PermissionsBoundary", other.as_str())];
    decides(&server, "CreateUser", &create, &[(bounded.clone(), false)]).await;
    decides(&server, "CreateUser", &create[..1], &[(bounded.clone(), false)]).await;
    let create = [("UserName", "eve"), ("PermissionsBoundary", limit.as_str())];
    decides(&server, "CreateUser", &create, &[(bounded.clone(), true)]).await;
    let put = [("UserName", "eve"), ("PolicyName", "x"), ("PolicyDocument", &*allow("s3:*"))];
    decides(&server, "PutUserPolicy", &put, &[(bounded.clone(), true)]).await;
    let put = [("UserName", "ana"), ("PolicyName", "x"), ("PolicyDocument", &*allow("s3:*"))];
    decides(&server, "PutUserPolicy", &put, &[(bounded, false)]).await;

    let one = json!({"ArnEquals": {"iam:PolicyARN": other}});
    let attach = |arn| [("UserName", "eve"), ("PolicyArn", arn)];
    decides(&server, "AttachUserPolicy", &attach(&other), &[(one.clone(), true)]).await;
    decides(&server, "AttachUserPolicy", &attach(&limit), &[(one, false)]).await;

    let tag = [("UserName", "ana"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
    let cases = [
        (json!({"StringEquals": {"iam:ResourceTag/team": "red"}}), true),
        (json!({"StringEquals": {"aws:ResourceTag/team": "red"}}), false),
        (json!({"StringEquals": {"aws:RequestTag/team": "blue"}}), true),
        (json!({"StringEquals": {"aws:RequestTag/team": "red"}}), false),
        (json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "project"]}}), true),
        (json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["project"]}}), false),
    ];
    // The first changes the tag that the second looks at.
    decides(&server, "TagUser", &tag, &cases).await;

    let service = [("AWSServiceName", "ecs.amazonaws.com")];
    let cases = [
        (json!({"StringEquals": {"iam:AWSServiceName": "kms.amazonaws.com"}}), false),
        (json!({"StringEquals": {"iam:AWSServiceName": "ecs.amazonaws.com"}}), true),
    ];
    decides(&server, "CreateServiceLinkedRole", &service, &cases).await;
}

#[tokio::test]
async fn item_6_passing_a_role_is_checked_separately() {
    let server = Ana::arrives().await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"Service":"ec2.amazonaws.com"}}]}"#;
    server.admin("CreateRole", &[("RoleName", "machine"), ("AssumeRolePolicyDocument", trust)]).await.ok();
    server.admin("CreateInstanceProfile", &[("InstanceProfileName", "profile")]).await.ok();
    let add = [("InstanceProfileName", "profile"), ("RoleName", "machine")];
    server.allow("ana", &allow("iam:AddRoleToInstanceProfile")).await;
    let message = server.call(&server.key, "AddRoleToInstanceProfile", &add).await.refused(403, "AccessDenied");
    assert!(message.contains("is not authorized to perform: iam:PassRole on resource: role machine"), "{message}");
    for (service, allowed) in [("codedeploy.amazonaws.com", false), ("ec2.amazonaws.com", true)] {
        let both = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iam:AddRoleToInstanceProfile", "Resource": "*"},
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": format!("arn:aws:iam::{ACCOUNT}:role/machine"),
                "Condition": {"StringEquals": {"iam:PassedToService": service}}}]});
        server.allow("ana", &both.to_string()).await;
        let answer = server.call(&server.key, "AddRoleToInstanceProfile", &add).await;
        assert_eq!(answer.error.is_none(), allowed, "{service}: {}", answer.body);
    }
}

#[tokio::test]
async fn item_6_a_service_is_handed_a_role_that_trusts_it_by_whoever_may_pass_it() {
    let server = Ana::arrives().await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"Service":"codedeploy.amazonaws.com"}}]}"#;
    server.admin("CreateRole", &[("RoleName", "deployer"), ("AssumeRolePolicyDocument", trust)]).await.ok();
    let arn = |name: &str| -> Arn { format!("arn:aws:iam::{ACCOUNT}:role/{name}").parse().expect("an ARN") };
    for (role, service, trusted) in [
        ("deployer", "codedeploy.amazonaws.com", true),
        ("deployer", "ec2.amazonaws.com", false),
        ("none", "codedeploy.amazonaws.com", false),
    ] {
        let passing = Roles::passing(&*server.iam, &arn(role), service).await.expect("read");
        assert_eq!(passing.trusted, trusted, "{role} {service}");
        assert_eq!((passing.need.action, &*passing.need.resource), ("iam:PassRole", &*arn(role).to_string()));
        let given = passing.need.context.iter().find(|(key, _)| key == "iam:PassedToService");
        assert_eq!(given.map(|(_, values)| values.as_slice()), Some(&[Value::from(service)][..]));
    }
}

#[tokio::test]
async fn item_6_who_one_is_can_always_be_asked() {
    let server = Ana::arrives().await;
    let everything =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
    server.allow("ana", &everything.to_string()).await;
    let answer = server.sts(&server.key, "GetCallerIdentity", &[]).await.ok();
    assert_eq!(answer.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/ana"));
}

#[tokio::test]
async fn keys_of_sts_limit_who_assumes_a_role_and_how() {
    let server = Ana::arrives().await;
    server.allow("ana", &allow("sts:*")).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/worker");
    let trust = |condition: &Json| {
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Condition": condition,
            "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let open = trust(&json!({}));
    server.admin("CreateRole", &[("RoleName", "worker"), ("AssumeRolePolicyDocument", &open)]).await.ok();
    let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    let passed_on = [tag[0], tag[1], ("TransitiveTagKeys.member.1", "team")];
    let cases: &[Case<'_>] = &[
        (json!({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}), &[("RoleSessionName", "ana")], true),
        (json!({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}), &[("RoleSessionName", "bob")], false),
        (json!({"StringEquals": {"sts:ExternalId": "42"}}), &[("ExternalId", "42")], true),
        (json!({"StringEquals": {"sts:ExternalId": "42"}}), &[("ExternalId", "43")], false),
        (json!({"StringEquals": {"sts:ExternalId": "42"}}), &[], false),
        (json!({"StringLike": {"sts:SourceIdentity": "an*"}}), &[("SourceIdentity", "ana")], true),
        (json!({"StringLike": {"sts:SourceIdentity": "an*"}}), &[("SourceIdentity", "bob")], false),
        (json!({"StringEquals": {"aws:RequestTag/team": "red"}}), &tag, true),
        (json!({"StringEquals": {"aws:RequestTag/team": "blue"}}), &tag, false),
        (json!({"ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["team"]}}), &passed_on, true),
        (json!({"ForAnyValue:StringEquals": {"sts:TransitiveTagKeys": ["team"]}}), &tag, false),
        (json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["project"]}}), &tag, false),
        (json!({"IpAddress": {"aws:SourceIp": "127.0.0.1"}}), &[], true),
        (json!({"IpAddress": {"aws:SourceIp": "192.0.2.1"}}), &[], false),
    ];
    for (condition, more, allowed) in cases {
        let document = trust(condition);
        let update = [("RoleName", "worker"), ("PolicyDocument", document.as_str())];
        server.admin("UpdateAssumeRolePolicy", &update).await.ok();
        let mut parameters = vec![("RoleArn", role.as_str())];
        if !more.iter().any(|(name, _)| *name == "RoleSessionName") {
            parameters.push(("RoleSessionName", "shift"));
        }
        parameters.extend(*more);
        let answer = server.sts(&server.key, "AssumeRole", &parameters).await;
        assert_eq!(answer.error.is_none(), *allowed, "{condition} with {more:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn policy_bombs_are_refused_soon_and_with_their_place() {
    let server = Ana::arrives().await;
    let put = async |document: &str| {
        let begun = std::time::Instant::now();
        let parameters = [("UserName", "ana"), ("PolicyName", "bomb"), ("PolicyDocument", document)];
        let answer = server.admin("PutUserPolicy", &parameters).await;
        // A debug build on a busy machine; built for use it is a hundredth of this.
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
        answer
    };
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    // A hundred thousand of them are more than a request may have; the policy engine's own tests try these.
    let many = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, vec![statement; 3000].join(","));
    let message = put(&many).await.refused(400, "ValidationError");
    assert!(message.contains("Member must have length less than or equal to 131072"), "{message}");
    let fewer = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, vec![statement; 2700].join(","));
    put(&fewer).await.refused(409, "LimitExceeded");
    let deep = format!(r#"{{"Version":"2012-10-17","Statement":{}"#, "[".repeat(130_000));
    put(&deep).await.refused(400, "MalformedPolicyDocument");
    let conditions = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*",
        "Condition":{}1{}}}}}"#,
        r#"{"a:b":"#.repeat(10_000),
        "}".repeat(10_000)
    );
    put(&conditions).await.refused(400, "MalformedPolicyDocument");
    // Stars that would send a backtracking matcher round and round, matched against a name built for it.
    let stars = "*a".repeat(600);
    let resource = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetUser",
        "Resource": format!("arn:aws:iam::{ACCOUNT}:user/{stars}b")}]});
    put(&resource.to_string()).await.ok();
    let begun = std::time::Instant::now();
    let name = "a".repeat(64);
    server.call(&server.key, "GetUser", &[("UserName", &name)]).await.refused(403, "AccessDenied");
    assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
}

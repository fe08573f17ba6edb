//! Temporary credentials: who gets them, what they open, and when they end.

use super::access_keys::root_key;
use super::server::{ACCOUNT, Answer, Key, Server, Session, Signs, allow, document, pass};

/// A trust policy that admits these principals, with these further elements.
fn trust(principal: &str, more: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
        "Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]{more}}}]}}"#
    )
}

fn arn_of(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

fn user(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

impl Server {
    /// Makes a role with one inline policy.
    async fn role(&self, name: &str, trust: &str, policy: &str) {
        let parameters = [("RoleName", name), ("AssumeRolePolicyDocument", trust)];
        self.admin("CreateRole", &parameters).await.ok();
        let parameters = [("RoleName", name), ("PolicyName", "own"), ("PolicyDocument", policy)];
        self.admin("PutRolePolicy", &parameters).await.ok();
    }

    async fn assume(&self, who: &impl Signs, role: &str, more: &[(&str, &str)]) -> Answer {
        let arn = arn_of(role);
        let mut parameters = vec![("RoleArn", arn.as_str()), ("RoleSessionName", "build")];
        parameters.extend(more);
        self.sts(who, "AssumeRole", &parameters).await
    }

    /// The user `ana`, the role `Deploy` that trusts her and may list users, and a session of it.
    async fn deploying(&self) -> (Key, Session) {
        let ana = self.user("ana").await;
        self.role("Deploy", &trust(&user("ana"), ""), &allow("iam:ListUsers")).await;
        let session = self.assume(&ana, "Deploy", &[]).await.ok().session();
        (ana, session)
    }
}

#[tokio::test]
async fn a_role_session_may_what_its_role_may() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    server.role("Deploy", &trust(&user("ana"), ""), &allow("iam:ListUsers")).await;
    let assumed = server.assume(&ana, "Deploy", &[]).await.ok();
    assert!(assumed.text("AccessKeyId").starts_with("ASIA"));
    assert_eq!(assumed.text("Expiration"), "2026-09-21T15:13:20Z");
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/build");
    assert_eq!(assumed.text("Arn"), arn);
    let session = assumed.session();
    server.call(&session, "ListUsers", &[]).await.ok();
    let message = server.call(&session, "ListGroups", &[]).await.refused(403, "AccessDenied");
    assert!(message.starts_with(&format!("User: {arn} is not authorized to perform: iam:ListGroups")), "{message}");
    let said = server.sts(&session, "GetCallerIdentity", &[]).await.ok();
    assert_eq!((said.text("Arn"), said.text("UserId")), (arn.as_str(), assumed.text("AssumedRoleId")));
    // What the role allows, its caller still may not.
    server.call(&ana, "ListUsers", &[]).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn only_whom_the_trust_policy_names_gets_in() {
    let server = Server::start().await;
    server.deploying().await;
    let bob = server.user_who("bob", &allow("*")).await;
    let forbidden = server.assume(&bob, "Deploy", &[]).await.refused(403, "AccessDenied");
    let missing = server.assume(&bob, "Missing", &[]).await.refused(403, "AccessDenied");
    assert_eq!(missing.replace("Missing", "Deploy"), forbidden, "a stranger cannot tell missing from forbidden");
    // Made again under the same name, she is somebody else.
    for key in server.admin("ListAccessKeys", &[("UserName", "ana")]).await.ok().all("AccessKeyId") {
        server.admin("DeleteAccessKey", &[("UserName", "ana"), ("AccessKeyId", key)]).await.ok();
    }
    server.admin("DeleteUser", &[("UserName", "ana")]).await.ok();
    let other = server.user("ana").await;
    server.assume(&other, "Deploy", &[]).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn an_account_that_is_trusted_delegates_to_its_own_policies() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    server.role("Deploy", &trust(ACCOUNT, ""), &allow("iam:ListUsers")).await;
    server.assume(&ana, "Deploy", &[]).await.refused(403, "AccessDenied");
    server.allow("ana", &document("Allow", "sts:AssumeRole", &arn_of("Deploy"))).await;
    server.assume(&ana, "Deploy", &[]).await.ok();
}

#[tokio::test]
async fn the_root_user_assumes_no_role() {
    let server = Server::start().await;
    server.role("Deploy", &trust(ACCOUNT, ""), &allow("*")).await;
    let root = root_key(&server).await;
    let message = server.assume(&root, "Deploy", &[]).await.refused(403, "AccessDenied");
    assert_eq!(message, "Roles may not be assumed by root accounts.");
}

#[tokio::test]
async fn a_session_ends_with_its_time() {
    let server = Server::start().await;
    let (ana, session) = server.deploying().await;
    let short = server.assume(&ana, "Deploy", &[("DurationSeconds", "900")]).await.ok().session();
    pass(899);
    server.call(&short, "ListUsers", &[]).await.ok();
    pass(900);
    server.call(&short, "ListUsers", &[]).await.refused(403, "ExpiredToken");
    server.call(&session, "ListUsers", &[]).await.ok();
    pass(3600);
    server.call(&session, "ListUsers", &[]).await.refused(403, "ExpiredToken");
}

#[tokio::test]
async fn a_session_ends_with_its_role_and_its_permission_at_once() {
    let server = Server::start().await;
    let (_, session) = server.deploying().await;
    let own = [("RoleName", "Deploy"), ("PolicyName", "own")];
    for _ in 0..10 {
        server.call(&session, "ListUsers", &[]).await.ok();
        server.admin("DeleteRolePolicy", &own).await.ok();
        server.call(&session, "ListUsers", &[]).await.refused(403, "AccessDenied");
        let document = allow("iam:ListUsers");
        server.admin("PutRolePolicy", &[own[0], own[1], ("PolicyDocument", &document)]).await.ok();
    }
    server.call(&session, "ListUsers", &[]).await.ok();
    server.admin("DeleteRolePolicy", &own).await.ok();
    server.admin("DeleteRole", &[("RoleName", "Deploy")]).await.ok();
    server.call(&session, "ListUsers", &[]).await.refused(403, "InvalidClientTokenId");
    // A new role of the same name is another.
    server.admin("CreateUser", &[("UserName", "carl")]).await.ok();
    server.role("Deploy", &trust(&user("carl"), ""), &allow("*")).await;
    server.call(&session, "ListUsers", &[]).await.refused(403, "InvalidClientTokenId");
}

#[tokio::test]
async fn a_token_of_another_session_or_none_or_a_changed_one_is_refused() {
    let server = Server::start().await;
    let (ana, session) = server.deploying().await;
    let other = server.assume(&ana, "Deploy", &[]).await.ok().session();
    let swapped = Session { key: session.key.clone(), token: other.token.clone() };
    server.call(&swapped, "ListUsers", &[]).await.refused(403, "InvalidClientTokenId");
    server.call(&session.key, "ListUsers", &[]).await.refused(403, "InvalidClientTokenId");
    let lent = Session { key: ana, token: session.token.clone() };
    server.call(&lent, "ListUsers", &[]).await.refused(403, "InvalidClientTokenId");
    for at in [0, session.token.len() / 2, session.token.len() - 4] {
        let mut token = session.token.clone().into_bytes();
        token[at] = if token[at] == b'A' { b'B' } else { b'A' };
        let changed = Session { key: session.key.clone(), token: String::from_utf8(token).expect("text") };
        server.call(&changed, "ListUsers", &[]).await.refused(403, "InvalidClientTokenId");
    }
    let wrong = Session { key: Key { id: session.key.id.clone(), secret: "x".repeat(40) }, token: session.token };
    server.call(&wrong, "ListUsers", &[]).await.refused(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn tokens_outlive_a_restart() {
    let server = Server::start().await;
    let (_, session) = server.deploying().await;
    let again = server.again();
    again.call(&session, "ListUsers", &[]).await.ok();
}

#[tokio::test]
async fn session_policies_only_take_away() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    server.role("Deploy", &trust(&user("ana"), ""), &allow("iam:List*")).await;
    let users = allow("iam:ListUsers");
    let more = allow("iam:*");
    let session = server.assume(&ana, "Deploy", &[("Policy", &users)]).await.ok();
    assert!(!session.all("PackedPolicySize").is_empty());
    let session = session.session();
    server.call(&session, "ListUsers", &[]).await.ok();
    let message = server.call(&session, "ListGroups", &[]).await.refused(403, "AccessDenied");
    assert!(message.ends_with("because no session policy allows the iam:ListGroups action"), "{message}");
    let session = server.assume(&ana, "Deploy", &[("Policy", &more)]).await.ok().session();
    server.call(&session, "ListGroups", &[]).await.ok();
    server.call(&session, "CreateUser", &[("UserName", "x")]).await.refused(403, "AccessDenied");

    // By ARN: what the policy says now counts, and without it nothing is left.
    let arn = server.policy("p", &users).await;
    let by_arn = [("PolicyArns.member.1.arn", arn.as_str())];
    let session = server.assume(&ana, "Deploy", &by_arn).await.ok().session();
    server.call(&session, "ListUsers", &[]).await.ok();
    server.call(&session, "ListGroups", &[]).await.refused(403, "AccessDenied");
    let groups = allow("iam:ListGroups");
    let version = [("PolicyArn", arn.as_str()), ("PolicyDocument", &groups), ("SetAsDefault", "true")];
    server.admin("CreatePolicyVersion", &version).await.ok();
    server.call(&session, "ListGroups", &[]).await.ok();
    server.call(&session, "ListUsers", &[]).await.refused(403, "AccessDenied");
    server.admin("DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")]).await.ok();
    server.admin("DeletePolicy", &[("PolicyArn", &arn)]).await.ok();
    server.call(&session, "ListGroups", &[]).await.refused(403, "AccessDenied");
    let missing = server.assume(&ana, "Deploy", &by_arn).await;
    missing.refused(404, "NoSuchEntity");
    let malformed = server.assume(&ana, "Deploy", &[("Policy", "{}")]).await;
    malformed.refused(400, "MalformedPolicyDocument");
}

#[tokio::test]
async fn conditions_on_assuming_hold() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    for (role, condition, given, other) in [
        ("External", r#""sts:ExternalId":"42-x""#, ("ExternalId", "42-x"), ("ExternalId", "43-x")),
        ("Named", r#""sts:RoleSessionName":"${aws:username}""#, ("RoleSessionName", "ana"), ("RoleSessionName", "bob")),
        ("Source", r#""sts:SourceIdentity":"ana""#, ("SourceIdentity", "ana"), ("SourceIdentity", "bob")),
    ] {
        let more = format!(r#","Condition":{{"StringEquals":{{{condition}}}}}"#);
        server.role(role, &trust(&user("ana"), &more), &allow("*")).await;
        let arn = arn_of(role);
        let assume = |pair: (&'static str, &'static str)| {
            let mut parameters = vec![("RoleArn", arn.clone())];
            if pair.0 != "RoleSessionName" {
                parameters.push(("RoleSessionName", "build".to_owned()));
            }
            parameters.push((pair.0, pair.1.to_owned()));
            parameters
        };
        for (pair, allowed) in [(given, true), (other, false)] {
            let parameters = assume(pair);
            let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = server.sts(&ana, "AssumeRole", &parameters).await;
            if allowed {
                answer.ok();
            } else {
                answer.refused(403, "AccessDenied");
            }
        }
    }
    server.assume(&ana, "External", &[]).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn session_tags_are_principal_tags_and_the_transitive_ones_go_on() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let by_team = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ListUsers","sts:*"],"Resource":"*",
        "Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}]}"#;
    server.role("First", &trust(&user("ana"), ""), by_team).await;
    server
        .admin("TagRole", &[("RoleName", "First"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")])
        .await
        .ok();
    server.role("Second", &trust(ACCOUNT, ""), by_team).await;

    let plain = server.assume(&ana, "First", &[]).await.ok().session();
    server.call(&plain, "ListUsers", &[]).await.refused(403, "AccessDenied");
    let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    let tagged = server.assume(&ana, "First", &tag).await.ok().session();
    server.call(&tagged, "ListUsers", &[]).await.ok();
    let second = server.assume(&tagged, "Second", &[]).await.ok().session();
    server.call(&second, "ListUsers", &[]).await.refused(403, "AccessDenied");

    let transitive = [tag[0], tag[1], ("TransitiveTagKeys.member.1", "team")];
    let tagged = server.assume(&ana, "First", &transitive).await.ok().session();
    let second = server.assume(&tagged, "Second", &[]).await.ok().session();
    server.call(&second, "ListUsers", &[]).await.ok();
    let third = server.assume(&second, "Second", &[]).await.ok().session();
    server.call(&third, "ListUsers", &[]).await.ok();
    let over = [tag[0], ("Tags.member.1.Value", "blue")];
    server.assume(&tagged, "Second", &over).await.refused(400, "ValidationError");
    server.assume(&ana, "First", &[("TransitiveTagKeys.member.1", "team")]).await.refused(400, "ValidationError");
}

#[tokio::test]
async fn tagging_a_session_needs_trust_of_its_own() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let only = trust(&user("ana"), "").replace(r#","sts:TagSession","sts:SetSourceIdentity""#, "");
    server.role("Deploy", &only, &allow("*")).await;
    server.assume(&ana, "Deploy", &[]).await.ok();
    let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    let message = server.assume(&ana, "Deploy", &tag).await.refused(403, "AccessDenied");
    assert!(message.contains("sts:TagSession"), "{message}");
    let message = server.assume(&ana, "Deploy", &[("SourceIdentity", "ana")]).await.refused(403, "AccessDenied");
    assert!(message.contains("sts:SetSourceIdentity"), "{message}");
}

#[tokio::test]
async fn a_source_identity_stays_along_the_chain() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    server.role("First", &trust(&user("ana"), ""), &allow("sts:*")).await;
    server.role("Second", &trust(ACCOUNT, ""), &allow("iam:ListUsers")).await;
    let first = server.assume(&ana, "First", &[("SourceIdentity", "ana")]).await.ok();
    assert_eq!(first.text("SourceIdentity"), "ana");
    let first = first.session();
    assert_eq!(server.assume(&first, "Second", &[]).await.ok().text("SourceIdentity"), "ana");
    server.assume(&first, "Second", &[("SourceIdentity", "bob")]).await.refused(400, "ValidationError");
}

#[tokio::test]
async fn durations_have_limits() {
    let server = Server::start().await;
    let (ana, _) = server.deploying().await;
    for seconds in ["899", "43201"] {
        server.assume(&ana, "Deploy", &[("DurationSeconds", seconds)]).await.refused(400, "ValidationError");
    }
    let message = server.assume(&ana, "Deploy", &[("DurationSeconds", "3601")]).await.refused(400, "ValidationError");
    assert_eq!(message, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    server.admin("UpdateRole", &[("RoleName", "Deploy"), ("MaxSessionDuration", "7200")]).await.ok();
    server.assume(&ana, "Deploy", &[("DurationSeconds", "7200")]).await.ok();

    server.role("First", &trust(&user("ana"), ""), &allow("sts:*")).await;
    server.role("Second", &trust(ACCOUNT, ""), &allow("*")).await;
    server.admin("UpdateRole", &[("RoleName", "Second"), ("MaxSessionDuration", "7200")]).await.ok();
    let first = server.assume(&ana, "First", &[]).await.ok().session();
    let message = server.assume(&first, "Second", &[("DurationSeconds", "3601")]).await.refused(400, "ValidationError");
    assert!(message.contains("role chaining"), "{message}");
    server.assume(&first, "Second", &[("DurationSeconds", "3600")]).await.ok();
    for name in ["x", "a/b", "a b", ""] {
        let parameters = [("RoleArn", arn_of("Deploy")), ("RoleSessionName", name.to_owned())];
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        server.sts(&ana, "AssumeRole", &parameters).await.refused(400, "ValidationError");
    }
}

#[tokio::test]
async fn a_roles_last_use_is_known() {
    let server = Server::start().await;
    let (_, session) = server.deploying().await;
    let role = [("RoleName", "Deploy")];
    assert!(server.admin("GetRole", &role).await.ok().all("LastUsedDate").is_empty());
    server.call(&session, "ListUsers", &[]).await.ok();
    for written in [false, true] {
        if written {
            server.iam.flush_last_uses().await.expect("written");
        }
        let shown = server.admin("GetRole", &role).await.ok();
        assert_eq!((shown.text("LastUsedDate"), shown.text("Region")), ("2026-09-21T14:13:20Z", "us-east-1"));
    }
}

#[tokio::test]
async fn a_token_is_as_long_as_was_asked_for_and_still_opens() {
    let server = Server::start().await;
    let ana = server.user_who("ana", &allow("kms:*")).await;
    for (asked, least) in [("0", 100), ("3000", 3000), ("4096", 4096)] {
        let session = server.sts(&ana, "GetSessionToken", &[("MinimumSessionTokenSize", asked)]).await.ok();
        let length = session.text("SessionToken").len();
        assert!((least..least.max(2000) + 8).contains(&length), "{asked}: {length}");
        let _ = server.sts(&session.session(), "GetCallerIdentity", &[]).await.ok();
    }
}

#[tokio::test]
async fn a_users_session_may_what_the_user_may_but_for_iam() {
    let server = Server::start().await;
    let ana = server.user_who("ana", &allow("*")).await;
    server.role("Deploy", &trust(ACCOUNT, ""), &allow("iam:ListUsers")).await;
    let session = server.sts(&ana, "GetSessionToken", &[]).await.ok();
    assert_eq!(session.text("Expiration"), "2026-09-22T02:13:20Z");
    let session = session.session();
    assert_eq!(server.sts(&session, "GetCallerIdentity", &[]).await.ok().text("Arn"), user("ana"));
    server.call(&session, "ListUsers", &[]).await.refused(403, "InvalidClientTokenId");
    let role = server.assume(&session, "Deploy", &[]).await.ok().session();
    server.call(&role, "ListUsers", &[]).await.ok();
    for operation in ["GetSessionToken", "GetFederationToken"] {
        let message = server.sts(&session, operation, &[("Name", "bob")]).await.refused(403, "AccessDenied");
        assert_eq!(message, format!("Cannot call {operation} with session credentials"));
    }
    server
        .sts(&ana, "GetSessionToken", &[("SerialNumber", "arn:aws:iam::1:mfa/x"), ("TokenCode", "123456")])
        .await
        .refused(403, "AccessDenied");
    let root = server.sts(&root_key(&server).await, "GetSessionToken", &[]).await.ok();
    assert_eq!(root.text("Expiration"), "2026-09-21T15:13:20Z");
    let said = server.sts(&root.session(), "GetCallerIdentity", &[]).await.ok();
    assert_eq!(said.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:root"));
}

#[tokio::test]
async fn a_federated_user_may_what_both_the_user_and_the_policy_allow() {
    let server = Server::start().await;
    let ana = server.user_who("ana", &allow("sts:*")).await;
    let bare = server.sts(&ana, "GetFederationToken", &[("Name", "bob")]).await.ok();
    assert_eq!(bare.text("FederatedUserId"), format!("{ACCOUNT}:bob"));
    let about = [("AccessKeyId", ana.id.as_str())];
    let bare = bare.session();
    assert_eq!(
        server.sts(&bare, "GetCallerIdentity", &[]).await.ok().text("Arn"),
        format!("arn:aws:sts::{ACCOUNT}:federated-user/bob")
    );
    server.sts(&bare, "GetAccessKeyInfo", &about).await.refused(403, "AccessDenied");
    let policy = allow("*");
    let limited = server.sts(&ana, "GetFederationToken", &[("Name", "bob"), ("Policy", &policy)]).await.ok().session();
    server.sts(&limited, "GetAccessKeyInfo", &about).await.ok();
    server.call(&limited, "ListUsers", &[]).await.refused(403, "InvalidClientTokenId");
    server.allow("ana", &allow("iam:*")).await;
    server.sts(&limited, "GetAccessKeyInfo", &about).await.refused(403, "AccessDenied");
    server.sts(&ana, "GetFederationToken", &[("Name", "bob")]).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn the_trail_tells_whose_session_it_is_and_never_its_secrets() {
    let server = Server::start().await;
    let (_, session) = server.deploying().await;
    server.call(&session, "ListUsers", &[]).await.ok();
    let trail = server.trail().await;
    assert!(trail.contains(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/build")));
    assert!(trail.contains(r#""type":"AssumedRole""#));
    assert!(!trail.contains(&session.key.secret) && !trail.contains(&session.token));
}

#[tokio::test]
async fn a_session_tag_and_a_transitive_key_count_once_in_whatever_case() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let red = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ListUsers","sts:*"],"Resource":"*",
        "Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}]}"#;
    server.role("First", &trust(&user("ana"), ""), red).await;
    server.role("Second", &trust(ACCOUNT, ""), red).await;
    let twice = [
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "red"),
        ("Tags.member.2.Key", "team"),
        ("Tags.member.2.Value", "red"),
    ];
    let message = server.assume(&ana, "First", &twice).await.refused(400, "InvalidParameterValue");
    assert_eq!(message, "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    let tags = [twice[0], twice[1], ("TransitiveTagKeys.member.1", "team"), ("TransitiveTagKeys.member.2", "TEAM")];
    let first = server.assume(&ana, "First", &tags).await.ok().session();
    let second = server.assume(&first, "Second", &[]).await.ok().session();
    server.call(&second, "ListUsers", &[]).await.ok();
}

//! The account as a whole: its alias, its summary, its reports, its services' roles, its instance profiles.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::{ACCOUNT, Server, allow};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
    "Principal":{"Service":"ec2.amazonaws.com"}}]}"#;

#[tokio::test]
async fn an_account_has_one_alias_and_a_new_one_takes_its_place() {
    let server = Server::start().await;
    server.admin("CreateAccountAlias", &[("AccountAlias", "first-1")]).await.ok();
    server.admin("CreateAccountAlias", &[("AccountAlias", "second")]).await.ok();
    server.admin("CreateAccountAlias", &[("AccountAlias", "second")]).await.refused(409, "EntityAlreadyExists");
    assert_eq!(server.admin("ListAccountAliases", &[]).await.ok().all("member"), ["second"]);
    server.admin("DeleteAccountAlias", &[("AccountAlias", "first-1")]).await.refused(404, "NoSuchEntity");
    server.admin("DeleteAccountAlias", &[("AccountAlias", "second")]).await.ok();
    server.admin("CreateAccountAlias", &[("AccountAlias", "first-1")]).await.ok();
    for alias in ["ab", "-abc", "abc-", "a--b", "Abc", "a_b", "a b"] {
        server.admin("CreateAccountAlias", &[("AccountAlias", alias)]).await.refused(400, "ValidationError");
    }
}

#[tokio::test]
async fn the_summary_counts_what_there_is() {
    let server = Server::start().await;
    server.admin("CreateUser", &[("UserName", "ana")]).await.ok();
    server.policy("p", &allow("s3:*")).await;
    let summary = server.admin("GetAccountSummary", &[]).await.ok();
    for (key, value) in
        [("Users", 2), ("Policies", 1), ("Groups", 0), ("UsersQuota", 5000), ("AccessKeysPerUserQuota", 2)]
    {
        let entry = format!("<entry><key>{key}</key><value>{value}</value></entry>");
        assert!(summary.body.contains(&entry), "{key}: {}", summary.body);
    }
}

#[tokio::test]
async fn the_credential_report_lists_every_user_and_their_keys() {
    let server = Server::start().await;
    server.admin("GetCredentialReport", &[]).await.refused(410, "ReportNotPresent");
    server.user("ana").await;
    server.admin("CreateLoginProfile", &[("UserName", "ana"), ("Password", "First-Secret-1")]).await.ok();
    assert_eq!(server.admin("GenerateCredentialReport", &[]).await.ok().text("State"), "COMPLETE");
    let report = server.admin("GetCredentialReport", &[]).await.ok();
    assert_eq!(report.text("ReportFormat"), "text/csv");
    let csv = String::from_utf8(STANDARD.decode(report.text("Content")).expect("base64")).expect("text");
    let lines: Vec<_> = csv.lines().collect();
    let columns = lines[0].split(',').count();
    assert_eq!((columns, lines.len()), (22, 4), "{csv}");
    assert!(lines.iter().all(|line| line.split(',').count() == columns), "{csv}");
    assert!(lines[1].starts_with(&format!("<root_account>,arn:aws:iam::{ACCOUNT}:root,")), "{csv}");
    let administrator =
        "administrator,arn:aws:iam::111122223333:user/administrator,2026-09-21T14:13:20+00:00,false,N/A";
    assert!(lines[2].starts_with(administrator) && lines[2].contains(",us-east-1,iam,"), "{csv}");
    let ana = "ana,arn:aws:iam::111122223333:user/ana,2026-09-21T14:13:20+00:00,true,no_information,2026-09-21";
    assert!(lines[3].starts_with(ana), "{csv}");
}

#[tokio::test]
async fn a_services_role_is_changed_by_nobody_and_goes_by_its_own_operation() {
    let server = Server::start().await;
    let ecs = ("AWSServiceName", "ecs.amazonaws.com");
    let made = server.admin("CreateServiceLinkedRole", &[ecs]).await.ok();
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS");
    assert_eq!(made.text("Arn"), arn);
    server.admin("CreateServiceLinkedRole", &[ecs]).await.refused(400, "InvalidInput");
    server.admin("CreateServiceLinkedRole", &[ecs, ("CustomSuffix", "x")]).await.refused(400, "InvalidInput");
    let unknown = [("AWSServiceName", "nothing.amazonaws.com")];
    server.admin("CreateServiceLinkedRole", &unknown).await.refused(400, "InvalidInput");

    let role = ("RoleName", "AWSServiceRoleForECS");
    let document = allow("s3:*");
    let read_only = ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    server.admin("CreateInstanceProfile", &[("InstanceProfileName", "p")]).await.ok();
    for (action, parameters) in [
        ("AttachRolePolicy", vec![role, read_only]),
        ("DetachRolePolicy", vec![role, read_only]),
        ("PutRolePolicy", vec![role, ("PolicyName", "p"), ("PolicyDocument", &document)]),
        ("DeleteRolePolicy", vec![role, ("PolicyName", "p")]),
        ("PutRolePermissionsBoundary", vec![role, ("PermissionsBoundary", read_only.1)]),
        ("DeleteRolePermissionsBoundary", vec![role]),
        ("UpdateAssumeRolePolicy", vec![role, ("PolicyDocument", TRUST)]),
        ("UpdateRole", vec![role]),
        ("AddRoleToInstanceProfile", vec![role, ("InstanceProfileName", "p")]),
        ("DeleteRole", vec![role]),
    ] {
        let answer = server.admin(action, &parameters).await;
        assert_eq!(answer.error, Some("UnmodifiableEntity"), "{action}: {}", answer.body);
    }
    let forged = [("RoleName", "x"), ("Path", "/aws-service-role/x/"), ("AssumeRolePolicyDocument", TRUST)];
    server.admin("CreateRole", &forged).await.refused(400, "ValidationError");

    let task = server.admin("DeleteServiceLinkedRole", &[role]).await.ok().text("DeletionTaskId").to_owned();
    let status = server.admin("GetServiceLinkedRoleDeletionStatus", &[("DeletionTaskId", &task)]).await.ok();
    assert_eq!(status.text("Status"), "SUCCEEDED");
    server.admin("GetRole", &[role]).await.refused(404, "NoSuchEntity");
    let made_up = [("DeletionTaskId", "task/made-up")];
    server.admin("GetServiceLinkedRoleDeletionStatus", &made_up).await.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn an_instance_profile_holds_one_role_and_keeps_it_from_deletion() {
    let server = Server::start().await;
    let (profile, role) = (("InstanceProfileName", "web"), ("RoleName", "app"));
    let tagged = [profile, ("Path", "/a/"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
    let made = server.admin("CreateInstanceProfile", &tagged).await.ok();
    assert_eq!(made.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:instance-profile/a/web"));
    assert!(made.text("InstanceProfileId").starts_with("AIPA"));
    let message = server.admin("CreateInstanceProfile", &[profile]).await.refused(409, "EntityAlreadyExists");
    assert_eq!(message, "Instance Profile web already exists.");
    server.admin("CreateRole", &[role, ("AssumeRolePolicyDocument", TRUST)]).await.ok();
    server.admin("AddRoleToInstanceProfile", &[profile, role]).await.ok();
    server.admin("AddRoleToInstanceProfile", &[profile, role]).await.refused(409, "LimitExceeded");
    let shown = server.admin("GetInstanceProfile", &[profile]).await.ok();
    assert_eq!((shown.text("RoleName"), shown.text("Key")), ("app", "team"));
    assert_eq!(server.admin("ListInstanceProfiles", &[("PathPrefix", "/a/")]).await.ok().text("RoleName"), "app");
    let of_role = server.admin("ListInstanceProfilesForRole", &[role]).await.ok();
    assert_eq!(of_role.text("InstanceProfileName"), "web");
    for (action, parameter) in [("DeleteRole", role), ("DeleteInstanceProfile", profile)] {
        let message = server.admin(action, &[parameter]).await.refused(409, "DeleteConflict");
        assert_eq!(message, "Cannot delete entity, must remove roles from instance profile first.");
    }
    // Whoever hands out a role must be allowed to pass it.
    let ana = server.user_who("ana", &allow("iam:AddRoleToInstanceProfile")).await;
    let message = server.call(&ana, "AddRoleToInstanceProfile", &[profile, role]).await.refused(403, "AccessDenied");
    assert!(message.contains("iam:PassRole on resource: role app"), "{message}");
    server.admin("RemoveRoleFromInstanceProfile", &[profile, role]).await.ok();
    server.admin("RemoveRoleFromInstanceProfile", &[profile, role]).await.refused(404, "NoSuchEntity");
    server.admin("DeleteRole", &[role]).await.ok();
    server.admin("DeleteInstanceProfile", &[profile]).await.ok();
    let message = server.admin("GetInstanceProfile", &[profile]).await.refused(404, "NoSuchEntity");
    assert_eq!(message, "Instance Profile web cannot be found.");
}

//! Reports on an account: everything in it, which policies give access to what, and who used it.

use super::server::{ACCOUNT, Answer, Server, allow, document, pass};

#[tokio::test]
async fn authorization_details_show_everything_page_by_page() {
    let server = Server::start().await;
    server.admin("CreateGroup", &[("GroupName", "readers")]).await.ok();
    let read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    server.admin("AttachGroupPolicy", &[("GroupName", "readers"), ("PolicyArn", read_only)]).await.ok();
    server
        .admin("CreateUser", &[("UserName", "ana"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")])
        .await
        .ok();
    server.admin("AddUserToGroup", &[("GroupName", "readers"), ("UserName", "ana")]).await.ok();
    server.allow("ana", &allow("kms:*")).await;
    let own = server.policy("own", &allow("s3:*")).await;
    server.admin("PutUserPermissionsBoundary", &[("UserName", "ana"), ("PermissionsBoundary", &own)]).await.ok();
    let more = [("PolicyArn", own.as_str()), ("PolicyDocument", &allow("iam:*")), ("SetAsDefault", "true")];
    server.admin("CreatePolicyVersion", &more).await.ok();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    server.admin("CreateRole", &[("RoleName", "machine"), ("AssumeRolePolicyDocument", &trust)]).await.ok();
    server.admin("CreateInstanceProfile", &[("InstanceProfileName", "profile")]).await.ok();
    let both = [("InstanceProfileName", "profile"), ("RoleName", "machine")];
    server.admin("AddRoleToInstanceProfile", &both).await.ok();

    let whole = server.admin("GetAccountAuthorizationDetails", &[]).await.ok();
    let mut names = whole.all("UserName");
    names.sort_unstable();
    assert_eq!(names, ["administrator", "ana"]);
    assert_eq!(whole.all("GroupName"), ["readers"]);
    assert_eq!(whole.text("InstanceProfileName"), "profile");
    // AWS-managed policies are there if they are in use.
    let mut arns: Vec<_> = whole.all("Arn").into_iter().filter(|arn| arn.contains(":policy/")).collect();
    arns.sort_unstable();
    assert_eq!(arns, [own.as_str(), "arn:aws:iam::aws:policy/AdministratorAccess", read_only]);
    assert_eq!(whole.text("PermissionsBoundaryArn"), own);
    assert_eq!(whole.all("VersionId").iter().filter(|version| **version == "v2").count(), 1);
    assert!(whole.body.contains("<Key>team</Key>") && whole.body.contains("%22kms%3A%2A%22"), "{}", whole.body);
    assert_eq!(whole.text("IsTruncated"), "false");

    // One by one, every part is the same as in one go.
    let (mut marker, mut found) = (None::<String>, Vec::new());
    for _ in 0..20 {
        let mut parameters = vec![("MaxItems", "1")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = server.admin("GetAccountAuthorizationDetails", &parameters).await.ok();
        let ids: Vec<_> =
            ["UserId", "GroupId", "PolicyId"].iter().flat_map(|name| page.all(name)).map(str::to_owned).collect();
        assert!(ids.len() <= 1, "{}", page.body);
        found.extend(ids);
        marker = page.all("Marker").first().map(|marker| (*marker).to_owned());
        assert_eq!(page.text("IsTruncated"), if marker.is_some() { "true" } else { "false" });
        if marker.is_none() {
            break;
        }
    }
    let expected = ["UserId", "GroupId", "PolicyId"].iter().flat_map(|name| whole.all(name)).collect::<Vec<_>>();
    assert_eq!(found.len(), 6, "two users, a group, three policies: {found:?}");
    assert_eq!(found, expected);
    let filtered = server.admin("GetAccountAuthorizationDetails", &[("Filter.member.1", "Role")]).await.ok();
    assert_eq!((filtered.all("UserName").len(), filtered.all("PolicyId").len()), (0, 0));
    assert!(filtered.all("RoleName").contains(&"machine"));
    let bad = server.admin("GetAccountAuthorizationDetails", &[("Marker", "xyz")]).await;
    bad.refused(400, "ValidationError");
}

#[tokio::test]
async fn policies_that_grant_access_to_a_service_are_listed_wherever_they_come_from() {
    let server = Server::start().await;
    server.user_who("ana", &allow("kms:Decrypt")).await;
    let own = server.policy("own", &document("Allow", "s3:*", "*")).await;
    server.admin("AttachUserPolicy", &[("UserName", "ana"), ("PolicyArn", &own)]).await.ok();
    server.admin("CreateGroup", &[("GroupName", "all")]).await.ok();
    let put = [("GroupName", "all"), ("PolicyName", "everything"), ("PolicyDocument", &allow("*"))];
    server.admin("PutGroupPolicy", &put).await.ok();
    server.admin("AddUserToGroup", &[("GroupName", "all"), ("UserName", "ana")]).await.ok();
    let ana = format!("arn:aws:iam::{ACCOUNT}:user/ana");
    let ask = [("Arn", ana.as_str()), ("ServiceNamespaces.member.1", "kms"), ("ServiceNamespaces.member.2", "s3")];
    let listed = server.admin("ListPoliciesGrantingServiceAccess", &ask).await.ok();
    assert_eq!(listed.all("ServiceNamespace"), ["kms", "s3"]);
    assert_eq!(listed.all("PolicyName"), ["own", "everything", "own", "everything"]);
    assert_eq!(listed.all("PolicyType"), ["INLINE", "INLINE", "MANAGED", "INLINE"]);
    assert_eq!(listed.all("EntityName"), ["ana", "all", "all"]);
    assert_eq!(listed.all("EntityType"), ["USER", "GROUP", "GROUP"]);
    assert_eq!(listed.all("PolicyArn"), [own.as_str()]);
    let none = format!("arn:aws:iam::{ACCOUNT}:user/none");
    let ask = [("Arn", none.as_str()), ("ServiceNamespaces.member.1", "kms")];
    server.admin("ListPoliciesGrantingServiceAccess", &ask).await.refused(404, "NoSuchEntity");
    let ask = [("Arn", own.as_str()), ("ServiceNamespaces.member.1", "kms")];
    server.admin("ListPoliciesGrantingServiceAccess", &ask).await.refused(400, "InvalidInput");
}

/// A report on an ARN.
async fn report(server: &Server, arn: &str) -> (String, Answer) {
    let ask = [("Arn", arn), ("Granularity", "ACTION_LEVEL")];
    let job = server.admin("GenerateServiceLastAccessedDetails", &ask).await.ok().text("JobId").to_owned();
    let report = server.admin("GetServiceLastAccessedDetails", &[("JobId", &job)]).await.ok();
    assert_eq!((report.text("JobStatus"), report.text("JobType")), ("COMPLETED", "ACTION_LEVEL"));
    (job, report)
}

#[tokio::test]
async fn last_access_tells_who_asked_for_what_and_when() {
    let server = Server::start().await;
    let ana = server.user_who("ana", &allow("iam:List*")).await;
    server.user_who("bob", &allow("kms:*")).await;
    let everyone = server.policy("everyone", &document("Deny", "kms:*", "*").replace("\"Deny\"", "\"Allow\"")).await;
    for name in ["ana", "bob"] {
        server.admin("AttachUserPolicy", &[("UserName", name), ("PolicyArn", &everyone)]).await.ok();
    }
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/ana");
    // Nothing yet: what she may use is listed all the same.
    let (_, before) = report(&server, &arn).await;
    assert_eq!(before.all("ServiceNamespace"), ["iam", "kms"]);
    assert!(before.all("LastAuthenticated").is_empty(), "{}", before.body);
    server.call(&ana, "ListUsers", &[]).await.ok();
    pass(120);
    server.call(&ana, "ListGroups", &[]).await.ok();
    // Asking counts, even in vain.
    server.call(&ana, "DeleteUser", &[("UserName", "bob")]).await.refused(403, "AccessDenied");
    let (job, after) = report(&server, &arn).await;
    assert_eq!(after.all("ActionName"), ["DeleteUser", "ListGroups", "ListUsers"]);
    assert_eq!(after.all("LastAccessedTime"), ["2026-09-21T14:15:20Z", "2026-09-21T14:15:20Z", "2026-09-21T14:13:20Z"]);
    assert_eq!(after.text("LastAuthenticated"), "2026-09-21T14:15:20Z");
    assert_eq!(after.text("LastAuthenticatedEntity"), arn);
    assert_eq!(after.text("LastAuthenticatedRegion"), "us-east-1");
    assert_eq!(after.text("TotalAuthenticatedEntities"), "1");
    let ask = [("JobId", job.as_str()), ("ServiceNamespace", "iam")];
    let entities = server.admin("GetServiceLastAccessedDetailsWithEntities", &ask).await.ok();
    assert_eq!((entities.text("Arn"), entities.text("Type")), (arn.as_str(), "USER"));
    assert_eq!(entities.text("LastAuthenticated"), "2026-09-21T14:15:20Z");
    let ask = [("JobId", job.as_str()), ("ServiceNamespace", "s3")];
    server.admin("GetServiceLastAccessedDetailsWithEntities", &ask).await.refused(400, "InvalidInput");

    // A policy's report is about all who have it, the latest first; nobody has used it yet.
    let (job, policy) = report(&server, &everyone).await;
    assert_eq!(policy.all("ServiceNamespace"), ["kms"]);
    let ask = [("JobId", job.as_str()), ("ServiceNamespace", "kms")];
    let entities = server.admin("GetServiceLastAccessedDetailsWithEntities", &ask).await.ok();
    let mut names = entities.all("Name");
    names.sort_unstable();
    assert_eq!(names, ["ana", "bob"]);
    // Another account's administrator finds no such report, and neither does a restarted server.
    let server = server.again();
    server.admin("GetServiceLastAccessedDetails", &[("JobId", &job)]).await.refused(404, "NoSuchEntity");
    let (_, again) = report(&server, &arn).await;
    assert_eq!(again.all("ActionName").len(), 3, "uses were written: {}", again.body);
}

#[tokio::test]
async fn a_session_is_its_roles_use_and_a_deleted_user_leaves_nothing() {
    let server = Server::start().await;
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    server.admin("CreateRole", &[("RoleName", "worker"), ("AssumeRolePolicyDocument", &trust)]).await.ok();
    let put = [("RoleName", "worker"), ("PolicyName", "own"), ("PolicyDocument", &allow("iam:*"))];
    server.admin("PutRolePolicy", &put).await.ok();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/worker");
    let session =
        server.sts(&server.admin, "AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "shift")]).await.ok();
    server.call(&session.session(), "ListRoles", &[]).await.ok();
    let (_, report_of_role) = report(&server, &role).await;
    assert_eq!(report_of_role.all("ActionName"), ["ListRoles"]);
    assert_eq!(report_of_role.text("LastAuthenticatedEntity"), role);

    let ana = server.user_who("ana", &allow("iam:*")).await;
    server.call(&ana, "ListUsers", &[]).await.ok();
    server.iam.flush_last_uses().await.expect("written");
    server.admin("DeleteAccessKey", &[("UserName", "ana"), ("AccessKeyId", &ana.id)]).await.ok();
    server.admin("DeleteUserPolicy", &[("UserName", "ana"), ("PolicyName", "own")]).await.ok();
    server.admin("DeleteUser", &[("UserName", "ana")]).await.ok();
    server.user_who("ana", &allow("iam:*")).await;
    let (_, anew) = report(&server, &format!("arn:aws:iam::{ACCOUNT}:user/ana")).await;
    assert!(anew.all("ActionName").is_empty(), "{}", anew.body);
}

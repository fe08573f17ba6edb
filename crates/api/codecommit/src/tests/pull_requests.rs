//! Pull requests: opened, listed, changed, followed as their branches move, approved.

use super::*;

/// A repository with `main` and `topic`, which has one commit more. Returns the tips.
pub(super) async fn branches(world: &World) -> (String, String) {
    world.repository("first").await;
    let main = world.put("main", None, "a", "a\n").await;
    world.branch("topic", &main).await;
    let topic = world.put("topic", Some(&main), "b", "b\n").await;
    (main, topic)
}

/// Opens a pull request from `topic` into `main` as `ana`.
pub(super) async fn opened(world: &World) -> Value {
    let targets = json!([{"repositoryName": "first", "sourceReference": "topic"}]);
    let input = json!({"title": "Title", "description": "Words", "targets": targets});
    world.done("ana", "CreatePullRequest", input).await["pullRequest"].take()
}

async fn found(world: &World, id: &Value) -> Value {
    world.done("reader", "GetPullRequest", json!({"pullRequestId": id})).await["pullRequest"].take()
}

async fn events(world: &World, id: &Value) -> Vec<String> {
    let input = json!({"pullRequestId": id});
    world.user("events", ACCOUNT, &[allow(&json!("codecommit:*"), "*")]);
    let found = world.done("events", "DescribePullRequestEvents", input).await;
    let list = found["pullRequestEvents"].as_array().expect("a list");
    list.iter().map(|event| text(&event["pullRequestEventType"]).replace("PULL_REQUEST_", "")).collect()
}

#[tokio::test]
async fn a_pull_request_is_opened_with_its_commits_and_numbered() {
    let world = World::new();
    let (main, topic) = branches(&world).await;
    let one = opened(&world).await;
    assert_eq!(one["pullRequestId"], "1");
    assert_eq!(one["authorArn"], user_arn(ACCOUNT, "ana"));
    assert_eq!((&one["title"], &one["description"]), (&json!("Title"), &json!("Words")));
    assert_eq!(
        one["pullRequestTargets"],
        json!([{
            "repositoryName": "first", "sourceReference": "refs/heads/topic", "destinationReference": "refs/heads/main",
            "destinationCommit": main, "sourceCommit": topic, "mergeBase": main, "mergeMetadata": {"isMerged": false},
        }])
    );
    assert_eq!(found(&world, &one["pullRequestId"]).await, one);
    assert_eq!(opened(&world).await["pullRequestId"], "2");
    let list = |extra: Value| {
        let mut input = json!({"repositoryName": "first"});
        input.as_object_mut().expect("a map").extend(extra.as_object().expect("a map").clone());
        input
    };
    let listed = world.done("reader", "ListPullRequests", list(json!({}))).await;
    assert_eq!(listed, json!({"pullRequestIds": ["2", "1"]}));
    let first = world.done("reader", "ListPullRequests", list(json!({"maxResults": 1}))).await;
    let next = list(json!({"nextToken": first["nextToken"]}));
    assert_eq!(world.done("reader", "ListPullRequests", next).await, json!({"pullRequestIds": ["1"]}));
    let closed = json!({"pullRequestId": "1", "pullRequestStatus": "CLOSED"});
    world.done("admin", "UpdatePullRequestStatus", closed).await;
    for (extra, ids) in [
        (json!({"pullRequestStatus": "OPEN"}), json!(["2"])),
        (json!({"pullRequestStatus": "CLOSED"}), json!(["1"])),
        (json!({"authorArn": user_arn(ACCOUNT, "ana")}), json!(["2", "1"])),
        (json!({"authorArn": user_arn(ACCOUNT, "bob")}), json!([])),
    ] {
        assert_eq!(world.done("reader", "ListPullRequests", list(extra)).await["pullRequestIds"], ids);
    }
    for (extra, code) in [
        (json!({"authorArn": "ana"}), "InvalidAuthorArn"),
        (json!({"pullRequestStatus": "x"}), "InvalidPullRequestStatus"),
        (json!({"nextToken": "x"}), "InvalidContinuationToken"),
        (json!({"maxResults": 0}), "InvalidMaxResults"),
    ] {
        assert_eq!(world.refused("admin", "ListPullRequests", list(extra)).await, code);
    }
}

#[tokio::test]
async fn a_pull_request_is_refused_as_aws_refuses_it() {
    let world = World::new();
    let (main, _) = branches(&world).await;
    let target = |source: &str, destination: &str| json!([{"repositoryName": "first", "sourceReference": source, "destinationReference": destination}]);
    for (title, targets, code) in [
        ("t", json!([]), "TargetsRequired"),
        ("t", Value::Null, "TargetsRequired"),
        ("t", json!([target("topic", "main")[0], target("main", "topic")[0]]), "MultipleRepositoriesInPullRequest"),
        ("t", json!([{"sourceReference": "topic"}]), "RepositoryNameRequired"),
        ("t", json!([{"repositoryName": "none", "sourceReference": "topic"}]), "RepositoryDoesNotExist"),
        ("t", json!([{"repositoryName": "first"}]), "ReferenceNameRequired"),
        ("t", target("main", "main"), "SourceAndDestinationAreSame"),
        ("t", target("none", "main"), "ReferenceDoesNotExist"),
        ("t", target("topic", "none"), "ReferenceDoesNotExist"),
        ("t", target("a..b", "main"), "InvalidReferenceName"),
        ("t", target("refs/tags/v1", "main"), "ReferenceTypeNotSupported"),
        ("", target("topic", "main"), "TitleRequired"),
        (&"t".repeat(151), target("topic", "main"), "InvalidTitle"),
    ] {
        let input = json!({"title": title, "targets": targets});
        assert_eq!(world.refused("ana", "CreatePullRequest", input).await, code, "{title} {targets}");
    }
    let missing = json!({"targets": target("topic", "main")});
    assert_eq!(world.refused("ana", "CreatePullRequest", missing).await, "TitleRequired");
    for (id, code) in [("1", "PullRequestDoesNotExist"), ("x", "InvalidPullRequestId"), ("", "InvalidPullRequestId")] {
        assert_eq!(world.refused("admin", "GetPullRequest", json!({"pullRequestId": id})).await, code);
    }
    assert_eq!(world.refused("admin", "GetPullRequest", json!({})).await, "PullRequestIdRequired");
    // The same request again is answered as the first one was.
    let input = |title: &str| json!({"title": title, "targets": target("topic", "main"), "clientRequestToken": "once"});
    let one = world.done("ana", "CreatePullRequest", input("t")).await;
    assert_eq!(world.done("ana", "CreatePullRequest", input("t")).await, one);
    assert_eq!(world.refused("ana", "CreatePullRequest", input("u")).await, "IdempotencyParameterMismatch");
    let other = world.done("admin", "CreatePullRequest", input("u")).await;
    assert_eq!(other["pullRequest"]["pullRequestId"], "2");
    // A stranger cannot tell one from none.
    let seen = |id: &'static str| world.call("nobody", "GetPullRequest", json!({"pullRequestId": id}));
    let (there, none) = (seen("1").await.expect_err("refused"), seen("9").await.expect_err("refused"));
    assert_eq!(there.replace("request 1", "request 9"), none);
    assert!(!there.contains("first"), "{there}");
    let _ = main;
}

#[tokio::test]
async fn titles_and_descriptions_change_while_it_is_open() {
    let world = World::new();
    branches(&world).await;
    let id = opened(&world).await["pullRequestId"].clone();
    let title = json!({"pullRequestId": id, "title": "Other"});
    let changed = world.done("admin", "UpdatePullRequestTitle", title.clone()).await;
    assert_eq!(changed["pullRequest"]["title"], "Other");
    let empty = json!({"pullRequestId": id, "title": " "});
    assert_eq!(world.refused("admin", "UpdatePullRequestTitle", empty).await, "TitleRequired");
    let description = json!({"pullRequestId": id, "description": ""});
    let changed = world.done("admin", "UpdatePullRequestDescription", description.clone()).await;
    assert!(changed["pullRequest"].get("description").is_none());
    let status = |status: &str| json!({"pullRequestId": id, "pullRequestStatus": status});
    world.done("admin", "UpdatePullRequestStatus", status("OPEN")).await;
    world.done("admin", "UpdatePullRequestStatus", status("CLOSED")).await;
    world.done("admin", "UpdatePullRequestStatus", status("CLOSED")).await;
    assert_eq!(
        world.refused("admin", "UpdatePullRequestStatus", status("OPEN")).await,
        "InvalidPullRequestStatusUpdate"
    );
    assert_eq!(world.refused("admin", "UpdatePullRequestStatus", status("x")).await, "InvalidPullRequestStatus");
    assert_eq!(world.refused("admin", "UpdatePullRequestTitle", title).await, "PullRequestAlreadyClosed");
    assert_eq!(world.refused("admin", "UpdatePullRequestDescription", description).await, "PullRequestAlreadyClosed");
    assert_eq!(events(&world, &id).await, ["CREATED", "STATUS_CHANGED"]);
}

#[tokio::test]
async fn a_push_to_the_source_begins_a_revision_and_voids_approvals() {
    let world = World::new();
    let (_, topic) = branches(&world).await;
    let one = opened(&world).await;
    let id = one["pullRequestId"].clone();
    let approve = |revision: &Value| json!({"pullRequestId": id, "revisionId": revision, "approvalState": "APPROVE"});
    world.done("admin", "UpdatePullRequestApprovalState", approve(&one["revisionId"])).await;
    let tip = world.put("topic", Some(&topic), "c", "c").await;
    let two = found(&world, &id).await;
    assert_ne!(two["revisionId"], one["revisionId"]);
    assert_eq!(two["pullRequestTargets"][0]["sourceCommit"], tip);
    let states = json!({"pullRequestId": id, "revisionId": two["revisionId"]});
    assert_eq!(world.done("reader", "GetPullRequestApprovalStates", states).await, json!({"approvals": []}));
    assert_eq!(
        world.refused("admin", "UpdatePullRequestApprovalState", approve(&one["revisionId"])).await,
        "RevisionNotCurrent"
    );
    assert_eq!(events(&world, &id).await, ["CREATED", "APPROVAL_STATE_CHANGED", "SOURCE_REFERENCE_UPDATED"]);
    let only = json!({"pullRequestId": id, "pullRequestEventType": "PULL_REQUEST_SOURCE_REFERENCE_UPDATED"});
    let only = world.done("events", "DescribePullRequestEvents", only).await;
    let metadata = &only["pullRequestEvents"][0]["pullRequestSourceReferenceUpdatedEventMetadata"];
    assert_eq!((&metadata["beforeCommitId"], &metadata["afterCommitId"]), (&json!(topic), &json!(tip)));
    let page = world.done("events", "DescribePullRequestEvents", json!({"pullRequestId": id, "maxResults": 2})).await;
    let rest = json!({"pullRequestId": id, "nextToken": page["nextToken"]});
    let rest = world.done("events", "DescribePullRequestEvents", rest).await;
    assert_eq!(rest["pullRequestEvents"].as_array().expect("a list").len(), 1);
    for (extra, code) in [
        (json!({"actorArn": "x"}), "InvalidActorArn"),
        (json!({"pullRequestEventType": "x"}), "InvalidPullRequestEventType"),
        (json!({"nextToken": "x"}), "InvalidContinuationToken"),
    ] {
        let mut input = json!({"pullRequestId": id});
        input.as_object_mut().expect("a map").extend(extra.as_object().expect("a map").clone());
        assert_eq!(world.refused("admin", "DescribePullRequestEvents", input).await, code);
    }
}

#[tokio::test]
async fn a_branch_that_goes_closes_its_pull_requests() {
    let world = World::new();
    branches(&world).await;
    let id = opened(&world).await["pullRequestId"].clone();
    world.done("admin", "DeleteBranch", json!({"repositoryName": "first", "branchName": "topic"})).await;
    let closed = found(&world, &id).await;
    assert_eq!(closed["pullRequestStatus"], "CLOSED");
    assert_eq!(closed["pullRequestTargets"][0]["mergeMetadata"]["isMerged"], false);
    assert_eq!(events(&world, &id).await, ["CREATED", "STATUS_CHANGED"]);
}

const ONE: &str = r#"{"Version":"2018-11-08","Statements":[{"Type":"Approvers","NumberOfApprovalsNeeded":1,"ApprovalPoolMembers":["CodeCommitApprovers:111122223333:admin"]}]}"#;

#[tokio::test]
async fn rules_are_made_changed_and_deleted_and_those_of_templates_are_not() {
    let world = World::new();
    branches(&world).await;
    let template =
        json!({"approvalRuleTemplateName": "template", "approvalRuleTemplateContent": super::templates::CONTENT});
    world.done("admin", "CreateApprovalRuleTemplate", template).await;
    let both = json!({"approvalRuleTemplateName": "template", "repositoryName": "first"});
    world.done("admin", "AssociateApprovalRuleTemplateWithRepository", both).await;
    let one = opened(&world).await;
    let id = one["pullRequestId"].clone();
    assert_eq!(one["approvalRules"][0]["approvalRuleName"], "template");
    assert_eq!(one["approvalRules"][0]["originApprovalRuleTemplate"]["approvalRuleTemplateName"], "template");
    assert!(!text(&one["approvalRules"][0]["approvalRuleContent"]).contains("DestinationReferences"));
    let rule = |name: &str| json!({"pullRequestId": id, "approvalRuleName": name, "approvalRuleContent": ONE});
    let made = world.done("admin", "CreatePullRequestApprovalRule", rule("rule")).await["approvalRule"].take();
    let change = |name: &str, content: &str, sha: Value| {
        json!({
            "pullRequestId": id, "approvalRuleName": name, "newRuleContent": content, "existingRuleContentSha256": sha,
        })
    };
    let update = "UpdatePullRequestApprovalRuleContent";
    for (operation, input, code) in [
        ("CreatePullRequestApprovalRule", rule("rule"), "ApprovalRuleNameAlreadyExists"),
        ("CreatePullRequestApprovalRule", rule(""), "InvalidApprovalRuleName"),
        (
            "CreatePullRequestApprovalRule",
            json!({"pullRequestId": id, "approvalRuleName": "x", "approvalRuleContent": "{}"}),
            "InvalidApprovalRuleContent",
        ),
        (update, change("none", ONE, Value::Null), "ApprovalRuleDoesNotExist"),
        (update, change("template", ONE, Value::Null), "CannotModifyApprovalRuleFromTemplate"),
        (update, change("rule", ONE, json!("0")), "InvalidRuleContentSha256"),
        (update, change("rule", "x", Value::Null), "InvalidApprovalRuleContent"),
        (
            "DeletePullRequestApprovalRule",
            json!({"pullRequestId": id, "approvalRuleName": "template"}),
            "CannotDeleteApprovalRuleFromTemplate",
        ),
    ] {
        assert_eq!(world.refused("admin", operation, input.clone()).await, code, "{operation} {input}");
    }
    world.done("admin", update, change("rule", &ONE.replace("admin", "bob"), made["ruleContentSha256"].clone())).await;
    let delete = json!({"pullRequestId": id, "approvalRuleName": "rule"});
    let gone = world.done("admin", "DeletePullRequestApprovalRule", delete).await;
    assert_eq!(gone["approvalRuleId"], made["approvalRuleId"]);
    let expected =
        ["CREATED", "APPROVAL_RULE_CREATED", "APPROVAL_RULE_CREATED", "APPROVAL_RULE_UPDATED", "APPROVAL_RULE_DELETED"];
    assert_eq!(events(&world, &id).await, expected);
    for number in 0..30 {
        let added = world.call("admin", "CreatePullRequestApprovalRule", rule(&format!("r{number}"))).await;
        assert_eq!(added.is_ok(), number < 29, "{number}");
    }
}

#[tokio::test]
async fn rules_are_satisfied_by_those_they_name_or_set_aside() {
    let world = World::new();
    branches(&world).await;
    let one = opened(&world).await;
    let (id, revision) = (one["pullRequestId"].clone(), one["revisionId"].clone());
    let rule = json!({"pullRequestId": id, "approvalRuleName": "rule", "approvalRuleContent": ONE});
    world.done("admin", "CreatePullRequestApprovalRule", rule).await;
    let at = json!({"pullRequestId": id, "revisionId": revision});
    let evaluate = || world.done("reader-evaluates", "EvaluatePullRequestApprovalRules", at.clone());
    world.user("reader-evaluates", ACCOUNT, &[allow(&json!("codecommit:Evaluate*"), "*")]);
    world.user("bob", ACCOUNT, &[allow(&json!("codecommit:*"), "*")]);
    let state = |state: &str| json!({"pullRequestId": id, "revisionId": revision, "approvalState": state});
    let update = "UpdatePullRequestApprovalState";
    assert_eq!(evaluate().await["evaluation"]["approvalRulesNotSatisfied"], json!(["rule"]));
    assert_eq!(world.refused("ana", update, state("APPROVE")).await, "PullRequestCannotBeApprovedByAuthor");
    assert_eq!(world.refused("admin", update, state("x")).await, "InvalidApprovalState");
    world.done("bob", update, state("APPROVE")).await;
    assert_eq!(evaluate().await["evaluation"]["approved"], false);
    world.done("admin", update, state("APPROVE")).await;
    assert_eq!(
        evaluate().await["evaluation"],
        json!({
            "approved": true, "overridden": false, "approvalRulesSatisfied": ["rule"], "approvalRulesNotSatisfied": [],
        })
    );
    let states = world.done("reader", "GetPullRequestApprovalStates", at.clone()).await;
    assert_eq!(states["approvals"].as_array().expect("a list").len(), 2);
    world.done("admin", update, state("REVOKE")).await;
    assert_eq!(evaluate().await["evaluation"]["approved"], false);

    let set = |status: &str| json!({"pullRequestId": id, "revisionId": revision, "overrideStatus": status});
    let operation = "OverridePullRequestApprovalRules";
    world.done("admin", operation, set("REVOKE")).await;
    world.done("admin", operation, set("OVERRIDE")).await;
    assert_eq!(world.refused("admin", operation, set("OVERRIDE")).await, "OverrideAlreadySet");
    assert_eq!(evaluate().await["evaluation"]["approved"], true);
    let overridden = world.done("reader", "GetPullRequestOverrideState", at.clone()).await;
    assert_eq!(overridden, json!({"overridden": true, "overrider": user_arn(ACCOUNT, "admin")}));
    world.done("admin", operation, set("REVOKE")).await;
    let overridden = world.done("reader", "GetPullRequestOverrideState", at).await;
    assert_eq!(overridden, json!({"overridden": false}));
    let stale = json!({"pullRequestId": id, "revisionId": "0"});
    for (operation, code) in [
        ("EvaluatePullRequestApprovalRules", "RevisionNotCurrent"),
        ("GetPullRequestApprovalStates", "InvalidRevisionId"),
        ("GetPullRequestOverrideState", "InvalidRevisionId"),
    ] {
        assert_eq!(world.refused("admin", operation, stale.clone()).await, code);
    }
    world.done("admin", "UpdatePullRequestStatus", json!({"pullRequestId": id, "pullRequestStatus": "CLOSED"})).await;
    assert_eq!(world.refused("admin", update, state("APPROVE")).await, "PullRequestAlreadyClosed");
    assert_eq!(world.refused("admin", operation, set("OVERRIDE")).await, "PullRequestAlreadyClosed");
}

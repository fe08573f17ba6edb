//! Approval-rule templates and the repositories that they are for.

use super::*;

pub(super) const CONTENT: &str = r#"{"Version":"2018-11-08","DestinationReferences":["refs/heads/main"],"Statements":[{"Type":"Approvers","NumberOfApprovalsNeeded":1}]}"#;

fn template(name: &str) -> Value {
    json!({"approvalRuleTemplateName": name, "approvalRuleTemplateContent": CONTENT})
}

#[tokio::test]
async fn a_template_is_made_changed_renamed_and_deleted() {
    let world = World::new();
    let mut input = template("one");
    input["approvalRuleTemplateDescription"] = json!("d");
    let made = world.done("admin", "CreateApprovalRuleTemplate", input.clone()).await["approvalRuleTemplate"].take();
    assert_eq!(made["approvalRuleTemplateContent"], CONTENT);
    assert_eq!(made["lastModifiedUser"], user_arn(ACCOUNT, "admin"));
    assert_eq!(
        world.refused("admin", "CreateApprovalRuleTemplate", input).await,
        "ApprovalRuleTemplateNameAlreadyExists"
    );
    let name = json!({"approvalRuleTemplateName": "one"});
    let found = world.done("reader", "GetApprovalRuleTemplate", name.clone()).await;
    assert_eq!(found["approvalRuleTemplate"], made);

    let other = CONTENT.replace('1', "2").replace("2028-22-08", "2018-11-08");
    let change = |sha: Value| json!({"approvalRuleTemplateName": "one", "newRuleContent": other, "existingRuleContentSha256": sha});
    let operation = "UpdateApprovalRuleTemplateContent";
    assert_eq!(world.refused("admin", operation, change(json!("0"))).await, "InvalidRuleContentSha256");
    let changed = world.done("ana", operation, change(made["ruleContentSha256"].clone())).await;
    assert_eq!(changed["approvalRuleTemplate"]["lastModifiedUser"], user_arn(ACCOUNT, "ana"));
    assert_eq!(changed["approvalRuleTemplate"]["approvalRuleTemplateContent"], other);
    let bad = json!({"approvalRuleTemplateName": "one", "newRuleContent": "{}"});
    assert_eq!(world.refused("admin", operation, bad).await, "InvalidApprovalRuleTemplateContent");

    let describe = json!({"approvalRuleTemplateName": "one", "approvalRuleTemplateDescription": ""});
    let described = world.done("admin", "UpdateApprovalRuleTemplateDescription", describe).await;
    assert!(described["approvalRuleTemplate"].get("approvalRuleTemplateDescription").is_none());

    world.done("admin", "CreateApprovalRuleTemplate", template("taken")).await;
    let rename = |to: &str| json!({"oldApprovalRuleTemplateName": "one", "newApprovalRuleTemplateName": to});
    let operation = "UpdateApprovalRuleTemplateName";
    assert_eq!(world.refused("admin", operation, rename("taken")).await, "ApprovalRuleTemplateNameAlreadyExists");
    let renamed = world.done("admin", operation, rename("two")).await;
    assert_eq!(renamed["approvalRuleTemplate"]["approvalRuleTemplateId"], made["approvalRuleTemplateId"]);
    let missing = world.refused("admin", "GetApprovalRuleTemplate", name.clone()).await;
    assert_eq!(missing, "ApprovalRuleTemplateDoesNotExist");

    let two = json!({"approvalRuleTemplateName": "two"});
    let deleted = world.done("admin", "DeleteApprovalRuleTemplate", two.clone()).await;
    assert_eq!(deleted["approvalRuleTemplateId"], made["approvalRuleTemplateId"]);
    world.done("admin", "DeleteApprovalRuleTemplate", two).await;
}

#[tokio::test]
async fn templates_are_listed_in_pages_by_name() {
    let world = World::new();
    for name in ["b", "c", "a"] {
        world.done("admin", "CreateApprovalRuleTemplate", template(name)).await;
    }
    let first = world.done("admin", "ListApprovalRuleTemplates", json!({"maxResults": 2})).await;
    assert_eq!(first["approvalRuleTemplateNames"], json!(["a", "b"]));
    let next = json!({"nextToken": first["nextToken"]});
    assert_eq!(
        world.done("admin", "ListApprovalRuleTemplates", next).await,
        json!({"approvalRuleTemplateNames": ["c"]})
    );
    let refused = |input: Value| world.refused("admin", "ListApprovalRuleTemplates", input);
    assert_eq!(refused(json!({"nextToken": "x"})).await, "InvalidContinuationToken");
    assert_eq!(refused(json!({"maxResults": 0})).await, "InvalidMaxResults");
}

#[tokio::test]
async fn a_template_that_is_in_use_stays() {
    let world = World::new();
    world.repository("first").await;
    world.repository("second").await;
    world.done("admin", "CreateApprovalRuleTemplate", template("one")).await;
    let both = |repository: &str| json!({"approvalRuleTemplateName": "one", "repositoryName": repository});
    world.done("admin", "AssociateApprovalRuleTemplateWithRepository", both("first")).await;
    world.done("admin", "AssociateApprovalRuleTemplateWithRepository", both("first")).await;
    let batch = json!({"approvalRuleTemplateName": "one", "repositoryNames": ["second", "none"]});
    let done = world.done("admin", "BatchAssociateApprovalRuleTemplateWithRepositories", batch.clone()).await;
    assert_eq!(done["associatedRepositoryNames"], json!(["second"]));
    assert_eq!(done["errors"][0]["errorCode"], "RepositoryDoesNotExistException");

    let one = json!({"approvalRuleTemplateName": "one"});
    let mut names =
        world.done("admin", "ListRepositoriesForApprovalRuleTemplate", one.clone()).await["repositoryNames"].take();
    names.as_array_mut().expect("a list").sort_by_key(text);
    assert_eq!(names, json!(["first", "second"]));
    let of = json!({"repositoryName": "first"});
    let listed = world.done("admin", "ListAssociatedApprovalRuleTemplatesForRepository", of.clone()).await;
    assert_eq!(listed, json!({"approvalRuleTemplateNames": ["one"]}));
    assert_eq!(world.refused("admin", "DeleteApprovalRuleTemplate", one.clone()).await, "ApprovalRuleTemplateInUse");

    world.done("admin", "DisassociateApprovalRuleTemplateFromRepository", both("first")).await;
    let listed = world.done("admin", "ListAssociatedApprovalRuleTemplatesForRepository", of).await;
    assert_eq!(listed, json!({"approvalRuleTemplateNames": []}));
    // A repository that goes takes its association along.
    world.done("admin", "DeleteRepository", json!({"repositoryName": "second"})).await;
    world.done("admin", "DeleteApprovalRuleTemplate", one).await;
    let missing = world.refused("admin", "BatchDisassociateApprovalRuleTemplateFromRepositories", batch).await;
    assert_eq!(missing, "ApprovalRuleTemplateDoesNotExist");
}

#[tokio::test]
async fn a_repository_has_twenty_five_templates_at_most() {
    let world = World::new();
    world.repository("first").await;
    for number in 0..26 {
        let name = format!("t{number}");
        world.done("admin", "CreateApprovalRuleTemplate", template(&name)).await;
        let both = json!({"approvalRuleTemplateName": name, "repositoryName": "first"});
        let associated = world.call("admin", "AssociateApprovalRuleTemplateWithRepository", both).await;
        assert_eq!(associated.is_ok(), number < 25, "{number}");
    }
}

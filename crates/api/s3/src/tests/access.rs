//! Who may: identity policies, bucket policies, public access blocks, accounts.

use super::*;

const VERSIONING: &str = "GET /first?versioning";

async fn world() -> World {
    let world = World::new();
    world.done("admin", "PUT /first", "").await;
    world
}

#[tokio::test]
async fn another_account_needs_the_buckets_policy_and_its_own() {
    let world = world().await;
    assert_eq!(world.refused("stranger", VERSIONING, "").await, "AccessDenied");
    let principal = json!({"AWS": user_arn(OTHER_ACCOUNT, "stranger")});
    let policy = policy_of(&principal, &json!("s3:GetBucketVersioning"), &json!("arn:aws:s3:::first"));
    world.done("admin", "PUT /first?policy", &policy).await;
    world.done("stranger", VERSIONING, "").await;
    assert_eq!(world.refused("stranger", "GET /first?encryption", "").await, "AccessDenied");
    // Without an identity policy of their own it does not suffice.
    world.user("stranger", OTHER_ACCOUNT, &[]);
    assert_eq!(world.refused("stranger", VERSIONING, "").await, "AccessDenied");
}

#[tokio::test]
async fn within_the_account_either_policy_suffices_and_a_denial_counts() {
    let world = world().await;
    let principal = json!({"AWS": user_arn(ACCOUNT, "nobody")});
    let policy = policy_of(&principal, &json!("s3:GetBucketVersioning"), &json!("arn:aws:s3:::first"));
    world.done("admin", "PUT /first?policy", &policy).await;
    world.done("nobody", VERSIONING, "").await;
    let denial = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetBucketVersioning", "Resource": "arn:aws:s3:::first",
    }]});
    world.done("admin", "PUT /first?policy", &denial.to_string()).await;
    assert_eq!(world.refused("reader", VERSIONING, "").await, "AccessDenied");
    assert_eq!(world.refused("admin", VERSIONING, "").await, "AccessDenied");
}

#[tokio::test]
async fn a_policy_is_refused_unless_it_is_about_this_bucket_and_somebody_who_exists() {
    let world = world().await;
    let put = async |principal: Value, action: &str, resource: &str| {
        let policy = policy_of(&principal, &json!(action), &json!(resource));
        world.send("admin", "PUT /first?policy", &[], policy.as_bytes()).await.error
    };
    let here = json!({"AWS": ACCOUNT});
    assert_eq!(put(here.clone(), "s3:ListBucket", "arn:aws:s3:::first").await, None);
    for (principal, action, resource) in [
        (here.clone(), "s3:ListBucket", "arn:aws:s3:::second"),
        (here.clone(), "s3:GetObject", "arn:aws:s3:::first"),
        (here.clone(), "kms:Decrypt", "arn:aws:s3:::first"),
        (json!({"AWS": user_arn(ACCOUNT, "missing")}), "s3:ListBucket", "arn:aws:s3:::first"),
    ] {
        assert_eq!(
            put(principal.clone(), action, resource).await,
            Some("MalformedPolicy"),
            "{principal} {action} {resource}"
        );
    }
    assert_eq!(world.refused("admin", "PUT /first?policy", "[]").await, "MalformedPolicy");
    assert_eq!(world.refused("admin", "PUT /first?policy", "").await, "MissingRequestBodyError");
    // The one that was accepted is in force.
    assert!(world.done("admin", "GET /first?policy", "").await.text().contains(ACCOUNT));
}

#[tokio::test]
async fn a_public_policy_is_blocked_or_restricted_to_the_account() {
    let world = world().await;
    let policy = policy_of(&json!("*"), &json!("s3:GetBucketVersioning"), &json!("arn:aws:s3:::first"));
    assert_eq!(world.refused("admin", "PUT /first?policy", &policy).await, "AccessDenied");
    let block = |policy: bool, restrict: bool| {
        format!(
            "<PublicAccessBlockConfiguration><BlockPublicPolicy>{policy}</BlockPublicPolicy>\
             <RestrictPublicBuckets>{restrict}</RestrictPublicBuckets></PublicAccessBlockConfiguration>"
        )
    };
    world.done("admin", "PUT /first?publicAccessBlock", &block(false, true)).await;
    world.done("admin", "PUT /first?policy", &policy).await;
    assert!(world.done("admin", "GET /first?policyStatus", "").await.text().contains("<IsPublic>true</IsPublic>"));
    assert_eq!(world.refused("stranger", VERSIONING, "").await, "AccessDenied");
    world.done("nobody", VERSIONING, "").await;
    world.done("admin", "PUT /first?publicAccessBlock", &block(false, false)).await;
    world.done("stranger", VERSIONING, "").await;
    world.done("admin", "DELETE /first?publicAccessBlock", "").await;
    world.done("stranger", VERSIONING, "").await;
    assert_eq!(
        world.refused("admin", "GET /first?publicAccessBlock", "").await,
        "NoSuchPublicAccessBlockConfiguration"
    );
}

#[tokio::test]
async fn policies_go_by_how_a_request_is_signed() {
    let world = world().await;
    let denying = |condition: Value| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:GetBucketVersioning", "Resource": "arn:aws:s3:::first",
            "Condition": condition,
        }]})
        .to_string()
    };
    for (condition, denied) in [
        (json!({"StringNotEquals": {"s3:authType": "REST-HEADER"}}), false),
        (json!({"StringEquals": {"s3:authType": "REST-HEADER"}}), true),
        (json!({"NumericGreaterThan": {"s3:signatureAge": "60000"}}), false),
        (json!({"StringEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}}), true),
        (json!({"StringEquals": {"s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}), false),
        (json!({"StringEquals": {"s3:ResourceAccount": ACCOUNT}}), true),
        (json!({"Bool": {"aws:SecureTransport": "false"}}), false),
    ] {
        world.done("admin", "PUT /first?policy", &denying(condition.clone())).await;
        let answer = world.send("admin", VERSIONING, &[], b"").await;
        assert_eq!(answer.error.is_some(), denied, "{condition}");
    }
}

#[tokio::test]
async fn policies_go_by_a_buckets_tags_once_it_says_so() {
    let world = world().await;
    let condition = json!({"StringEquals": {"aws:ResourceTag/team": "red"}});
    let statement =
        json!({"Effect": "Allow", "Action": "s3:GetBucketVersioning", "Resource": "*", "Condition": condition});
    world.user("red", ACCOUNT, &[statement]);
    let tags = "<TagResourceRequest><Tags><Tag><Key>team</Key><Value>red</Value></Tag></Tags></TagResourceRequest>";
    let account = [("x-amz-account-id", ACCOUNT)];
    let tagged =
        world.send("admin", "POST /v20180820/tags/arn%3Aaws%3As3%3A%3A%3Afirst", &account, tags.as_bytes()).await;
    assert_eq!((tagged.error, tagged.status), (None, 204), "{}", tagged.text());
    assert_eq!(world.refused("red", VERSIONING, "").await, "AccessDenied");
    world.done("admin", "PUT /first?abac", "<AbacStatus><Status>Enabled</Status></AbacStatus>").await;
    world.done("red", VERSIONING, "").await;
    let all = "<Tagging><TagSet/></Tagging>";
    assert_eq!(world.refused("admin", "PUT /first?tagging", all).await, "InvalidRequest");
    let listed = world.send("admin", "GET /v20180820/tags/arn%3Aaws%3As3%3A%3A%3Afirst", &account, b"").await;
    assert!(listed.text().contains("<Tags><Tag><Key>team</Key><Value>red</Value></Tag></Tags>"), "{}", listed.text());
    let untagged =
        world.send("admin", "DELETE /v20180820/tags/arn%3Aaws%3As3%3A%3A%3Afirst?tagKeys=team", &account, b"").await;
    assert_eq!(untagged.error, None, "{}", untagged.text());
    assert_eq!(world.refused("red", VERSIONING, "").await, "AccessDenied");
}

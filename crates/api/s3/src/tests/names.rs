//! Buckets: their names, where they are, and who has which.

use super::*;

#[tokio::test]
async fn a_bucket_is_made_once_and_is_found_by_everybody_who_may() {
    let world = World::new();
    let made = world.done("admin", "PUT /first", "").await;
    assert_eq!(
        (made.status, made.header("location"), made.header("x-amz-bucket-arn")),
        (200, "/first", "arn:aws:s3:::first")
    );
    // In the first Region it can be made again.
    world.done("admin", "PUT /first", "").await;
    assert_eq!(world.refused("stranger", "PUT /first", "").await, "BucketAlreadyExists");
    let found = world.done("reader", "HEAD /first", "").await;
    assert_eq!((found.header("x-amz-bucket-region"), found.header("x-amz-access-point-alias")), (REGION, "false"));
    let forbidden = world.send("nobody", "HEAD /first", &[], b"").await;
    assert_eq!((forbidden.error, forbidden.header("x-amz-bucket-region")), (Some("AccessDenied"), REGION));
    assert_eq!(world.refused("stranger", "HEAD /first", "").await, "AccessDenied");
    assert_eq!(world.refused("nobody", "HEAD /second", "").await, "NoSuchBucket");
    assert_eq!(world.refused("admin", "PUT /Bad_Name", "").await, "InvalidBucketName");
}

#[tokio::test]
async fn a_bucket_is_where_the_request_came() {
    let world = World::new();
    let constraint = |region: &str| {
        format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        )
    };
    let body = constraint("eu-west-1");
    let there = world.send_in("eu-west-1", "admin", "PUT /there", &[], body.as_bytes()).await;
    assert_eq!(there.error, None, "{}", there.text());
    let again = world.send_in("eu-west-1", "admin", "PUT /there", &[], body.as_bytes()).await;
    assert_eq!(again.error, Some("BucketAlreadyOwnedByYou"));
    let wrong = world.send("admin", "PUT /here", &[], body.as_bytes()).await;
    assert_eq!(wrong.error, Some("IllegalLocationConstraintException"));
    let unspecified = world.send_in("eu-west-1", "admin", "PUT /here", &[], b"").await;
    assert_eq!(unspecified.error, Some("IllegalLocationConstraintException"));

    let located = world.send_in("eu-west-1", "admin", "GET /there?location", &[], b"").await;
    assert!(located.text().ends_with(">eu-west-1</LocationConstraint>"), "{}", located.text());
    world.done("admin", "PUT /here", "").await;
    let located = world.done("admin", "GET /here?location", "").await;
    assert!(located.text().ends_with("></LocationConstraint>"), "{}", located.text());

    // A request that was signed for another Region learns the right one.
    let elsewhere = world.send("admin", "GET /there?location", &[], b"").await;
    assert_eq!((elsewhere.error, elsewhere.status), (Some("AuthorizationHeaderMalformed"), 400));
    assert!(elsewhere.text().contains("<Region>eu-west-1</Region>"), "{}", elsewhere.text());
    assert_eq!(elsewhere.header("x-amz-bucket-region"), "eu-west-1");
}

#[tokio::test]
async fn buckets_are_listed_by_name_and_page_by_page() {
    let world = World::new();
    for name in ["bbb", "aaa", "ab-1", "ccc"] {
        world.done("admin", &format!("PUT /{name}"), "").await;
    }
    world.done("stranger", "PUT /another", "").await;
    let names = |answer: &Answer| {
        let text = answer.text();
        let names = text.split("<Name>").skip(1).map(|rest| rest.split('<').next().expect("a name").to_owned());
        names.collect::<Vec<_>>()
    };
    let all = world.done("reader", "GET /", "").await;
    assert!(
        all.text().contains("<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>")
    );
    assert_eq!(names(&all), ["aaa", "ab-1", "bbb", "ccc"]);
    assert_eq!(names(&world.done("stranger", "GET /", "").await), ["another"]);
    let beginning = world.done("reader", "GET /?prefix=a", "").await;
    assert_eq!(names(&beginning), ["aaa", "ab-1"]);
    let page = world.done("reader", "GET /?max-buckets=3", "").await;
    assert_eq!(names(&page), ["aaa", "ab-1", "bbb"]);
    let text = page.text();
    let token = text.split("<ContinuationToken>").nth(1).and_then(|rest| rest.split('<').next()).expect("a token");
    let rest = world.done("reader", &format!("GET /?max-buckets=3&continuation-token={token}"), "").await;
    assert_eq!(names(&rest), ["ccc"]);
    assert_eq!(world.refused("reader", "GET /?continuation-token=x", "").await, "InvalidArgument");
    assert_eq!(world.refused("nobody", "GET /", "").await, "AccessDenied");
}

#[tokio::test]
async fn a_deleted_bucket_leaves_nothing_to_the_next_one_of_its_name() {
    let world = World::new();
    world.done("admin", "PUT /first", "").await;
    world
        .done(
            "admin",
            "PUT /first?tagging",
            "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
        )
        .await;
    let policy = policy_of(
        &json!({"AWS": user_arn(OTHER_ACCOUNT, "stranger")}),
        &json!("s3:ListBucket"),
        &json!("arn:aws:s3:::first"),
    );
    world.done("admin", "PUT /first?policy", &policy).await;
    assert_eq!(world.refused("stranger", "DELETE /first", "").await, "AccessDenied");
    world.done("admin", "DELETE /first", "").await;
    assert_eq!(world.refused("admin", "DELETE /first", "").await, "NoSuchBucket");
    world.done("stranger", "PUT /first", "").await;
    assert_eq!(world.refused("stranger", "GET /first?tagging", "").await, "NoSuchTagSet");
    assert_eq!(world.refused("stranger", "GET /first?policy", "").await, "NoSuchBucketPolicy");
    assert_eq!(world.refused("admin", "HEAD /first", "").await, "AccessDenied");
}

#[tokio::test]
async fn a_bucket_is_made_with_tags_and_a_lock_by_who_may_set_them() {
    let world = World::new();
    let body = "<CreateBucketConfiguration><Tags><Tag><Key>team</Key><Value>red</Value></Tag></Tags></CreateBucketConfiguration>";
    world.user("maker", ACCOUNT, &[allow(&json!("s3:CreateBucket"), "*")]);
    assert_eq!(world.refused("maker", "PUT /tagged", body).await, "AccessDenied");
    let locked = world.send("maker", "PUT /locked", &[("x-amz-bucket-object-lock-enabled", "true")], b"").await;
    assert_eq!(locked.error, Some("AccessDenied"));
    world.done("maker", "PUT /plain", "").await;
    world.done("admin", "PUT /tagged", body).await;
    let tags = world.done("admin", "GET /tagged?tagging", "").await.text();
    assert!(tags.contains("<TagSet><Tag><Key>team</Key><Value>red</Value></Tag></TagSet>"), "{tags}");
    world.send("admin", "PUT /locked", &[("x-amz-bucket-object-lock-enabled", "true")], b"").await;
    assert!(world.done("admin", "GET /locked?versioning", "").await.text().contains("<Status>Enabled</Status>"));
    assert!(world.done("admin", "GET /locked?object-lock", "").await.text().contains("<ObjectLockEnabled>Enabled<"));
    assert_eq!(
        world
            .refused(
                "admin",
                "PUT /locked?versioning",
                "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
            )
            .await,
        "InvalidBucketState"
    );
}

#[tokio::test]
async fn only_the_acl_that_every_bucket_has_can_be_asked_for() {
    let world = World::new();
    let with = async |acl: &str| world.send("admin", "PUT /first", &[("x-amz-acl", acl)], b"").await.error;
    assert_eq!(with("public-read").await, Some("InvalidBucketAclWithObjectOwnership"));
    assert_eq!(with("private").await, None);
    let acl = world.done("admin", "GET /first?acl", "").await.text();
    assert!(
        acl.contains("xsi:type=\"CanonicalUser\"") && acl.contains("<Permission>FULL_CONTROL</Permission>"),
        "{acl}"
    );
    let put = async |acl: &str| world.send("admin", "PUT /first?acl", &[("x-amz-acl", acl)], b"").await.error;
    let refused = Some("AccessControlListNotSupported");
    assert_eq!(put("public-read").await, refused);
    assert_eq!(put("private").await, None);
    assert_eq!(put("bucket-owner-full-control").await, None);
    // In full, as some clients put back what they got.
    let whole = async |acl: &str| world.send("admin", "PUT /first?acl", &[], acl.as_bytes()).await.error;
    assert_eq!(whole(&acl).await, None);
    // A bucket that was made with a list takes it with its objects as well.
    assert_eq!(world.send("admin", "PUT /first/o", &[("x-amz-acl", "private")], b"").await.error, None);
    assert_eq!(world.send("admin", "PUT /first/o", &[("x-amz-acl", "public-read")], b"").await.error, refused);
    assert_eq!(world.send("admin", "PUT /second", &[], b"").await.error, None);
    assert_eq!(world.send("admin", "PUT /second/o", &[("x-amz-acl", "private")], b"").await.error, refused);
    assert_eq!(whole(&acl.replace("FULL_CONTROL", "READ")).await, refused);
}

#[tokio::test]
async fn the_expected_owner_has_to_be_the_owner() {
    let world = World::new();
    world.done("admin", "PUT /first", "").await;
    let with = async |owner: &str| {
        world.send("admin", "HEAD /first", &[("x-amz-expected-bucket-owner", owner)], b"").await.error
    };
    assert_eq!(with(ACCOUNT).await, None);
    assert_eq!(with(OTHER_ACCOUNT).await, Some("AccessDenied"));
    assert_eq!(with("me").await, Some("InvalidBucketOwnerAWSAccountID"));
}

//! Configurations: what a new bucket has, what is accepted, and that what was put is what is got.

use super::*;

async fn world() -> World {
    let world = World::new();
    world.done("admin", "PUT /first", "").await;
    world
}

#[tokio::test]
async fn a_new_bucket_answers_what_terraform_reads() {
    let world = world().await;
    for (subresource, error) in [
        ("policy", "NoSuchBucketPolicy"),
        ("policyStatus", "NoSuchBucketPolicy"),
        ("cors", "NoSuchCORSConfiguration"),
        ("website", "NoSuchWebsiteConfiguration"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("replication", "ReplicationConfigurationNotFoundError"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("tagging", "NoSuchTagSet"),
    ] {
        let answer = world.send("reader", &format!("GET /first?{subresource}"), &[], b"").await;
        assert_eq!((answer.error, answer.status), (Some(error), 404), "{subresource}");
        assert!(answer.text().contains("<BucketName>first</BucketName>"), "{}", answer.text());
    }
    for kind in ["analytics", "inventory", "metrics", "intelligent-tiering"] {
        let list = world.done("reader", &format!("GET /first?{kind}"), "").await.text();
        assert!(list.contains("<IsTruncated>false</IsTruncated>"), "{kind}: {list}");
        assert_eq!(world.refused("reader", &format!("GET /first?{kind}&id=a"), "").await, "NoSuchConfiguration");
    }
    let namespace = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    for (subresource, part) in [
        ("versioning", "<VersioningConfiguration NS></VersioningConfiguration>"),
        ("accelerate", "<AccelerateConfiguration NS></AccelerateConfiguration>"),
        ("logging", "<BucketLoggingStatus NS></BucketLoggingStatus>"),
        ("requestPayment", "<RequestPaymentConfiguration NS><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"),
        ("notification", "<NotificationConfiguration NS></NotificationConfiguration>"),
        ("abac", "<AbacStatus NS><Status>Disabled</Status></AbacStatus>"),
        ("ownershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"),
        (
            "encryption",
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
             </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled><BlockedEncryptionTypes>\
             <EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule>",
        ),
        (
            "publicAccessBlock",
            "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
             <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>",
        ),
    ] {
        let text = world.done("reader", &format!("GET /first?{subresource}"), "").await.text();
        assert!(text.contains(&part.replace("NS", namespace)), "{subresource}: {text}");
    }
}

/// A configuration that is put, got as it was put, deleted, and gone.
async fn round_trip(world: &World, subresource: &str, document: &str, gone: &str) {
    world.done("admin", &format!("PUT /first?{subresource}"), document).await;
    let text = world.done("reader", &format!("GET /first?{subresource}"), "").await.text();
    let inner = |text: &str| text.split_once('>').map(|(_, rest)| rest.to_owned()).expect("a root element");
    let got = text.split_once("?>\n").map(|(_, root)| inner(root)).expect("a declaration");
    assert_eq!(got, inner(document), "{subresource}");
    assert_eq!(world.refused("nobody", &format!("PUT /first?{subresource}"), document).await, "AccessDenied");
    assert_eq!(world.refused("reader", &format!("DELETE /first?{subresource}"), "").await, "AccessDenied");
    assert_eq!(world.done("admin", &format!("DELETE /first?{subresource}"), "").await.status, 204);
    assert_eq!(world.refused("reader", &format!("GET /first?{subresource}"), "").await, gone);
}

#[tokio::test]
async fn what_was_put_is_what_is_got() {
    let world = world().await;
    let cors = "<CORSConfiguration><CORSRule><ID>one</ID><AllowedHeader>*</AllowedHeader><AllowedMethod>GET</AllowedMethod>\
        <AllowedMethod>PUT</AllowedMethod><AllowedOrigin>https://*.example.com</AllowedOrigin>\
        <ExposeHeader>etag</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule></CORSConfiguration>";
    round_trip(&world, "cors", cors, "NoSuchCORSConfiguration").await;
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value></Value></Tag></TagSet></Tagging>";
    round_trip(&world, "tagging", tags, "NoSuchTagSet").await;
    let ownership =
        "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule></OwnershipControls>";
    round_trip(&world, "ownershipControls", ownership, "OwnershipControlsNotFoundError").await;
    let lifecycle = "<LifecycleConfiguration><Rule><Expiration><Days>30</Days></Expiration><ID>old</ID><Filter><And>\
        <Prefix>logs/</Prefix><Tag><Key>a</Key><Value>b</Value></Tag><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></And>\
        </Filter><Status>Enabled</Status><Transition><Days>7</Days><StorageClass>GLACIER</StorageClass></Transition>\
        <NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions>\
        </NoncurrentVersionExpiration></Rule><Rule><ID>uploads</ID><Prefix></Prefix><Status>Disabled</Status>\
        <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>\
        </LifecycleConfiguration>";
    round_trip(&world, "lifecycle", lifecycle, "NoSuchLifecycleConfiguration").await;
}

#[tokio::test]
async fn lifecycle_rules_that_contradict_themselves_are_refused() {
    let world = world().await;
    let put = async |rule: &str| {
        let document = format!("<LifecycleConfiguration><Rule>{rule}</Rule></LifecycleConfiguration>");
        world.send("admin", "PUT /first?lifecycle", &[], document.as_bytes()).await.error
    };
    let whole = "<Filter/><Status>Enabled</Status>";
    let days = "<Expiration><Days>1</Days></Expiration>";
    assert_eq!(put(&format!("{whole}{days}")).await, None);
    let generated = world.done("admin", "GET /first?lifecycle", "").await.text();
    assert!(generated.contains("<ID>") && !generated.contains("<ID></ID>"), "{generated}");
    for (rule, error) in [
        (whole.to_owned(), "InvalidRequest"),
        (format!("<Status>Enabled</Status>{days}"), "MalformedXML"),
        (format!("<Prefix></Prefix>{whole}{days}"), "MalformedXML"),
        (format!("<Filter/><Status>On</Status>{days}"), "MalformedXML"),
        (format!("{whole}<Expiration><Days>0</Days></Expiration>"), "InvalidArgument"),
        (format!("{whole}<Expiration><Date>2027-01-01T00:00:01Z</Date></Expiration>"), "InvalidArgument"),
        (format!("{whole}<Expiration><Days>1</Days><Date>2027-01-01T00:00:00Z</Date></Expiration>"), "MalformedXML"),
        (format!("{whole}<ID>{}</ID>{days}", "a".repeat(256)), "InvalidArgument"),
        (format!("{whole}<NoncurrentVersionExpiration/>"), "MalformedXML"),
        (format!("<Filter><And><Prefix>a</Prefix></And></Filter><Status>Enabled</Status>{days}"), "MalformedXML"),
        (
            "<Filter><Tag><Key>a</Key><Value>b</Value></Tag></Filter><Status>Enabled</Status>\
             <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
                .to_owned(),
            "InvalidRequest",
        ),
    ] {
        assert_eq!(put(&rule).await, Some(error), "{rule}");
    }
    let same = format!(
        "<LifecycleConfiguration>{0}{0}</LifecycleConfiguration>",
        format!("<Rule><ID>a</ID>{whole}{days}</Rule>")
    );
    assert_eq!(world.refused("admin", "PUT /first?lifecycle", &same).await, "InvalidArgument");
    let many = format!(
        "<LifecycleConfiguration>{}</LifecycleConfiguration>",
        format!("<Rule>{whole}{days}</Rule>").repeat(1001)
    );
    assert_eq!(world.refused("admin", "PUT /first?lifecycle", &many).await, "MalformedXML");
}

#[tokio::test]
async fn the_default_encryption_is_one_that_there_is() {
    let world = world().await;
    let put = async |rule: &str| {
        let document =
            format!("<ServerSideEncryptionConfiguration><Rule>{rule}</Rule></ServerSideEncryptionConfiguration>");
        world.send("admin", "PUT /first?encryption", &[], document.as_bytes()).await.error
    };
    let by = |algorithm: &str, more: &str| {
        format!(
            "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm>{more}\
             </ApplyServerSideEncryptionByDefault>"
        )
    };
    let key = "<KMSMasterKeyID>alias/mine</KMSMasterKeyID>";
    assert_eq!(put(&by("AES256", key)).await, Some("InvalidArgument"));
    assert_eq!(put(&by("rot13", "")).await, Some("MalformedXML"));
    let opened = "<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>";
    assert_eq!(put(&format!("{}<BucketKeyEnabled>true</BucketKeyEnabled>{opened}", by("aws:kms", key))).await, None);
    let got = world.done("reader", "GET /first?encryption", "").await.text();
    for part in ["<SSEAlgorithm>aws:kms</SSEAlgorithm>", key, "<BucketKeyEnabled>true<", "<EncryptionType>NONE<"] {
        assert!(got.contains(part), "{part} in {got}");
    }
    world.done("admin", "DELETE /first?encryption", "").await;
    assert!(world.done("reader", "GET /first?encryption", "").await.text().contains("<SSEAlgorithm>AES256<"));
}

#[tokio::test]
async fn versioning_is_turned_on_and_suspended_and_a_lock_keeps_it_on() {
    let world = world().await;
    let versioning = |status: &str| format!("<VersioningConfiguration>{status}</VersioningConfiguration>");
    let lock = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
        <Mode>GOVERNANCE</Mode><Days>3</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
    let put =
        async |document: String| world.send("admin", "PUT /first?versioning", &[], document.as_bytes()).await.error;
    assert_eq!(put(versioning("")).await, Some("IllegalVersioningConfigurationException"));
    assert_eq!(put(versioning("<Status>Off</Status>")).await, Some("MalformedXML"));
    assert_eq!(put(versioning("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>")).await, Some("NotImplemented"));
    assert_eq!(world.refused("admin", "PUT /first?object-lock", lock).await, "InvalidBucketState");
    assert_eq!(put(versioning("<Status>Enabled</Status>")).await, None);
    assert_eq!(put(versioning("<Status>Suspended</Status>")).await, None);
    assert_eq!(world.refused("admin", "PUT /first?object-lock", lock).await, "InvalidBucketState");
    assert_eq!(put(versioning("<Status>Enabled</Status>")).await, None);
    for wrong in ["<Mode>GOVERNANCE</Mode>", "<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>", "<Days>1</Days>"]
    {
        let document = lock.replace("<Mode>GOVERNANCE</Mode><Days>3</Days>", wrong);
        assert_eq!(world.refused("admin", "PUT /first?object-lock", &document).await, "MalformedXML", "{wrong}");
    }
    let none = lock.replace("<Days>3</Days>", "<Days>0</Days>");
    assert_eq!(world.refused("admin", "PUT /first?object-lock", &none).await, "InvalidArgument");
    world.done("admin", "PUT /first?object-lock", lock).await;
    assert!(world.done("admin", "GET /first?object-lock", "").await.text().contains("<Days>3</Days>"));
    assert_eq!(put(versioning("<Status>Suspended</Status>")).await, Some("InvalidBucketState"));
}

#[tokio::test]
async fn destinations_of_notifications_do_not_overlap() {
    let world = world().await;
    let topic = |events: &str, prefix: &str| {
        format!(
            "<TopicConfiguration><Topic>arn:aws:sns:us-east-1:111122223333:t</Topic><Event>{events}</Event><Filter><S3Key>\
             <FilterRule><Name>Prefix</Name><Value>{prefix}</Value></FilterRule></S3Key></Filter></TopicConfiguration>"
        )
    };
    let put = async |inner: String| {
        let document = format!("<NotificationConfiguration>{inner}</NotificationConfiguration>");
        world.send("admin", "PUT /first?notification", &[], document.as_bytes()).await.error
    };
    assert_eq!(put(topic("s3:ObjectCreated:*", "a/") + &topic("s3:ObjectCreated:Put", "b/")).await, None);
    let got = world.done("reader", "GET /first?notification", "").await.text();
    assert!(got.contains("<Event>s3:ObjectCreated:Put</Event>") && got.contains("<Id>"), "{got}");
    for wrong in [
        topic("s3:ObjectCreated:*", "a/") + &topic("s3:ObjectCreated:Put", "a/b"),
        topic("s3:ObjectEaten:*", "a/"),
        topic("s3:ObjectCreated:*", "a/").replace("Prefix", "Middle"),
        topic("s3:ObjectCreated:*", "a/").replace(":sns:", ":sqs:"),
        topic("s3:ObjectCreated:*", "a/").replace("us-east-1", "eu-west-1"),
    ] {
        assert_eq!(put(wrong.clone()).await, Some("InvalidArgument"), "{wrong}");
    }
    assert_eq!(put(String::new()).await, None);
    assert!(!world.done("reader", "GET /first?notification", "").await.text().contains("Topic"));
}

#[tokio::test]
async fn a_body_that_no_document_needs_is_not_taken_in() {
    let world = world().await;
    let long = format!("<Tagging><TagSet/><!--{}--></Tagging>", "-a".repeat(2 << 20));
    let answer = world.send("admin", "PUT /first?cors", &[], long.as_bytes()).await;
    assert_eq!(answer.error, Some("EntityTooLarge"), "{}", answer.text());
}

#[tokio::test]
async fn bodies_that_say_something_else_than_their_checksum_change_nothing() {
    let world = world().await;
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    let wrong = world
        .send("admin", "PUT /first?tagging", &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], tags.as_bytes())
        .await;
    assert_eq!(wrong.error, Some("BadDigest"));
    assert_eq!(world.refused("admin", "PUT /first?tagging", "<Tagging><TagSet>").await, "MalformedXML");
    assert_eq!(world.refused("admin", "PUT /first?tagging", "").await, "MissingRequestBodyError");
    assert_eq!(world.refused("admin", "GET /first?tagging", "").await, "NoSuchTagSet");
}

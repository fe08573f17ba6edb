//! Objects: put and got, by whom, in which form, and under which protection.

use super::*;

/// The digest of `hello`, as an entity tag.
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

impl World {
    async fn with_bucket() -> Self {
        let world = Self::new();
        world.done("admin", "PUT /bkt", "").await;
        world
    }

    async fn put(&self, key: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let answer = self.send("admin", &format!("PUT /bkt/{key}"), headers, body).await;
        assert_eq!(answer.error, None, "{}", answer.text());
        answer
    }

    async fn get(&self, request: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("admin", request, headers, b"").await
    }

    /// Makes a KMS key whose policy leaves it to identity policies. Returns its ARN.
    pub(super) async fn kms_key(&self) -> String {
        let headers = [("x-amz-target", "TrentService.CreateKey"), ("content-type", "application/x-amz-json-1.1")];
        let made = self.send_to(("kms", REGION), "admin", "POST /", &headers, b"{}").await;
        let made: Value = serde_json::from_slice(&made.body).expect("JSON");
        made["KeyMetadata"]["Arn"].as_str().expect("an ARN").to_owned()
    }

    async fn versioned(&self, status: &str) {
        let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        self.done("admin", "PUT /bkt?versioning", &body).await;
    }
}

#[tokio::test]
async fn an_object_comes_back_with_all_that_was_put_with_it() {
    let world = World::with_bucket().await;
    let headers = [
        ("content-type", "text/plain"),
        ("content-encoding", "gzip,aws-chunked"),
        ("cache-control", "no-cache"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ];
    let put = world.put("dir/%C3%A4%2B%20key", b"hello", &headers).await;
    assert_eq!((put.status, put.header("etag"), put.header("x-amz-version-id")), (200, HELLO, ""));
    assert_eq!(put.header("x-amz-server-side-encryption"), "AES256");
    // Nobody gave a checksum, so there is one of ours.
    let checksum = put.header("x-amz-checksum-crc64nvme").to_owned();
    assert_eq!((checksum.len(), put.header("x-amz-checksum-type")), (12, "FULL_OBJECT"));
    for method in ["GET", "HEAD"] {
        let got = world.get(&format!("{method} /bkt/dir/%C3%A4%2B%20key"), &[]).await;
        assert_eq!(got.status, 200);
        for (name, value) in [
            ("content-type", "text/plain"),
            ("content-encoding", "gzip"),
            ("cache-control", "no-cache"),
            ("x-amz-meta-colour", "blue"),
            ("x-amz-tagging-count", "1"),
            ("x-amz-storage-class", "STANDARD_IA"),
            ("etag", HELLO),
            ("accept-ranges", "bytes"),
            ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-checksum-crc64nvme", ""),
            ("x-amz-version-id", ""),
            ("last-modified", "Mon, 21 Sep 2026 14:13:20 GMT"),
        ] {
            assert_eq!(got.header(name), value, "{method}: {name}");
        }
        match method {
            "GET" => assert_eq!(got.text(), "hello"),
            _ => assert_eq!((got.header("content-length"), got.body.len()), ("5", 0)),
        }
    }
    let asked = world.get("GET /bkt/dir/%C3%A4%2B%20key", &[("x-amz-checksum-mode", "ENABLED")]).await;
    assert_eq!(asked.header("x-amz-checksum-crc64nvme"), checksum);
    let other = world.get("GET /bkt/dir/%C3%A4%2B%20key?response-content-type=a/b&response-expires=0", &[]).await;
    assert_eq!(other.status, 400, "a date that is none");
    let other = world.get("GET /bkt/dir/%C3%A4%2B%20key?response-content-type=a/b", &[]).await;
    assert_eq!(other.header("content-type"), "a/b");
}

#[tokio::test]
async fn a_checksum_that_was_sent_is_checked_and_answered() {
    let world = World::with_bucket().await;
    let right = [("x-amz-checksum-crc32", "NhCmhg==")];
    let put = world.put("key", b"hello", &right).await;
    assert_eq!((put.header("x-amz-checksum-crc32"), put.header("x-amz-checksum-crc64nvme")), ("NhCmhg==", ""));
    let got = world.get("HEAD /bkt/key", &[("x-amz-checksum-mode", "ENABLED")]).await;
    assert_eq!((got.header("x-amz-checksum-crc32"), got.header("x-amz-checksum-type")), ("NhCmhg==", "FULL_OBJECT"));
    let wrong = world.send("admin", "PUT /bkt/key", &right, b"hellx").await;
    assert_eq!((wrong.error, wrong.status), (Some("BadDigest"), 400));
    let md5 = world.send("admin", "PUT /bkt/key", &[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], b"hellx").await;
    assert_eq!(md5.error, Some("BadDigest"));
    assert_eq!(world.get("GET /bkt/key", &[]).await.text(), "hello", "nothing was replaced");
}

#[tokio::test]
async fn ranges_and_conditions_are_answered_as_s3_does() {
    let world = World::with_bucket().await;
    let body: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
    let etag = world.put("key", &body, &[]).await.header("etag").to_owned();
    let range = world.get("GET /bkt/key", &[("range", "bytes=65530-65545")]).await;
    assert_eq!((range.status, range.header("content-range")), (206, "bytes 65530-65545/100000"));
    assert_eq!(range.body, body[65530..65546]);
    let suffix = world.get("HEAD /bkt/key", &[("range", "bytes=-10")]).await;
    assert_eq!((suffix.status, suffix.header("content-length")), (206, "10"));
    let beyond = world.get("GET /bkt/key", &[("range", "bytes=100000-")]).await;
    assert_eq!((beyond.status, beyond.error), (416, Some("InvalidRange")));
    assert!(beyond.text().contains("<ActualObjectSize>100000</ActualObjectSize>"), "{}", beyond.text());
    assert_eq!(world.get("GET /bkt/key", &[("range", "bytes=1-2,4-5")]).await.status, 200);
    let part = world.get("GET /bkt/key?partNumber=1", &[]).await;
    assert_eq!((part.status, part.body.len(), part.header("x-amz-mp-parts-count")), (206, 100_000, ""));
    assert_eq!(world.get("GET /bkt/key?partNumber=2", &[]).await.error, Some("InvalidPartNumber"));
    let both = world.get("GET /bkt/key?partNumber=1", &[("range", "bytes=0-1")]).await;
    assert_eq!((both.status, both.error), (400, Some("InvalidRequest")));

    let same = world.get("GET /bkt/key", &[("if-none-match", &etag)]).await;
    assert_eq!((same.status, same.header("etag"), same.body.len()), (304, &*etag, 0));
    assert_eq!(world.get("GET /bkt/key", &[("if-match", "\"x\"")]).await.status, 412);
    assert_eq!(world.get("HEAD /bkt/key", &[("if-modified-since", "Tue, 01 Sep 2026 00:00:00 GMT")]).await.status, 200);
    assert_eq!(
        world.get("HEAD /bkt/key", &[("if-unmodified-since", "Tue, 01 Sep 2026 00:00:00 GMT")]).await.status,
        412
    );

    let absent = [("if-none-match", "*")];
    assert_eq!(world.send("admin", "PUT /bkt/key", &absent, b"x").await.error, Some("PreconditionFailed"));
    let matching = [("if-match", &*etag)];
    world.put("key", b"x", &matching).await;
    assert_eq!(world.send("admin", "PUT /bkt/key", &matching, b"x").await.error, Some("PreconditionFailed"));
    assert_eq!(world.send("admin", "PUT /bkt/new", &matching, b"x").await.error, Some("NoSuchKey"));
    assert_eq!(world.send("admin", "PUT /bkt/new", &[("if-match", "*")], b"x").await.error, Some("NotImplemented"));
    assert_eq!(world.send("admin", "DELETE /bkt/key", &matching, b"").await.error, Some("PreconditionFailed"));
    assert_eq!(world.send("admin", "DELETE /bkt/key", &[("if-match", "*")], b"").await.status, 204);
}

#[tokio::test]
async fn who_may_not_list_a_bucket_does_not_learn_what_is_missing() {
    let world = World::with_bucket().await;
    world.put("there", b"hello", &[]).await;
    world.user("getter", ACCOUNT, &[allow(&json!("s3:GetObject"), "arn:aws:s3:::bkt/*")]);
    assert_eq!(world.done("getter", "GET /bkt/there", "").await.text(), "hello");
    assert_eq!(world.refused("getter", "GET /bkt/missing", "").await, "AccessDenied");
    assert_eq!(world.refused("reader", "GET /bkt/missing", "").await, "NoSuchKey");
    assert_eq!(world.refused("nobody", "GET /bkt/missing", "").await, "AccessDenied");
    assert_eq!(world.refused("stranger", "GET /bkt/there", "").await, "AccessDenied");
    assert_eq!(world.refused("reader", "DELETE /bkt/there", "").await, "AccessDenied");
    assert_eq!(world.refused("reader", "PUT /bkt/there", "").await, "AccessDenied");
    assert_eq!(world.refused("nobody", "GET /none/there", "").await, "NoSuchBucket");
    assert_eq!(world.refused("reader", "GET /bkt/there?versionId=nonsense", "").await, "InvalidArgument");
    // Tags of the object decide as well.
    let tagged = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
        "Condition": {"StringEquals": {"s3:ExistingObjectTag/colour": "blue"}}});
    world.user("blue", ACCOUNT, &[tagged]);
    assert_eq!(world.refused("blue", "GET /bkt/there", "").await, "AccessDenied");
    world.put("there", b"blue", &[("x-amz-tagging", "colour=blue")]).await;
    assert_eq!(world.done("blue", "GET /bkt/there", "").await.text(), "blue");
}

#[tokio::test]
async fn versions_and_delete_markers_are_answered_as_s3_does() {
    let world = World::with_bucket().await;
    world.put("key", b"null", &[]).await;
    world.versioned("Enabled").await;
    let first = world.put("key", b"first", &[]).await.header("x-amz-version-id").to_owned();
    assert_eq!(first.len(), 32);
    let hidden = world.done("admin", "DELETE /bkt/key", "").await;
    assert_eq!((hidden.status, hidden.header("x-amz-delete-marker")), (204, "true"));
    let marker = hidden.header("x-amz-version-id").to_owned();
    let missing = world.get("GET /bkt/key", &[]).await;
    assert_eq!((missing.status, missing.error), (404, Some("NoSuchKey")));
    assert_eq!((missing.header("x-amz-delete-marker"), missing.header("x-amz-version-id")), ("true", &*marker));
    let by_id = world.get(&format!("GET /bkt/key?versionId={marker}"), &[]).await;
    assert_eq!((by_id.status, by_id.header("allow"), by_id.header("x-amz-delete-marker")), (405, "DELETE", "true"));
    let old = world.get(&format!("GET /bkt/key?versionId={first}"), &[]).await;
    assert_eq!((&*old.text(), old.header("x-amz-version-id")), ("first", &*first));
    assert_eq!(world.get("GET /bkt/key?versionId=null", &[]).await.text(), "null");
    let back = world.done("admin", &format!("DELETE /bkt/key?versionId={marker}"), "").await;
    assert_eq!((back.header("x-amz-delete-marker"), back.header("x-amz-version-id")), ("true", &*marker));
    assert_eq!(world.get("GET /bkt/key", &[]).await.text(), "first");
    world.versioned("Suspended").await;
    assert_eq!(world.put("key", b"later", &[]).await.header("x-amz-version-id"), "");
    assert_eq!(world.get("GET /bkt/key", &[]).await.header("x-amz-version-id"), "null");
    assert_eq!(world.refused("admin", "DELETE /bkt", "").await, "BucketNotEmpty");
    // A version needs an action of its own.
    world.user("getter", ACCOUNT, &[allow(&json!("s3:GetObject"), "*")]);
    assert_eq!(world.refused("getter", &format!("GET /bkt/key?versionId={first}"), "").await, "AccessDenied");
}

#[tokio::test]
async fn under_a_kms_key_the_caller_has_to_hold_it() {
    let world = World::with_bucket().await;
    for (kind, with_bucket_key) in [("aws:kms", "false"), ("aws:kms", "true"), ("aws:kms:dsse", "false")] {
        let headers = [
            ("x-amz-server-side-encryption", kind),
            ("x-amz-server-side-encryption-bucket-key-enabled", with_bucket_key),
        ];
        let body = vec![b'x'; 100_000];
        let put = world.put("key", &body, &headers).await;
        assert_eq!(put.header("x-amz-server-side-encryption"), kind);
        assert!(put.header("x-amz-server-side-encryption-aws-kms-key-id").starts_with("arn:aws:kms:us-east-1:"));
        let etag = put.header("etag").to_owned();
        assert_eq!(etag.len(), 34);
        let got = world.get("GET /bkt/key", &[("range", "bytes=65000-66999")]).await;
        assert_eq!((got.body.len(), got.header("etag")), (2000, &*etag));
        assert!(got.body.iter().all(|byte| *byte == b'x'));
        // The same content again does not look the same.
        assert_ne!(world.put("key", &body, &headers).await.header("etag"), etag);
    }
    let arn = world.kms_key().await;
    let named = ("x-amz-server-side-encryption-aws-kms-key-id", &*arn);
    let put = world.put("key", b"hello", &[("x-amz-server-side-encryption", "aws:kms"), named]).await;
    assert_eq!(put.header(named.0), arn);
    // Without the key: the object is described, and neither its content nor a digest of it is shown.
    assert_eq!(world.done("reader", "HEAD /bkt/key", "").await.status, 200);
    assert_eq!(world.refused("reader", "GET /bkt/key", "").await, "AccessDenied");
    let asked = world.send("reader", "HEAD /bkt/key", &[("x-amz-checksum-mode", "ENABLED")], b"").await;
    assert_eq!(asked.error, Some("AccessDenied"));
    let missing =
        [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "alias/none")];
    assert_eq!(world.send("admin", "PUT /bkt/key", &missing, b"x").await.error, Some("KMS.NotFoundException"));
    let contrary = [("x-amz-server-side-encryption-aws-kms-key-id", "alias/aws/s3")];
    assert_eq!(world.send("admin", "PUT /bkt/key", &contrary, b"x").await.error, Some("InvalidArgument"));
}

#[tokio::test]
async fn a_key_that_the_caller_sends_is_asked_for_each_time() {
    let world = World::with_bucket().await;
    // Thirty-two bytes of 'k' and of 'l', and their digests.
    let key = |byte: u8| {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        use md5::Digest as _;
        (STANDARD.encode([byte; 32]), STANDARD.encode(md5::Md5::digest([byte; 32])))
    };
    let ((right, right_md5), (wrong, wrong_md5)) = (key(b'k'), key(b'l'));
    let headers = |key: &'static str| key;
    let algorithm = headers("x-amz-server-side-encryption-customer-algorithm");
    let (name, digest) = ("x-amz-server-side-encryption-customer-key", "x-amz-server-side-encryption-customer-key-md5");
    let with_right = [(algorithm, "AES256"), (name, &*right), (digest, &*right_md5)];
    let with_wrong = [(algorithm, "AES256"), (name, &*wrong), (digest, &*wrong_md5)];
    // New buckets take none.
    assert_eq!(world.send("admin", "PUT /bkt/key", &with_right, b"hello").await.error, Some("AccessDenied"));
    let allow = "<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType>\
                 </BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>";
    world.done("admin", "PUT /bkt?encryption", allow).await;
    let put = world.put("key", b"hello", &with_right).await;
    assert_eq!((put.header(algorithm), put.header(digest)), ("AES256", &*right_md5));
    assert_eq!(put.header("x-amz-server-side-encryption"), "");
    assert_ne!(put.header("etag"), HELLO);
    for method in ["GET", "HEAD"] {
        let request = format!("{method} /bkt/key");
        assert_eq!(world.get(&request, &with_right).await.status, 200);
        assert_eq!(world.get(&request, &with_wrong).await.status, 403);
        assert_eq!(world.get(&request, &[]).await.status, 400);
        let halves = [(algorithm, "AES256"), (name, &*right), (digest, &*wrong_md5)];
        assert_eq!(world.get(&request, &halves).await.status, 400);
    }
    assert_eq!(world.get("GET /bkt/key", &with_right).await.text(), "hello");
    world.put("plain", b"hello", &[]).await;
    assert_eq!(world.get("GET /bkt/plain", &with_right).await.error, Some("InvalidRequest"));
}

#[tokio::test]
async fn tags_are_those_of_the_version_that_is_meant() {
    let world = World::with_bucket().await;
    world.versioned("Enabled").await;
    let first = world.put("key", b"first", &[("x-amz-tagging", "a=1")]).await.header("x-amz-version-id").to_owned();
    world.put("key", b"second", &[]).await;
    let tagging =
        |value: &str| format!("<Tagging><TagSet><Tag><Key>a</Key><Value>{value}</Value></Tag></TagSet></Tagging>");
    let put = world.done("admin", &format!("PUT /bkt/key?tagging&versionId={first}"), &tagging("2")).await;
    assert_eq!(put.header("x-amz-version-id"), first);
    let got = world.done("reader", &format!("GET /bkt/key?tagging&versionId={first}"), "").await;
    assert!(got.text().ends_with(&tagging("2")[9..]), "{}", got.text());
    assert!(!world.done("reader", "GET /bkt/key?tagging", "").await.text().contains("<Tag>"));
    world.done("admin", "PUT /bkt/key?tagging", &tagging("3")).await;
    assert_eq!(world.done("reader", "HEAD /bkt/key", "").await.header("x-amz-tagging-count"), "1");
    assert_eq!(world.done("admin", "DELETE /bkt/key?tagging", "").await.status, 204);
    assert_eq!(world.done("reader", "HEAD /bkt/key", "").await.header("x-amz-tagging-count"), "");
    assert_eq!(world.refused("reader", "PUT /bkt/key?tagging", &tagging("4")).await, "AccessDenied");
    assert_eq!(world.refused("admin", "PUT /bkt/none?tagging", &tagging("4")).await, "NoSuchKey");
    let twice = tagging("1").replace("</TagSet>", "<Tag><Key>a</Key><Value>b</Value></Tag></TagSet>");
    assert_eq!(world.refused("admin", "PUT /bkt/key?tagging", &twice).await, "InvalidTag");
}

#[tokio::test]
async fn of_many_that_are_to_go_each_is_decided_for_itself() {
    let world = World::with_bucket().await;
    for key in ["mine/1", "mine/2", "yours/1"] {
        world.put(key, b"x", &[]).await;
    }
    world.user("half", ACCOUNT, &[allow(&json!("s3:DeleteObject"), "arn:aws:s3:::bkt/mine/*")]);
    let objects = |keys: &[&str]| {
        let objects: String = keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
        format!("<Delete>{objects}</Delete>")
    };
    let body = objects(&["mine/1", "yours/1", "mine/none"]);
    let answer = world.done("half", "POST /bkt?delete", &body).await.text();
    assert!(answer.contains("<Deleted><Key>mine/1</Key></Deleted><Deleted><Key>mine/none</Key></Deleted>"), "{answer}");
    assert!(answer.contains("<Error><Key>yours/1</Key><Code>AccessDenied</Code>"), "{answer}");
    assert_eq!(world.get("GET /bkt/mine/1", &[]).await.error, Some("NoSuchKey"));
    assert_eq!(world.get("GET /bkt/yours/1", &[]).await.error, None);
    let quiet = objects(&["mine/2"]).replace("</Delete>", "<Quiet>true</Quiet></Delete>");
    assert!(!world.done("half", "POST /bkt?delete", &quiet).await.text().contains("<Deleted>"));
    assert_eq!(world.get("GET /bkt/mine/2", &[]).await.error, Some("NoSuchKey"));
    let many: Vec<String> = (0..1001).map(|number| format!("key-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(world.refused("admin", "POST /bkt?delete", &objects(&many)).await, "MalformedXML");
    assert_eq!(world.refused("admin", "POST /bkt?delete", &objects(&[])).await, "MalformedXML");
    world.done("admin", "POST /bkt?delete", &objects(&many[1..])).await;
}

#[tokio::test]
async fn a_lock_holds_until_its_time_or_who_may_end_it() {
    let world = World::new();
    let lock = [("x-amz-bucket-object-lock-enabled", "true")];
    assert_eq!(world.send("admin", "PUT /bkt", &lock, b"").await.error, None);
    let until =
        [("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-object-lock-retain-until-date", "2026-09-22T00:00:00Z")];
    let id = world.put("key", b"hello", &until).await.header("x-amz-version-id").to_owned();
    let got = world.get("HEAD /bkt/key", &[]).await;
    assert_eq!(got.header("x-amz-object-lock-mode"), "GOVERNANCE");
    assert_eq!(got.header("x-amz-object-lock-retain-until-date"), "2026-09-22T00:00:00.000Z");
    let version = format!("DELETE /bkt/key?versionId={id}");
    assert_eq!(world.refused("admin", &version, "").await, "AccessDenied");
    // Longer is for everybody who may, shorter only for who may end it.
    let retention = |mode: &str, day: &str| {
        format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>2026-09-{day}T00:00:00Z</RetainUntilDate></Retention>")
    };
    let put = format!("PUT /bkt/key?retention&versionId={id}");
    world.done("admin", &put, &retention("GOVERNANCE", "24")).await;
    assert_eq!(world.refused("admin", &put, &retention("GOVERNANCE", "23")).await, "AccessDenied");
    let bypass = [("x-amz-bypass-governance-retention", "true")];
    let shorter = world.send("admin", &put, &bypass, retention("GOVERNANCE", "23").as_bytes()).await;
    assert_eq!(shorter.error, None);
    let text = world.done("reader", &format!("GET /bkt/key?retention&versionId={id}"), "").await.text();
    assert!(text.contains("<Mode>GOVERNANCE</Mode><RetainUntilDate>2026-09-23T00:00:00"), "{text}");
    assert_eq!(world.refused("admin", &put, &retention("GOVERNANCE", "01")).await, "InvalidArgument");
    // A legal hold yields to nobody.
    let hold = |status: &str| format!("<LegalHold><Status>{status}</Status></LegalHold>");
    world.done("admin", "PUT /bkt/key?legal-hold", &hold("ON")).await;
    assert_eq!(world.send("admin", &version, &bypass, b"").await.error, Some("AccessDenied"));
    assert!(world.done("reader", "GET /bkt/key?legal-hold", "").await.text().contains("<Status>ON</Status>"));
    world.done("admin", "PUT /bkt/key?legal-hold", &hold("OFF")).await;
    // Nor does compliance, until its time.
    world.done("admin", &put, &retention("COMPLIANCE", "25")).await;
    assert_eq!(world.send("admin", &version, &bypass, b"").await.error, Some("AccessDenied"));
    let weaker = world.send("admin", &put, &bypass, retention("GOVERNANCE", "26").as_bytes()).await;
    assert_eq!(weaker.error, Some("AccessDenied"));
    world.pass_seconds(5 * 86_400);
    assert_eq!(world.done("admin", &version, "").await.status, 204);
    // Where no bucket has locks, no version has.
    world.done("admin", "PUT /other", "").await;
    assert_eq!(world.send("admin", "PUT /other/key", &until, b"x").await.error, Some("InvalidRequest"));
}

#[tokio::test]
async fn a_copy_has_its_sources_content_and_details_and_a_key_of_its_own() {
    let world = World::with_bucket().await;
    let body = vec![b'c'; 70_000];
    let headers = [("content-type", "text/plain"), ("x-amz-meta-colour", "blue"), ("x-amz-tagging", "a=b")];
    let put = world.put("dir/a%20b", &body, &headers).await;
    world.done("admin", "PUT /other", "").await;
    let copy = async |caller: &str, to: &str, headers: &[(&str, &str)]| {
        let headers: Vec<_> = [("x-amz-copy-source", "/bkt/dir/a%20b")].iter().chain(headers).copied().collect();
        world.send(caller, to, &headers, b"").await
    };
    let copied = copy("admin", "PUT /other/key", &[]).await;
    assert_eq!(copied.error, None, "{}", copied.text());
    let etag = put.header("etag").trim_matches('"').to_owned();
    let checksum = put.header("x-amz-checksum-crc64nvme").to_owned();
    assert!(copied.text().contains(&format!("<ETag>&quot;{etag}&quot;</ETag>")), "{}", copied.text());
    assert!(copied.text().contains(&format!("<ChecksumCRC64NVME>{checksum}</ChecksumCRC64NVME>")), "{}", copied.text());
    let got = world.get("GET /other/key", &[]).await;
    assert_eq!((got.header("content-type"), got.header("x-amz-meta-colour")), ("text/plain", "blue"));
    assert_eq!((got.header("x-amz-tagging-count"), got.body.len()), ("1", 70_000));
    let replaced = [("x-amz-metadata-directive", "REPLACE"), ("x-amz-tagging-directive", "REPLACE")];
    copy("admin", "PUT /other/key", &replaced).await;
    let got = world.get("HEAD /other/key", &[]).await;
    assert_eq!((got.header("content-type"), got.header("x-amz-meta-colour")), ("binary/octet-stream", ""));
    assert_eq!(got.header("x-amz-tagging-count"), "");
    // Onto itself only with something changed.
    let itself = copy("admin", "PUT /bkt/dir/a%20b", &[]).await;
    assert_eq!(itself.error, Some("InvalidRequest"));
    let by_kms = copy("admin", "PUT /bkt/dir/a%20b", &[("x-amz-server-side-encryption", "aws:kms")]).await;
    assert_eq!((by_kms.error, by_kms.header("x-amz-server-side-encryption")), (None, "aws:kms"));
    assert!(!by_kms.text().contains(&etag), "{}", by_kms.text());
    assert_eq!(world.get("GET /bkt/dir/a%20b", &[]).await.body, body);
    // Conditions on the source, and another algorithm.
    let stale = copy("admin", "PUT /other/key", &[("x-amz-copy-source-if-match", "x")]).await;
    assert_eq!((stale.error, stale.status), (Some("PreconditionFailed"), 412));
    let newer =
        copy("admin", "PUT /other/key", &[("x-amz-copy-source-if-modified-since", "Mon, 28 Sep 2026 00:00:00 GMT")])
            .await;
    assert_eq!(newer.error, None, "a date in the future does not count");
    let sha = copy("admin", "PUT /other/key", &[("x-amz-checksum-algorithm", "SHA256")]).await;
    assert!(sha.text().contains("<ChecksumSHA256>"), "{}", sha.text());
    // The source needs permissions of its own.
    world.user("writer", ACCOUNT, &[allow(&json!("s3:Put*"), "*")]);
    assert_eq!(copy("writer", "PUT /other/key", &[]).await.error, Some("AccessDenied"));
    world.user("both", ACCOUNT, &[allow(&json!(["s3:Put*", "s3:GetObject"]), "*")]);
    assert_eq!(copy("both", "PUT /other/key", &[]).await.error, Some("AccessDenied"), "the source has tags");
    assert_eq!(copy("both", "PUT /other/key", &replaced).await.error, None);
    let missing = [("x-amz-copy-source", "bkt/none")];
    assert_eq!(world.send("admin", "PUT /other/key", &missing, b"").await.error, Some("NoSuchKey"));
    let nowhere = [("x-amz-copy-source", "bkt")];
    assert_eq!(world.send("admin", "PUT /other/key", &nowhere, b"").await.error, Some("InvalidArgument"));
}

#[tokio::test]
async fn attributes_are_those_that_are_asked_for() {
    let world = World::with_bucket().await;
    world.put("key", b"hello", &[("x-amz-checksum-crc32", "NhCmhg==")]).await;
    let ask = async |names: &str| world.get("GET /bkt/key?attributes", &[("x-amz-object-attributes", names)]).await;
    let all = ask("ETag,Checksum,ObjectParts,StorageClass,ObjectSize").await.text();
    let expected = "<ETag>5d41402abc4b2a76b9719d911017c592</ETag><Checksum><ChecksumType>FULL_OBJECT</ChecksumType>\
                    <ChecksumCRC32>NhCmhg==</ChecksumCRC32></Checksum><StorageClass>STANDARD</StorageClass>\
                    <ObjectSize>5</ObjectSize></GetObjectAttributesResponse>";
    assert!(all.ends_with(expected), "{all}");
    let one = ask("ObjectSize").await;
    assert!(one.text().ends_with("\"><ObjectSize>5</ObjectSize></GetObjectAttributesResponse>"), "{}", one.text());
    assert_ne!(one.header("last-modified"), "");
    assert_eq!(ask("Colour").await.error, Some("InvalidArgument"));
}

#[tokio::test]
async fn another_kms_key_for_an_object_leaves_all_else_as_it_was() {
    let world = World::with_bucket().await;
    let arn = world.kms_key().await;
    let put = world.put("key", b"hello", &[]).await;
    let body =
        |arn: &str| format!("<ObjectEncryption><SSE-KMS><KMSKeyArn>{arn}</KMSKeyArn></SSE-KMS></ObjectEncryption>");
    world.done("admin", "PUT /bkt/key?encryption", &body(&arn)).await;
    let got = world.get("GET /bkt/key", &[]).await;
    assert_eq!((&*got.text(), got.header("etag")), ("hello", put.header("etag")));
    assert_eq!(got.header("x-amz-server-side-encryption-aws-kms-key-id"), arn);
    assert_eq!(world.refused("reader", "GET /bkt/key", "").await, "AccessDenied");
    for wrong in ["alias/aws/s3", "arn:aws:kms:us-east-1:444455556666:key/x", "key/x"] {
        assert_eq!(world.refused("admin", "PUT /bkt/key?encryption", &body(wrong)).await, "InvalidRequest", "{wrong}");
    }
    let missing = format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000");
    assert_eq!(world.refused("admin", "PUT /bkt/key?encryption", &body(&missing)).await, "KMS.NotFoundException");
    world.put("two", b"hello", &[("x-amz-server-side-encryption", "aws:kms:dsse")]).await;
    assert_eq!(world.refused("admin", "PUT /bkt/two?encryption", &body(&arn)).await, "InvalidRequest");
}

#[tokio::test]
async fn a_renamed_object_is_found_under_its_new_key_alone() {
    let world = World::with_bucket().await;
    world.put("old", b"hello", &[]).await;
    let rename = async |caller: &str, source: &str, headers: &[(&str, &str)]| {
        let headers: Vec<_> = [("x-amz-rename-source", source)].iter().chain(headers).copied().collect();
        world.send(caller, "PUT /bkt/new?renameObject", &headers, b"").await
    };
    assert_eq!(rename("reader", "/bkt/old", &[]).await.error, Some("AccessDenied"));
    assert_eq!(rename("admin", "/other/old", &[]).await.error, Some("InvalidRequest"));
    assert_eq!(
        rename("admin", "/bkt/old", &[("x-amz-rename-source-if-match", "x")]).await.error,
        Some("PreconditionFailed")
    );
    assert_eq!(rename("admin", "/bkt/old", &[("if-none-match", "*")]).await.error, None);
    assert_eq!(world.get("GET /bkt/new", &[]).await.text(), "hello");
    assert_eq!(world.get("GET /bkt/old", &[]).await.error, Some("NoSuchKey"));
    assert_eq!(rename("admin", "/bkt/old", &[]).await.error, Some("NoSuchKey"));
}

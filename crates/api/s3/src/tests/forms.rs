//! Forms of browsers: who may send which, what they put, and how they are answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::hex;

use super::*;

/// The date of a form's signature.
const DATE: &str = "20260921";

/// When policies end whose tests do not say it: some minutes after the tests begin.
const END: &str = "2026-09-21T14:20:00Z";

/// A policy that ends then, of these conditions and those of every signature.
fn policy(end: &str, conditions: &[Value]) -> String {
    let mut conditions = conditions.to_vec();
    for field in ["$x-amz-algorithm", "$x-amz-credential", "$x-amz-date"] {
        conditions.push(json!(["starts-with", field, ""]));
    }
    STANDARD.encode(json!({"expiration": end, "conditions": conditions}).to_string())
}

/// The conditions that a form into this bucket with exactly these fields meets.
fn exactly(bucket: &str, fields: &[(&str, &str)]) -> Vec<Value> {
    let all = fields.iter().copied().chain([("bucket", bucket)]);
    all.map(|(name, value)| json!(["eq", format!("${name}"), value])).collect()
}

/// A form with a file, as browsers send it.
fn body(fields: &[(&str, &str)], file: &[u8]) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\photos\\cat.png\"\r\n";
    body += "Content-Type: text/html\r\n\r\n";
    [body.as_bytes(), file, b"\r\n--edge--\r\n"].concat()
}

impl World {
    /// Sends a form whose policy allows exactly its fields, signed by a user, or by nobody and without a policy.
    pub(crate) async fn post(
        &self,
        caller: Option<&str>,
        bucket: &str,
        fields: &[(&str, &str)],
        file: &[u8],
    ) -> Answer {
        match caller {
            Some(caller) => self.post_by(caller, bucket, &policy(END, &exactly(bucket, fields)), fields, file).await,
            None => self.post_body(bucket, &body(fields, file)).await,
        }
    }

    /// Sends a form with a policy that a user signed.
    async fn post_by(&self, caller: &str, bucket: &str, policy: &str, fields: &[(&str, &str)], file: &[u8]) -> Answer {
        let key = SigningKey::derive(b"secret", DATE, REGION, "s3");
        let signature = hex::encode(&key.sign(&[policy.as_bytes()]));
        let (credential, date) = (format!("{caller}/{DATE}/{REGION}/s3/aws4_request"), format!("{DATE}T141320Z"));
        let own = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &*credential),
            ("X-Amz-Date", &*date),
            ("Policy", policy),
            ("X-Amz-Signature", &*signature),
        ];
        self.post_body(bucket, &body(&[fields, &own].concat(), file)).await
    }

    async fn post_body(&self, bucket: &str, body: &[u8]) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("host", "s3.example.com:8443".parse().expect("a value"));
        headers.insert("content-type", "multipart/form-data; boundary=edge".parse().expect("a value"));
        let uri = format!("/{bucket}").parse().expect("a target");
        self.deliver(&Method::POST, &uri, &headers, body).await
    }
}

#[tokio::test]
async fn a_form_puts_its_file_with_what_its_fields_say() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    let fields = [
        ("key", "in/${filename}"),
        ("Content-Type", "image/png"),
        ("acl", "bucket-owner-full-control"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-server-side-encryption", "AES256"),
        ("tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"),
    ];
    // Conditions are about the fields as the file's name makes them.
    let mut expanded = fields;
    expanded[0].1 = "in/cat.png";
    let allowed = policy(END, &exactly("bkt", &expanded));
    let posted =
        world.post_by("admin", "bkt", &allowed, &[&fields[..], &[("x-ignore-me", "1")]].concat(), b"hello").await;
    assert_eq!((posted.status, posted.body.len()), (204, 0), "{}", posted.text());
    assert_eq!(posted.header("location"), "https://s3.example.com:8443/bkt/in%2Fcat.png");
    assert_eq!(posted.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    let got = world.done("admin", "GET /bkt/in/cat.png", "").await;
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-tagging-count", "1"),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    assert_eq!(got.text(), "hello");
}

#[tokio::test]
async fn a_form_is_answered_as_it_asks() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    for (status, expect) in [("200", 200), ("201", 201), ("204", 204), ("500", 204)] {
        let posted = world.post(Some("admin"), "bkt", &[("key", "a b"), ("success_action_status", status)], b"x").await;
        assert_eq!(posted.status, expect, "{}", posted.text());
        assert_eq!(posted.body.is_empty(), expect != 201, "{}", posted.text());
        if expect == 201 {
            let text = posted.text();
            let document = "<PostResponse><Location>https://s3.example.com:8443/bkt/a%20b</Location><Bucket>bkt</Bucket>\
                            <Key>a b</Key><ETag>\"9dd4e461268c8034f5c8564e155c67a6\"</ETag></PostResponse>";
            assert!(text.replace("&quot;", "\"").ends_with(document), "{text}");
        }
    }
    let to = ("success_action_redirect", "https://example.com/done?from=here");
    let posted = world.post(Some("admin"), "bkt", &[("key", "a&b"), to], b"x").await;
    let location =
        "https://example.com/done?from=here&bucket=bkt&key=a%26b&etag=%229dd4e461268c8034f5c8564e155c67a6%22";
    assert_eq!((posted.status, posted.header("location")), (303, location));
}

#[tokio::test]
async fn a_form_that_its_policy_does_not_allow_puts_nothing() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    let conditions = |more: &Value| [json!({"bucket": "bkt"}), json!(["starts-with", "$key", "u/"]), more.clone()];
    let bounds = json!(["content-length-range", 2, 4]);
    let within = policy(END, &conditions(&bounds));
    let allowed = ("key", "u/a");
    for (policy, fields, file, expect) in [
        (&within, &[("key", "v/a")][..], &b"abc"[..], "AccessDenied"),
        (&within, &[allowed, ("x-amz-meta-a", "b")], b"abc", "AccessDenied"),
        (&within, &[allowed], b"a", "EntityTooSmall"),
        (&within, &[allowed], b"abcde", "EntityTooLarge"),
        (&within, &[], b"abc", "AccessDenied"),
        (&policy("2026-09-21T14:13:19Z", &conditions(&bounds)), &[allowed], b"abc", "AccessDenied"),
        (&policy(END, &[json!({"bucket": "other"}), json!({"key": "u/a"})]), &[allowed], b"abc", "AccessDenied"),
        (&STANDARD.encode("{}"), &[allowed], b"abc", "InvalidPolicyDocument"),
        (&policy(END, &[json!({"bucket": "bkt"})]), &[], b"abc", "InvalidArgument"),
    ] {
        let refused = world.post_by("admin", "bkt", policy, fields, file).await;
        assert_eq!(refused.error, Some(expect), "{fields:?} {file:?}: {}", refused.text());
    }
    let too_small = world.post_by("admin", "bkt", &within, &[allowed], b"a").await.text();
    assert!(too_small.contains("<ProposedSize>1</ProposedSize><MinSizeAllowed>2</MinSizeAllowed>"), "{too_small}");
    let listed = world.done("admin", "GET /bkt?versions", "").await.text();
    assert!(!listed.contains("<Version>"), "{listed}");
    let posted = world.post_by("admin", "bkt", &within, &[allowed], b"abcd").await;
    assert_eq!(posted.status, 204, "{}", posted.text());
}

#[tokio::test]
async fn a_form_may_what_its_signer_may() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    world.user("putter", ACCOUNT, &[allow(&json!("s3:PutObject"), "arn:aws:s3:::bkt/mine/*")]);
    let tags = ("tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>");
    for (caller, fields, error) in [
        ("putter", &[("key", "mine/a")][..], None),
        ("putter", &[("key", "other/a")], Some("AccessDenied")),
        ("putter", &[("key", "mine/b"), tags], Some("AccessDenied")),
        ("nobody", &[("key", "mine/a")], Some("AccessDenied")),
        ("stranger", &[("key", "mine/a")], Some("AccessDenied")),
        ("unknown", &[("key", "mine/a")], Some("InvalidAccessKeyId")),
    ] {
        let posted = world.post(Some(caller), "bkt", fields, b"x").await;
        assert_eq!(posted.error, error, "{caller} {fields:?}: {}", posted.text());
    }
    // Nobody's need no policy of their own, but the bucket's.
    assert_eq!(world.post(None, "bkt", &[("key", "open/a")], b"x").await.error, Some("AccessDenied"));
    world.done("admin", "DELETE /bkt?publicAccessBlock", "").await;
    let open = policy_of(&json!("*"), &json!("s3:PutObject"), &json!("arn:aws:s3:::bkt/open/*"));
    world.done("admin", "PUT /bkt?policy", &open).await;
    let posted = world.post(None, "bkt", &[("key", "open/a")], b"x").await;
    assert_eq!(posted.status, 204, "{}", posted.text());
    assert_eq!(world.post(None, "bkt", &[("key", "closed/a")], b"x").await.error, Some("AccessDenied"));
    assert_eq!(world.post(None, "bkt", &[("key", "open/b"), tags], b"x").await.error, Some("AccessDenied"));
}

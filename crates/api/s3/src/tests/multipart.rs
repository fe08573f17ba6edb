//! Uploads in parts, from their beginning to the object.

use super::*;

const ETAG: &str = "&quot;6b489a9b12d79ba2928d2a23cb61503b-2&quot;";

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map_or("", |(found, _)| found)
}

#[tokio::test]
async fn an_upload_in_parts_becomes_one_object() {
    let world = World::new();
    world.done("admin", "PUT /photos", "").await;
    let begun = world.done("admin", "POST /photos/cat?uploads", "").await.text();
    let id = between(&begun, "<UploadId>", "</UploadId>").to_owned();
    let (first, second) = (vec![b'a'; 5 << 20], b"bc".to_vec());
    let mut listed = String::new();
    for (number, body) in [(1, &first), (2, &second)] {
        let put = world.send("admin", &format!("PUT /photos/cat?partNumber={number}&uploadId={id}"), &[], body).await;
        assert_eq!(put.status, 200, "{}", put.text());
        listed += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", put.header("etag"));
    }
    let complete = format!("POST /photos/cat?uploadId={id}");
    let all = format!("<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>");
    assert_eq!(world.refused("admin", &complete, "<CompleteMultipartUpload/>").await, "InvalidRequest");
    let wrong =
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>";
    assert_eq!(world.refused("admin", &complete, wrong).await, "InvalidPart");
    assert_eq!(world.refused("nobody", &complete, &all).await, "AccessDenied");
    let done = world.done("admin", &complete, &all).await.text();
    // From Python's hashlib, over the digests of both parts.
    assert_eq!(between(&done, "<ETag>", "</ETag>"), ETAG, "{done}");
    assert!(done.contains("<ChecksumType>FULL_OBJECT</ChecksumType>"), "{done}");
    let got = world.send("admin", "GET /photos/cat", &[("range", "bytes=5242879-")], b"").await;
    assert_eq!((got.status, got.text().as_str()), (206, "abc"));
    let whole = world.send("admin", "PUT /photos/whole", &[], &[first, second].concat()).await;
    let expected = between(&done, "<ChecksumCRC64NVME>", "</ChecksumCRC64NVME>");
    assert_eq!(whole.header("x-amz-checksum-crc64nvme"), expected, "of the whole, as of the parts together");
    assert_eq!(world.refused("admin", &format!("DELETE /photos/cat?uploadId={id}"), "").await, "NoSuchUpload");
}

impl World {
    /// Begins an upload of `key` of the bucket `bkt`. Returns its id.
    async fn begun(&self, key: &str, headers: &[(&str, &str)]) -> String {
        let begun = self.send("admin", &format!("POST /bkt/{key}?uploads"), headers, b"").await;
        assert_eq!(begun.error, None, "{}", begun.text());
        between(&begun.text(), "<UploadId>", "</UploadId>").to_owned()
    }

    /// Puts a part. Returns its element in a list of parts.
    async fn part(&self, key: &str, id: &str, number: u16, body: &[u8], headers: &[(&str, &str)]) -> String {
        let put = self.send("admin", &format!("PUT /bkt/{key}?partNumber={number}&uploadId={id}"), headers, body).await;
        assert_eq!(put.error, None, "{}", put.text());
        element(number, put.header("etag"), "")
    }

    async fn complete(&self, key: &str, id: &str, parts: &str, headers: &[(&str, &str)]) -> Answer {
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.send("admin", &format!("POST /bkt/{key}?uploadId={id}"), headers, body.as_bytes()).await
    }
}

/// A part in the list of those that an object is to have.
fn element(number: u16, etag: &str, checksum: &str) -> String {
    format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{checksum}</Part>")
}

#[tokio::test]
async fn parts_are_listed_in_pages_and_only_to_who_may() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    let id = world.begun("key", &[("x-amz-checksum-algorithm", "SHA256")]).await;
    let list = format!("GET /bkt/key?uploadId={id}");
    let none = world.done("admin", &list, "").await.text();
    assert!(none.contains("<NextPartNumberMarker>0</NextPartNumberMarker>"), "{none}");
    assert!(none.contains("<ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>COMPOSITE<"), "{none}");
    for number in [7, 2, 4] {
        world.part("key", &id, number, &[b'a'; 3], &[]).await;
    }
    let first = world.done("admin", &format!("{list}&max-parts=2"), "").await.text();
    let numbers = |text: &str| -> Vec<String> {
        text.split("<PartNumber>").skip(1).filter_map(|rest| Some(rest.split_once('<')?.0.to_owned())).collect()
    };
    assert_eq!(numbers(&first), ["2", "4"]);
    assert!(first.contains("<IsTruncated>true</IsTruncated>"), "{first}");
    // From Python's hashlib, of `aaa`.
    assert!(first.contains("<ETag>&quot;47bce5c74f589f4867dbd57e9ca9f808&quot;</ETag><Size>3</Size>"), "{first}");
    let sha256 = "mDSHbc+wXLFnpcJJU+uljErImxrfV/KPL50JrxB+6PA=";
    assert!(first.contains(&format!("<ChecksumSHA256>{sha256}</ChecksumSHA256>")), "{first}");
    let rest = world.done("admin", &format!("{list}&max-parts=2&part-number-marker=4"), "").await.text();
    assert_eq!((numbers(&rest), rest.contains("<IsTruncated>false<")), (vec!["7".to_owned()], true));
    assert_eq!(world.refused("nobody", &list, "").await, "AccessDenied");
    assert_eq!(world.refused("admin", &list.replace("/key", "/other"), "").await, "NoSuchUpload");
}

#[tokio::test]
async fn uploads_are_listed_by_key_and_then_by_their_beginning() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    let mut ids = Vec::new();
    for key in ["b", "dir/1", "b", "dir/2", "e"] {
        ids.push(world.begun(key, &[]).await);
    }
    let text = async |query: &str| world.done("admin", &format!("GET /bkt?uploads{query}"), "").await.text();
    let listed = |text: &str| -> Vec<String> {
        text.split("<Upload><UploadId>").skip(1).filter_map(|rest| Some(rest.split_once('<')?.0.to_owned())).collect()
    };
    let all = text("").await;
    assert_eq!(listed(&all), [0, 2, 1, 3, 4].map(|at: usize| ids[at].clone()));
    assert!(all.contains("<KeyMarker></KeyMarker>") || all.contains("<KeyMarker/>"), "{all}");
    let grouped = text("&delimiter=/").await;
    assert_eq!(listed(&grouped), [0, 2, 4].map(|at: usize| ids[at].clone()));
    assert_eq!(between(&grouped, "<CommonPrefixes><Prefix>", "<"), "dir/");
    let page = text("&max-uploads=1").await;
    assert_eq!((between(&page, "<NextKeyMarker>", "<"), between(&page, "<NextUploadIdMarker>", "<")), ("b", &*ids[0]));
    let next = text(&format!("&max-uploads=1&key-marker=b&upload-id-marker={}", ids[0])).await;
    assert_eq!(listed(&next), [ids[2].clone()]);
    let behind = text("&max-uploads=2&key-marker=b").await;
    assert_eq!(listed(&behind), [1, 3].map(|at: usize| ids[at].clone()));
    assert_eq!(listed(&text("&prefix=dir/").await), [1, 3].map(|at: usize| ids[at].clone()));
    world.done("admin", &format!("DELETE /bkt/e?uploadId={}", ids[4]), "").await;
    assert!(!text("").await.contains(&ids[4]));
    assert_eq!(world.refused("nobody", "GET /bkt?uploads", "").await, "AccessDenied");
}

#[tokio::test]
async fn a_part_is_copied_from_an_object_that_the_caller_may_read() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    let body: Vec<u8> = (0..6 << 20).map(|at: u32| (at % 251) as u8).collect();
    assert_eq!(world.send("admin", "PUT /bkt/from%20here", &[], &body).await.error, None);
    let id = world.begun("key", &[("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")]).await;
    let copy = async |caller: &str, number: u16, headers: &[(&str, &str)]| {
        let headers: Vec<_> = [("x-amz-copy-source", "bkt/from%20here")].iter().chain(headers).copied().collect();
        world.send(caller, &format!("PUT /bkt/key?partNumber={number}&uploadId={id}"), &headers, b"").await
    };
    let whole = copy("admin", 1, &[]).await.text();
    assert!(whole.contains("<CopyPartResult") && whole.contains("<ChecksumCRC32>"), "{whole}");
    let range = copy("admin", 2, &[("x-amz-copy-source-range", "bytes=10-19")]).await.text();
    let etag = |text: &str| between(text, "<ETag>", "</ETag>").to_owned();
    let parts = [element(1, &etag(&whole), ""), element(2, &etag(&range), "")].concat();
    for (header, value, code) in [
        ("x-amz-copy-source-range", "bytes=0-6291456", "InvalidArgument"),
        ("x-amz-copy-source-range", "bytes=5-", "InvalidArgument"),
        ("x-amz-copy-source-if-match", "x", "PreconditionFailed"),
    ] {
        assert_eq!(copy("admin", 3, &[(header, value)]).await.error, Some(code), "{value}");
    }
    world.user("writer", ACCOUNT, &[allow(&json!("s3:PutObject"), "*")]);
    assert_eq!(copy("writer", 3, &[]).await.error, Some("AccessDenied"));
    let done = world.complete("key", &id, &parts, &[]).await;
    assert_eq!(done.error, None, "{}", done.text());
    let got = world.send("admin", "GET /bkt/key", &[], b"").await;
    assert!(got.body == [&body[..], &body[10..20]].concat());
    let part = world.send("admin", "GET /bkt/key?partNumber=2", &[], b"").await;
    assert_eq!((part.status, part.header("x-amz-mp-parts-count"), part.body.as_ref()), (206, "2", &body[10..20]));
}

#[tokio::test]
async fn completing_again_with_the_same_parts_answers_the_same() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    let id = world.begun("key", &[("x-amz-meta-colour", "blue"), ("x-amz-tagging", "a=b")]).await;
    let parts =
        [world.part("key", &id, 3, &vec![b'a'; 5 << 20], &[]).await, world.part("key", &id, 9, b"end", &[]).await];
    let (both, last) = (parts.concat(), parts[1].clone());
    let wrong_size = world.complete("key", &id, &both, &[("x-amz-mp-object-size", "5")]).await;
    assert_eq!(wrong_size.error, Some("InvalidRequest"));
    let backwards = world.complete("key", &id, &[&*last, &*parts[0]].concat(), &[]).await;
    assert_eq!(backwards.error, Some("InvalidPartOrder"));
    let first = world.complete("key", &id, &both, &[("x-amz-mp-object-size", "5242883")]).await;
    assert_eq!(first.error, None, "{}", first.text());
    assert!(first.text().contains("<Location>https://s3.example.com:8443/bkt/key</Location>"), "{}", first.text());
    let again = world.complete("key", &id, &both, &[]).await;
    assert_eq!((again.status, again.text()), (200, first.text()));
    assert_eq!(world.complete("key", &id, &last, &[]).await.error, Some("NoSuchUpload"));
    let got = world.send("admin", "HEAD /bkt/key", &[], b"").await;
    assert_eq!((got.header("x-amz-meta-colour"), got.header("x-amz-tagging-count")), ("blue", "1"));
    // Nobody chose an algorithm: there are two parts, and no list of their checksums.
    let asked = [("x-amz-object-attributes", "ObjectParts")];
    let attributes = world.send("admin", "GET /bkt/key?attributes", &asked, b"").await.text();
    assert!(attributes.contains("<PartsCount>2</PartsCount></ObjectParts>"), "{attributes}");
    // Not once the object is another.
    assert_eq!(world.send("admin", "PUT /bkt/key", &[], b"other").await.error, None);
    assert_eq!(world.complete("key", &id, &both, &[]).await.error, Some("NoSuchUpload"));
    let id = world.begun("key", &[]).await;
    let short = [world.part("key", &id, 1, b"short", &[]).await, world.part("key", &id, 2, b"end", &[]).await].concat();
    let refused = world.complete("key", &id, &short, &[]).await;
    assert_eq!(refused.error, Some("EntityTooSmall"));
    assert!(refused.text().contains("<MinSizeAllowed>5242880</MinSizeAllowed>"), "{}", refused.text());
}

#[tokio::test]
async fn conditions_count_when_an_upload_is_completed() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    let absent = [("if-none-match", "*")];
    let id = world.begun("key", &[]).await;
    let part = world.part("key", &id, 1, b"x", &[]).await;
    assert_eq!(world.complete("key", &id, &part, &[("if-match", "\"x\"")]).await.error, Some("NoSuchKey"));
    // Somebody else was faster, and the object is gone again.
    assert_eq!(world.send("admin", "PUT /bkt/key", &[], b"other").await.error, None);
    assert_eq!(world.complete("key", &id, &part, &absent).await.error, Some("PreconditionFailed"));
    let put = world.send("admin", "PUT /bkt/key", &[], b"other").await;
    let conflict = world.complete("key", &id, &part, &[("if-match", put.header("etag"))]).await;
    assert_eq!((conflict.error, conflict.status), (Some("ConditionalRequestConflict"), 409));
    assert_eq!(world.complete("key", &id, &part, &[]).await.error, None);
}

#[tokio::test]
async fn checksums_of_parts_make_that_of_the_object() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    for (headers, code) in [
        ([("x-amz-checksum-algorithm", "TEST"), ("x-amz-meta-a", "b")], "InvalidRequest"),
        ([("x-amz-checksum-type", "COMPOSITE"), ("x-amz-meta-a", "b")], "InvalidRequest"),
        ([("x-amz-checksum-algorithm", "SHA1"), ("x-amz-checksum-type", "FULL_OBJECT")], "InvalidRequest"),
        ([("x-amz-checksum-algorithm", "CRC64NVME"), ("x-amz-checksum-type", "COMPOSITE")], "InvalidRequest"),
    ] {
        assert_eq!(world.send("admin", "POST /bkt/key?uploads", &headers, b"").await.error, Some(code), "{headers:?}");
    }
    let id = world.begun("key", &[("x-amz-checksum-algorithm", "CRC32")]).await;
    let put = format!("PUT /bkt/key?partNumber=1&uploadId={id}");
    let other = world.send("admin", &put, &[("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=")], b"hello").await;
    assert_eq!(other.error, Some("InvalidRequest"));
    let right = world.send("admin", &put, &[("x-amz-checksum-crc32", "NhCmhg==")], b"hello").await;
    assert_eq!((right.header("x-amz-checksum-crc32"), right.error), ("NhCmhg==", None));
    let etag = right.header("etag").to_owned();
    let part = |checksum: &str| element(1, &etag, checksum);
    let crc = "<ChecksumCRC32>NhCmhg==</ChecksumCRC32>";
    for (parts, headers, code) in [
        (part(""), &[][..], "InvalidRequest"),
        (part("<ChecksumCRC32>AAAAAA==</ChecksumCRC32>"), &[], "InvalidPart"),
        (part("<ChecksumSHA1>qvTGHdzF6KLavt4PO0gs2a6pQ00=</ChecksumSHA1>"), &[], "BadDigest"),
        (part(crc), &[("x-amz-checksum-type", "FULL_OBJECT")], "InvalidRequest"),
        (part(crc), &[("x-amz-checksum-crc32", "AAAAAA==")], "BadDigest"),
        (part(crc), &[("x-amz-checksum-crc32", "NhCmhg==")], "BadDigest"),
    ] {
        assert_eq!(world.complete("key", &id, &parts, headers).await.error, Some(code), "{parts} {headers:?}");
    }
    let done = world.complete("key", &id, &part(crc), &[("x-amz-checksum-type", "COMPOSITE")]).await;
    // From Python's zlib, of the four bytes of the part's.
    assert_eq!(between(&done.text(), "<ChecksumCRC32>", "<"), "FKTmaw==-1", "{}", done.text());
    let head = world.send("admin", "HEAD /bkt/key", &[("x-amz-checksum-mode", "ENABLED")], b"").await;
    assert_eq!((head.header("x-amz-checksum-crc32"), head.header("x-amz-checksum-type")), ("FKTmaw==-1", "COMPOSITE"));
    // Of the whole: the same as if it had come in one piece.
    let id = world.begun("key", &[("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")]).await;
    let part = world.part("key", &id, 1, b"hello", &[]).await;
    assert_eq!(
        world.complete("key", &id, &part, &[("x-amz-checksum-crc32", "AAAAAA==")]).await.error,
        Some("BadDigest")
    );
    let done = world.complete("key", &id, &part, &[("x-amz-checksum-crc32", "NhCmhg==")]).await;
    assert!(done.text().contains(&format!("<ChecksumType>FULL_OBJECT</ChecksumType>{crc}")), "{}", done.text());
}

#[tokio::test]
async fn every_part_needs_the_key_that_the_upload_was_begun_with() {
    let world = World::new();
    world.done("admin", "PUT /bkt", "").await;
    // Under a KMS key: who may write the object and not use the key adds nothing to it.
    let arn = world.kms_key().await;
    let sealed = [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", &*arn)];
    let id = world.begun("key", &sealed).await;
    world.user("writer", ACCOUNT, &[allow(&json!("s3:*"), "*")]);
    let put = format!("PUT /bkt/key?partNumber=1&uploadId={id}");
    assert_eq!(world.refused("writer", &put, "x").await, "AccessDenied");
    assert_eq!(world.send("writer", "POST /bkt/key?uploads", &sealed, b"").await.error, Some("AccessDenied"));
    let part = world.part("key", &id, 1, b"sealed", &[]).await;
    let body = format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>");
    assert_eq!(world.refused("writer", &format!("POST /bkt/key?uploadId={id}"), &body).await, "AccessDenied");
    let done = world.complete("key", &id, &part, &[]).await;
    assert_eq!((done.error, done.header("x-amz-server-side-encryption")), (None, "aws:kms"));
    assert_eq!(world.done("admin", "GET /bkt/key", "").await.text(), "sealed");
    assert_eq!(world.refused("writer", "GET /bkt/key", "").await, "AccessDenied");
    // Under a key of the caller's.
    let allow = "<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType>\
                 </BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>";
    world.done("admin", "PUT /bkt?encryption", allow).await;
    let (right, other) = (customer_key(b'k'), customer_key(b'l'));
    let id = world.begun("key", &headers_of(&right)).await;
    let put = format!("PUT /bkt/key?partNumber=1&uploadId={id}");
    for headers in [&[][..], &headers_of(&other)] {
        assert_eq!(world.send("admin", &put, headers, b"x").await.error, Some("InvalidRequest"));
    }
    let part = world.part("key", &id, 1, b"hidden", &headers_of(&right)).await;
    assert_eq!(world.complete("key", &id, &part, &headers_of(&other)).await.status, 403);
    let done = world.complete("key", &id, &part, &headers_of(&right)).await;
    assert_eq!(done.error, None, "{}", done.text());
    assert_eq!(world.send("admin", "GET /bkt/key", &headers_of(&right), b"").await.text(), "hidden");
    assert_eq!(world.send("admin", "GET /bkt/key", &[], b"").await.error, Some("InvalidRequest"));
    // And none where the upload has another protection.
    let id = world.begun("plain", &[]).await;
    let put = format!("PUT /bkt/plain?partNumber=1&uploadId={id}");
    assert_eq!(world.send("admin", &put, &headers_of(&right), b"x").await.error, Some("InvalidRequest"));
    assert_eq!(world.refused("admin", &put.replace("partNumber=1", "partNumber=10001"), "x").await, "InvalidArgument");
}

/// A key of thirty-two such bytes, and its digest.
fn customer_key(byte: u8) -> (String, String) {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use md5::Digest as _;
    (STANDARD.encode([byte; 32]), STANDARD.encode(md5::Md5::digest([byte; 32])))
}

fn headers_of((key, digest): &(String, String)) -> [(&'static str, &str); 3] {
    [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-server-side-encryption-customer-key", key),
        ("x-amz-server-side-encryption-customer-key-md5", digest),
    ]
}

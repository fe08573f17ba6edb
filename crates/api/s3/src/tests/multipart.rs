//! Uploads in parts, from their beginning to the object.

use super::World;

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

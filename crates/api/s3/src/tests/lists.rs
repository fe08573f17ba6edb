//! Listings, page by page, with prefixes, delimiters and markers.

use super::*;

/// The texts of all elements of this name.
fn all(text: &str, element: &str) -> Vec<String> {
    let (start, end) = (format!("<{element}>"), format!("</{element}>"));
    text.split(&start).skip(1).map(|rest| rest.split(&end).next().expect("an end").to_owned()).collect()
}

/// The keys, and the groups.
fn listed(answer: &Answer) -> (Vec<String>, Vec<String>) {
    let text = answer.text();
    let groups = all(&text, "CommonPrefixes").iter().map(|group| all(group, "Prefix").concat()).collect();
    (all(&text, "Key"), groups)
}

async fn world(keys: &[&str]) -> World {
    let world = World::new();
    world.done("admin", "PUT /first", "").await;
    for key in keys {
        world.object("first", key, key.as_bytes()).await;
    }
    world
}

const KEYS: [&str; 6] = ["a", "b/1", "b/2", "b/c/3", "d", "e+ \u{e4}"];

#[tokio::test]
async fn objects_are_listed_in_the_order_of_their_bytes_with_what_listings_show() {
    let world = world(&KEYS).await;
    let list = world.done("reader", "GET /first?list-type=2", "").await;
    assert_eq!(listed(&list).0, KEYS);
    let text = list.text();
    for part in [
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>first</Name><Prefix></Prefix>",
        "<KeyCount>6</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>",
        "<Key>a</Key><LastModified>2026-09-21T14:13:20.000Z</LastModified>\
         <ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let owner = "<Owner><ID>";
    assert!(!text.contains(owner));
    assert!(world.done("reader", "GET /first?list-type=2&fetch-owner=true", "").await.text().contains(owner));
    assert!(world.done("reader", "GET /first", "").await.text().contains(owner));
    let encoded = world.done("reader", "GET /first?encoding-type=url&prefix=e%2B", "").await;
    assert_eq!(listed(&encoded).0, ["e%2B%20%C3%A4"]);
    assert!(encoded.text().contains("<Prefix>e%2B</Prefix>"));
}

#[tokio::test]
async fn groups_count_as_keys_and_come_once_across_pages() {
    let world = world(&KEYS).await;
    let grouped = world.done("reader", "GET /first?delimiter=/", "").await;
    assert_eq!(listed(&grouped), (vec!["a".into(), "d".into(), KEYS[5].into()], vec!["b/".to_owned()]));
    let (mut keys, mut groups, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = world.done("reader", &format!("GET /first?list-type=2&delimiter=/&max-keys=1{token}"), "").await;
        let (more_keys, more_groups) = listed(&page);
        assert_eq!(more_keys.len() + more_groups.len(), 1, "{}", page.text());
        keys.extend(more_keys);
        groups.extend(more_groups);
        let text = page.text();
        match all(&text, "NextContinuationToken").first() {
            Some(next) => token = format!("&continuation-token={}", next.replace('+', "%2B")),
            None => break,
        }
        assert!(text.contains("<IsTruncated>true</IsTruncated>"), "{text}");
    }
    assert_eq!((keys.len(), groups), (3, vec!["b/".to_owned()]));
    // In the first version, only a delimiter makes a next marker; a group as marker is passed as a whole.
    let page = world.done("reader", "GET /first?delimiter=/&max-keys=2", "").await;
    assert_eq!(all(&page.text(), "NextMarker"), ["b/"]);
    let rest = world.done("reader", "GET /first?delimiter=/&marker=b/", "").await;
    assert_eq!(listed(&rest), (vec!["d".into(), KEYS[5].into()], vec![]));
    assert!(all(&world.done("reader", "GET /first?max-keys=2", "").await.text(), "NextMarker").is_empty());
    let within = world.done("reader", "GET /first?delimiter=/&prefix=b/", "").await;
    assert_eq!(listed(&within), (vec!["b/1".into(), "b/2".into()], vec!["b/c/".to_owned()]));
}

#[tokio::test]
async fn pages_have_the_size_that_was_asked_for() {
    let world = world(&KEYS).await;
    let none = world.done("reader", "GET /first?list-type=2&max-keys=0", "").await;
    assert!(listed(&none).0.is_empty() && none.text().contains("<IsTruncated>false</IsTruncated>"));
    assert!(world.done("reader", "GET /first?max-keys=5000", "").await.text().contains("<MaxKeys>1000</MaxKeys>"));
    for wrong in ["max-keys=-1", "max-keys=x", "encoding-type=base64", "list-type=2&continuation-token="] {
        let answer = world.send("reader", &format!("GET /first?{wrong}"), &[], b"").await;
        assert_eq!((answer.error, answer.status), (Some("InvalidArgument"), 400), "{wrong}");
    }
    let after = world.done("reader", "GET /first?list-type=2&start-after=b/2", "").await;
    assert_eq!(listed(&after).0, KEYS[3..]);
    // Tokens of another bucket are none.
    world.done("admin", "PUT /second", "").await;
    let page = world.done("reader", "GET /first?list-type=2&max-keys=1", "").await.text();
    let token = all(&page, "NextContinuationToken").concat().replace('+', "%2B");
    let foreign = format!("GET /second?list-type=2&continuation-token={token}");
    assert_eq!(world.refused("reader", &foreign, "").await, "InvalidArgument");
}

#[tokio::test]
async fn versions_are_listed_newest_first_with_their_markers() {
    let world = world(&["a"]).await;
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    world.done("admin", "PUT /first?versioning", on).await;
    world.pass_seconds(1);
    let newer = world.object("first", "a", b"2").await;
    world.object("first", "b", b"1").await;
    world.delete_object("first", "b").await;
    assert_eq!(listed(&world.done("reader", "GET /first", "").await).0, ["a"]);
    let list = world.done("reader", "GET /first?versions", "").await.text();
    assert_eq!(all(&list, "Key"), ["a", "a", "b", "b"]);
    let versions = all(&list, "Version");
    assert!(versions[0].contains("<IsLatest>true</IsLatest>") && versions[0].contains(newer.id()), "{list}");
    assert!(versions[1].contains("<VersionId>null</VersionId><IsLatest>false</IsLatest>"), "{list}");
    assert_eq!(all(&list, "DeleteMarker").len(), 1);
    let page = world.done("reader", "GET /first?versions&max-keys=1", "").await.text();
    assert_eq!(
        (all(&page, "NextKeyMarker"), all(&page, "NextVersionIdMarker")),
        (vec!["a".into()], vec![newer.id().to_owned()])
    );
    let rest = format!("GET /first?versions&key-marker=a&version-id-marker={}", newer.id());
    assert_eq!(all(&world.done("reader", &rest, "").await.text(), "Key"), ["a", "b", "b"]);
    assert_eq!(world.refused("reader", "GET /first?versions&version-id-marker=null", "").await, "InvalidArgument");
    assert_eq!(
        world.refused("reader", "GET /first?versions&key-marker=a&version-id-marker=x", "").await,
        "InvalidArgument"
    );
    assert_eq!(world.refused("admin", "DELETE /first", "").await, "BucketNotEmpty");
}

#[tokio::test]
async fn policies_go_by_what_is_listed() {
    let world = world(&KEYS).await;
    let condition = json!({"StringLike": {"s3:prefix": "b/*"}, "NumericLessThanEquals": {"s3:max-keys": "10"}});
    let statement = json!({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": condition});
    world.user("limited", ACCOUNT, &[statement]);
    world.done("limited", "GET /first?list-type=2&prefix=b/c&max-keys=10", "").await;
    for wider in ["prefix=b/&max-keys=11", "prefix=a&max-keys=1", "max-keys=1", "prefix=b/"] {
        let request = format!("GET /first?list-type=2&{wider}");
        assert_eq!(world.refused("limited", &request, "").await, "AccessDenied", "{wider}");
    }
}

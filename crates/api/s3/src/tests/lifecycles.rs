//! Rules carried out: what has expired is gone, what has not stays, and which events are sent.

use super::*;

const DAY: i64 = 86_400;

async fn world(rules: &str) -> World {
    let world = World::new();
    world.done("admin", "PUT /first", "").await;
    rule(&world, rules).await;
    world
}

async fn rule(world: &World, rules: &str) {
    let document =
        format!("<LifecycleConfiguration><Rule>{rules}<Status>Enabled</Status></Rule></LifecycleConfiguration>");
    world.done("admin", "PUT /first?lifecycle", &document).await;
}

async fn versioned(world: &World) {
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    world.done("admin", "PUT /first?versioning", on).await;
}

/// The keys of all versions and markers, `key*` for a marker.
async fn left(world: &World) -> Vec<String> {
    let text = world.done("admin", "GET /first?versions", "").await.text();
    let mut found = Vec::new();
    for (start, end, mark) in [("<Version>", "</Version>", ""), ("<DeleteMarker>", "</DeleteMarker>", "*")] {
        for part in text.split(start).skip(1) {
            let part = part.split(end).next().expect("an end");
            let key = part.split("<Key>").nth(1).and_then(|rest| rest.split('<').next()).expect("a key");
            found.push(format!("{key}{mark}"));
        }
    }
    found
}

#[tokio::test]
async fn an_object_expires_at_the_midnight_after_its_days() {
    let world = world("<Filter><Prefix>logs/</Prefix></Filter><Expiration><Days>1</Days></Expiration>").await;
    world.object("first", "logs/a", b"a").await;
    world.object("first", "other", b"a").await;
    // The objects were written at 14:13:20: one day and less than ten hours later they are there.
    world.pass_seconds(DAY + 9 * 3600);
    assert_eq!(world.carry_out_lifecycles().await, 0);
    assert_eq!(left(&world).await, ["logs/a", "other"]);
    world.pass_seconds(3600);
    assert_eq!(world.carry_out_lifecycles().await, 1);
    assert_eq!(left(&world).await, ["other"]);
    // Once a day is enough.
    world.object("first", "logs/b", b"b").await;
    world.pass_seconds(DAY);
    assert_eq!(world.carry_out_lifecycles().await, 0);
    world.pass_seconds(DAY);
    assert_eq!(world.carry_out_lifecycles().await, 1);
}

#[tokio::test]
async fn with_versioning_an_expired_object_gets_a_marker_which_goes_when_nothing_is_behind_it() {
    let world = world("<Filter/><Expiration><Days>1</Days></Expiration>").await;
    versioned(&world).await;
    world.object("first", "a", b"a").await;
    world.pass_seconds(3 * DAY);
    assert_eq!(world.carry_out_lifecycles().await, 1);
    assert_eq!(left(&world).await, ["a", "a*"]);
    let both = "<Filter/><Expiration><Days>1</Days></Expiration>\
        <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
    rule(&world, both).await;
    world.pass_seconds(DAY);
    // The version is one that is not current since yesterday only.
    assert_eq!(world.carry_out_lifecycles().await, 0);
    world.pass_seconds(DAY);
    assert_eq!(world.carry_out_lifecycles().await, 1);
    assert_eq!(left(&world).await, ["a*"]);
    world.pass_seconds(DAY);
    assert_eq!(world.carry_out_lifecycles().await, 1);
    assert_eq!(left(&world).await, [] as [&str; 0]);
}

#[tokio::test]
async fn answers_say_when_an_object_expires() {
    let world =
        world("<ID>the logs</ID><Filter><Prefix>logs/</Prefix></Filter><Expiration><Days>1</Days></Expiration>").await;
    let expected = "expiry-date=\"Wed, 23 Sep 2026 00:00:00 GMT\", rule-id=\"the%20logs\"";
    let put = world.done("admin", "PUT /first/logs/a", "a").await;
    assert_eq!(put.header("x-amz-expiration"), expected);
    assert_eq!(world.done("admin", "HEAD /first/logs/a", "").await.header("x-amz-expiration"), expected);
    assert_eq!(world.done("admin", "PUT /first/other", "a").await.header("x-amz-expiration"), "");
    world.done("admin", "DELETE /first?lifecycle", "").await;
    assert_eq!(world.done("admin", "GET /first/logs/a", "").await.header("x-amz-expiration"), "");
}

#[tokio::test]
async fn newer_versions_that_are_not_current_are_kept_by_number() {
    let world = world(
        "<Filter/><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>\
         <NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>",
    )
    .await;
    versioned(&world).await;
    for content in [b"1", b"2", b"3", b"4", b"5"] {
        world.object("first", "a", content).await;
        world.pass_seconds(1);
    }
    world.pass_seconds(3 * DAY);
    assert_eq!(world.carry_out_lifecycles().await, 2);
    assert_eq!(left(&world).await.len(), 3);
    world.done("admin", "GET /first?versions", "").await;
}

#[tokio::test]
async fn a_lone_marker_goes_only_if_a_rule_says_so() {
    let world =
        world("<Filter/><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>")
            .await;
    versioned(&world).await;
    world.object("first", "a", b"a").await;
    world.delete_object("first", "a").await;
    world.object("first", "b", b"b").await;
    world.pass_seconds(3 * DAY);
    assert_eq!(world.carry_out_lifecycles().await, 1);
    assert_eq!(left(&world).await, ["b", "a*"]);
    rule(&world, "<Filter/><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>").await;
    assert_eq!(world.carry_out_lifecycles().await, 1);
    assert_eq!(left(&world).await, ["b"]);
}

#[tokio::test]
async fn expirations_are_sent_as_events_and_recorded() {
    let world = world("<Filter/><Expiration><Days>1</Days></Expiration>").await;
    let topic = "arn:aws:sns:us-east-1:111122223333:t";
    let wanted = format!(
        "<NotificationConfiguration><TopicConfiguration><Id>gone</Id><Topic>{topic}</Topic>\
         <Event>s3:LifecycleExpiration:*</Event></TopicConfiguration></NotificationConfiguration>"
    );
    world.done("admin", "PUT /first?notification", &wanted).await;
    world.object("first", "a b/c", b"a").await;
    world.pass_seconds(3 * DAY);
    assert_eq!(world.carry_out_lifecycles().await, 1);
    let messages = world.delivered().await;
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!((messages[0].0.as_str(), &messages[0].1["Event"]), (topic, &json!("s3:TestEvent")));
    let record = &messages[1].1["Records"][0];
    for (pointer, expected) in [
        ("/eventName", "LifecycleExpiration:Delete"),
        ("/eventSource", "aws:s3"),
        ("/awsRegion", REGION),
        ("/s3/configurationId", "gone"),
        ("/s3/bucket/arn", "arn:aws:s3:::first"),
        ("/s3/object/key", "a+b/c"),
    ] {
        assert_eq!(record.pointer(pointer), Some(&json!(expected)), "{pointer} in {record}");
    }
}

#[tokio::test]
async fn uploads_that_nobody_completes_are_aborted() {
    let world = world(
        "<Filter><Prefix>in/</Prefix></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>\
         </AbortIncompleteMultipartUpload>",
    )
    .await;
    world.upload("first", "in/a").await;
    world.upload("first", "out/a").await;
    world.pass_seconds(DAY);
    assert_eq!(world.carry_out_lifecycles().await, 0);
    world.pass_seconds(DAY);
    assert_eq!(world.carry_out_lifecycles().await, 1);
    world.pass_seconds(DAY);
    assert_eq!(world.carry_out_lifecycles().await, 0);
}

#[tokio::test]
async fn rules_go_by_tags_and_sizes() {
    let world = world(
        "<Filter><And><Tag><Key>team</Key><Value>red</Value></Tag><ObjectSizeGreaterThan>2</ObjectSizeGreaterThan></And>\
         </Filter><Expiration><Days>1</Days></Expiration>",
    )
    .await;
    for (key, tags, content) in [("a", "team=red", "123"), ("b", "team=blue", "123"), ("c", "team=red", "12")] {
        let request = format!("PUT /first/{key}");
        let put = world.send("admin", &request, &[("x-amz-tagging", tags)], content.as_bytes()).await;
        assert_eq!((put.error, !put.header("x-amz-expiration").is_empty()), (None, key == "a"), "{}", put.text());
    }
    world.pass_seconds(3 * DAY);
    assert_eq!(world.carry_out_lifecycles().await, 1);
    assert_eq!(left(&world).await, ["b", "c"]);
}

#[tokio::test]
async fn a_locked_version_stays_until_it_is_released() {
    let world = World::new();
    world.send("admin", "PUT /first", &[("x-amz-bucket-object-lock-enabled", "true")], b"").await;
    rule(
        &world,
        "<Filter/><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>",
    )
    .await;
    let held = world.send("admin", "PUT /first/a", &[("x-amz-object-lock-legal-hold", "ON")], b"1").await;
    assert_eq!(held.error, None, "{}", held.text());
    world.done("admin", "PUT /first/a", "2").await;
    world.pass_seconds(3 * DAY);
    assert_eq!(world.carry_out_lifecycles().await, 0);
    assert_eq!(left(&world).await.len(), 2);
    let release = format!("PUT /first/a?legal-hold&versionId={}", held.header("x-amz-version-id"));
    world.done("admin", &release, "<LegalHold><Status>OFF</Status></LegalHold>").await;
    world.pass_seconds(DAY);
    assert_eq!(world.carry_out_lifecycles().await, 1);
    assert_eq!(left(&world).await.len(), 1);
}

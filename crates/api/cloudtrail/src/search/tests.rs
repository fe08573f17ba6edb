use journal::{Config, Journal};

use super::*;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// When the call of this number happened: a second after the one before.
fn at(number: u32) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + i64::from(number) * 1000)
}

fn record(number: u32, name: &str, user: &str, account: &str, region: &str, read_only: bool) -> String {
    let time = at(number).iso8601();
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","principalId":"AIDA","arn":"arn:aws:iam::{account}:user/staff/{user}","accountId":"{account}","accessKeyId":"AKIA{user}"}},"eventTime":"{time}","eventSource":"kms.amazonaws.com","eventName":"{name}","awsRegion":"{region}","requestID":"r","eventID":"e-{number}","readOnly":{read_only},"resources":[{{"ARN":"{KEY}","accountId":"111122223333"}}],"recipientAccountId":"{account}"}}"#
    )
}

/// A log of ten calls, of which two are elsewhere and one is nobody's.
fn log() -> (tempfile::TempDir, Key256) {
    let (directory, key) = (tempfile::tempdir().expect("a directory"), Key256::random());
    let journal = Journal::open(Config::new(directory.path()), &key).expect("a journal");
    let records = [
        record(1, "CreateKey", "alice", ACCOUNT, REGION, false),
        record(2, "Encrypt", "bob", ACCOUNT, REGION, true),
        record(3, "Encrypt", "mallory", "444455556666", REGION, true),
        record(4, "Decrypt", "bob", ACCOUNT, "eu-west-1", true),
        record(5, "Decrypt", "bob", ACCOUNT, REGION, true),
        r#"{"userIdentity":{"type":"Unknown"},"eventTime":"2026-09-21T14:13:20Z","eventSource":"-","eventName":"-","awsRegion":"us-east-1","eventID":"e-6","readOnly":true}"#.to_owned(),
        "of a later version, about 111122223333".to_owned(),
        record(8, "DisableKey", "alice", ACCOUNT, REGION, false),
        record(9, "Decrypt", "bob", ACCOUNT, REGION, true),
        record(10, "EnableKey", "alice", ACCOUNT, REGION, false),
    ];
    for record in &records {
        journal.append(record.as_bytes()).expect("appended");
    }
    journal.close().expect("written");
    (directory, key)
}

fn wanted(attribute: Option<(AttributeKey, &str)>) -> Wanted {
    Wanted {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        start: at(0),
        end: at(100),
        attribute: attribute.map(|(key, value)| (key, value.to_owned())),
        count: 50,
    }
}

fn ids(found: &Found) -> Vec<String> {
    let id = |text: &String| serde_json::from_str::<Record<'_>>(text).expect("a record").event_id.into_owned();
    found.records.iter().map(id).collect()
}

#[test]
fn an_account_sees_its_own_calls_of_the_region_newest_first() {
    let (directory, key) = log();
    let found = search(directory.path(), &key, u64::MAX, &wanted(None)).expect("searched");
    assert_eq!(ids(&found), ["e-10", "e-9", "e-8", "e-5", "e-2", "e-1"]);
    assert_eq!(found.next, None);
}

#[test]
fn every_attribute_filters() {
    let (directory, key) = log();
    for (attribute, value, expected) in [
        (AttributeKey::EventId, "e-5", &["e-5"][..]),
        (AttributeKey::EventName, "Decrypt", &["e-9", "e-5"]),
        (AttributeKey::ReadOnly, "false", &["e-10", "e-8", "e-1"]),
        (AttributeKey::Username, "bob", &["e-9", "e-5", "e-2"]),
        (AttributeKey::Username, "mallory", &[]),
        (AttributeKey::ResourceType, "AWS::IAM::User", &[]),
        (AttributeKey::ResourceName, KEY, &["e-10", "e-9", "e-8", "e-5", "e-2", "e-1"]),
        (AttributeKey::EventSource, "iam.amazonaws.com", &[]),
        (AttributeKey::AccessKeyId, "AKIAalice", &["e-10", "e-8", "e-1"]),
    ] {
        let found = search(directory.path(), &key, u64::MAX, &wanted(Some((attribute, value)))).expect("searched");
        assert_eq!(ids(&found), expected, "{attribute} {value}");
    }
}

#[test]
fn times_bound_on_both_sides_inclusively() {
    let (directory, key) = log();
    let wanted = Wanted { start: at(2), end: at(8), ..wanted(None) };
    assert_eq!(ids(&search(directory.path(), &key, u64::MAX, &wanted).expect("searched")), ["e-8", "e-5", "e-2"]);
    // Nothing was sealed after that start, so the first record that is looked at ends the search.
    let wanted = Wanted { start: Timestamp::from_millis(i64::MAX / 2), ..wanted };
    assert_eq!(ids(&search(directory.path(), &key, u64::MAX, &wanted).expect("searched")), [""; 0]);
}

#[test]
fn pages_put_together_are_the_whole_search() {
    let (directory, key) = log();
    for count in 1..7 {
        let (mut seen, mut before) = (Vec::new(), u64::MAX);
        loop {
            let found = search(directory.path(), &key, before, &Wanted { count, ..wanted(None) }).expect("searched");
            assert!(found.records.len() <= count);
            seen.extend(ids(&found));
            match found.next {
                Some(next) => before = next,
                None => break,
            }
        }
        assert_eq!(seen, ["e-10", "e-9", "e-8", "e-5", "e-2", "e-1"], "pages of {count}");
    }
}

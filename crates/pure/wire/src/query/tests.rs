//! Query requests: what botocore and others send, bounds, and a round trip.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{Blob, Timestamp};

crate::text_enum! {
    enum Status { Active = "Active", Inactive = "Inactive" }
}

crate::shape! {
    struct Tag {
        "Key" key: String, optional, [];
        "Value" value: String, optional, [];
    }
}

crate::shape! {
    struct Input {
        "UserName" user_name: String, optional, [];
        "MaxItems" max_items: i32, optional, [];
        "Long" long: i64, optional, [];
        "Force" force: bool, optional, [];
        "Blob" blob: Blob, optional, [];
        "At" at: Timestamp, optional, [];
        "Status" status: Status, optional, [];
        "Tag" tag: Tag, optional, [];
        "Tags" tags: Vec<Tag>, optional, [];
        "Names" names: Vec<String>, optional, [crate::shape::Rule::Length(0, PARAMETERS_MAX)];
        "Attributes" attributes: BTreeMap<String, String>, optional, [];
    }
}

fn decode(form: &[u8]) -> Result<Input, crate::Fault> {
    crate::protocol::decode(crate::Protocol::query(""), form)
}

fn decoded(form: &str) -> Input {
    decode(form.as_bytes()).unwrap_or_else(|fault| panic!("{form}: {fault:?}"))
}

fn map(entries: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

fn pairs(tags: Option<Vec<Tag>>) -> Vec<(Option<String>, Option<String>)> {
    tags.expect("tags").into_iter().map(|tag| (tag.key, tag.value)).collect()
}

#[test]
fn leaves_become_what_is_asked_for() {
    let input = decoded(
        "Action=X&Version=2010-05-08&UserName=a+b%20c%2Bd%C3%BC&MaxItems=5&Long=-5000000000&Force=True&Blob=AAE%3D\
         &At=2025-11-23T14%3A36%3A58Z&Status=Active&Unknown=1&Unknown2.member.1=2&&",
    );
    assert_eq!(input.user_name.as_deref(), Some("a b c+dü"));
    assert_eq!((input.max_items, input.long, input.force), (Some(5), Some(-5_000_000_000), Some(true)));
    assert_eq!(input.blob, Some(Blob(vec![0, 1])));
    assert_eq!(input.at, Some(Timestamp::from_millis(1_763_908_618_000)));
    assert!(input.status == Some(Status::Active));
    assert!(input.tags.is_none() && input.names.is_none() && input.attributes.is_none() && input.tag.is_none());
    assert_eq!(decoded("UserName=").user_name.as_deref(), Some(""));
    assert_eq!(decoded("UserName").user_name.as_deref(), Some(""));
    assert!(decoded("").user_name.is_none());
}

#[test]
fn lists_maps_and_structures_are_put_together_from_their_names() {
    let expected = vec![
        (Some("a".to_owned()), Some("1".to_owned())),
        (Some("b".to_owned()), Some("2".to_owned())),
        (Some("c".to_owned()), None),
    ];
    for form in [
        "Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=b&Tags.member.2.Value=2&Tags.member.10.Key=c",
        "Tags.10.Key=c&Tags.2.Value=2&Tags.1.Value=1&Tags.2.Key=b&Tags.1.Key=a",
        "Tags-x=1&Tags.member.999999999.Key=c&Tags.member.2.Value=2&Tags.member.1.Value=1&Tags.member.2.Key=b&Tags.member.1.Key=a",
    ] {
        assert_eq!(pairs(decoded(form).tags), expected, "{form}");
    }
    assert_eq!(decoded("Names.member.2=b&Names.member.1=a").names, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(decoded("Names=").names, Some(vec![]));
    assert_eq!(decoded("Attributes=").attributes, map(&[]));
    for form in [
        "Attributes.entry.1.key=a&Attributes.entry.1.value=1&Attributes.entry.2.key=b&Attributes.entry.2.value=",
        "Attributes.1.key=a&Attributes.1.value=1&Attributes.2.key=b&Attributes.2.value=",
    ] {
        assert_eq!(decoded(form).attributes, map(&[("a", "1"), ("b", "")]), "{form}");
    }
    let tag = decoded("Tag.Key=a&Tag.Value=b").tag.expect("a tag");
    assert_eq!((tag.key.as_deref(), tag.value.as_deref()), (Some("a"), Some("b")));
    assert!(decoded("Tag=").tag.expect("a tag").key.is_none());
}

#[test]
fn what_cannot_be_read_is_malformed_input() {
    for (form, message) in [
        ("MaxItems=five", "Expected an Integer in MaxItems"),
        ("MaxItems=", "Expected an Integer in MaxItems"),
        ("MaxItems=2147483648", "Expected an Integer in MaxItems"),
        ("Long=1.5", "Expected a Long in Long"),
        ("Force=yes", "Expected a Boolean in Force"),
        ("Blob=%21", "Expected base64 in Blob"),
        ("At=yesterday", "Expected a Timestamp in At"),
        ("UserName.member.1=a", "Expected a String in UserName"),
        ("UserName=a&UserName.b=c", "Expected a String in UserName"),
        ("Names=a", "Expected a list in Names"),
        ("Names.member=a", "Expected a list in Names.member"),
        ("Names.member.x=a", "Expected a list in Names.member"),
        ("Names.member.0=a", "Expected a list in Names.member"),
        ("Names.member.01=a", "Expected a list in Names.member"),
        ("Names.member.1=a&Names.2=b", "Expected a list in Names"),
        ("Names.member.1.x=a", "Expected a String in Names.member.1"),
        ("Names.member.1.x=a&Names.member.1.y=a", "Expected a String in Names.member.1"),
        ("Tag=a", "Expected a structure in Tag"),
        ("Tags.member.1=a", "Expected a structure in Tags.member.1"),
        ("Attributes.entry.1.key=a", "Expected a key and a value in Attributes.entry.1"),
        ("Attributes.entry.1=a", "Expected a key and a value in Attributes.entry.1"),
        ("UserName=a&UserName=b", "A parameter is given more than once: UserName"),
        ("UserName=%FF", "The request is not UTF-8"),
        ("%FF=a", "The request is not UTF-8"),
    ] {
        let fault = decode(form.as_bytes()).err().unwrap_or_else(|| panic!("{form} was accepted"));
        assert_eq!((fault.code, fault.status, fault.message.as_str()), ("MalformedInput", 400, message), "{form}");
    }
}

#[test]
fn counts_and_depths_are_bounded() {
    let refused = |form: &str| decode(form.as_bytes()).err().map(|fault| fault.message);
    let form = (0..=PARAMETERS_MAX).map(|number| format!("a{number}=1")).collect::<Vec<_>>().join("&");
    assert_eq!(refused(&form).as_deref(), Some("The request has more than 3000 parameters"));
    let form = "a.".repeat(DEPTH_MAX);
    assert_eq!(refused(&form).as_deref(), Some("The name of a parameter has more than 32 parts"));
    let form = (1..PARAMETERS_MAX).map(|number| format!("Names.member.{number}=a")).collect::<Vec<_>>().join("&");
    assert_eq!(decoded(&form).names.map(|names| names.len()), Some(PARAMETERS_MAX - 1));
}

#[test]
fn the_action_is_found_among_the_parameters() {
    let found = action(b"Version=2010-05-08&X=1&Action=Create%55ser&Action=Other").expect("an action");
    assert_eq!((&*found.name, &*found.version), ("CreateUser", "2010-05-08"));
    assert_eq!(action(b"Action=A").expect("an action").version, "");
    for form in [&b""[..], b"Version=1", b"Action=", b"Action=%FF", b"{\"Action\":1}"] {
        assert_eq!(action(form), None);
    }
}

/// As a client writes it.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

proptest! {
    #[test]
    fn names_are_in_the_order_of_their_parts(a in "[a\\-.\u{0}é]{0,6}", b in "[a\\-.\u{0}é]{0,6}") {
        prop_assert_eq!(form::by_parts(&a, &b), a.split('.').cmp(b.split('.')), "{} {}", a, b);
    }

    #[test]
    fn what_a_client_writes_is_read_back(
        user_name in any::<String>(),
        names in prop::collection::vec(any::<String>(), 0..12),
        attributes in prop::collection::btree_map(any::<String>(), any::<String>(), 0..12),
        max_items in any::<i32>(),
        flat in any::<bool>(),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut form = vec![format!("UserName={}", encoded(&user_name)), format!("MaxItems={max_items}")];
        let (member, entry) = if flat { ("", "") } else { ("member.", "entry.") };
        for (index, name) in names.iter().enumerate() {
            form.push(format!("Names.{member}{}={}", index + 1, encoded(name)));
        }
        for (index, (key, value)) in attributes.iter().enumerate() {
            form.push(format!("Attributes.{entry}{}.key={}", index + 1, encoded(key)));
            form.push(format!("Attributes.{entry}{}.value={}", index + 1, encoded(value)));
        }
        let middle = seed.index(form.len());
        form.rotate_left(middle);
        let input = decoded(&form.join("&"));
        prop_assert_eq!(input.user_name, Some(user_name));
        prop_assert_eq!(input.max_items, Some(max_items));
        prop_assert_eq!(input.names.unwrap_or_default(), names);
        prop_assert_eq!(input.attributes.unwrap_or_default(), attributes);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(form in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = action(&form);
        if let Err(fault) = decode(&form) {
            prop_assert_eq!(fault.code, "MalformedInput");
        }
    }

    #[test]
    fn no_parameters_make_the_decoder_panic(
        form in "((Names|Tags|Tag|Attributes|UserName)(\\.(member|entry|key|value|Key|1|02|é|)){0,4}(=a|=|%|)&){0,6}",
    ) {
        let _ = decode(form.as_bytes());
    }
}

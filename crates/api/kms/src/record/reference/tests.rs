//! The forms in which keys are named, and the refusals of what names none.

use super::*;

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn parse(text: &str, forms: Forms) -> Result<(String, String), String> {
    match Reference::parse(text, "us-east-1", "111122223333", forms) {
        Ok(Reference { account, target: Target::Key(id) }) => Ok((account.to_owned(), format!("key {id}"))),
        Ok(Reference { account, target: Target::Alias(name) }) => Ok((account.to_owned(), format!("alias {name}"))),
        Err(error) => Err(format!("{}: {error}", error.code())),
    }
}

fn own(target: &str) -> Result<(String, String), String> {
    Ok(("111122223333".to_owned(), target.to_owned()))
}

fn refused(message: &str) -> Result<(String, String), String> {
    Err(message.to_owned())
}

#[test]
fn a_key_is_named_in_four_forms() {
    let multi = "mrk-1234abcd12ab34cd56ef1234567890ab";
    for (text, expected) in [
        (ID.to_owned(), own(&format!("key {ID}"))),
        (multi.to_owned(), own(&format!("key {multi}"))),
        ("alias/first-cmk".to_owned(), own("alias alias/first-cmk")),
        (format!("arn:aws:kms:us-east-1:111122223333:key/{ID}"), own(&format!("key {ID}"))),
        (format!("arn:aws:kms:us-east-1:444455556666:key/{ID}"), Ok(("444455556666".to_owned(), format!("key {ID}")))),
        (
            "arn:aws:kms:us-east-1:444455556666:alias/x/y".to_owned(),
            Ok(("444455556666".to_owned(), "alias alias/x/y".to_owned())),
        ),
    ] {
        assert_eq!(parse(&text, Forms::KeyOrAlias), expected, "{text}");
    }
}

#[test]
fn what_names_no_key_is_refused_as_aws_refuses_it() {
    for (text, expected) in [
        ("fake-key-id", "NotFoundException: Invalid keyId 'fake-key-id'"),
        ("134f2428cec14b25a1ae9048164dba47", "NotFoundException: Invalid keyId '134f2428cec14b25a1ae9048164dba47'"),
        ("mrk-fake-key-id", "NotFoundException: Invalid keyId 'mrk-fake-key-id'"),
        (
            "{1234abcd-12ab-34cd-56ef-1234567890a}",
            "NotFoundException: Invalid keyId '{1234abcd-12ab-34cd-56ef-1234567890a}'",
        ),
        (
            "1234ABCD-12AB-34CD-56EF-1234567890AB",
            "NotFoundException: Invalid keyId '1234ABCD-12AB-34CD-56EF-1234567890AB'",
        ),
        (
            "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "NotFoundException: Invalid arn us-west-2",
        ),
        ("arn:aws:kms:us-east-1:111122223333:key/x", "NotFoundException: Invalid keyId 'x'"),
        (
            "arn:aws:s3:us-east-1:111122223333:key/x",
            "InvalidArnException: Invalid arn arn:aws:s3:us-east-1:111122223333:key/x",
        ),
        ("arn:aws:kms:us-east-1:1:key/x", "InvalidArnException: Invalid arn arn:aws:kms:us-east-1:1:key/x"),
        (
            "arn:aws:kms:us-east-1:111122223333:x",
            "InvalidArnException: Invalid arn arn:aws:kms:us-east-1:111122223333:x",
        ),
        ("arn:aws", "InvalidArnException: Invalid arn arn:aws"),
    ] {
        assert_eq!(parse(text, Forms::KeyOrAlias), refused(expected), "{text}");
    }
}

#[test]
fn operations_on_keys_alone_take_no_alias() {
    for text in ["alias/x", "arn:aws:kms:us-east-1:111122223333:alias/x"] {
        for forms in [Forms::Key, Forms::OwnKey] {
            assert_eq!(parse(text, forms), refused(&format!("NotFoundException: Invalid keyId '{text}'")));
        }
    }
}

#[test]
fn a_key_id_is_read_back_as_it_was_written() {
    for multi_region in [false, true].repeat(50) {
        let id = KeyId::random(multi_region);
        assert_eq!(KeyId::parse(&id.to_string()), Some(id));
    }
    assert_eq!(KeyId::Multi([0xab; 16]).to_string(), format!("mrk-{}", "ab".repeat(16)));
    assert_eq!(KeyId::parse(&KeyId::Multi([7; 16]).to_string()), Some(KeyId::Multi([7; 16])));
}

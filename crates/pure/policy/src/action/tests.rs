use super::*;

#[test]
fn actions_match_without_regard_to_case() {
    for (pattern, action, expect) in [
        ("*", "kms:Encrypt", true),
        ("*:*", "kms:Encrypt", true),
        ("kms:Encrypt", "kms:Encrypt", true),
        ("KMS:encrypt", "kms:Encrypt", true),
        ("kms:Encrypt", "kms:EncryptX", false),
        ("kms:*", "kms:Encrypt", true),
        ("kms:*", "kmsx:Encrypt", false),
        ("kms:Gen*", "KMS:GENERATEDATAKEY", true),
        ("kms:*DataKey*", "kms:GenerateDataKeyPair", true),
        ("kms:*DataKey", "kms:GenerateDataKeyPair", false),
        ("kms:?ncrypt", "kms:Encrypt", true),
        ("kms:?ncrypt", "kms:ReEncrypt", false),
        ("s3-object-lambda:Get*", "s3-object-lambda:GetObject", true),
    ] {
        let pattern = ActionPattern::compile(pattern).expect("a pattern");
        let mut room = Room::new();
        let action = Action::new(action, &mut room);
        assert_eq!(pattern.matches(action.name()), expect, "{pattern:?} {action:?}");
        assert!(!expect || pattern.mask().meets(action.mask()), "a mask never rules out a match: {pattern:?}");
    }
}

#[test]
fn names_too_long_for_the_stack_match_as_well() {
    let long = format!("kms:{}", "A".repeat(300));
    let pattern = ActionPattern::compile(&long).expect("a pattern");
    let mut room = Room::new();
    let action = Action::new(&long.to_lowercase(), &mut room);
    assert!(pattern.matches(action.name()) && pattern.mask().meets(action.mask()));
}

#[test]
fn masks_rule_out_other_services_other_initials_and_most_other_names() {
    for pattern in ["s3:*", "kms:Decrypt", "kms:De*", "kms:G*t"] {
        let pattern = ActionPattern::compile(pattern).expect("a pattern");
        assert!(!pattern.mask().meets(Action::new("kms:Encrypt", &mut Room::new()).mask()), "{pattern:?}");
    }
}

#[test]
fn what_names_no_action_is_refused() {
    for text in
        ["", "kms", "kms:", ":Encrypt", "k*:Encrypt", "kms:En crypt", "kms:Encrypt:x", "kms:${aws:x}", "ünï:X", "**"]
    {
        assert!(ActionPattern::compile(text).is_err(), "{text}");
    }
}

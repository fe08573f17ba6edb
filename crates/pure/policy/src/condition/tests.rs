use super::*;

/// Whether a condition with these values holds in a context.
fn holds(operator: &str, values: &[&str], context: &Context<'_>) -> bool {
    let operator = Operator::parse(operator).unwrap_or_else(|| panic!("{operator}"));
    let values: Vec<_> = values.iter().map(|value| Cow::Borrowed(*value)).collect();
    let condition = Condition::compile(operator, "t:Key", &values, true).unwrap_or_else(|error| panic!("{error:?}"));
    condition.holds(context)
}

fn one<'a>(value: impl Into<Value<'a>>) -> Context<'a> {
    let mut context = Context::new();
    context.insert("T:KEY", value);
    context.insert("aws:username", "alice");
    context.insert_many("aws:TagKeys", ["alice"]);
    context
}

fn many<'a>(values: &[&'a str]) -> Context<'a> {
    let mut context = Context::new();
    context.insert_many("t:key", values.iter().copied());
    context
}

/// Every operator that has an opposite, by whether it is the negation.
const POSITIVE: [&str; 19] = [
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "NumericEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "ArnEquals",
    "ArnLike",
    "Null",
];
const NEGATED: [&str; 8] = [
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
    "NumericNotEquals",
    "DateNotEquals",
    "NotIpAddress",
    "ArnNotEquals",
    "ArnNotLike",
];

/// A value that the operator can be given.
fn sample(operator: &str) -> &'static str {
    match operator {
        name if name.contains("Numeric") => "7",
        name if name.contains("Date") => "2026-11-23",
        name if name.contains("Bool") || name.contains("Null") => "true",
        name if name.contains("Binary") => "AAEC",
        name if name.contains("Ip") => "10.0.0.0/8",
        name if name.contains("Arn") => "arn:aws:s3:::bucket",
        _ => "x",
    }
}

#[test]
fn item_7_there_are_26_operators_and_null_in_any_case() {
    assert_eq!(POSITIVE.len() - 1 + NEGATED.len(), 26);
    for (names, negated) in [(&POSITIVE[..], false), (&NEGATED[..], true)] {
        for name in names {
            for text in [(*name).to_owned(), name.to_lowercase(), name.to_uppercase()] {
                let operator = Operator::parse(&text).expect("an operator");
                assert_eq!((operator.negated, operator.set, operator.if_exists), (negated, None, false), "{text}");
            }
            let operator = Operator::parse(&format!("forallvalues:{name}")).expect("an operator");
            assert_eq!(operator.set, Some(SetOperator::ForAllValues));
            let operator = Operator::parse(&format!("FORANYVALUE:{name}"));
            assert_eq!(operator.expect("an operator").set, Some(SetOperator::ForAnyValue));
            let operator = Operator::parse(&format!("{name}ifexists"));
            assert_eq!(operator.is_some_and(|operator| operator.if_exists), *name != "Null", "{name}");
        }
    }
    for name in [
        "",
        "StringEqual",
        "ForSomeValues:StringEquals",
        "ForAllValues:",
        "IfExists",
        "StringEqualsIfExistsIfExists",
        "é",
    ] {
        assert_eq!(Operator::parse(name), None, "{name}");
    }
}

#[test]
fn item_7_a_missing_key_is_false_but_true_for_not_if_exists_and_for_all_values() {
    let empty = Context::new();
    for (names, negated) in [(&POSITIVE[..18], false), (&NEGATED[..], true)] {
        for name in names {
            let values = [sample(name)];
            assert_eq!(holds(name, &values, &empty), negated, "{name}");
            assert!(holds(&format!("{name}IfExists"), &values, &empty), "{name}IfExists");
            assert!(holds(&format!("ForAllValues:{name}"), &values, &empty), "ForAllValues:{name}");
            assert!(holds(&format!("ForAllValues:{name}IfExists"), &values, &empty), "ForAllValues:{name}IfExists");
            assert!(!holds(&format!("ForAnyValue:{name}"), &values, &empty), "ForAnyValue:{name}");
            assert!(!holds(&format!("ForAnyValue:{name}IfExists"), &values, &empty), "ForAnyValue:{name}IfExists");
        }
    }
}

#[test]
fn item_7_if_exists_changes_nothing_for_a_key_that_is_there() {
    let context = one("x");
    assert!(holds("StringEqualsIfExists", &["x"], &context));
    assert!(!holds("StringEqualsIfExists", &["y"], &context));
    assert!(!holds("StringNotEqualsIfExists", &["x"], &context));
    assert!(!holds("BoolIfExists", &["true"], &one(false)));
}

#[test]
fn item_7_null_asks_whether_the_key_is_there() {
    let (present, empty) = (one("x"), many(&[]));
    for (values, when_present, when_absent) in
        [(&["true"][..], false, true), (&["FALSE"], true, false), (&["true", "false"], true, true)]
    {
        assert_eq!(holds("Null", values, &present), when_present, "{values:?}");
        assert_eq!(holds("Null", values, &Context::new()), when_absent, "{values:?}");
        assert_eq!(holds("Null", values, &empty), when_absent, "a key without values is absent: {values:?}");
    }
    assert!(holds("Null", &["false"], &one("")), "an empty text is a value");
    assert!(holds("Null", &["false"], &many(&["x"])));
}

#[test]
fn item_8_values_are_ored_and_negated_ones_nored() {
    for (operator, value, expect) in [
        ("StringEquals", "a", true),
        ("StringEquals", "b", true),
        ("StringEquals", "c", false),
        ("StringNotEquals", "a", false),
        ("StringNotEquals", "b", false),
        ("StringNotEquals", "c", true),
    ] {
        assert_eq!(holds(operator, &["a", "b"], &one(value)), expect, "{operator} {value}");
    }
}

#[test]
fn item_8_only_like_and_arn_operators_have_wildcards() {
    let arn = "arn:aws:s3:::bucket";
    for (operator, value, context, expect) in [
        ("StringEquals", "b*", "bucket", false),
        ("StringEquals", "b*", "b*", true),
        ("StringEqualsIgnoreCase", "B*", "bucket", false),
        ("StringEqualsIgnoreCase", "B*", "b*", true),
        ("StringLike", "b?c*", "bucket", true),
        ("StringLike", "B*", "bucket", false),
        ("StringLike", "*:*", arn, true),
        ("StringNotLike", "b*", "bucket", false),
        ("ArnLike", "arn:aws:s3:::b*", arn, true),
        ("ArnEquals", "arn:aws:s3:::b*", arn, true),
        ("ArnEquals", "arn:aws:*:::bucket", arn, true),
        ("ArnEquals", "arn:*:*:bucket:*:*", arn, false),
        ("ArnNotEquals", "arn:aws:s3:::b*", arn, false),
        ("ArnNotLike", "arn:aws:s3:::c*", arn, true),
        ("ArnLike", "*", arn, true),
        ("ArnLike", "*", "bucket", false),
        ("ArnLike", "arn:aws:s3:*:*:bucket", "arn:aws:s3:::x:bucket", false),
    ] {
        assert_eq!(holds(operator, &[value], &one(context)), expect, "{operator} {value} {context}");
    }
}

#[test]
fn item_9_values_are_compared_with_regard_to_case() {
    assert!(!holds("StringEquals", &["Alice"], &one("alice")));
    assert!(holds("StringEqualsIgnoreCase", &["ALICE", "x"], &one("alice")));
    assert!(holds("StringNotEquals", &["Alice"], &one("alice")));
    assert!(!holds("StringNotEqualsIgnoreCase", &["Alice"], &one("alice")));
    assert!(!holds("ArnEquals", &["arn:aws:s3:::Bucket"], &one("arn:aws:s3:::bucket")));
}

#[test]
fn item_10_variables_stand_in_string_and_arn_operators() {
    for (operator, value, context, expect) in [
        ("StringEquals", "${aws:username}", "alice", true),
        ("StringEquals", "u-${aws:username}", "u-alice", true),
        ("StringEquals", "${aws:username}", "bob", false),
        ("StringEqualsIgnoreCase", "${aws:username}", "ALICE", true),
        ("StringLike", "${aws:username}-*", "alice-1", true),
        ("ArnLike", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/alice", true),
        ("StringEquals", "${aws:none}", "", false),
        ("StringEquals", "${aws:none}", "${aws:none}", false),
        ("StringNotEquals", "${aws:none}", "x", true),
        ("StringEquals", "${aws:none, 'dflt'}", "dflt", true),
        ("StringEquals", "${aws:TagKeys}", "alice", false),
        ("StringEquals", "${*}${?}${$}{", "*?${", true),
        ("StringLike", "${*}", "x", false),
        ("StringLike", "a${?}", "a?", true),
    ] {
        assert_eq!(holds(operator, &[value], &one(context)), expect, "{operator} {value} {context}");
    }
}

#[test]
fn numbers_are_compared_as_numbers() {
    for (operator, value, context, expect) in [
        ("NumericEquals", "7", "7.0", true),
        ("NumericEquals", "7", "07", true),
        ("NumericEquals", "7", "8", false),
        ("NumericNotEquals", "7", "8", true),
        ("NumericNotEquals", "7", "7", false),
        ("NumericLessThan", "10", "9", true),
        ("NumericLessThan", "10", "10", false),
        ("NumericLessThanEquals", "10", "10", true),
        ("NumericGreaterThan", "-1.5", "-1", true),
        ("NumericGreaterThan", "10", "9", false),
        ("NumericGreaterThanEquals", "1e3", "1000", true),
        ("NumericEquals", "9007199254740993", "9007199254740992", false),
        ("NumericLessThan", "10", "few", false),
        ("NumericNotEquals", "10", "few", true),
        ("NumericLessThan", "10", "-inf", false),
    ] {
        assert_eq!(holds(operator, &[value], &one(context)), expect, "{operator} {value} {context}");
    }
    assert!(holds("NumericLessThanEquals", &["3600"], &one(3600_i64)));
    assert!(!holds("NumericEquals", &["1"], &one(true)));
}

#[test]
fn dates_are_compared_in_every_form_they_come_in() {
    for (operator, value, context, expect) in [
        ("DateEquals", "2026-11-23T14:43:38Z", "2026-11-23T15:43:38+01:00", true),
        ("DateEquals", "1795445018", "2026-11-23T14:43:38Z", true),
        ("DateEquals", "2026-11-23", "2026-11-23T00:00:00Z", true),
        ("DateEquals", "2026-11", "2026-11-01T00:00:00Z", true),
        ("DateEquals", "2026-11-23T14:43Z", "2026-11-23T14:43:00Z", true),
        ("DateEquals", "2026-11-23T14:43:38", "2026-11-23T14:43:38Z", true),
        ("DateEquals", "2026-11-23T14:43:38.5Z", "2026-11-23T14:43:38Z", false),
        ("DateNotEquals", "2026-11-23T14:43:38Z", "2026-11-23T14:43:38Z", false),
        ("DateNotEquals", "2026-11-23T14:43:38Z", "2026-11-23T14:43:39Z", true),
        ("DateLessThan", "2026-11-23T14:43:38Z", "2026-11-23T14:43:37.999Z", true),
        ("DateLessThan", "2026-11-23", "2026-11-23", false),
        ("DateLessThanEquals", "2026-11-23", "2026-11-23", true),
        ("DateGreaterThan", "2026-11-23", "2026-11-22T23:59:59-01:00", true),
        ("DateGreaterThanEquals", "2026-11-23", "1795392000", true),
        ("DateGreaterThan", "2026-11-23", "tomorrow", false),
    ] {
        assert_eq!(holds(operator, &[value], &one(context)), expect, "{operator} {value} {context}");
    }
    let now = OffsetDateTime::from_unix_timestamp(1_795_445_018).expect("a time");
    assert!(holds("DateLessThan", &["2026-11-23T14:43:39Z"], &one(now)));
    assert!(holds("DateEquals", &["2026-11-23T14:43:38Z"], &one(1_795_445_018_i64)));
    assert!(!holds("DateEquals", &["2026-11-23T14:43:38Z"], &one(false)));
}

#[test]
fn booleans_are_compared_in_any_case() {
    assert!(holds("Bool", &["true"], &one(true)));
    assert!(holds("Bool", &["True"], &one("TRUE")));
    assert!(!holds("Bool", &["true"], &one(false)));
    assert!(holds("Bool", &["false"], &one(false)));
    assert!(!holds("Bool", &["false"], &one("no")));
}

#[test]
fn addresses_are_in_networks_of_their_own_family() {
    for (operator, value, context, expect) in [
        ("IpAddress", "203.0.113.0/24", "203.0.113.9", true),
        ("IpAddress", "203.0.113.77/24", "203.0.113.9", true),
        ("IpAddress", "203.0.113.0/24", "203.0.114.9", false),
        ("IpAddress", "203.0.113.9", "203.0.113.9", true),
        ("IpAddress", "203.0.113.9", "203.0.113.8", false),
        ("IpAddress", "0.0.0.0/0", "8.8.8.8", true),
        ("IpAddress", "0.0.0.0/0", "::1", false),
        ("IpAddress", "::/0", "8.8.8.8", false),
        ("IpAddress", "::/0", "2001:db8::1", true),
        ("IpAddress", "2001:db8::/32", "2001:db8:1::1", true),
        ("IpAddress", "2001:db8::/32", "2001:db9::1", false),
        ("IpAddress", "203.0.113.0/24", "::ffff:203.0.113.9", true),
        ("IpAddress", "203.0.113.0/24", "localhost", false),
        ("NotIpAddress", "203.0.113.0/24", "203.0.113.9", false),
        ("NotIpAddress", "203.0.113.0/24", "203.0.114.9", true),
        ("NotIpAddress", "203.0.113.0/24", "2001:db8::1", true),
    ] {
        assert_eq!(holds(operator, &[value], &one(context)), expect, "{operator} {value} {context}");
        if let Ok(address) = context.parse::<std::net::IpAddr>() {
            assert_eq!(holds(operator, &[value], &one(address)), expect, "{operator} {value} {context}");
        }
    }
    assert!(!holds("NotIpAddress", &["10.0.0.0/8", "192.168.0.0/16"], &one("192.168.1.1")));
}

#[test]
fn bytes_are_compared_with_their_base64() {
    assert!(holds("BinaryEquals", &["AAEC"], &one(&[0_u8, 1, 2][..])));
    assert!(holds("BinaryEquals", &["/w==", "AAEC"], &one("AAEC")));
    assert!(!holds("BinaryEquals", &["AAEC"], &one(&[0_u8, 1][..])));
    assert!(!holds("BinaryEquals", &["AAEC"], &one("not base64")));
}

#[test]
fn sets_are_compared_value_by_value() {
    for (operator, values, context, expect) in [
        ("ForAllValues:StringEquals", &["a", "b"][..], &["a"][..], true),
        ("ForAllValues:StringEquals", &["a", "b"], &["a", "b"], true),
        ("ForAllValues:StringEquals", &["a", "b"], &["a", "c"], false),
        ("ForAllValues:StringEquals", &["a"], &[], true),
        ("ForAllValues:StringEquals", &["a"], &[""], true),
        ("ForAllValues:StringEquals", &["a"], &["", "a"], false),
        ("ForAllValues:StringNotEquals", &["a"], &["b", "c"], true),
        ("ForAllValues:StringNotEquals", &["a"], &["b", "a"], false),
        ("ForAllValues:StringLike", &["kms:*"], &["kms:a", "kms:b"], true),
        ("ForAnyValue:StringEquals", &["a", "b"], &["c", "b"], true),
        ("ForAnyValue:StringEquals", &["a", "b"], &["c"], false),
        ("ForAnyValue:StringEquals", &["a"], &[], false),
        ("ForAnyValue:StringEquals", &[""], &[""], false),
        ("ForAnyValue:StringNotEquals", &["a"], &["a", "b"], true),
        ("ForAnyValue:StringNotEquals", &["a"], &["a"], false),
        ("ForAnyValue:StringNotEquals", &["a"], &[], false),
        ("ForAnyValue:NumericLessThan", &["3"], &["5", "2"], true),
    ] {
        assert_eq!(holds(operator, values, &many(context)), expect, "{operator} {values:?} {context:?}");
    }
    assert!(holds("ForAllValues:StringEquals", &["a"], &one("a")), "a single value is a set of one");
    assert!(!holds("ForAnyValue:StringEquals", &["a"], &one("b")));
}

#[test]
fn a_multi_valued_key_without_a_set_operator_meets_no_condition() {
    for operator in ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringLike"] {
        for values in [&["a"][..], &["a", "b"]] {
            assert!(!holds(operator, &["a"], &many(values)), "{operator} {values:?}");
        }
        assert!(
            operator == "StringNotEquals" || operator.ends_with("IfExists") || !holds(operator, &["a"], &many(&[]))
        );
    }
}

#[test]
fn values_that_the_operator_cannot_compare_are_refused_with_their_place() {
    for (operator, value) in [
        ("NumericEquals", "few"),
        ("NumericEquals", ""),
        ("NumericEquals", "inf"),
        ("NumericEquals", "NaN"),
        ("NumericEquals", "1e999"),
        ("NumericEquals", "${aws:x}"),
        ("DateEquals", "tomorrow"),
        ("DateEquals", "2026-13-01"),
        ("DateEquals", "2026-11-23-01"),
        ("DateEquals", "26-11-23"),
        ("Bool", "yes"),
        ("Bool", "${aws:x}"),
        ("Null", ""),
        ("BinaryEquals", "%"),
        ("IpAddress", "203.0.113.0/33"),
        ("IpAddress", "203.0.113.0/"),
        ("IpAddress", "203.0.113.0/+8"),
        ("IpAddress", "203.0.113"),
        ("IpAddress", "::/129"),
        ("ArnEquals", "bucket"),
        ("ArnLike", "arn:aws:s3"),
        ("StringEquals", "${aws:username"),
        ("StringLike", "${}"),
    ] {
        let operator = Operator::parse(operator).expect("an operator");
        let values = [Cow::Borrowed(sample_of(operator.operand)), Cow::Borrowed(value)];
        let refused = Condition::compile(operator, "t:Key", &values, true);
        assert_eq!(refused.map_err(|(index, _)| index), Err(1), "{operator:?} {value}");
    }
}

fn sample_of(operand: Operand) -> &'static str {
    match operand {
        Operand::Null | Operand::Bool => "true",
        Operand::Number(_) => "7",
        Operand::Date(_) => "2026-11-23",
        Operand::Binary => "AAEC",
        Operand::Address => "10.0.0.0/8",
        Operand::Arn => "arn:aws:s3:::bucket",
        Operand::Text | Operand::TextIgnoringCase | Operand::TextLike => "x",
    }
}

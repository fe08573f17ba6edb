use super::*;

fn matches(pattern: &str, text: &str) -> bool {
    let mut context = Context::new();
    context.insert("aws:username", "alice");
    context.insert("aws:PrincipalTag/region", "eu:1");
    context.insert("aws:SourceArn", "arn:aws:s3:::bucket/*");
    let pattern = ArnPattern::compile(pattern, true, false).expect("a pattern");
    pattern.matches(&Parted::new(text), &context)
}

#[test]
fn stars_stay_within_their_segment_but_for_the_last() {
    for (pattern, text, expect) in [
        ("*", "arn:aws:s3:::bucket", true),
        ("*", "*", true),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket", true),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::Bucket", false),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b:c", true),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", false),
        ("arn:aws:kms:*:111122223333:key/*", "arn:aws:kms:eu-1:111122223333:key/x", true),
        ("arn:aws:kms:*:111122223333:key/*", "arn:aws:kms:eu-1:444455556666:111122223333:key/x", false),
        ("arn:aws:kms:e?-1:*:*", "arn:aws:kms:eu-1:1:key/x:y", true),
        ("arn:aws:kms:e?-1:*:*", "arn:aws:kms:e:-1:1:key/x", false),
        ("arn:aws:iam::*:user/a?c", "arn:aws:iam::1:user/abc", true),
        ("arn:*:iam::*:user/*", "arn:aws-cn:iam::1:user/abc", true),
        ("arn:aws:iam::1:user/*/x", "arn:aws:iam::1:user/a/b/x", true),
        ("arn:aws:sqs:*:*:*", "*", false),
        ("arn:aws:iam::1:*", "arn:aws:iam::1:", true),
        ("arn:aws:logs:*:1:log-group:g:*", "arn:aws:logs:eu-1:1:log-group:g:stream", true),
        ("arn:aws:logs:*:1:log-group:g:*", "arn:aws:logs:eu-1:1:log-group:h:stream", false),
        ("arn:aws:logs:*:1:log-group:g", "arn:aws:logs:eu-1:1:log-group:g:stream", false),
        ("arn:aws:logs:*:1:log-group", "arn:aws:logs:eu-1:1:log-group:g", false),
    ] {
        assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
    }
}

#[test]
fn variables_fill_a_segment_and_cannot_leave_it() {
    for (pattern, text, expect) in [
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/alice/x", true),
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/bob/x", false),
        ("arn:aws:s3:::home/${aws:userid, 'guest'}", "arn:aws:s3:::home/guest", true),
        ("arn:aws:s3:::home/${aws:userid}", "arn:aws:s3:::home/", false),
        ("arn:aws:kms:${aws:PrincipalTag/region}:1:key/x", "arn:aws:kms:eu:1:1:key/x", false),
        ("arn:aws:s3:::a${*}b", "arn:aws:s3:::a*b", true),
        ("arn:aws:s3:::a${*}b", "arn:aws:s3:::axb", false),
        ("${aws:SourceArn}", "arn:aws:s3:::bucket/*", true),
        ("${aws:SourceArn}", "arn:aws:s3:::bucket/x", false),
        ("${aws:userid}", "arn:aws:s3:::bucket/x", false),
    ] {
        assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
    }
}

#[test]
fn missing_segments_are_stars_where_completion_is_asked_for() {
    let complete = |text| ArnPattern::compile(text, true, true);
    assert_eq!(complete("arn:aws:sqs"), complete("arn:aws:sqs:*:*:*"));
    assert_eq!(complete("arn:aws:sqs:eu-1"), complete("arn:aws:sqs:eu-1:*:*"));
    assert!(ArnPattern::compile("arn:aws:sqs", true, false).is_err());
    for text in ["", "x", "bucket/*", "urn:aws:s3:::x", "a*n:aws:s3:::x", "**", "${aws:SourceArn}"] {
        assert!(complete(text).is_err(), "{text}");
    }
}

#[test]
fn common_patterns_take_their_quick_form() {
    let compile = |text| ArnPattern::compile(text, true, true).expect("a pattern");
    assert_eq!(compile("arn:aws:s3:::b"), ArnPattern::Exact("arn:aws:s3:::b".into()));
    assert_eq!(compile("arn:aws:s3:::b/*"), ArnPattern::Prefix("arn:aws:s3:::b/".into()));
    assert_eq!(compile("arn:aws:s3:::*"), ArnPattern::Prefix("arn:aws:s3:::".into()));
    assert!(matches!(compile("arn:aws:s3:*:*:b"), ArnPattern::Segments(_)));
}

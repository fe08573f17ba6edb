use super::*;

const WILD: Syntax = Syntax { wildcards: true, variables: false };
const ALL: Syntax = Syntax { wildcards: true, variables: true };

fn matches(pattern: &str, text: &str) -> bool {
    Glob::compile(pattern, WILD).expect("a pattern").matches(text, &Context::new())
}

#[test]
fn stars_stand_for_any_run_and_question_marks_for_one_character() {
    for (pattern, text, expect) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "anything/at:all", true),
        ("?", "", false),
        ("?", "a", true),
        ("?", "ab", false),
        ("a", "a", true),
        ("a", "A", false),
        ("a*", "a", true),
        ("a*", "ba", false),
        ("*a", "bca", true),
        ("*a", "ab", false),
        ("a*b", "ab", true),
        ("a*b", "a", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("*a*", "bab", true),
        ("*ab*ab*", "abab", true),
        ("*ab*ab*", "aab", false),
        ("*aab", "aaaab", true),
        ("*a?b*", "xaab", true),
        ("*a?b*", "xabxb", false),
        ("a**b", "a--b", true),
        ("*?*", "", false),
        ("*?*", "x", true),
        ("??*", "x", false),
        ("*??", "xy", true),
        ("?*?", "x", false),
        ("a?c*e?g", "abcdefg", true),
        ("a?c*e?g", "abcefeg", false),
        ("*abc", "ababc", true),
        ("*a?a*", "aba", true),
        ("*b?c*d", "bbbcd", true),
    ] {
        assert_eq!(matches(pattern, text), expect, "{pattern:?} {text:?}");
    }
}

#[test]
fn a_question_mark_is_one_character_however_many_bytes_it_has() {
    for (pattern, text, expect) in [
        ("?", "é", true),
        ("??", "é", false),
        ("é?*", "éé", true),
        ("*?é", "日é", true),
        ("a*?é*", "a日本é", true),
        ("*日?*", "x日本", true),
        ("*日?", "日", false),
    ] {
        assert_eq!(matches(pattern, text), expect, "{pattern:?} {text:?}");
    }
}

#[test]
fn common_patterns_take_their_quick_form() {
    let compile = |text| Glob::compile(text, ALL).expect("a pattern");
    assert_eq!(compile("*"), Glob::Any);
    assert_eq!(compile("***"), Glob::Any);
    assert_eq!(compile("plain"), Glob::Literal("plain".into()));
    assert_eq!(compile("start*"), Glob::Prefix("start".into()));
    assert_eq!(compile("${*}lit${?}"), Glob::Literal("*lit?".into()));
    assert!(matches!(compile("a*b"), Glob::Wild(_)));
    assert!(matches!(compile("a${b:c}*"), Glob::Template(_)));
}

#[test]
fn without_wildcards_stars_are_themselves() {
    let glob = Glob::compile("a*?", Syntax { wildcards: false, variables: true }).expect("a pattern");
    assert!(glob.matches("a*?", &Context::new()));
    assert!(!glob.matches("abc", &Context::new()));
}

#[test]
fn patterns_built_to_backtrack_are_matched_in_bounded_time() {
    // Exponential matchers never return from these; this one does a few million steps.
    let text = "a".repeat(2048);
    for pattern in
        ["*a".repeat(1000) + "*b", "*a?".repeat(600) + "b", "*?a".repeat(300) + "*b*", "?*".repeat(900) + "b"]
    {
        assert!(!matches(&pattern, &text), "{}", &pattern[..8]);
    }
    assert!(matches(&("*a".repeat(2048)), &text));
}

#[test]
fn variables_match_their_value_literally() {
    let mut context = Context::new();
    context.insert("aws:username", "al*ce");
    let glob = Glob::compile("home/${aws:username}/*", ALL).expect("a pattern");
    assert!(glob.matches("home/al*ce/notes", &context));
    assert!(!glob.matches("home/alice/notes", &context), "the value's star is no wildcard");
    assert!(!glob.matches("home/${aws:username}/notes", &context));
    assert!(!glob.matches("home//notes", &Context::new()), "a variable without a value is like nothing");
}

#[test]
fn case_is_ignored_where_asked_in_variables_too() {
    let mut context = Context::new();
    context.insert("a:b", "ÄbC");
    let glob = |text| Glob::compile(text, Syntax { wildcards: false, variables: true }).expect("a pattern");
    assert!(glob("x-äBc").matches_ignoring_case("X-ÄbC", &context));
    assert!(glob("X-${a:b}").matches_ignoring_case("x-äbc", &context));
    assert!(!glob("X-${a:b}").matches_ignoring_case("x-äbcd", &context));
    assert!(!glob("X-${a:none}").matches_ignoring_case("x-", &context));
}

use super::*;

fn variable(text: &str) -> Variable {
    match Braced::read(text) {
        Ok((Braced::Variable(variable), "")) => variable,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn names_and_defaults_are_read() {
    for (text, key, default) in [
        ("aws:username}", "aws:username", None),
        ("aws:PrincipalTag/team, 'none'}", "aws:PrincipalTag/team", Some("none")),
        ("aws:PrincipalTag/team,'none'}", "aws:PrincipalTag/team", Some("none")),
        ("aws:PrincipalTag/cost center}", "aws:PrincipalTag/cost center", None),
        ("a:b, ''}", "a:b", Some("")),
        ("a:b, 'x, } y'}", "a:b", Some("x, } y")),
    ] {
        let read = variable(text);
        assert_eq!((&*read.key, read.default.as_deref()), (key, default), "{text}");
    }
    assert_eq!(Braced::read("*}/x"), Ok((Braced::Literal('*'), "/x")));
    assert_eq!(Braced::read("?}"), Ok((Braced::Literal('?'), "")));
    assert_eq!(Braced::read("$}"), Ok((Braced::Literal('$'), "")));
}

#[test]
fn what_is_no_variable_is_refused() {
    for text in [
        "",
        "aws:username",
        "}",
        ", 'x'}",
        "a:b, x}",
        "a:b, 'x}",
        "a:b, 'x' }",
        " a:b}",
        "a:b }",
        "**}",
        "a:*}",
        "a:{b}}",
        "*, 'x'}",
    ] {
        assert!(Braced::read(text).is_err(), "{text}");
    }
}

#[test]
fn a_missing_key_gives_the_default_and_a_multi_valued_one_nothing() {
    let mut context = Context::new();
    context.insert("aws:username", "alice");
    context.insert("aws:EpochTime", 17_i64);
    context.insert_many("aws:TagKeys", ["one"]);
    let resolve = |text| variable(text).resolve(&context).map(Cow::into_owned);
    assert_eq!(resolve("aws:UserName}").as_deref(), Some("alice"));
    assert_eq!(resolve("aws:username, 'x'}").as_deref(), Some("alice"));
    assert_eq!(resolve("aws:EpochTime}").as_deref(), Some("17"));
    assert_eq!(resolve("aws:userid, 'x'}").as_deref(), Some("x"));
    assert_eq!(resolve("aws:userid}"), None);
    assert_eq!(resolve("aws:TagKeys}"), None);
    assert_eq!(resolve("aws:TagKeys, 'x'}"), None);
}

use super::*;

#[test]
fn names_are_found_in_any_case_and_the_last_value_counts() {
    let mut context = Context::new();
    context.insert("aws:username", "alice");
    context.insert("AWS:UserName", "bob");
    assert_eq!(context.get("aws:USERNAME"), Some(&Values::One("bob".into())));
    assert_eq!(context.get("aws:userid"), None);
}

#[test]
fn a_layer_hides_its_parents_keys_and_keeps_their_others() {
    let mut request = Context::new();
    request.insert("aws:username", "alice");
    request.insert("kms:ViaService", "s3");
    let mut need = Context::over(&request);
    need.insert("kms:viaservice", "ebs");
    need.insert_many("aws:username", [""; 0]);
    let leaf = Context::over(&need);
    assert_eq!(leaf.get("kms:ViaService"), Some(&Values::One("ebs".into())));
    assert_eq!(leaf.get("aws:username"), None, "a key without values is absent, whatever the parent says");
    assert_eq!(request.get("aws:username"), Some(&Values::One("alice".into())));
}

#[test]
fn every_layer_tells_its_keys_each_once() {
    let mut request = Context::new();
    request.insert("aws:username", "alice");
    request.insert("kms:ViaService", "s3");
    let kept = [("kms:viaservice".into(), Values::One("ebs".into())), ("kms:KeySpec".into(), Values::Many(Vec::new()))];
    let mut own = Context::layer(&kept, &request);
    own.insert("kms:RequestAlias", "alias/x");
    let (ebs, alice, alias) = (Values::One("ebs".into()), Values::One("alice".into()), Values::One("alias/x".into()));
    let expected = [("kms:RequestAlias", &alias), ("kms:viaservice", &ebs), ("aws:username", &alice)];
    assert_eq!(own.keys(), expected, "one without values is absent");
}

#[test]
fn values_have_a_text() {
    let time = OffsetDateTime::from_unix_timestamp(1_795_445_018).expect("a time");
    let address: IpAddr = "2001:db8::1".parse().expect("an address");
    for (value, text) in [
        (Value::from("x"), "x"),
        (true.into(), "true"),
        (false.into(), "false"),
        (17_i64.into(), "17"),
        (time.into(), "2026-11-23T14:43:38Z"),
        (address.into(), "2001:db8::1"),
        ((&b"\x00\xff"[..]).into(), "AP8="),
    ] {
        assert_eq!(value.text(), text);
    }
}

#[test]
fn names_of_others_that_differ_in_case_only_are_one_key_without_a_value() {
    let mut request = Context::new();
    request.insert("aws:ResourceTag/stage", "test");
    let mut own = Context::over(&request);
    own.insert_named(
        "aws:ResourceTag/",
        [("Team", "red"), ("Stage", "live"), ("x", ""), ("team", "blue"), ("TEAM", "")],
    );
    for spelling in ["aws:ResourceTag/Team", "aws:resourcetag/team", "AWS:RESOURCETAG/TEAM"] {
        assert_eq!(own.get(spelling), None);
        assert!(own.is_ambiguous(spelling), "{spelling}");
    }
    assert_eq!(own.get("aws:ResourceTag/stage"), Some(&Values::One("live".into())), "it hides the parent's");
    assert_eq!(own.get("aws:ResourceTag/X"), Some(&Values::One("".into())));
    assert!(own.has_ambiguous() && !own.is_ambiguous("aws:ResourceTag/x") && !own.is_ambiguous("aws:ResourceTag/y"));
    assert!(Context::over(&own).has_ambiguous() && !request.has_ambiguous());

    let mut over = Context::over(&own);
    over.insert_named("aws:ResourceTag/", [("team", "red")]);
    assert_eq!(over.get("aws:ResourceTag/Team"), Some(&Values::One("red".into())), "its own layer has it once");
}

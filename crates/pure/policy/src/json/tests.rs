use super::*;

#[test]
fn the_places_of_statements_are_told_in_lines_and_columns() {
    let text = "{\n  \"Id\": \"é\", \"Statement\": [ {\"a\": \"日本\"},\n{}]}";
    let members = document(text).expect("a document");
    let (_, statement) = members.last().expect("a statement");
    let mut surveyor = Surveyor::new(text);
    let spans: Vec<_> = elements(statement.get(), &At::Root)
        .expect("elements")
        .into_iter()
        .map(|raw| surveyor.span(raw.get()))
        .map(|span| (span.start.line, span.start.column, span.end.line, span.end.column))
        .collect();
    assert_eq!(spans, [(2, 29, 2, 40), (3, 1, 3, 3)]);
}

#[test]
fn duplicates_are_kept_and_can_be_refused() {
    let Json::Object(members) = Json::read(r#"{"a": 1, "A": 2.5, "a": null}"#, &At::Root).expect("an object") else {
        panic!("not an object");
    };
    assert_eq!(members.len(), 3);
    assert_eq!(
        refuse_duplicates(&members, true, &At::Root).map_err(|malformed| malformed.message),
        Err("\"a\" appears more than once".to_owned())
    );
    let apart = &members[..2].to_vec();
    assert_eq!(refuse_duplicates(apart, true, &At::Root), Ok(()));
    assert!(refuse_duplicates(apart, false, &At::Root).is_err());
}

#[test]
fn deep_nesting_is_refused_at_any_place() {
    for opening in ["[", "{\"a\":"] {
        assert!(Json::read(&opening.repeat(100_000), &At::Root).is_err());
        assert!(document(&format!("{{\"Statement\":{}", opening.repeat(100_000))).is_err());
    }
    let sound = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(Json::read(&sound, &At::Root).is_ok());
}

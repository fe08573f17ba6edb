//! Whatever is signed verifies, and nothing else does.

use proptest::prelude::*;

use super::*;

fn escaped() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-zA-Z0-9._~-]", 1 => "%[0-9a-fA-F]{2}", 1 => "[!*'()+,:@$;]"]
}

fn text(length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(escaped(), length).prop_map(|pieces| pieces.concat())
}

fn request() -> impl Strategy<Value = Request> {
    let segment =
        prop_oneof![6 => text(1..6), 1 => Just(".".to_owned()), 1 => Just("..".to_owned()), 1 => Just(String::new())];
    let path = prop::collection::vec(segment, 0..5).prop_map(|segments| format!("/{}", segments.join("/")));
    let pair = (text(1..5), prop::option::of(text(0..5)))
        .prop_map(|(name, value)| value.map_or(name.clone(), |value| format!("{name}={value}")));
    let query = prop::collection::vec(pair, 0..5).prop_map(|pairs| pairs.join("&"));
    let headers = prop::collection::vec(("x-[a-y]{1,4}", "[ -~\t\u{80}-\u{ff}]{0,12}"), 0..5);
    (prop::sample::select(vec!["GET", "POST", "PUT"]), path, query, headers, prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(method, path, query, headers, body)| {
            let mut headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            headers.push(("host", "localhost:4566"));
            headers.push(("content-type", "a"));
            Request::new(method, &format!("{path}?{query}"), &headers, &body)
        })
}

/// Another letter or digit in place of the one that `at` points to, outside percent escapes, whose case is free.
/// `None` if there is none.
fn mutated(text: &str, at: prop::sample::Index, to: char) -> Option<String> {
    let bytes = text.as_bytes();
    let free = |at: usize| bytes[at].is_ascii_alphanumeric() && !bytes[at.saturating_sub(2)..at].contains(&b'%');
    let places: Vec<usize> = (0..bytes.len()).filter(|at| free(*at)).collect();
    let place = *places.get(at.index(places.len().max(1)))?;
    let mut text = text.to_owned();
    let was = text.split_off(place);
    if was.starts_with(to) {
        return None;
    }
    text.push(to);
    text.push_str(&was[1..]);
    Some(text)
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_any_change_to_it_does_not(
        request in request(),
        s3 in any::<bool>(),
        token in prop::option::of("[a-zA-Z0-9/+=]{1,40}"),
        presigned in any::<bool>(),
        at in any::<prop::sample::Index>(),
        to in prop::char::range('a', 'z'),
    ) {
        let rules = if s3 { Rules::S3 } else { Rules::STANDARD };
        let signer = Signer { session_token: token.as_deref(), ..signer(if s3 { "s3" } else { "kms" }, rules) };
        let mut request = request;
        let payload = request.body.clone();
        if presigned {
            request.query = signer.presign(&request.parts(), Payload::Body(&payload), TIME, 600).expect("presigned");
        } else {
            let added = signer.sign(&request.parts(), Payload::Body(&payload), TIME).expect("signed");
            request.add(&added);
        }
        prop_assert_eq!(request.verify(rules, TIME), Ok(()));

        // Where dot segments are resolved, a change within a segment that is resolved away changes nothing.
        if (s3 || !request.path.contains("..")) && let Some(path) = mutated(&request.path, at, to) {
            let changed = Request { path, ..request.clone() };
            prop_assert!(changed.verify(rules, TIME).is_err());
        }
        if let Some(query) = mutated(&request.query, at, to) {
            let changed = Request { query, ..request.clone() };
            prop_assert!(changed.verify(rules, TIME).is_err());
        }
        for (name, value) in &request.headers {
            let Ok(value) = value.to_str() else { continue };
            let Some(value) = mutated(value, at, to) else { continue };
            let mut changed = request.clone();
            changed.headers.insert(name, HeaderValue::from_str(&value).expect("a header value"));
            prop_assert!(changed.verify(rules, TIME).is_err(), "{}: {}", name, value);
        }
        if !(s3 && presigned) {
            let mut changed = request.clone();
            match at.index(changed.body.len() + 1) {
                end if end == changed.body.len() => changed.body.push(0),
                within => changed.body[within] ^= 1,
            }
            prop_assert!(changed.verify(rules, TIME).is_err());
        }
        let mut changed = request.clone();
        changed.method = "DELETE".into();
        prop_assert!(changed.verify(rules, TIME).is_err());
    }

    #[test]
    fn no_bytes_make_the_parser_panic(
        authorization in prop::collection::vec(any::<u8>(), 0..200),
        credential in "[ -~]{0,60}",
        date in "[ -~]{0,20}",
        query in "[ -~\u{e9}]{0,200}",
        presigned in any::<bool>(),
    ) {
        let mut request = Request::new("GET", "/", &[("host", "a"), ("x-amz-date", &date)], b"");
        if presigned {
            request.query = format!(
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={date}&{query}"
            );
        } else if let Ok(value) = HeaderValue::from_bytes(&authorization) {
            request.headers.insert("authorization", value);
        } else {
            let value = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature={query}");
            request.headers.insert("authorization", HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
        }
        prop_assert!(request.verify(Rules::STANDARD, TIME).is_err());
    }
}

//! Refused requests, and each protocol's name for the refusal.

use super::*;
use crate::Protocol;

const BODY: &[u8] = b"{\"KeyId\":\"alias/first-cmk\"}";

fn signed() -> Request {
    signed_as(Rules::STANDARD)
}

fn signed_as(rules: Rules) -> Request {
    let service = if rules == Rules::S3 { "s3" } else { "kms" };
    let mut request = unsigned();
    let added = signer(service, rules).sign(&request.parts(), Payload::Body(BODY), TIME).expect("signed");
    request.add(&added);
    request
}

fn unsigned() -> Request {
    let headers = [
        ("Host", "localhost:4566"),
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", "TrentService.DescribeKey"),
    ];
    Request::new("POST", "/", &headers, BODY)
}

fn presigned(seconds: u32) -> Request {
    let mut request = Request::new("GET", "/?Action=GetCallerIdentity", &[("Host", "localhost:4566")], b"");
    request.query =
        signer("sts", Rules::STANDARD).presign(&request.parts(), Payload::Body(b""), TIME, seconds).expect("presigned");
    request
}

fn with_authorization(change: impl Fn(&str) -> String) -> Request {
    let mut request = signed();
    let changed = change(request.headers["authorization"].to_str().expect("text"));
    request.headers.insert("authorization", HeaderValue::from_str(&changed).expect("a header value"));
    request
}

fn after(minutes: i64) -> Timestamp {
    Timestamp::from_millis(TIME.millis() + minutes * 60_000)
}

#[test]
fn the_form_of_the_authorization_is_checked_and_named_as_aws_names_it() {
    type Case = (&'static str, Request, &'static str, &'static str);
    let mut twice = presigned(60);
    twice.add(&signed().headers);
    let mut dateless = signed();
    dateless.headers.remove("x-amz-date");
    let mut two_dates = signed();
    two_dates.headers.append("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    let mut bad_date = signed();
    bad_date.headers.insert("x-amz-date", HeaderValue::from_static("20150830T993600Z"));
    let mut basic = unsigned();
    basic.headers.insert("authorization", HeaderValue::from_static("Basic dXNlcjpwYXNz"));
    let mut no_signature = presigned(60);
    no_signature.query.truncate(no_signature.query.find("&X-Amz-Signature").expect("a signature"));
    let mut week = presigned(60);
    week.query = week.query.replace("X-Amz-Expires=60", "X-Amz-Expires=604801");
    let cases: [Case; 16] = [
        ("nothing", unsigned(), "MissingAuthenticationToken", "Request is missing Authentication Token"),
        ("basic", basic, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        (
            "twice",
            twice,
            "SignatureDoesNotMatch",
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
        ),
        (
            "algorithm",
            with_authorization(|text| text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512")),
            "IncompleteSignature",
            "Unsupported AWS 'algorithm' (only AWS4-HMAC-SHA256 for now).",
        ),
        (
            "empty",
            with_authorization(|_| "AWS4-HMAC-SHA256".into()),
            "IncompleteSignature",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter.",
        ),
        (
            "dateless",
            dateless,
            "IncompleteSignature",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        ),
        ("two dates", two_dates, "IncompleteSignature", "'x-amz-date' must be given only once."),
        (
            "bad date",
            bad_date,
            "IncompleteSignature",
            "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            "no equal sign",
            with_authorization(|text| text.replace("Signature=", "Signature")),
            "IncompleteSignature",
            "Invalid key=value pair (missing equal-sign) in Authorization header.",
        ),
        (
            "repeated",
            with_authorization(|text| format!("{text}, Signature=0")),
            "IncompleteSignature",
            "'Signature' must be given only once.",
        ),
        (
            "short credential",
            with_authorization(|text| text.replace("/kms/", "/")),
            "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
        ),
        (
            "terminator",
            with_authorization(|text| text.replace("aws4_request", "aws5_request")),
            "SignatureDoesNotMatch",
            "Credential should be scoped with a valid terminator: 'aws4_request'.",
        ),
        (
            "scope date",
            with_authorization(|text| text.replace("/20150830/", "/20150831/")),
            "SignatureDoesNotMatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != \
             '20150830', from '20150830T123600Z'.",
        ),
        (
            "host",
            with_authorization(|text| text.replace("host;", "")),
            "SignatureDoesNotMatch",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "no signature",
            no_signature,
            "IncompleteSignature",
            "AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string parameters.",
        ),
        ("a week", week, "IncompleteSignature", "X-Amz-Expires must be a number of seconds between 1 and 604800"),
    ];
    for (name, request, code, message) in cases {
        let error = request.verify(Rules::STANDARD, TIME).expect_err(name);
        let fault = error.fault(Protocol::query(""));
        assert_eq!((fault.code, fault.message.as_str()), (code, message), "{name}");
    }
}

#[test]
fn each_protocol_has_its_own_names_and_statuses() {
    let json = Protocol::json("1.1", "");
    let query = Protocol::query("");
    for (error, json_code, query_code, query_status) in [
        (SigV4Error::Missing, "MissingAuthenticationTokenException", "MissingAuthenticationToken", 403),
        (SigV4Error::Credential, "IncompleteSignatureException", "IncompleteSignature", 400),
        (SigV4Error::Signature, "InvalidSignatureException", "SignatureDoesNotMatch", 403),
        (SigV4Error::UnknownAccessKey, "UnrecognizedClientException", "InvalidClientTokenId", 403),
        (SigV4Error::ExpiredToken, "ExpiredTokenException", "ExpiredToken", 403),
        (SigV4Error::PresignedExpired { seconds: 1, expiry: TIME, now: TIME }, "RequestExpired", "RequestExpired", 400),
    ] {
        assert_eq!((error.fault(json).code, error.fault(json).status), (json_code, 400));
        assert_eq!((error.fault(query).code, error.fault(query).status), (query_code, query_status));
    }
}

#[test]
fn s3_says_what_is_wrong_in_its_own_words() {
    let s3 = Protocol::rest_xml("", &[]);
    let missing = MissingParameters { presigned: true, ..MissingParameters::EXPIRY };
    for (error, header, query, status) in [
        (SigV4Error::Missing, "AccessDenied", "AccessDenied", 403),
        (SigV4Error::TwiceSigned, "InvalidArgument", "InvalidArgument", 400),
        (SigV4Error::Mechanism, "InvalidRequest", "InvalidRequest", 400),
        (SigV4Error::Credential, "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError", 400),
        (SigV4Error::Date, "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError", 400),
        (
            SigV4Error::Parameters(missing),
            "AuthorizationQueryParametersError",
            "AuthorizationQueryParametersError",
            400,
        ),
        (SigV4Error::ExpiryRange, "AuthorizationQueryParametersError", "AuthorizationQueryParametersError", 400),
        (SigV4Error::HeaderUnsigned { name: "x-amz-acl".into() }, "AccessDenied", "AccessDenied", 403),
        (
            SigV4Error::Expired { signed: TIME, now: after(16), minutes: 15 },
            "RequestTimeTooSkewed",
            "RequestTimeTooSkewed",
            403,
        ),
        (SigV4Error::PayloadUnstated, "InvalidRequest", "InvalidRequest", 400),
        (SigV4Error::PayloadForm, "InvalidArgument", "InvalidArgument", 400),
        (SigV4Error::Signature, "SignatureDoesNotMatch", "SignatureDoesNotMatch", 403),
        (SigV4Error::UnknownAccessKey, "InvalidAccessKeyId", "InvalidAccessKeyId", 403),
        (SigV4Error::UnknownToken, "InvalidToken", "InvalidToken", 400),
        (SigV4Error::ExpiredToken, "ExpiredToken", "ExpiredToken", 400),
    ] {
        let (fault, presigned) = (error.fault(s3), error.presigned_fault(s3));
        assert_eq!((fault.code, fault.status), (header, status));
        assert_eq!((presigned.code, presigned.status), (query, status));
    }
    let late = SigV4Error::PresignedExpired { seconds: 60, expiry: after(1), now: after(2) }.fault(s3);
    let details: Vec<_> = late.details().iter().map(|(name, value)| (*name, value.as_str())).collect();
    let expect = [("X-Amz-Expires", "60"), ("Expires", "2015-08-30T12:37:00Z"), ("ServerTime", "2015-08-30T12:38:00Z")];
    assert_eq!(
        (late.code, late.message.as_str(), details.as_slice()),
        ("AccessDenied", "Request has expired", &expect[..])
    );
}

#[test]
fn s3_wants_to_know_when_a_presigned_request_ends() {
    let mut request = unsigned();
    let signer = signer("s3", Rules::S3);
    request.query = signer.presign(&request.parts(), Payload::Stated, TIME, 60).expect("presigned");
    assert_eq!(request.verify(Rules::S3, TIME), Ok(()));
    request.query = request.query.replace("&X-Amz-Expires=60", "");
    assert_eq!(request.verify(Rules::S3, TIME), Err(SigV4Error::Parameters(MissingParameters::EXPIRY)));
}

#[test]
fn who_claims_to_be_somebody_is_not_anonymous() {
    let none = HeaderMap::new();
    for (query, expect) in [
        ("", Ok(())),
        ("list-type=2&prefix=Signature", Ok(())),
        ("AWSAccessKeyId=AKIA&Signature=x&Expires=1", Err(SigV4Error::Mechanism)),
        ("X-Amz-Signature=00", Err(SigV4Error::Parameters(MissingParameters::EXPIRY))),
        ("a&X%2damz%2dCredential=b", Ok(())),
        ("a&X%2DAmz%2DCredential=b", Err(SigV4Error::Parameters(MissingParameters::EXPIRY))),
    ] {
        assert_eq!(super::super::anonymous(&none, query), expect, "{query}");
    }
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer token"));
    assert_eq!(super::super::anonymous(&headers, ""), Err(SigV4Error::Mechanism));
}

#[test]
fn a_signature_is_good_for_the_skew_and_no_longer() {
    let (standard, s3) = (signed(), signed_as(Rules::S3));
    for (request, rules, minutes) in [(&standard, Rules::STANDARD, 5), (&s3, Rules::S3, 15)] {
        assert_eq!(request.verify(rules, after(minutes)), Ok(()));
        assert_eq!(request.verify(rules, after(-minutes)), Ok(()));
        assert!(matches!(request.verify(rules, after(minutes + 1)), Err(SigV4Error::Expired { .. })));
        assert!(matches!(request.verify(rules, after(-minutes - 1)), Err(SigV4Error::NotYetCurrent { .. })));
    }
    assert_eq!(
        standard.verify(Rules::STANDARD, after(6)).expect_err("late").to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123700Z (20150830T124200Z - 5 min.)"
    );
    assert_eq!(
        standard.verify(Rules::STANDARD, after(-6)).expect_err("early").to_string(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123500Z (20150830T123000Z + 5 min.)"
    );
}

#[test]
fn a_presigned_request_is_good_until_it_expires() {
    let request = presigned(600);
    assert_eq!(Authorization::parse(&request.parts()).expect("signed").expiry(), Some(after(10)));
    assert_eq!(request.verify(Rules::STANDARD, after(10)), Ok(()));
    assert_eq!(
        request.verify(Rules::STANDARD, after(11)),
        Err(SigV4Error::PresignedExpired { seconds: 600, expiry: after(10), now: after(11) })
    );
    assert!(matches!(request.verify(Rules::STANDARD, after(-6)), Err(SigV4Error::NotYetCurrent { .. })));
    let mut longer = request;
    longer.query = longer.query.replace("X-Amz-Expires=600", "X-Amz-Expires=900");
    assert_eq!(longer.verify(Rules::STANDARD, TIME), Err(SigV4Error::Signature));
    // One that sets no expiry is as short-lived as any other request.
    let mut forever = presigned(600);
    forever.query = forever.query.replace("&X-Amz-Expires=600", "");
    assert!(matches!(forever.verify(Rules::STANDARD, after(6)), Err(SigV4Error::Expired { .. })));
}

#[test]
fn an_unsigned_target_cannot_be_added_to_a_signed_request() {
    let mut request = signed();
    request.headers.insert("x-amz-acl", HeaderValue::from_static("public-read"));
    assert_eq!(request.verify(Rules::STANDARD, TIME), Err(SigV4Error::HeaderUnsigned { name: "x-amz-acl".into() }));
    let mut request = signed();
    request.headers.append("x-amz-target", HeaderValue::from_static("TrentService.ScheduleKeyDeletion"));
    assert_eq!(request.verify(Rules::STANDARD, TIME), Err(SigV4Error::Signature));
    let mut request = presigned(60);
    request.headers.insert("x-amz-target", HeaderValue::from_static("TrentService.ScheduleKeyDeletion"));
    assert!(matches!(request.verify(Rules::STANDARD, TIME), Err(SigV4Error::HeaderUnsigned { .. })));
}

#[test]
fn only_s3_lets_the_client_state_the_payload() {
    for stated in ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", &"0".repeat(64), "", "nonsense"] {
        let mut request = unsigned();
        request.headers.insert(&CONTENT_HASH, HeaderValue::from_str(stated).expect("a header value"));
        // A client that signs what it states, body or no body.
        let signer =
            Signer { rules: Rules { stated_payload: true, ..Rules::STANDARD }, ..signer("kms", Rules::STANDARD) };
        let added = signer.sign(&request.parts(), Payload::Stated, TIME).expect("signed");
        request.add(&added);
        assert_eq!(request.verify(Rules::STANDARD, TIME), Err(SigV4Error::Payload), "{stated}");
    }
    let request = signed_as(Rules::S3);
    let parts = request.parts();
    let authorization = Authorization::parse(&parts).expect("signed");
    let key = SigningKey::derive(SECRET, "20150830", "us-east-1", "s3");
    let verify = |payload, rules| authorization.verify(&parts, payload, &key, rules, TIME);
    assert_eq!(verify(Payload::Stated, Rules::S3), Ok(()));
    assert_eq!(authorization.stated_payload(), Ok(StatedPayload::Hash(crypto::sha256(BODY))));
    assert_eq!(verify(Payload::Hash(crypto::sha256(BODY)), Rules::S3), Ok(()));
    assert_eq!(verify(Payload::Body(b"another"), Rules::S3), Err(SigV4Error::Payload));
    assert_eq!(verify(Payload::Stated, Rules::STANDARD), Err(SigV4Error::Payload));
}

#[test]
fn s3_payloads_that_are_not_hashes_are_known_by_name() {
    for (text, expect) in [
        ("UNSIGNED-PAYLOAD", Ok(StatedPayload::Unsigned)),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", Ok(StatedPayload::UnsignedChunks)),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Ok(StatedPayload::SignedChunks { trailer: false })),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Ok(StatedPayload::SignedChunks { trailer: true })),
        ("STREAMING", Err(SigV4Error::PayloadForm)),
    ] {
        let mut request = unsigned();
        request.headers.insert(&CONTENT_HASH, HeaderValue::from_str(text).expect("a header value"));
        let added = signer("s3", Rules::S3).sign(&request.parts(), Payload::Stated, TIME).expect("signed");
        request.add(&added);
        let parts = request.parts();
        assert_eq!(Authorization::parse(&parts).expect("signed").stated_payload(), expect, "{text}");
    }
}

#[test]
fn sizes_are_bounded() {
    let long = "x".repeat(5000);
    let request = with_authorization(|text| format!("{text}{long}"));
    assert_eq!(request.verify(Rules::STANDARD, TIME), Err(SigV4Error::TooLong { name: "authorization" }));
    let request = with_authorization(|text| text.replace("AKIDEXAMPLE", long.get(..400).unwrap_or_default()));
    assert_eq!(request.verify(Rules::STANDARD, TIME), Err(SigV4Error::TooLong { name: "Credential" }));
    let request = with_authorization(|text| text.replace("host;", &format!("host;{}", "a;".repeat(200))));
    assert_eq!(request.verify(Rules::STANDARD, TIME), Err(SigV4Error::TooLong { name: "SignedHeaders" }));
    let mut request = presigned(60);
    request.query.push_str(&format!("&a={}", "x".repeat(70_000)));
    assert_eq!(request.verify(Rules::STANDARD, TIME), Err(SigV4Error::TooLong { name: "query" }));
}

#[test]
fn http_2_signs_its_authority_and_a_date_header_serves_for_the_time() {
    let headers = [("Date", "Sun, 30 Aug 2015 12:36:00 GMT")];
    let mut request = Request::new("GET", "/", &headers, b"");
    let parts = RequestParts { host: Some("localhost:4566"), ..request.parts() };
    let added = signer("kms", Rules::STANDARD).sign(&parts, Payload::Body(b""), TIME).expect("signed");
    request.add(&added);
    let key = SigningKey::derive(SECRET, "20150830", "us-east-1", "kms");
    let verify = |request: &Request, host| {
        let parts = RequestParts { host, ..request.parts() };
        Authorization::parse(&parts)?.verify(&parts, Payload::Body(b""), &key, Rules::STANDARD, TIME)
    };
    assert_eq!(verify(&request, Some("localhost:4566")), Ok(()));
    assert_eq!(verify(&request, Some("localhost:4567")), Err(SigV4Error::Signature));
    assert_eq!(verify(&request, None), Err(SigV4Error::Signature));
    assert_eq!(
        signer("kms", Rules::STANDARD).sign(&request.parts(), Payload::Body(b""), TIME).err(),
        Some(SignError::Host)
    );
    // Without X-Amz-Date the same time is read from Date; the signature then lacks a header that it names.
    request.headers.remove("x-amz-date");
    let parts = request.parts();
    assert_eq!(Authorization::parse(&parts).expect("signed").time(), TIME);
}

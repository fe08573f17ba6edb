//! `aws cloudtrail lookup-events` over the audit log: authorised, filtered, paged.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on has to stop, saying why")]

use testkit::Server;

#[test]
fn boto3_looks_up_events_page_by_page_and_as_far_as_policies_allow() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let told = server.script("lookup_events.py", &[]);
    assert_eq!(told.trim(), "looked up");

    // The AWS CLI as well, which pages by itself.
    let found = server.aws(&[
        "cloudtrail",
        "lookup-events",
        "--lookup-attributes",
        "AttributeKey=EventName,AttributeValue=CreateKey",
        "--max-items",
        "1",
    ]);
    let event = &found["Events"][0];
    assert_eq!((&event["EventName"], &event["Username"]), (&"CreateKey".into(), &"administrator".into()));
    assert_eq!(event["Resources"][0]["ResourceType"], "AWS::KMS::Key");
}

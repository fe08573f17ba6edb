//! Both ways with the official command, `aws-encryption-cli`, against the same server.

use std::process::Command;

use serde_json::Value;
use testkit::Python;

use crate::{Service, bytes, done};

/// The official command, with the settings that ours has.
fn official(service: &Service, arguments: &[&str]) -> Command {
    let mut command = Python::encryption_cli().command("aws-encryption-cli");
    service.server.configure(&mut command).args(arguments).current_dir(service.place.path("."));
    let endpoint = format!("https://{}", service.server.address());
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_CA_BUNDLE", service.server.data().join("tls/ca.pem"));
    command.env("AWS_DEFAULT_REGION", "us-east-1");
    command
}

#[test]
fn messages_and_their_records_are_those_of_the_official_command() {
    let service = Service::start();
    let arn = service.key("one");
    let key = format!("key={arn}");
    let plain = bytes(1_000_001);
    service.place.write("in/plain", &plain);
    std::fs::create_dir(service.place.path("out")).expect("made");
    let shared = ["-c", "a=1", "b=2", "--frame-length", "65536", "--algorithm", "AES_256_GCM_HKDF_SHA512_COMMIT_KEY"];

    let ours = ["encrypt", "-w", &key, "-r", "-i", "in", "-o", "out", "--metadata-output", "ours"];
    done(service.run(&[&ours[..], &shared].concat()));
    let theirs = ["-d", "-w", &key, "-i", "out/plain.encrypted", "-o", "theirs.plain", "-c", "a=1", "-S"];
    done(official(&service, &theirs).output().expect("it runs"));
    assert!(service.place.read("theirs.plain") == plain);

    std::fs::remove_file(service.place.path("out/plain.encrypted")).expect("removed");
    let theirs = ["-e", "-w", &key, "-r", "-i", "in", "-o", "out", "--metadata-output", "theirs"];
    done(official(&service, &[&theirs[..], &shared].concat()).output().expect("it runs"));
    let opened =
        service.run(&["decrypt", "-w", "key=alias/one", "-i", "out/plain.encrypted", "-o", "-", "-c", "a=1", "b"]);
    assert!(done(opened) == plain);

    // Each member of their record is in ours, but for the values that differ from message to message.
    let record = |name: &str| crate::records(&service.place.path(name)).remove(0);
    let (ours, theirs) = (record("ours"), record("theirs"));
    for member in ["mode", "input", "output"] {
        assert_eq!(ours[member], theirs[member], "{member}");
    }
    for (member, value) in theirs["header"].as_object().expect("a header") {
        match (member.as_str(), value) {
            ("message_id" | "encrypted_data_keys" | "commitment_key", _) | (_, Value::Null) => {}
            _ => assert_eq!(&ours["header"][member], value, "{member}: {theirs}"),
        }
    }
    let provider = |record: &Value| record["header"]["encrypted_data_keys"][0]["key_provider"].clone();
    assert_eq!(provider(&ours), provider(&theirs));
}

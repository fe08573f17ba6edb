//! Keys of a key service: by which names, with whose credentials, and what is said when one refuses.

use serde_json::json;

use crate::{Service, done, element, refused};

#[test]
fn a_key_is_used_by_its_arn_its_id_its_alias_or_by_discovery() {
    let service = Service::start();
    let arn = service.key("one");
    let other = service.key("two");
    let id = arn.rsplit('/').next().expect("an id");
    let alias_arn = format!("{}:alias/one", arn.split(":key/").next().expect("an account"));
    let account = arn.split(':').nth(4).expect("an account");
    service.place.write("plain", b"salaries");
    for key in [arn.as_str(), id, "alias/one", &alias_arn] {
        let key = format!("key={key}");
        done(service.run(&["encrypt", "-w", &key, "-i", "plain", "-o", "sealed"]));
        let metadata =
            done(service.run(&["decrypt", "-w", &key, "-i", "sealed", "-o", "opened", "--metadata-output", "-"]));
        let record: serde_json::Value = serde_json::from_slice(&metadata).expect("a record");
        assert!(record["wrapping_key"].as_str().expect("a key").contains(id), "it is told which key opened: {record}");
        assert_eq!(service.place.read("opened"), b"salaries");
        std::fs::remove_file(service.place.path("opened")).expect("removed");
    }
    let accounts = format!("discovery-account={account}");
    for discovery in [&["discovery=true"][..], &["discovery=true", "discovery-partition=aws", &accounts]] {
        assert_eq!(
            done(service.run(&[&["decrypt", "-i", "sealed", "-o", "-", "-w"], discovery].concat())),
            b"salaries"
        );
    }

    let filtered = ["-w", "discovery=true", "discovery-partition=aws", "discovery-account=111122223333"];
    let said = refused(service.run(&[&["decrypt", "-i", "sealed", "-o", "opened"], &filtered[..]].concat()), 1);
    assert!(said.contains(&arn), "the message's key is named: {said}");
    let said = refused(service.run(&["encrypt", "-w", "discovery=true", "-i", "plain", "-o", "x"]), 2);
    assert!(said.contains("only decrypts"), "{said}");

    // An alias is the key that it points to now.
    service.kms("UpdateAlias", &json!({ "AliasName": "alias/one", "TargetKeyId": other }));
    let said = refused(service.run(&["decrypt", "-w", "key=alias/one", "-i", "sealed", "-o", "opened"]), 1);
    assert!(said.contains(&arn) && said.contains(&other), "both keys are named: {said}");
    assert!(!service.place.exists("opened"));

    // Either of two keys opens what both wrapped.
    done(service.run(&["encrypt", "-w", "key=alias/one", &format!("key={arn}"), "-i", "plain", "-o", "sealed"]));
    for key in [&arn, &other] {
        done(service.run(&["decrypt", "-w", &format!("key={key}"), "-i", "sealed", "-o", "opened"]));
    }
    let said = refused(
        service.run(&[
            "decrypt",
            "-w",
            &format!("key={arn}"),
            "-i",
            "sealed",
            "-o",
            "x",
            "--max-encrypted-data-keys",
            "1",
        ]),
        1,
    );
    assert!(said.contains("2 encrypted data keys; 1 are allowed"), "{said}");
}

#[test]
fn who_may_not_use_a_key_is_told_which_and_why_and_a_role_may() {
    let service = Service::start();
    let arn = service.key("one");
    service.user("bob");
    service.place.write("plain", b"salaries");
    done(service.run(&["encrypt", "-w", "key=alias/one", "-i", "plain", "-o", "sealed"]));
    let bob = ["-w", "key=alias/one", "profile=bob"];
    for (command, action) in [("encrypt", "kms:GenerateDataKey"), ("decrypt", "kms:Decrypt")] {
        let input = if command == "encrypt" { "plain" } else { "sealed" };
        let said = refused(service.run(&[&[command, "-i", input, "-o", "x"], &bob[..]].concat()), 1);
        for part in ["alias/one", "AccessDeniedException", "user/bob", action, &arn] {
            assert!(said.contains(part), "{part} in: {said}");
        }
        assert!(!service.place.exists("x"));
    }

    // Bob may assume a role that may use the key.
    let account = arn.split(':').nth(4).expect("an account");
    let document =
        |statement: serde_json::Value| json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let trust = document(json!({
        "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{account}:user/bob") }, "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": "4=2,@/x" } },
    }));
    let made = service.iam(&[("Action", "CreateRole"), ("RoleName", "sealer"), ("AssumeRolePolicyDocument", &trust)]);
    let role = element(&made, "Arn");
    let may_use =
        document(json!({ "Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": arn }));
    let put =
        [("Action", "PutRolePolicy"), ("RoleName", "sealer"), ("PolicyName", "use"), ("PolicyDocument", &may_use)];
    service.iam(&put);
    let profile = |name: &str, external: &str| {
        format!(
            "[profile {name}]\nrole_arn = {role}\nsource_profile = bob\nrole_session_name = at=work\nduration_seconds = 900\n{external}"
        )
    };
    service.configure("config", &profile("sealer", "external_id = 4=2,@/x\n"));
    service.configure("config", &profile("stranger", ""));
    // It may not look the alias up, and decrypts by it all the same.
    let sealer = ["-w", "key=alias/one", "profile=sealer"];
    done(service.run(&[&["encrypt", "-i", "plain", "-o", "sealed"], &sealer[..]].concat()));
    assert_eq!(done(service.run(&[&["decrypt", "-i", "sealed", "-o", "-"], &sealer[..]].concat())), b"salaries");
    let mut command = service.command(&["decrypt", "-i", "sealed", "-o", "-", "-w", "key=alias/one"]);
    assert_eq!(done(command.env("AWS_PROFILE", "sealer").output().expect("it runs")), b"salaries");

    let stranger = ["-w", "key=alias/one", "profile=stranger"];
    let said = refused(service.run(&[&["decrypt", "-i", "sealed", "-o", "x"], &stranger[..]].concat()), 1);
    assert!(said.contains("can't assume the role") && said.contains("AccessDenied"), "{said}");
    let said = refused(service.run(&["decrypt", "-i", "sealed", "-o", "x", "-w", "key=alias/one", "profile=none"]), 2);
    assert!(said.contains("there is no profile none"), "{said}");
}

#[test]
fn cached_data_keys_spare_calls_and_a_server_that_is_gone_is_named() {
    let service = Service::start();
    service.key("one");
    for number in 0..12 {
        service.place.write(&format!("in/{number}"), format!("content {number}").as_bytes());
    }
    std::fs::create_dir(service.place.path("out")).expect("made");
    let caching = ["--caching", "capacity=1", "max_age=300", "max_messages_encrypted=5"];
    let encrypt = ["encrypt", "-w", "key=alias/one", "-r", "-i", "in", "-o", "out", "--metadata-output", "records"];
    done(service.run(&[&encrypt[..], &caching, &["--parallel", "1"]].concat()));
    let mut keys: Vec<String> = crate::records(&service.place.path("records"))
        .iter()
        .map(|record| record["header"]["encrypted_data_keys"][0]["encrypted_data_key"].to_string())
        .collect();
    assert_eq!(keys.len(), 12);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 3, "one data key for each five messages");
    std::fs::create_dir(service.place.path("back")).expect("made");
    let decrypt =
        ["decrypt", "-w", "key=alias/one", "-r", "-i", "out", "-o", "back", "--strip-suffix", ".encrypted", "--suffix"];
    done(service.run(&[&decrypt[..], &["--caching", "capacity=9", "max_age=9"]].concat()));
    for number in 0..12 {
        assert_eq!(service.place.read(&format!("back/{number}")), format!("content {number}").as_bytes());
    }

    let Service { place, server, .. } = &service;
    let mut command = service.command(&["decrypt", "-w", "key=alias/one", "-i", "out/1.encrypted", "-o", "x"]);
    let output = command.env("AWS_ENDPOINT_URL", "https://127.0.0.1:1").env("AWS_MAX_ATTEMPTS", "2").output();
    let said = refused(output.expect("it runs"), 1);
    assert!(said.contains("127.0.0.1:1") && said.contains("Unreachable"), "{said}");
    let mut command = service.command(&["decrypt", "-w", "key=alias/one", "-i", "out/1.encrypted", "-o", "x"]);
    let other = place.path("one.key");
    let said = refused(command.env("AWS_CA_BUNDLE", &other).output().expect("it runs"), 1);
    assert!(said.contains("certificate"), "{said}");
    assert!(!server.log().contains("panicked"));
}

#[test]
fn messages_are_encrypted_anew_to_other_keys() {
    let service = Service::start();
    let (old, new) = (service.key("old"), service.key("new"));
    let plain = crate::bytes(3_000_001);
    service.place.write("plain", &plain);
    done(service.run(&[
        "encrypt",
        "-w",
        "key=alias/old",
        "-i",
        "plain",
        "-o",
        "vault",
        "-c",
        "a=1",
        "--frame-length",
        "65536",
    ]));
    let reencrypt = ["reencrypt", "-w", "key=alias/old", "--new-wrapping-keys", "key=alias/new", "-i", "vault"];
    let said = refused(service.run(&[&reencrypt[..], &["-o", "next", "-c", "a=2"]].concat()), 1);
    assert!(said.contains("another value") && !service.place.exists("next"), "{said}");

    // In place: the old message is there until the new one is complete.
    done(service.run(&[&reencrypt[..], &["-o", "vault", "-c", "a=1"]].concat()));
    let seen = done(service.run(&["inspect", "--json", "vault"]));
    let seen: serde_json::Value = serde_json::from_slice(&seen).expect("JSON");
    assert_eq!(seen["header"]["encryption_context"]["a"], "1");
    assert_eq!((&seen["header"]["frame_length"], &seen["plaintext_bytes"]), (&json!(65536), &json!(3_000_001)));
    let text = String::from_utf8(done(service.run(&["inspect", "vault"]))).expect("text");
    assert!(text.contains(&new) && !text.contains(&old), "{text}");
    let said = refused(service.run(&["decrypt", "-w", "key=alias/old", "-i", "vault", "-o", "x"]), 1);
    assert!(said.contains(&old) && said.contains(&new), "{said}");
    assert!(done(service.run(&["decrypt", "-w", "key=alias/new", "-i", "vault", "-o", "-"])) == plain);

    let changed = ["--new-encryption-context", "b=2", "--algorithm", "0478", "--frame-length", "4096"];
    let again = ["reencrypt", "-w", "key=alias/new", "--new-wrapping-keys", "key=alias/new", "key=alias/old"];
    let piped = service.run(&[&again[..], &changed, &["-i", "vault", "-o", "-"]].concat());
    let message = done(piped);
    service.place.write("piped", &message);
    assert!(done(service.run(&["decrypt", "-w", "key=alias/old", "-i", "piped", "-o", "-", "-c", "b=2"])) == plain);

    // What was changed on the way never becomes a message.
    let mut broken = service.place.read("vault");
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    service.place.write("broken", &broken);
    let mut command = service.command(&["reencrypt", "-w", "key=alias/new", "--new-wrapping-keys", "key=alias/new"]);
    let said = refused(command.args(["-i", "broken", "-o", "broken"]).output().expect("it runs"), 1);
    assert!(said.contains("not authentic"), "{said}");
    assert!(service.place.read("broken") == broken);
}

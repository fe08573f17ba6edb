//! Temporary credentials, several accounts and their limits, from outside with boto3, the AWS CLI and the commands.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::process::Command;

use testkit::{Python, Server};

/// Runs the AWS CLI with a profile's access key.
fn aws(server: &Server, profile: &str, arguments: &[&str]) -> (bool, String) {
    let mut command: Command = Python::installed().command("aws");
    let configured = server.configure(&mut command).env("AWS_PROFILE", profile).args(arguments);
    let config = std::fs::read_to_string(server.data().join("aws/config")).expect("a configuration");
    for (name, variable) in
        [("endpoint_url", "AWS_ENDPOINT_URL"), ("ca_bundle", "AWS_CA_BUNDLE"), ("region", "AWS_DEFAULT_REGION")]
    {
        let value = config.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='));
        configured.env(variable, value.expect("a setting").trim());
    }
    let output = configured.output().expect("the AWS CLI runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).expect("text"))
}

#[test]
fn boto3_gets_and_uses_temporary_credentials_until_their_role_is_gone() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let said = server.script("temporary_credentials.py", &[]);
    assert!(said.ends_with("Temporary credentials are as they should be.\n"), "{said}");
}

#[test]
fn an_operator_makes_accounts_limits_them_and_recovers_an_administrator() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let while_running = server.sealstack(&["account", "create", "staging"]);
    assert_eq!(while_running.status.code(), Some(4), "another sealstack uses the data directory");

    let stopped = server.terminate();
    let run = |arguments: &[&str]| {
        let output = stopped.sealstack(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    run(&["account", "create", "staging"]);
    assert_eq!(stopped.sealstack(&["account", "create", "staging"]).status.code(), Some(2), "it is there");
    let listed = run(&["account", "list"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let policy = stopped.data().join("limits.json");
    let limits = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"iam:CreateGroup","Resource":"*"}]}"#;
    std::fs::write(&policy, limits).expect("a file");
    run(&["account", "scp", "set", "staging", policy.to_str().expect("text")]);
    assert_eq!(run(&["account", "scp", "show", "staging"]), format!("{limits}\n"));
    run(&["admin", "recover", "--account", "staging", "--profile", "staging-admin"]);
    let credentials = std::fs::read_to_string(stopped.data().join("aws/credentials")).expect("credentials");
    for profile in ["[default]", "[staging]", "[staging-admin]"] {
        assert!(credentials.contains(profile), "{profile}");
    }

    let server = stopped.restart();
    let (done, said) = aws(&server, "staging", &["iam", "create-user", "--user-name", "ana"]);
    assert!(done, "{said}");
    for profile in ["staging", "staging-admin"] {
        let (done, said) = aws(&server, profile, &["iam", "create-group", "--group-name", "team"]);
        assert!(!done && said.contains("with an explicit deny in a service control policy"), "{said}");
    }
    let (done, said) = aws(&server, "default", &["iam", "create-group", "--group-name", "team"]);
    assert!(done, "{said}");

    let stopped = server.terminate();
    let cleared = stopped.sealstack(&["account", "scp", "clear", "staging"]);
    assert!(cleared.status.success(), "{}", String::from_utf8_lossy(&cleared.stderr));
    let server = stopped.restart();
    let (done, said) = aws(&server, "staging-admin", &["iam", "create-group", "--group-name", "team"]);
    assert!(done, "{said}");
}

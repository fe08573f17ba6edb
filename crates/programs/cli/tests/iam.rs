//! Who may do what, from outside: boto3 in two accounts, and the command that explains it while the server runs.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use testkit::Server;

#[test]
fn boto3_plays_people_roles_and_policies_of_two_accounts_and_explain_says_why() {
    let stopped = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]).terminate();
    let run = |arguments: &[&str]| {
        let output = stopped.sealstack(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["account", "create", "staging"]);
    let limits = stopped.data().join("limits.json");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Sid":"NoGroups","Effect":"Deny","Action":"iam:CreateGroup","Resource":"*"}]}"#;
    std::fs::write(&limits, policy).expect("a file");
    run(&["account", "scp", "set", "staging", limits.to_str().expect("text")]);
    let server = stopped.restart();
    let data = server.data();
    let said = server.script("iam_stories.py", &[data.to_str().expect("text")]);
    let key = said.trim_end().strip_prefix("Everybody may what they should. ").expect("the last line").to_owned();

    // Explained by another process, of the same database, while the server runs.
    let account = key.split(':').nth(4).expect("an account").to_owned();
    let explain = |caller: &str, arguments: &[&str]| {
        let caller = format!("arn:aws:iam::{account}:{caller}");
        let arguments = [&["iam", "explain", "--as", &caller], arguments].concat();
        let output = server.sealstack(&arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let denied = explain("user/eve", &["--action", "kms:Decrypt", "--resource", &key]);
    assert!(denied.starts_with("denied by Statement[0] (NoUse) of the identity-based policy own\n"), "{denied}");
    assert!(
        denied.contains("Allow  Statement[0] (EnableRoot)") || denied.contains("resource-based policy"),
        "{denied}"
    );
    let allowed = explain("user/eve", &["--action", "kms:Encrypt", "--resource", &key]);
    assert!(allowed.starts_with("allowed by Statement[0]"), "{allowed}");
    assert!(allowed.contains("and Statement[1] of the identity-based policy own"), "{allowed}");
    let tagged = explain("user/rita", &["--action", "kms:Encrypt", "--resource", &key]);
    assert!(tagged.starts_with("no identity-based policy allows it"), "{tagged}");
    let session = data.join("session.json");
    let read_only = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}}"#;
    std::fs::write(&session, read_only).expect("a file");
    let role = ["--action", "iam:ListUsers", "--context", "aws:PrincipalTag/project=x"];
    let plain = explain("role/second", &role);
    assert!(plain.starts_with("allowed by Statement[0] of the identity-based policy own"), "{plain}");
    let limited = explain("role/second", &[&role[..], &["--session-policy", session.to_str().expect("text")]].concat());
    assert!(limited.starts_with("no session policy allows it"), "{limited}");
    let assuming = explain(
        "user/eve",
        &["--action", "sts:AssumeRole", "--resource", &format!("arn:aws:iam::{account}:role/first")],
    );
    assert!(assuming.contains("role trust policy        allows"), "{assuming}");
    let nobody = server.sealstack(&[
        "iam",
        "explain",
        "--as",
        &format!("arn:aws:iam::{account}:user/none"),
        "--action",
        "iam:GetUser",
    ]);
    assert_eq!(nobody.status.code(), Some(2));
}

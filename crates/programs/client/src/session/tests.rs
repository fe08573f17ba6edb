use std::path::Path;

use super::*;
use crate::ServiceError;

const CONFIG: &str = "
[default]
region = eu-west-1
endpoint_url = https://everything.example
services = local
[profile plain]
aws_access_key_id = AKIAPLAIN
aws_secret_access_key = plain
region = us-west-2
[profile role]
role_arn = arn:aws:iam::1:role/r
source_profile = plain
[profile self]
role_arn = arn:aws:iam::1:role/r
source_profile = self
aws_access_key_id = AKIASELF
aws_secret_access_key = self
[profile one]
role_arn = arn:aws:iam::1:role/r
source_profile = two
[profile two]
role_arn = arn:aws:iam::1:role/r
source_profile = one
[profile mfa]
role_arn = arn:aws:iam::1:role/r
source_profile = plain
mfa_serial = arn:aws:iam::1:mfa/m
[profile sso]
sso_session = s
[profile metadata]
role_arn = arn:aws:iam::1:role/r
credential_source = Ec2InstanceMetadata
[profile environment]
role_arn = arn:aws:iam::1:role/r
credential_source = Environment
[profile both]
role_arn = arn:aws:iam::1:role/r
credential_source = Environment
source_profile = plain
[profile lone]
role_arn = arn:aws:iam::1:role/r
[profile keys-elsewhere]
region = us-east-2
[services local]
kms =
  endpoint_url = https://keys.example
";

const CREDENTIALS: &str = "
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = default
[keys-elsewhere]
aws_access_key_id = AKIAELSEWHERE
aws_secret_access_key = elsewhere
aws_session_token = token
";

fn session(directory: &Path, variables: &[(&str, &str)], profile: Option<&str>) -> Result<Session, ClientError> {
    let (config, credentials) = (directory.join("config"), directory.join("credentials"));
    std::fs::write(&config, CONFIG).expect("written");
    std::fs::write(&credentials, CREDENTIALS).expect("written");
    let files = [("AWS_CONFIG_FILE", config), ("AWS_SHARED_CREDENTIALS_FILE", credentials)];
    let files = files.map(|(name, path)| (name, path.display().to_string()));
    let files = files.iter().map(|(name, path)| (*name, path.as_str()));
    Session::read(files.chain(variables.iter().copied()).collect(), profile)
}

/// The access key that a session finds, or what it complains of.
fn found(variables: &[(&str, &str)], profile: Option<&str>) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let credentials =
        session(directory.path(), variables, profile).and_then(|session| runtime.block_on(session.credentials()));
    match credentials {
        Ok(credentials) => {
            let token =
                credentials.session_token.as_ref().map_or(String::new(), |token| format!(" {}", token.as_str()));
            format!("{}{token}", credentials.access_key_id)
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn credentials_are_found_in_the_order_of_aws_tools() {
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t")];
    assert_eq!(found(&[], None), "AKIADEFAULT");
    assert_eq!(found(&keys, None), "AKIAENV t");
    assert_eq!(found(&keys, Some("plain")), "AKIAPLAIN", "a profile that is asked for wins");
    assert_eq!(found(&[("AWS_PROFILE", "keys-elsewhere")], None), "AKIAELSEWHERE token");
    assert_eq!(found(&[("AWS_ACCESS_KEY_ID", "")], None), "AKIADEFAULT", "an empty variable counts as none");
}

#[test]
fn profiles_that_lead_nowhere_say_why() {
    for (profile, complaint) in [
        ("nobody", "there is no profile nobody"),
        ("one", "leads back"),
        ("mfa", "mfa_serial"),
        ("sso", "credential_process"),
        ("metadata", "only Environment"),
        ("environment", "no access key in the environment"),
        ("both", "both source_profile and credential_source"),
        ("lone", "no source_profile"),
    ] {
        let said = found(&[], Some(profile));
        assert!(said.contains(complaint), "{profile}: {said}");
    }
}

#[test]
fn roles_are_assumed_by_their_source() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
    for (profile, by) in [("role", "AKIAPLAIN"), ("self", "AKIASELF"), ("environment", "AKIAENV")] {
        let session = session(directory.path(), &keys, Some(profile)).expect("a session");
        match CredentialSource::find(&session).expect("a source") {
            CredentialSource::Role(source, role) => {
                assert!(matches!(*source, CredentialSource::Known(found) if found.access_key_id == by), "{profile}");
                assert_eq!(role.arn, "arn:aws:iam::1:role/r");
            }
            _ => panic!("{profile} assumes no role"),
        }
    }
}

#[test]
fn a_program_prints_credentials() {
    let printing = |text: &str| {
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("the program");
        std::fs::write(&program, format!("#!/bin/sh\ncat <<'END'\n{text}\nEND\n")).expect("written");
        let config = directory.path().join("c");
        std::fs::write(&config, format!("[default]\ncredential_process = sh '{}'\n", program.display()))
            .expect("written");
        let variables =
            [("AWS_CONFIG_FILE", config.display().to_string()), ("AWS_SHARED_CREDENTIALS_FILE", "/none".into())];
        let session = Session::read(variables.into_iter().collect(), None).expect("a session");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(session.credentials()).map(|credentials| credentials.access_key_id.clone())
    };
    let good = r#"{"Version":1,"AccessKeyId":"AKIAP","SecretAccessKey":"s","Expiration":"2099-01-01T00:00:00Z"}"#;
    assert_eq!(printing(good).expect("credentials"), "AKIAP");
    for wrong in ["", "{}", &good.replace(":1,", ":2,"), &good.replace("2099-01-01", "soon")] {
        assert!(matches!(printing(wrong), Err(ClientError::Profile { .. })), "{wrong}");
    }
}

#[test]
fn endpoints_are_found_in_the_order_of_aws_tools() {
    let directory = tempfile::tempdir().expect("a directory");
    let endpoint = |variables: &[(&str, &str)], profile: Option<&str>, service| {
        let session = session(directory.path(), variables, profile).expect("a session");
        session.endpoint(service, "us-east-1").expect("an endpoint").to_string()
    };
    let both = [("AWS_ENDPOINT_URL", "https://all.example"), ("AWS_ENDPOINT_URL_KMS", "https://kms.example")];
    assert_eq!(endpoint(&both, None, KMS), "https://kms.example/");
    assert_eq!(endpoint(&both, None, STS), "https://all.example/");
    assert_eq!(endpoint(&[], None, KMS), "https://keys.example/");
    assert_eq!(endpoint(&[], None, STS), "https://everything.example/");
    assert_eq!(endpoint(&[], Some("plain"), KMS), "https://kms.us-east-1.amazonaws.com/");
    let ignore = [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), both[0]];
    assert_eq!(endpoint(&ignore, None, KMS), "https://kms.us-east-1.amazonaws.com/");
    assert_eq!(
        endpoint(&[("AWS_USE_FIPS_ENDPOINT", "true")], Some("plain"), KMS),
        "https://kms-fips.us-east-1.amazonaws.com/"
    );
    let session = session(directory.path(), &[], None).expect("a session");
    assert!(matches!(session.endpoint(KMS, "evil.example/"), Err(ClientError::Region(_))));
}

#[test]
fn the_region_is_the_environments_before_the_profiles() {
    let directory = tempfile::tempdir().expect("a directory");
    let region = |variables: &[(&str, &str)], profile: Option<&str>| {
        let session = session(directory.path(), variables, profile).expect("a session");
        session.region().map(str::to_owned).map_err(|error| error.to_string())
    };
    assert_eq!(region(&[], None).expect("a region"), "eu-west-1");
    assert_eq!(region(&[("AWS_DEFAULT_REGION", "a-1")], None).expect("a region"), "a-1");
    assert_eq!(region(&[("AWS_DEFAULT_REGION", "a-1"), ("AWS_REGION", "b-1")], None).expect("a region"), "b-1");
    assert!(region(&[], Some("self")).expect_err("none").contains("AWS_REGION"));
}

#[test]
fn a_role_that_cannot_be_assumed_is_named() {
    let refused = ServiceError { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    let error = ClientError::Role { role: "arn:r".to_owned(), cause: Box::new(refused.into()) };
    assert_eq!(error.to_string(), "can't assume the role arn:r: AccessDenied: no");
}

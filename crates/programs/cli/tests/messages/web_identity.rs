//! Keys used with the token of an identity provider in place of an access key, as a build server's jobs have one.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{Service, done, element, refused};

/// Where the modulus of an RSA-2048 key is in its SubjectPublicKeyInfo, in bytes.
const MODULUS: std::ops::Range<usize> = 33..289;

/// An identity provider. Its key is one of the key service's, and signs tokens there.
struct Provider<'a> {
    service: &'a Service,
    key: String,
}

impl<'a> Provider<'a> {
    /// A provider whose keys the server has, and whom IAM knows with the client id `app`.
    fn start(service: &'a Service) -> Self {
        let made = service.kms("CreateKey", &json!({ "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY" }));
        let key = made["KeyMetadata"]["Arn"].as_str().expect("an ARN").to_owned();
        let public = service.kms("GetPublicKey", &json!({ "KeyId": key }));
        let public = STANDARD.decode(public["PublicKey"].as_str().expect("a key")).expect("Base64");
        let modulus = URL_SAFE_NO_PAD.encode(&public[MODULUS]);
        let keys =
            json!({ "keys": [{ "kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": modulus, "e": "AQAB" }] });
        let directory = service.server.data().join("oidc");
        std::fs::create_dir_all(&directory).expect("made");
        std::fs::write(directory.join("builds.example.jwks"), keys.to_string()).expect("written");
        let url = ("Url", "https://builds.example");
        service.iam(&[("Action", "CreateOpenIDConnectProvider"), url, ("ClientIDList.member.1", "app")]);
        Self { service, key }
    }

    /// A token for `audience` that ends `seconds` from now.
    fn token(&self, subject: &str, audience: &str, seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let now = i64::try_from(now).expect("before the sun dies");
        let header = json!({ "alg": "RS256", "kid": "1" });
        let claims = json!({
            "iss": "https://builds.example", "sub": subject, "aud": audience, "iat": now - 900, "exp": now + seconds,
        });
        let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let request = json!({
            "KeyId": self.key, "Message": STANDARD.encode(&signed), "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
        });
        let answer = self.service.kms("Sign", &request);
        let signature = STANDARD.decode(answer["Signature"].as_str().expect("a signature")).expect("Base64");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A role that `project/a` may assume by its token and that may use one key, and its ARN.
fn role(service: &Service, key: &str) -> String {
    let account = key.split(':').nth(4).expect("an account");
    let document = |statement: Value| json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let trust = document(json!({
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": { "Federated": format!("arn:aws:iam::{account}:oidc-provider/builds.example") },
        "Condition": { "StringEquals": { "builds.example:aud": "app", "builds.example:sub": "project/a" } },
    }));
    let made = service.iam(&[("Action", "CreateRole"), ("RoleName", "builds"), ("AssumeRolePolicyDocument", &trust)]);
    let use_key =
        document(json!({ "Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": key }));
    let put =
        [("Action", "PutRolePolicy"), ("RoleName", "builds"), ("PolicyName", "use"), ("PolicyDocument", &use_key)];
    service.iam(&put);
    element(&made, "Arn")
}

#[test]
fn a_token_in_a_file_stands_for_an_access_key_and_a_refusal_says_what_to_do() {
    let service = Service::start();
    let key = service.key("one");
    let (provider, role) = (Provider::start(&service), role(&service, &key));
    service.place.write("plain", b"salaries");
    service.place.write("token", provider.token("project/a", "app", 600).as_bytes());
    service.configure("config", &format!("[profile builds]\nrole_arn = {role}\nweb_identity_token_file = token\n"));
    let key = format!("key={key}");
    let run = |profile: Option<&str>, arguments: &[&str]| {
        let mut command = service.command(&[arguments, &["-w", &key]].concat());
        // No access key but what the token brings.
        command.env("AWS_SHARED_CREDENTIALS_FILE", "/none");
        match profile {
            Some(profile) => command.env("AWS_PROFILE", profile),
            None => command.env("AWS_WEB_IDENTITY_TOKEN_FILE", "token").env("AWS_ROLE_ARN", &role),
        };
        command.output().expect("it runs")
    };
    let (encrypt, decrypt) = (["encrypt", "-i", "plain", "-o", "sealed"], ["decrypt", "-i", "sealed", "-o", "-"]);
    for profile in [None, Some("builds")] {
        done(run(profile, &encrypt));
        assert_eq!(done(run(profile, &decrypt)), b"salaries");
    }

    for (token, [code, advice]) in [
        (provider.token("project/a", "another", 600), ["InvalidIdentityToken", "client ids"]),
        (provider.token("project/a", "app", -600), ["ExpiredTokenException", "a new token"]),
        (provider.token("project/b", "app", 600), ["AccessDenied", "trust policy"]),
        ("no.token.".to_owned(), ["InvalidIdentityToken", "client ids"]),
    ] {
        service.place.write("token", token.as_bytes());
        for profile in [None, Some("builds")] {
            let said = refused(run(profile, &["encrypt", "-i", "plain", "-o", "x"]), 1);
            for part in [code, advice, &role, "token"] {
                assert!(said.contains(part), "{part} in: {said}");
            }
            assert!(!said.contains(token.rsplit('.').next().expect("a signature")) || token.ends_with('.'), "{said}");
            assert!(!service.place.exists("x"));
        }
    }
    std::fs::remove_file(service.place.path("token")).expect("removed");
    let said = refused(run(None, &encrypt), 1);
    assert!(said.contains("can't read token"), "{said}");
}

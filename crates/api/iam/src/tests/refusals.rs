//! Messages of refusals, and what is sealed into them for whoever may have it decoded.

use serde_json::{Value as Json, json};

use super::server::{ACCOUNT, Answer, OPERATOR, Server, Signs, allow, document, pass};
use crate::create_account;

const ENCODED: &str = ". Encoded authorization failure message: ";

/// The words of a refusal, and what was sealed into it.
fn parts(answer: &Answer) -> (String, String) {
    let message = answer.message(403, "AccessDenied");
    let (words, sealed) = message.split_once(ENCODED).unwrap_or_else(|| panic!("nothing sealed in {message}"));
    (words.to_owned(), sealed.to_owned())
}

async fn decoded(server: &Server, by: &impl Signs, sealed: &str) -> Json {
    let answer = server.sts(by, "DecodeAuthorizationMessage", &[("EncodedMessage", sealed)]).await.ok();
    let text = answer.text("DecodedMessage").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn a_denying_statement_is_named_and_the_decoded_message_tells_all() {
    let server = Server::start().await;
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Sid":"NoUsers","Effect":"Deny","Action":"iam:*User","Resource":"*"}]}"#;
    let ana = server.user_who("ana", text).await;
    let (words, sealed) = parts(&server.call(&ana, "DeleteUser", &[("UserName", "administrator")]).await);
    let expected = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/ana is not authorized to perform: iam:DeleteUser on resource: user \
         administrator with an explicit deny in an identity-based policy: Statement[1] (NoUsers) of own"
    );
    assert_eq!(words, expected);
    let told = decoded(&server, &server.admin, &sealed).await;
    assert_eq!((&told["allowed"], &told["explicitDeny"]), (&json!(false), &json!(true)));
    assert_eq!(told["decidedBy"], "Statement[1] (NoUsers) of the identity-based policy own denies it");
    let matched = told["matchedStatements"]["items"].as_array().expect("a list");
    assert_eq!(
        matched[0],
        json!({"statementId": "NoUsers", "effect": "DENY", "policyType": "identity-based policy", "policy": "own",
            "statement": 1})
    );
    assert_eq!((&matched[1]["effect"], matched.len()), (&json!("ALLOW"), 2));
    let context = &told["context"];
    assert_eq!(context["principal"]["arn"], format!("arn:aws:iam::{ACCOUNT}:user/ana"));
    assert_eq!(context["principal"]["name"], "ana");
    assert_eq!(context["action"], "iam:DeleteUser");
    assert_eq!(context["resource"], format!("arn:aws:iam::{ACCOUNT}:user/administrator"));
    let conditions = context["conditions"]["items"].as_array().expect("a list");
    assert!(conditions.contains(&json!({"key": "aws:SourceIp", "values": {"items": [{"value": "127.0.0.1"}]}})));
    assert_eq!(told["failures"], json!({"items": []}));
    assert_eq!(told["abridged"], false);
}

#[tokio::test]
async fn the_decoded_message_has_the_condition_keys_of_the_action_too() {
    let server = Server::start().await;
    let bob = server.user("bob").await;
    let boundary = "arn:aws:iam::aws:policy/AdministratorAccess";
    let answer = server.call(&bob, "CreateUser", &[("UserName", "eve"), ("PermissionsBoundary", boundary)]).await;
    let told = decoded(&server, &server.admin, &parts(&answer).1).await;
    let conditions = told["context"]["conditions"]["items"].as_array().expect("a list");
    let own = json!({"key": "iam:PermissionsBoundary", "values": {"items": [{"value": boundary}]}});
    assert!(conditions.contains(&own), "{told}");
}

#[tokio::test]
async fn only_those_who_may_decode_in_an_account_that_it_concerns_learn_what_was_sealed() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let (words, sealed) = parts(&server.call(&ana, "ListUsers", &[]).await);
    assert!(words.ends_with("because no identity-based policy allows the iam:ListUsers action"), "{words}");
    let parameters = [("EncodedMessage", sealed.as_str())];
    // The caller herself may not.
    server.sts(&ana, "DecodeAuthorizationMessage", &parameters).await.refused(403, "AccessDenied");
    server.allow("ana", &allow("sts:DecodeAuthorizationMessage")).await;
    let told = decoded(&server, &ana, &sealed).await;
    assert_eq!(told["decidedBy"], "no identity-based policy allows it");
    assert_eq!(told["explicitDeny"], false);
    // Nor may another account's root user, to whom it is no message at all.
    let other = create_account(&server.store, "other", OPERATOR).await.expect("made");
    let other = super::server::Key { id: other.access_key_id, secret: other.secret_access_key.expose().to_owned() };
    let answer = server.sts(&other, "DecodeAuthorizationMessage", &parameters).await;
    let stranger = answer.refused(400, "InvalidAuthorizationMessageException");
    let mut forged = sealed.clone();
    forged.replace_range(100..101, if &sealed[100..101] == "A" { "B" } else { "A" });
    for (message, key) in [(forged.as_str(), &server.admin), ("none", &server.admin), (&sealed[1..], &server.admin)] {
        let answer = server.sts(key, "DecodeAuthorizationMessage", &[("EncodedMessage", message)]).await;
        assert_eq!(answer.refused(400, "InvalidAuthorizationMessageException"), stranger);
    }
    // It does not last for ever.
    pass(8 * 24 * 60 * 60);
    let answer = server.sts(&server.admin, "DecodeAuthorizationMessage", &parameters).await;
    answer.refused(400, "InvalidAuthorizationMessageException");
}

#[tokio::test]
async fn what_is_sealed_has_one_length_whatever_is_in_it() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let tags: Vec<_> =
        (1..=50).map(|n| (format!("Tags.member.{n}.Key"), format!("Tags.member.{n}.Value"), n)).collect();
    let mut parameters = vec![("UserName", "tagged".to_owned()), ("Path", format!("/{}/", "p".repeat(500)))];
    for (key, value, n) in &tags {
        parameters.push((key, format!("key-{n}")));
        parameters.push((value, "v".repeat(250)));
    }
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.admin("CreateUser", &parameters).await.ok();
    let (there, first) = parts(&server.call(&ana, "GetUser", &[("UserName", "tagged")]).await);
    let (missing, second) = parts(&server.call(&ana, "GetUser", &[("UserName", "absent")]).await);
    assert_eq!(there.replace("tagged", "absent"), missing);
    assert_eq!((first.len(), second.len()), (1152, 1152));
    let told = decoded(&server, &server.admin, &first).await;
    assert_eq!(told["abridged"], true);
    assert_eq!(told["decidedBy"], "no identity-based policy allows it");
}

#[tokio::test]
async fn statements_of_a_role_of_another_account_are_told_to_that_account_only() {
    let server = Server::start().await;
    let other = create_account(&server.store, "other", OPERATOR).await.expect("made");
    let account = other.account.clone();
    let other = super::server::Key { id: other.access_key_id, secret: other.secret_access_key.expose().to_owned() };
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},
        "Action":"sts:AssumeRole"}},{{"Sid":"NotAna","Effect":"Deny","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/ana"}},
        "Action":"sts:AssumeRole"}}]}}"#
    );
    let ana = server.user_who("ana", &document("Allow", "sts:*", "*")).await;
    let made = [("RoleName", "guests"), ("AssumeRolePolicyDocument", trust.as_str())];
    server.call(&other, "CreateRole", &made).await.ok();
    let role = format!("arn:aws:iam::{account}:role/guests");
    let answer = server.sts(&ana, "AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "visit")]).await;
    let (words, sealed) = parts(&answer);
    assert!(words.ends_with("with an explicit deny in the role trust policy"), "{words}");
    let own = decoded(&server, &server.admin, &sealed).await;
    assert_eq!(own["decidedBy"], "a statement of a role trust policy denies it");
    assert!(!own.to_string().contains("NotAna"), "{own}");
    assert_eq!(own["matchedStatements"]["items"][0]["policyType"], "identity-based policy");
    let theirs = decoded(&server, &other, &sealed).await;
    assert_eq!(theirs["decidedBy"], format!("Statement[1] (NotAna) of the role trust policy {role} denies it"));
    assert!(!theirs.to_string().contains("identity-based"), "{theirs}");
}

#[tokio::test]
async fn the_audit_trail_keeps_the_words_without_what_was_sealed() {
    let server = Server::start().await;
    let ana = server.user("ana").await;
    let (words, _) = parts(&server.call(&ana, "ListUsers", &[]).await);
    let trail = server.trail().await;
    assert!(trail.contains(&words) && !trail.contains("Encoded authorization"), "{trail}");
}

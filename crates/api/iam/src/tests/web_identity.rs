//! `AssumeRoleWithWebIdentity`, with tokens that the Python package `cryptography` signed: at the tests' clock they last ten
//! minutes, except where their names say what is wrong with them.

use super::server::{ACCOUNT, Server, pass};

const KEYS: &str = r#"{"keys": [{"kty": "EC", "kid": "one", "crv": "P-256", "x": "V-VSnpnX7epIPrPYuGMNvD5urrQ0hYhVQMiNFpolGTU", "y": "Z9H3TFpJ8Rs0Opdd7-zrhCjGTEP4N1aJwTblRpMINZ8", "use": "sig", "alg": "ES256"}]}"#;

const GOOD: &str = "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogIm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20vcmVhbG0iLCAic3V\
    iIjogInJlcG86YWNtZS9hcHAiLCAiYXVkIjogInN0cyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDYwMH0.Ks17Psg\
    J3McsR3CJ2lyv6nxyiAhGjn5xqWrsYcedwqlv8-SwmFZFkSEesZI3lFPvcYlqM3zgrr3WKFYDMQ2yMw";
const EXPIRED: &str = "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogIm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20vcmVhbG0iLCAic3V\
    iIjogInJlcG86YWNtZS9hcHAiLCAiYXVkIjogInN0cyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDAwMH0.J4PEC1D\
    oNq-RCR3-_pLfOjHjYLpp4ZhkVIfWbbcCgUIRrVas-Vl56ip2T3tieyvTzjFGwPH7zLmgeMabZyJ2Gg";
const EARLY: &str = "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogIm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20vcmVhbG0iLCAic3V\
    iIjogInJlcG86YWNtZS9hcHAiLCAiYXVkIjogInN0cyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDYwMCwgIm5iZiI\
    6IDE3OTAwMDM2MDB9.LE7SW7D9_ue49S9cgfHeS7pfSW3unc1bKLOkIhoGQNRonV5jc06j5y7Uu9bnJZlM5dpi3gx6otDIY1GwipsvsQ";
const OTHER_AUDIENCE: &str = "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogIm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20vcmVhbG0iLCAic3V\
    iIjogInJlcG86YWNtZS9hcHAiLCAiYXVkIjogWyJ4IiwgInkiXSwgImlhdCI6IDE3OTAwMDAwMDAsICJleHAiOiAxNzkwMDAwNjAwfQ.\
    SLEjrdUWL0HmrDZpeXaZjXbVaThfbmix80WMTNq15j-BCcL0vOyIUxLTBufpgQB1s0NgXL_ml6TL4nIu5_KJyg";
const OTHER_PARTY: &str = "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogIm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20vcmVhbG0iLCAic3V\
    iIjogInJlcG86YWNtZS9hcHAiLCAiYXVkIjogInN0cyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDYwMCwgImF6cCI\
    6ICJ4In0.Cq7NMccF5mqDUDdMU4AefNtvIuroZrdLR55prv1en7c-AuQdUNwHwIpqDfxgPPHCAUoKnz1BtwoBExcZfri1Pg";
const OTHER_SUBJECT: &str = "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogIm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20vcmVhbG0iLCAic3V\
    iIjogInJlcG86ZXZpbC9hcHAiLCAiYXVkIjogInN0cyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDYwMH0.2kGrwiE\
    MPJ5bLBk7H8ykoLYxrJbR875v-QV-5BiA3Z8T_-01f5LVwfB4q_Yz0TmcZfJMaQ48CHbY51jE9nvpMw";
const OTHER_ISSUER: &str = "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogIm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9vdGhlci5leGFtcGxlLmNvbSIsICJzdWIiOiAicmV\
    wbzphY21lL2FwcCIsICJhdWQiOiAic3RzIiwgImlhdCI6IDE3OTAwMDAwMDAsICJleHAiOiAxNzkwMDAwNjAwfQ.YO3Kt1wNTro3qgqH\
    kbTCAImYXS25m7zAA0s9usNv-smzL7XYffGLB-zCCYIWTmGjCYWGb3hGXNAy-cPxJoNsug";
const OTHER_KEY: &str = "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogIm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20vcmVhbG0iLCAic3V\
    iIjogInJlcG86YWNtZS9hcHAiLCAiYXVkIjogInN0cyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDYwMH0.5PWSXSR\
    F0KAGvwXXouNcdAgNTlceH8sNgBExET9QexBMHpIuQZ3Iy3fwNqqV1z8oouv5HxXqMum89h8eBk_rQQ";
const OTHER_KID: &str = "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogInR3byJ9.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20vcmVhbG0iLCAic3V\
    iIjogInJlcG86YWNtZS9hcHAiLCAiYXVkIjogInN0cyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDYwMH0.TGQQTq8\
    BIRn6Af6r5DSAz2k7D_vSwxVVCy3rjOvN7LqWcAMHrFQr_AYa1I5ozoFdhxwl6auCcBH8cME03H7W6g";
const UNSIGNED: &str = "eyJhbGciOiAibm9uZSIsICJraWQiOiAib25lIn0.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20vcmVhbG0iLCAic3Vi\
    IjogInJlcG86YWNtZS9hcHAiLCAiYXVkIjogInN0cyIsICJpYXQiOiAxNzkwMDAwMDAwLCAiZXhwIjogMTc5MDAwMDYwMH0.";

const URL: &str = "issuer.example.com/realm";

/// A server with the provider, its keys, and the role `Deploy` that trusts one subject of it and may read its own name.
async fn trusting() -> Server {
    let server = Server::start().await;
    server.provide("issuer.example.com_realm.jwks", KEYS);
    let url = format!("https://{URL}");
    let parameters = [("Url", url.as_str()), ("ClientIDList.member.1", "sts")];
    server.admin("CreateOpenIDConnectProvider", &parameters).await.ok();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
        "Principal":{{"Federated":"arn:aws:iam::{ACCOUNT}:oidc-provider/{URL}"}},
        "Condition":{{"StringEquals":{{"{URL}:aud":"sts"}},"StringLike":{{"{URL}:sub":"repo:acme/*"}}}}}}]}}"#
    );
    let parameters = [("RoleName", "Deploy"), ("AssumeRolePolicyDocument", trust.as_str())];
    server.admin("CreateRole", &parameters).await.ok();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iam:GetUser",
        "Resource":"arn:aws:iam::{ACCOUNT}:user/${{{URL}:sub}}"}},
        {{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
        "Condition":{{"StringEquals":{{"{URL}:sub":"repo:acme/app"}}}}}}]}}"#
    );
    let parameters = [("RoleName", "Deploy"), ("PolicyName", "own"), ("PolicyDocument", policy.as_str())];
    server.admin("PutRolePolicy", &parameters).await.ok();
    server
}

async fn assume(server: &Server, role: &str, token: &str) -> super::server::Answer {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    let parameters = [("RoleArn", arn.as_str()), ("RoleSessionName", "job"), ("WebIdentityToken", token)];
    server.unsigned("AssumeRoleWithWebIdentity", &parameters).await
}

#[tokio::test]
async fn whom_the_provider_vouches_for_gets_a_session_and_the_claims_stay_with_it() {
    let server = trusting().await;
    let assumed = assume(&server, "Deploy", GOOD).await.ok();
    assert_eq!(assumed.text("SubjectFromWebIdentityToken"), "repo:acme/app");
    assert_eq!((assumed.text("Audience"), assumed.all("Arn").len()), ("sts", 1));
    let session = assumed.session();
    server.call(&session, "ListUsers", &[]).await.ok();
    server.call(&session, "ListGroups", &[]).await.refused(403, "AccessDenied");
    let trail = server.trail().await;
    assert!(trail.contains("AssumeRoleWithWebIdentity") && !trail.contains(GOOD));
}

#[tokio::test]
async fn every_other_token_is_refused() {
    let server = trusting().await;
    for (token, status, code) in [
        (EXPIRED, 400, "ExpiredTokenException"),
        (EARLY, 400, "InvalidIdentityToken"),
        (OTHER_AUDIENCE, 400, "InvalidIdentityToken"),
        (OTHER_PARTY, 400, "InvalidIdentityToken"),
        (OTHER_ISSUER, 400, "InvalidIdentityToken"),
        (OTHER_KEY, 400, "InvalidIdentityToken"),
        (OTHER_KID, 400, "InvalidIdentityToken"),
        (UNSIGNED, 400, "InvalidIdentityToken"),
        ("not.a.token", 400, "InvalidIdentityToken"),
        ("nothing", 400, "InvalidIdentityToken"),
        ("x", 400, "ValidationError"),
        (OTHER_SUBJECT, 403, "AccessDenied"),
    ] {
        assume(&server, "Deploy", token).await.refused(status, code);
    }
    let (claims, _) = GOOD.rsplit_once('.').expect("a token");
    let (_, foreign) = OTHER_SUBJECT.rsplit_once('.').expect("a token");
    assume(&server, "Deploy", &format!("{claims}.{foreign}")).await.refused(400, "InvalidIdentityToken");
    assume(&server, "Missing", GOOD).await.refused(403, "AccessDenied");
    assume(&server, "Missing", OTHER_KEY).await.refused(400, "InvalidIdentityToken");
    pass(600);
    assume(&server, "Deploy", GOOD).await.refused(400, "ExpiredTokenException");
}

#[tokio::test]
async fn a_provider_without_keys_vouches_for_nobody() {
    let server = trusting().await;
    for keys in ["{", "[]", "{}"] {
        server.provide("issuer.example.com_realm.jwks", keys);
        assume(&server, "Deploy", GOOD).await.refused(400, "IDPCommunicationError");
    }
    server.provide("issuer.example.com_realm.jwks", r#"{"keys":[]}"#);
    assume(&server, "Deploy", GOOD).await.refused(400, "InvalidIdentityToken");
    let arn = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{URL}");
    server.provide("issuer.example.com_realm.jwks", KEYS);
    assume(&server, "Deploy", GOOD).await.ok();
    server.admin("DeleteOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &arn)]).await.ok();
    assume(&server, "Deploy", GOOD).await.refused(400, "InvalidIdentityToken");
}

#[tokio::test]
async fn nothing_else_takes_unsigned_requests() {
    let server = Server::start().await;
    for action in ["GetCallerIdentity", "AssumeRole", "GetSessionToken", "ListUsers", "Nothing"] {
        let answer = server.unsigned(action, &[]).await;
        // Without a signature no service is known, and so no protocol: the answer is JSON.
        assert_eq!(answer.status, 400, "{action}: {}", answer.body);
        assert!(answer.body.contains("MissingAuthenticationToken"), "{action}: {}", answer.body);
    }
}

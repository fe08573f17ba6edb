//! Inline policies of users and groups, and the quota that they share.

use percent_encoding::percent_decode_str;

use super::server::{Server, allow};

const KINDS: [(&str, &str, &str, &str); 2] =
    [("CreateUser", "UserName", "User", "user"), ("CreateGroup", "GroupName", "Group", "group")];

#[tokio::test]
async fn an_inline_policy_is_put_shown_listed_and_deleted() {
    let server = Server::start().await;
    for (make, member, kind, noun) in KINDS {
        server.admin(make, &[(member, "one")]).await.ok();
        let operation = |verb: &str| format!("{verb}{kind}Policy");
        let (first, second) = (allow("s3:Get*"), allow("s3:*"));
        for document in [&first, &second] {
            let put = [(member, "one"), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
            server.admin(&operation("Put"), &put).await.ok();
        }
        let shown = server.admin(&operation("Get"), &[(member, "one"), ("PolicyName", "p")]).await.ok();
        assert_eq!((shown.text(member), shown.text("PolicyName")), ("one", "p"));
        assert_eq!(percent_decode_str(shown.text("PolicyDocument")).decode_utf8_lossy(), second);
        let listed = server.admin(&format!("List{kind}Policies"), &[(member, "one")]).await.ok();
        assert_eq!(listed.text("PolicyNames"), "<member>p</member>");
        server.admin(&operation("Delete"), &[(member, "one"), ("PolicyName", "p")]).await.ok();
        for verb in ["Get", "Delete"] {
            let answer = server.admin(&operation(verb), &[(member, "one"), ("PolicyName", "p")]).await;
            let message = answer.refused(404, "NoSuchEntity");
            assert_eq!(message, format!("The {noun} policy with name p cannot be found."));
        }
    }
}

#[tokio::test]
async fn an_entitys_inline_policies_share_one_quota() {
    let server = Server::start().await;
    for ((make, member, kind, noun), limit) in KINDS.into_iter().zip([2048, 5120]) {
        server.admin(make, &[(member, "one")]).await.ok();
        let put = format!("Put{kind}Policy");
        let half = allow(&format!("s3:{}", "x".repeat(limit / 2 - allow("s3:").len())));
        for name in ["a", "b"] {
            server.admin(&put, &[(member, "one"), ("PolicyName", name), ("PolicyDocument", &half)]).await.ok();
        }
        // Replacing a policy counts the new one only.
        server.admin(&put, &[(member, "one"), ("PolicyName", "a"), ("PolicyDocument", &half)]).await.ok();
        let more = allow("s3:*");
        let answer = server.admin(&put, &[(member, "one"), ("PolicyName", "c"), ("PolicyDocument", &more)]).await;
        let message = answer.refused(409, "LimitExceeded");
        assert_eq!(message, format!("Maximum policy size of {limit} bytes exceeded for {noun} one"));
    }
}

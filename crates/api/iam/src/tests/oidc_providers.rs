//! OpenID Connect providers: from the answer that makes one to the answer that ends it.

use super::server::{ACCOUNT, Server, allow, document};

#[tokio::test]
async fn a_provider_lives_and_ends() {
    let server = Server::start().await;
    let url = ("Url", "https://issuer.example.com/realm");
    let thumbprint = "a".repeat(40);
    let parameters = [url, ("ClientIDList.member.1", "app"), ("ThumbprintList.member.1", &thumbprint)];
    let arn = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/issuer.example.com/realm");
    let made = server.admin("CreateOpenIDConnectProvider", &parameters).await.ok();
    assert_eq!(made.text("OpenIDConnectProviderArn"), arn);
    let again = server.admin("CreateOpenIDConnectProvider", &[url]).await.refused(409, "EntityAlreadyExists");
    assert_eq!(again, "Provider with url https://issuer.example.com/realm already exists.");
    assert_eq!(server.admin("ListOpenIDConnectProviders", &[]).await.ok().text("Arn"), arn);

    let of = ("OpenIDConnectProviderArn", arn.as_str());
    for client in ["web", "web", "cli"] {
        server.admin("AddClientIDToOpenIDConnectProvider", &[of, ("ClientID", client)]).await.ok();
    }
    server.admin("RemoveClientIDFromOpenIDConnectProvider", &[of, ("ClientID", "app")]).await.ok();
    let other = "b".repeat(40);
    server.admin("UpdateOpenIDConnectProviderThumbprint", &[of, ("ThumbprintList.member.1", &other)]).await.ok();
    let tag = [of, ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    server.admin("TagOpenIDConnectProvider", &tag).await.ok();
    let shown = server.admin("GetOpenIDConnectProvider", &[of]).await.ok();
    assert_eq!(shown.text("Url"), "issuer.example.com/realm");
    assert_eq!(shown.text("ClientIDList"), "<member>web</member><member>cli</member>");
    assert_eq!(shown.text("ThumbprintList"), format!("<member>{other}</member>"));
    assert_eq!((shown.text("Key"), shown.text("Value")), ("team", "red"));
    assert_eq!(server.admin("ListOpenIDConnectProviderTags", &[of]).await.ok().text("Key"), "team");
    server.admin("UntagOpenIDConnectProvider", &[of, ("TagKeys.member.1", "team")]).await.ok();
    assert!(server.admin("ListOpenIDConnectProviderTags", &[of]).await.ok().all("Key").is_empty());

    server.admin("DeleteOpenIDConnectProvider", &[of]).await.ok();
    let gone = server.admin("GetOpenIDConnectProvider", &[of]).await.refused(404, "NoSuchEntity");
    assert_eq!(gone, format!("OpenIDConnect Provider not found for arn {arn}"));
    assert!(server.admin("ListOpenIDConnectProviders", &[]).await.ok().all("Arn").is_empty());
}

#[tokio::test]
async fn a_providers_url_is_https_with_a_host_and_a_path_at_most() {
    let server = Server::start().await;
    for url in [
        "http://a.example.com",
        "https://localhost",
        "https://a.example.com:8443",
        "https://",
        "a.example.com",
        "https://a.example.com/?x=1",
        "https://a.example.com/../b",
        "https://u@a.example.com",
    ] {
        server.admin("CreateOpenIDConnectProvider", &[("Url", url)]).await.refused(400, "InvalidInput");
    }
}

#[tokio::test]
async fn providers_are_authorised_by_their_arn() {
    let server = Server::start().await;
    let made = server.admin("CreateOpenIDConnectProvider", &[("Url", "https://a.example.com")]).await.ok();
    let arn = made.text("OpenIDConnectProviderArn");
    server.admin("CreateOpenIDConnectProvider", &[("Url", "https://b.example.com")]).await.ok();
    let ana = server.user_who("ana", &document("Allow", "iam:GetOpenIDConnectProvider", arn)).await;
    server.call(&ana, "GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", arn)]).await.ok();
    let other = arn.replace("a.example", "b.example");
    server
        .call(&ana, "GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", &other)])
        .await
        .refused(403, "AccessDenied");
    server.allow("ana", &allow("iam:Get*")).await;
    server
        .call(&ana, "DeleteOpenIDConnectProvider", &[("OpenIDConnectProviderArn", arn)])
        .await
        .refused(403, "AccessDenied");
}

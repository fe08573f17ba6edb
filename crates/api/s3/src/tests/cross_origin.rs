//! Pages of other sites, as their browsers see it.

use super::World;

const RULES: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>https://page.example</AllowedOrigin>\
                     <AllowedMethod>GET</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader>\
                     <MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>";

#[tokio::test]
async fn a_page_of_another_site_may_what_the_buckets_rules_say() {
    let world = World::new();
    world.done("admin", "PUT /photos", "").await;
    let page = ("origin", "https://page.example");
    let before = world.send("nobody", "OPTIONS /photos/cat", &[page], b"").await;
    assert_eq!((before.status, before.error), (403, Some("AccessForbidden")));
    assert!(before.text().contains("CORS is not enabled for this bucket"), "{}", before.text());
    world.done("admin", "PUT /photos?cors", RULES).await;

    // A browser asks without a signature; who signs learns the same.
    let preflight = [page, ("access-control-request-method", "GET"), ("access-control-request-headers", "X-Amz-Date")];
    let asked = world.send("nobody", "OPTIONS /photos/cat", &preflight, b"").await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (200, "https://page.example"));
    assert_eq!(asked.header("access-control-allow-headers"), "x-amz-date");
    assert_eq!(asked.header("access-control-max-age"), "60");
    assert!(asked.header("vary").contains("Origin"));

    let method = ("access-control-request-method", "PUT");
    for (target, headers, code) in [
        ("OPTIONS /photos/cat", &[][..], "BadRequest"),
        ("OPTIONS /photos/cat", &[page, method][..], "AccessForbidden"),
        ("OPTIONS /none/cat", &[page, method][..], "AccessForbidden"),
    ] {
        assert_eq!(world.send("admin", target, headers, b"").await.error, Some(code), "{target} {headers:?}");
    }

    // What a browser may see of an answer, also of a refusal.
    for (caller, status) in [("admin", 200), ("nobody", 403)] {
        let answer = world.send(caller, "GET /photos?location", &[page], b"").await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, "https://page.example"));
        let other = world.send(caller, "GET /photos?location", &[("origin", "https://other.example")], b"").await;
        assert_eq!((other.status, other.header("access-control-allow-origin")), (status, ""));
    }
}

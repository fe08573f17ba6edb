//! Bodies that are not what the operation takes.

use super::*;

#[tokio::test]
async fn bad_input_gets_awss_error_on_every_operation() {
    let world = World::new();
    use service::Service as _;
    for entry in Kms::operations() {
        for (body, code) in [
            ("{", "SerializationException"),
            ("[]", "SerializationException"),
            ("\"x\"", "SerializationException"),
            ("\u{0}", "SerializationException"),
        ] {
            let reply = world.gateway.handle(&world.request("admin", REGION, entry.name, body)).await;
            assert_eq!(reply.error, Some(code), "{} with {body:?}", entry.name);
        }
        for member in entry.input {
            let wrong = json!({member.name: -1.5});
            let error = world.refused("admin", entry.name, wrong).await;
            assert!(
                error.starts_with("SerializationException: ") || error.starts_with("ValidationException: "),
                "{} with a wrong {}: {error}",
                entry.name,
                member.name
            );
        }
        if entry.input.iter().any(|member| member.required) {
            let error = world.refused("admin", entry.name, json!({})).await;
            assert!(error.contains("failed to satisfy constraint: Member must not be null"), "{}: {error}", entry.name);
        }
    }
}

#[tokio::test]
async fn names_of_keys_are_bounded() {
    let world = World::new();
    for key in ["", &"x".repeat(2049)] {
        let error = world.refused("admin", "DescribeKey", json!({"KeyId": key})).await;
        assert!(error.starts_with("ValidationException: 1 validation error detected: "), "{error}");
    }
    let error = world.refused("admin", "Decrypt", json!({"CiphertextBlob": "not base64!"})).await;
    assert!(error.starts_with("SerializationException: "), "{error}");
    let error = world.refused("admin", "Decrypt", json!({"CiphertextBlob": base64(&[1; 6145])})).await;
    assert!(error.ends_with("Member must have length less than or equal to 6144"), "{error}");
}

//! Cost of the hot path. Run by hand: `cargo test --release -p sealstack-kms -- --ignored --nocapture speed`.

use std::time::Instant;

use super::*;

#[tokio::test]
#[ignore = "measures; run it in a release build"]
async fn speed() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "0123456789abcdef0123456789abcdef").await;
    let mac = world.key_of("HMAC_256", "GENERATE_VERIFY_MAC").await;
    let p256 = world.key_of("ECC_NIST_P256", "SIGN_VERIFY").await;
    let rsa = world.key_of("RSA_2048", "SIGN_VERIFY").await;
    let message = base64(&[7; 32]);
    let signing = json!({"KeyId": p256, "Message": message, "SigningAlgorithm": "ECDSA_SHA_256"});
    let mut verifying = signing.clone();
    verifying["Signature"] = world.done("admin", "Sign", signing.clone()).await["Signature"].take();
    let context = json!({"purpose": "bench"});
    let sealing = json!({"KeyId": key, "Plaintext": base64(&[7; 32]), "EncryptionContext": context});
    let sealed = world.done("admin", "Encrypt", sealing.clone()).await["CiphertextBlob"].take();
    for (operation, input) in [
        ("Encrypt", sealing),
        ("Decrypt", json!({"CiphertextBlob": sealed, "EncryptionContext": context})),
        (
            "ReEncrypt",
            json!({"CiphertextBlob": sealed, "DestinationKeyId": key, "SourceEncryptionContext": context,
                "DestinationEncryptionContext": context}),
        ),
        ("Encrypt", json!({"KeyId": key, "Plaintext": base64(&[7; 32])})),
        ("Decrypt", json!({"CiphertextBlob": blob})),
        ("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
        ("GenerateRandom", json!({"NumberOfBytes": 32})),
        ("GenerateMac", json!({"KeyId": mac, "Message": message, "MacAlgorithm": "HMAC_SHA_256"})),
        ("Sign", signing),
        ("Verify", verifying),
        ("Sign", json!({"KeyId": rsa, "Message": message, "SigningAlgorithm": "RSASSA_PSS_SHA_256"})),
    ] {
        let body = input.to_string();
        let rounds = if input["KeyId"] == json!(rsa) { 5_000 } else { 50_000 };
        let requests: Vec<_> = (0..rounds).map(|_| world.request("admin", REGION, operation, &body)).collect();
        let started = Instant::now();
        for request in requests {
            assert_eq!(world.gateway.handle(&request).await.error, None);
        }
        println!("{operation}: {:.2} µs", started.elapsed().as_secs_f64() * 1e6 / f64::from(rounds));
    }
}

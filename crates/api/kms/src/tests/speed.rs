//! What the hot path costs. Run by hand: `cargo test --release -p sealstack-kms -- --ignored --nocapture speed`.

use std::time::Instant;

use super::*;

#[tokio::test]
#[ignore = "measures; run it in a release build"]
async fn speed() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "0123456789abcdef0123456789abcdef").await;
    for (operation, input) in [
        ("Encrypt", json!({"KeyId": key, "Plaintext": base64(&[7; 32])})),
        ("Decrypt", json!({"CiphertextBlob": blob})),
        ("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
        ("GenerateRandom", json!({"NumberOfBytes": 32})),
    ] {
        let body = input.to_string();
        let rounds = 50_000;
        let requests: Vec<_> = (0..rounds).map(|_| world.request("admin", REGION, operation, &body)).collect();
        let started = Instant::now();
        for request in requests {
            assert_eq!(world.gateway.handle(request).await.error, None);
        }
        println!("{operation}: {:.2} µs", started.elapsed().as_secs_f64() * 1e6 / f64::from(rounds));
    }
}

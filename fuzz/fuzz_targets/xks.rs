//! Answers of a proxy and requests of a key service: reading never panics, and what is believed has the right form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xks::{
    DecryptAnswer, DecryptRequest, EncryptAnswer, EncryptRequest, ErrorAnswer, HealthAnswer, HealthRequest, KeyRequest,
    MetadataAnswer, Route,
};

fuzz_target!(|input: (&[u8], &str)| {
    let (body, path) = input;
    if let Ok(answer) = serde_json::from_slice::<EncryptAnswer>(body)
        && answer.is_sound(12, b"aad")
    {
        assert_eq!(answer.ciphertext.0.len(), 12);
        assert_eq!(answer.authentication_tag.0.len(), 16);
    }
    let _ = serde_json::from_slice::<MetadataAnswer>(body).map(|answer| answer.serves());
    let _ = serde_json::from_slice::<HealthAnswer>(body).map(|answer| answer.usable());
    let _ = serde_json::from_slice::<DecryptAnswer>(body);
    let _ = serde_json::from_slice::<ErrorAnswer>(body);
    let _ = serde_json::from_slice::<HealthRequest>(body);
    let _ = serde_json::from_slice::<KeyRequest>(body);
    let _ = serde_json::from_slice::<EncryptRequest>(body).map(|request| request.check().is_ok());
    let _ = serde_json::from_slice::<DecryptRequest>(body).map(|request| request.check().is_ok());
    if let Some(route) = Route::parse("/kms/xks/v1", path) {
        assert_eq!(route.path("/kms/xks/v1"), path);
    }
});

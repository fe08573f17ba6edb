//! Policies of forms: reading and checking them never panics, and none allows a field of which it says nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Timestamp;
use wire::form::FormPolicy;

fuzz_target!(|input: (&str, &str, &[u8])| {
    let (name, value, json) = input;
    let Ok(policy) = FormPolicy::of_json(json) else { return };
    let fields = [(name, value)];
    let allowed = policy.check("photos", &fields, Timestamp::from_millis(0)).is_ok();
    // A field is covered by a condition that names it; names in policies are compared in lower case.
    let named = String::from_utf8_lossy(json).to_lowercase().contains(&name.to_lowercase());
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    assert!(
        !allowed
            || !plain
            || name.is_empty()
            || named
            || ["policy", "x-amz-signature"].contains(&name)
            || json.contains(&b'\\')
    );
});

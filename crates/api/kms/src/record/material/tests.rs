use std::sync::Arc;

use super::*;
use crate::domain_key::NewMaterial;
use crate::record::{KeySpec, KeyUsage, Material, PublicMaterial};

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn domain() -> DomainKey {
    DomainKey { name: "domain/us-east-1".to_owned(), key: Arc::new(Key256::random()) }
}

fn random(spec: KeySpec, domain: &DomainKey) -> MaterialRecord {
    let material = NewMaterial::random(spec).expect("material");
    material.wrap(domain, ARN, ID, Timestamp::from_millis(0), None)
}

fn secret(record: &MaterialRecord, domain: &DomainKey) -> SecretBytes {
    record.wrapped.as_ref().expect("a secret").open(&domain.key, ARN, &record.id).expect("unwraps")
}

#[test]
fn material_is_unwrapped_under_its_domain_key_for_its_own_key_alone() {
    let domain = domain();
    let record = random(KeySpec::SymmetricDefault, &domain);
    assert_eq!(MaterialId::of(secret(&record, &domain).expose(), ID), record.id);
    let wrapped = record.wrapped.as_ref().expect("a secret");
    assert!(wrapped.open(&Key256::random(), ARN, &record.id).is_err(), "another domain key");
    let elsewhere = ARN.replace("us-east-1", "eu-west-1");
    assert!(wrapped.open(&domain.key, &elsewhere, &record.id).is_err(), "another key");
    let other = random(KeySpec::SymmetricDefault, &domain).id;
    assert!(wrapped.open(&domain.key, ARN, &other).is_err(), "another version");
}

#[test]
fn a_stored_version_is_read_back_and_shows_no_secret() {
    for spec in [KeySpec::SymmetricDefault, KeySpec::Hmac512, KeySpec::EccNistP256, KeySpec::MlDsa44] {
        let domain = domain();
        let record = random(spec, &domain);
        let kept = secret(&record, &domain);
        let stored = serde_json::to_string(&record).expect("JSON");
        let back: MaterialRecord = serde_json::from_str(&stored).expect("a record");
        assert_eq!((back.id, back.created, &back.public), (record.id, record.created, &record.public));
        assert!(record.id.to_string().len() == 64 && stored.contains(&record.id.to_string()));
        assert_eq!(secret(&back, &domain).expose(), kept.expose());
        let wrapped = &record.wrapped.as_ref().expect("a secret").secret.0;
        let part = &kept.expose()[kept.len() - 16..];
        assert!(!wrapped.windows(16).any(|window| window == part), "{spec}");
    }
}

#[test]
fn material_from_outside_is_what_was_brought_and_of_the_keys_spec() {
    for spec in [KeySpec::SymmetricDefault, KeySpec::Hmac224, KeySpec::EccNistP384, KeySpec::EccNistEdwards25519] {
        let domain = domain();
        let made = random(spec, &domain);
        let brought = NewMaterial::read(spec, secret(&made, &domain).expose()).expect("of this spec");
        assert_eq!(brought.id(ID), made.id, "the same material has the same id");
        assert_ne!(brought.id("another"), made.id, "in the same key");
        let wrapped = brought.wrap(&domain, ARN, ID, made.created, None);
        assert_eq!(wrapped.public, made.public);
        assert_eq!(secret(&wrapped, &domain).expose(), secret(&made, &domain).expose());
    }
    for spec in [KeySpec::SymmetricDefault, KeySpec::Hmac224, KeySpec::EccNistP256, KeySpec::Rsa2048] {
        for wrong in [&[][..], &[0; 31], &[0; 33], &[0x30; 200]] {
            assert!(NewMaterial::read(spec, wrong).is_none(), "{spec}");
        }
    }
}

#[test]
fn material_becomes_what_its_keys_usage_says() {
    use KeyUsage::{EncapsulateDecapsulate, EncryptDecrypt, GenerateVerifyMac, KeyAgreement, SignVerify};
    let domain = domain();
    let named = |material: &Material| match material {
        Material::Backing(_) => "backing",
        Material::Mac(_) => "mac",
        Material::Signing(_) => "signing",
        Material::Decrypting(_) => "decrypting",
        Material::Agreeing(_) => "agreeing",
        Material::Decapsulating(_) => "decapsulating",
    };
    for (spec, usage, expected, public) in [
        (KeySpec::SymmetricDefault, EncryptDecrypt, "backing", false),
        (KeySpec::Hmac384, GenerateVerifyMac, "mac", false),
        (KeySpec::Rsa2048, EncryptDecrypt, "decrypting", true),
        (KeySpec::Rsa2048, SignVerify, "signing", true),
        (KeySpec::EccNistP521, SignVerify, "signing", true),
        (KeySpec::EccNistP521, KeyAgreement, "agreeing", false),
        (KeySpec::EccSecgP256k1, SignVerify, "signing", true),
        (KeySpec::MlDsa87, SignVerify, "signing", true),
        (KeySpec::MlKem768, EncapsulateDecapsulate, "decapsulating", true),
    ] {
        let record = random(spec, &domain);
        let material = Material::read(spec, usage, secret(&record, &domain).expose()).expect("ready");
        assert_eq!(named(&material), expected, "{spec} {usage}");
        let ready = record.public.map(|spki| PublicMaterial::read(spec, usage, &spki.0).is_ok());
        assert_eq!(ready.unwrap_or(false), public, "{spec} {usage}");
    }
}

#[test]
fn what_is_no_material_id_is_refused() {
    for text in ["", "ab", &"g".repeat(64), &"é".repeat(32), &"0".repeat(66)] {
        assert!(MaterialId::try_from(text.to_owned()).is_err(), "{text}");
    }
}

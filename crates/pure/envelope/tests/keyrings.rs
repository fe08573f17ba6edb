//! Keyrings whose keys are elsewhere, and caches, against a key service in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
#[path = "common/fake_kms.rs"]
mod fake_kms;
#[path = "common/vectors.rs"]
mod vectors;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Hand, open, reasons, seal};
use crypto::ecdh::EcdhPrivateKey;
use envelope::kms::{KmsClient, KmsError};
use envelope::{
    AlgorithmSuite, CacheLimits, CachingMaterials, CommitmentPolicy, Curve, Decryption, DiscoveryFilter, Encryption,
    Error, KeyFailureReason, Keyring, KmsDiscoveryKeyring, KmsEcdhKeyring, KmsKeyring, KmsRsaKeyring, MultiKeyring,
    RawAesKeyring, RawEcdhKeyring,
};
use fake_kms::{ACCOUNT, FakeKms, arn};
use vectors::Vectors;

const MRK: &str = "mrk-4321abcd12ab34cd56ef1234567890ab";

/// A private key in SEC 1 form with a scalar of one repeated byte.
fn private_key(curve: Curve, byte: u8) -> Vec<u8> {
    let (length, oid): (u8, &[u8]) = match curve {
        Curve::P256 => (32, &[0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]),
        Curve::P384 => (48, &[0xa0, 7, 6, 5, 0x2b, 0x81, 4, 0, 34]),
        Curve::P521 => (66, &[0xa0, 7, 6, 5, 0x2b, 0x81, 4, 0, 35]),
    };
    let mut scalar = vec![byte; usize::from(length)];
    scalar[0] = 0;
    let inside = [&[2, 1, 1, 4, length], &scalar[..], oid].concat();
    [&[0x30, u8::try_from(inside.len()).unwrap()], &inside[..]].concat()
}

fn public_key(curve: Curve, private: &[u8]) -> Vec<u8> {
    EcdhPrivateKey::read(curve, private).unwrap().public_key().unwrap().spki().to_vec()
}

#[test]
fn a_kms_key_generates_and_decrypts_by_any_of_its_names() {
    let kms = FakeKms::new("us-east-1").with("key-1").with("key-2").with_alias("alias/mine", "key-1").shared();
    let names = [
        arn("us-east-1", "key-1"),
        "key-1".to_owned(),
        "alias/mine".to_owned(),
        format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/mine"),
    ];
    for encrypting in &names {
        let message = seal(&KmsKeyring::new(kms.clone(), encrypting)).unwrap();
        assert_eq!(kms.calls(), [format!("GenerateDataKey {encrypting}")]);
        for decrypting in &names {
            let opened = open(&KmsKeyring::new(kms.clone(), decrypting), &message).unwrap();
            assert_eq!(opened, format!("KMS key {decrypting}"));
            assert_eq!(kms.calls(), [format!("Decrypt {decrypting}")]);
        }
        // Another key is not even asked, unless its name does not tell which it is.
        let other = KmsKeyring::new(kms.clone(), arn("us-east-1", "key-2"));
        let refused = reasons(open(&other, &message).unwrap_err());
        assert_eq!(refused, [format!("KMS key {}: the message's data key is not under it", arn("us-east-1", "key-2"))]);
        assert!(kms.calls().is_empty());
    }
}

#[test]
fn an_alias_that_names_another_key_now_opens_nothing() {
    let then = FakeKms::new("us-east-1").with("key-1").with_alias("alias/mine", "key-1").shared();
    let now = FakeKms::new("us-east-1").with("key-1").with("key-2").with_alias("alias/mine", "key-2").shared();
    let message = seal(&KmsKeyring::new(then, "alias/mine")).unwrap();
    let refused = reasons(open(&KmsKeyring::new(now, "alias/mine"), &message).unwrap_err());
    assert!(refused[0].starts_with("KMS key alias/mine: IncorrectKeyException"), "{refused:?}");
}

#[test]
fn a_service_that_answers_for_another_key_is_not_believed() {
    /// Answers for whatever key it likes.
    struct Lying(Arc<FakeKms>);
    impl KmsClient for Lying {
        fn generate_data_key<'a>(
            &'a self,
            request: envelope::kms::GenerateDataKey<'a>,
        ) -> envelope::Pending<'a, Result<envelope::kms::GeneratedDataKey, KmsError>> {
            self.0.generate_data_key(request)
        }
        fn encrypt<'a>(
            &'a self,
            request: envelope::kms::Encrypt<'a>,
        ) -> envelope::Pending<'a, Result<envelope::kms::Encrypted, KmsError>> {
            self.0.encrypt(request)
        }
        fn decrypt<'a>(
            &'a self,
            request: envelope::kms::Decrypt<'a>,
        ) -> envelope::Pending<'a, Result<envelope::kms::Decrypted, KmsError>> {
            Box::pin(async move {
                let mut decrypted = self.0.decrypt(request).await?;
                decrypted.key_id = arn("us-east-1", "key-9");
                Ok(decrypted)
            })
        }
    }
    let kms = FakeKms::new("us-east-1").with("key-1").with_alias("alias/mine", "key-1").shared();
    let message = seal(&KmsKeyring::new(kms.clone(), "key-1")).unwrap();
    for name in ["key-1", "alias/mine", &arn("us-east-1", "key-1")] {
        let lying = KmsKeyring::new(Arc::new(Lying(kms.clone())), name);
        let refused = reasons(open(&lying, &message).unwrap_err());
        assert_eq!(refused, [format!("KMS key {name}: the key service answered for {}", arn("us-east-1", "key-9"))]);
    }
}

#[test]
fn what_the_service_refuses_is_told_with_its_words() {
    let kms = FakeKms::new("us-east-1").with("key-1").shared();
    let keyring = KmsKeyring::new(kms.clone(), "key-1");
    let message = seal(&keyring).unwrap();
    kms.deny(true);
    let refused = "KMS key key-1: AccessDeniedException: not authorized to perform: kms:";
    assert_eq!(reasons(open(&keyring, &message).unwrap_err()), [format!("{refused}Decrypt")]);
    assert_eq!(reasons(seal(&keyring).unwrap_err()), [format!("{refused}GenerateDataKey")]);
    let unknown = KmsKeyring::new(kms.clone(), "key-7");
    kms.deny(false);
    assert!(reasons(seal(&unknown).unwrap_err())[0].contains("NotFoundException"));
}

#[test]
fn several_keys_wrap_one_data_key_and_each_opens_it() {
    let clients = |region: &str| -> Result<Arc<dyn KmsClient>, KmsError> {
        match region {
            "us-east-1" | "eu-west-1" => Ok(FakeKms::new(region).with("key-1").with("key-2").with(MRK).shared()),
            _ => Err(KmsError::new("Unreachable", region)),
        }
    };
    let (first, second) = (arn("us-east-1", "key-1"), arn("eu-west-1", "key-2"));
    let both = MultiKeyring::kms(&clients, Some(&first), &[&second], false).unwrap();
    let message = seal(&both).unwrap();
    for (key, index) in [(&first, 0), (&second, 1)] {
        let alone = MultiKeyring::kms(&clients, None, &[key], false).unwrap();
        let (_, opened) = Decryption::new(&alone).decrypt(&message).unwrap();
        assert_eq!((opened.data_key_index, opened.wrapping_key), (index, format!("KMS key {key}")));
        assert!(matches!(seal(&alone), Err(Error::Wrap(_))), "without a generator nothing is encrypted");
    }
    assert!(MultiKeyring::kms(&clients, Some("alias/mine"), &[], false).is_err());
    assert!(MultiKeyring::kms(&clients, Some(&arn("ap-south-1", "key-1")), &[], false).is_err());
    let twice = MultiKeyring::kms(&clients, Some(&arn("us-east-1", MRK)), &[&arn("eu-west-1", MRK)], true);
    assert!(twice.err().unwrap().to_string().contains("more than once"));
}

#[test]
fn replicas_of_a_multi_region_key_open_each_others_messages_when_asked_to() {
    let (home, away) = (FakeKms::new("us-east-1").with(MRK).shared(), FakeKms::new("eu-west-1").with(MRK).shared());
    let message = seal(&KmsKeyring::new(home, arn("us-east-1", MRK))).unwrap();
    let replica = || KmsKeyring::new(away.clone(), arn("eu-west-1", MRK));
    assert!(open(&replica(), &message).is_err());
    assert_eq!(open(&replica().multi_region(), &message).unwrap(), format!("KMS key {}", arn("eu-west-1", MRK)));

    let source = move |region: &str| -> Result<Arc<dyn KmsClient>, KmsError> {
        assert_eq!(region, "eu-west-1");
        Ok(FakeKms::new(region).with(MRK).shared())
    };
    assert!(open(&KmsDiscoveryKeyring::new(source).in_region("eu-west-1"), &message).is_err());
    let discovered = open(&KmsDiscoveryKeyring::new(source).multi_region("eu-west-1"), &message).unwrap();
    assert_eq!(discovered, format!("KMS key {}", arn("eu-west-1", MRK)));
}

#[test]
fn discovery_asks_only_for_what_its_filter_admits() {
    let kms = FakeKms::new("us-east-1").with("key-1").shared();
    let message = seal(&KmsKeyring::new(kms.clone(), "key-1")).unwrap();
    kms.calls();
    let discovery = || {
        let kms = kms.clone();
        KmsDiscoveryKeyring::new(move |_: &str| -> Result<Arc<dyn KmsClient>, KmsError> { Ok(kms.clone()) })
    };
    let key = format!("KMS key {}", arn("us-east-1", "key-1"));
    assert_eq!(open(&discovery(), &message).unwrap(), key);
    assert_eq!(open(&discovery().filter(DiscoveryFilter::new("aws", [ACCOUNT])), &message).unwrap(), key);
    assert_eq!(kms.calls().len(), 2);
    let filters = [DiscoveryFilter::new("aws", ["999999999999"]), DiscoveryFilter::new("aws-cn", [ACCOUNT])];
    for filter in filters {
        let refused = reasons(open(&discovery().filter(filter), &message).unwrap_err());
        assert_eq!(refused, ["KMS discovery: the message's data key is not under it"]);
    }
    assert!(open(&discovery().in_region("eu-west-1"), &message).is_err());
    assert!(kms.calls().is_empty());
    assert!(reasons(seal(&discovery()).unwrap_err())[0].contains("names no key to encrypt with"));
}

#[test]
fn raw_key_agreement_opens_on_either_side_and_for_nobody_else() {
    for curve in [Curve::P256, Curve::P384, Curve::P521] {
        let (alice, bob, carol) = (private_key(curve, 1), private_key(curve, 2), private_key(curve, 3));
        let public = |private: &[u8]| public_key(curve, private);
        let alice_to_bob = RawEcdhKeyring::between(curve, &alice, &public(&bob)).unwrap();
        let bob_to_alice = RawEcdhKeyring::between(curve, &bob, &public(&alice)).unwrap();
        let for_bob = RawEcdhKeyring::for_recipient(curve, &bob).unwrap();
        let to_bob = RawEcdhKeyring::to_recipient(curve, &public(&bob)).unwrap();

        let message = seal(&alice_to_bob).unwrap();
        for keyring in [&alice_to_bob, &bob_to_alice, &for_bob] {
            open(keyring, &message).unwrap();
        }
        let for_carol = RawEcdhKeyring::for_recipient(curve, &carol).unwrap();
        let carol_to_alice = RawEcdhKeyring::between(curve, &carol, &public(&alice)).unwrap();
        for keyring in [&for_carol, &carol_to_alice, &to_bob] {
            assert!(matches!(open(keyring, &message), Err(Error::Unwrap { .. })));
        }
        let message = seal(&to_bob).unwrap();
        open(&for_bob, &message).unwrap();
        assert!(open(&alice_to_bob, &message).is_err());
        assert!(matches!(seal(&for_bob), Err(Error::Wrap(_))));
    }
}

#[test]
fn key_agreement_in_kms_and_with_raw_keys_open_each_other() {
    let curve = Curve::P384;
    let (alice, bob) = (private_key(curve, 1), private_key(curve, 2));
    let kms = FakeKms::new("us-east-1").with_ecc("ecc-1", curve, &alice).with_ecc("ecc-2", curve, &bob).shared();
    let alice_to_bob = KmsEcdhKeyring::between(kms.clone(), "ecc-1", curve, &public_key(curve, &bob)).unwrap();
    let for_bob = KmsEcdhKeyring::for_recipient(kms.clone(), "ecc-2", curve);
    let raw_for_bob = RawEcdhKeyring::for_recipient(curve, &bob).unwrap();
    let raw_to_bob = RawEcdhKeyring::to_recipient(curve, &public_key(curve, &bob)).unwrap();

    let message = seal(&alice_to_bob).unwrap();
    assert_eq!(kms.calls(), ["GetPublicKey ecc-1", "DeriveSharedSecret ecc-1"]);
    open(&alice_to_bob, &message).unwrap();
    assert_eq!(kms.calls(), ["DeriveSharedSecret ecc-1"]);
    open(&for_bob, &message).unwrap();
    open(&raw_for_bob, &message).unwrap();
    open(&for_bob, &seal(&raw_to_bob).unwrap()).unwrap();
    assert!(seal(&for_bob).is_err());
    let known = KmsEcdhKeyring::for_recipient(kms.clone(), "ecc-2", curve);
    let known = known.with_public_key(&public_key(curve, &bob)).unwrap();
    kms.calls();
    open(&known, &message).unwrap();
    assert_eq!(kms.calls(), ["DeriveSharedSecret ecc-2"]);
    // A message of other keyrings costs no call.
    assert!(open(&known, &seal(&common::keyring()).unwrap()).is_err());
    assert!(kms.calls().is_empty());
}

#[test]
fn an_rsa_key_in_kms_decrypts_what_its_public_half_encrypted() {
    let (private, public) = Vectors::rsa();
    let key = arn("us-east-1", "rsa-1");
    let kms = FakeKms::new("us-east-1").with_rsa("rsa-1", private.as_bytes(), public.as_bytes()).shared();
    for sha1 in [false, true] {
        let set = |keyring: KmsRsaKeyring| if sha1 { keyring.oaep_sha1() } else { keyring };
        let offline = set(KmsRsaKeyring::for_encryption(&key, public.as_bytes()).unwrap());
        let online = set(KmsRsaKeyring::new(kms.clone(), &key));
        for message in [seal(&offline).unwrap(), seal(&online).unwrap()] {
            assert_eq!(open(&online, &message).unwrap(), format!("KMS RSA key {key}"));
            assert!(reasons(open(&offline, &message).unwrap_err())[0].contains("no client"));
            // The context is bound by its digest.
            let other = Decryption::new(&online).context([("more", "than there was")]).decrypt(&message).unwrap_err();
            assert!(reasons(other)[0].contains("another"));
        }
        let signed = Encryption::new(&offline).encrypt(b"x").unwrap_err();
        assert!(reasons(signed)[0].contains("takes no signed suite"));
    }
    assert_eq!(kms.calls().iter().filter(|call| call.starts_with("GetPublicKey")).count(), 2);
}

#[test]
fn cached_materials_are_used_within_their_limits() {
    let kms = FakeKms::new("us-east-1").with("key-1").shared();
    let hand = Hand::new();
    let limits = CacheLimits::new(10, Duration::from_secs(60)).messages_max(3).bytes_max(1000);
    let cached = CachingMaterials::new(KmsKeyring::new(kms.clone(), "key-1"), limits, hand.clock());
    let encrypt = |context: &str, length: usize| {
        Encryption::new(&cached).context([("c", context)]).encrypt(&vec![0; length]).unwrap();
        kms.calls().len()
    };
    assert_eq!([encrypt("a", 1), encrypt("a", 1), encrypt("a", 1), encrypt("a", 1)], [1, 0, 0, 1], "messages");
    assert_eq!([encrypt("b", 500), encrypt("b", 500), encrypt("b", 1)], [1, 0, 1], "bytes");
    assert_eq!([encrypt("c", 1001), encrypt("c", 1001)], [1, 1], "a message that is too long by itself");
    assert_eq!(encrypt("d", 1), 1, "another context");
    hand.forward(59);
    assert_eq!(encrypt("d", 1), 0);
    hand.forward(1);
    assert_eq!(encrypt("d", 1), 1, "age");
    for _ in 0..2 {
        Encryption::new(&cached).encrypt_stream(&b"x"[..], Vec::new()).unwrap();
        assert_eq!(kms.calls().len(), 1, "unknown length");
        let old = Encryption::new(&cached).commitment_policy(CommitmentPolicy::ForbidEncryptAllowDecrypt);
        old.suite(AlgorithmSuite::Aes256Gcm).encrypt(b"x").unwrap();
        assert_eq!(kms.calls().len(), 1, "no key derivation");
    }
}

#[test]
fn cached_materials_decrypt_their_own_message_only() {
    let kms = FakeKms::new("us-east-1").with("key-1").shared();
    let hand = Hand::new();
    let limits = CacheLimits::new(2, Duration::from_secs(60)).messages_max(1);
    let cached = CachingMaterials::new(KmsKeyring::new(kms.clone(), "key-1"), limits, hand.clock());
    let messages: Vec<_> = (0..3).map(|_| seal(&KmsKeyring::new(kms.clone(), "key-1")).unwrap()).collect();
    kms.calls();
    let decrypt = |index: usize| {
        hand.forward(1);
        open(&cached, &messages[index]).unwrap();
        kms.calls().len()
    };
    assert_eq!([decrypt(0), decrypt(0), decrypt(0)], [1, 0, 0]);
    assert_eq!([decrypt(1), decrypt(0)], [1, 0]);
    // A third entry drives out the one that was not used for the longest time.
    assert_eq!([decrypt(2), decrypt(0), decrypt(1)], [1, 0, 1]);
    // What the caller knows of the context is part of what was asked for.
    let more = Decryption::new(&cached).context([("tenant", "red")]).decrypt(&messages[1]);
    assert!(matches!(more, Err(Error::ContextMismatch { .. })));
    // A changed message is found out whether its key is cached or not.
    let mut changed = messages[1].clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(Decryption::new(&cached).decrypt(&changed), Err(Error::FrameNotAuthentic { .. })));
}

#[test]
fn a_keyring_of_the_callers_own_serves() {
    /// Keeps data keys in a drawer.
    #[derive(Default)]
    struct Drawer(Mutex<Vec<Vec<u8>>>);
    impl Keyring for Drawer {
        fn wrap<'a>(
            &'a self,
            keys: &'a mut envelope::Wrapping<'_>,
        ) -> envelope::Pending<'a, Result<(), envelope::KeyFailure>> {
            let mut drawer = self.0.lock().unwrap();
            drawer.push(keys.data_key_or_random().expose().to_vec());
            keys.push(envelope::EncryptedDataKey {
                provider_id: "drawer".into(),
                provider_info: Vec::new(),
                ciphertext: vec![u8::try_from(drawer.len()).unwrap() - 1],
            });
            Box::pin(std::future::ready(Ok(())))
        }
        fn open<'a>(
            &'a self,
            keys: &'a envelope::Unwrapping<'_>,
        ) -> envelope::Pending<'a, Result<envelope::Unwrapped, Vec<envelope::KeyFailure>>> {
            let (index, key) = keys.of_provider("drawer").next().unwrap();
            let found = self.0.lock().unwrap()[usize::from(key.ciphertext[0])].clone();
            let data_key = envelope::DataKey::new(keys.suite(), found.into()).unwrap();
            let opened = envelope::Unwrapped { data_key, index, wrapping_key: "the drawer".into() };
            Box::pin(std::future::ready(Ok(opened)))
        }
    }
    let drawer = Arc::new(Drawer::default());
    let both = MultiKeyring::new(drawer.clone()).with(RawAesKeyring::new("tests", "aes-256", &[0x42; 32]).unwrap());
    let message = seal(&both).unwrap();
    assert_eq!(open(&drawer, &message).unwrap(), "the drawer");
    open(&common::keyring(), &message).unwrap();
    let late = MultiKeyring::new(common::keyring()).with(MultiKeyring::new(common::keyring()));
    let Error::Wrap(failure) = seal(&late).unwrap_err() else { panic!("a second generator") };
    assert!(matches!(failure.reason, KeyFailureReason::Incapable(_)));
}

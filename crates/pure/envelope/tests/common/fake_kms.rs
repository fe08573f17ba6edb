//! A key service in memory that behaves as AWS KMS does in what matters here.

#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crypto::aead::{AeadKey, Algorithm};
use crypto::ecdh::{Curve, EcdhPrivateKey, EcdhPublicKey};
use crypto::rsa::{Padding, RsaPrivateKey};
use crypto::{SecretBytes, random_bytes};
use envelope::kms::{
    Decrypt, Decrypted, DeriveSharedSecret, Encrypt, Encrypted, GenerateDataKey, GeneratedDataKey, GetPublicKey,
    KmsClient, KmsError, ReEncrypt,
};
use envelope::{EncryptionContext, Pending};

enum Key {
    Symmetric([u8; 32]),
    Rsa(RsaPrivateKey, Vec<u8>),
    Ecc(Curve, EcdhPrivateKey),
}

/// The keys of one region. Replicas of a Multi-Region key have the same identifier and secret in each.
pub(crate) struct FakeKms {
    region: String,
    keys: BTreeMap<String, Key>,
    aliases: BTreeMap<String, String>,
    calls: Mutex<Vec<String>>,
    denied: Mutex<bool>,
}

pub(crate) const ACCOUNT: &str = "111122223333";

pub(crate) fn arn(region: &str, id: &str) -> String {
    format!("arn:aws:kms:{region}:{ACCOUNT}:key/{id}")
}

impl FakeKms {
    pub(crate) fn new(region: &str) -> Self {
        let (keys, aliases) = (BTreeMap::new(), BTreeMap::new());
        Self { region: region.to_owned(), keys, aliases, calls: Mutex::default(), denied: Mutex::default() }
    }

    /// Adds a symmetric key whose secret follows from its identifier.
    pub(crate) fn with(mut self, id: &str) -> Self {
        self.keys.insert(id.to_owned(), Key::Symmetric(crypto::sha256(id.as_bytes())));
        self
    }

    pub(crate) fn with_alias(mut self, alias: &str, id: &str) -> Self {
        self.aliases.insert(alias.to_owned(), id.to_owned());
        self
    }

    pub(crate) fn with_rsa(mut self, id: &str, private: &[u8], public: &[u8]) -> Self {
        self.keys.insert(id.to_owned(), Key::Rsa(RsaPrivateKey::read(private).unwrap(), public.to_vec()));
        self
    }

    pub(crate) fn with_ecc(mut self, id: &str, curve: Curve, private: &[u8]) -> Self {
        self.keys.insert(id.to_owned(), Key::Ecc(curve, EcdhPrivateKey::read(curve, private).unwrap()));
        self
    }

    pub(crate) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }

    /// The calls so far, each as `Operation key`; forgets them.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    pub(crate) fn deny(&self, denied: bool) {
        *self.denied.lock().unwrap() = denied;
    }

    fn find(&self, operation: &str, key_id: &str) -> Result<(String, &Key), KmsError> {
        self.calls.lock().unwrap().push(format!("{operation} {key_id}"));
        if *self.denied.lock().unwrap() {
            return Err(KmsError::new("AccessDeniedException", format!("not authorized to perform: kms:{operation}")));
        }
        let not_found = || KmsError::new("NotFoundException", format!("Key '{key_id}' does not exist"));
        let prefix = format!("arn:aws:kms:{}:{ACCOUNT}:", self.region);
        let resource = match key_id.strip_prefix(&prefix) {
            Some(resource) => resource,
            None if key_id.starts_with("arn:") => return Err(not_found()),
            None => key_id,
        };
        let id = match self.aliases.get(resource) {
            Some(id) => id,
            None => resource.strip_prefix("key/").unwrap_or(resource),
        };
        let key = self.keys.get(id).ok_or_else(not_found)?;
        Ok((arn(&self.region, id), key))
    }

    /// `id length ‖ id ‖ nonce ‖ ciphertext ‖ tag`.
    fn seal(id: &str, secret: &[u8; 32], plaintext: &[u8], context: &EncryptionContext) -> Vec<u8> {
        let mut nonce = [0; 12];
        random_bytes(&mut nonce);
        let mut sealed = plaintext.to_vec();
        let key = AeadKey::new(Algorithm::Aes256Gcm, secret).unwrap();
        let tag = key.seal_in_place(&nonce, &context.serialize().unwrap(), &mut sealed).unwrap();
        [&[id.len() as u8], id.as_bytes(), &nonce, &sealed, &tag].concat()
    }

    fn encrypt_now(
        &self,
        operation: &str,
        key_id: &str,
        plaintext: &[u8],
        context: &EncryptionContext,
    ) -> Result<Encrypted, KmsError> {
        let (arn, key) = self.find(operation, key_id)?;
        let Key::Symmetric(secret) = key else {
            return Err(KmsError::new("InvalidKeyUsageException", "not symmetric"));
        };
        let id = arn.rsplit('/').next().unwrap();
        Ok(Encrypted { ciphertext: Self::seal(id, secret, plaintext, context), key_id: arn })
    }

    fn open(
        &self,
        operation: &str,
        key_id: &str,
        ciphertext: &[u8],
        context: &EncryptionContext,
        algorithm: Option<&str>,
    ) -> Result<Decrypted, KmsError> {
        let (arn, key) = self.find(operation, key_id)?;
        let invalid = || KmsError::new("InvalidCiphertextException", "");
        let plaintext = match (key, algorithm) {
            (Key::Rsa(private, _), Some(algorithm)) => {
                let padding = match algorithm {
                    "RSAES_OAEP_SHA_256" => Padding::OaepSha256,
                    _ => Padding::OaepSha1,
                };
                private.decrypt(padding, ciphertext).map_err(|_| invalid())?
            }
            (Key::Symmetric(secret), None) => {
                let (length, rest) = ciphertext.split_first().ok_or_else(invalid)?;
                let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(invalid)?;
                if !arn.as_bytes().ends_with(id) {
                    return Err(KmsError::new(
                        "IncorrectKeyException",
                        "The key ID in the request does not identify a CMK that can perform this operation.",
                    ));
                }
                let (nonce, sealed) = rest.split_first_chunk::<12>().ok_or_else(invalid)?;
                let (sealed, tag) = sealed.split_last_chunk::<16>().ok_or_else(invalid)?;
                let mut plaintext = sealed.to_vec();
                let key = AeadKey::new(Algorithm::Aes256Gcm, secret).unwrap();
                let aad = context.serialize().unwrap();
                key.open_in_place(nonce, &aad, &mut plaintext, tag).map_err(|_| invalid())?;
                SecretBytes::from(plaintext)
            }
            _ => return Err(KmsError::new("InvalidKeyUsageException", "")),
        };
        Ok(Decrypted { plaintext, key_id: arn })
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> Pending<'a, T> {
    Box::pin(async move {
        // A real client has to wait: so do the futures here, once.
        let mut waited = false;
        std::future::poll_fn(move |context| {
            if std::mem::replace(&mut waited, true) {
                return std::task::Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        value
    })
}

impl KmsClient for FakeKms {
    fn generate_data_key<'a>(
        &'a self,
        request: GenerateDataKey<'a>,
    ) -> Pending<'a, Result<GeneratedDataKey, KmsError>> {
        let mut plaintext = vec![0; request.bytes];
        random_bytes(&mut plaintext);
        let made = self.encrypt_now("GenerateDataKey", request.key_id, &plaintext, request.context);
        ready(made.map(|Encrypted { ciphertext, key_id }| GeneratedDataKey {
            plaintext: SecretBytes::from(plaintext),
            ciphertext,
            key_id,
        }))
    }

    fn encrypt<'a>(&'a self, request: Encrypt<'a>) -> Pending<'a, Result<Encrypted, KmsError>> {
        ready(self.encrypt_now("Encrypt", request.key_id, request.plaintext, request.context))
    }

    fn decrypt<'a>(&'a self, request: Decrypt<'a>) -> Pending<'a, Result<Decrypted, KmsError>> {
        ready(self.open("Decrypt", request.key_id, request.ciphertext, request.context, request.algorithm))
    }

    fn generate_data_key_without_plaintext<'a>(
        &'a self,
        request: GenerateDataKey<'a>,
    ) -> Pending<'a, Result<Encrypted, KmsError>> {
        let mut plaintext = vec![0; request.bytes];
        random_bytes(&mut plaintext);
        ready(self.encrypt_now("GenerateDataKeyWithoutPlaintext", request.key_id, &plaintext, request.context))
    }

    fn re_encrypt<'a>(&'a self, request: ReEncrypt<'a>) -> Pending<'a, Result<Encrypted, KmsError>> {
        let opened = self.open("ReEncrypt", request.key_id, request.ciphertext, request.from, None);
        ready(
            opened.and_then(|opened| {
                self.encrypt_now("ReEncrypt", request.key_id, opened.plaintext.expose(), request.to)
            }),
        )
    }

    fn derive_shared_secret<'a>(
        &'a self,
        request: DeriveSharedSecret<'a>,
    ) -> Pending<'a, Result<SecretBytes, KmsError>> {
        ready(self.find("DeriveSharedSecret", request.key_id).and_then(|(_, key)| {
            let Key::Ecc(curve, private) = key else { return Err(KmsError::new("InvalidKeyUsageException", "")) };
            let invalid = |_| KmsError::new("ValidationException", "public key");
            private.agree(&EcdhPublicKey::read(*curve, request.public_key).map_err(invalid)?).map_err(invalid)
        }))
    }

    fn get_public_key<'a>(&'a self, request: GetPublicKey<'a>) -> Pending<'a, Result<Vec<u8>, KmsError>> {
        ready(self.find("GetPublicKey", request.key_id).and_then(|(_, key)| match key {
            Key::Ecc(_, private) => Ok(private.public_key().unwrap().spki().to_vec()),
            Key::Rsa(_, public) => Ok(public.clone()),
            Key::Symmetric(_) => Err(KmsError::new("UnsupportedOperationException", "")),
        }))
    }
}

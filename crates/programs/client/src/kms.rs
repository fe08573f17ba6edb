//! The key service of the `envelope` library, called over HTTPS.
//!
//! The library's functions wait on threads of their own: then the calls run on the runtime that is handed in here.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crypto::SecretBytes;
use envelope::kms::{
    Decrypt, Decrypted, DeriveSharedSecret, Encrypt, Encrypted, GenerateDataKey, GeneratedDataKey, GetPublicKey,
    KmsClient, KmsError, ReEncrypt,
};
use envelope::{EncryptionContext, Pending};
use http::Uri;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use wire::{Blob, SecretBlob};

use crate::session::KMS;
use crate::{ClientError, Session};

/// AWS KMS, or what speaks its protocol, in one region.
#[derive(Clone)]
pub struct Kms {
    session: Arc<Session>,
    region: String,
    runtime: Handle,
    /// Where the service is reached, known from the first call on.
    endpoint: OnceLock<Uri>,
}

/// The input of every operation here: each uses some of the members.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<SecretBlob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext_blob: Option<Blob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_algorithm: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_context: Option<BTreeMap<&'a str, &'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_encryption_context: Option<BTreeMap<&'a str, &'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_encryption_context: Option<BTreeMap<&'a str, &'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_agreement_algorithm: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<Blob>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    grant_tokens: &'a [String],
}

/// The output of every operation here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    key_id: Option<String>,
    plaintext: Option<SecretBlob>,
    ciphertext_blob: Option<Blob>,
    shared_secret: Option<SecretBlob>,
    public_key: Option<Blob>,
    key_metadata: Option<KeyMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyMetadata {
    arn: String,
}

fn entries(context: &EncryptionContext) -> Option<BTreeMap<&str, &str>> {
    (!context.is_empty()).then(|| context.iter().collect())
}

fn secret(blob: SecretBlob) -> SecretBytes {
    SecretBytes::from(blob.0.as_slice())
}

impl From<ClientError> for KmsError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Service(error) => Self::new(error.code, error.message),
            error => Self::new(error.code(), error.to_string()),
        }
    }
}

/// An answer that lacks what it has to have.
fn form<T>(member: Option<T>) -> Result<T, KmsError> {
    member.ok_or_else(|| ClientError::Form { service: "KMS" }.into())
}

impl Kms {
    /// The service in a region, called with a session's credentials. Calls run on the runtime that they are awaited on,
    /// and on `runtime` when a thread without one waits for them.
    #[must_use]
    pub fn new(session: Arc<Session>, region: impl Into<String>, runtime: Handle) -> Self {
        Self { session, region: region.into(), runtime, endpoint: OnceLock::new() }
    }

    /// The ARN of the key that an identifier, an alias or an ARN names: `DescribeKey`.
    ///
    /// # Errors
    /// The service's, or the client's own.
    pub async fn key_arn(&self, key_id: &str) -> Result<String, KmsError> {
        let output = self.call("DescribeKey", &Input { key_id: Some(key_id), ..Input::default() }).await?;
        Ok(form(output.key_metadata)?.arn)
    }

    fn endpoint(&self) -> Result<Uri, ClientError> {
        if let Some(endpoint) = self.endpoint.get() {
            return Ok(endpoint.clone());
        }
        let endpoint = self.session.endpoint(KMS, &self.region)?;
        Ok(self.endpoint.get_or_init(|| endpoint).clone())
    }

    async fn call(&self, operation: &'static str, input: &Input<'_>) -> Result<Output, KmsError> {
        let mut body = SecretBytes::with_capacity(1024);
        serde_json::to_writer(&mut body, input).map_err(|_| ClientError::Form { service: "KMS" })?;
        let target = format!("TrentService.{operation}");
        let answer = if Handle::try_current().is_ok() {
            self.session.call_json(KMS, &self.region, self.endpoint()?, &target, body).await?
        } else {
            let interrupted = |error: tokio::task::JoinError| KmsError::new("Interrupted", error.to_string());
            self.call_elsewhere(target, body)?.await.map_err(interrupted)??
        };
        // The parser's own error could quote a plaintext.
        serde_json::from_slice(answer.expose()).map_err(|_| ClientError::Form { service: "KMS" }.into())
    }

    /// Has the runtime make a call, for a thread that has none.
    fn call_elsewhere(
        &self,
        target: String,
        body: SecretBytes,
    ) -> Result<JoinHandle<Result<SecretBytes, ClientError>>, ClientError> {
        let (session, region, endpoint) = (Arc::clone(&self.session), self.region.clone(), self.endpoint()?);
        Ok(self.runtime.spawn(async move { session.call_json(KMS, &region, endpoint, &target, body).await }))
    }
}

impl KmsClient for Kms {
    fn generate_data_key<'a>(
        &'a self,
        request: GenerateDataKey<'a>,
    ) -> Pending<'a, Result<GeneratedDataKey, KmsError>> {
        Box::pin(async move {
            let output = self.call("GenerateDataKey", &data_key_input(&request)).await?;
            Ok(GeneratedDataKey {
                plaintext: secret(form(output.plaintext)?),
                ciphertext: form(output.ciphertext_blob)?.0,
                key_id: form(output.key_id)?,
            })
        })
    }

    fn generate_data_key_without_plaintext<'a>(
        &'a self,
        request: GenerateDataKey<'a>,
    ) -> Pending<'a, Result<Encrypted, KmsError>> {
        Box::pin(
            async move { encrypted(self.call("GenerateDataKeyWithoutPlaintext", &data_key_input(&request)).await?) },
        )
    }

    fn encrypt<'a>(&'a self, request: Encrypt<'a>) -> Pending<'a, Result<Encrypted, KmsError>> {
        Box::pin(async move {
            let input = Input {
                key_id: Some(request.key_id),
                plaintext: Some(SecretBlob(request.plaintext.to_vec().into())),
                encryption_context: entries(request.context),
                grant_tokens: request.grant_tokens,
                ..Input::default()
            };
            encrypted(self.call("Encrypt", &input).await?)
        })
    }

    fn decrypt<'a>(&'a self, request: Decrypt<'a>) -> Pending<'a, Result<Decrypted, KmsError>> {
        Box::pin(async move {
            let input = Input {
                key_id: Some(request.key_id),
                ciphertext_blob: Some(Blob(request.ciphertext.to_vec())),
                encryption_algorithm: request.algorithm,
                encryption_context: entries(request.context),
                grant_tokens: request.grant_tokens,
                ..Input::default()
            };
            let output = self.call("Decrypt", &input).await?;
            Ok(Decrypted { plaintext: secret(form(output.plaintext)?), key_id: form(output.key_id)? })
        })
    }

    fn re_encrypt<'a>(&'a self, request: ReEncrypt<'a>) -> Pending<'a, Result<Encrypted, KmsError>> {
        Box::pin(async move {
            let input = Input {
                ciphertext_blob: Some(Blob(request.ciphertext.to_vec())),
                source_key_id: Some(request.key_id),
                source_encryption_context: entries(request.from),
                destination_key_id: Some(request.key_id),
                destination_encryption_context: entries(request.to),
                grant_tokens: request.grant_tokens,
                ..Input::default()
            };
            encrypted(self.call("ReEncrypt", &input).await?)
        })
    }

    fn derive_shared_secret<'a>(
        &'a self,
        request: DeriveSharedSecret<'a>,
    ) -> Pending<'a, Result<SecretBytes, KmsError>> {
        Box::pin(async move {
            let input = Input {
                key_id: Some(request.key_id),
                key_agreement_algorithm: Some("ECDH"),
                public_key: Some(Blob(request.public_key.to_vec())),
                grant_tokens: request.grant_tokens,
                ..Input::default()
            };
            Ok(secret(form(self.call("DeriveSharedSecret", &input).await?.shared_secret)?))
        })
    }

    fn get_public_key<'a>(&'a self, request: GetPublicKey<'a>) -> Pending<'a, Result<Vec<u8>, KmsError>> {
        Box::pin(async move {
            let input = Input { key_id: Some(request.key_id), grant_tokens: request.grant_tokens, ..Input::default() };
            Ok(form(self.call("GetPublicKey", &input).await?.public_key)?.0)
        })
    }
}

fn data_key_input<'a>(request: &GenerateDataKey<'a>) -> Input<'a> {
    Input {
        key_id: Some(request.key_id),
        number_of_bytes: Some(request.bytes),
        encryption_context: entries(request.context),
        grant_tokens: request.grant_tokens,
        ..Input::default()
    }
}

fn encrypted(output: Output) -> Result<Encrypted, KmsError> {
    Ok(Encrypted { ciphertext: form(output.ciphertext_blob)?.0, key_id: form(output.key_id)? })
}

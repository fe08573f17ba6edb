//! Moving a ciphertext to another key or encryption context, without the plaintext leaving the server.

use std::future::Future;

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit, Resource as _};
use wire::Blob;

use crate::Kms;
use crate::access::{self, Found, end_dry_run};
use crate::cryptography::decrypt::{CiphertextRef, ignores_ciphertext};
use crate::error::KmsError;
use crate::record::{
    DryRunModifier, EncryptionAlgorithm, EncryptionContext, Forms, GrantOperation, GrantUse, check_use,
};
use crate::rules::{CIPHERTEXT, EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID};

wire::shape! {
    pub(crate) struct ReEncryptInput {
        "CiphertextBlob" ciphertext_blob: Blob, optional, [CIPHERTEXT];
        "SourceEncryptionContext" source_encryption_context: EncryptionContext, default, [];
        "SourceKeyId" source_key_id: String, optional, [KEY_ID];
        "DestinationKeyId" destination_key_id: String, required, [KEY_ID];
        "DestinationEncryptionContext" destination_encryption_context: EncryptionContext, default, [];
        "SourceEncryptionAlgorithm" source_encryption_algorithm: EncryptionAlgorithm, optional, [];
        "DestinationEncryptionAlgorithm" destination_encryption_algorithm: EncryptionAlgorithm, optional, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
        "DryRunModifiers" dry_run_modifiers: Vec<DryRunModifier>, default, [];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReEncryptOutput {
    pub(super) ciphertext_blob: Blob,
    source_key_id: String,
    pub(super) key_id: String,
    source_encryption_algorithm: EncryptionAlgorithm,
    destination_encryption_algorithm: EncryptionAlgorithm,
    source_key_material_id: Option<String>,
    destination_key_material_id: Option<String>,
}

/// Both keys, each as far as it was found: a caller who lacks one permission must not learn about the other key.
pub(crate) struct Keys {
    from: Result<Found, KmsError>,
    to: Result<Found, KmsError>,
}

impl ReEncryptInput {
    fn source(&self) -> CiphertextRef<'_> {
        CiphertextRef {
            blob: self.ciphertext_blob.as_ref(),
            key_id: self.source_key_id.as_deref(),
            algorithm: self.source_algorithm(),
        }
    }

    fn source_algorithm(&self) -> EncryptionAlgorithm {
        self.source_encryption_algorithm.unwrap_or(EncryptionAlgorithm::SymmetricDefault)
    }

    fn destination_algorithm(&self) -> EncryptionAlgorithm {
        self.destination_encryption_algorithm.unwrap_or(EncryptionAlgorithm::SymmetricDefault)
    }

    fn need_from<'n>(&'n self, from: &'n Found, same: bool, call: &'n Call<'_, Kms>) -> Need<'n> {
        let context = &self.source_encryption_context;
        let need = from.need_of(FROM, Some(&GrantUse::Crypto(GrantOperation::ReEncryptFrom, context)), call);
        access::describe_encryption(need, self.source_algorithm(), context).with("kms:ReEncryptOnSameKey", same)
    }

    fn need_to<'n>(&'n self, to: &'n Found, same: bool, call: &'n Call<'_, Kms>) -> Need<'n> {
        let context = &self.destination_encryption_context;
        let need = to.need_of(TO, Some(&GrantUse::Crypto(GrantOperation::ReEncryptTo, context)), call);
        access::describe_encryption(need, self.destination_algorithm(), context).with("kms:ReEncryptOnSameKey", same)
    }
}

impl Keys {
    /// Whether both are one key.
    fn same(&self) -> bool {
        matches!((&self.from, &self.to), (Ok(from), Ok(to)) if from.key.arn == to.key.arn)
    }
}

const FROM: &str = "kms:ReEncryptFrom";
const TO: &str = "kms:ReEncryptTo";

/// Decrypts and encrypts in one call, authorised for each.
///
/// Source: AWS KMS API Reference, ReEncrypt.
pub(crate) struct ReEncrypt;

impl Operation for ReEncrypt {
    type Service = Kms;
    const NAME: &'static str = "ReEncrypt";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = ReEncryptInput;
    type Output = ReEncryptOutput;
    type Target = Keys;

    async fn find(input: &ReEncryptInput, call: &Call<'_, Kms>) -> Result<Keys, KmsError> {
        let from = input.source().find(FROM, &input.grant_tokens, call).await;
        let to = match &from {
            Ok(from) if from.is_named(&input.destination_key_id, call) => Ok(from.clone()),
            _ => Found::named(&input.destination_key_id, Forms::KeyOrAlias, &input.grant_tokens, call).await,
        };
        let mut keys = Keys { from, to };
        let same = keys.same();
        if let Ok(from) = &keys.from
            && let Err(hidden) = from.unless_concealed(|from| input.need_from(from, same, call), call).await
        {
            keys.from = Err(hidden);
        }
        if let Ok(to) = &keys.to
            && let Err(hidden) = to.unless_concealed(|to| input.need_to(to, same, call), call).await
        {
            keys.to = Err(hidden);
        }
        Ok(keys)
    }

    fn needs<'n>(input: &'n ReEncryptInput, found: Option<&'n Keys>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        let same = found.is_some_and(Keys::same);
        let mut needs = Vec::with_capacity(2);
        match found.map(|keys| &keys.from) {
            Some(Ok(from)) => needs.push(input.need_from(from, same, call)),
            _ => needs.extend(input.source().need_of_missing(FROM, call)),
        }
        match found.map(|keys| &keys.to) {
            Some(Ok(to)) => needs.push(input.need_to(to, same, call)),
            _ => needs.extend(access::need_of_unnamed(&input.destination_key_id, Forms::KeyOrAlias, TO, call)),
        }
        needs
    }

    fn run(
        input: ReEncryptInput,
        target: Permit<Keys>,
        call: &Call<'_, Kms>,
    ) -> impl Future<Output = Result<ReEncryptOutput, KmsError>> + Send {
        async move {
            let Keys { from, to } = target.into_inner();
            let (mut from, mut to) = (from?, to?);
            from.ready(Self::NAME, call)?;
            to.ready(Self::NAME, call)?;
            from.make(call).await?;
            to.make(call).await?;
            let (from_algorithm, to_algorithm) = (input.source_algorithm(), input.destination_algorithm());
            check_use(&from.key, from_algorithm, Self::NAME)?;
            check_use(&to.key, to_algorithm, Self::NAME)?;
            if ignores_ciphertext(input.dry_run, &input.dry_run_modifiers, input.source_key_id.as_deref())? {
                return Err(KmsError::DryRun);
            }
            let kms = &**call.service;
            let (from_context, to_context) = (&input.source_encryption_context, &input.destination_encryption_context);
            let (plaintext, source_key_material_id) =
                input.source().open(&from.key, from_context, Self::NAME, call).await?;
            let (ciphertext_blob, destination_key_material_id) =
                kms.encrypt(&to.key, to_algorithm, to_context, &plaintext.0, Self::NAME, call).await?;
            end_dry_run(input.dry_run)?;
            from.end(Self::NAME, call);
            to.end(Self::NAME, call);
            Ok(ReEncryptOutput {
                ciphertext_blob,
                source_key_id: from.key.arn.clone(),
                key_id: to.key.arn.clone(),
                source_encryption_algorithm: from_algorithm,
                destination_encryption_algorithm: to_algorithm,
                source_key_material_id,
                destination_key_material_id,
            })
        }
    }
}

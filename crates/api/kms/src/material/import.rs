//! `ImportKeyMaterial`: takes in material that was made elsewhere, for the first time or again.

use std::sync::Arc;

use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::shape::Rule;
use wire::{Blob, Timestamp};

use crate::Kms;
use crate::access::{Found, KeyMaterialOutput, KeyRef};
use crate::domain_key::NewMaterial;
use crate::error::KmsError;
use crate::material::family::{Domains, Family};
use crate::material::import_token;
use crate::record::{ExpirationModel, Import, Job, KeySpec, MaterialId, MaterialRecord, schedule};
use crate::rules::{KEY_ID, MATERIAL_ID_LENGTH, MATERIAL_ID_PATTERN};

/// How far in the future material can expire.
const VALID_DAYS_MAX: i64 = 365;

/// Of a token, and of what comes with it.
const WRAPPED: Rule = Rule::Length(1, 6144);

wire::text_enum! {
    /// Whether the key knows the material already.
    pub(crate) enum ImportType {
        New = "NEW_KEY_MATERIAL",
        Existing = "EXISTING_KEY_MATERIAL",
    }
}

wire::shape! {
    pub(crate) struct ImportKeyMaterialInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "ImportToken" import_token: Blob, required, [WRAPPED];
        "EncryptedKeyMaterial" encrypted_key_material: Blob, required, [WRAPPED];
        "ValidTo" valid_to: Timestamp, optional, [];
        "ExpirationModel" expiration_model: ExpirationModel, optional, [];
        "ImportType" import_type: ImportType, optional, [];
        "KeyMaterialDescription" description: String, optional,
            [Rule::Length(0, 256), Rule::Pattern(r"^[a-zA-Z0-9:/_\s.-]*$")];
        "KeyMaterialId" key_material_id: String, optional, [MATERIAL_ID_LENGTH, MATERIAL_ID_PATTERN];
    }
}

/// Imports material into a key that was made without any, or imports the same again.
///
/// Source: AWS KMS API Reference, ImportKeyMaterial.
pub(crate) struct ImportKeyMaterial;

impl ImportKeyMaterialInput {
    /// When the material is to expire, if it is.
    ///
    /// # Errors
    /// [`KmsError::Validation`] when the members contradict each other.
    fn expiry(&self, now: Timestamp) -> Result<Option<Timestamp>, KmsError> {
        let invalid = |message: &str| Err(KmsError::Validation(message.to_owned()));
        match (self.expiration_model.unwrap_or(ExpirationModel::Expires), self.valid_to) {
            (ExpirationModel::Expires, None) => {
                invalid("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
            }
            (ExpirationModel::DoesNotExpire, Some(_)) => {
                invalid("A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE")
            }
            (ExpirationModel::DoesNotExpire, None) => Ok(None),
            (ExpirationModel::Expires, Some(at)) if at <= now => invalid("The validTo date must be in the future"),
            (ExpirationModel::Expires, Some(at)) if at > now.plus_days(VALID_DAYS_MAX) => {
                invalid("The validTo date must be no more than 365 days in the future")
            }
            (ExpirationModel::Expires, at) => Ok(at),
        }
    }

    /// Refuses what is said of the material of a key that has only one, and what contradicts itself.
    ///
    /// # Errors
    /// [`KmsError::Unsupported`], [`KmsError::Validation`].
    fn check(&self, spec: KeySpec) -> Result<(), KmsError> {
        let members = [
            ("ImportType", self.import_type.is_some()),
            ("KeyMaterialDescription", self.description.is_some()),
            ("KeyMaterialId", self.key_material_id.is_some()),
        ];
        match members.iter().find(|(_, given)| *given && spec != KeySpec::SymmetricDefault) {
            Some((member, _)) => {
                Err(KmsError::Unsupported(format!("{member} is only supported for symmetric encryption KMS keys.")))
            }
            None if self.import_type == Some(ImportType::New) && self.key_material_id.is_some() => {
                let message = "A KeyMaterialId cannot be specified if the ImportType is NEW_KEY_MATERIAL";
                Err(KmsError::Validation(message.to_owned()))
            }
            None => Ok(()),
        }
    }
}

impl ResourceOperation for ImportKeyMaterial {
    type On = Found;
    const NAME: &'static str = "ImportKeyMaterial";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ImportKeyMaterialInput;
    type Output = KeyMaterialOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, mut need: Need<'n>) -> Need<'n> {
        if let Some(model) = input.expiration_model {
            need = need.with("kms:ExpirationModel", model.as_str());
        }
        match input.valid_to {
            // Whole seconds, which policies compare as a number and as a date.
            Some(at) => need.with("kms:ValidTo", (at.millis() + 999).div_euclid(1000)),
            None => need,
        }
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (kms, key, now) = (&**call.service, &found.key, call.now);
        let spec = key.record.spec;
        input.check(spec)?;
        let valid_to = input.expiry(now)?;
        let tokens = kms.token_key(call.region).await?;
        let (token, wrapped) = (input.import_token, input.encrypted_key_material);
        let key_arn = key.arn.clone();
        // RSA takes milliseconds, during which others are served.
        let opening = kms.slow_key_use.run(move || {
            let token = import_token::open(&tokens, &key_arn, &token.0, now)?;
            let secret = token.algorithm.unwrap(&token.key, &wrapped.0).map_err(KmsError::InvalidWrapping)?;
            NewMaterial::read(spec, secret.expose()).ok_or_else(|| {
                KmsError::IncorrectKeyMaterial(format!("The key material is not valid for key spec {spec}."))
            })
        });
        let material = opening.await?;
        let id = material.id(&key.record.id);
        if input.key_material_id.as_ref().is_some_and(|expected| *expected != id.to_string()) {
            let message = "The key material is not the one that the KeyMaterialId identifies.";
            return Err(KmsError::IncorrectKeyMaterial(message.to_owned()));
        }
        let (material, import_type) = (Arc::new(material), input.import_type);
        let import = Import { description: input.description, valid_to };
        let change = move |family: &mut Family, domains: &Domains, tx: &mut Tx<'_>| {
            let (domain, arn) = (domains.of(&family.key.region)?, family.key.arn());
            let record = MaterialRecord {
                import: Some(import.clone()),
                ..material.wrap(domain, &arn, &family.key.id, now, None)
            };
            family.key.remove_expired(now);
            match import_type {
                Some(ImportType::New) => add(family, record)?,
                None if family.key.materials.is_empty() => add(family, record)?,
                Some(ImportType::Existing) | None => replace(family, record)?,
            }
            family.key.settle();
            Ok(schedule::add(tx, Job::Expiry, &family.key, family.key.next_expiry())?)
        };
        kms.change_family(call, Self::NAME, &key.record, &[], change).await?;
        Ok(KeyMaterialOutput {
            key_id: key.arn.clone(),
            key_material_id: (spec == KeySpec::SymmetricDefault).then(|| id.to_string()),
        })
    }
}

/// Adds material that the key has not had: its first, or one that waits for a rotation. Relatives learn of it, and wait
/// for it to be imported there.
fn add(family: &mut Family, material: MaterialRecord) -> Result<(), KmsError> {
    let key = &family.key;
    if !key.leads() {
        return Err(KmsError::Unsupported(format!(
            "{} is a multi-Region replica key. New key material is imported into the primary key first.",
            key.arn()
        )));
    }
    if key.materials.iter().any(|known| known.id == material.id) {
        return Err(KmsError::IncorrectKeyMaterial(
            "The key material is already associated with the KMS key. Expected new key material.".to_owned(),
        ));
    }
    if key.pending.is_some() {
        return Err(KmsError::InvalidState { arn: key.arn(), is: "pending rotation of imported key material" });
    }
    for other in &mut family.others {
        take_in(other, material.without_material());
    }
    take_in(&mut family.key, material);
    Ok(())
}

fn take_in(key: &mut crate::record::KeyRecord, material: MaterialRecord) {
    if key.materials.is_empty() {
        key.take_up(material);
    } else {
        key.pending = Some(material.id);
        key.materials.push(material);
    }
}

/// Imports material again that the key has had, or that its primary key has.
fn replace(family: &mut Family, material: MaterialRecord) -> Result<(), KmsError> {
    let id: MaterialId = material.id;
    let known = family.key.material_mut(id).ok_or_else(|| {
        let message = "The key material is not the one that was imported into the KMS key before.";
        KmsError::IncorrectKeyMaterial(message.to_owned())
    })?;
    let described = material.import.map(|import| {
        let description = import.description.or_else(|| known.import.take().and_then(|known| known.description));
        Import { description, ..import }
    });
    (known.wrapped, known.public, known.import) = (material.wrapped, material.public, described);
    Ok(())
}

//! Aliases: names for keys that can be pointed at another key. They convey no rights to the key.

mod list;

use service::{AuditClass, Call, Need, Operation, Permit};
use store::Tx;

pub(crate) use list::ListAliases;

use crate::Kms;
use crate::access::{self, Found, managed};
use crate::error::KmsError;
use crate::record::{ALIAS_PREFIX, AliasRecord, Forms, KeyRecord, Reference, Target, alias_arn, domain};
use crate::rules::{KEY_ID, NAME_LENGTH, NAME_PATTERN};

/// How many aliases a key can have.
const ALIASES_MAX: usize = 50;

/// Checks what the pattern of alias names does not cover.
///
/// # Errors
/// [`KmsError::Validation`].
pub(crate) fn check_name(name: &str) -> Result<(), KmsError> {
    match name.strip_prefix(ALIAS_PREFIX) {
        None => Err(KmsError::Validation(
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
                .to_owned(),
        )),
        Some(rest) if rest.is_empty() || rest.contains(':') => {
            Err(KmsError::Validation(format!("{name} contains invalid characters for an alias")))
        }
        Some(_) => Ok(()),
    }
}

/// The need of `action` on an alias of the caller's, which identity policies decide: aliases have no policy.
fn need_on_alias(action: &'static str, name: &str, call: &Call<'_, Kms>) -> Need<'static> {
    Need::identity(action, alias_arn(call.region, call.account(), name))
        .with("kms:CallerAccount", call.account().to_owned())
}

/// The key that an alias is to name: of the caller's own account, and no alias itself.
async fn target_key(reference: &str, call: &Call<'_, Kms>) -> Result<Found, KmsError> {
    let any = Reference::parse(reference, call.region, call.account(), Forms::KeyOrAlias)?;
    if matches!(any.target, Target::Alias(_)) {
        return Err(KmsError::Validation("Aliases must refer to keys. Not aliases".to_owned()));
    }
    Found::named(reference, Forms::OwnKey, &[], call).await
}

/// Needs of `action` on an alias and a key that was not found.
fn needs_of_missing(action: &'static str, name: &str, reference: &str, call: &Call<'_, Kms>) -> Vec<Need<'static>> {
    if check_name(name).is_err() {
        return Vec::new();
    }
    match access::need_of_unnamed(reference, Forms::OwnKey, action, call) {
        Some(need) => vec![need_on_alias(action, name, call), need],
        None => Vec::new(),
    }
}

wire::shape! {
    /// The input of `CreateAlias` and `UpdateAlias`.
    pub(crate) struct AliasInput {
        "AliasName" alias_name: String, required, [NAME_LENGTH, NAME_PATTERN];
        "TargetKeyId" target_key_id: String, required, [KEY_ID];
    }
}

/// Creates an alias of a key.
pub(crate) struct CreateAlias;

impl Operation for CreateAlias {
    type Service = Kms;
    const NAME: &'static str = "CreateAlias";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AliasInput;
    type Output = ();
    type Target = Found;

    async fn find(input: &AliasInput, call: &Call<'_, Kms>) -> Result<Found, KmsError> {
        check_name(&input.alias_name)?;
        target_key(&input.target_key_id, call).await
    }

    fn needs<'n>(input: &'n AliasInput, found: Option<&'n Found>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        let (action, name) = ("kms:CreateAlias", input.alias_name.as_str());
        match found {
            Some(found) => vec![need_on_alias(action, name, call), found.need_of(action, None, call)],
            None => needs_of_missing(action, name, &input.target_key_id, call),
        }
    }

    async fn run(input: AliasInput, target: Permit<Found>, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let AliasInput { alias_name: name, .. } = input;
        if managed::is_reserved(&name) {
            let message = format!("Alias names that begin with {} are reserved", managed::RESERVED_PREFIX);
            return Err(KmsError::InvalidAliasName(message));
        }
        target.ready(Self::NAME, call)?;
        let (now, arn) = (call.now, alias_arn(call.region, call.account(), &name));
        let change = move |record: &mut KeyRecord, tx: &mut Tx<'_>| {
            let domain = record.domain();
            if tx.get::<AliasRecord>(&domain, &name)?.is_some() {
                return Err(KmsError::AliasExists { arn });
            }
            take_alias(record, &name)?;
            Ok(tx.insert(&domain, &name, &AliasRecord::new(&name, &record.id, now))?)
        };
        call.service.change(call, Self::NAME, &target.key, change).await
    }
}

fn take_alias(record: &mut KeyRecord, name: &str) -> Result<(), KmsError> {
    if record.aliases.len() >= ALIASES_MAX && !record.aliases.contains(name) {
        let (most, usage) = (ALIASES_MAX as u64, record.aliases.len() as u64);
        return Err(KmsError::QuotaExceeded { quota: "Aliases per key", most, usage });
    }
    record.aliases.insert(name.to_owned());
    Ok(())
}

/// An alias, and the key that it names.
pub(crate) struct Named {
    alias: AliasRecord,
    /// Missing only where a key was taken out of the store by other means.
    key: Option<Found>,
}

impl Named {
    async fn find(name: &str, call: &Call<'_, Kms>) -> Result<Self, KmsError> {
        check_name(name)?;
        let alias = call.service.aliases.get(&domain(call.account(), call.region), name).await?;
        let missing = || KmsError::AliasNotFound { arn: alias_arn(call.region, call.account(), name) };
        let alias = AliasRecord::clone(&*alias.ok_or_else(missing)?);
        let key = match Found::of_key(call.account(), &alias.key_id, None, &[], call).await {
            Ok(found) => Some(found),
            Err(KmsError::KeyNotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Self { alias, key })
    }

    fn needs<'n>(&'n self, action: &'static str, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        let key = self.key.as_ref().map(|found| found.need_of(action, None, call));
        [Some(need_on_alias(action, &self.alias.name, call)), key].into_iter().flatten().collect()
    }
}

/// Takes an alias off its key's record, if the key is still there.
fn drop_alias(tx: &mut Tx<'_>, domain: &str, alias: &AliasRecord) -> Result<(), KmsError> {
    if let Some(mut record) = tx.get::<KeyRecord>(domain, &alias.key_id)? {
        record.aliases.remove(&alias.name);
        tx.put(domain, &alias.key_id, &record)?;
    }
    Ok(())
}

wire::shape! {
    pub(crate) struct DeleteAliasInput {
        "AliasName" alias_name: String, required, [NAME_LENGTH, NAME_PATTERN];
    }
}

/// Removes an alias. The key stays.
pub(crate) struct DeleteAlias;

impl Operation for DeleteAlias {
    type Service = Kms;
    const NAME: &'static str = "DeleteAlias";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteAliasInput;
    type Output = ();
    type Target = Named;

    async fn find(input: &DeleteAliasInput, call: &Call<'_, Kms>) -> Result<Named, KmsError> {
        Named::find(&input.alias_name, call).await
    }

    fn needs<'n>(input: &'n DeleteAliasInput, found: Option<&'n Named>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        let action = "kms:DeleteAlias";
        match found {
            Some(named) => named.needs(action, call),
            None if check_name(&input.alias_name).is_err() => Vec::new(),
            None => vec![need_on_alias(action, &input.alias_name, call)],
        }
    }

    async fn run(input: DeleteAliasInput, target: Permit<Named>, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        if let Some(key) = &target.key {
            key.ready(Self::NAME, call)?;
        }
        let (name, domain) = (input.alias_name, domain(call.account(), call.region));
        let permitted = target.alias.key_id.clone();
        let arn = alias_arn(call.region, call.account(), &name);
        call.write(&call.service.store, move |tx| {
            let alias = tx.get::<AliasRecord>(&domain, &name)?;
            // Pointed at another key meanwhile, it is not the alias that the caller was permitted to delete.
            let alias = alias.filter(|alias| alias.key_id == permitted);
            let alias = alias.ok_or(KmsError::AliasNotFound { arn })?;
            drop_alias(tx, &domain, &alias)?;
            tx.delete::<AliasRecord>(&domain, &name)?;
            Ok(())
        })
        .await
    }
}

/// Changes the key of an alias.
pub(crate) struct UpdateAlias;

/// An alias, and the key that it is to name, as far as there is one.
pub(crate) struct Redirection {
    named: Named,
    to: Result<Found, KmsError>,
}

impl Operation for UpdateAlias {
    type Service = Kms;
    const NAME: &'static str = "UpdateAlias";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AliasInput;
    type Output = ();
    type Target = Redirection;

    async fn find(input: &AliasInput, call: &Call<'_, Kms>) -> Result<Redirection, KmsError> {
        let named = Named::find(&input.alias_name, call).await?;
        Ok(Redirection { named, to: target_key(&input.target_key_id, call).await })
    }

    fn needs<'n>(input: &'n AliasInput, found: Option<&'n Redirection>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        let action = "kms:UpdateAlias";
        let Some(Redirection { named, to }) = found else {
            return needs_of_missing(action, &input.alias_name, &input.target_key_id, call);
        };
        let mut needs = named.needs(action, call);
        match to {
            Ok(to) => needs.push(to.need_of(action, None, call)),
            Err(_) => needs.extend(access::need_of_unnamed(&input.target_key_id, Forms::OwnKey, action, call)),
        }
        needs
    }

    async fn run(input: AliasInput, target: Permit<Redirection>, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let Redirection { named, to } = target.into_inner();
        let to = to?;
        to.ready(Self::NAME, call)?;
        let (name, now, permitted) = (input.alias_name, call.now, named.alias.key_id);
        let arn = alias_arn(call.region, call.account(), &name);
        let change = move |record: &mut KeyRecord, tx: &mut Tx<'_>| {
            let domain = record.domain();
            let alias = tx.get::<AliasRecord>(&domain, &name)?.filter(|alias| alias.key_id == permitted);
            let alias = alias.ok_or(KmsError::AliasNotFound { arn })?;
            if alias.key_id != record.id {
                drop_alias(tx, &domain, &alias)?;
                take_alias(record, &name)?;
            }
            let alias = AliasRecord { key_id: record.id.clone(), updated: now, ..alias };
            Ok(tx.put(&domain, &name, &alias)?)
        };
        call.service.change(call, Self::NAME, &to.key, change).await
    }
}

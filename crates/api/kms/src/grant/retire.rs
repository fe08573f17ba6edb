//! Ending grants: retiring by those whom a grant names, revoking by those who manage the key.

use service::{AuditClass, Call, Need, Operation, Permit, ResourceOperation, ResourcePolicy};
use store::Tx;

use crate::Kms;
use crate::access::grant_token::GrantName;
use crate::access::{self, Found, KeyRef, end_dry_run};
use crate::error::KmsError;
use crate::grant::list::check_grant_id;
use crate::record::{Forms, GrantOperation, GrantRecord, KeyRecord, Reference, Standing, Target, key_arn};
use crate::rules::{GRANT_ID, GRANT_TOKEN, KEY_ID};

impl Kms {
    /// A key's grant.
    async fn grant(&self, path: String, id: &str) -> Result<GrantRecord, KmsError> {
        let (id, missing) = (id.to_owned(), KmsError::GrantNotFound { id: id.to_owned() });
        let grant = self.store.read(move |tx| tx.get::<GrantRecord>(&path, &id)).await.map_err(KmsError::from)?;
        grant.ok_or(missing)
    }
}

/// Removes a grant, in the transaction that changes its key.
fn end(grant: &GrantRecord, key: &mut KeyRecord, tx: &mut Tx<'_>) -> Result<(), KmsError> {
    if !grant.remove(tx)? {
        return Err(KmsError::GrantNotFound { id: grant.id.clone() });
    }
    key.grants = key.grants.saturating_sub(1);
    Ok(())
}

wire::shape! {
    pub(crate) struct RevokeGrantInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "GrantId" grant_id: String, required, [GRANT_ID];
        "DryRun" dry_run: bool, default, [];
    }
}

/// Ends any grant of a key.
pub(crate) struct RevokeGrant;

impl ResourceOperation for RevokeGrant {
    type On = Found;
    const NAME: &'static str = "RevokeGrant";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = RevokeGrantInput;
    type Output = ();

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::any(&input.key_id)
    }

    fn refine<'n>(_: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:GrantIsForAWSResource", false)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        check_grant_id(&input.grant_id)?;
        let grant = call.service.grant(found.key.record.path(), &input.grant_id).await?;
        end_dry_run(input.dry_run)?;
        let change = move |record: &mut KeyRecord, tx: &mut Tx<'_>| end(&grant, record, tx);
        call.service.change(call, <Self as ResourceOperation>::NAME, &found.key, change).await
    }
}

wire::shape! {
    pub(crate) struct RetireGrantInput {
        "GrantToken" grant_token: String, optional, [GRANT_TOKEN];
        "KeyId" key_id: String, optional, [KEY_ID];
        "GrantId" grant_id: String, optional, [GRANT_ID];
        "DryRun" dry_run: bool, default, [];
    }
}

/// A grant and its key.
pub(crate) struct Retirable {
    found: Found,
    grant: GrantRecord,
}

/// Ends a grant, on the strength of the grant itself.
///
/// Source: AWS KMS Developer Guide, "Retiring and revoking grants".
pub(crate) struct RetireGrant;

const ACTION: &str = "kms:RetireGrant";

impl RetireGrantInput {
    async fn name(&self, call: &Call<'_, Kms>) -> Result<GrantName, KmsError> {
        match (&self.grant_token, &self.key_id, &self.grant_id) {
            (Some(token), None, None) => call.service.named_grant(call.region, token).await,
            (None, Some(key_id), Some(grant_id)) => {
                let Reference { account, target } = Reference::parse(key_id, call.region, call.account(), Forms::Key)?;
                let (Target::Key(id) | Target::Alias(id)) = target;
                check_grant_id(grant_id)?;
                let (account, key_id) = (account.to_owned(), id.to_owned());
                Ok(GrantName { account, key_id, grant_id: grant_id.clone() })
            }
            _ => Err(KmsError::Validation("Specify either a grant token, or a key and a grant ID.".to_owned())),
        }
    }
}

impl Operation for RetireGrant {
    type Service = Kms;
    const NAME: &'static str = "RetireGrant";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = RetireGrantInput;
    type Output = ();
    type Target = Retirable;

    async fn find(input: &RetireGrantInput, call: &Call<'_, Kms>) -> Result<Retirable, KmsError> {
        let GrantName { account, key_id, grant_id } = input.name(call).await?;
        let found = Found::of_key(&account, &key_id, None, &[], call).await?;
        let grant = call.service.grant(found.key.record.path(), &grant_id).await?;
        Ok(Retirable { found, grant })
    }

    fn needs<'n>(input: &'n RetireGrantInput, target: Option<&'n Retirable>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        match (target, &input.key_id) {
            (Some(Retirable { found, grant }), _) => {
                let mut need = found.need_of(ACTION, None, call);
                need.guard = guard(found, grant, call);
                vec![access::describe_context(need, &constrained(grant)).into_owned()]
            }
            (None, Some(key_id)) => match Reference::parse(key_id, call.region, call.account(), Forms::Key) {
                Ok(Reference { account, target: Target::Key(id) }) => {
                    vec![access::need_of_missing(key_arn(call.region, account, id), account, ACTION, call)]
                }
                _ => Vec::new(),
            },
            // A token that opens is known to name a grant, or to have named one.
            (None, None) => Vec::new(),
        }
    }

    async fn run(input: RetireGrantInput, target: Permit<Retirable>, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let Retirable { found, grant } = target.into_inner();
        found.ready(<Self as Operation>::NAME, call)?;
        end_dry_run(input.dry_run)?;
        let change = move |record: &mut KeyRecord, tx: &mut Tx<'_>| end(&grant, record, tx);
        call.service.change(call, <Self as Operation>::NAME, &found.key, change).await
    }
}

/// The encryption context that a grant demands.
fn constrained(grant: &GrantRecord) -> crate::record::context::EncryptionContext {
    let constraints = &grant.constraints;
    let contexts = [&constraints.encryption_context_subset, &constraints.encryption_context_equals];
    contexts.into_iter().flatten().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Who may retire a grant: its retiring principal, its grantee if it includes `RetireGrant`, and whom the accounts of
/// the key, of the issuer and of an account that is to retire it let. The key policy only denies.
fn guard(found: &Found, grant: &GrantRecord, call: &Call<'_, Kms>) -> ResourcePolicy {
    let caller = &call.caller.principal;
    let grantee = grant.operations.contains(&GrantOperation::RetireGrant).then_some(&grant.grantee);
    let entitled = [grant.retiring.as_ref(), grantee];
    let standings: Vec<_> = entitled.into_iter().flatten().filter_map(|party| party.standing(caller)).collect();
    let key = &found.key;
    let policy = |accounts: &[&str]| key.record.policy.delegating(accounts, ACTION, false, &key.arn);
    if standings.contains(&Standing::Principal) {
        return ResourcePolicy::Granted(policy(&[]));
    }
    if standings.contains(&Standing::Session) {
        return ResourcePolicy::GrantedToSession(policy(&[]));
    }
    let accounts = entitled.into_iter().flatten().filter_map(|party| party.account());
    let accounts: Vec<_> = accounts.chain([grant.account.as_str(), grant.issuing_account.as_str()]).collect();
    ResourcePolicy::Mandatory(policy(&accounts))
}

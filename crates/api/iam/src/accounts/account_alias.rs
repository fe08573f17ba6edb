//! Account aliases: a name for an account, unique on the server, of which an account has one at most.

use serde::{Deserialize, Serialize};
use service::{Account, AuditClass, Call, Permit, ResourceOperation};
use store::{Record, StoreError};
use wire::shape::Rule;

use crate::Iam;
use crate::values::error::{IamError, Result};
use crate::values::page::{self, Item, Page};

/// The rule of an alias's length.
const LENGTH: Rule = Rule::Length(3, 63);

/// An alias as it is stored: under no parent by the alias, and under the account.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccountAlias {
    alias: String,
    account: String,
}

impl Record for AccountAlias {
    const COLLECTION: &'static str = "iam.account-alias";
}

/// The parent of all aliases.
const ALL: &str = "";

/// Lower-case letters, digits and single hyphens between them. The engine that checks the other patterns knows no
/// look-ahead, with which AWS writes this rule.
fn check(alias: &str) -> Result<()> {
    let letters = alias.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if letters && !alias.starts_with('-') && !alias.ends_with('-') && !alias.contains("--") {
        return Ok(());
    }
    Err(IamError::Validation(
        "1 validation error detected: Value at 'accountAlias' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$"
            .to_owned(),
    ))
}

wire::shape! {
    /// The input of `CreateAccountAlias` and `DeleteAccountAlias`.
    pub struct AccountAliasInput {
        "AccountAlias" alias: String, required, [LENGTH];
    }
}

pub(crate) struct CreateAccountAlias;

impl ResourceOperation for CreateAccountAlias {
    type On = Account<Iam>;
    const NAME: &'static str = "CreateAccountAlias";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AccountAliasInput;
    type Output = ();

    fn key(_: &Self::Input) {}

    fn check(input: &Self::Input) -> Result<()> {
        check(&input.alias)
    }

    /// Takes the place of the alias that the account has.
    async fn run(input: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<()> {
        let new = AccountAlias { alias: input.alias, account: call.account().to_owned() };
        call.write(&call.service.store, move |tx| {
            match tx.insert(ALL, &new.alias, &new) {
                Ok(()) => {}
                Err(StoreError::Exists { .. }) => {
                    return Err(IamError::Taken(format!("The account alias {} already exists.", new.alias)));
                }
                Err(error) => return Err(error.into()),
            }
            for old in tx.all::<AccountAlias>(&new.account)? {
                tx.delete::<AccountAlias>(ALL, &old.alias)?;
                tx.delete::<AccountAlias>(&new.account, &old.alias)?;
            }
            Ok(tx.put(&new.account, &new.alias, &new)?)
        })
        .await
    }
}

pub(crate) struct DeleteAccountAlias;

impl ResourceOperation for DeleteAccountAlias {
    type On = Account<Iam>;
    const NAME: &'static str = "DeleteAccountAlias";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AccountAliasInput;
    type Output = ();

    fn key(_: &Self::Input) {}

    fn check(input: &Self::Input) -> Result<()> {
        check(&input.alias)
    }

    async fn run(input: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<()> {
        let account = call.account().to_owned();
        call.write(&call.service.store, move |tx| {
            if !tx.delete::<AccountAlias>(&account, &input.alias)? {
                return Err(IamError::Missing(format!("The account alias {} cannot be found.", input.alias)));
            }
            tx.delete::<AccountAlias>(ALL, &input.alias)?;
            Ok(())
        })
        .await
    }
}

wire::shape! {
    /// The input of `ListAccountAliases`.
    pub struct ListAccountAliasesInput {
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

/// An alias in the list of an account's.
#[derive(Serialize)]
pub(crate) struct Alias(String);

impl Item for Alias {
    const LIST: &'static str = "AccountAliases";
}

pub(crate) struct ListAccountAliases;

impl ResourceOperation for ListAccountAliases {
    type On = Account<Iam>;
    const NAME: &'static str = "ListAccountAliases";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListAccountAliasesInput;
    type Output = Page<Alias>;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let account = call.account().to_owned();
        let found = call.service.store.read(move |tx| tx.all::<AccountAlias>(&account)).await?;
        let aliases = found.into_iter().map(|found| Alias(found.alias)).collect();
        Ok(page::window(input.marker, input.max_items).by_count(aliases)?.into())
    }
}

//! Account aliases: a name for an account, unique on the server, of which an account has one at most.

use serde::{Deserialize, Serialize};
use service::{AuditClass, Call, Need, Operation, Permit};
use store::{Record, StoreError};
use wire::shape::Rule;

use crate::Iam;
use crate::values::error::IamError;
use crate::values::page::{self, Window};

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
fn check(alias: &str) -> Result<(), IamError> {
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
    /// The input of `CreateAccountAlias`.
    pub struct CreateAccountAliasInput {
        "AccountAlias" alias: String, required, [LENGTH];
    }
}

pub(crate) struct CreateAccountAlias;

impl Operation for CreateAccountAlias {
    type Service = Iam;
    const NAME: &'static str = "CreateAccountAlias";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateAccountAliasInput;
    type Output = ();
    type Target = ();

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        check(&input.alias)
    }

    fn needs(_: &Self::Input, _: Option<&()>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Need::identity("iam:CreateAccountAlias", "*")]
    }

    /// Takes the place of the alias that the account has.
    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<(), IamError> {
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

wire::shape! {
    /// The input of `DeleteAccountAlias`.
    pub struct DeleteAccountAliasInput {
        "AccountAlias" alias: String, required, [LENGTH];
    }
}

pub(crate) struct DeleteAccountAlias;

impl Operation for DeleteAccountAlias {
    type Service = Iam;
    const NAME: &'static str = "DeleteAccountAlias";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteAccountAliasInput;
    type Output = ();
    type Target = ();

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        check(&input.alias)
    }

    fn needs(_: &Self::Input, _: Option<&()>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Need::identity("iam:DeleteAccountAlias", "*")]
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<(), IamError> {
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AliasesOutput {
    account_aliases: Vec<String>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

pub(crate) struct ListAccountAliases;

impl Operation for ListAccountAliases {
    type Service = Iam;
    const NAME: &'static str = "ListAccountAliases";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListAccountAliasesInput;
    type Output = AliasesOutput;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        Ok(())
    }

    fn needs(_: &Self::Input, _: Option<&()>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Need::identity("iam:ListAccountAliases", "*")]
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<AliasesOutput, IamError> {
        let account = call.account().to_owned();
        let found = call.service.store.read(move |tx| tx.all::<AccountAlias>(&account)).await?;
        let aliases = found.into_iter().map(|found| found.alias).collect();
        let listed = Window::new(input.marker, input.max_items).cut(aliases)?;
        Ok(AliasesOutput { is_truncated: listed.is_truncated(), account_aliases: listed.items, marker: listed.marker })
    }
}

//! The operations on an account's rules for passwords.

use serde::Serialize;
use service::{Account, AuditClass, Call, Permit, ResourceOperation};
use wire::shape::Rule;

use crate::Iam;
use crate::records::password::{self, POLICY, PasswordPolicy};
use crate::values::answer::{Answer, NoInput, Single};
use crate::values::error::{IamError, Result};

/// The least length unless the policy says otherwise.
const LENGTH_MIN_DEFAULT: u32 = 6;

fn missing(account: &str) -> IamError {
    IamError::Missing(format!("The Password Policy with domain name {account} cannot be found."))
}

wire::shape! {
    /// The input of `UpdateAccountPasswordPolicy`.
    pub struct UpdateAccountPasswordPolicyInput {
        "MinimumPasswordLength" length_min: u32, optional, [Rule::Range(6, 128)];
        "RequireSymbols" symbols: bool, default, [];
        "RequireNumbers" numbers: bool, default, [];
        "RequireUppercaseCharacters" uppercase: bool, default, [];
        "RequireLowercaseCharacters" lowercase: bool, default, [];
        "AllowUsersToChangePassword" users_may_change: bool, default, [];
        "MaxPasswordAge" age_days_max: u32, optional, [Rule::Range(1, 1095)];
        "PasswordReusePrevention" remembered: u32, optional, [Rule::Range(1, 24)];
        "HardExpiry" hard_expiry: bool, optional, [];
    }
}

pub(crate) struct UpdateAccountPasswordPolicy;

impl ResourceOperation for UpdateAccountPasswordPolicy {
    type On = Account<Iam>;
    const NAME: &'static str = "UpdateAccountPasswordPolicy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateAccountPasswordPolicyInput;
    type Output = ();

    fn key(_: &Self::Input) {}

    /// Members that the input leaves out go back to their defaults.
    async fn run(input: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<()> {
        let account = call.account().to_owned();
        let policy = PasswordPolicy {
            length_min: input.length_min.unwrap_or(LENGTH_MIN_DEFAULT),
            symbols: input.symbols,
            numbers: input.numbers,
            uppercase: input.uppercase,
            lowercase: input.lowercase,
            users_may_change: input.users_may_change,
            age_days_max: input.age_days_max,
            remembered: input.remembered,
            hard_expiry: input.hard_expiry,
        };
        call.write(&call.service.store, move |tx| Ok(tx.put(&account, POLICY, &policy)?)).await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the members are AWS's")]
pub(crate) struct PolicyView {
    minimum_password_length: u32,
    require_symbols: bool,
    require_numbers: bool,
    require_uppercase_characters: bool,
    require_lowercase_characters: bool,
    allow_users_to_change_password: bool,
    expire_passwords: bool,
    max_password_age: Option<u32>,
    password_reuse_prevention: Option<u32>,
    hard_expiry: Option<bool>,
}

impl Single for PolicyView {
    const MEMBER: &'static str = "PasswordPolicy";
}

pub(crate) struct GetAccountPasswordPolicy;

impl ResourceOperation for GetAccountPasswordPolicy {
    type On = Account<Iam>;
    const NAME: &'static str = "GetAccountPasswordPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = NoInput;
    type Output = Answer<PolicyView>;

    fn key(_: &NoInput) {}

    async fn run(_: NoInput, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let account = call.account().to_owned();
        let policy = call.service.store.read(move |tx| password::policy_of(tx, &account)).await?;
        let policy = policy.ok_or_else(|| missing(call.account()))?;
        Ok(Answer(PolicyView {
            minimum_password_length: policy.length_min,
            require_symbols: policy.symbols,
            require_numbers: policy.numbers,
            require_uppercase_characters: policy.uppercase,
            require_lowercase_characters: policy.lowercase,
            allow_users_to_change_password: policy.users_may_change,
            expire_passwords: policy.age_days_max.is_some(),
            max_password_age: policy.age_days_max,
            password_reuse_prevention: policy.remembered,
            hard_expiry: policy.hard_expiry,
        }))
    }
}

pub(crate) struct DeleteAccountPasswordPolicy;

impl ResourceOperation for DeleteAccountPasswordPolicy {
    type On = Account<Iam>;
    const NAME: &'static str = "DeleteAccountPasswordPolicy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = NoInput;
    type Output = ();

    fn key(_: &Self::Input) {}

    async fn run(_: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<()> {
        let account = call.account().to_owned();
        call.write(&call.service.store, move |tx| match tx.delete::<PasswordPolicy>(&account, POLICY)? {
            true => Ok(()),
            false => Err(missing(&account)),
        })
        .await
    }
}

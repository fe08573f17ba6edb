//! `DecodeAuthorizationMessage`: all that bore on a refusal, for somebody of an account that it concerns.

use serde::Serialize;
use service::{Account, AuditClass, Call, Permit, ResourceOperation};
use wire::shape::Rule;

use super::Sts;
use crate::authority::refusal::Refusal;
use crate::values::error::{IamError, Result};

wire::shape! {
    /// The input of `DecodeAuthorizationMessage`.
    pub struct DecodeAuthorizationMessageInput {
        "EncodedMessage" encoded_message: String, required, [Rule::Length(1, 10_240)];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DecodeAuthorizationMessageOutput {
    decoded_message: String,
}

pub(crate) struct DecodeAuthorizationMessage;

impl ResourceOperation for DecodeAuthorizationMessage {
    type On = Account<Sts>;
    const NAME: &'static str = "DecodeAuthorizationMessage";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = DecodeAuthorizationMessageInput;
    type Output = DecodeAuthorizationMessageOutput;

    fn key(_: &Self::Input) {}

    /// A message that concerns other accounts is reported as invalid.
    async fn run(input: Self::Input, _: &Permit<Account<Sts>>, call: &Call<'_, Sts>) -> Result<Self::Output> {
        let opened = Refusal::open(&input.encoded_message, &call.service.iam.store, call.now).await?;
        let refusal = opened.filter(|refusal| refusal.concerns(call.account()));
        let refusal = refusal.ok_or(IamError::InvalidAuthorizationMessage)?;
        Ok(DecodeAuthorizationMessageOutput { decoded_message: refusal.view(call.account()).to_string() })
    }
}

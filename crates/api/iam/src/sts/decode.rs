//! `DecodeAuthorizationMessage`: all that bore on a refusal, for somebody of an account that it concerns.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use wire::shape::Rule;

use super::Sts;
use crate::authority::refusal::Refusal;
use crate::values::error::IamError;

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

impl Operation for DecodeAuthorizationMessage {
    type Service = Sts;
    const NAME: &'static str = "DecodeAuthorizationMessage";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = DecodeAuthorizationMessageInput;
    type Output = DecodeAuthorizationMessageOutput;
    type Target = Refusal;

    /// One that concerns other accounts is as good as none.
    async fn find(input: &Self::Input, call: &Call<'_, Sts>) -> Result<Refusal, IamError> {
        let opened = Refusal::open(&input.encoded_message, &call.service.iam.store, call.now).await?;
        opened.filter(|refusal| refusal.concerns(call.account())).ok_or(IamError::InvalidAuthorizationMessage)
    }

    fn needs(_: &Self::Input, _: Option<&Refusal>, _: &Call<'_, Sts>) -> Vec<Need<'static>> {
        vec![Need::identity("sts:DecodeAuthorizationMessage", "*")]
    }

    async fn run(
        _: Self::Input,
        refusal: Permit<Refusal>,
        call: &Call<'_, Sts>,
    ) -> Result<DecodeAuthorizationMessageOutput, IamError> {
        Ok(DecodeAuthorizationMessageOutput { decoded_message: refusal.view(call.account()).to_string() })
    }
}

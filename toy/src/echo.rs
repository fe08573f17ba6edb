//! `Echo`: the payload flows out again as it comes in. What a stream costs is measured with it.

use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use service::{AuditClass, Call, Download, Need, Operation, Permit, Upload, UploadStream};
use wire::shape::Binding::Label;
use wire::shape::Rule;

use crate::{Toy, ToyError};

wire::shape! {
    /// The input of `Echo`, without its payload.
    pub struct EchoInput {
        "Shelf" shelf: String, required, [Rule::Length(1, 63)], [Label];
    }
}

wire::output! {
    /// The output of `Echo`, without its payload.
    pub struct EchoOutput {}
}

/// Answers with its payload.
pub(crate) struct Echo;

impl Operation for Echo {
    type Service = Toy;
    const NAME: &'static str = "Echo";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = Upload<EchoInput>;
    type Output = Download<EchoOutput>;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Toy>) -> Result<(), ToyError> {
        Ok(())
    }

    fn needs<'n>(_: &'n Self::Input, _: Option<&'n ()>, _: &'n Call<'_, Toy>) -> Vec<Need<'n>> {
        vec![Need::identity("toy:Echo", "*")]
    }

    async fn run(upload: Self::Input, _: Permit<()>, _: &Call<'_, Toy>) -> Result<Self::Output, ToyError> {
        let next = |mut payload: UploadStream| async move {
            let bytes = payload.next().await.map_err(Into::into).transpose()?;
            Some((bytes.map(Frame::data), payload))
        };
        let stream = Box::pin(StreamBody::new(stream::unfold(upload.payload, next)));
        Ok(Download { output: EchoOutput {}, stream })
    }
}

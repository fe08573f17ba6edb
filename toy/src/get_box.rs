//! `GetBox`: a sealed blob flows out, opened piece by piece.

use futures_util::StreamExt as _;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use service::{AuditClass, Call, Download, Permit, ResourceOperation};
use wire::shape::Binding::{Header, Label};
use wire::shape::Rule;

use crate::boxed::{BoxName, BoxRecord};
use crate::{Toy, ToyError};

wire::shape! {
    /// The input of `GetBox`.
    pub struct GetBoxInput {
        "Shelf" shelf: String, required, [Rule::Length(1, 63)], [Label];
        "Box" name: String, required, [Rule::Length(1, 255)], [Label];
    }
}

wire::output! {
    /// The output of `GetBox`, without its payload.
    pub struct GetBoxOutput {
        "Label" label: String, optional, [Header("x-amz-meta-label")];
    }
}

/// Gets the contents of a box.
pub(crate) struct GetBox;

impl ResourceOperation for GetBox {
    type On = BoxRecord;
    const NAME: &'static str = "GetBox";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetBoxInput;
    type Output = Download<GetBoxOutput>;

    fn key(input: &Self::Input) -> BoxName<'_> {
        (&input.shelf, &input.name)
    }

    async fn run(_: Self::Input, found: &Permit<BoxRecord>, call: &Call<'_, Toy>) -> Result<Self::Output, ToyError> {
        let blob = call.service.blobs.blob(&call.service.owner, &found.blob()).await?;
        let frames = blob.read_all().map(|piece| piece.map(Frame::data));
        let stream = Box::pin(StreamBody::new(frames).map_err(Into::into));
        Ok(Download { output: GetBoxOutput { label: found.label.clone() }, stream })
    }
}

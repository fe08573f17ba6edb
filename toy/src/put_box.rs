//! `PutBox`: the payload flows into a sealed blob, and the record that makes it visible is written once all of it is there.

use blobs::Reference;
use service::{AuditClass, Bound, Call, Need, Operation, Permit, Upload};
use wire::body::Algorithm;
use wire::shape::Binding::{Header, Label};
use wire::shape::Rule;

use crate::boxed::{self, BoxRecord};
use crate::{Toy, ToyError};

wire::shape! {
    /// The input of `PutBox`, without its payload.
    pub struct PutBoxInput {
        "Shelf" shelf: String, required, [Rule::Length(1, 63)], [Label];
        "Box" name: String, required, [Rule::Length(1, 255)], [Label];
        "Label" label: String, optional, [Rule::Length(1, 100)], [Header("x-amz-meta-label")];
    }
}

wire::output! {
    /// The output of `PutBox`.
    pub struct PutBoxOutput {
        "Digest" digest: String, required, [Header("x-amz-checksum-sha256")];
    }
}

/// Puts a box on a shelf, in the place of one of the same name.
pub(crate) struct PutBox;

impl Operation for PutBox {
    type Service = Toy;
    const NAME: &'static str = "PutBox";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = Upload<PutBoxInput>;
    type Output = Bound<PutBoxOutput>;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Toy>) -> Result<(), ToyError> {
        Ok(())
    }

    fn needs<'n>(input: &'n Self::Input, _: Option<&'n ()>, call: &'n Call<'_, Toy>) -> Vec<Need<'n>> {
        vec![boxed::need((&input.shelf, &input.name), "toy:PutBox", call)]
    }

    async fn run(upload: Self::Input, _: Permit<()>, call: &Call<'_, Toy>) -> Result<Self::Output, ToyError> {
        let Upload { input, mut payload } = upload;
        payload.compute(Algorithm::Sha256);
        let mut draft = call.service.blobs.draft(&call.service.owner).await?;
        while let Some(bytes) = payload.next().await? {
            draft.write(bytes).await?;
        }
        let digest = payload.finished().and_then(|finished| finished.base64(Algorithm::Sha256)).unwrap_or_default();
        // Durable now, and visible with the record. Dropped before that, it is swept.
        let written = draft.finish().await?;
        let change = move |tx: &mut store::Tx<'_>| {
            let record = BoxRecord::new(written.id, written.contents.plaintext_bytes, input.label);
            Reference::insert(tx, &written, "toy", "")?;
            if let Some(before) = tx.get::<BoxRecord>(&input.shelf, &input.name)? {
                Reference::remove(tx, &before.blob())?;
            }
            tx.put(&input.shelf, &input.name, &record)?;
            // Back to the caller, so that no sweep comes before the transaction is durable.
            Ok::<_, ToyError>(written)
        };
        drop(call.write(&call.service.store, change).await?);
        Ok(Bound(PutBoxOutput { digest }))
    }
}

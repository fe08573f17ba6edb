//! `DescribeBox`: an operation of the common kind, in awsJson and CBOR.

use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::shape::Rule;

use crate::boxed::{BoxName, BoxRecord};
use crate::{Toy, ToyError};

wire::shape! {
    /// The input of `DescribeBox`.
    pub struct DescribeBoxInput {
        "Shelf" shelf: String, required, [Rule::Length(1, 63)];
        "Box" name: String, required, [Rule::Length(1, 255)];
    }
}

wire::output! {
    /// The output of `DescribeBox`.
    pub struct DescribeBoxOutput {
        "Bytes" bytes: i64, required;
        "Label" label: String, optional;
    }
}

/// Describes a box.
pub struct DescribeBox;

impl ResourceOperation for DescribeBox {
    type On = BoxRecord;
    const NAME: &'static str = "DescribeBox";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = DescribeBoxInput;
    type Output = DescribeBoxOutput;

    fn key(input: &Self::Input) -> BoxName<'_> {
        (&input.shelf, &input.name)
    }

    async fn run(_: Self::Input, found: &Permit<BoxRecord>, _: &Call<'_, Toy>) -> Result<DescribeBoxOutput, ToyError> {
        Ok(DescribeBoxOutput { bytes: i64::try_from(found.bytes).unwrap_or(i64::MAX), label: found.label.clone() })
    }
}

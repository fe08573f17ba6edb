//! Forms with which browsers upload a file: `PostObject`. An object is put as by `PutObject`; whether its form may be sent
//! is for the form's policy, and for what whoever signed that may do.
//!
//! Source: Amazon S3 API Reference, "POST Object" and "Creating a POST policy".

mod answer;
mod fields;

use std::ops::RangeInclusive;

use service::{AuditClass, Bound, Call, FormUpload, Need, Operation, Permit, Resource as _};

use crate::S3;
use crate::access::{Bucket, BucketInput, check_object_name};
use crate::error::S3Error;
use crate::object::put::PutObjectInput;

use answer::{PostObjectOutput, Wanted};

/// Puts the file of a form.
pub(crate) struct PostObject;

/// The object that a form puts, its bucket, and how it is answered.
pub(crate) struct Form {
    bucket: Bucket,
    object: PutObjectInput,
    /// The bounds on the file's size in bytes.
    size: RangeInclusive<u64>,
    wanted: Wanted,
}

impl Operation for PostObject {
    type Service = S3;
    const NAME: &'static str = "PostObject";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = FormUpload<BucketInput>;
    type Output = Bound<PostObjectOutput>;
    type Target = Form;

    async fn find(upload: &Self::Input, call: &Call<'_, S3>) -> Result<Form, S3Error> {
        let bucket = Bucket::find(upload.key(), call).await?;
        let fields = fields::expanded(&upload.fields);
        let size = fields::check_policy(&bucket.name, &fields, call.now)?;
        let object = fields::object(&bucket.name, &fields)?;
        check_object_name(&object.key)?;
        Ok(Form { bucket, object, size, wanted: Wanted::of(&fields) })
    }

    fn needs<'n>(_: &'n Self::Input, form: Option<&'n Form>, call: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        form.map(|form| form.object.needs(&form.bucket, call)).unwrap_or_default()
    }

    async fn run(upload: Self::Input, form: Permit<Form>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let Form { bucket, object, size, wanted } = form.into_inner();
        let key = object.key.clone();
        let put = object.put(upload.file, (size, "s3:ObjectCreated:Post"), &bucket, call).await?;
        Ok(Bound(wanted.answer(&bucket.name, key, put, call)))
    }
}

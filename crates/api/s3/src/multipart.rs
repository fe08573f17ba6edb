//! Uploads in parts: begun, filled, completed and aborted. Completing one moves no content.

pub(crate) mod abort;
pub(crate) mod complete;
pub(crate) mod create;
pub(crate) mod part;
pub(crate) mod part_copy;
mod place;
mod whole;

use buckets::BucketsError;

use crate::error::{Refusal, S3Error};

/// The error of the store of objects as it is for a request that names this upload.
pub(crate) fn on_upload(error: S3Error, upload_id: &str) -> S3Error {
    match error {
        S3Error::Objects(BucketsError::NoSuchUpload) => {
            Refusal::NoSuchUpload { upload_id: upload_id.to_owned() }.into()
        }
        S3Error::Objects(BucketsError::InvalidPartOrder) => {
            Refusal::InvalidPartOrder { upload_id: upload_id.to_owned() }.into()
        }
        S3Error::Objects(BucketsError::InvalidPart { number }) => {
            let (upload_id, part_number, e_tag) = (upload_id.to_owned(), number.into(), String::new());
            Refusal::InvalidPart { upload_id, part_number, e_tag }.into()
        }
        other => other,
    }
}

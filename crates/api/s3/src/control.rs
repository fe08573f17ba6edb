//! Operations of S3 Control that S3 serves: tags by a bucket's ARN.

pub(crate) mod tags;

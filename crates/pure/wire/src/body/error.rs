//! Why a body is refused, and how S3 says so.

use super::Algorithm;
use crate::Fault;

/// A body is not what its head says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Signed chunks, but no signature for them to continue: an error in the program.
    #[error("We encountered an internal error. Please try again.")]
    Unchained,
    /// Chunks without `x-amz-decoded-content-length`.
    #[error("You must provide the Content-Length HTTP header.")]
    NoDecodedLength,
    /// `x-amz-decoded-content-length` is no length.
    #[error("The value of x-amz-decoded-content-length is invalid.")]
    DecodedLength,
    /// There is more or less of the body than was said.
    #[error("You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header")]
    Length,
    /// The body ends before its last chunk.
    #[error("The request body terminated unexpectedly")]
    Incomplete,
    /// Bytes between chunks that are not aws-chunked framing.
    #[error("The request body is not in aws-chunked encoding")]
    Framing,
    /// The signature of a chunk or of the trailer is wrong.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your key and signing \
         method."
    )]
    Signature,
    /// A trailer is malformed, was not announced, or was announced and is missing.
    #[error("The request contained trailing data that was not well-formed or did not conform to our published schema.")]
    Trailer,
    /// `x-amz-trailer` names what is no checksum.
    #[error("The value specified in the x-amz-trailer header is not supported")]
    TrailerName,
    /// A checksum of an algorithm that is not served.
    #[error("A header you provided implies functionality that is not implemented")]
    Algorithm,
    /// More than one checksum.
    #[error("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")]
    SeveralChecksums,
    /// A checksum is not base64 of the right length.
    #[error("Value for {} header is invalid.", algorithm.header())]
    Checksum {
        /// Its algorithm.
        algorithm: Algorithm,
    },
    /// `Content-MD5` is not base64 of 16 bytes.
    #[error("The Content-MD5 you specified was invalid.")]
    ContentMd5,
    /// The body has another digest.
    #[error("{}", mismatch(*algorithm, *given))]
    Digest {
        /// The digest's algorithm.
        algorithm: Algorithm,
        /// Where it was given.
        given: Given,
    },
}

/// Where a digest was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// `x-amz-content-sha256`.
    Signature,
    /// `Content-MD5`.
    ContentMd5,
    /// `x-amz-checksum-…`.
    Checksum,
}

fn mismatch(algorithm: Algorithm, given: Given) -> String {
    match given {
        Given::Signature => "The provided 'x-amz-content-sha256' header does not match what was computed.".to_owned(),
        Given::ContentMd5 => "The Content-MD5 you specified did not match what we received.".to_owned(),
        Given::Checksum => {
            format!("The {} you specified did not match the calculated checksum.", algorithm.name())
        }
    }
}

impl BodyError {
    /// The fault as S3 names it.
    ///
    /// Source: Amazon S3 API Reference, "Error responses".
    #[must_use]
    pub fn fault(&self) -> Fault {
        let (code, status) = match self {
            Self::Unchained => ("InternalError", 500),
            Self::NoDecodedLength => ("MissingContentLength", 411),
            Self::DecodedLength => ("InvalidArgument", 400),
            Self::Length | Self::Incomplete | Self::Framing => ("IncompleteBody", 400),
            Self::Signature => ("SignatureDoesNotMatch", 403),
            Self::Algorithm => ("NotImplemented", 501),
            Self::Trailer => ("MalformedTrailerError", 400),
            Self::TrailerName | Self::SeveralChecksums | Self::Checksum { .. } => ("InvalidRequest", 400),
            Self::ContentMd5 => ("InvalidDigest", 400),
            Self::Digest { given: Given::Signature, .. } => ("XAmzContentSHA256Mismatch", 400),
            Self::Digest { .. } => ("BadDigest", 400),
        };
        Fault::new(code, status, self.to_string())
    }
}

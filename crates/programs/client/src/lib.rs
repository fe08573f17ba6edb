//! Signed calls over HTTPS to AWS, to another Sealstack, or to whatever speaks their protocols.
//!
//! [`Transport`] sends one request to any URL: connections, TLS, bounds of time and size. [`Signing`] signs it and tries
//! again where that helps. [`Session`] is what a person's AWS configuration says, read as AWS's tools read it: profile,
//! credentials, region, endpoints. [`Kms`] is the key service of the `envelope` library.
//!
//! Refuses to know what a caller encrypts or why. Secrets are wiped when dropped, and nothing here logs.

mod credentials;
mod endpoint;
mod environment;
mod error;
mod kms;
mod profile;
mod retry;
mod session;
mod shared_file;
mod signed;
mod sts;
mod transport;
mod trust;
mod words;

pub use credentials::Credentials;
pub use environment::Environment;
pub use error::{ClientError, ServiceError};
pub use kms::Kms;
pub use session::Session;
pub use signed::Signing;
pub use transport::{Answer, Limits, Request, Transport, TransportError};
pub use trust::Trust;
pub use words::{UnclosedQuote, split_words};

//! Errors of `LookupEvents`, named as AWS names them. Causes go to the log.

use journal::JournalError;
use service::ServiceError;
use store::StoreError;
use wire::Fault;

/// An error of a look-up.
#[derive(Debug, thiserror::Error)]
pub enum CloudTrailError {
    /// A look-up takes one attribute.
    #[error("You can specify only one lookup attribute.")]
    TooManyAttributes,
    /// The value does not go with its key.
    #[error("The value {value} is not valid for the lookup attribute {key}.")]
    InvalidAttribute {
        /// The attribute's key.
        key: &'static str,
        /// The value that was given.
        value: String,
    },
    /// The start comes after the end.
    #[error("The start time must come before the end time.")]
    InvalidTimeRange,
    /// A page has 1 to 50 events.
    #[error("MaxResults must be between 1 and 50; it is {given}.")]
    InvalidMaxResults {
        /// The number that was asked for.
        given: i32,
    },
    /// The token is not one that this look-up gave.
    #[error("The token is not valid, or belongs to a look-up with other parameters.")]
    InvalidNextToken,
    /// The log cannot be read.
    #[error("the audit log cannot be read")]
    Journal(#[source] JournalError),
    /// The search did not come to its end.
    #[error("the search of the audit log was cut short")]
    CutShort,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl ServiceError for CloudTrailError {
    fn fault(&self) -> Fault {
        let code = match self {
            Self::TooManyAttributes | Self::InvalidAttribute { .. } => "InvalidLookupAttributesException",
            Self::InvalidTimeRange => "InvalidTimeRangeException",
            Self::InvalidMaxResults { .. } => "InvalidMaxResultsException",
            Self::InvalidNextToken => "InvalidNextTokenException",
            Self::Journal(_) | Self::CutShort | Self::Store(_) => {
                return wire::CommonFault::InternalFailure.fault(wire::Protocol::json("1.1", ""));
            }
        };
        Fault::sender(code, self.to_string())
    }
}

//! Refusals of a proxy: names, HTTP statuses and body.

use serde::{Deserialize, Serialize};

wire::text_enum! {
    /// The name of a refusal.
    pub enum ErrorName {
        Validation = "ValidationException",
        InvalidState = "InvalidStateException",
        InvalidCiphertext = "InvalidCiphertextException",
        InvalidKeyUsage = "InvalidKeyUsageException",
        AuthenticationFailed = "AuthenticationFailedException",
        AccessDenied = "AccessDeniedException",
        KeyNotFound = "KeyNotFoundException",
        InvalidUriPath = "InvalidUriPathException",
        Throttling = "ThrottlingException",
        UnsupportedOperation = "UnsupportedOperationException",
        DependencyTimeout = "DependencyTimeoutException",
        Internal = "InternalException",
    }
}

impl ErrorName {
    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Validation | Self::InvalidState | Self::InvalidCiphertext | Self::InvalidKeyUsage => 400,
            Self::AuthenticationFailed => 401,
            Self::AccessDenied => 403,
            Self::KeyNotFound | Self::InvalidUriPath => 404,
            Self::Throttling => 429,
            Self::Internal => 500,
            Self::UnsupportedOperation => 501,
            Self::DependencyTimeout => 503,
        }
    }
}

/// The body of a refusal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorAnswer {
    /// Its name.
    pub error_name: String,
    /// For the proxy's administrator; the key service does not show it to its callers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

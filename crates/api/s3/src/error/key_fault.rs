//! Faults of KMS as S3's callers see them.

use wire::Fault;

/// A KMS key that cannot be used for an object. The message is KMS's, which names the key and, where a policy decided,
/// the statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyFault {
    code: &'static str,
    status: u16,
    message: String,
}

impl KeyFault {
    /// The fault for a caller whose call of KMS was answered with `fault`.
    #[must_use]
    pub fn of(fault: Fault) -> Self {
        let (code, status) = match fault.code {
            "AccessDeniedException" => ("AccessDenied", 403),
            "NotFoundException" => ("KMS.NotFoundException", 400),
            "DisabledException" => ("KMS.DisabledException", 400),
            "KMSInvalidStateException" => ("KMS.KMSInvalidStateException", 400),
            "InvalidKeyUsageException" | "UnsupportedOperationException" => ("KMS.InvalidKeyUsageException", 400),
            "InvalidArnException" | "ValidationException" => ("InvalidArgument", 400),
            "KeyUnavailableException" => ("KMS.KeyUnavailableException", 503),
            _ => ("ServiceUnavailable", 503),
        };
        let message = if fault.message.is_empty() { code.to_owned() } else { fault.message };
        Self { code, status, message }
    }

    /// The error's name in the protocol.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The fault that the caller sees.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::new(self.code, self.status, self.message.clone())
    }
}

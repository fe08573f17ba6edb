//! Faults of KMS as CodeCommit's callers see them.

use wire::Fault;

/// A KMS key that cannot be used for a repository. The message is KMS's, which names the key and, where a policy
/// decided, the statement.
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
        let code = match fault.code {
            "AccessDeniedException" => "EncryptionKeyAccessDeniedException",
            "NotFoundException" => "EncryptionKeyNotFoundException",
            "DisabledException" => "EncryptionKeyDisabledException",
            "InvalidKeyUsageException" | "UnsupportedOperationException" => "EncryptionKeyInvalidUsageException",
            "InvalidArnException" | "ValidationException" => "EncryptionKeyInvalidIdException",
            "InvalidCiphertextException" | "IncorrectKeyException" => "EncryptionIntegrityChecksFailedException",
            _ => "EncryptionKeyUnavailableException",
        };
        let message = if fault.message.is_empty() { code.to_owned() } else { fault.message };
        // As in AWS's model, where this one alone is the server's fault.
        let status = if code == "EncryptionIntegrityChecksFailedException" { 500 } else { 400 };
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

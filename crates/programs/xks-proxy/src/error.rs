//! Why the proxy cannot start: the cause in words for the operator, and an exit code for scripts.

use std::io::ErrorKind;
use std::path::PathBuf;

use front::FrontError;
use token::TokenError;

/// Why the proxy cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// A setting breaks a rule.
    #[error("{setting} has to be {rule}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// Its rule.
        rule: &'static str,
    },
    /// A credential file is not one.
    #[error("{}: {reason}", file.display())]
    CredentialFile {
        /// The file.
        file: PathBuf,
        /// Its mistake.
        reason: &'static str,
    },
    /// A credential file cannot be made.
    #[error("can't create {}: {cause}.{}", path.display(), create_advice(cause))]
    Create {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// The port, its certificate, its threads or a file with a secret cannot be used.
    #[error(transparent)]
    Front(#[from] FrontError),
    /// The token cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl ProxyError {
    /// The exit code of a process that ends with this error. Listed in `sealstack --help`.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Setting { .. } | Self::CredentialFile { .. } => 2,
            Self::Create { cause, .. } if is_full(cause) => 9,
            Self::Create { .. } | Self::Token(_) => 3,
            Self::Front(error) => error.exit_code(),
        }
    }
}

fn is_full(cause: &std::io::Error) -> bool {
    matches!(cause.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Advice on a file that cannot be made, as a sentence after the error's own.
fn create_advice(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            " Give the user that runs sealstack the right to write there, or choose another place."
        }
        _ if is_full(cause) => " The disk is full.",
        _ => "",
    }
}

//! Why a front cannot start or go on: the cause in words for the operator, and an exit code for scripts.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;

use pki::CertificateError;

/// Why a front cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum FrontError {
    /// The address cannot be listened on.
    #[error("can't listen on {address}: {}", listen_reason(cause))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// The operating system gives no threads or signals.
    #[error("the operating system refuses to {action}: {cause}")]
    System {
        /// The action that failed.
        action: &'static str,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// A certificate or its key cannot be used.
    #[error("the TLS certificate can't be used: {0}")]
    Certificate(#[source] CertificateError),
    /// A file cannot be read.
    #[error("can't read {}: {cause}.{}", path.display(), read_advice(cause))]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// A file or directory belongs to another user, who could change it.
    #[error(
        "{} belongs to the user with the id {owner}: run sealstack as that user, or make its own user the owner (chown)",
        path.display()
    )]
    Foreign {
        /// The file or directory.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
    },
    /// Others may write a file, or read a secret in it.
    #[error("{} is open to other users (mode {mode:04o}): run chmod 600 on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl FrontError {
    /// The exit code of a process that ends with this error. Listed in `sealstack --help`.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Certificate(_) => 2,
            Self::Read { .. } | Self::Foreign { .. } | Self::Exposed { .. } => 3,
            Self::Listen { .. } => 5,
            Self::System { .. } => 1,
        }
    }
}

/// Advice on a file that cannot be read, as a sentence after the error's own.
fn read_advice(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::PermissionDenied => " Give the user that runs sealstack the right to read it.",
        _ => "",
    }
}

fn listen_reason(cause: &std::io::Error) -> String {
    match cause.kind() {
        ErrorKind::AddrInUse => "another program listens there; choose another address with --listen".to_owned(),
        ErrorKind::AddrNotAvailable => {
            "this machine doesn't have that address; choose another with --listen".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 need a privilege; choose a higher one with --listen".to_owned()
        }
        _ => cause.to_string(),
    }
}

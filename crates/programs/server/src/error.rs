//! Why the server can't start or go on: one sentence with what to do about it, and an exit code for scripts.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::continuity::Breaks;

/// A setting that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The value breaks a rule.
    #[error("{setting} has to be {rule}")]
    Value {
        /// The setting.
        setting: &'static str,
        /// Its rule.
        rule: &'static str,
    },
    /// Two settings belong together.
    #[error("{given} needs {missing} as well")]
    Together {
        /// The one that was given.
        given: &'static str,
        /// The one that wasn't.
        missing: &'static str,
    },
    /// The configuration file says something unknown or unreadable.
    #[error("{}: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Line, column and what is wrong there.
        reason: String,
    },
    /// The configuration file can't be read.
    #[error("can't read {}: {cause}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// A file in the data directory sets the data directory.
    #[error("{} lies in the data directory and can't name another; use --config for a file elsewhere", file.display())]
    OwnPlace {
        /// The file.
        file: PathBuf,
    },
    /// No data directory was given and there is no home for one.
    #[error("no data directory: give one with --data, there is no HOME to make one in")]
    NoPlace,
}

/// Why the server can't start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A setting can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file or directory can't be used.
    #[error("can't {action} {}: {cause}.{}", path.display(), advice(cause))]
    Io {
        /// The action that failed: "create", "write", …
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// The data directory is somebody else's.
    #[error("{} isn't empty and isn't a Sealstack directory; give --data an empty or a new one", path.display())]
    ForeignDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// Others may write to the data directory.
    #[error(
        "other users may write to {} (mode {mode:04o}): see that nobody put anything there, then run chmod 700 on it",
        path.display()
    )]
    OpenDirectory {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is no server in the directory yet.
    #[error("there is no Sealstack data in {}; `sealstack serve` makes it, and --data names another place", path.display())]
    NoData {
        /// The directory.
        path: PathBuf,
    },
    /// Another process has the data directory.
    #[error(
        "another sealstack{} uses {}; stop it first, or give this one a directory of its own with --data",
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(), path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// Who, if it said.
        pid: Option<u32>,
    },
    /// The port, its certificate, its threads or a file with a secret can't be used.
    #[error(transparent)]
    Front(#[from] front::FrontError),
    /// The operating system gives no threads, signals or sockets.
    #[error("the operating system refuses to {action}: {cause}")]
    System {
        /// The action that failed.
        action: &'static str,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// The account was made with another number.
    #[error("{} belongs to account {found}, not {given}; leave --account out, or give another --data", path.display())]
    OtherAccount {
        /// The directory.
        path: PathBuf,
        /// The account it has.
        found: String,
        /// The account that was given.
        given: String,
    },
    /// The account can't be made.
    #[error("the account can't be made: {0}")]
    Account(#[source] iam::IamError),
    /// The seed can't be planted.
    #[error("the seed can't be used: {reason}")]
    Seed {
        /// The mistake and its place.
        reason: String,
    },
    /// The operator's request can't be done.
    #[error("{0}")]
    Operator(#[source] iam::IamError),
    /// A certificate or its key can't be used.
    #[error("the TLS certificate can't be used: {0}")]
    Certificate(#[source] pki::CertificateError),
    /// The database is there and its root seal isn't.
    #[error(
        "there is a database but no root seal in {}; put back the directory that was made with the database: without \
         it nothing in there can be opened",
        path.display()
    )]
    SealGone {
        /// The root seal's directory.
        path: PathBuf,
    },
    /// The root seal needs a secret, and none was given.
    #[error("the root seal needs a {what}: give it in the variable {variable}, or name a file that holds it")]
    NoSecret {
        /// The kind of secret.
        what: &'static str,
        /// The variable.
        variable: String,
    },
    /// A share of the root seal isn't taken.
    #[error(transparent)]
    Share(#[from] seal::ShareError),
    /// Something was to be typed or read, and there was nothing.
    #[error("{wanted} is wanted on standard input, and there is none")]
    NoInput {
        /// The missing input.
        wanted: &'static str,
    },
    /// No server runs in the directory.
    #[error("no server runs on {}: start it with `sealstack serve`, or name its directory with --data", path.display())]
    NotRunning {
        /// The directory.
        path: PathBuf,
    },
    /// Somebody else's server.
    #[error("this server answers the user that runs it, and root")]
    NotYours,
    /// A seal of shares has to be split.
    #[error("a key is split among people with `sealstack seal split`, which says into how many shares")]
    SplitInstead,
    /// The running server can't do it while its root key is sealed.
    #[error("the server is sealed: `sealstack unseal` opens it")]
    Sealed,
    /// The running server refused.
    #[error("{message}")]
    Refused {
        /// Its words.
        message: String,
        /// Its exit code.
        exit_code: u8,
    },
    /// The running server and this command don't understand each other.
    #[error("the running server doesn't understand this command, or the other way round: are both the same version?")]
    Misunderstood,
    /// The backup can't be made or restored.
    #[error(transparent)]
    Backup(#[from] crate::backup::BackupError),
    /// The place of the blobs can't be used.
    #[error(transparent)]
    Blobs(#[from] blobs::BlobError),
    /// The server of the bucket in which the blobs lie can't be called.
    #[error("the blobs' bucket can't be reached: {0}")]
    BlobServer(#[from] client::ClientError),
    /// Blobs are not what was written.
    #[error("{damaged} blobs are missing, or not what was written")]
    DamagedBlobs {
        /// How many.
        damaged: usize,
    },
    /// A file would be overwritten.
    #[error("{} is there already: name another file, or replace it with --overwrite", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A backup would be written to a terminal.
    #[error("a backup is no text for a terminal: name a file, or pipe the output into something")]
    NoOutput,
    /// A backup would be restored over something.
    #[error("{} is not empty: a backup is restored into a directory of its own, given with --data", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The root seal doesn't open.
    #[error(transparent)]
    Seal(#[from] seal::SealError),
    /// A PKCS#11 token can't be used.
    #[error(transparent)]
    Token(#[from] token::TokenError),
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The audit log can't be used.
    #[error(transparent)]
    Journal(#[from] journal::JournalError),
    /// Database, audit log or anchors don't go on from where they were left.
    #[error(
        "something was put back, replaced or removed while no server ran: {breaks}. If that was done on purpose, \
         `sealstack rollback accept` says so in the audit log and goes on; otherwise restore the last backup"
    )]
    PutBack {
        /// The breaks that were found.
        breaks: Breaks,
    },
    /// An anchor doesn't open.
    #[error(
        "the anchor {} was changed, or belongs to another data directory: put the right one there, or remove it and \
         see `sealstack rollback --help`",
        path.display()
    )]
    Anchor {
        /// The anchor.
        path: PathBuf,
    },
    /// The audit log has another number of records of changes than the database made.
    #[error(
        "the audit log has the records of {found} changes, and the database recorded {}: run `sealstack check`",
        if least == most { least.to_string() } else { format!("{least} to {most}") }
    )]
    Gap {
        /// How many it has.
        found: u64,
        /// How many it has to have at least.
        least: u64,
        /// How many it may have at most.
        most: u64,
    },
}

impl ServerError {
    /// The exit code of the process, by which scripts distinguish outcomes. Listed in `--help`.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        use store::StoreError as Store;
        match self {
            Self::Config(_)
            | Self::OtherAccount { .. }
            | Self::Account(_)
            | Self::Seed { .. }
            | Self::Operator(_)
            | Self::NoInput { .. }
            | Self::NoOutput
            | Self::Exists { .. }
            | Self::SplitInstead
            | Self::Certificate(_) => 2,
            Self::ForeignDirectory { .. }
            | Self::OpenDirectory { .. }
            | Self::NotYours
            | Self::NotEmpty { .. }
            | Self::NoData { .. }
            | Self::Token(_)
            | Self::Store(Store::Denied { .. } | Store::Io { .. }) => 3,
            Self::InUse { .. }
            | Self::Store(Store::Busy { .. })
            | Self::Journal(journal::JournalError::InUse { .. }) => 4,
            Self::Front(error) => error.exit_code(),
            Self::Refused { exit_code, .. } => *exit_code,
            Self::NotRunning { .. } => 10,
            Self::Backup(_) => 11,
            Self::DamagedBlobs { .. } => 13,
            Self::Blobs(_) | Self::BlobServer(_) => 3,
            Self::PutBack { .. } | Self::Anchor { .. } | Self::Gap { .. } | Self::Store(Store::RowsPutBack) => 12,
            Self::Seal(_)
            | Self::Share(_)
            | Self::Sealed
            | Self::SealGone { .. }
            | Self::NoSecret { .. }
            | Self::Store(Store::WrongRootKey { .. }) => 6,
            Self::Store(Store::Full { .. }) => 9,
            Self::Journal(journal::JournalError::Broken(_)) => 8,
            Self::Journal(journal::JournalError::Io { cause, .. }) | Self::Io { cause, .. } => io_exit_code(cause),
            Self::Store(Store::Corrupt { .. } | Store::NotAuthentic { .. } | Store::Foreign { .. })
            | Self::Store(Store::Unreadable { .. } | Store::NewerSchema { .. })
            | Self::Journal(journal::JournalError::WrongKey { .. }) => 7,
            Self::System { .. } | Self::Misunderstood | Self::Store(_) | Self::Journal(_) => 1,
        }
    }
}

fn io_exit_code(cause: &std::io::Error) -> u8 {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => 9,
        _ => 3,
    }
}

/// Advice on an I/O error, as a sentence after the error's own.
fn advice(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            " Give the user that runs sealstack the right to write there, or choose another directory with --data."
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            " The disk is full. Nothing that was acknowledged is lost; make room and start again."
        }
        _ => "",
    }
}

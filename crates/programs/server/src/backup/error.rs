//! Why a file is no backup that can be restored.

/// Why a backup can't be restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is something else.
    #[error("that is not a backup of sealstack")]
    Foreign,
    /// A later version made it.
    #[error("the backup has format {found}, and this version knows up to {known}: use a newer sealstack")]
    Newer {
        /// Its format.
        found: u32,
        /// The latest format known here.
        known: u32,
    },
    /// The end is missing.
    #[error("the backup is cut short: its end is missing")]
    CutShort,
    /// A member is not as the manifest says.
    #[error("{name} in the backup is damaged: it is not what was backed up")]
    Damaged {
        /// The member.
        name: String,
    },
    /// A member that a backup doesn't have, or one too many.
    #[error("the backup has {name}, which no backup has there")]
    Unexpected {
        /// The member.
        name: String,
    },
    /// A member is missing.
    #[error("the backup has no {name}")]
    Missing {
        /// The member.
        name: String,
    },
    /// Blobs that the database refers to are missing, or not what was written.
    #[error("{damaged} blobs in the backup are not what they should be; the first: {first}")]
    Blobs {
        /// How many.
        damaged: usize,
        /// The fault of the first of them.
        first: String,
    },
    /// The manifest is not one that the backed-up server authenticated.
    #[error("the backup was put together by somebody else: the server that it is of did not vouch for it")]
    Forged,
    /// The root seal was replaced again and again meanwhile.
    #[error("the root seal was being replaced while the backup was made: try again")]
    Restless,
}

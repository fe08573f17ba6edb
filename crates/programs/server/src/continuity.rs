//! Whether database, audit log and anchors go on from where they were left: each says of the others where they stood, so
//! that whatever was put back alone is noticed before the first call is answered.
//!
//! Compares a few values. That the rows are those of the database's ledger is checked beside the calls, and that the
//! log's records are those of its chain by `sealstack check`.

use std::fmt;
use std::path::{Path, PathBuf};

use crypto::Key256;
use journal::{Continuity, End};
use service::{Anchor, Comparison};
use store::{Standing, Store};

use crate::anchor_file::{self, StoredAnchor};
use crate::data_dir::Layout;
use crate::error::ServerError;

/// Who saw where something stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// The database.
    Database,
    /// The audit log's head.
    AuditLog,
    /// An anchor file.
    Anchor(PathBuf),
}

/// Something that does not go on from where it was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// The database is older than it was.
    DatabaseOlder {
        /// Who says so.
        witness: Witness,
        /// The commit that it stood at.
        expected: u64,
        /// The commit that it stands at.
        found: u64,
    },
    /// The database was committed as often, and holds other rows.
    DatabaseOther {
        /// Who says so.
        witness: Witness,
        /// The commit.
        version: u64,
    },
    /// The audit log ends before a record that it had.
    LogOlder {
        /// Who says so.
        witness: Witness,
        /// The record that it had.
        expected: u64,
        /// Its last record.
        found: u64,
    },
    /// The audit log is another one, or what it had was replaced.
    LogOther {
        /// Who says so.
        witness: Witness,
    },
    /// There is no audit log.
    LogMissing {
        /// Who says that there was one.
        witness: Witness,
    },
    /// There is no anchor where one was written.
    AnchorMissing {
        /// Its path.
        path: PathBuf,
    },
}

/// All that does not go on from where it was left; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaks(pub Vec<Break>);

impl fmt::Display for Witness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database => out.write_str("the database"),
            Self::AuditLog => out.write_str("the audit log"),
            Self::Anchor(path) => write!(out, "the anchor {}", path.display()),
        }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatabaseOlder { witness, expected, found } => {
                write!(out, "the database is at commit {found}, and {witness} saw it at commit {expected}")
            }
            Self::DatabaseOther { witness, version } => {
                write!(out, "the database holds other rows at commit {version} than {witness} saw")
            }
            Self::LogOlder { witness, expected, found } => {
                write!(out, "the audit log ends at record {found}, and {witness} saw record {expected}")
            }
            Self::LogOther { witness } => write!(out, "the audit log is not the one that {witness} saw"),
            Self::LogMissing { witness } => write!(out, "the audit log that {witness} saw is gone"),
            Self::AnchorMissing { path } => write!(out, "the anchor {} is gone", path.display()),
        }
    }
}

impl fmt::Display for Breaks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.0.iter().enumerate() {
            out.write_str(if index == 0 { "" } else { "; " })?;
            write!(out, "{one}")?;
        }
        Ok(())
    }
}

/// The digests, versions and anchors of a directory's database and audit log, as they were found.
pub(crate) struct Evidence {
    head: Option<Anchor>,
    anchors: Vec<(PathBuf, Option<StoredAnchor>)>,
    pub(crate) standing: Standing,
    logs: Vec<(Witness, Continuity, End)>,
}

impl Evidence {
    /// Gathers it. A server may be running: witnesses are read before the state that they attest.
    ///
    /// # Errors
    /// [`ServerError::Anchor`]; those of reading.
    pub(crate) fn gather(
        store: &Store,
        layout: &Layout,
        audit_key: &Key256,
        elsewhere: Option<&Path>,
    ) -> Result<Self, ServerError> {
        let anchor_key = anchor_file::key(audit_key);
        let mut anchors = Vec::new();
        for path in layout.anchors(elsewhere) {
            let stored = StoredAnchor::read(&path, &anchor_key)?;
            anchors.push((path, stored));
        }
        let head = match journal::head_anchor(&layout.audit(), audit_key) {
            Ok(head) => head.as_ref().and_then(Anchor::from_bytes),
            // Whether there should be a log, the others say.
            Err(journal::JournalError::Io { cause, .. }) if cause.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let standing = store.standing()?;
        let of_database = End::from_bytes(&standing.witness).map(|end| (Witness::Database, end));
        let of_anchors =
            anchors.iter().filter_map(|(path, stored)| Some((Witness::Anchor(path.clone()), (*stored)?.log)));
        let mut logs = Vec::new();
        for (witness, end) in of_database.into_iter().chain(of_anchors) {
            logs.push((witness, journal::continues(&layout.audit(), audit_key, &end)?, end));
        }
        Ok(Self { head, anchors, standing, logs })
    }

    /// Everything that does not go on from where it was left.
    pub(crate) fn breaks(&self) -> Vec<Break> {
        let mut breaks = Vec::new();
        let of_log = self.head.map(|anchor| (Witness::AuditLog, anchor));
        let of_anchors =
            self.anchors.iter().filter_map(|(path, stored)| Some((Witness::Anchor(path.clone()), (*stored)?.database)));
        for (witness, anchor) in of_log.into_iter().chain(of_anchors) {
            let found = self.standing.version;
            match anchor.compare(&self.standing) {
                Comparison::Continues => {}
                Comparison::Older => {
                    breaks.push(Break::DatabaseOlder { witness, expected: anchor.version, found });
                }
                Comparison::Other => breaks.push(Break::DatabaseOther { witness, version: found }),
            }
        }
        for (witness, continuity, end) in &self.logs {
            let witness = witness.clone();
            match *continuity {
                Continuity::Continues | Continuity::Retired => {}
                Continuity::Behind { found_sequence: found } => {
                    breaks.push(Break::LogOlder { witness, expected: end.sequence, found });
                }
                Continuity::OtherJournal | Continuity::Rewritten => breaks.push(Break::LogOther { witness }),
                Continuity::Missing => breaks.push(Break::LogMissing { witness }),
            }
        }
        // A database that has met its log has written the anchor before; those elsewhere may be new.
        if !self.standing.witness.is_empty()
            && let Some((path, None)) = self.anchors.first()
        {
            breaks.push(Break::AnchorMissing { path: path.clone() });
        }
        breaks
    }

    /// Refuses what does not go on from where it was left.
    ///
    /// # Errors
    /// [`ServerError::PutBack`].
    pub(crate) fn verify(&self) -> Result<(), ServerError> {
        let breaks = self.breaks();
        if breaks.is_empty() { Ok(()) } else { Err(ServerError::PutBack { breaks: Breaks(breaks) }) }
    }

    /// The latest commit that anything saw.
    pub(crate) fn version_max(&self) -> u64 {
        let of_anchors = self.anchors.iter().filter_map(|(_, stored)| Some((*stored)?.database.version));
        of_anchors.chain(self.head.map(|anchor| anchor.version)).fold(self.standing.version, u64::max)
    }
}

#[cfg(test)]
mod tests {
    use store::Digest;

    use super::*;

    fn standing(version: u64, digest: u8) -> Standing {
        Standing { version, digest: Digest::from_bytes(&[digest; 32]), recorded: 1, witness: vec![1] }
    }

    fn end(sequence: u64) -> End {
        End { journal: [1; 16], segment: 1, offset: 100, sequence, chain: [2; 32], marked: 1 }
    }

    fn evidence() -> Evidence {
        let database = Anchor::of(&standing(7, 1));
        Evidence {
            head: Some(database),
            anchors: vec![(PathBuf::from("/a"), Some(StoredAnchor { database, log: end(5) }))],
            standing: standing(7, 1),
            logs: vec![(Witness::Database, Continuity::Continues, end(5))],
        }
    }

    #[test]
    fn what_goes_on_from_where_it_was_left_is_not_refused() {
        assert!(evidence().breaks().is_empty());
        assert!(
            Evidence { standing: standing(9, 3), ..evidence() }.breaks().is_empty(),
            "changed since, as by a crash"
        );
        let first = Evidence {
            head: None,
            anchors: vec![(PathBuf::from("/a"), None)],
            standing: Standing { witness: Vec::new(), ..standing(1, 1) },
            logs: Vec::new(),
        };
        assert!(first.breaks().is_empty(), "a first start");
    }

    #[test]
    fn whatever_was_put_back_is_named_with_who_saw_it() {
        let anchor = || Witness::Anchor(PathBuf::from("/a"));
        let witness = || Witness::Database;
        let log = |continuity| vec![(Witness::Database, continuity, end(5))];
        for (found, expect) in [
            (
                Evidence { standing: standing(6, 1), ..evidence() },
                vec![
                    Break::DatabaseOlder { witness: Witness::AuditLog, expected: 7, found: 6 },
                    Break::DatabaseOlder { witness: anchor(), expected: 7, found: 6 },
                ],
            ),
            (
                Evidence { standing: standing(6, 1), head: None, ..evidence() },
                vec![Break::DatabaseOlder { witness: anchor(), expected: 7, found: 6 }],
            ),
            (
                Evidence { standing: standing(7, 2), anchors: Vec::new(), ..evidence() },
                vec![Break::DatabaseOther { witness: Witness::AuditLog, version: 7 }],
            ),
            (
                Evidence { logs: log(Continuity::Behind { found_sequence: 3 }), ..evidence() },
                vec![Break::LogOlder { witness: witness(), expected: 5, found: 3 }],
            ),
            (Evidence { logs: log(Continuity::Rewritten), ..evidence() }, vec![Break::LogOther { witness: witness() }]),
            (
                Evidence { logs: log(Continuity::OtherJournal), ..evidence() },
                vec![Break::LogOther { witness: witness() }],
            ),
            (
                Evidence { logs: log(Continuity::Missing), head: None, ..evidence() },
                vec![Break::LogMissing { witness: witness() }],
            ),
            (
                Evidence { anchors: vec![(PathBuf::from("/a"), None)], ..evidence() },
                vec![Break::AnchorMissing { path: PathBuf::from("/a") }],
            ),
        ] {
            assert_eq!(found.breaks(), expect);
        }
    }

    #[test]
    fn a_retired_record_proves_nothing_and_refuses_nothing() {
        let retired = Evidence { logs: vec![(Witness::Database, Continuity::Retired, end(5))], ..evidence() };
        assert!(retired.breaks().is_empty());
    }
}

//! `sealstack rollback`: what to do when the server says that something was put back.

use std::path::PathBuf;

use blobs::BlobReport;
use clap::{Args, Subcommand};
use server::ServerError;
use server::blob_place;
use server::config::{AuditSettings, Place, SealConfig, SealSettings};
use server::data_dir::{DataDir, Layout};
use server::rollback::{self, Found};

use crate::failure::Failure;
use crate::{paths, print};

/// Show or accept that the database or the audit log is not what it was when the server stopped
///
/// Database, audit log and anchors say of each other where they stood. When one of them is older than another saw it, or
/// rows of the database are not those that were last written, the server does not start: a deleted access key could be
/// back, or a change gone.
///
/// Whoever put the whole data directory back is found only by what lies elsewhere: an anchor file on another disk
/// (serve --audit-anchor-file), or the end of the audit log (audit verify --expect).
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say what does not go on from where it was left
    Show(Show),
    /// Take everything as it is and go on; the audit log says who did that, and why (while the server is stopped)
    Accept(Accept),
}

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    seal: SealSettings,

    #[command(flatten)]
    audit: AuditSettings,
}

#[derive(Args)]
pub(crate) struct Accept {
    #[command(flatten)]
    seal: SealSettings,

    #[command(flatten)]
    audit: AuditSettings,

    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Command {
    pub(crate) fn run(self, place: &Place) -> Result<(), Failure> {
        let (data, file, mut reads) = paths::resolve(place)?;
        server::log::start(&file.log).map_err(ServerError::from)?;
        let layout = Layout::new(data.clone());
        match self {
            Self::Show(Show { seal, audit }) => {
                let (seal, anchor) = (SealConfig::from(seal.over(file.seal)), audit.over(file.audit).anchor_file);
                paths::apart(&layout, &seal, &mut reads)?;
                print_found(&rollback::show(&layout, &seal, anchor.as_deref())?, "")?;
            }
            Self::Accept(Accept { seal, audit, reason }) => {
                let (seal, anchor) = (SealConfig::from(seal.over(file.seal)), audit.over(file.audit).anchor_file);
                let mut writes = paths::apart(&layout, &seal, &mut reads)?;
                anchor.iter().try_for_each(|anchor| writes.add("anchor", anchor, &reads))?;
                let found = rollback::accept(&DataDir::open(&data)?, &seal, anchor.as_deref(), &reason)?;
                print_found(&found, "accepted: ")?;
            }
        }
        Ok(())
    }
}

fn print_found(found: &Found, before: &str) -> Result<(), ServerError> {
    if found.is_empty() {
        return print("Everything goes on from where it was left.\n");
    }
    found.texts().iter().try_for_each(|text| print(&format!("{before}{text}\n")))
}

/// Check the database, the audit log, and that both belong together
///
/// Opens every record, compares every row with what was last written, verifies the audit log from beginning to end, counts
/// its records of changes, compares both with the anchors, and opens every blob. Works while the server runs, and when it is stopped.
#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    seal: SealSettings,

    /// Another anchor to compare with, such as a copy from another host
    #[arg(long, value_name = "FILE")]
    anchor_file: Option<PathBuf>,
}

impl Check {
    pub(crate) fn run(self, place: &Place) -> Result<(), Failure> {
        let (data, file, mut reads) = paths::resolve(place)?;
        server::log::start(&file.log).map_err(ServerError::from)?;
        let (layout, seal) = (Layout::new(data), SealConfig::from(self.seal.over(file.seal)));
        paths::apart(&layout, &seal, &mut reads)?;
        let anchor = self.anchor_file.or(file.audit.anchor_file);
        let location = blob_place::location(&layout, file.blobs.as_deref())?;
        let checked = rollback::check(&layout, &seal, anchor.as_deref(), &location)?;
        let database = checked.database;
        let (recorded, waiting) = (checked.changes.recorded, checked.changes.waiting);
        print(&format!(
            "database: intact, {} records, {} keys, {} indexes with {} entries\naudit log: intact, {} records\n\
             changes: {recorded}, each with its record{}\n",
            database.records,
            database.keys,
            database.indexes,
            database.entries,
            checked.audit.records,
            if waiting > 0 { format!(", {waiting} of which wait in the database") } else { String::new() }
        ))?;
        checked.blobs.iter().try_for_each(print_blobs)?;
        Ok(())
    }
}

fn print_blobs(report: &BlobReport) -> Result<(), ServerError> {
    report.faulty.iter().try_for_each(|faulty| print(&format!("{faulty}\n")))?;
    report.unreferenced.iter().try_for_each(|id| print(&format!("nothing refers to blob {id}\n")))?;
    if !report.is_intact() {
        return Err(ServerError::DamagedBlobs { damaged: report.faulty.len() });
    }
    let (intact, bytes) = (report.intact, report.plaintext_bytes);
    print(&format!("blobs: intact, {intact} blobs of {bytes} bytes\n"))?;
    match report.unopened {
        0 => Ok(()),
        count => {
            print(&format!("{count} blobs of repositories and buckets are there: only callers can open their keys\n"))
        }
    }
}

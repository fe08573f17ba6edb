//! `sealstack backup`: one file with everything that a server keeps but the secret that opens it.

use std::io::{BufWriter, ErrorKind, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Args;
use server::ServerError;
use server::backup::{self, Made};
use server::blob_place;
use server::config::{Place, SealConfig, SealSettings};
use server::data_dir::Layout;
use wire::shown_path;

use crate::batch::{Directory, Draft, Progress};
use crate::failure::Failure;
use crate::{paths, print};

/// Back up the data directory into one file
///
/// Works while the server runs, which goes on serving, and when it is stopped. Everything that was acknowledged before is in
/// the backup: keys, policies, people, and the audit log. What is secret in it is sealed as in the data directory, so the
/// backup is of no use to anybody without the root seal: keep the key file, the passphrase or the shares elsewhere, and not
/// beside the backup. Neither a key file nor aws/credentials is in it.
///
/// Blobs are in it as well, unless the setting `blobs` puts them into another directory or a bucket: then the backup says
/// where, and whoever keeps that place has to keep what lies there at least as long as the backup.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Backup {
    /// File to make; - is standard output
    file: PathBuf,

    /// Replace the file if it is there; never one that belongs to the data directory or opens its root seal
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    seal: SealSettings,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack backup /mnt/backups/sealstack-$(date +%F).tar
  sealstack backup - | ssh elsewhere 'cat > sealstack.tar'
  sealstack restore sealstack.tar --check";

impl Backup {
    pub(crate) fn run(self, place: &Place) -> Result<(), Failure> {
        let (data, file, mut reads) = paths::resolve(place)?;
        server::log::start(&file.log).map_err(ServerError::from)?;
        let seal = SealConfig::from(self.seal.over(file.seal));
        let layout = Layout::new(data.clone());
        let blobs = blob_place::location(&layout, file.blobs.as_deref())?;
        let provider_keys = std::fs::read_dir(layout.provider_keys()).into_iter().flatten().flatten();
        provider_keys.for_each(|entry| reads.add("identity provider's keys", &entry.path()));
        let mut writes = paths::apart(&layout, &seal, &mut reads)?;
        if self.file == Path::new("-") {
            if std::io::stdout().is_terminal() {
                return Err(ServerError::NoOutput.into());
            }
            let mut out = BufWriter::new(std::io::stdout().lock());
            make(&data, &seal, &blobs, &mut out)?;
            return Ok(());
        }
        // Reported now rather than after all the work, and checked again at its end.
        if !self.overwrite && self.file.exists() {
            return Err(ServerError::Exists { path: self.file }.into());
        }
        writes.add("backup", &self.file, &reads)?;
        let failed = |cause| ServerError::Io { action: "write", path: self.file.clone(), cause };
        let directory = self.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = self.file.file_name().ok_or_else(|| failed(ErrorKind::InvalidFilename.into()))?;
        let directory = Directory::open(directory).map_err(failed)?;
        let draft = Draft::create(&directory, true).map_err(failed)?;
        let made = make(&data, &seal, &blobs, &mut BufWriter::with_capacity(1 << 20, draft.file()))?;
        draft.sync().map_err(failed)?;
        if !draft.publish(name, self.overwrite).map_err(failed)? {
            return Err(ServerError::Exists { path: self.file.clone() }.into());
        }
        directory.sync().map_err(failed)?;
        print(&format!(
            "{}: {} files, {} bytes. It opens with the root seal alone: keep that elsewhere.\n",
            shown_path(&self.file),
            made.files,
            made.bytes
        ))?;
        Ok(())
    }
}

fn make(
    data: &Path,
    seal: &SealConfig,
    location: &blobs::Location,
    out: &mut impl std::io::Write,
) -> Result<Made, ServerError> {
    let progress = Progress::new(true);
    let (mut before, mut expected) = (0, 0);
    let made = backup::create(data, seal, location, out, &mut |done, total| {
        let total = total.unwrap_or_default();
        progress.expect(total - expected);
        progress.advance(done - before);
        (before, expected) = (done, total);
    });
    progress.end();
    made
}

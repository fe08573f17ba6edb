//! `sealstack restore`: a data directory from a backup, or the proof that there could be one.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use server::ServerError;
use server::backup;
use server::config::{Place, SealConfig, SealSettings};
use server::data_dir::Layout;
use wire::shown_path;

use crate::batch::Progress;
use crate::failure::Failure;
use crate::{paths, print};

/// Restore a backup into a new data directory
///
/// All of the backup is verified before anything appears there: each file against the list in the backup, the list against
/// the key of the server that made it, the database and the whole audit log under their keys. That takes the root seal of
/// the time when the backup was made: its key file, given with --seal-file, its passphrase, or its shares.
///
/// The administrator's access key is in no backup: `sealstack admin recover` makes another.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Restore {
    /// Backup to restore; - is standard input
    file: PathBuf,

    /// Verify the backup, and keep nothing
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    seal: SealSettings,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack restore sealstack.tar --data /var/lib/sealstack --seal-file /mnt/keys/root.key
  sealstack restore sealstack.tar --check --seal-file /mnt/keys/root.key
  ssh elsewhere 'cat sealstack.tar' | sealstack restore - --seal-file /mnt/keys/root.key";

impl Restore {
    pub(crate) fn run(self, place: &Place) -> Result<(), Failure> {
        let (data, file, mut reads) = paths::resolve(place)?;
        server::log::start(&file.log).map_err(ServerError::from)?;
        let seal = SealConfig::from(self.seal.over(file.seal));
        reads.add("backup", &self.file);
        paths::apart(&Layout::new(data.clone()), &seal, &mut reads)?;
        let failed = |cause| ServerError::Io { action: "read", path: self.file.clone(), cause };
        let (mut from, length): (Box<dyn Read>, u64) = if self.file == Path::new("-") {
            (Box::new(std::io::stdin().lock()), 0)
        } else {
            let file = File::open(&self.file).map_err(failed)?;
            let length = file.metadata().map_err(failed)?.len();
            (Box::new(BufReader::with_capacity(1 << 20, file)), length)
        };
        let progress = Progress::new(length > 0);
        progress.expect(length);
        let mut before = 0;
        let restored = backup::restore(&mut from, &data, &seal, self.check, &mut |done, _| {
            progress.advance(done - before);
            before = done;
        });
        progress.end();
        let restored = restored?;
        let mut what = format!(
            "made at {}: {} files, {} bytes, an intact audit log of {} records",
            restored.made, restored.files, restored.bytes, restored.records
        );
        if restored.blobs > 0 {
            what.push_str(&format!(", {} intact blobs", restored.blobs));
        }
        if let Some(place) = &restored.blobs_elsewhere {
            what.push_str(&format!("; its blobs lie in {place} and were not looked at: `sealstack check` does"));
        }
        if self.check {
            print(&format!("The backup is whole and genuine, {what}.\n"))?;
            return Ok(());
        }
        print(&format!(
            "Restored {what}, to {data}.\n\nNext:\n  sealstack admin recover --data '{data}'   a new access key for an administrator\n  \
             sealstack serve --data '{data}'\n",
            data = shown_path(&data)
        ))?;
        Ok(())
    }
}

//! `sealstack backup`: one file with everything that a server keeps but the secret that opens it.

use std::io::{BufWriter, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Args;
use server::ServerError;
use server::backup::{self, Made};
use server::config::{Place, SealConfig, SealSettings};

use crate::batch::{Draft, Progress};
use crate::print;

/// Back up the data directory into one file
///
/// Works while the server runs, which goes on serving, and when it is stopped. Everything that was acknowledged before is in
/// the backup: keys, policies, people, and the audit log. What is secret in it is sealed as in the data directory, so the
/// backup is of no use to anybody without the root seal: keep the key file, the passphrase or the shares elsewhere, and not
/// beside the backup. Neither a key file nor aws/credentials is in it.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Backup {
    /// File to make; - is standard output
    file: PathBuf,

    /// Replace the file if it is there
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
    pub(crate) fn run(self, place: Place) -> Result<(), ServerError> {
        let (data, file) = place.resolve()?;
        server::log::start(&file.log)?;
        let seal = SealConfig::from(self.seal.over(file.seal));
        if self.file == Path::new("-") {
            if std::io::stdout().is_terminal() {
                return Err(ServerError::NoOutput);
            }
            let mut out = BufWriter::new(std::io::stdout().lock());
            return make(&data, &seal, &mut out).map(|_| ());
        }
        // Told now rather than after all the work, and seen to again at its end.
        if !self.overwrite && self.file.exists() {
            return Err(ServerError::Exists { path: self.file });
        }
        let failed = |cause| ServerError::Io { action: "write", path: self.file.clone(), cause };
        let directory = self.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let draft = Draft::create(directory, true).map_err(failed)?;
        let made = make(&data, &seal, &mut BufWriter::with_capacity(1 << 20, draft.file()))?;
        draft.sync().map_err(failed)?;
        let directory = draft.directory().to_owned();
        if !draft.publish(&self.file, self.overwrite).map_err(failed)? {
            return Err(ServerError::Exists { path: self.file });
        }
        std::fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
        print(&format!(
            "{}: {} files, {} bytes. It opens with the root seal alone: keep that elsewhere.\n",
            self.file.display(),
            made.files,
            made.bytes
        ))
    }
}

fn make(data: &Path, seal: &SealConfig, out: &mut impl std::io::Write) -> Result<Made, ServerError> {
    let progress = Progress::new(true);
    let (mut before, mut expected) = (0, 0);
    let made = backup::create(data, seal, out, &mut |done, total| {
        let total = total.unwrap_or_default();
        progress.expect(total - expected);
        progress.advance(done - before);
        (before, expected) = (done, total);
    });
    progress.end();
    made
}

//! `sealstack seal`: what the root seal is, and replacing it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use server::ServerError;
use server::config::{Place, SealConfig, SealKind, SealSettings};
use server::data_dir::{DataDir, Layout};
use server::lasting;

use crate::print;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say how the root key is sealed
    Status,
    /// Replace the root key and its seal by new ones
    Rotate(Rotate),
}

/// Replace the root key and its seal by new ones
///
/// Every key in the database is wrapped anew, all at once; ciphertexts and data stay as they are. The server has to be
/// stopped. Should the machine fail meanwhile, the next start finishes the rotation with either seal.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Rotate {
    #[command(flatten)]
    current: SealSettings,

    /// Kind of the new seal [default: as it is]
    #[arg(long = "new-seal", value_name = "KIND", help_heading = "New root seal")]
    kind: Option<SealKind>,

    /// Key file of the new seal [default: the same place, or seal/root.key in the data directory]
    #[arg(long = "new-seal-file", value_name = "FILE", help_heading = "New root seal")]
    file: Option<PathBuf>,

    /// File that holds the new passphrase; otherwise the variable SEALSTACK_NEW_SEAL_PASSPHRASE does
    #[arg(long = "new-seal-passphrase-file", value_name = "FILE", help_heading = "New root seal")]
    passphrase_file: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack seal rotate
  sealstack seal rotate --new-seal-file /mnt/keys/root.key
  SEALSTACK_NEW_SEAL_PASSPHRASE=... sealstack seal rotate --new-seal passphrase";

impl Command {
    pub(crate) fn run(self, place: Place) -> Result<(), ServerError> {
        let (data, file) = place.resolve()?;
        match self {
            Self::Status => status(Layout::new(data)),
            Self::Rotate(rotate) => {
                server::log::start(&file.log)?;
                rotate.run(&DataDir::open(&data)?, file.seal)
            }
        }
    }
}

fn status(layout: Layout) -> Result<(), ServerError> {
    let status = seal::status(&layout.seal())?;
    let status = status.ok_or_else(|| ServerError::NoData { path: layout.root().to_owned() })?;
    let rotating = if status.rotating { "\na rotation was interrupted; the next start finishes it" } else { "" };
    print(&format!(
        "sealed by a {}\nroot key {}, generation {}{rotating}\n",
        status.kind, status.root_key_id, status.generation
    ))
}

impl Rotate {
    fn run(self, data: &DataDir, file: SealSettings) -> Result<(), ServerError> {
        let current = SealConfig::from(self.current.over(file));
        let next = SealConfig { kind: self.kind, file: self.file, passphrase_file: self.passphrase_file };
        let opened = lasting::rotate_root(data, &current, &next)?;
        print(&format!(
            "The root key is {} now, generation {}, sealed by a {}.\n",
            opened.root.id(),
            opened.generation,
            opened.kind
        ))
    }
}

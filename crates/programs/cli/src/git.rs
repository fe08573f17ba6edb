//! `sealstack git`: repositories as a whole, brought in, taken out, verified and maintained, on the server's host.
//!
//! The commands act through the running server's admin socket, and for the caller whose access key the profile has.

mod caller;
mod export;
mod fetch;
mod import;
mod maintain;
mod progress;
mod push;
mod source;
mod verify;

use clap::Subcommand;
use server::config::Place;

use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a repository of one that is elsewhere: a directory, or a URL that git understands
    Import(import::Import),
    /// Write a repository into a directory, as a bare repository of git's
    Export(export::Export),
    /// Read all of a repository again, and compare it with its hashes
    Verify(verify::Verify),
    /// Make one pack of a repository's many, and let go of what nothing leads to any more
    Maintain(maintain::Maintain),
}

impl Command {
    pub(crate) fn run(self, place: Place) -> Result<(), Failure> {
        match self {
            Self::Import(import) => import.run(place),
            Self::Export(export) => export.run(place),
            Self::Verify(verify) => verify.run(place),
            Self::Maintain(maintain) => maintain.run(place),
        }
    }
}

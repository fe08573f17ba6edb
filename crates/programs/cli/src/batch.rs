//! Many inputs, each worked on and published by itself: a failure is reported, and the others go on.
//!
//! Owns where inputs come from, where outputs go, threads, progress and records. What is done with an input is an
//! [`Operation`]'s.

mod base64;
mod directory;
mod draft;
mod finding;
mod inputs;
mod progress;
mod publisher;
mod queue;
mod record;
mod small;
mod target;
mod work;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use clap::Args;
pub(crate) use directory::Directory;
pub(crate) use draft::Draft;
pub(crate) use inputs::{Found, found};
pub(crate) use progress::{Progress, complain};
pub(crate) use record::header;
pub(crate) use work::{Input, Operation, Output, Worked, run};

use crate::failure::Failure;

/// How many inputs are worked on at a time at most, unless more are asked for.
const PARALLEL_MAX_DEFAULT: usize = 8;

/// Where inputs come from and outputs go.
#[derive(Args)]
#[command(next_help_heading = "Inputs and outputs")]
pub(crate) struct Files {
    /// Files, directories (with --recursive), patterns such as 'logs/*.gz', or '-' for standard input
    #[arg(short, long, required = true, num_args = 1.., value_name = "PATH")]
    pub(crate) input: Vec<PathBuf>,

    /// File, existing directory, or '-' for standard output
    ///
    /// A file gets its name once it is complete and verified, and never before: whatever interrupts the command leaves
    /// nothing half-written. A file that is there is replaced, unless --no-overwrite or --interactive is given; one
    /// that the command reads is not. In an output directory and below it, links are not followed: outputs that would
    /// go through one fail.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,

    /// Work on directories and all that is in them; links to directories are not followed
    #[arg(short, visible_short_alias = 'R', long)]
    pub(crate) recursive: bool,

    /// Ending that names in an output directory get [default: .encrypted, .decrypted or .reencrypted]; none without a
    /// value
    #[arg(long, value_name = "SUFFIX", num_args = 0..=1, default_missing_value = "")]
    pub(crate) suffix: Option<String>,

    /// Ending that names in an output directory lose first, such as .encrypted
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) strip_suffix: Option<String>,

    /// How many inputs are worked on at a time [default: one for each core, two to eight; of short ones sixteen times
    /// as many, which wait for the key service together]
    #[arg(long, value_name = "N")]
    pub(crate) parallel: Option<NonZeroUsize>,

    /// Skip inputs whose output is there
    #[arg(long, conflicts_with = "interactive")]
    pub(crate) no_overwrite: bool,

    /// Ask before a file is replaced
    #[arg(long)]
    pub(crate) interactive: bool,

    /// Do not wait until outputs are on the disk; they may be lost when the machine fails
    #[arg(long)]
    pub(crate) no_sync: bool,

    /// Decode inputs from Base64
    #[arg(long)]
    pub(crate) decode: bool,

    /// Encode outputs as Base64
    #[arg(long)]
    pub(crate) encode: bool,

    /// File to append a line of JSON to for each output, or '-' for standard output
    ///
    /// It can't be what the command reads, or its output. In an input directory it is left out of the inputs; what is
    /// there already and holds anything else than such lines is refused.
    #[arg(long, value_name = "FILE", conflicts_with = "suppress_metadata")]
    pub(crate) metadata_output: Option<PathBuf>,

    /// Replace the metadata file instead of appending to it
    #[arg(long, requires = "metadata_output")]
    pub(crate) overwrite_metadata: bool,

    /// Write no metadata, which is the default
    #[arg(short = 'S', long)]
    pub(crate) suppress_metadata: bool,

    /// Show no progress, and say nothing of inputs that are skipped
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl Files {
    /// How many inputs are worked on at a time.
    fn parallel(&self) -> usize {
        let usual = || cores().clamp(2, PARALLEL_MAX_DEFAULT);
        self.parallel.map_or_else(usual, NonZeroUsize::get)
    }

    fn check(&self) -> Result<(), Failure> {
        let stdout = |path: &std::path::Path| path.as_os_str() == "-";
        if stdout(&self.output) && self.metadata_output.as_deref().is_some_and(stdout) {
            return Err(Failure::Usage("output and metadata can't both go to standard output".to_owned()));
        }
        if self.input.iter().filter(|path| stdout(path)).count() > 1 {
            return Err(Failure::Usage("standard input can be read once only".to_owned()));
        }
        Ok(())
    }
}

/// How many cores there are for this process. Asked once: the answer takes reading files.
pub(crate) fn cores() -> usize {
    static CORES: LazyLock<usize> = LazyLock::new(|| available_parallelism().map_or(1, NonZeroUsize::get));
    *CORES
}

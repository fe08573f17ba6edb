//! `sealstack git verify`: whether every object of a repository is what its hash says, and whether all are there.

use clap::Args;
use server::config::Place;
use wire::shown;

use super::caller::CallerSettings;
use super::progress::Progress;
use crate::failure::Failure;
use crate::print;

/// Read all of a repository again, and compare it with its hashes
///
/// Opens every pack, hashes every object anew, and looks whether all is there that objects and references lead to. Changes
/// nothing.
///
/// Works on the host of the running server, for the access key of a profile, which needs codecommit:VerifyRepository and
/// the use of the repository's KMS key. (`sealstack check` compares the sealed files of all repositories without keys.)
#[derive(Args)]
#[command(after_long_help = "Examples:\n  sealstack git verify webshop")]
pub(crate) struct Verify {
    /// Name of the repository
    name: String,

    #[command(flatten)]
    caller: CallerSettings,
}

impl Verify {
    pub(crate) fn run(self, place: Place) -> Result<(), Failure> {
        let Self { name, caller } = self;
        let caller = caller.find(place)?;
        let progress = Progress::new("Verifying");
        let signed = caller.sign("verify", &name)?;
        let verified =
            caller.server.verify_repository(&signed, &name, &mut |_, done, of| progress.at("Verifying", done, of));
        progress.end();
        let verified = verified?;
        for fault in &verified.faults {
            print(&format!("{fault}\n"))?;
        }
        if !verified.faults.is_empty() {
            return Err(Failure::DamagedRepository { name: shown(&name).to_string(), faults: verified.faults.len() });
        }
        print(&format!(
            "{}: intact, {} objects in {} packs, {} references\n",
            shown(&name),
            verified.objects,
            verified.packs,
            verified.references
        ))?;
        Ok(())
    }
}

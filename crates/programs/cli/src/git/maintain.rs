//! `sealstack git maintain`: what the server does by itself in the background, now and wholly.

use clap::Args;
use server::admin::MaintainedRepository;
use server::config::Place;
use wire::shown;

use super::caller::{Caller, CallerSettings};
use super::progress::Progress;
use crate::failure::Failure;
use crate::print;

/// Make one pack of a repository's many, and let go of what nothing leads to any more
///
/// The server maintains repositories by itself after they were used; this does all of it now. Objects that no reference
/// leads to are put aside, and go after 14 days. Readers and pushes are not hindered.
///
/// Works on the host of the running server, for the access key of a profile, which needs codecommit:MaintainRepository
/// and the use of the repositories' KMS keys, and with --all codecommit:ListRepositories.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  sealstack git maintain webshop\n  sealstack git maintain --all")]
pub(crate) struct Maintain {
    /// Name of the repository
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,

    /// All repositories of the account in the Region
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    caller: CallerSettings,
}

impl Maintain {
    pub(crate) fn run(self, place: Place) -> Result<(), Failure> {
        let Self { name, caller, .. } = self;
        let caller = caller.find(place)?;
        if let Some(name) = name {
            return maintain(&caller, &name);
        }
        let names = caller.server.repositories(&caller.sign("list", "")?)?;
        let (inputs, mut failed) = (names.len() as u64, 0);
        for name in names {
            // One that cannot be maintained hinders no other.
            if let Err(error) = maintain(&caller, &name) {
                failed += 1;
                print(&format!("{}: {error}\n", shown(&name)))?;
            }
        }
        if failed > 0 { Err(Failure::Inputs { failed, inputs }) } else { Ok(()) }
    }
}

fn maintain(caller: &Caller, name: &str) -> Result<(), Failure> {
    let progress = Progress::new("Maintaining");
    let signed = caller.sign("maintain", name)?;
    let told = &mut |stage: &str, done, of| progress.at(&format!("{}: {stage}", shown(name)), done, of);
    let maintained = caller.server.maintain_repository(&signed, name, told);
    progress.end();
    let words = match maintained? {
        MaintainedRepository { replaced: 0, dropped: 0, .. } => "nothing to do".to_owned(),
        MaintainedRepository { replaced, written, dropped } => {
            let packs = |count| if count == 1 { "1 pack".to_owned() } else { format!("{count} packs") };
            format!("{} became {}, {dropped} objects went for good", packs(replaced), packs(written))
        }
    };
    print(&format!("{}: {words}\n", shown(name)))?;
    Ok(())
}

//! `sealstack admin`: the way back in for whoever has the host but no administrator any more.

use clap::{Args, Subcommand};
use server::config::{Place, SealSettings};
use server::operator;
use wire::shown_path;

use crate::account::open;
use crate::failure::Failure;
use crate::print;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a new administrator with an access key
    Recover(Recover),
}

/// Make a new administrator with an access key
///
/// The access key goes into a profile of aws/credentials. Nothing that is there is changed otherwise: users, keys and
/// policies stay, and so does a service control policy that limits the account. The server has to be stopped.
#[derive(Args)]
#[command(
    after_long_help = "Examples:\n  sealstack admin recover\n  sealstack admin recover --account staging --profile staging-admin"
)]
pub(crate) struct Recover {
    /// Id or name of the account [default: the only one]
    #[arg(long)]
    account: Option<String>,

    /// Profile for the access key; an access key that it has is replaced
    #[arg(long, default_value = "recovered")]
    profile: String,

    #[command(flatten)]
    seal: SealSettings,
}

impl Command {
    pub(crate) fn run(self, place: &Place) -> Result<(), Failure> {
        let Self::Recover(Recover { account, profile, seal }) = self;
        let (data, seal) = open(place, seal, None)?;
        let made = operator::recover(&data, &seal, account.as_deref(), &profile)?;
        print(&format!(
            "Made {}. Its access key is the profile {} in {}.\n",
            made.arn,
            made.name,
            shown_path(&data.layout().aws_credentials())
        ))?;
        Ok(())
    }
}

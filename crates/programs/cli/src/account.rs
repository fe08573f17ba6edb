//! `sealstack account`: the accounts of a server, and the service control policies that limit them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use server::ServerError;
use server::config::{Place, SealConfig, SealSettings};
use server::data_dir::{DataDir, Layout};
use server::operator;
use wire::{shown_json, shown_path};

use crate::failure::Failure;
use crate::{paths, print, print_exactly};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an account, and put its root user's access key into aws/credentials
    Create(Create),
    /// List the accounts
    List(List),
    /// Limit what everybody in an account may do
    #[command(subcommand)]
    Scp(Scp),
}

/// Make an account, and put its root user's access key into aws/credentials
///
/// The access key's profile has the account's name. The server has to be stopped.
#[derive(Args)]
#[command(
    after_long_help = "Examples:\n  sealstack account create staging\n  AWS_PROFILE=staging aws iam create-user --user-name ana"
)]
pub(crate) struct Create {
    /// Name of the account: up to 50 letters, digits, '-', '_' and '.'
    name: String,

    #[command(flatten)]
    seal: SealSettings,
}

/// List the accounts
///
/// Each line has an account's id and its name. The server has to be stopped.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    seal: SealSettings,
}

/// Limit what everybody in an account may do
///
/// A service control policy allows nothing by itself: what it does not allow, nobody in the account may do, its root
/// user included. An account without one is not limited. The server has to be stopped.
#[derive(Subcommand)]
pub(crate) enum Scp {
    /// Limit an account by the policy in a file
    Set {
        /// Id or name of the account
        account: String,
        /// File with the policy, JSON
        file: PathBuf,
        #[command(flatten)]
        seal: SealSettings,
    },
    /// Print the policy that limits an account
    Show {
        /// Id or name of the account
        account: String,
        #[command(flatten)]
        seal: SealSettings,
    },
    /// Take an account's limits away
    Clear {
        /// Id or name of the account
        account: String,
        #[command(flatten)]
        seal: SealSettings,
    },
}

/// The directory, to itself, and the seal that opens it. `policy` is a file that is read as well.
pub(crate) fn open(place: &Place, seal: SealSettings, policy: Option<&Path>) -> Result<(DataDir, SealConfig), Failure> {
    let (data, file, mut reads) = paths::resolve(place)?;
    server::log::start(&file.log).map_err(ServerError::from)?;
    let seal = SealConfig::from(seal.over(file.seal));
    policy.into_iter().for_each(|path| reads.add("policy", path));
    paths::apart(&Layout::new(data.clone()), &seal, &mut reads)?;
    Ok((DataDir::open(&data)?, seal))
}

impl Command {
    pub(crate) fn run(self, place: &Place) -> Result<(), Failure> {
        match self {
            Self::Create(Create { name, seal }) => {
                let (data, seal) = open(place, seal, None)?;
                let made = operator::create_account(&data, &seal, &name)?;
                print(&format!(
                    "Made the account {}. Its root user's access key is the profile {} in {}.\n",
                    made.account,
                    made.name,
                    shown_path(&data.layout().aws_credentials())
                ))?;
                Ok(())
            }
            Self::List(List { seal }) => {
                let (data, seal) = open(place, seal, None)?;
                for account in operator::accounts(&data, &seal)? {
                    print(&format!("{}  {}\n", account.id, account.name.as_deref().unwrap_or("-")))?;
                }
                Ok(())
            }
            Self::Scp(scp) => scp.run(place),
        }
    }
}

impl Scp {
    fn run(self, place: &Place) -> Result<(), Failure> {
        match self {
            Self::Set { account, file, seal } => {
                let (data, seal) = open(place, seal, Some(&file))?;
                operator::set_service_control(&data, &seal, &account, &file)?;
                print(&format!("The account {account} is limited now.\n"))?;
            }
            Self::Show { account, seal } => {
                let (data, seal) = open(place, seal, None)?;
                match operator::service_control(&data, &seal, &account)? {
                    Some(document) => print_exactly(&format!("{}\n", shown_json(&document)))?,
                    None => print(&format!("Nothing limits the account {account}.\n"))?,
                }
            }
            Self::Clear { account, seal } => {
                let (data, seal) = open(place, seal, None)?;
                if operator::clear_service_control(&data, &seal, &account)? {
                    print(&format!("Nothing limits the account {account} any more.\n"))?;
                } else {
                    print(&format!("Nothing limited the account {account}.\n"))?;
                }
            }
        }
        Ok(())
    }
}

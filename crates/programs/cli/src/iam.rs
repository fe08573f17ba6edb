//! `sealstack iam`: why somebody may or may not do something.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use server::ServerError;
use server::config::{Place, SealConfig, SealSettings};
use server::data_dir::Layout;
use server::explain::{self, Question};

use crate::failure::Failure;
use crate::{paths, print};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say whether somebody may do something, and which statement of which policy decides it
    Explain(Explain),
}

/// Say whether somebody may do something, and which statement of which policy decides it
///
/// Weighs everything that a call would meet: service control policies, the permissions boundary, the session's policy,
/// identity-based policies, and for KMS keys and roles their own policies and grants. Nothing is called. Works while the
/// server runs, and when it is stopped.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Explain {
    /// ARN of the caller: a user, a role, a role's session, or an account's root user
    #[arg(long = "as", value_name = "ARN")]
    caller: String,

    /// Action, such as kms:Decrypt
    #[arg(long)]
    action: String,

    /// ARN of the resource
    #[arg(long, value_name = "ARN", default_value = "*")]
    resource: String,

    /// Condition key of the request and its value; may be repeated, the same key for several values
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,

    /// File with a policy, JSON, that limits the role's session
    #[arg(long, value_name = "FILE")]
    session_policy: Option<PathBuf>,

    #[command(flatten)]
    seal: SealSettings,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack iam explain --as arn:aws:iam::111122223333:user/ana --action iam:CreateUser
  sealstack iam explain --as arn:aws:iam::111122223333:role/Deploy --action kms:Decrypt \\
    --resource arn:aws:kms:us-east-1:111122223333:key/1234abcd-… --context kms:EncryptionContext:purpose=backup";

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a condition key and its value, such as aws:SourceIp=192.0.2.1")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Command {
    pub(crate) fn run(self, place: &Place) -> Result<(), Failure> {
        let Self::Explain(Explain { caller, action, resource, context, session_policy, seal }) = self;
        let (data, file, mut reads) = paths::resolve(place)?;
        server::log::start(&file.log).map_err(ServerError::from)?;
        let (layout, seal) = (Layout::new(data), SealConfig::from(seal.over(file.seal)));
        session_policy.iter().for_each(|path| reads.add("policy", path));
        paths::apart(&layout, &seal, &mut reads)?;
        let session_policy = match session_policy {
            Some(path) => {
                Some(std::fs::read_to_string(&path).map_err(|cause| ServerError::Io { action: "read", path, cause })?)
            }
            None => None,
        };
        let question = Question { caller, action, resource, session_policy, context };
        print(&explain::explain(&layout, &seal, &question)?)?;
        Ok(())
    }
}

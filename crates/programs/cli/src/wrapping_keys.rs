//! `--wrapping-keys`: which keys wrap data keys and open them, in the form of `aws-encryption-cli`, and raw keys beside.
//!
//! Each use of the flag is one group of `name=value`. What a group means is in the files below.

mod group;
mod key_services;
mod raw;

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};
use envelope::{Keyring, MultiKeyring};
use group::Group;
pub(crate) use key_services::KeyServices;

use crate::failure::Failure;
use crate::paths::Reads;

/// The purpose of keyrings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Encrypt,
    Decrypt,
}

/// The wrapping keys of a command.
pub(crate) struct WrappingKeys(Vec<Group>);

/// The wrapping keys of re-encrypted messages.
pub(crate) struct NewWrappingKeys(pub(crate) WrappingKeys);

const HELP: &str = "Wrapping keys, as name=value pairs; may be given several times";

const LONG_HELP: &str = "\
Wrapping keys, as name=value pairs; may be given several times

KMS keys:
  key=ARN|ALIAS|ID      the key; several may follow each other
  region=REGION         where a key is that is not named by an ARN
  profile=NAME          profile of the shared configuration to call KMS with
  discovery=true        to decrypt: whatever KMS key the message names …
  discovery-account=ID  … of these accounts only; with
  discovery-partition=P … partition, aws as a rule
Raw keys from a file:
  provider=raw-aes namespace=NAME name=NAME file=FILE [encoding=raw|hex|base64]
  provider=raw-rsa namespace=NAME name=NAME file=PEM
                        [padding=oaep-sha256|oaep-sha384|oaep-sha512|oaep-sha1|pkcs1]

The first key makes data keys when encrypting, and every key wraps them, so that each alone opens the message.";

fn augment(command: Command, name: &'static str, short: Option<char>, help: &'static str) -> Command {
    let argument = Arg::new(name)
        .long(name)
        .help(help)
        .long_help(if short.is_some() { LONG_HELP } else { help })
        .value_name("NAME=VALUE")
        .num_args(1..)
        .action(ArgAction::Append)
        .required(true);
    command.arg(match short {
        Some(short) => argument.short(short),
        None => argument,
    })
}

fn read(matches: &ArgMatches, name: &str) -> Result<WrappingKeys, clap::Error> {
    let groups: Result<Vec<Group>, String> = matches
        .get_occurrences::<String>(name)
        .into_iter()
        .flatten()
        .map(|pairs| Group::parse(pairs.map(String::as_str)))
        .collect();
    let wrong = |reason| clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("--{name}: {reason}\n"));
    Ok(WrappingKeys(groups.map_err(wrong)?))
}

macro_rules! arguments {
    ($type:ty, $name:literal, $short:expr, $help:expr, $wrap:expr) => {
        impl clap::Args for $type {
            fn augment_args(command: Command) -> Command {
                augment(command, $name, $short, $help)
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }

        impl FromArgMatches for $type {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                read(matches, $name).map($wrap)
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

arguments!(WrappingKeys, "wrapping-keys", Some('w'), HELP, std::convert::identity);
arguments!(
    NewWrappingKeys,
    "new-wrapping-keys",
    None,
    "Wrapping keys of the new messages, in the form of --wrapping-keys",
    NewWrappingKeys
);

impl WrappingKeys {
    /// Adds the files that the keyring came from: keys, and the configuration of calls.
    pub(crate) fn add_reads(&self, services: &KeyServices, reads: &mut Reads) {
        for group in &self.0 {
            group.key_file().into_iter().for_each(|path| reads.add("key", path));
        }
        for path in services.files() {
            reads.add("AWS configuration's file", &path);
        }
    }

    /// The keys as one keyring.
    pub(crate) fn keyring(&self, services: &KeyServices, purpose: Purpose) -> Result<MultiKeyring, Failure> {
        let mut keyrings: Vec<Box<dyn Keyring>> = Vec::new();
        for group in &self.0 {
            group.keyrings(services, purpose, &mut keyrings)?;
        }
        let mut keyrings = keyrings.into_iter();
        let mut multi = match (purpose, keyrings.next()) {
            (Purpose::Encrypt, Some(generator)) => MultiKeyring::new(generator),
            (Purpose::Decrypt, Some(first)) => MultiKeyring::for_decryption().with(first),
            // A group without a key is refused before.
            (_, None) => MultiKeyring::for_decryption(),
        };
        for keyring in keyrings {
            multi = multi.with(keyring);
        }
        Ok(multi)
    }
}

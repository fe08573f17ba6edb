//! `sealstack seal`: what the root seal is, replacing it, and splitting it among people.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use server::ServerError;
use server::admin::Client;
use server::config::{Place, SealConfig, SealKind, SealSettings};
use server::data_dir::Layout;
use server::operator::{self, DomainKeyReport, DomainKeyState, Rotation};
use server::prompt;
use wire::{shown, shown_path};

use crate::failure::Failure;
use crate::paths::Reads;
use crate::{paths, print};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say how the root key is sealed
    Status,
    /// Replace the root key and its seal by new ones, of the same kind or another
    Rotate(Rotate),
    /// Replace the root key, and split the key that seals it among several people
    Split(Split),
    /// List the domain keys, and how many keys each of them wraps
    DomainKeys(DomainKeys),
}

/// Replace the root key and its seal by new ones, of the same kind or another
///
/// Every key in the database is wrapped anew, all at once; ciphertexts and data stay as they are. Works while the server
/// runs, which goes on serving, and when it is stopped. Should the machine fail meanwhile, the next start finishes the
/// rotation with either seal. A passphrase or shares that seal the root key now have to be given.
#[derive(Args)]
#[command(after_long_help = ROTATE_HELP)]
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

    /// Key of AWS KMS or of another Sealstack: id, alias or ARN [default: the same]
    #[arg(long = "new-seal-kms-key", value_name = "KEY", help_heading = "New root seal")]
    kms_key: Option<String>,

    /// Profile of the AWS configuration for calling that service [default: as AWS's tools choose]
    ///
    /// The server calls it, as the user that it runs as.
    #[arg(long = "new-seal-kms-profile", value_name = "NAME", help_heading = "New root seal")]
    kms_profile: Option<String>,

    /// PKCS#11 module of the new token [default: the same]
    #[arg(long = "new-seal-token-module", value_name = "FILE", help_heading = "New root seal")]
    token_module: Option<PathBuf>,

    /// Label of the new token [default: the same]
    #[arg(long = "new-seal-token", value_name = "LABEL", help_heading = "New root seal")]
    token: Option<String>,

    /// Label of the key in the new token, made there when it has none [default: the same, or sealstack-root]
    #[arg(long = "new-seal-token-key", value_name = "LABEL", help_heading = "New root seal")]
    token_key: Option<String>,

    /// File that holds the new token's PIN; otherwise the variable SEALSTACK_NEW_SEAL_PIN does
    #[arg(long = "new-seal-pin-file", value_name = "FILE", help_heading = "New root seal")]
    pin_file: Option<PathBuf>,
}

const ROTATE_HELP: &str = "\
Examples:
  sealstack seal rotate
  sealstack seal rotate --new-seal-file /mnt/keys/root.key
  SEALSTACK_NEW_SEAL_PASSPHRASE=... sealstack seal rotate --new-seal passphrase
  sealstack seal rotate --new-seal kms --new-seal-kms-key alias/sealstack --new-seal-kms-profile production
  sealstack seal rotate --new-seal token --new-seal-token-module /usr/lib/softhsm/libsofthsm2.so \\
      --new-seal-token hsm --new-seal-pin-file /run/secrets/pin
  sealstack seal split --shares 5 --threshold 3";

/// Replace the root key, and split the key that seals it among several people
///
/// Prints each share once; give every one to another person. Nobody else has the key: the server starts sealed from
/// then on, refuses every call, and opens once the threshold of shares has been given with `sealstack unseal`. Any
/// threshold of shares will do; fewer say nothing about the key. Works while the server runs, and when it is stopped.
///
/// Splitting anew replaces all shares: the old ones open nothing any more.
#[derive(Args)]
#[command(after_long_help = SPLIT_HELP)]
pub(crate) struct Split {
    #[command(flatten)]
    current: SealSettings,

    /// How many shares to make, 2 to 255
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(2..))]
    shares: u8,

    /// How many of them are needed to open the root key, at least 2
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(2..))]
    threshold: u8,
}

const SPLIT_HELP: &str = "\
Examples:
  sealstack seal split --shares 5 --threshold 3
  sealstack unseal";

/// List the domain keys, and how many keys each of them wraps
///
/// When a domain key has served its time, what it wraps is wrapped anew in the background; this shows how far that is.
/// Works while the server runs, and when it is stopped.
#[derive(Args)]
pub(crate) struct DomainKeys {
    #[command(flatten)]
    seal: SealSettings,

    /// Have the running server replace every domain key first, however long it has served
    ///
    /// For when somebody may have got hold of one. Ciphertexts stay as they are. A server that is started anew once
    /// nothing is wrapped under the old ones any more drops them at once; one that runs on, after a day.
    #[arg(long)]
    rotate: bool,
}

impl Command {
    pub(crate) fn run(self, place: &Place) -> Result<(), Failure> {
        let (data, file, reads) = paths::resolve(place)?;
        if !matches!(self, Self::Status) {
            server::log::start(&file.log).map_err(ServerError::from)?;
        }
        match self {
            Self::Status => status(Layout::new(data))?,
            Self::Rotate(rotate) => rotate.run(&data, file.seal, reads)?,
            Self::Split(split) => split.run(&data, file.seal, reads)?,
            Self::DomainKeys(keys) => {
                if keys.rotate {
                    let count = Client::new(Layout::new(data.clone())).rotate_domain_keys()?;
                    print(&format!("{count} new domain keys have taken over\n"))?;
                }
                let (layout, seal) = (Layout::new(data), SealConfig::from(keys.seal.over(file.seal)));
                paths::apart(&layout, &seal, &mut { reads })?;
                domain_keys(&layout, &seal)?;
            }
        }
        Ok(())
    }
}

fn status(layout: Layout) -> Result<(), ServerError> {
    let status = seal::status(&layout.seal())?;
    let status = status.ok_or_else(|| ServerError::NoData { path: layout.root().to_owned() })?;
    let mut text = format!("sealed by a {}\n", status.kind);
    if let Some(split) = status.split {
        text.push_str(&format!("split {}: {} of {} shares open it\n", split.id, split.threshold, split.count));
    }
    if let Some(key) = status.kms {
        text.push_str(&format!("key {}, encryption context sealstack:deployment={}\n", key.arn, status.deployment));
    }
    if let Some(key) = status.token {
        text.push_str(&format!(
            "key {} in the token {} of {}\n",
            shown(&key.key),
            shown(&key.token),
            shown_path(&key.module)
        ));
    }
    text.push_str(&format!("root key {}, generation {}\n", status.root_key_id, status.generation));
    if status.rotating {
        text.push_str("a rotation was interrupted; the next start finishes it\n");
    }
    match Client::new(layout).status() {
        Ok(Some(progress)) => text.push_str(&format!(
            "the server is sealed: {} of the {} shares needed were given\n",
            progress.given, progress.split.threshold
        )),
        Ok(None) => text.push_str("the server is open\n"),
        Err(ServerError::NotRunning { .. }) => text.push_str("no server runs\n"),
        Err(error) => return Err(error),
    }
    print(&text)
}

fn domain_keys(layout: &Layout, seal: &SealConfig) -> Result<(), ServerError> {
    for DomainKeyReport { region, generation, state, keys } in operator::domain_keys(layout, seal)? {
        let keys = if keys == 1 { "1 key".to_owned() } else { format!("{keys} keys") };
        print(&match state {
            DomainKeyState::Serves(None) => format!("{region} {generation}: serves, wraps {keys}\n"),
            DomainKeyState::Serves(Some(since)) => {
                format!("{region} {generation}: serves since {}, wraps {keys}\n", since.iso8601())
            }
            DomainKeyState::Made => format!("{region} {generation}: was made to serve next, wraps {keys}\n"),
            DomainKeyState::Retired(at) => {
                format!("{region} {generation}: retired at {}, still wraps {keys}\n", at.iso8601())
            }
            DomainKeyState::Gone => format!("{region} {generation}: is gone, {keys} cannot be unwrapped\n"),
        })?;
    }
    Ok(())
}

impl Rotate {
    fn run(self, data: &Path, file: SealSettings, mut reads: Reads) -> Result<(), Failure> {
        let current = SealConfig::from(self.current.over(file));
        let next = SealConfig {
            kind: self.kind,
            file: self.file,
            passphrase_file: self.passphrase_file,
            kms_key: self.kms_key,
            kms_profile: self.kms_profile,
            token_module: self.token_module,
            token: self.token,
            token_key: self.token_key,
            pin_file: self.pin_file,
        };
        let layout = Layout::new(data.to_owned());
        reads.add_seal(&next);
        paths::apart(&layout, &current, &mut reads)?.add_key_file(&layout, &next, &reads)?;
        let rotation = Rotation::prepare(data, &current, &next)?;
        if rotation.wants_shares() {
            let split = seal::status(&layout.seal()).map_err(ServerError::from)?.and_then(|status| status.split);
            // One that is split already is split in the same way again.
            let split = split.ok_or(ServerError::SplitInstead)?;
            hand_out(rotation, split.count, split.threshold, current.kind)?;
            return Ok(());
        }
        finish(rotation, current.kind)?;
        Ok(())
    }
}

impl Split {
    fn run(self, data: &Path, file: SealSettings, mut reads: Reads) -> Result<(), Failure> {
        let current = SealConfig::from(self.current.over(file));
        paths::apart(&Layout::new(data.to_owned()), &current, &mut reads)?;
        let next = SealConfig { kind: Some(SealKind::Shares), ..SealConfig::default() };
        hand_out(Rotation::prepare(data, &current, &next)?, self.shares, self.threshold, current.kind)?;
        Ok(())
    }
}

/// Splits a new key, shows the shares, and only then seals with it: who never saw them would be locked out.
fn hand_out(rotation: Rotation, count: u8, threshold: u8, configured: Option<SealKind>) -> Result<(), ServerError> {
    let (key, shares) = seal::split(count, threshold)?;
    print(&format!(
        "The split {} of the root seal: any {threshold} of these {count} shares open it. They are shown this once.\n\n",
        key.split().id
    ))?;
    for share in &shares {
        let text = share.text();
        print(&format!("{:>4}  ", share.index()))?;
        print(std::str::from_utf8(text.expose()).unwrap_or_default())?;
        print("\n")?;
    }
    print("\nGive each to another person.\n")?;
    if prompt::is_terminal() && !prompt::confirm("Type yes once they are handed out; anything else changes nothing: ")?
    {
        return print("The seal is as it was; the shares above open nothing.\n");
    }
    finish(rotation.by_shares(key), configured)
}

fn finish(rotation: Rotation, configured: Option<SealKind>) -> Result<(), ServerError> {
    let rotated = rotation.run()?;
    print(&format!(
        "The root key is {} now, generation {}, sealed by a {}.\n",
        rotated.root_key_id, rotated.generation, rotated.kind
    ))?;
    match rotated.configured.or(configured.map(seal::Kind::from)) {
        Some(kind) if kind != rotated.kind => {
            print(&format!("The configuration still says {kind}: change that before the next start.\n"))
        }
        _ => Ok(()),
    }
}

//! `sealstack reencrypt`: messages under other wrapping keys, another encryption context or another suite.
//!
//! The plaintext goes from the old message to the new one in memory, frame by frame, and never to a disk.

use std::fs::File;
use std::io::Read;

use envelope::{
    Decryption, Encryption, EncryptionContext, Error, FRAME_LENGTH_DEFAULT, Framing, Opened, Part, Sealed, WriteAt as _,
};
use serde_json::{Map, Value};

use crate::batch::{self, Files, Input, Operation, Output, Worked};
use crate::failure::Failure;
use crate::materials::Caching;
use crate::paths::Reads;
use crate::settings::{Bounds, Held, Required, Sealing, context};
use crate::wrapping_keys::{KeyServices, NewWrappingKeys, Purpose, WrappingKeys};
use crate::{decrypt, encrypt};

/// Encrypt messages anew, to other wrapping keys for instance
///
/// The data is encrypted under a new data key: a reader whose wrapping key is not among the new ones, but who kept the
/// old data key, reads nothing that is written from now on. Messages may be replaced by their own outputs.
#[derive(clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Reencrypt {
    #[command(flatten)]
    keys: WrappingKeys,

    #[command(flatten)]
    new_keys: NewWrappingKeys,

    #[command(flatten)]
    files: Files,

    /// Entries that the encryption context has to have, as name=value or name; else nothing is encrypted anew
    #[arg(short = 'c', long, value_name = "NAME[=VALUE]", num_args = 1..)]
    encryption_context: Vec<String>,

    /// Encryption context of the new messages, as name=value pairs [default: that of the old one]
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    new_encryption_context: Option<Vec<String>>,

    #[command(flatten)]
    sealing: Sealing,

    #[command(flatten)]
    bounds: Bounds,

    #[command(flatten)]
    caching: Caching,

    #[command(flatten)]
    held: Held,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack reencrypt -w key=alias/old --new-wrapping-keys key=alias/new -i a.encrypted -o a.encrypted
  sealstack reencrypt -w key=alias/old --new-wrapping-keys key=alias/new -r -i vault -o vault --suffix
  sealstack reencrypt -w key=alias/a --new-wrapping-keys key=alias/a --algorithm 0478 -i old -o new

Frames are as long as they were, unless --frame-length is given.";

impl Reencrypt {
    pub(crate) fn run(self, mut reads: Reads) -> Result<(), Failure> {
        let services = KeyServices::default();
        let old = self.caching.materials(self.keys.keyring(&services, Purpose::Decrypt)?, &[])?;
        let new = self.caching.materials(self.new_keys.0.keyring(&services, Purpose::Encrypt)?, &[])?;
        for keys in [&self.keys, &self.new_keys.0] {
            keys.add_reads(&services, &mut reads);
        }
        let required = Required::of(&self.encryption_context, &[])?;
        let context = self.new_encryption_context.as_deref().map(context).transpose()?;
        let decryption = required.of_messages(Decryption::new(&old));
        let decryption = self.held.decryption(self.bounds.decryption(decryption));
        let encryption = self.bounds.encryption(Encryption::new(&new));
        batch::run(&self.files, &Reencrypting { decryption, encryption, sealing: &self.sealing, context }, reads)
    }
}

struct Reencrypting<'a> {
    decryption: Decryption<'a>,
    encryption: Encryption<'a>,
    sealing: &'a Sealing,
    context: Option<EncryptionContext>,
}

impl Operation for Reencrypting<'_> {
    const MODE: &'static str = "reencrypt";
    const SUFFIX: &'static str = ".reencrypted";
    const PRIVATE: bool = false;
    const IN_PLACE: bool = true;

    fn work(&self, input: Input<'_>, output: Output<'_>, threads: usize) -> Result<Worked, Error> {
        let (source, length): (Box<dyn Read + '_>, _) = match input {
            Input::File(source, length) => (Box::new(source), Some(length)),
            Input::Stream(source) => (source, None),
        };
        let decryption = self.decryption.clone().threads(threads);
        // A message that turns out not to be authentic ends this with an error, and the new one is never complete.
        let reader = decryption.unverified_reader(source)?;
        let opened = reader.opened().clone();
        let mut encryption = self.encryption_like(&opened).threads(threads);
        // The plaintext is shorter than its message; a bound on it lets data keys be cached.
        if let Some(length) = length {
            encryption = encryption.plaintext_max(length);
        }
        let sealed = match output {
            Output::Draft(sink) => encryption.encrypt_stream(reader, sink)?,
            Output::Stream(sink) => encryption.encrypt_stream(reader, sink)?,
        };
        Ok(Box::new(move || record(&opened, &sealed)))
    }

    fn takes_small(&self) -> bool {
        true
    }

    async fn work_small(&self, input: &[u8], draft: &File) -> Result<Worked, Error> {
        let truncated = Error::Truncated { part: Part::Header };
        let opening = self.decryption.begin(input).await?.ok_or(truncated)?;
        let body = input.get(opening.body_offset()..).unwrap_or_default();
        let (plaintext, opened) = opening.open(body)?;
        let sealing = self.encryption_like(&opened).begin(Some(plaintext.len() as u64)).await?;
        let (message, sealed) = encrypt::message(sealing, &plaintext)?;
        draft.write_all_at(&message, 0)?;
        Ok(Box::new(move || record(&opened, &sealed)))
    }
}

impl Reencrypting<'_> {
    /// How the message after `opened` is encrypted.
    fn encryption_like(&self, opened: &Opened) -> Encryption<'_> {
        let context = self.context.clone().unwrap_or_else(|| opened.header.context().without_reserved());
        let usual = match opened.header.framing() {
            Framing::Framed(length) => length,
            Framing::Unframed => FRAME_LENGTH_DEFAULT,
        };
        self.sealing.apply(self.encryption.clone(), usual).context(context)
    }
}

/// The record of a re-encrypted message.
fn record(opened: &Opened, sealed: &Sealed) -> Map<String, Value> {
    let mut record = decrypt::record(opened);
    let old = record.remove("header").unwrap_or_default();
    record.insert("old_header".to_owned(), old);
    record.extend(encrypt::record(sealed));
    record
}

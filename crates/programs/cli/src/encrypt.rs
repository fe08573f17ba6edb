//! `sealstack encrypt`: files and streams into messages of the AWS Encryption SDK's format.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU64;

use envelope::{Encryption, Error, Sealed, Sealing, WriteAt as _};
use serde_json::{Map, Value};

use crate::batch::{self, Files, Input, Operation, Output, Worked};
use crate::failure::Failure;
use crate::materials::Caching;
use crate::paths::Reads;
use crate::settings::{self, Bounds, context};
use crate::wrapping_keys::{KeyServices, Purpose, WrappingKeys};

/// Encrypt files or streams into messages that every AWS Encryption SDK reads
///
/// Each input gets a data key of its own, which is kept beside the data, encrypted under each wrapping key. Inputs are
/// worked on in parallel; when one fails, the others go on, and the command exits with 1.
#[derive(clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Encrypt {
    #[command(flatten)]
    keys: WrappingKeys,

    #[command(flatten)]
    files: Files,

    /// Encryption context, as name=value pairs: authenticated with the data, and readable in the message
    #[arg(short = 'c', long, value_name = "NAME=VALUE", num_args = 1..)]
    encryption_context: Vec<String>,

    /// Names in the encryption context that are authenticated and not stored: whoever decrypts has to know them
    #[arg(long, value_name = "NAME", num_args = 1..)]
    required_encryption_context_keys: Vec<String>,

    #[command(flatten)]
    sealing: settings::Sealing,

    #[command(flatten)]
    bounds: Bounds,

    #[command(flatten)]
    caching: Caching,

    /// The most bytes that an input may have
    #[arg(long, value_name = "BYTES")]
    max_length: Option<NonZeroU64>,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack encrypt -w key=alias/backup -i report.pdf -o report.pdf.encrypted -c department=payroll
  tar c documents | sealstack encrypt -w key=alias/backup -i - -o documents.tar.encrypted
  sealstack encrypt -w key=alias/backup -r -i documents -o vault --caching capacity=1 max_age=300
  sealstack encrypt -w key=alias/one -w key=alias/two region=eu-west-1 -i a b c -o vault
  sealstack encrypt -w provider=raw-aes namespace=home name=disk file=disk.key -i photo.jpg -o vault
  sealstack encrypt @settings -i report.pdf -o vault

@FILE stands for the arguments that are written in FILE. Messages are readable by whom the umask lets read them.";

impl Encrypt {
    pub(crate) fn run(self, mut reads: Reads) -> Result<(), Failure> {
        let services = KeyServices::default();
        let keyring = self.keys.keyring(&services, Purpose::Encrypt)?;
        self.keys.add_reads(&services, &mut reads);
        let materials = self.caching.materials(keyring, &self.required_encryption_context_keys)?;
        let encryption = Encryption::new(&materials).context(context(&self.encryption_context)?);
        let mut encryption = self.bounds.encryption(self.sealing.encryption(encryption));
        if let Some(max) = self.max_length {
            encryption = encryption.plaintext_max(max.get());
        }
        let length_max = self.max_length.map(NonZeroU64::get);
        batch::run(&self.files, &Encrypting { encryption, length_max }, reads)
    }
}

struct Encrypting<'a> {
    encryption: Encryption<'a>,
    length_max: Option<u64>,
}

impl Operation for Encrypting<'_> {
    const MODE: &'static str = "encrypt";
    const SUFFIX: &'static str = ".encrypted";
    const PRIVATE: bool = false;
    const IN_PLACE: bool = false;

    fn work(&self, input: Input<'_>, output: Output<'_>, threads: usize) -> Result<Worked, Error> {
        let encryption = self.encryption.clone().threads(threads);
        let sealed = match (input, output) {
            (Input::File(source, length), Output::Draft(sink)) => encryption.encrypt_at(&source, length, sink)?,
            (Input::File(source, length), Output::Stream(sink)) => {
                // A file that grows meanwhile is encrypted up to the length that it had, as above.
                let max = self.length_max.map_or(length, |max| max.min(length));
                encryption.plaintext_max(max).encrypt_stream(source.take(length), sink)?
            }
            (Input::Stream(source), Output::Draft(sink)) => encryption.encrypt_stream(source, sink)?,
            (Input::Stream(source), Output::Stream(sink)) => encryption.encrypt_stream(source, sink)?,
        };
        Ok(Box::new(move || record(&sealed)))
    }

    fn takes_small(&self) -> bool {
        true
    }

    async fn work_small(&self, input: &[u8], draft: &File) -> Result<Worked, Error> {
        let sealing = self.encryption.begin(Some(input.len() as u64)).await?;
        let (message, sealed) = message(sealing, input)?;
        draft.write_all_at(&message, 0)?;
        Ok(Box::new(move || record(&sealed)))
    }
}

/// A message that is in memory as its plaintext is.
pub(crate) fn message(sealing: Sealing, plaintext: &[u8]) -> Result<(Vec<u8>, Sealed), Error> {
    let whole = usize::try_from(sealing.message_bytes(plaintext.len() as u64)?).unwrap_or_default();
    let mut writer = sealing.writer(Vec::with_capacity(whole))?;
    writer.write_all(plaintext)?;
    writer.finish()
}

/// The record of a new message.
pub(crate) fn record(sealed: &Sealed) -> Map<String, Value> {
    let mut record = Map::new();
    record.insert("header".to_owned(), batch::header(&sealed.header));
    record.insert("message_bytes".to_owned(), sealed.message_bytes.into());
    record.insert("plaintext_bytes".to_owned(), sealed.plaintext_bytes.into());
    record
}

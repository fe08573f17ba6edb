//! `sealstack decrypt`: messages of the AWS Encryption SDK's format back into files and streams.

use std::fs::File;
use std::io::{Read, Seek as _, Write};
use std::ops::Range;

use envelope::{Bytes, Decryption, Error, Header, Opened, Part};
use serde_json::{Map, Value};
use tempfile::tempfile;

use crate::batch::{self, Files, Input, Operation, Output, Worked};
use crate::failure::Failure;
use crate::materials::Caching;
use crate::paths::Reads;
use crate::settings::{Bounds, Held, Required};
use crate::wrapping_keys::{KeyServices, Purpose, WrappingKeys};

/// Decrypt messages that any AWS Encryption SDK wrote
///
/// An output file appears once all of its message is verified. On standard output, plaintext of a signed message appears
/// once the signature is verified, and that of an unsigned one frame by frame.
#[derive(clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Decrypt {
    #[command(flatten)]
    keys: WrappingKeys,

    #[command(flatten)]
    files: Files,

    /// Entries that the encryption context has to have, as name=value or name; else nothing is decrypted
    #[arg(short = 'c', long, value_name = "NAME[=VALUE]", num_args = 1..)]
    encryption_context: Vec<String>,

    /// Names in --encryption-context that messages do not store
    #[arg(long, value_name = "NAME", num_args = 1..)]
    required_encryption_context_keys: Vec<String>,

    #[command(flatten)]
    bounds: Bounds,

    #[command(flatten)]
    caching: Caching,

    #[command(flatten)]
    held: Held,

    /// Refuse signed messages
    ///
    /// Plaintext of an unsigned message can be passed on as it comes. This makes sure that there is no other message,
    /// whose plaintext waits for its signature.
    #[arg(long)]
    decrypt_unsigned: bool,

    /// Write nothing to standard output before all of the message is verified, even if it is not signed
    ///
    /// Else a message that was cut off shows by an error after its last whole frame. The message waits on the disk,
    /// still encrypted, and not in memory.
    #[arg(short, long)]
    buffer: bool,

    /// Decrypt these bytes of the plaintext only, reading no more than they need; without LENGTH, up to the end
    #[arg(long, value_name = "OFFSET:[LENGTH]", value_parser = range, conflicts_with_all = ["buffer", "decode"])]
    range: Option<Range<u64>>,

    /// With --range, decrypt of signed messages too, although a signature covers the whole message only
    #[arg(long, requires = "range")]
    unverified: bool,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack decrypt -w key=alias/backup -i report.pdf.encrypted -o report.pdf -c department=payroll
  sealstack decrypt -w discovery=true discovery-partition=aws discovery-account=111122223333 -i a.encrypted -o -
  sealstack decrypt -w key=alias/backup -r -i vault -o documents --strip-suffix .encrypted --suffix
  sealstack decrypt -w key=alias/backup -i disk.img.encrypted -o - --range 1073741824:4096 --unverified

An output file is readable by you alone, as its message was by whoever holds the key; one that is replaced keeps its
mode. An alias names the key that it points to now, for messages that are under that key.";

/// Why a range of a signed message needs a word more.
const SIGNED_RANGE: &str =
    "the message is signed, and its signature covers the whole of it; --unverified reads a range";

/// Reads OFFSET:LENGTH.
fn range(text: &str) -> Result<Range<u64>, String> {
    let (offset, length) = text.split_once(':').ok_or("it has the form OFFSET:LENGTH")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
    let offset = number(offset)?;
    let end = if length.is_empty() { u64::MAX } else { offset.saturating_add(number(length)?) };
    Ok(offset..end)
}

impl Decrypt {
    pub(crate) fn run(self, mut reads: Reads) -> Result<(), Failure> {
        let services = KeyServices::default();
        let keyring = self.keys.keyring(&services, Purpose::Decrypt)?;
        self.keys.add_reads(&services, &mut reads);
        let materials = self.caching.materials(keyring, &self.required_encryption_context_keys)?;
        let required = Required::of(&self.encryption_context, &self.required_encryption_context_keys)?;
        let decryption = required.of_messages(Decryption::new(&materials));
        let decryption = self.held.decryption(self.bounds.decryption(decryption));
        batch::run(&self.files, &Decrypting { decryption, settings: &self }, reads)
    }
}

struct Decrypting<'a> {
    decryption: Decryption<'a>,
    settings: &'a Decrypt,
}

impl Operation for Decrypting<'_> {
    const MODE: &'static str = "decrypt";
    const SUFFIX: &'static str = ".decrypted";
    const PRIVATE: bool = true;
    const IN_PLACE: bool = false;

    fn work(&self, input: Input<'_>, output: Output<'_>, threads: usize) -> Result<Worked, Error> {
        let decryption = self.decryption.clone().threads(threads);
        let opened = self.decrypt(&decryption, input, output)?;
        Ok(Box::new(move || record(&opened)))
    }

    fn takes_small(&self) -> bool {
        self.settings.range.is_none()
    }

    async fn work_small(&self, input: &[u8], draft: &File) -> Result<Worked, Error> {
        if self.settings.decrypt_unsigned && Header::inspect(input)?.suite().signs() {
            return Err(Error::Signed);
        }
        let truncated = Error::Truncated { part: Part::Header };
        let opening = self.decryption.begin(input).await?.ok_or(truncated)?;
        // The draft gets its name after everything was verified, so it may hold what is not verified yet.
        let opened = opening.open_at(&Bytes(input), input.len() as u64, draft)?;
        Ok(Box::new(move || record(&opened)))
    }
}

impl Decrypting<'_> {
    fn decrypt(&self, decryption: &Decryption<'_>, input: Input<'_>, output: Output<'_>) -> Result<Opened, Error> {
        let Decrypt { decrypt_unsigned, buffer, range, unverified, .. } = self.settings;
        if let Some(range) = range {
            let Input::File(source, length) = input else {
                return Err(Error::Io(std::io::Error::other("a range is read from a file alone")));
            };
            let (mut draft, stream);
            let sink: &mut dyn Write = match output {
                Output::Draft(file) => {
                    draft = file;
                    &mut draft
                }
                Output::Stream(sink) => {
                    stream = sink;
                    stream
                }
            };
            if *unverified {
                return decryption.decrypt_range_unverified(&source, length, range.clone(), sink);
            }
            return decryption.decrypt_range(&source, length, range.clone(), sink).map_err(|error| match error {
                Error::Signed => Error::Io(std::io::Error::other(SIGNED_RANGE)),
                error => error,
            });
        }
        match (input, output) {
            // The draft gets its name after everything was verified, so it may hold what is not verified yet.
            (Input::File(mut source, length), Output::Draft(sink)) => {
                if *decrypt_unsigned && Header::inspect(&mut source)?.suite().signs() {
                    return Err(Error::Signed);
                }
                decryption.decrypt_at(&source, length, sink)
            }
            (Input::Stream(source), Output::Draft(sink)) if *decrypt_unsigned => {
                decryption.decrypt_stream(source, sink)
            }
            (Input::Stream(source), Output::Draft(sink)) => decryption.decrypt_stream_unverified(source, sink),
            (Input::File(source, _), Output::Stream(sink)) if *buffer => self.spooled(decryption, source, sink),
            (Input::Stream(source), Output::Stream(sink)) if *buffer => self.spooled(decryption, source, sink),
            (Input::File(source, _), Output::Stream(sink)) if *decrypt_unsigned => {
                decryption.decrypt_stream(source, sink)
            }
            (Input::Stream(source), Output::Stream(sink)) if *decrypt_unsigned => {
                decryption.decrypt_stream(source, sink)
            }
            (Input::File(source, _), Output::Stream(sink)) => decryption.decrypt_seekable(source, sink),
            (Input::Stream(source), Output::Stream(sink)) => decryption.decrypt_spooled(source, tempfile()?, sink),
        }
    }

    /// Verifies all of a message before anything of it is released, whether it is signed or not.
    fn spooled(&self, decryption: &Decryption<'_>, mut source: impl Read, sink: impl Write) -> Result<Opened, Error> {
        // A file without a name, ours alone: what is verified is what is decrypted then.
        let mut spool = tempfile()?;
        std::io::copy(&mut source, &mut spool)?;
        spool.rewind()?;
        if self.settings.decrypt_unsigned {
            decryption.decrypt_stream(&spool, std::io::sink())?;
        } else {
            decryption.decrypt_stream_unverified(&spool, std::io::sink())?;
        }
        spool.rewind()?;
        decryption.decrypt_stream_unverified(&spool, sink)
    }
}

/// The record of a decrypted message.
pub(crate) fn record(opened: &Opened) -> Map<String, Value> {
    let mut record = Map::new();
    record.insert("data_key_index".to_owned(), opened.data_key_index.into());
    record.insert("header".to_owned(), batch::header(&opened.header));
    record.insert("wrapping_key".to_owned(), opened.wrapping_key.as_str().into());
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(range("0:10"), Ok(0..10));
        assert_eq!(range("5:"), Ok(5..u64::MAX));
        assert_eq!(range("18446744073709551615:9"), Ok(u64::MAX..u64::MAX));
        for wrong in ["", "5", ":5", "-1:5", "1:x", "1:2:3"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }
}

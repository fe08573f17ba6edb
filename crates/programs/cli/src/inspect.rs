//! `sealstack inspect`: what a message says of itself, without a key.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use clap::Args;
use crypto::hex;
use envelope::{Error, Framing, Header, Inspection};
use serde_json::{Value, json};
use wire::{shown, shown_json, shown_path};

use crate::batch::{self, Found, complain, found};
use crate::failure::Failure;
use crate::print_exactly;

/// Show what messages say of themselves, without any key
///
/// Wrapping keys, encryption context, algorithm suite, frames and lengths. Nothing of it is authenticated: only who can
/// decrypt a message knows that it was not changed. Of a message from standard input the header is shown.
#[derive(Args)]
#[command(
    after_long_help = "Examples:\n  sealstack inspect report.pdf.encrypted\n  sealstack inspect --json -r vault | jq -r .input"
)]
pub(crate) struct Inspect {
    /// Files, directories (with --recursive), patterns such as 'vault/*.encrypted', or '-' for standard input
    #[arg(required_unless_present = "named", value_name = "PATH")]
    input: Vec<PathBuf>,

    /// The same, as the other commands have it
    #[arg(short, long = "input", id = "named", num_args = 1.., value_name = "PATH")]
    named: Vec<PathBuf>,

    /// Inspect all that is in directories; links to directories are not followed
    #[arg(short, visible_short_alias = 'R', long)]
    recursive: bool,

    /// Print a line of JSON for each message
    #[arg(long)]
    json: bool,
}

/// The facts of one message.
struct Seen {
    header: Header,
    whole: Option<Inspection>,
}

impl Inspect {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let (mut inputs, mut failures) = (0, Vec::new());
        let mut outcome = Ok(());
        let all: Vec<PathBuf> = self.input.iter().chain(&self.named).cloned().collect();
        let mut each = |found: Found| {
            let path = match found {
                Found::Passed(..) => return true,
                Found::Stdin => None,
                Found::File(path, _) => Some(path),
            };
            inputs += 1;
            let name = path.clone().unwrap_or_else(|| "<stdin>".into());
            let text = match look(path.as_deref()) {
                Ok(seen) if self.json => format!("{}\n", shown_json(&as_json(&seen, &name).to_string())),
                Ok(seen) => format!("{}{}", if inputs > 1 { "\n" } else { "" }, as_text(&seen, &name)),
                Err(error) => {
                    complain(&name, &error.to_string());
                    failures.push(());
                    return true;
                }
            };
            outcome = print_exactly(&text);
            outcome.is_ok()
        };
        let mut missing = 0;
        let mut failed = |path: &Path, reason: String| {
            missing += 1;
            complain(path, &reason);
        };
        found(&all, self.recursive, None, &mut each, &mut failed);
        outcome?;
        match (failures.len() as u64 + missing, inputs + missing) {
            (0, _) => Ok(()),
            (1, 1) => Err(Failure::Input),
            (failed, inputs) => Err(Failure::Inputs { failed, inputs }),
        }
    }
}

fn look(path: Option<&Path>) -> Result<Seen, Error> {
    let Some(path) = path else {
        return Ok(Seen { header: Header::inspect(io::stdin().lock())?, whole: None });
    };
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(Seen { header: Header::inspect(file)?, whole: None });
    }
    match Inspection::of(&file, metadata.len()) {
        // The header may be whole although the message isn't: better than nothing, and said so.
        Err(Error::Truncated { part }) if part != envelope::Part::Header => {
            file.rewind()?;
            Ok(Seen { header: Header::inspect(file.by_ref())?, whole: None })
        }
        seen => seen.map(|whole| Seen { header: whole.header.clone(), whole: Some(whole) }),
    }
}

fn as_json(seen: &Seen, name: &Path) -> Value {
    let mut value = json!({ "header": batch::header(&seen.header), "input": name.display().to_string() });
    if let (Some(whole), Some(fields)) = (&seen.whole, value.as_object_mut()) {
        fields.insert("header_bytes".to_owned(), whole.header_bytes.into());
        fields.insert("plaintext_bytes".to_owned(), whole.plaintext_bytes.into());
        fields.insert("frames".to_owned(), whole.frames.into());
        fields.insert("signature_bytes".to_owned(), whole.signature_bytes.into());
    }
    value
}

fn as_text(seen: &Seen, name: &Path) -> String {
    let Seen { header, whole } = seen;
    let suite = header.suite();
    let mut text = format!("{}\n", shown_path(name));
    let mut line = |label: &str, value: String| {
        // A string takes all that is written to it.
        let _ = writeln!(text, "  {label:<20}{value}");
    };
    line("algorithm suite", format!("{:04x} {suite}", suite.id()));
    line("format", format!("version {}", suite.format_version()));
    line("key commitment", if suite.commits() { "yes" } else { "no" }.to_owned());
    line("signature", if suite.signs() { "yes" } else { "no" }.to_owned());
    line("message id", hex::encode(header.message_id()));
    for key in header.encrypted_data_keys() {
        line("data key under", format!("{} {}", shown(&key.provider_id), shown(&key.wrapping_key())));
    }
    for (entry, value) in header.context().without_reserved().iter() {
        line("encryption context", format!("{} = {}", shown(entry), shown(value)));
    }
    match (header.framing(), whole) {
        (Framing::Framed(length), Some(whole)) => line("frames", format!("{} of {length} bytes", whole.frames)),
        (Framing::Framed(length), None) => line("frames", format!("of {length} bytes")),
        (Framing::Unframed, _) => line("frames", "none".to_owned()),
    }
    match whole {
        Some(whole) => line("plaintext", format!("{} bytes", whole.plaintext_bytes)),
        None => line("body", "not seen, or cut off".to_owned()),
    }
    text
}

//! The record of an output: a line of JSON, in the form that `aws-encryption-cli` gave it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use envelope::{Framing, Header};
use serde_json::{Map, Value, json};
use wire::shown_json;

use super::Files;
use super::inputs::{Found, found, identities, stdin};
use crate::failure::Failure;
use crate::paths::{FileId, Reads, Writes};

/// A header as JSON.
///
/// Source: `aws-encryption-cli`'s metadata records.
pub(crate) fn header(header: &Header) -> Value {
    let keys: Vec<Value> = header
        .encrypted_data_keys()
        .iter()
        .map(|key| {
            json!({
                "encrypted_data_key": BASE64.encode(&key.ciphertext),
                "key_provider": {
                    "key_info": BASE64.encode(&key.provider_info),
                    "provider_id": BASE64.encode(&key.provider_id),
                },
            })
        })
        .collect();
    let context: Map<String, Value> =
        header.context().iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let (content_type, frame_length) = match header.framing() {
        Framing::Framed(length) => (2, length.get()),
        Framing::Unframed => (1, 0),
    };
    json!({
        "algorithm": header.suite().name(),
        "content_type": content_type,
        "encrypted_data_keys": keys,
        "encryption_context": context,
        "frame_length": frame_length,
        "header_iv_length": 12,
        "message_id": BASE64.encode(header.message_id()),
        "type": 128,
        "version": if header.suite().format_version() == 1 { "1.0" } else { "2.0" },
    })
}

/// Where records go.
pub(super) struct Records {
    sink: Option<Mutex<Box<dyn Write + Send>>>,
    /// The file that it is.
    id: Option<FileId>,
}

impl Records {
    /// Opens what `--metadata-output` names. `reads` is what the command reads besides its inputs, `writes` is where
    /// its output goes, and `stdout` the file that standard output is.
    pub(super) fn open(
        files: &Files,
        stdout: Option<FileId>,
        mut reads: Reads,
        mut writes: Writes,
    ) -> Result<Self, Failure> {
        let Some(path) = &files.metadata_output else { return Ok(Self { sink: None, id: None }) };
        add_named(files, &mut reads);
        if path.as_os_str() == "-" {
            writes.add_open(METADATA, stdout, &reads)?;
            return Ok(Self { sink: Some(Mutex::new(Box::new(std::io::stdout()))), id: stdout });
        }
        writes.add(METADATA, path, &reads)?;
        let failed = |cause| Failure::File { action: "write metadata to", path: path.clone(), cause };
        refuse_input(files, path).map_err(failed)?;
        // Nothing of a file is lost before it is known which one it is.
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(!files.overwrite_metadata).truncate(false);
        let file = options.open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let id = FileId::of(&metadata);
        // Again, of the file that was opened: the name may lead elsewhere by now.
        Writes::default().add_open(METADATA, id, &reads)?;
        if files.overwrite_metadata && metadata.is_file() {
            file.set_len(0).map_err(failed)?;
        }
        Ok(Self { sink: Some(Mutex::new(Box::new(file))), id })
    }

    /// The file that records go to, if it is one.
    pub(super) const fn id(&self) -> Option<FileId> {
        self.id
    }

    /// Whether anybody reads them.
    pub(super) const fn are_wanted(&self) -> bool {
        self.sink.is_some()
    }

    /// Writes a record, in one piece.
    pub(super) fn write(&self, record: &Map<String, Value>) -> std::io::Result<()> {
        let Some(sink) = &self.sink else { return Ok(()) };
        let line = format!("{}\n", shown_json(&serde_json::to_string(record)?));
        let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
        sink.write_all(line.as_bytes())?;
        sink.flush()
    }
}

/// The name in messages of the file that records go to.
const METADATA: &str = "metadata file";

/// Adds the files that arguments name themselves, or by a pattern.
fn add_named(files: &Files, reads: &mut Reads) {
    let mut each = |found: Found| {
        match found {
            Found::File(path, _) => reads.add("input", &path),
            Found::Stdin => reads.add_open("standard input", stdin()),
            Found::Passed(..) => {}
        }
        true
    };
    // Directories are no files, and the run reports what can't be found.
    found(&files.input, false, None, &mut each, &mut |_, _| {});
}

/// Refuses a file in an input directory that has anything else in it than records. One of records is no input.
fn refuse_input(files: &Files, path: &Path) -> std::io::Result<()> {
    let Ok(found) = std::fs::metadata(path) else { return Ok(()) };
    let Some(id) = FileId::of(&found).filter(|_| found.len() > 0 && !holds_records(path)) else { return Ok(()) };
    if identities(&files.input, files.recursive).contains(&id) {
        return Err(std::io::Error::other("it is an input, and holds no metadata"));
    }
    Ok(())
}

/// Whether a file begins with a record.
fn holds_records(path: &Path) -> bool {
    let mut line = Vec::new();
    let read =
        File::open(path).and_then(|file| BufReader::new(file.take(RECORD_BYTES_MAX)).read_until(b'\n', &mut line));
    let record = read.ok().and_then(|_| serde_json::from_slice::<Map<String, Value>>(&line).ok());
    record.is_some_and(|record| ["mode", "input", "output"].iter().all(|name| record.contains_key(*name)))
}

/// The longest record that is recognised. A header has 65535 bytes of encryption context at most.
const RECORD_BYTES_MAX: u64 = 4 << 20;

/// A path as records have it.
pub(super) fn path(path: &Path) -> Value {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.display().to_string().into()
}

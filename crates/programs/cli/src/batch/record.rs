//! What is told of an output: a line of JSON, in the form that `aws-encryption-cli` gave it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use envelope::{Framing, Header};
use serde_json::{Map, Value, json};

use super::Files;
use crate::failure::Failure;

/// What a header says, as JSON.
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
pub(super) struct Records(Option<Mutex<Box<dyn Write + Send>>>);

impl Records {
    pub(super) fn open(files: &Files) -> Result<Self, Failure> {
        let Some(path) = &files.metadata_output else { return Ok(Self(None)) };
        let sink: Box<dyn Write + Send> = if path.as_os_str() == "-" {
            Box::new(std::io::stdout())
        } else {
            let mut options = OpenOptions::new();
            options.create(true).write(true).append(!files.overwrite_metadata).truncate(files.overwrite_metadata);
            let failed = |cause| Failure::File { action: "write metadata to", path: path.clone(), cause };
            Box::new(options.open(path).map_err(failed)?)
        };
        Ok(Self(Some(Mutex::new(sink))))
    }

    /// Whether anybody reads them.
    pub(super) const fn are_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Writes a record, in one piece.
    pub(super) fn write(&self, record: &Map<String, Value>) -> std::io::Result<()> {
        let Some(sink) = &self.0 else { return Ok(()) };
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
        sink.write_all(&line)?;
        sink.flush()
    }
}

/// A path as records have it.
pub(super) fn path(path: &Path) -> Value {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.display().to_string().into()
}

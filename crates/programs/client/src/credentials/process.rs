//! Credentials that a program prints, as a profile's `credential_process` names it.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Process credential provider".

use std::process::{Command, Stdio};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Credentials, moment};
use crate::{ClientError, split_words};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

/// Runs the program, without a shell, and reads what it prints. What it says to standard error goes to ours.
pub(super) async fn run(command: String, profile: String) -> Result<Credentials, ClientError> {
    let wrong = |reason: String| ClientError::Profile {
        profile: profile.clone(),
        reason: format!("its credential_process {reason}"),
    };
    let words = split_words(&command, false).map_err(|error| wrong(format!("can't be read: {error}")))?;
    let Some((program, arguments)) = words.split_first() else { return Err(wrong("is empty".to_owned())) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit());
    let running = tokio::task::spawn_blocking(move || command.output());
    let output = running.await.map_err(|error| wrong(format!("did not end: {error}")))?;
    let output = output.map_err(|error| wrong(format!("did not start: {error}")))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(wrong(format!("ended with {}", output.status)));
    }
    // The parser's own error could quote what was printed.
    let printed: Printed = serde_json::from_slice(&printed)
        .map_err(|_| wrong("did not print Version, AccessKeyId and SecretAccessKey as JSON".to_owned()))?;
    if printed.version != 1 {
        return Err(wrong(format!("printed version {} of the format; 1 is known", printed.version)));
    }
    let expires = match &printed.expiration {
        None => None,
        Some(text) => Some(moment(text).ok_or_else(|| wrong("printed an Expiration that is no time".to_owned()))?),
    };
    let (secret, token) = (printed.secret_access_key.into(), printed.session_token.map(Zeroizing::new));
    Ok(Credentials::new(printed.access_key_id, secret, token, expires))
}

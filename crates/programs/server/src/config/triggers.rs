//! Where the events of repositories' triggers go: tables of the TOML file alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::error::ConfigError;

/// A destination of triggers: `[triggers."arn:…"]`, by the ARN of the topic or function that triggers name.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TriggerSettings {
    /// The URL that events are posted to.
    pub url: Option<String>,
    /// The file with the secret that posted events are signed with.
    pub secret_file: Option<PathBuf>,
    /// The certificate authorities to trust for it, PEM; those of the system if not given.
    pub ca: Option<PathBuf>,
    /// A program and its arguments, which gets each event as its input.
    pub command: Option<Vec<String>>,
}

/// Checks the destinations.
///
/// # Errors
/// [`ConfigError::Value`].
pub(super) fn resolve(
    triggers: Option<BTreeMap<String, TriggerSettings>>,
) -> Result<BTreeMap<String, TriggerSettings>, ConfigError> {
    let triggers = triggers.unwrap_or_default();
    if !triggers.keys().all(|name| name.starts_with("arn:") && name.split(':').count() >= 6) {
        let rule = "named by the destination's ARN, as in [triggers.\"arn:aws:sns:us-east-1:111122223333:builds\"]";
        return Err(ConfigError::Value { setting: "a table of triggers", rule });
    }
    let one_way = |settings: &TriggerSettings| match (&settings.url, &settings.command) {
        (Some(url), None) => url.starts_with("https://") || is_loopback(url),
        (None, Some(command)) => !command.is_empty() && settings.secret_file.is_none() && settings.ca.is_none(),
        _ => false,
    };
    if !triggers.values().all(one_way) {
        let rule = "with either a url, https:// or plain to this machine, or a command as a list of words";
        return Err(ConfigError::Value { setting: "a table of triggers", rule });
    }
    Ok(triggers)
}

/// Whether a URL leads to this machine, where nothing has to be encrypted.
fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(toml: &str) -> Result<usize, ConfigError> {
        let triggers: BTreeMap<String, TriggerSettings> = toml::from_str(toml).expect("TOML");
        resolve(Some(triggers)).map(|triggers| triggers.len())
    }

    #[test]
    fn a_destination_has_one_way_to_it_and_none_that_anybody_can_listen_to() {
        let table = |rest: &str| format!("[\"arn:aws:sns:us-east-1:111122223333:builds\"]\n{rest}");
        for good in [
            "url = \"https://ci.example.com/hook\"\nsecret-file = \"/run/secret\"",
            "url = \"http://127.0.0.1:8080/hook\"",
            "command = [\"/usr/local/bin/build\", \"--now\"]",
        ] {
            assert_eq!(resolved(&table(good)).expect(good), 1);
        }
        for bad in [
            "",
            "url = \"http://ci.example.com/hook\"",
            "url = \"http://127.0.0.1.example.com/hook\"",
            "command = []",
            "command = [\"a\"]\nurl = \"https://ci.example.com\"",
            "command = [\"a\"]\nsecret-file = \"/run/secret\"",
        ] {
            assert!(resolved(&table(bad)).is_err(), "{bad}");
        }
        assert!(resolved("[builds]\ncommand = [\"a\"]").is_err());
    }
}

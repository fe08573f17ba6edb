//! Where the data directory and the configuration file are, and reading the file.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::Settings;
use crate::error::ConfigError;
use front::private_file::is_everybodys;

/// The configuration file that is read when it lies in the data directory.
const FILE_NAME: &str = "sealstack.toml";

/// Where the server's data and its configuration are: flags of every command.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Place {
    /// Data directory [default: $XDG_DATA_HOME/sealstack, which usually is ~/.local/share/sealstack]
    #[arg(
        long,
        global = true,
        help_heading = "The server's place",
        value_name = "DIR",
        env = "SEALSTACK_DATA",
        hide_env_values = true
    )]
    pub data: Option<PathBuf>,

    /// Configuration file, TOML [default: sealstack.toml in the data directory, if it is there]
    ///
    /// Its keys are the flags' names; those of a group stand in a table: `[seal] file = "…"`, `[tls] certificate`,
    /// `[limits] idle-seconds-max`, `[audit] keep-days`, `[log] level`.
    #[arg(
        long,
        global = true,
        help_heading = "The server's place",
        value_name = "FILE",
        env = "SEALSTACK_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
}

impl Place {
    /// The data directory, absolute, and what the configuration file sets.
    ///
    /// # Errors
    /// [`ConfigError`] when the file can't be read or says something unknown, or when there is no default directory.
    pub fn resolve(self) -> Result<(PathBuf, Settings), ConfigError> {
        let (data, settings) = match (self.config, self.data) {
            (Some(file), data) => {
                let settings = read(&file)?.ok_or_else(|| ConfigError::Unreadable {
                    file: file.clone(),
                    cause: std::io::Error::from(ErrorKind::NotFound),
                })?;
                (data.or_else(|| settings.data.clone()), settings)
            }
            (None, data) => {
                let data = data.map_or_else(Self::default_data, Ok)?;
                let file = data.join(FILE_NAME);
                let settings = read(&file)?.unwrap_or_default();
                if settings.data.is_some() {
                    return Err(ConfigError::OwnPlace { file });
                }
                (Some(data), settings)
            }
        };
        let data = data.map_or_else(Self::default_data, Ok)?;
        let data = std::path::absolute(&data).map_err(|cause| ConfigError::Unreadable { file: data, cause })?;
        Ok((data, settings))
    }

    /// The configuration file of the data directory `data`, if there is one.
    #[must_use]
    pub fn file(&self, data: &Path) -> PathBuf {
        self.config.clone().unwrap_or_else(|| data.join(FILE_NAME))
    }

    /// The data directory unless another is named, by the XDG base directory specification.
    ///
    /// # Errors
    /// [`ConfigError::NoPlace`] when there is no home for it.
    pub fn default_data() -> Result<PathBuf, ConfigError> {
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let shared = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
        shared.map(|shared| shared.join("sealstack")).ok_or(ConfigError::NoPlace)
    }
}

/// The file's settings; `None` when it isn't there.
fn read(file: &Path) -> Result<Option<Settings>, ConfigError> {
    let unreadable = |cause| ConfigError::Unreadable { file: file.to_owned(), cause };
    let mut opened = match File::open(file) {
        Ok(opened) => opened,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unreadable(cause)),
    };
    if is_everybodys(&opened.metadata().map_err(unreadable)?) {
        let reason = "every user may write it: run chmod o-w on it".to_owned();
        return Err(ConfigError::File { file: file.to_owned(), reason });
    }
    let mut text = String::new();
    opened.read_to_string(&mut text).map_err(unreadable)?;
    parse(file, &text).map(Some)
}

pub(super) fn parse(file: &Path, text: &str) -> Result<Settings, ConfigError> {
    toml::from_str(text).map_err(|error| ConfigError::File { file: file.to_owned(), reason: error.to_string() })
}

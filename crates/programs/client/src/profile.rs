//! The profiles of AWS's shared files, `config` and `credentials`, as one set.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::shared_file::{Section, Settings, parse};
use crate::{ClientError, Environment};

/// The profile that holds unless another one is named.
pub(crate) const DEFAULT: &str = "default";

/// Profiles of the shared files.
#[derive(Default)]
pub(crate) struct Profiles {
    profiles: HashMap<String, Profile>,
    services: HashMap<String, Settings>,
}

/// One profile. What the credentials file says wins over the configuration file.
#[derive(Default)]
pub(crate) struct Profile {
    credentials: Settings,
    config: Settings,
}

impl Profile {
    /// The text of a setting. An empty one counts as none.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let found = self.credentials.get(name).or_else(|| self.config.get(name))?;
        Some(found.text.as_str()).filter(|text| !text.is_empty())
    }
}

impl Profiles {
    /// Reads the files that the environment names. A file that isn't there says nothing.
    pub(crate) fn read(environment: &Environment) -> Result<Self, ClientError> {
        let mut all = Self::default();
        let [config, credentials] = Self::files(environment);
        if let Some(path) = config {
            all.add_config(&read(&path)?);
        }
        if let Some(path) = credentials {
            all.add_credentials(&read(&path)?);
        }
        Ok(all)
    }

    /// The configuration file and the credentials file that the environment names.
    pub(crate) fn files(environment: &Environment) -> [Option<PathBuf>; 2] {
        [("AWS_CONFIG_FILE", ".aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")]
            .map(|(variable, below_home)| environment.path(variable, below_home))
    }

    /// The values of a setting in any profile.
    pub(crate) fn values<'a>(&'a self, setting: &'a str) -> impl Iterator<Item = &'a str> {
        self.profiles.values().filter_map(move |profile| profile.value(setting))
    }

    fn add_config(&mut self, text: &str) {
        let mut bare = None;
        for (section, settings) in parse(text) {
            match section {
                Section::Profile(name) => self.profiles.entry(name).or_default().config = settings,
                Section::Bare(name) if name == DEFAULT => bare = Some(settings),
                // A profile of this file is marked as one.
                Section::Bare(_) => {}
                Section::Services(name) => {
                    self.services.insert(name, settings);
                }
            }
        }
        // `[profile default]` wins over `[default]`.
        if let Some(settings) = bare {
            let profile = self.profiles.entry(DEFAULT.to_owned()).or_default();
            if profile.config.is_empty() {
                profile.config = settings;
            }
        }
    }

    fn add_credentials(&mut self, text: &str) {
        for (section, settings) in parse(text) {
            if let Section::Bare(name) = section {
                self.profiles.entry(name).or_default().credentials = settings;
            }
        }
    }

    pub(crate) fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.get(name)
    }

    /// The endpoint that a `services` section gives a service.
    pub(crate) fn service_endpoint(&self, section: &str, service: &str) -> Option<&str> {
        let found = self.services.get(section)?.get(service)?.below.get("endpoint_url")?;
        Some(found.as_str()).filter(|text| !text.is_empty())
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, ClientError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Zeroizing::default())
        }
        Err(cause) => Err(ClientError::File { path: path.to_owned(), cause }),
    }
}

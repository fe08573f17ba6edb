//! One use of `--wrapping-keys`: what it says, checked, and the keyrings that it makes.

use std::path::Path;
use std::sync::Arc;

use envelope::kms::{ClientSource, KmsClient, KmsError};
use envelope::{DiscoveryFilter, Keyring, KmsDiscoveryKeyring, KmsKeyring};

use super::raw::Raw;
use super::{KeyServices, Purpose};
use crate::failure::Failure;

/// One use of `--wrapping-keys`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// KMS keys by name.
    Kms { keys: Vec<String>, region: Option<String>, profile: Option<String> },
    /// The KMS keys that messages name.
    Discovery { region: Option<String>, profile: Option<String>, accounts: Option<(String, Vec<String>)> },
    /// A key from a file.
    Raw(Raw),
}

/// The names of a group's settings.
const NAMES: [&str; 11] = [
    "discovery",
    "discovery-account",
    "discovery-partition",
    "encoding",
    "file",
    "key",
    "name",
    "namespace",
    "padding",
    "profile",
    "region",
];

/// The settings of a group, each with its values.
pub(super) struct Settings<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Settings<'a> {
    /// All values of a setting, which are taken out.
    fn all(&mut self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned()).collect();
        self.0.retain(|(found, _)| *found != name);
        values
    }

    /// The value of a setting that may be given once.
    pub(super) fn one(&mut self, name: &str) -> Result<Option<String>, String> {
        let mut values = self.all(name);
        if values.len() > 1 { Err(format!("{name} may be given once")) } else { Ok(values.pop()) }
    }

    pub(super) fn needed(&mut self, name: &str) -> Result<String, String> {
        self.one(name)?.ok_or_else(|| format!("{name}=… is missing"))
    }

    /// Refuses the parameters that nothing has taken: they have no meaning here.
    pub(super) fn done(self, what: &str) -> Result<(), String> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(format!("{name} means nothing for {what}")),
        }
    }
}

impl Group {
    pub(super) fn parse<'a>(pairs: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut settings = Settings(Vec::new());
        for pair in pairs {
            let (name, value) =
                pair.split_once('=').ok_or_else(|| format!("{pair:?} is not of the form name=value"))?;
            if name != "provider" && !NAMES.contains(&name) {
                return Err(format!("there is no setting {name:?}"));
            }
            if value.is_empty() {
                return Err(format!("{name} has no value"));
            }
            settings.0.push((name, value));
        }
        match settings.one("provider")?.as_deref() {
            None | Some("aws-kms" | "aws-encryption-sdk-cli::aws-kms") => Self::parse_kms(settings),
            Some("raw-aes") => Ok(Self::Raw(Raw::parse_aes(settings)?)),
            Some("raw-rsa") => Ok(Self::Raw(Raw::parse_rsa(settings)?)),
            Some(other) => Err(format!("there is no provider {other:?}; aws-kms, raw-aes and raw-rsa are known")),
        }
    }

    fn parse_kms(mut settings: Settings<'_>) -> Result<Self, String> {
        let keys = settings.all("key");
        let (region, profile) = (settings.one("region")?, settings.one("profile")?);
        let discovery = match settings.one("discovery")?.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(format!("discovery is true or false, not {other:?}")),
        };
        let (accounts, partition) = (settings.all("discovery-account"), settings.one("discovery-partition")?);
        settings.done("KMS keys")?;
        if !discovery {
            if !accounts.is_empty() || partition.is_some() {
                return Err("discovery-account and discovery-partition belong to discovery=true".to_owned());
            }
            if keys.is_empty() {
                return Err("key=… is missing (or discovery=true, to decrypt)".to_owned());
            }
            return Ok(Self::Kms { keys, region, profile });
        }
        if !keys.is_empty() {
            return Err("key names the keys, and discovery=true leaves that to the message".to_owned());
        }
        let accounts = match (partition, accounts.is_empty()) {
            (None, true) => None,
            (Some(partition), false) => Some((partition, accounts)),
            _ => return Err("discovery-account and discovery-partition belong together".to_owned()),
        };
        Ok(Self::Discovery { region, profile, accounts })
    }

    /// The file of the group's key, if it comes from one.
    pub(super) fn key_file(&self) -> Option<&Path> {
        match self {
            Self::Raw(raw) => Some(raw.file()),
            Self::Kms { .. } | Self::Discovery { .. } => None,
        }
    }

    /// Makes the group's keyrings.
    pub(super) fn keyrings(
        &self,
        services: &KeyServices,
        purpose: Purpose,
        keyrings: &mut Vec<Box<dyn Keyring>>,
    ) -> Result<(), Failure> {
        match self {
            Self::Raw(raw) => keyrings.push(raw.keyring()?),
            Self::Kms { keys, region, profile } => {
                for key in keys {
                    keyrings.push(Box::new(named(services, key, region.as_deref(), profile.as_deref(), purpose)?));
                }
            }
            Self::Discovery { .. } if purpose == Purpose::Encrypt => {
                return Err(Failure::Usage("discovery=true only decrypts; name a key to encrypt with".to_owned()));
            }
            Self::Discovery { region, profile, accounts } => {
                let services = services.clone();
                // Made here as well, so that a profile that can't be used is reported at once.
                services.session(profile.as_deref())?;
                let profile = profile.clone();
                let clients = move |region: &str| -> Result<Arc<dyn KmsClient>, KmsError> {
                    let client = services.kms(profile.as_deref(), Some(region));
                    Ok(Arc::new(client.map_err(|error| KmsError::new("Configuration", error.to_string()))?))
                };
                keyrings.push(Box::new(discovery(clients, region.as_deref(), accounts.as_ref())));
            }
        }
        Ok(())
    }
}

fn discovery(
    clients: impl ClientSource + 'static,
    region: Option<&str>,
    accounts: Option<&(String, Vec<String>)>,
) -> KmsDiscoveryKeyring {
    let mut keyring = KmsDiscoveryKeyring::new(clients);
    if let Some(region) = region {
        keyring = keyring.multi_region(region);
    }
    if let Some((partition, accounts)) = accounts {
        keyring = keyring.filter(DiscoveryFilter::new(partition, accounts.iter().cloned()));
    }
    keyring
}

/// A keyring of one KMS key.
fn named(
    services: &KeyServices,
    key: &str,
    region: Option<&str>,
    profile: Option<&str>,
    purpose: Purpose,
) -> Result<KmsKeyring, Failure> {
    let kms = services.kms(profile, region_of(key).or(region))?;
    let alias = key.starts_with("alias/") || key.contains(":alias/");
    // To decrypt, the alias is looked up, so that only data keys under its key are tried. Whoever may not look it up
    // gets the key service's own answer for the alias later.
    let found = if purpose == Purpose::Decrypt && alias { services.key_arn(&kms, key) } else { None };
    Ok(KmsKeyring::new(Arc::new(kms), found.unwrap_or_else(|| key.to_owned())).multi_region())
}

/// The region in a key's or an alias's ARN.
fn region_of(key: &str) -> Option<&str> {
    let mut parts = key.split(':');
    (parts.next() == Some("arn")).then(|| parts.nth(2)).flatten().filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Group, String> {
        Group::parse(text.split_whitespace())
    }

    #[test]
    fn groups_of_kms_keys_are_read() {
        let kms = |keys: &[&str], region: Option<&str>, profile: Option<&str>| Group::Kms {
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
            region: region.map(str::to_owned),
            profile: profile.map(str::to_owned),
        };
        assert_eq!(parse("key=alias/a"), Ok(kms(&["alias/a"], None, None)));
        let several = "provider=aws-kms key=a key=b region=r-1 profile=p discovery=false";
        assert_eq!(parse(several), Ok(kms(&["a", "b"], Some("r-1"), Some("p"))));
        let accounts = Some(("aws".to_owned(), vec!["1".to_owned(), "2".to_owned()]));
        assert_eq!(
            parse("discovery=true discovery-partition=aws discovery-account=1 discovery-account=2"),
            Ok(Group::Discovery { region: None, profile: None, accounts })
        );
    }

    #[test]
    fn groups_that_mean_nothing_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "key=… is missing"),
            ("key", "not of the form"),
            ("key=", "no value"),
            ("kye=a", "no setting"),
            ("region=r", "key=… is missing"),
            ("key=a region=r region=s", "may be given once"),
            ("key=a discovery=true", "leaves that to the message"),
            ("key=a discovery-account=1", "belong to discovery=true"),
            ("discovery=true discovery-account=1", "belong together"),
            ("discovery=yes", "true or false"),
            ("key=a name=b", "means nothing for KMS keys"),
            ("provider=other key=a", "no provider"),
            ("provider=raw-aes name=a file=f", "namespace=… is missing"),
            ("provider=raw-aes namespace=n name=a file=f padding=pkcs1", "means nothing for a raw AES key"),
            ("provider=raw-rsa namespace=n name=a file=f padding=none", "no padding"),
            ("provider=raw-rsa namespace=aws-kms name=a file=f", "aws-kms"),
        ] {
            let refused = parse(text).expect_err(text);
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }

    #[test]
    fn only_an_arn_has_a_region() {
        assert_eq!(region_of("arn:aws:kms:eu-west-1:1:key/k"), Some("eu-west-1"));
        assert_eq!(region_of("arn:aws:kms::1:key/k"), None);
        assert_eq!(region_of("alias/arn:a:b:c"), None);
    }
}

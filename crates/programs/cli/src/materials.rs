//! Where the keys of messages come from: wrapping keys, `--caching`, and what is required of the encryption context.

use std::time::{Duration, Instant};

use clap::Args;
use envelope::{
    CacheLimits, CachingMaterials, DecryptionMaterials, DecryptionRequest, EncryptionMaterials, EncryptionRequest,
    Error, MaterialsSource, MultiKeyring, Pending, RequiredContext,
};

use crate::failure::Failure;

/// The most messages that one data key may serve.
const MESSAGES_MAX: u64 = 1 << 32;

/// A source of materials, whichever it is.
pub(crate) struct Materials(Box<dyn MaterialsSource>);

impl MaterialsSource for Materials {
    fn encryption<'a>(&'a self, request: EncryptionRequest) -> Pending<'a, Result<EncryptionMaterials, Error>> {
        self.0.encryption(request)
    }

    fn decryption<'a>(&'a self, request: DecryptionRequest<'a>) -> Pending<'a, Result<DecryptionMaterials, Error>> {
        self.0.decryption(request)
    }
}

/// Bounds on data keys that serve several messages.
#[derive(Args)]
pub(crate) struct Caching {
    /// Use a data key for several files: capacity=N max_age=SECONDS [max_messages_encrypted=N] [max_bytes_encrypted=N]
    ///
    /// Spares calls of the key service, at the price that whoever has the data key of one file has that of the others.
    /// Only files of known length share one, so standard input needs --max-length.
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    caching: Vec<String>,
}

impl Caching {
    /// The materials of a keyring, with entries of the context that are required and not stored, and cached if that was
    /// asked for.
    pub(crate) fn materials(&self, keyring: MultiKeyring, unstored: &[String]) -> Result<Materials, Failure> {
        let limits = self.limits().map_err(|reason| Failure::Usage(format!("--caching: {reason}")))?;
        let required = RequiredContext::new(keyring, unstored.iter().cloned());
        Ok(Materials(match limits {
            None => Box::new(required),
            Some(limits) => Box::new(CachingMaterials::new(required, limits, Instant::now)),
        }))
    }

    fn limits(&self) -> Result<Option<CacheLimits>, String> {
        if self.caching.is_empty() {
            return Ok(None);
        }
        let (mut capacity, mut age, mut messages, mut bytes) = (None, None, None, None);
        for pair in &self.caching {
            let (name, value) =
                pair.split_once('=').ok_or_else(|| format!("{pair:?} is not of the form name=value"))?;
            let wrong = |error: String| format!("{name} can't be {value:?}: {error}");
            match name {
                "capacity" => capacity = Some(value.parse::<usize>().map_err(|error| wrong(error.to_string()))?),
                "max_age" => {
                    let seconds = value.parse::<f64>().map_err(|error| wrong(error.to_string()))?;
                    age = Some(Duration::try_from_secs_f64(seconds).map_err(|error| wrong(error.to_string()))?);
                }
                "max_messages_encrypted" => {
                    messages = Some(value.parse::<u64>().map_err(|error| wrong(error.to_string()))?);
                }
                "max_bytes_encrypted" => bytes = Some(value.parse::<u64>().map_err(|error| wrong(error.to_string()))?),
                _ => return Err(format!("there is no setting {name:?}")),
            }
        }
        let (Some(capacity), Some(age)) = (capacity, age) else {
            return Err("capacity=… and max_age=… are needed".to_owned());
        };
        if capacity == 0 || age.is_zero() {
            return Err("capacity and max_age have to be more than nothing".to_owned());
        }
        if messages.is_some_and(|messages| !(1..=MESSAGES_MAX).contains(&messages)) {
            return Err(format!("max_messages_encrypted is from 1 to {MESSAGES_MAX}"));
        }
        let mut limits = CacheLimits::new(capacity, age);
        if let Some(messages) = messages {
            limits = limits.messages_max(messages);
        }
        if let Some(bytes) = bytes {
            limits = limits.bytes_max(bytes);
        }
        Ok(Some(limits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(text: &str) -> Result<Option<CacheLimits>, String> {
        Caching { caching: text.split_whitespace().map(str::to_owned).collect() }.limits()
    }

    #[test]
    fn bounds_are_read() {
        assert!(limits("").expect("none").is_none());
        let all = "capacity=10 max_age=1.5 max_messages_encrypted=3 max_bytes_encrypted=4096";
        let all = limits(all).expect("bounds").expect("some");
        assert_eq!((all.entries_max, all.age_max), (10, Duration::from_millis(1500)));
        assert_eq!((all.messages_max, all.bytes_max), (3, 4096));
    }

    #[test]
    fn bounds_that_mean_nothing_are_refused() {
        for text in [
            "capacity=1",
            "max_age=1",
            "capacity",
            "capacity=x max_age=1",
            "capacity=1 max_age=-1",
            "capacity=1 max_age=nan",
            "capacity=0 max_age=1",
            "capacity=1 max_age=0",
            "capacity=1 max_age=1 max_messages_encrypted=0",
            "capacity=1 max_age=1 max_messages_encrypted=4294967297",
            "capacity=1 max_age=1 other=1",
        ] {
            assert!(limits(text).is_err(), "{text}");
        }
    }
}

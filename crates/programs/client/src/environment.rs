//! The variables that AWS's tools read.

use std::collections::HashMap;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// The variables that AWS's tools read, as they were at one moment.
pub struct Environment(HashMap<String, Zeroizing<String>>);

impl Environment {
    /// The process's own.
    #[must_use]
    pub fn of_process() -> Self {
        let wanted = |name: &str| name.starts_with("AWS_") || matches!(name, "HOME" | "USERPROFILE");
        Self::from_iter(std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| wanted(name))?;
            Some((name, value.into_string().ok()?))
        }))
    }

    /// The same, with a value for a variable that has none.
    #[must_use]
    pub fn with_default(mut self, name: &str, value: &str) -> Self {
        if self.value(name).is_none() {
            self.0.insert(name.to_owned(), value.to_owned().into());
        }
        self
    }

    /// The value of a variable. An empty one counts as none.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The path that a variable has, or else the one below the home directory.
    pub(crate) fn path(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        match self.value(name) {
            Some(path) => Some(self.expanded(path)),
            None => self.home().map(|home| home.join(below_home)),
        }
    }

    /// The path, with a `~/` at its beginning replaced.
    pub(crate) fn expanded(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), self.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    fn home(&self) -> Option<PathBuf> {
        self.value("HOME").or_else(|| self.value("USERPROFILE")).map(PathBuf::from)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), Zeroizing::new(value.into()))).collect())
    }
}

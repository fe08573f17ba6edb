//! Names under which resources have hosts of their own: `photos` of `photos.localhost`.
//!
//! Knows names only; that the label is a bucket's is the service's affair.

use std::borrow::Cow;
use std::net::IpAddr;

/// The names below which hosts stand for resources, the longest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Hosts below these names. Addresses have none below them.
    #[must_use]
    pub fn below(names: impl IntoIterator<Item = String>) -> Self {
        let names = names.into_iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase());
        let mut names: Vec<_> = names.filter(|name| !name.is_empty() && name.parse::<IpAddr>().is_err()).collect();
        names.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        names.dedup();
        Self(names)
    }

    /// The part before the longest name that the host is below, in lower case; `None` for one that is below none. The
    /// port counts for nothing.
    #[must_use]
    pub fn label<'h>(&self, host: &'h str) -> Option<Cow<'h, str>> {
        let bare = match host.rsplit_once(':') {
            Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
            _ => host,
        };
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        let (name, dot) = self.0.iter().find_map(|name| {
            let start = bare.len().checked_sub(name.len())?;
            let same = bare.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(name));
            let dot = start.checked_sub(1);
            let below = dot.is_none_or(|dot| bare.as_bytes().get(dot) == Some(&b'.'));
            (same && below).then_some((name, dot))
        })?;
        let label = bare.get(..dot?).filter(|label| !label.is_empty() && bare.len() > name.len())?;
        let upper = label.bytes().any(|byte| byte.is_ascii_uppercase());
        Some(if upper { Cow::Owned(label.to_ascii_lowercase()) } else { Cow::Borrowed(label) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_stands_before_the_longest_name() {
        let hosts =
            Hosts::below(["localhost", "s3.localhost", "Example.COM.", "127.0.0.1", "::1", ""].map(str::to_owned));
        for (host, expect) in [
            ("photos.localhost", Some("photos")),
            ("photos.localhost:4566", Some("photos")),
            ("Photos.LocalHost.:4566", Some("photos")),
            ("a.b.localhost", Some("a.b")),
            ("photos.s3.localhost", Some("photos")),
            ("s3.localhost:4566", None),
            ("localhost", None),
            ("localhost:4566", None),
            (".localhost", None),
            ("notlocalhost", None),
            ("photos.example.com", Some("photos")),
            ("photos.example.org", None),
            ("127.0.0.1:4566", None),
            ("photos.127.0.0.1", None),
            ("[::1]:4566", None),
            ("", None),
            (":4566", None),
            ("ü.localhost", Some("ü")),
            ("üocalhost", None),
        ] {
            assert_eq!(hosts.label(host).as_deref(), expect, "{host:?}");
        }
        assert_eq!(Hosts::default().label("photos.localhost"), None);
    }
}

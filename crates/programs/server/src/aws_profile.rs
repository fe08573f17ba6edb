//! The AWS shared files that the server writes: `aws/config` and `aws/credentials`, each with a ready `default` profile.
//!
//! `config` follows the server; `credentials` is written at the first start. What the operator adds to either stays.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use zeroize::Zeroizing;

use crate::data_dir::{Layout, replace_file};
use crate::error::ServerError;

/// The profile that clients use unless told otherwise.
pub(crate) const DEFAULT: &str = "default";

/// The settings of S3, which belong to the line above them. Without them the AWS CLI and boto3 presign in Regions that have been
/// there for long with a version of signatures that AWS's own new buckets do not take.
const PRESIGNED: &str = "\n  signature_version = s3v4";

/// An endpoint as clients are configured with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The URL, without a path.
    pub url: String,
    /// The certificate to trust; `None` when clients trust the server's already.
    pub ca_bundle: Option<std::path::PathBuf>,
    /// The region to ask for.
    pub region: String,
}

/// The URL of a server that listens on `address`: one that works on this machine, whichever addresses that stands for.
#[must_use]
pub fn local_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("https://{}", SocketAddr::new(ip, address.port()))
}

/// Puts the endpoint into `aws/config`'s `default` profile and leaves everything else in the file as it is.
pub(crate) fn write_config(layout: &Layout, endpoint: &Endpoint) -> Result<(), ServerError> {
    let Endpoint { url, ca_bundle, region } = endpoint;
    let ca_bundle = ca_bundle.as_deref().map(|path| path.display().to_string());
    let path = layout.aws_config();
    let before = read(&path)?.unwrap_or_default();
    let (ca_bundle, own) = (ca_bundle.as_deref(), default_lines(&before).any(|line| setting(line, "s3").is_some()));
    let mut settings = vec![("region", Some(&**region)), ("endpoint_url", Some(url)), ("ca_bundle", ca_bundle)];
    if !own {
        settings.push(("s3", Some(PRESIGNED)));
    }
    let after = with_profile(&before, DEFAULT, &settings);
    if *after == *before { Ok(()) } else { replace_file(&path, after.as_bytes()) }
}

/// Puts an access key into a profile of `aws/credentials`.
pub(crate) fn write_profile(
    layout: &Layout,
    profile: &str,
    access_key_id: &str,
    secret: &str,
) -> Result<(), ServerError> {
    let path = layout.aws_credentials();
    let before = Zeroizing::new(read(&path)?.unwrap_or_default());
    let settings = [
        ("aws_access_key_id", Some(access_key_id)),
        ("aws_secret_access_key", Some(secret)),
        ("aws_session_token", None),
    ];
    replace_file(&path, with_profile(&before, profile, &settings).as_bytes())
}

/// The endpoint in the `default` profile of a configuration file, for `sealstack env`.
///
/// # Errors
/// [`ServerError::NoData`] when the server has not written one, [`ServerError::Io`].
pub fn read_config(layout: &Layout) -> Result<Endpoint, ServerError> {
    let text = read(&layout.aws_config())?.unwrap_or_default();
    let value = |name| default_lines(&text).find_map(|line| setting(line, name)).map(str::to_owned);
    match (value("endpoint_url"), value("region")) {
        (Some(url), Some(region)) => Ok(Endpoint { url, ca_bundle: value("ca_bundle").map(Into::into), region }),
        _ => Err(ServerError::NoData { path: layout.root().to_owned() }),
    }
}

/// Whether `aws/credentials` has a profile of this name.
pub(crate) fn has_credentials(layout: &Layout, profile: &str) -> Result<bool, ServerError> {
    let text = Zeroizing::new(read(&layout.aws_credentials())?.unwrap_or_default());
    Ok(text.lines().any(|line| section(line) == Some(profile)))
}

/// The file with these settings in the section `name`, and none of those without a value.
fn with_profile(before: &str, name: &str, settings: &[(&str, Option<&str>)]) -> Zeroizing<String> {
    let mut profile = Zeroizing::new(String::with_capacity(512));
    for part in ["[", name, "]\n"] {
        profile.push_str(part);
    }
    for (name, value) in settings {
        if let Some(value) = value {
            for part in [name, " = ", value, "\n"] {
                profile.push_str(part);
            }
        }
    }
    // Room for all of it: a string that grows would leave a copy behind.
    let mut after = Zeroizing::new(String::with_capacity(before.len() + profile.len() + 1));
    if !before.lines().any(|line| section(line) == Some(name)) {
        after.push_str(&profile);
    }
    let mut inside = false;
    for line in before.lines() {
        match section(line) {
            Some(found) if found == name && !inside => {
                inside = true;
                after.push_str(&profile);
                continue;
            }
            Some(_) => inside = false,
            None => {}
        }
        if !(inside && settings.iter().any(|(name, _)| setting(line, name).is_some())) {
            after.push_str(line);
            after.push('\n');
        }
    }
    after
}

/// The file's text; `None` when it isn't there.
fn read(path: &Path) -> Result<Option<String>, ServerError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(ServerError::Io { action: "read", path: path.to_owned(), cause }),
    }
}

fn default_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        if let Some(name) = section(line) {
            inside = name == "default";
            return false;
        }
        inside
    })
}

fn section(line: &str) -> Option<&str> {
    Some(line.trim_end().strip_prefix('[')?.strip_suffix(']')?.trim())
}

/// The value, if the line sets `name`. An indented line belongs to a setting above it.
fn setting<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    Some(line.strip_prefix(name)?.trim_start().strip_prefix('=')?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(port: u16) -> Endpoint {
        Endpoint {
            url: format!("https://127.0.0.1:{port}"),
            ca_bundle: Some("/data/tls/ca.pem".into()),
            region: "us-east-1".to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_follows_the_server() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        assert!(matches!(read_config(&layout), Err(ServerError::NoData { .. })));
        for port in [4566, 4567] {
            write_config(&layout, &endpoint(port)).expect("written");
            assert_eq!(read_config(&layout).expect("read"), endpoint(port));
        }
    }

    #[test]
    fn the_operators_own_lines_are_kept() {
        let before = "# mine\n[profile alice]\nregion = eu-west-1\n\n[default]\nregion = old\noutput = json\n\
                      ca_bundle = /old\n\n[profile bob]\nendpoint_url = http://x\n";
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        replace_file(&layout.aws_config(), before.as_bytes()).expect("written");
        for _ in 0..2 {
            write_config(&layout, &endpoint(1)).expect("written");
            assert_eq!(
                std::fs::read_to_string(layout.aws_config()).expect("it"),
                "# mine\n[profile alice]\nregion = eu-west-1\n\n[default]\nregion = us-east-1\n\
                 endpoint_url = https://127.0.0.1:1\nca_bundle = /data/tls/ca.pem\ns3 = \n  signature_version = s3v4\n\
                 output = json\n\n\
                 [profile bob]\nendpoint_url = http://x\n"
            );
        }
    }

    #[test]
    fn a_new_access_key_takes_the_place_of_the_old() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        let written = || std::fs::read_to_string(layout.aws_credentials()).expect("it");
        write_profile(&layout, DEFAULT, "AKIAFIRST", "first").expect("written");
        assert_eq!(written(), "[default]\naws_access_key_id = AKIAFIRST\naws_secret_access_key = first\n");
        let more = format!("{}aws_session_token = old\n[alice]\naws_access_key_id = AKIAALICE\n", written());
        std::fs::write(layout.aws_credentials(), more).expect("written");
        write_profile(&layout, DEFAULT, "AKIASECOND", "second").expect("replaced");
        assert_eq!(
            written(),
            "[default]\naws_access_key_id = AKIASECOND\naws_secret_access_key = second\n\
             [alice]\naws_access_key_id = AKIAALICE\n"
        );
    }

    #[test]
    fn an_unspecified_address_is_reached_over_loopback() {
        for (listened, url) in [
            ("127.0.0.1:4566", "https://127.0.0.1:4566"),
            ("0.0.0.0:4566", "https://127.0.0.1:4566"),
            ("[::]:4566", "https://[::1]:4566"),
            ("192.0.2.7:443", "https://192.0.2.7:443"),
        ] {
            assert_eq!(local_url(listened.parse().expect("an address")), url);
        }
    }
}

//! Addresses under which clients of Git reach repositories: what `cloneUrlHttp` and `cloneUrlSsh` say.
//!
//! Unless the operator states them, they are those under which the call itself came.

use service::Call;

use crate::CodeCommit;

/// Addresses for clients of Git, as far as the operator states them.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// The beginning of HTTPS addresses, such as `https://git.example.com`. For servers behind a proxy that ends TLS.
    pub https: Option<String>,
    /// The beginning of SSH addresses, such as `ssh://git.example.com:2222`.
    pub ssh: Option<String>,
    /// The port of SSH, if `ssh` does not say it.
    pub ssh_port: Option<u16>,
}

/// The path under which a repository is served.
pub(crate) const PATH: &str = "/v1/repos/";

impl Addresses {
    /// The address of a repository for Git over HTTP.
    pub(crate) fn http(&self, name: &str, call: &Call<'_, CodeCommit>) -> String {
        let base = match (&self.https, call.origin.host) {
            (Some(base), _) => base.trim_end_matches('/').to_owned(),
            (None, Some(host)) if call.origin.secure => format!("https://{host}"),
            (None, Some(host)) => format!("http://{host}"),
            (None, None) => format!("https://git-codecommit.{}.amazonaws.com", call.region),
        };
        [&base, PATH, name].concat()
    }

    /// The address of a repository for Git over SSH.
    pub(crate) fn ssh(&self, name: &str, call: &Call<'_, CodeCommit>) -> String {
        let base = match (&self.ssh, call.origin.host) {
            (Some(base), _) => base.trim_end_matches('/').to_owned(),
            (None, Some(host)) => {
                let port = self.ssh_port.filter(|port| *port != 22).map(|port| format!(":{port}")).unwrap_or_default();
                format!("ssh://{}{port}", without_port(host))
            }
            (None, None) => format!("ssh://git-codecommit.{}.amazonaws.com", call.region),
        };
        [&base, PATH, name].concat()
    }
}

/// A host without its port. An IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::without_port;

    #[test]
    fn a_port_is_taken_off_and_an_address_keeps_its_colons() {
        for (host, expected) in [
            ("localhost:8080", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:8080", "[::1]"),
            ("[::1]", "[::1]"),
            ("10.0.0.1:1", "10.0.0.1"),
        ] {
            assert_eq!(without_port(host), expected);
        }
    }
}

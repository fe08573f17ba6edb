//! The output of `sealstack env`: variables that point AWS clients and git of a shell at this server.

use std::fmt::Write as _;

use crate::aws_profile::Endpoint;
use crate::data_dir::Layout;

/// The shell to print for.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shell {
    /// sh, bash, zsh, dash
    #[default]
    Sh,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
}

/// Variables that would win over the profile, and send requests elsewhere or sign them with another key.
const CLEARED: [&str; 4] = ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// The statements, one a line, for `eval`.
#[must_use]
pub fn statements(shell: Shell, layout: &Layout, endpoint: &Endpoint) -> String {
    let mut out = String::new();
    for name in CLEARED {
        let _ = match shell {
            Shell::Sh => writeln!(out, "unset {name}"),
            Shell::Fish => writeln!(out, "set -e {name}"),
            Shell::Powershell => writeln!(out, "Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
        };
    }
    for (name, value) in variables(layout, endpoint) {
        let _ = match shell {
            Shell::Sh => writeln!(out, "export {name}='{}'", value.replace('\'', r"'\''")),
            Shell::Fish => {
                writeln!(out, "set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
            }
            Shell::Powershell => writeln!(out, "$env:{name} = '{}'", value.replace('\'', "''")),
        };
    }
    out
}

/// Endpoint, region and certificate are in the `default` profile too; as variables they also hold for profiles that an
/// operator adds with nothing but an access key.
fn variables(layout: &Layout, endpoint: &Endpoint) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("AWS_CONFIG_FILE", layout.aws_config().display().to_string()),
        ("AWS_SHARED_CREDENTIALS_FILE", layout.aws_credentials().display().to_string()),
        ("AWS_ENDPOINT_URL", endpoint.url.clone()),
        ("AWS_REGION", endpoint.region.clone()),
        ("AWS_DEFAULT_REGION", endpoint.region.clone()),
    ];
    if let Some(path) = &endpoint.ca_bundle {
        let path = path.display().to_string();
        variables.push(("AWS_CA_BUNDLE", path.clone()));
        // For this server's URLs alone: git's own GIT_SSL_CAINFO would break every other remote.
        variables.push(("GIT_CONFIG_COUNT", "1".to_owned()));
        variables.push(("GIT_CONFIG_KEY_0", format!("http.{}/.sslCAInfo", endpoint.url)));
        variables.push(("GIT_CONFIG_VALUE_0", path));
        // git-remote-codecommit always uses TLS, and takes the host and port without a scheme.
        let authority = endpoint.url.split_once("://").map_or(&*endpoint.url, |(_, authority)| authority);
        variables.push(("CODE_COMMIT_ENDPOINT", authority.to_owned()));
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(shell: Shell, root: &str) -> String {
        let endpoint = Endpoint {
            url: "https://127.0.0.1:4566".to_owned(),
            ca_bundle: Some(format!("{root}/tls/ca.pem").into()),
            region: "us-east-1".to_owned(),
        };
        statements(shell, &Layout::new(root.into()), &endpoint)
    }

    #[test]
    fn every_shell_gets_its_own_statements() {
        for (shell, line) in [
            (Shell::Sh, "export AWS_CONFIG_FILE='/data/aws/config'"),
            (Shell::Sh, "export CODE_COMMIT_ENDPOINT='127.0.0.1:4566'"),
            (Shell::Fish, "set -gx AWS_CONFIG_FILE '/data/aws/config'"),
            (Shell::Powershell, "$env:AWS_CONFIG_FILE = '/data/aws/config'"),
        ] {
            let printed = print(shell, "/data");
            assert!(printed.lines().any(|found| found == line), "{printed}");
            assert!(printed.contains("AWS_ACCESS_KEY_ID"), "a stray access key is cleared: {printed}");
        }
    }

    #[test]
    fn a_quote_in_the_path_does_not_end_the_string() {
        let printed = print(Shell::Sh, "/it's/$(here)");
        let shell = std::process::Command::new("sh")
            .args(["-c", "eval \"$1\"; printf %s \"$AWS_CONFIG_FILE\"", "sh", &printed])
            .output()
            .expect("sh runs");
        assert_eq!(String::from_utf8_lossy(&shell.stdout), "/it's/$(here)/aws/config");
        assert!(print(Shell::Fish, r"/it's\").contains(r"'/it\'s\\/aws/config'"));
        assert!(print(Shell::Powershell, "/it's").contains("'/it''s/aws/config'"));
    }
}

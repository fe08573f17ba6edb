//! The real clients: the Python environment that the test command installs, and scripts run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of the workspace.
#[must_use]
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this crate lies in testkit").to_owned()
}

/// The Python environment with the AWS CLI, boto3 and the AWS Encryption SDK.
pub struct Python {
    bin: PathBuf,
}

impl Python {
    /// The environment at `target/clients`, or where `SEALSTACK_CLIENTS` says.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn installed() -> Self {
        Self::at("SEALSTACK_CLIENTS", "target/clients")
    }

    /// The environment of the official command of the AWS Encryption SDK, which needs an older SDK than the others:
    /// `target/encryption-cli`, or where `SEALSTACK_ENCRYPTION_CLI` says.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn encryption_cli() -> Self {
        Self::at("SEALSTACK_ENCRYPTION_CLI", "target/encryption-cli")
    }

    fn at(variable: &str, usual: &str) -> Self {
        let dir = std::env::var_os(variable).map_or_else(|| workspace_root().join(usual), PathBuf::from);
        let bin = dir.join("bin");
        let python = bin.join("python");
        assert!(
            python.exists(),
            "this test drives programs that are not installed: there is no {}. Run ./test in the workspace's root once, \
             which installs them there, or name another place in the variable {variable}",
            python.display()
        );
        Self { bin }
    }

    /// The files of an installed package.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn package(&self, name: &str) -> PathBuf {
        let lib = self.bin.with_file_name("lib");
        let versions = std::fs::read_dir(&lib).into_iter().flatten().flatten();
        let mut packages = versions.map(|version| version.path().join("site-packages").join(name));
        packages.find(|path| path.is_dir()).unwrap_or_else(|| {
            panic!("the Python package {name} is not installed in {}: run ./test once, it installs it", lib.display())
        })
    }

    /// The vectors of NIST's Automated Cryptographic Validation Protocol.
    ///
    /// # Panics
    /// When they are not there.
    #[must_use]
    pub fn acvp(&self) -> PathBuf {
        let path = self.bin.with_file_name("acvp").join("assets");
        assert!(path.is_dir(), "no vectors in {}: run ./test once, it fetches them", path.display());
        path
    }

    /// A command of the environment, such as `python` or `aws`, with no AWS settings inherited.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        self.prepared(Command::new(self.bin.join(name)))
    }

    /// A shell script that finds the environment's commands on its `PATH`.
    #[must_use]
    pub fn shell(&self, script: &Path) -> Command {
        let mut command = Command::new("bash");
        command.arg(script);
        self.prepared(command)
    }

    fn prepared(&self, mut command: Command) -> Command {
        for (variable, _) in std::env::vars_os() {
            if variable.to_str().is_some_and(|variable| variable.starts_with("AWS_")) {
                command.env_remove(variable);
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.bin.display()));
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("AWS_PAGER", "").env("AWS_MAX_ATTEMPTS", "1");
        command
    }

    /// A script for Node.js under `testkit/clients/npm`, which finds the packages that are installed from there.
    #[must_use]
    pub fn npm_script(&self, name: &str) -> Command {
        let mut command = self.command("node");
        let packages = self.bin.with_file_name("npm").join("node_modules");
        command.env("NODE_PATH", packages).arg(workspace_root().join("testkit/clients/npm").join(name));
        command
    }

    /// A script under `testkit/clients`.
    #[must_use]
    pub fn script(&self, name: &str) -> Command {
        let mut command = self.command("python");
        command.arg(workspace_root().join("testkit/clients").join(name));
        command
    }
}

/// Runs a command to its end, and returns its output.
///
/// # Panics
/// When it failed; its output is in the message.
#[must_use]
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

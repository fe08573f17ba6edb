//! A SoftHSM2 of a test's own: real PKCS#11 tokens in a directory that goes away with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::clients::succeed;

/// Where distributions put the module.
const MODULES: [&str; 3] =
    ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"];

/// The variable that names SoftHSM2's configuration.
const CONFIGURATION: &str = "SOFTHSM2_CONF";

/// The PIN of every token's security officer.
const OFFICER_PIN: &str = "security officer";

/// A directory of tokens.
pub struct SoftHsm {
    directory: tempfile::TempDir,
}

impl SoftHsm {
    /// An empty one.
    ///
    /// # Panics
    /// When SoftHSM2 is not installed.
    #[must_use]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let tokens = directory.path().join("tokens");
        std::fs::create_dir(&tokens).expect("a directory for tokens");
        let hsm = Self { directory };
        hsm.allow("ALL");
        let _ = Self::module();
        hsm
    }

    /// Limits the tokens, from the next start of a process on, to `mechanisms`: `ALL`, or names in SoftHSM2's own terms.
    ///
    /// # Panics
    /// When the configuration cannot be written.
    pub fn allow(&self, mechanisms: &str) {
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.mechanisms = {mechanisms}\n",
            self.tokens().display()
        );
        std::fs::write(self.configuration(), text).expect("a configuration");
    }

    /// The PKCS#11 module.
    ///
    /// # Panics
    /// When SoftHSM2 is not installed.
    #[must_use]
    pub fn module() -> &'static Path {
        let found = MODULES.iter().map(Path::new).find(|path| path.exists());
        found.expect("SoftHSM2 is not installed: run ./test once, it installs it")
    }

    fn configuration(&self) -> PathBuf {
        self.directory.path().join("softhsm2.conf")
    }

    /// Where the tokens' files are.
    #[must_use]
    pub fn tokens(&self) -> PathBuf {
        self.directory.path().join("tokens")
    }

    /// The variable that a process needs to use these tokens.
    #[must_use]
    pub fn environment(&self) -> (&'static str, PathBuf) {
        (CONFIGURATION, self.configuration())
    }

    /// Makes a token.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn add_token(&self, label: &str, pin: &str) {
        let mut command = Command::new("softhsm2-util");
        command.args(["--init-token", "--free", "--label", label, "--so-pin", OFFICER_PIN, "--pin", pin]);
        let (name, value) = self.environment();
        let _ = succeed(command.env(name, value));
    }

    /// Destroys a token and all that is in it.
    ///
    /// # Panics
    /// When it cannot be destroyed.
    pub fn remove_token(&self, label: &str) {
        let mut command = Command::new("softhsm2-util");
        command.args(["--delete-token", "--token", label]);
        let (name, value) = self.environment();
        let _ = succeed(command.env(name, value));
    }

    /// Runs the test `name` of this very test program in a process of its own, in which this SoftHSM2 is the one that
    /// is configured: a module reads its configuration once. `None` in that process, where the test goes on.
    ///
    /// # Panics
    /// When the test fails there.
    #[must_use]
    pub fn outside(name: &str) -> Option<Outside> {
        if std::env::var_os("SEALSTACK_TEST_INSIDE").is_some() {
            return None;
        }
        Some(Outside { hsm: Self::new(), name: name.to_owned() })
    }

    /// The configuration directory of the process that [`outside`](Self::outside) made.
    ///
    /// # Panics
    /// Outside of one.
    #[must_use]
    pub fn inside() -> PathBuf {
        let configuration = std::env::var_os(CONFIGURATION).expect("inside");
        Path::new(&configuration).parent().expect("a directory").to_owned()
    }
}

impl Default for SoftHsm {
    fn default() -> Self {
        Self::new()
    }
}

/// A test that is about to run in a process of its own.
pub struct Outside {
    hsm: SoftHsm,
    name: String,
}

impl Outside {
    /// Makes a token for it.
    #[must_use]
    pub fn with_token(self, label: &str, pin: &str) -> Self {
        self.hsm.add_token(label, pin);
        self
    }

    /// Runs it.
    ///
    /// # Panics
    /// When it fails, or when there is no such test.
    pub fn run(self) {
        let (variable, value) = self.hsm.environment();
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", &self.name, "--nocapture"]).env(variable, value).env("SEALSTACK_TEST_INSIDE", "1");
        let output = succeed(&mut command);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("1 passed"), "{} did not run:\n{text}", self.name);
    }
}

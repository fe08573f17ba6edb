//! `sealstack xks-proxy` in front of a token of its own: with a certificate, a credential, and the key `key-1`.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use testkit::SoftHsm;

use crate::{BINARY, PIN, certificate, file, text};

/// The label of the proxy's token.
pub(crate) const TOKEN: &str = "outside";

/// The surroundings of a proxy.
pub(crate) struct Outside {
    pub(crate) hsm: SoftHsm,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) credential: PathBuf,
    /// The certificate that it shows.
    pub(crate) chain: PathBuf,
    /// The arguments for its token.
    token: Vec<String>,
    arguments: Vec<String>,
}

impl Outside {
    pub(crate) fn new() -> Self {
        let hsm = SoftHsm::new();
        hsm.add_token(TOKEN, PIN);
        let directory = tempfile::tempdir().expect("a directory");
        let pin = file(directory.path(), "pin", &format!("{PIN}\n"));
        let (chain, key) = certificate(directory.path(), "proxy");
        let credential = directory.path().join("credential.json");
        let token = ["--module", text(SoftHsm::module()), "--token-label", TOKEN, "--pin-file", text(&pin)];
        let token: Vec<String> = token.map(str::to_owned).into();
        let serving = ["--uri-prefix", "/example", "--credential", text(&credential)];
        let tls = ["--tls-certificate", text(&chain), "--tls-key", text(&key)];
        let arguments = [&token[..], &serving.map(str::to_owned), &tls.map(str::to_owned)].concat();
        let outside = Self { hsm, directory, credential, chain, token, arguments };
        let made = outside
            .run(&["--create-credential", text(&outside.credential), "--uri-prefix", "/example"].map(str::to_owned));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        assert_eq!(std::fs::metadata(&outside.credential).expect("made").permissions().mode() & 0o777, 0o600);
        assert!(outside.create_key("key-1").status.success());
        outside
    }

    /// Makes a key in the token.
    pub(crate) fn create_key(&self, id: &str) -> Output {
        self.run(&[&self.token[..], &["--create-key", id].map(str::to_owned)].concat())
    }

    fn run(&self, arguments: &[String]) -> Output {
        let (variable, value) = self.hsm.environment();
        let output = Command::new(BINARY).arg("xks-proxy").args(arguments).env(variable, value).output();
        output.expect("sealstack")
    }

    /// The proxy, on a port or on any.
    pub(crate) fn start(&self, port: u16) -> Proxy {
        let (variable, value) = self.hsm.environment();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.path("log")).expect("a log");
        let mut child = Command::new(BINARY)
            .args(["xks-proxy", "--listen", &format!("127.0.0.1:{port}")])
            .args(&self.arguments)
            .env(variable, value)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the proxy");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Proxy { child, port: port.unwrap_or_else(|| panic!("the proxy did not start: {line:?}")) }
    }

    /// A server's configuration that lets it call the proxy, under two names.
    pub(crate) fn configuration(&self, port: u16) -> PathBuf {
        let trusted = format!("port = {port}\nca = '{}'\n", self.chain.display());
        let config = format!("[xks.\"https://localhost\"]\n{trusted}[xks.\"https://127.0.0.1\"]\n{trusted}");
        file(self.directory.path(), "sealstack.toml", &config)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// A proxy that runs. Dropping it kills it.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) port: u16,
}

impl Proxy {
    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// `kill -9`, and waits for the end.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

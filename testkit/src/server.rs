//! A server process of a test's own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use installed::{Python, succeed};

/// How long a server may take to answer its first request; generous, for loaded machines.
const START_SECONDS_MAX: u64 = 30;

/// Variables of a server's process, beside those that it inherits.
type Environment = Vec<(&'static str, PathBuf)>;

/// A running server and its data directory. Dropping it kills the process and removes the directory.
pub struct Server {
    binary: PathBuf,
    arguments: Vec<String>,
    environment: Environment,
    data: tempfile::TempDir,
    child: Child,
    address: SocketAddr,
}

/// A server that has ended; its data directory is still there.
pub struct Stopped {
    binary: PathBuf,
    arguments: Vec<String>,
    environment: Environment,
    data: tempfile::TempDir,
    /// How it ended.
    pub status: ExitStatus,
}

impl Server {
    /// Starts `binary serve` on a new directory and a free loopback port, and waits for its first answer.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(binary: &str, arguments: &[&str]) -> Self {
        Self::start_in(Vec::new(), binary, arguments)
    }

    /// The same with further variables in the process's environment.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start_in(environment: Vec<(&'static str, PathBuf)>, binary: &str, arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self::run(PathBuf::from(binary), arguments, environment, data)
    }

    fn run(binary: PathBuf, arguments: Vec<String>, environment: Environment, data: tempfile::TempDir) -> Self {
        let directory = data.path().join("data");
        let config = directory.join("aws/config");
        // The new process writes the port it got; an old port must not be mistaken for it.
        std::fs::remove_file(&config)
            .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
            .expect("aws/config can be removed");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(data.path().join("log")).expect("a log");
        let mut child = Command::new(&binary)
            .arg("serve")
            .arg("--data")
            .arg(&directory)
            .args(["--listen", "127.0.0.1:0"])
            .args(&arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} did not start: {error}", binary.display()));
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        loop {
            if let Some(address) = endpoint(&config)
                && healthy(address)
            {
                return Self { binary, arguments, environment, data, child, address };
            }
            let ended = child.try_wait().expect("the server's state");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "the server did not answer ({ended:?}); its log:\n{}",
                std::fs::read_to_string(data.path().join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// The status of its health: `ok`, `sealed`, `unavailable`.
    ///
    /// # Panics
    /// When it doesn't answer.
    #[must_use]
    pub fn health(&self) -> String {
        let answer = ask_health(self.address).expect("an answer");
        let status = answer.split(r#""status":""#).nth(1).and_then(|rest| rest.split('"').next());
        status.expect("a status").to_owned()
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap_or_default()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Makes `command` talk to this server as its administrator, in the way `sealstack env` says.
    pub fn configure<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("AWS_CONFIG_FILE", self.data().join("aws/config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.data().join("aws/credentials"))
            .env("SEALSTACK_DATA", self.data())
    }

    /// Runs the AWS CLI as the administrator and returns what it printed, as JSON (null for nothing).
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn aws(&self, arguments: &[&str]) -> serde_json::Value {
        let mut command = Python::installed().command("aws");
        let output = succeed(self.configure(&mut command).args(arguments));
        if output.stdout.is_empty() {
            return serde_json::Value::Null;
        }
        serde_json::from_slice(&output.stdout).expect("the AWS CLI prints JSON")
    }

    /// Runs a script under `testkit/clients` as the administrator and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn script(&self, name: &str, arguments: &[&str]) -> String {
        let mut command = Python::installed().script(name);
        let output = succeed(self.configure(&mut command).args(arguments));
        String::from_utf8(output.stdout).expect("scripts print UTF-8")
    }

    /// Runs a script under `testkit/clients/npm` as the administrator and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn npm_script(&self, name: &str, arguments: &[&str]) -> String {
        let mut command = Python::installed().npm_script(name);
        // Unlike the others it does not take the authority's certificate from `aws/config`.
        command.env("NODE_EXTRA_CA_CERTS", self.data().join("tls/ca.pem"));
        let output = succeed(self.configure(&mut command).args(arguments));
        String::from_utf8(output.stdout).expect("scripts print UTF-8")
    }

    /// Runs another subcommand of the same binary on the same directory.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn sealstack(&self, arguments: &[&str]) -> std::process::Output {
        run(subcommand(&self.binary, &self.data(), &self.environment, arguments), None)
    }

    /// The same with something to read on its standard input.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn sealstack_reading(&self, arguments: &[&str], input: &str) -> std::process::Output {
        run(subcommand(&self.binary, &self.data(), &self.environment, arguments), Some(input))
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// When the process cannot be killed.
    #[must_use]
    pub fn kill(mut self) -> Stopped {
        self.child.kill().expect("the server can be killed");
        self.ended()
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Panics
    /// When the process cannot be signalled.
    #[must_use]
    pub fn terminate(self) -> Stopped {
        let _ = succeed(Command::new("kill").arg("-TERM").arg(self.child.id().to_string()));
        self.ended()
    }

    fn ended(mut self) -> Stopped {
        let status = self.child.wait().expect("the server ends");
        // The directory moves on to `Stopped`; an empty one is left for our own drop.
        let data = std::mem::replace(&mut self.data, tempfile::tempdir().expect("a temporary directory"));
        let environment = std::mem::take(&mut self.environment);
        Stopped { binary: self.binary.clone(), arguments: self.arguments.clone(), environment, data, status }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stopped {
    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// Starts it again on the same directory.
    #[must_use]
    pub fn restart(self) -> Server {
        Server::run(self.binary, self.arguments, self.environment, self.data)
    }

    /// The same with other flags than before.
    #[must_use]
    pub fn restart_with(mut self, arguments: &[&str]) -> Server {
        self.arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self.restart()
    }

    /// Runs a subcommand on the directory.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn sealstack(&self, arguments: &[&str]) -> std::process::Output {
        run(subcommand(&self.binary, &self.data(), &self.environment, arguments), None)
    }

    /// The same with something to read on its standard input.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn sealstack_reading(&self, arguments: &[&str], input: &str) -> std::process::Output {
        run(subcommand(&self.binary, &self.data(), &self.environment, arguments), Some(input))
    }
}

/// Runs a command to its end.
fn run(mut command: Command, input: Option<&str>) -> std::process::Output {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    if let Some(input) = input {
        // It may end without reading everything.
        let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    }
    child.wait_with_output().expect("it ends")
}

fn subcommand(binary: &Path, data: &Path, environment: &Environment, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.args(arguments).env("SEALSTACK_DATA", data).envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

/// The address in `aws/config`'s `endpoint_url`, once the server has written it.
fn endpoint(config: &Path) -> Option<SocketAddr> {
    let text = std::fs::read_to_string(config).ok()?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix("endpoint_url"))?;
    let host = line.rsplit("//").next()?.trim().trim_end_matches('/');
    host.replace("localhost", "127.0.0.1").parse().ok()
}

/// Whether the server is well, or well but sealed.
fn healthy(address: SocketAddr) -> bool {
    ask_health(address).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") || answer.contains(r#""sealed""#))
}

fn ask_health(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

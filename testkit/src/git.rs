//! Git's clients against a server of a test's own: a folder for clones, users with Git credentials, and git as a user has
//! it who trusts the server and has no settings of their own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use installed::{Python, succeed};

use crate::Server;

/// A server, a folder for clones, and a user who may do everything with repositories.
pub struct GitWorld {
    server: Option<Server>,
    folder: tempfile::TempDir,
    /// Name and password of the user's Git credentials.
    user: (String, String),
}

impl GitWorld {
    /// Starts the server, and makes the user and repositories.
    ///
    /// # Panics
    /// When something of that fails.
    #[must_use]
    pub fn start(binary: &str, environment: Vec<(&'static str, PathBuf)>, repositories: &[&str]) -> Self {
        let server = Server::start_in(environment, binary, &[]);
        let folder = tempfile::tempdir().expect("a temporary directory");
        let authority = server.data().join("tls/ca.pem");
        let settings = format!(
            "[http]\n\tsslCAInfo = {}\n[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n",
            authority.display()
        );
        std::fs::write(folder.path().join(".gitconfig"), settings).expect("settings");
        let made = server.script("git_world.py", repositories);
        let (name, password) = made.trim().split_once('\n').expect("a name and a password");
        let user = (name.to_owned(), password.to_owned());
        Self { server: Some(server), folder, user }
    }

    /// The server.
    ///
    /// # Panics
    /// Never: there is one except while it is restarted.
    #[must_use]
    pub const fn server(&self) -> &Server {
        self.server.as_ref().expect("a server")
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// When the process cannot be killed, or does not start again on the same directory.
    pub fn kill_and_restart(&mut self) {
        let killed = self.server.take().expect("a server").kill();
        self.server = Some(killed.restart());
    }

    /// The address of a repository.
    #[must_use]
    pub fn address(&self, repository: &str) -> String {
        format!("https://{}/v1/repos/{repository}", self.server().address())
    }

    /// The address of a repository, with the user's name and password.
    #[must_use]
    pub fn remote(&self, repository: &str) -> String {
        let (name, password) = &self.user;
        let password = password.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        self.address(repository).replace("https://", &format!("https://{name}:{password}@"))
    }

    /// A path in the folder for clones.
    #[must_use]
    pub fn path(&self, at: &str) -> PathBuf {
        self.folder.path().join(at)
    }

    /// Makes a command a client of Git's in the folder `at`.
    pub fn prepare<'a>(&self, command: &'a mut Command, at: &str) -> &'a mut Command {
        self.server().configure(command);
        for (variable, _) in std::env::vars_os() {
            if variable.to_str().is_some_and(|variable| variable.starts_with("GIT_")) {
                command.env_remove(variable);
            }
        }
        command
            .current_dir(self.path(at))
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env_remove("XDG_CONFIG_HOME")
    }

    /// Git, in the folder `at`.
    #[must_use]
    pub fn command(&self, git: &str, at: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(git);
        self.prepare(&mut command, at).args(arguments);
        command
    }

    /// Runs git to its end, however it ends.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn ends(&self, git: &str, at: &str, arguments: &[&str]) -> Output {
        self.command(git, at, arguments).stdin(Stdio::null()).output().expect("git runs")
    }

    /// Runs git, which must succeed. Returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn git(&self, git: &str, at: &str, arguments: &[&str]) -> String {
        let output = self.ends(git, at, arguments);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{git} {arguments:?} failed: {complained}\n{}", self.server().log());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs git, which must fail. Returns what it showed its user.
    ///
    /// # Panics
    /// When it succeeds.
    #[must_use]
    pub fn git_fails(&self, git: &str, at: &str, arguments: &[&str]) -> String {
        let output = self.ends(git, at, arguments);
        assert!(!output.status.success(), "{git} {arguments:?} succeeded");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Runs git, which must succeed, on something to read. Returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn git_reading(&self, git: &str, at: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut command = self.command(git, at, arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git runs");
        let mut writes = child.stdin.take().expect("its input");
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // It may end without reading everything.
                let _ = writes.write_all(input);
            });
            let output = child.wait_with_output().expect("it ends");
            assert!(output.status.success(), "{git} {arguments:?} failed");
            output.stdout
        })
    }

    /// Writes a file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, at: &str, file: &str, content: impl AsRef<[u8]>) {
        let path = self.path(at).join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, content).expect("a file");
    }

    /// Writes a file and commits all that changed.
    ///
    /// # Panics
    /// When that fails.
    pub fn commit(&self, git: &str, at: &str, file: &str, content: impl AsRef<[u8]>) {
        self.write(at, file, content);
        self.git(git, at, &["add", "."]);
        self.git(git, at, &["commit", "-q", "-m", file]);
    }

    /// Runs a script of `testkit/clients`, or `npm/` there, as the user.
    ///
    /// # Panics
    /// When it fails.
    pub fn script(&self, name: &str, at: &str, arguments: &[&str]) {
        let mut command = match name.strip_prefix("npm/") {
            Some(name) => Python::installed().npm_script(name),
            None => Python::installed().script(name),
        };
        let authority = self.server().data().join("tls/ca.pem");
        self.prepare(&mut command, at).env("NODE_EXTRA_CA_CERTS", &authority).env("GIT_SSL_CAINFO", &authority);
        command.env("GIT_USER", &self.user.0).env("GIT_PASSWORD", &self.user.1).args(arguments);
        let _ = succeed(&mut command);
    }

    /// That two work trees are the same, byte for byte.
    ///
    /// # Panics
    /// When they are not.
    pub fn same_files(&self, one: &str, other: &str) {
        let compare = ["-r", "--no-dereference", "-x", ".git"].map(Path::new);
        let _ = succeed(Command::new("diff").args(compare).arg(self.path(one)).arg(self.path(other)));
    }
}

/// The gits that are installed: the one on the path, and the distribution's if it is another.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn gits() -> Vec<&'static str> {
    let version = |program: &str| Command::new(program).arg("--version").output().map(|output| output.stdout);
    let (one, other) = (version("git").expect("git"), version("/usr/bin/git"));
    if other.is_ok_and(|other| other != one) { vec!["git", "/usr/bin/git"] } else { vec!["git"] }
}

/// Bytes that do not compress, the same for the same `seed`.
#[must_use]
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

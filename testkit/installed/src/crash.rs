//! Tests whose process is killed or runs out of disk: the test program runs itself again as the process that dies.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The variable that has the directory, in the process that dies.
const DIR: &str = "SEALSTACK_CRASH_TEST_DIR";

/// A path for one test of one process, under which everything is removed when this is dropped.
pub struct CrashDir(PathBuf);

impl CrashDir {
    /// The path for the test called `name`. Nothing is made there.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("sealstack-crash-{name}-{}", std::process::id())))
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for CrashDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The directory that this process is to write to, if it is the one that dies.
#[must_use]
pub fn child_dir() -> Option<PathBuf> {
    std::env::var_os(DIR).map(PathBuf::from)
}

/// This test program again, running the ignored test `test`.
///
/// # Panics
/// When the program's path is not known.
#[must_use]
pub fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
    command
}

/// The same with a limit of so many blocks of 512 bytes on the size of files, at which writes are cut short as by a full
/// disk. The process may lift the limit.
///
/// # Panics
/// As for [`child`].
#[must_use]
pub fn starved_child(test: &str, blocks: u32) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!(r#"trap "" XFSZ; ulimit -S -f {blocks}; exec "$0" "$@""#)]);
    let test = child(test);
    command.arg(test.get_program()).args(test.get_args());
    command
}

/// Starts the process, to write to `dir`. Yields it, and what it prints.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn spawn(mut command: Command, dir: &CrashDir) -> (Child, BufReader<ChildStdout>) {
    command.env(DIR, dir.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let out = BufReader::new(child.stdout.take().expect("its output"));
    (child, out)
}

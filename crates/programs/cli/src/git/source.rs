//! Where an import comes from: the installed git reads it and speaks its own protocol with us, so that nothing of it is
//! written to a disk. Of a server that speaks an old version only, git makes a copy first, which is removed at the end.
//!
//! Source: git-upload-pack; gitremote-helpers, "stateless-connect"; git-clone.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::fetch::Fetch;
use crate::failure::Failure;
use crate::interrupt::TemporaryDirectory;

/// A fetch from a process.
pub(crate) type Fetching = Fetch<BufReader<ChildStdout>, ChildStdin>;

/// A source that is being read.
pub(crate) struct Source {
    pub(crate) fetch: Fetching,
    child: Child,
    /// A copy that goes away with this.
    _copy: Option<TemporaryDirectory>,
}

/// Git, without what a shell may have told it of another repository.
pub(crate) fn git() -> Command {
    let mut git = Command::new("git");
    for variable in
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"]
    {
        git.env_remove(variable);
    }
    git.args(["-c", "protocol.version=2"]);
    git
}

/// Runs git and waits for it.
pub(crate) fn run(command: &mut Command, doing: &str) -> Result<(), Failure> {
    let status = command.status().map_err(no_git)?;
    if status.success() { Ok(()) } else { Err(Failure::Repository(format!("git can't {doing}: see above"))) }
}

pub(crate) fn no_git(cause: std::io::Error) -> Failure {
    Failure::Repository(format!("git can't be run, and reads repositories for this command: {cause}"))
}

impl Source {
    /// Opens a directory or a URL. A copy, if there has to be one, is made in `scratch`.
    pub(crate) fn open(from: &str, scratch: Option<&Path>) -> Result<Self, Failure> {
        let path = Path::new(from);
        if path.exists() {
            return Self::directory(path, None);
        }
        if let Some((scheme @ ("http" | "https"), _)) = from.split_once("://") {
            let mut command = git();
            command.args([&format!("remote-{scheme}"), "origin", from]);
            if let Some(source) = Self::helper(&mut command)? {
                return Ok(source);
            }
        } else if !from.contains(':') {
            return Err(Failure::Usage(format!("{from} is neither a directory nor a URL")));
        }
        let scratch = scratch.map_or_else(std::env::temp_dir, PathBuf::from);
        let copy = TemporaryDirectory::create(&scratch).map_err(|cause| Failure::File {
            action: "make a copy in",
            path: scratch,
            cause,
        })?;
        let repository = copy.path().join("copy.git");
        let mut clone = git();
        clone.args(["clone", "--mirror", "--", from]).arg(&repository).stdin(Stdio::inherit());
        run(&mut clone, "clone it")?;
        Self::directory(&repository, Some(copy))
    }

    fn directory(path: &Path, copy: Option<TemporaryDirectory>) -> Result<Self, Failure> {
        let mut command = git();
        command.env("GIT_PROTOCOL", "version=2").arg("upload-pack").arg(path);
        let (child, to, from) = start(&mut command)?;
        let begun = Fetch::begin(from, to, false).map_err(|error| match error {
            Failure::Repository(_) => Failure::Repository(format!("{} can't be read: see above", path.display())),
            error => error,
        })?;
        let fetch =
            begun.ok_or_else(|| Failure::Repository("this git is too old: 2.26 or later is needed".to_owned()))?;
        Ok(Self { fetch, child, _copy: copy })
    }

    /// Has git's own helper talk to a server; `None` if that speaks an older version.
    fn helper(command: &mut Command) -> Result<Option<Self>, Failure> {
        let (mut child, mut to, mut from) = start(command)?;
        let unreachable = |_| Failure::Repository("the URL can't be read: see above".to_owned());
        to.write_all(b"stateless-connect git-upload-pack\n").and_then(|()| to.flush()).map_err(unreachable)?;
        let mut answer = String::new();
        from.read_line(&mut answer).map_err(unreachable)?;
        match answer.as_str() {
            "\n" => {
                let Some(fetch) = Fetch::begin(from, to, true)? else { return Ok(None) };
                Ok(Some(Self { fetch, child, _copy: None }))
            }
            "fallback\n" => {
                drop((to, from));
                // It has nothing more to do.
                let _ = child.wait();
                Ok(None)
            }
            _ => Err(Failure::Repository("the URL can't be read: see above".to_owned())),
        }
    }

    /// Waits for the end, once everything has been read.
    pub(crate) fn end(self) {
        let Self { fetch, mut child, _copy } = self;
        drop(fetch);
        // What it sent was complete, whatever it says of itself.
        let _ = child.wait();
    }
}

fn start(command: &mut Command) -> Result<(Child, ChildStdin, BufReader<ChildStdout>), Failure> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(no_git)?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(to), Some(from)) => Ok((child, to, BufReader::with_capacity(128 << 10, from))),
        _ => Err(Failure::Repository("git has no pipes".to_owned())),
    }
}

//! Clients: the real `git`, and `curl` where a pack is to be received and discarded.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::run_quietly;

/// A place for the repositories of one server's clients.
pub(crate) struct Client {
    place: PathBuf,
}

/// A `git` that nothing but its arguments configures, and that trusts any server.
fn git() -> Command {
    let mut command = Command::new("git");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_SSL_NO_VERIFY", "1");
    command.env("GIT_TERMINAL_PROMPT", "0");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "bench").env(format!("GIT_{who}_EMAIL"), "bench@example.com");
    }
    command
}

fn output(mut command: Command) -> io::Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{} ended with {}", command.get_program().display(), output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn timed(command: Command) -> io::Result<Duration> {
    let begun = Instant::now();
    run_quietly(command)?;
    Ok(begun.elapsed())
}

impl Client {
    pub(crate) fn new(place: &Path, name: &str, prefix: &str) -> io::Result<Self> {
        let place = place.join(format!("clients-{name}-{}", prefix.len()));
        std::fs::create_dir_all(&place)?;
        Ok(Self { place })
    }

    /// Pushes all branches and tags of a repository.
    pub(crate) fn push_all(&self, history: &Path, url: &str) -> io::Result<Duration> {
        let mut push = git();
        push.arg("-C").arg(history).args(["push", "-q", url, "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"]);
        timed(push)
    }

    /// Sends the request of a clone and discards the answer.
    pub(crate) fn fetch_discarded(&self, url: &str, request: &[u8]) -> io::Result<Duration> {
        let path = self.place.join("request");
        std::fs::write(&path, request)?;
        let begun = Instant::now();
        let mut curl = Command::new("curl");
        curl.args(["-s", "-k", "-f", "-o", "/dev/null", "-w", "%{size_download}"]);
        curl.args(["-H", "Content-Type: application/x-git-upload-pack-request", "-H", "Git-Protocol: version=2"]);
        curl.args(["--data-binary", &format!("@{}", path.display()), &format!("{url}/git-upload-pack")]);
        let received = output(curl)?;
        let time = begun.elapsed();
        if received.parse::<u64>().unwrap_or_default() < 1 << 16 {
            return Err(io::Error::other(format!("only {received} bytes were received")));
        }
        Ok(time)
    }

    /// Clones, and removes the clone.
    pub(crate) fn clone(&self, url: &str, arguments: &[&str]) -> io::Result<Duration> {
        let path = self.place.join("clone");
        let mut clone = git();
        clone.args(["clone", "-q"]).args(arguments).arg(url).arg(&path);
        let time = timed(clone)?;
        std::fs::remove_dir_all(path)?;
        Ok(time)
    }

    /// Clones many times at once.
    pub(crate) fn clones_at_once(&self, url: &str, count: usize) -> io::Result<Duration> {
        let paths: Vec<_> = (0..count).map(|index| self.place.join(format!("clone-{index}"))).collect();
        let begun = Instant::now();
        let mut children = Vec::new();
        for path in &paths {
            children.push(git().args(["clone", "-q", "--bare", url]).arg(path).spawn()?);
        }
        for mut child in children {
            if !child.wait()?.success() {
                return Err(io::Error::other("a clone failed"));
            }
        }
        let time = begun.elapsed();
        paths.into_iter().try_for_each(std::fs::remove_dir_all)?;
        Ok(time)
    }

    /// Makes two clones, one that pushes and one that fetches, from the history itself: no server is asked.
    pub(crate) fn prepare_pair(&self, history: &Path, url: &str) -> io::Result<()> {
        for name in ["pusher", "fetcher"] {
            let mut clone = git();
            clone.args(["clone", "-q", "--bare"]).arg(history).arg(self.place.join(name));
            run_quietly(clone)?;
        }
        // The branch is there before it is measured.
        self.push_one(url, usize::MAX)?;
        self.fetch_one(url).map(drop)
    }

    /// Pushes one commit that changes one file. Only the push is timed.
    pub(crate) fn push_one(&self, url: &str, round: usize) -> io::Result<Duration> {
        let at = || {
            let mut command = git();
            command.arg("-C").arg(self.place.join("pusher"));
            command
        };
        let tip = {
            let mut parse = at();
            parse.args(["rev-parse", "-q", "--verify", "refs/heads/bench"]);
            let mut head = at();
            head.args(["rev-parse", "HEAD"]);
            output(parse).or_else(|_| output(head))?
        };
        let mut hash = at();
        hash.args(["hash-object", "-w", "--stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = hash.spawn()?;
        if let Some(mut input) = child.stdin.take() {
            writeln!(input, "round {round} on {tip}")?;
        }
        let blob = String::from_utf8_lossy(&child.wait_with_output()?.stdout).trim().to_owned();
        let index = self.place.join("index");
        let with_index = || {
            let mut command = at();
            command.env("GIT_INDEX_FILE", &index);
            command
        };
        let mut read = with_index();
        read.args(["read-tree", &tip]);
        run_quietly(read)?;
        let mut add = with_index();
        add.args(["update-index", "--add", "--cacheinfo", &format!("100644,{blob},bench.txt")]);
        run_quietly(add)?;
        let mut write = with_index();
        write.arg("write-tree");
        let tree = output(write)?;
        let mut commit = at();
        commit.args(["commit-tree", &tree, "-p", &tip, "-m", "bench"]);
        let commit = output(commit)?;
        let mut update = at();
        update.args(["update-ref", "refs/heads/bench", &commit]);
        run_quietly(update)?;
        let mut push = at();
        push.args(["push", "-q", url, "refs/heads/bench"]);
        timed(push)
    }

    /// Fetches the branch that was pushed to.
    pub(crate) fn fetch_one(&self, url: &str) -> io::Result<Duration> {
        let mut fetch = git();
        fetch.arg("-C").arg(self.place.join("fetcher"));
        fetch.args(["fetch", "-q", url, "+refs/heads/bench:refs/heads/bench"]);
        timed(fetch)
    }

    /// Lists the references.
    pub(crate) fn ls_remote(&self, url: &str) -> io::Result<Duration> {
        let mut list = git();
        list.args(["ls-remote", "-q", url]);
        timed(list)
    }
}

/// The branch that a repository's `HEAD` stands for.
pub(crate) fn head(repository: &Path) -> io::Result<String> {
    let mut head = git();
    head.arg("-C").arg(repository).args(["symbolic-ref", "--short", "HEAD"]);
    output(head)
}

/// The body of a version 2 fetch that wants all that a repository's references lead to.
pub(crate) fn request_for_all(client: &Client, url: &str) -> io::Result<Vec<u8>> {
    let mut list = git();
    list.args(["ls-remote", "-q", url]).current_dir(&client.place);
    let listed = output(list)?;
    let lines = listed.lines().filter(|line| !line.ends_with("^{}"));
    let ids: BTreeSet<_> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    let format = if ids.iter().any(|id| id.len() == 64) { "sha256" } else { "sha1" };
    let mut request = String::new();
    let mut packet = |text: &str| {
        // Writing to a string does not fail.
        let _ = write!(request, "{:04x}{text}", text.len() + 4);
    };
    packet("command=fetch");
    packet("agent=git/bench");
    packet(&format!("object-format={format}"));
    let mut body = request.clone();
    body.push_str("0001");
    request.clear();
    let mut packet = |text: &str| {
        let _ = write!(body, "{:04x}{text}", text.len() + 4);
    };
    ["thin-pack", "no-progress", "ofs-delta"].into_iter().for_each(&mut packet);
    ids.into_iter().for_each(|id| packet(&format!("want {id}\n")));
    packet("done\n");
    body.push_str("0000");
    Ok(body.into_bytes())
}

/// A repository of so many commits on 200 files, the same each time.
pub(crate) fn small_history(place: &Path, commits: usize) -> io::Result<PathBuf> {
    let path = place.join("small");
    let mut init = git();
    init.args(["init", "-q", "--bare", "--initial-branch=main"]).arg(&path);
    run_quietly(init)?;
    let mut import = git();
    let mut child = import.arg("-C").arg(&path).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        for index in 0..commits {
            let text: String = (0..60).map(|line| format!("line {line} of {}\n", index / (line + 1))).collect();
            write!(
                input,
                "commit refs/heads/main\ncommitter bench <bench@example.com> {} +0000\n",
                1_700_000_000 + index
            )?;
            write!(input, "data 7\nchange\n\nM 100644 inline d{}/f{}\n", index % 10, index % 200)?;
            write!(input, "data {}\n{text}\n", text.len())?;
        }
    }
    if !child.wait()?.success() {
        return Err(io::Error::other("fast-import failed"));
    }
    repacked(path)
}

/// Bytes of a file of the large repository that hardly compresses, and of one with many versions.
const LONG_BYTES: usize = 1 << 20;
const VERSION_BYTES: usize = 400 << 10;

/// A repository of about so many MiB: long files that hardly compress, a few to a commit, and many versions of a text that are
/// deltas of each other. A branch beside it ends half-way.
pub(crate) fn large_history(place: &Path, mebibytes: u64) -> io::Result<PathBuf> {
    let path = place.join("large");
    let mut init = git();
    init.args(["init", "-q", "--bare", "--initial-branch=main"]).arg(&path);
    run_quietly(init)?;
    // Neither here nor when it is pushed, deltas of long files are looked for.
    for (key, value) in [("core.bigFileThreshold", "512k"), ("core.compression", "1"), ("pack.packSizeLimit", "0")] {
        let mut config = git();
        config.arg("-C").arg(&path).args(["config", key, value]);
        run_quietly(config)?;
    }
    let mut import = git();
    let mut child = import.arg("-C").arg(&path).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn()?;
    if let Some(input) = child.stdin.take() {
        let mut input = io::BufWriter::new(input);
        let mut state = 1_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut text: Vec<u8> =
            (0..VERSION_BYTES / 16).flat_map(|_| format!("{:015x}\n", next() >> 4).into_bytes()).collect();
        let mut long = vec![0; LONG_BYTES];
        for index in 0..mebibytes.div_ceil(4) {
            write!(
                input,
                "commit refs/heads/main\ncommitter bench <bench@example.com> {} +0000\ndata 7\nchange\n\n",
                1_700_000_000 + index
            )?;
            for file in 0..4 {
                long.chunks_exact_mut(8).for_each(|bytes| bytes.copy_from_slice(&next().to_le_bytes()));
                write!(input, "M 100644 inline d{}/f{index}-{file}\ndata {LONG_BYTES}\n", index % 10)?;
                input.write_all(&long)?;
                writeln!(input)?;
            }
            for _ in 0..20 {
                let line = next() as usize % (VERSION_BYTES / 16) * 16;
                if let Some(line) = text.get_mut(line..line + 15) {
                    line.copy_from_slice(format!("{:015x}", next() >> 4).as_bytes());
                }
            }
            writeln!(input, "M 100644 inline text\ndata {}", text.len())?;
            input.write_all(&text)?;
            writeln!(input)?;
            if index == mebibytes / 8 {
                write!(input, "reset refs/heads/half\nfrom refs/heads/main\n\n")?;
            }
        }
        input.flush()?;
    }
    if !child.wait()?.success() {
        return Err(io::Error::other("fast-import failed"));
    }
    Ok(path)
}

/// How long a repository's packs are.
pub(crate) fn pack_kilobytes(repository: &Path) -> io::Result<u64> {
    let mut count = git();
    count.arg("-C").arg(repository).args(["count-objects", "-v"]);
    let listed = output(count)?;
    let found = listed.lines().find_map(|line| line.strip_prefix("size-pack: ")?.parse().ok());
    found.ok_or_else(|| io::Error::other("git does not say how long its packs are"))
}

/// The history again, with SHA-256 ids.
pub(crate) fn converted(place: &Path, history: &Path) -> io::Result<PathBuf> {
    let path = place.join("sha256");
    let mut init = git();
    let branch = format!("--initial-branch={}", head(history)?);
    init.args(["init", "-q", "--bare", "--object-format=sha256", &branch]).arg(&path);
    run_quietly(init)?;
    let mut export = git();
    export.arg("-C").arg(history).args(["fast-export", "--branches", "--tags", "--signed-tags=strip"]);
    export.args(["--tag-of-filtered-object=drop", "--reencode=yes"]).stdout(Stdio::piped());
    let mut exporting = export.spawn()?;
    let stream = exporting.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
    let mut import = git();
    import.arg("-C").arg(&path).args(["fast-import", "--quiet"]).stdin(stream);
    let imported = import.status()?;
    if !exporting.wait()?.success() || !imported.success() {
        return Err(io::Error::other("the history cannot be converted"));
    }
    repacked(path)
}

fn repacked(path: PathBuf) -> io::Result<PathBuf> {
    let mut repack = git();
    repack.arg("-C").arg(&path).args(["repack", "-q", "-a", "-d", "-f"]);
    run_quietly(repack)?;
    Ok(path)
}

//! Git's real clients against a real server: both gits that there are, over HTTPS and SSH, in every version of the
//! protocol.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use testkit::{Python, Server, gits, noise};

/// A server, a folder for clones, and the credentials of a user.
struct World {
    server: Server,
    folder: PathBuf,
}

fn text(value: &serde_json::Value, path: &[&str]) -> String {
    let found = path.iter().fold(value, |value, key| &value[*key]);
    found.as_str().unwrap_or_else(|| panic!("{value} has {path:?}")).to_owned()
}

impl World {
    fn new() -> Self {
        let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &["--ssh-listen", "127.0.0.1:0"]);
        let folder = server.data().parent().expect("a folder").join("clones");
        std::fs::create_dir(&folder).expect("a folder");
        Self { server, folder }
    }

    /// Makes a repository. Returns its addresses over HTTP and SSH.
    fn repository(&self, name: &str) -> (String, String) {
        let made = self.server.aws(&["codecommit", "create-repository", "--repository-name", name]);
        let address = |key| text(&made, &["repositoryMetadata", key]);
        (address("cloneUrlHttp"), address("cloneUrlSsh"))
    }

    /// Makes a user with an inline policy of those statements. Returns what stands before the host in their addresses.
    fn user(&self, name: &str, statements: &str) -> String {
        let _ = self.server.aws(&["iam", "create-user", "--user-name", name]);
        let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        let put = ["iam", "put-user-policy", "--user-name", name, "--policy-name", "own", "--policy-document", &policy];
        let _ = self.server.aws(&put);
        let service = ["--service-name", "codecommit.amazonaws.com"];
        let make = ["iam", "create-service-specific-credential", "--user-name", name];
        let made = self.server.aws(&[make.as_slice(), &service].concat());
        let part = |key| text(&made, &["ServiceSpecificCredential", key]);
        let password = part("ServicePassword").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("{}:{password}@", part("ServiceUserName"))
    }

    /// Makes the SSH key that all connections use, of a user. Returns its id.
    fn ssh_key(&self, user: &str) -> String {
        let file = self.folder.join("key");
        let mut make = Command::new("ssh-keygen");
        make.args(["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f"]).arg(&file);
        assert!(make.status().expect("ssh-keygen").success());
        let public = std::fs::read_to_string(file.with_extension("pub")).expect("a public key");
        let upload = ["iam", "upload-ssh-public-key", "--user-name", user, "--ssh-public-key-body", public.trim()];
        text(&self.server.aws(&upload), &["SSHPublicKey", "SSHPublicKeyId"])
    }

    fn run(&self, program: &str, at: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        self.environment(&mut command);
        command.current_dir(self.folder.join(at)).args(arguments).output().expect("a program that runs")
    }

    /// Git as a user has it who trusts this server and has no settings of their own.
    fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for name in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{name}_NAME"), "Ada").env(format!("GIT_{name}_EMAIL"), "ada@example.com");
        }
        let hosts = self.folder.join("known_hosts");
        let (hosts, key) = (hosts.display(), self.folder.join("key"));
        let trust = format!("-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={hosts}");
        let ssh = format!("ssh -F none -o IdentitiesOnly=yes -i {} {trust}", key.display());
        self.server.configure(command);
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.folder.join("gitconfig"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_SSL_CAINFO", self.server.data().join("tls/ca.pem"))
            .env("GIT_SSH_COMMAND", ssh)
            .env_remove("AWS_CA_BUNDLE")
    }

    /// Runs git, which must succeed. Returns what it printed.
    fn git(&self, git: &str, at: &str, arguments: &[&str]) -> String {
        let output = self.run(git, at, arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{git} {arguments:?} failed: {errors}\n{}", self.server.log());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs git, which must fail. Returns what it showed its user.
    fn git_fails(&self, git: &str, at: &str, arguments: &[&str]) -> String {
        let output = self.run(git, at, arguments);
        assert!(!output.status.success(), "{git} {arguments:?} succeeded");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn write(&self, at: &str, file: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.folder.join(at).join(file), content).expect("a file");
    }

    fn commit(&self, git: &str, at: &str, file: &str, content: &str) {
        self.write(at, file, content);
        self.git(git, at, &["add", "."]);
        self.git(git, at, &["commit", "-q", "-m", content]);
    }

    /// Pushes a history, and fetches it in every way that a client has.
    fn plays(&self, git: &str, version: &str, format: &str, remote: &str) {
        let tag = format!("{}{version}{format}{}", git.len(), remote.len());
        let place = |name: &str| format!("{name}-{tag}");
        let protocol = format!("protocol.version={version}");
        let with = |arguments: &[&'static str]| -> Vec<String> {
            ["-c", &protocol].into_iter().chain(arguments.iter().copied()).map(str::to_owned).collect()
        };
        let call = |at: &str, arguments: &[String]| {
            self.git(git, at, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let work = place("work");
        let object_format = format!("--object-format={format}");
        self.git(git, ".", &["init", "-q", "-b", "main", &object_format, &work]);
        self.git(git, &work, &["remote", "add", "origin", remote]);
        for number in 1..=6 {
            self.commit(git, &work, "file", &format!("version {number}\n{}", "line\n".repeat(number)));
        }
        self.git(git, &work, &["tag", "-a", "-m", "a tag", "v1", "HEAD~3"]);
        call(&work, &with(&["push", "-q", "origin", "main", "v1"]));
        let tip = self.git(git, &work, &["rev-parse", "HEAD"]);

        let clone = |name: &str, arguments: &[&'static str]| {
            let mut all = with(&["clone", "-q"]);
            all.extend(arguments.iter().map(|&argument| argument.to_owned()).chain([remote.to_owned(), place(name)]));
            call(".", &all);
            place(name)
        };
        let whole = clone("whole", &[]);
        assert_eq!(self.git(git, &whole, &["rev-parse", "HEAD", "v1^{commit}"]).lines().next(), Some(tip.as_str()));
        self.git(git, &whole, &["fsck", "--strict", "--no-dangling"]);
        let count = |at: &str| self.git(git, at, &["rev-list", "--count", "HEAD"]);
        assert_eq!(count(&whole), "6");
        let shallow = clone("shallow", &["--depth", "2"]);
        assert_eq!(count(&shallow), "2");
        call(&shallow, &with(&["fetch", "-q", "--deepen", "1"]));
        assert_eq!(count(&shallow), "3");
        call(&shallow, &with(&["fetch", "-q", "--unshallow"]));
        assert_eq!(count(&shallow), "6");
        let partial = clone("partial", &["--filter=blob:none"]);
        let log = self.git(git, &partial, &["log", "-p", "--format=%s"]);
        assert!(log.contains("+version 1"), "objects that were left out are fetched: {log}");

        // Both sides have something that the other lacks.
        self.commit(git, &work, "file", "version 7");
        call(&work, &with(&["push", "-q", "origin", "main"]));
        self.commit(git, &whole, "other", "of the other side");
        call(&whole, &with(&["fetch", "-q"]));
        self.git(git, &whole, &["merge", "-q", "-m", "a merge", "origin/main"]);
        call(&whole, &with(&["push", "-q", "--atomic", "-o", "option=1", "origin", "main", "main:refs/heads/second"]));
        call(&work, &with(&["pull", "-q", "--ff-only", "origin", "main"]));
        assert_eq!(count(&work), "9");
        let stale = self.git(git, &shallow, &["log", "-1", "--format=%H"]);
        self.git_fails(git, &shallow, &["push", "-q", "origin", &format!("{stale}^:refs/heads/main")]);
        call(&work, &with(&["push", "-q", "origin", ":second", "+main~1:refs/heads/forced"]));
        let shown = call(&work, &with(&["ls-remote", "origin"]));
        let names: Vec<_> = shown.lines().filter_map(|line| line.split('\t').nth(1)).collect();
        assert_eq!(names, ["HEAD", "refs/heads/forced", "refs/heads/main", "refs/tags/v1", "refs/tags/v1^{}"]);
    }
}

const ALL: &str = r#"{"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}"#;

#[test]
fn every_git_and_every_version_clones_and_pushes_over_https() {
    let world = World::new();
    let user = world.user("dev", ALL);
    for git in gits() {
        for version in ["0", "1", "2"] {
            for format in ["sha1", "sha256"] {
                // The older git cannot push SHA-256 to a repository that has no format yet.
                if format == "sha256" && git != "git" {
                    continue;
                }
                let (http, _) = world.repository(&format!("r{}{version}{format}", git.len()));
                world.plays(git, version, format, &http.replace("https://", &format!("https://{user}")));
            }
        }
    }
}

#[test]
fn every_git_and_every_version_clones_and_pushes_over_ssh() {
    let world = World::new();
    world.user("dev", ALL);
    let id = world.ssh_key("dev");
    for git in gits() {
        for version in ["0", "2"] {
            let (_, ssh) = world.repository(&format!("r{}{version}", git.len()));
            let remote = ssh.replace("ssh://", &format!("ssh://{id}@"));
            world.plays(git, version, "sha1", &remote);
        }
    }
}

#[test]
fn a_client_without_a_password_is_asked_for_one_and_a_wrong_one_is_refused() {
    let world = World::new();
    let user = world.user("dev", ALL);
    let (http, _) = world.repository("first");
    let shown = world.git_fails("git", ".", &["ls-remote", &http]);
    assert!(shown.contains("could not read Username"), "{shown}");
    let wrong = http.replace("https://", &format!("https://{}", user.replace('@', "x@")));
    let shown = world.git_fails("git", ".", &["ls-remote", &wrong]);
    assert!(shown.contains("Authentication failed"), "{shown}");
}

#[test]
fn who_lacks_a_right_reads_on_the_terminal_which_one_on_what() {
    let world = World::new();
    let (http, _) = world.repository("first");
    let owner = http.replace("https://", &format!("https://{}", world.user("owner", ALL)));
    world.git("git", ".", &["init", "-q", "-b", "main", "work"]);
    world.commit("git", "work", "file", "one");
    world.git("git", "work", &["push", "-q", &owner, "main"]);
    world.commit("git", "work", "file", "two");

    let reads = r#"{"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*"}"#;
    let reader = http.replace("https://", &format!("https://{}", world.user("reader", reads)));
    world.git("git", ".", &["clone", "-q", &reader, "read"]);
    let shown = world.git_fails("git", "work", &["push", &reader, "main"]);
    assert!(
        shown.contains("not authorized to perform: codecommit:GitPush on resource: arn:aws:codecommit:"),
        "{shown}"
    );
    assert!(shown.contains(":first because no identity-based policy allows"), "{shown}");

    let protects = r#"{"Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*", "Condition": {
        "StringEqualsIfExists": {"codecommit:References": ["refs/heads/main"]}, "Null": {"codecommit:References": "false"}}}"#;
    let dev = http.replace("https://", &format!("https://{}", world.user("dev", &format!("{ALL}, {protects}"))));
    let shown = world.git_fails("git", "work", &["push", &dev, "main", "main:topic"]);
    assert!(shown.contains("! [remote rejected] main -> main") && shown.contains("explicit deny"), "{shown}");
    assert!(shown.contains("* [new branch]      main -> topic"), "{shown}");
    let shown = world.git_fails("git", "work", &["push", "--atomic", &dev, "main", "main:other"]);
    assert!(shown.contains("! [remote rejected] main -> other"), "{shown}");
    let refs = world.git("git", "work", &["ls-remote", &dev]);
    assert!(refs.contains("refs/heads/topic") && !refs.contains("refs/heads/other"), "{refs}");

    let nobody = http.replace("https://", &format!("https://{}", world.user("nobody", reads).replace(':', ":x")));
    assert!(world.git_fails("git", ".", &["ls-remote", &nobody]).contains("Authentication failed"));
    let none = owner.replace("/first", "/none");
    assert!(world.git_fails("git", ".", &["ls-remote", &none]).contains("does not exist"));
}

#[test]
fn a_large_push_and_a_fetch_of_many_references_go_through() {
    let world = World::new();
    let (http, _) = world.repository("large");
    let remote = http.replace("https://", &format!("https://{}", world.user("dev", ALL)));
    world.git("git", ".", &["init", "-q", "-b", "main", "work"]);
    // More than http.postBuffer, and nothing that compresses: git probes and then sends chunks.
    world.write("work", "noise", noise(1, 5 << 20));
    world.commit("git", "work", "file", "one");
    world.git("git", "work", &["push", "-q", &remote, "main"]);
    let lines: String = (0..3000).map(|number| format!("create refs/heads/b/{number} HEAD\n")).collect();
    world.write(".", "refs", lines);
    let file = std::fs::File::open(world.folder.join("refs")).expect("a file");
    let mut update = Command::new("git");
    let update = world.environment(&mut update).current_dir(world.folder.join("work")).args(["update-ref", "--stdin"]);
    assert!(update.stdin(file).status().expect("git").success());
    world.git("git", "work", &["push", "-q", &remote, "refs/heads/b/*:refs/heads/b/*"]);
    for git in gits() {
        for version in ["protocol.version=0", "protocol.version=2"] {
            let place = format!("c{}{version}", git.len());
            world.git(git, ".", &["-c", version, "clone", "-q", "--mirror", &remote, &place]);
            let count = world.git(git, &place, &["for-each-ref", "--format=x"]).lines().count();
            assert_eq!(count, 3001);
            world.git(git, &place, &["fsck"]);
        }
    }
}

#[test]
fn a_password_that_the_aws_clis_credential_helper_signs_is_taken() {
    let world = World::new();
    let (http, _) = world.repository("first");
    let aws = Python::installed().command("aws");
    let helper =
        format!("!{} codecommit credential-helper --ignore-host-check $@", Path::new(aws.get_program()).display());
    let settings = format!("[credential]\n\thelper = \"{helper}\"\n\tUseHttpPath = true\n[user]\n\tname = Ada\n");
    world.write(".", "gitconfig", settings);
    world.git("git", ".", &["init", "-q", "-b", "main", "work"]);
    world.commit("git", "work", "file", "one");
    for remote in [http.clone(), format!("{http}.git"), format!("{http}/")] {
        world.git("git", "work", &["push", "-q", &remote, "main"]);
        assert!(world.git("git", "work", &["ls-remote", &remote]).contains("refs/heads/main"), "{remote}");
    }
}

#[test]
fn git_lfs_stores_files_and_takes_locks_over_https_and_ssh() {
    let world = World::new();
    let user = world.user("dev", ALL);
    let id = world.ssh_key("dev");
    let other = world.user("other", ALL);
    world.git("git", ".", &["lfs", "install", "--skip-repo"]);
    for over_ssh in [false, true] {
        let (http, ssh) = world.repository(&format!("large{over_ssh}"));
        let https = http.replace("https://", &format!("https://{user}"));
        let remote = if over_ssh { ssh.replace("ssh://", &format!("ssh://{id}@")) } else { https.clone() };
        let [work, clone] = ["work", "clone"].map(|name| format!("{name}{over_ssh}"));
        world.git("git", ".", &["init", "-q", "-b", "main", &work]);
        world.git("git", &work, &["remote", "add", "origin", &remote]);
        world.git("git", &work, &["lfs", "track", "--lockable", "*.bin"]);
        let content: Vec<u8> =
            (0..3_000_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        world.write(&work, "large.bin", &content);
        world.commit("git", &work, "small", "one");
        world.git("git", &work, &["push", "-q", "origin", "main"]);
        // Again: nothing is to be stored.
        world.git("git", &work, &["lfs", "push", "--all", "origin"]);
        world.git("git", ".", &["clone", "-q", &remote, &clone]);
        let fetched = std::fs::read(world.folder.join(&clone).join("large.bin")).expect("a file");
        assert!(fetched == content, "{} bytes", fetched.len());
        world.git("git", &clone, &["lfs", "fsck"]);

        world.git("git", &work, &["lfs", "lock", "large.bin"]);
        assert!(world.git("git", &work, &["lfs", "locks"]).contains("large.bin"));
        assert!(world.git_fails("git", &clone, &["lfs", "lock", "large.bin"]).contains("already"));
        let theirs = http.replace("https://", &format!("https://{other}"));
        world.git("git", &clone, &["remote", "set-url", "origin", &theirs]);
        let verified = world.git("git", &clone, &["lfs", "locks", "--verify"]);
        assert!(verified.contains("large.bin") && !verified.contains("O large.bin"), "{verified}");
        world.git_fails("git", &clone, &["lfs", "unlock", "large.bin"]);
        world.git("git", &work, &["lfs", "unlock", "large.bin"]);
        assert_eq!(world.git("git", &work, &["lfs", "locks"]), "");
    }
    let reads = r#"{"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*"}"#;
    let reader = world.user("reader", reads);
    let (http, _) = world.repository("other");
    world.git(
        "git",
        "workfalse",
        &["remote", "set-url", "origin", &http.replace("https://", &format!("https://{reader}"))],
    );
    let shown = world.git_fails("git", "workfalse", &["lfs", "push", "--all", "origin"]);
    assert!(shown.contains("codecommit:GitPush"), "{shown}");
}

#[test]
fn an_archive_of_a_remote_is_the_archive_of_a_clone() {
    let world = World::new();
    let user = world.user("dev", ALL);
    let id = world.ssh_key("dev");
    let (http, ssh) = world.repository("first");
    let https = http.replace("https://", &format!("https://{user}"));
    let ssh = ssh.replace("ssh://", &format!("ssh://{id}@"));
    world.git("git", ".", &["init", "-q", "-b", "main", "work"]);
    let deep = format!("work/{}/{}", "a".repeat(80), "b".repeat(60));
    std::fs::create_dir_all(world.folder.join(&deep)).expect("a folder");
    world.write(&deep, "file", "in a deep folder");
    world.write(&deep, &"c".repeat(120), "with a long name");
    world.write("work", "large", vec![7; 300_000]);
    std::os::unix::fs::symlink("large", world.folder.join("work/link")).expect("a link");
    world.write("work", "program", "#!/bin/sh\n");
    world.git("git", "work", &["add", "."]);
    world.git("git", "work", &["update-index", "--chmod=+x", "program"]);
    world.commit("git", "work", "file", "one");
    world.git("git", "work", &["tag", "-a", "-m", "a tag", "v1"]);
    world.git("git", "work", &["push", "-q", &https, "main", "v1"]);
    let tip = world.git("git", "work", &["rev-parse", "HEAD"]);
    let archive = |remote: Option<&str>, arguments: &[&str]| {
        let remote = remote.map(|remote| format!("--remote={remote}"));
        let all: Vec<&str> =
            ["archive"].into_iter().chain(remote.as_deref()).chain(arguments.iter().copied()).collect();
        let output = world.run("git", "work", &all);
        assert!(output.status.success(), "{all:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let folder = "a".repeat(80);
    for arguments in [
        ["main"].as_slice(),
        &["--prefix=x/", "v1"],
        &[&tip],
        &["main", "large", &folder],
        &["--format=tar", "HEAD", "link"],
    ] {
        let expected = archive(None, arguments);
        for remote in [&https, &ssh] {
            assert!(archive(Some(remote), arguments) == expected, "{arguments:?} of {remote}");
        }
    }
    for (arguments, words) in [(["main", "none"], "did not match"), (["none", "--"], "no such ref")] {
        let remote = format!("--remote={ssh}");
        let shown = world.git_fails("git", "work", &[["archive", &remote].as_slice(), &arguments].concat());
        assert!(shown.contains(words), "{shown}");
    }
}

/// The audit records of an action since `seen` of them, once there are `count`: those of reading are written soon.
fn events(world: &World, name: &str, seen: &mut usize, count: usize) -> Vec<serde_json::Value> {
    let started = Instant::now();
    loop {
        let output = world.server.sealstack(&["audit", "show", "--event", name]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().filter(|line| line.starts_with('{')).skip(*seen);
        let new: Vec<_> = lines.map(|line| serde_json::from_str(line).expect("JSON")).collect();
        if new.len() >= count || started.elapsed() > Duration::from_secs(10) {
            *seen += new.len();
            return new;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The parts of a transfer's record that are compared: whether it only reads, by which way, whether data went over.
fn summary(event: &serde_json::Value) -> String {
    let more = &event["additionalEventData"];
    assert_eq!(more["repositoryName"], "audited", "{event}");
    assert_eq!(more["repositoryId"].as_str().map(str::len), Some(36), "{event}");
    let way = more["protocol"].as_str().unwrap_or_default();
    let kind = if event["readOnly"] == true { "reads" } else { "changes" };
    let what = if more["dataTransferred"] == true { "objects" } else { "list" };
    let error = event["errorCode"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
    format!("{way} {kind} {what}{error}")
}

#[test]
fn a_transfer_leaves_one_audit_record_and_a_listing_another() {
    let world = World::new();
    let git = gits()[0];
    let (http, ssh) = world.repository("audited");
    let own = world.user("own", r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#);
    let key = world.ssh_key("own");
    let remote = http.replace("://", &format!("://{own}"));
    let ssh = ssh.replace("://", &format!("://{key}@"));
    let (mut pulls, mut pushes) = (0, 0);
    let said = |events: &[serde_json::Value]| events.iter().map(summary).collect::<Vec<_>>();

    world.git(git, ".", &["init", "-q", "-b", "main", "work"]);
    for number in 0..300 {
        world.git(git, "work", &["commit", "-q", "--allow-empty", "-m", &format!("number {number}")]);
    }
    for (remote, way, branch) in [(&remote, "HTTP", "main"), (&ssh, "SSH", "other")] {
        world.git(git, "work", &["push", "-q", remote, &format!("HEAD:refs/heads/{branch}")]);
        let found = events(&world, "GitPush", &mut pushes, 2);
        assert_eq!(said(&found), [format!("{way} reads list"), format!("{way} changes objects")]);
        let pushed = &found[1]["requestParameters"]["references"];
        let tip = world.git(git, "work", &["rev-parse", "HEAD"]);
        assert_eq!(pushed[0]["ref"], format!("refs/heads/{branch}"));
        assert_eq!(pushed[0]["commit"], tip.as_str());
        let capabilities = found[1]["additionalEventData"]["capabilities"].to_string();
        assert!(capabilities.contains("report-status") && capabilities.contains("agent="), "{capabilities}");
    }

    for (number, (remote, way)) in [(&remote, "HTTP"), (&ssh, "SSH")].into_iter().enumerate() {
        for version in ["0", "2"] {
            let version = format!("protocol.version={version}");
            let clone = format!("clone-{number}-{version}");
            let list = format!("{way} reads list");
            let both = [list.clone(), format!("{way} reads objects")];
            world.git(git, ".", &["-c", &version, "ls-remote", remote]);
            assert_eq!(said(&events(&world, "GitPull", &mut pulls, 1)), [list.as_str()], "{version}");
            world.git(git, ".", &["-c", &version, "clone", "-q", "--depth", "3", remote, &clone]);
            let found = events(&world, "GitPull", &mut pulls, 2);
            assert_eq!(said(&found), both, "{version}");
            assert_eq!(found[1]["additionalEventData"]["shallow"], true);
            world.git(git, &clone, &["-c", &version, "fetch", "-q"]);
            assert_eq!(said(&events(&world, "GitPull", &mut pulls, 1)), [list.as_str()], "{version}: nothing new");
            // A history of its own makes for several rounds.
            for number in 0..100 {
                world.git(git, &clone, &["commit", "-q", "--allow-empty", "-m", &format!("own {number}")]);
            }
            world.git(git, &clone, &["-c", &version, "fetch", "-q", "--unshallow"]);
            let found = events(&world, "GitPull", &mut pulls, 2);
            assert_eq!(said(&found), both, "{version}");
            assert!(found[1]["additionalEventData"]["capabilities"].to_string().contains("thin-pack"), "{found:?}");
        }
    }

    let denies = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny",
        "Action": "codecommit:GitPush", "Resource": "*", "Condition": {
            "StringEqualsIfExists": {"codecommit:References": "refs/heads/main"},
            "Null": {"codecommit:References": "false"}}}"#;
    let denied = http.replace("://", &format!("://{}", world.user("denied", denies)));
    world.git(git, "work", &["commit", "-q", "--allow-empty", "-m", "denied"]);
    let _ = world.git_fails(git, "work", &["push", "-q", &denied, "HEAD:refs/heads/main"]);
    let found = events(&world, "GitPush", &mut pushes, 2);
    assert_eq!(said(&found), ["HTTP reads list", "HTTP changes objects AccessDeniedException"]);
    assert_eq!(found[1]["requestParameters"]["references"][0]["ref"], "refs/heads/main");
    let _ = world.git_fails(git, "work", &["push", "-q", &denied, "HEAD:refs/heads/main", "HEAD:refs/heads/topic"]);
    let found = events(&world, "GitPush", &mut pushes, 2);
    assert_eq!(said(&found), ["HTTP reads list", "HTTP changes objects"]);
    assert_eq!(found[1]["requestParameters"]["references"][0]["ref"], "refs/heads/topic");
    let refused = &found[1]["additionalEventData"]["refused"];
    assert_eq!(refused[0]["ref"], "refs/heads/main", "{refused}");
    assert!(refused[0]["reason"].as_str().is_some_and(|words| words.contains("not authorized")), "{refused}");
    assert_eq!(refused.as_array().map(Vec::len), Some(1));

    // A tree that git refuses: the record of the push has the reason.
    world.write("work", "empty", "");
    let blob = world.git(git, "work", &["hash-object", "-w", "empty"]);
    let entry = format!("100644 blob {blob}\t.git");
    let made = format!("printf '%s\\n' '{entry}' | {git} mktree");
    let output = world.run("sh", "work", &["-c", &made]);
    let tree = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let commit = world.git(git, "work", &["commit-tree", "-m", "bad", &tree]);
    let _ = world.git_fails(git, "work", &["push", "-q", &remote, &format!("{commit}:refs/heads/bad")]);
    let found = events(&world, "GitPush", &mut pushes, 2);
    assert_eq!(said(&found), ["HTTP reads list", "HTTP changes objects PushRefusedException"]);
    assert!(found[1]["errorMessage"].as_str().is_some_and(|words| words.contains("hasDotgit")), "{}", found[1]);
}

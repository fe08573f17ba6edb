//! Repositories handled as a whole by operators: brought in, taken out, verified, maintained, checked, backed up.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use testkit::Server;

const BINARY: &str = env!("CARGO_BIN_EXE_sealstack");

/// Words that are nowhere readable in a data directory.
const SECRETS: [&str; 4] = ["opaque-content-of-a-file", "opaque-file-name", "opaque-message", "opaque-branch"];

/// A server and a folder beside its data.
struct World {
    server: Server,
    folder: PathBuf,
}

impl World {
    fn new() -> Self {
        let server = Server::start(BINARY, &[]);
        let folder = server.data().parent().expect("a folder").join("work");
        std::fs::create_dir(&folder).expect("a folder");
        Self { server, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().expect("UTF-8").to_owned()
    }

    fn sealstack(&self, arguments: &[&str]) -> String {
        done(&self.server.sealstack(arguments))
    }

    fn git(&self, at: &str, arguments: &[&str]) -> String {
        git(&self.folder.join(at), arguments)
    }

    /// A repository with a history, two branches, a tag and a default branch that comes last by its name.
    fn history(&self, name: &str, format: &str) {
        self.git(".", &["init", "-q", "-b", "trunk", "--object-format", format, name]);
        for number in 0..20 {
            std::fs::write(self.folder.join(name).join("opaque-file-name"), format!("{} {number}\n", SECRETS[0]))
                .expect("a file");
            self.git(name, &["add", "."]);
            self.git(name, &["commit", "-q", "-m", &format!("opaque-message {number}")]);
        }
        self.git(name, &["branch", "opaque-branch", "HEAD~3"]);
        self.git(name, &["tag", "-a", "-m", "a tag", "v1"]);
        self.git(name, &["update-ref", "refs/remotes/origin/x", "HEAD"]);
    }

    /// The references that an import takes.
    fn references(&self, of: &str) -> String {
        let all = self.git(of, &["for-each-ref", "--format=%(objectname) %(refname)"]);
        all.lines().filter(|line| !line.contains("refs/remotes/")).collect::<Vec<_>>().join("\n")
    }

    /// Exports a repository, and has git examine it.
    fn export(&self, name: &str, to: &str) {
        self.sealstack(&["git", "export", name, &self.path(to)]);
        self.git(to, &["fsck", "--full", "--strict"]);
    }

    fn events(&self, name: &str) -> String {
        self.sealstack(&["audit", "show", "--event", name])
    }
}

fn git(at: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    for name in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{name}_NAME"), "Ada").env(format!("GIT_{name}_EMAIL"), "ada@example.com");
    }
    done(&command.current_dir(at).args(arguments).output().expect("git")).trim().to_owned()
}

fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    said
}

fn refused(output: &Output, code: i32, complaint: &str) {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(complaint), "{complaint}: {said}");
}

/// Every file below a directory.
fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(below).expect("a directory").flatten() {
        if entry.file_type().expect("a type").is_dir() {
            found.extend(files(&entry.path()))
        } else {
            found.push(entry.path())
        }
    }
    found
}

#[test]
fn a_directory_is_imported_verified_and_exported_in_either_format_and_lies_nowhere_readable() {
    let world = World::new();
    for format in ["sha1", "sha256"] {
        world.history(format, format);
        let said = world.sealstack(&["git", "import", &world.path(format), "--description", "from elsewhere"]);
        assert_eq!(said, format!("Imported 3 references into {format}.\n"));
        let got = world.server.aws(&["codecommit", "get-repository", "--repository-name", format]);
        assert_eq!(got["repositoryMetadata"]["defaultBranch"], "trunk", "{got}");
        assert_eq!(got["repositoryMetadata"]["repositoryDescription"], "from elsewhere", "{got}");
        let verified = world.sealstack(&["git", "verify", format]);
        assert!(verified.starts_with(&format!("{format}: intact, 61 objects in 1 packs, 3 references")), "{verified}");
        let bare = format!("{format}.git");
        world.export(format, &bare);
        assert_eq!(world.references(&bare), world.references(format));
        assert_eq!(world.git(&bare, &["symbolic-ref", "HEAD"]), "refs/heads/trunk");
        let again = world.server.sealstack(&["git", "export", format, &world.path(&bare)]);
        refused(&again, 2, "is there already: name another directory");
        let again = world.server.sealstack(&["git", "import", &world.path(format)]);
        refused(&again, 1, "has 3 references already: choose another name with --name");
    }
    for file in files(&world.server.data()) {
        let content = std::fs::read(&file).unwrap_or_default();
        for secret in SECRETS {
            let readable = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!readable, "{secret} in {}", file.display());
        }
    }
    assert!(world.events("VerifyRepository").contains("sealstack/"), "the command is named");
    assert_eq!(world.events("CreateRepository").lines().count(), 4, "those of names that were taken are refusals");
    let drafts = std::fs::read_dir(&world.folder).expect("it").flatten();
    let drafts: Vec<_> = drafts.filter(|entry| entry.file_name().to_string_lossy().starts_with('.')).collect();
    assert!(drafts.is_empty(), "{drafts:?}");
}

#[test]
fn a_url_is_imported_over_https_without_a_copy_and_others_with_one_that_goes_away() {
    let world = World::new();
    world.history("first", "sha1");
    world.sealstack(&["git", "import", &world.path("first")]);
    // The server's own repository is what is imported: it speaks version 2.
    let user = ["--user-name", "reader"];
    let _ = world.server.aws(&[["iam", "create-user"].as_slice(), &user].concat());
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codecommit:GitPull","Resource":"*"}]}"#;
    let put = ["--policy-name", "own", "--policy-document", policy];
    let _ = world.server.aws(&[["iam", "put-user-policy"].as_slice(), &user, &put].concat());
    let service = ["--service-name", "codecommit.amazonaws.com"];
    let made = world.server.aws(&[["iam", "create-service-specific-credential"].as_slice(), &user, &service].concat());
    let part = |key: &str| made["ServiceSpecificCredential"][key].as_str().expect("text").to_owned();
    let password = part("ServicePassword").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let url = format!("https://{}:{password}@{}/v1/repos/first", part("ServiceUserName"), world.server.address());
    let mut command = Command::new(BINARY);
    command.env("SEALSTACK_DATA", world.server.data()).env("GIT_SSL_CAINFO", world.server.data().join("tls/ca.pem"));
    // No copy could be made there.
    let import = ["git", "import", &url, "--name", "second", "--scratch", "/nonexistent"];
    let said = done(&command.args(import).output().expect("it ends"));
    assert_eq!(said, "Imported 3 references into second.\n");
    world.export("second", "second.git");
    assert_eq!(world.references("second.git"), world.references("first"));

    let scratch = world.folder.join("scratch");
    std::fs::create_dir(&scratch).expect("a directory");
    let (url, scratch_text) = (format!("file://{}", world.path("first")), world.path("scratch"));
    world.sealstack(&["git", "import", &url, "--name", "third", "--scratch", &scratch_text]);
    assert_eq!(files(&scratch), Vec::<PathBuf>::new());
    let nowhere = world.server.sealstack(&["git", "import", "nowhere"]);
    refused(&nowhere, 2, "nowhere is neither a directory nor a URL");
    let closed = world.server.sealstack(&["git", "import", "http://127.0.0.1:1/x"]);
    refused(&closed, 1, "the URL can't be read");
    let repositories = world.server.aws(&["codecommit", "list-repositories"]);
    assert_eq!(repositories["repositories"].as_array().map(Vec::len), Some(3), "none of those that failed");
}

#[test]
fn objects_that_git_complains_of_are_imported_if_they_are_listed_and_the_audit_log_says_so() {
    let world = World::new();
    world.history("old", "sha1");
    let tree = world.git("old", &["rev-parse", "HEAD^{tree}"]);
    let commit = format!("tree {tree}\nauthor A <a@example.com> 1 +0000\ncommitter <a@example.com> 1 +0000\n\nx\n");
    let mut write = Command::new("git");
    write.current_dir(world.folder.join("old")).args(["hash-object", "-t", "commit", "--literally", "-w", "--stdin"]);
    let mut write = write.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git");
    write.stdin.take().expect("its input").write_all(commit.as_bytes()).expect("written");
    let bad = done(&write.wait_with_output().expect("it ends")).trim().to_owned();
    world.git("old", &["update-ref", "refs/heads/bad", &bad]);
    let output = world.server.sealstack(&["git", "import", &world.path("old")]);
    refused(&output, 1, &format!("object {bad}: missingNameBeforeEmail"));
    // All or nothing, and what was made is used by the next try.
    let branches = world.server.aws(&["codecommit", "get-repository", "--repository-name", "old"]);
    assert!(branches["repositoryMetadata"]["defaultBranch"].is_null(), "{branches}");
    let list = world.folder.join("list");
    std::fs::write(&list, format!("# known\n{bad}\n")).expect("a list");
    world.sealstack(&["git", "import", &world.path("old"), "--let-pass", &world.path("list")]);
    let event = world.events("LetObjectsPass");
    assert!(event.lines().count() == 1 && event.contains(&bad), "{event}");
    std::fs::write(&list, "nonsense\n").expect("a list");
    let output = world.server.sealstack(&[
        "git",
        "import",
        &world.path("old"),
        "--name",
        "x",
        "--let-pass",
        &world.path("list"),
    ]);
    refused(&output, 2, "line 1 is no object id");
}

#[test]
fn more_references_than_a_push_may_have_are_imported() {
    let world = World::new();
    world.history("many", "sha1");
    let head = world.git("many", &["rev-parse", "HEAD"]);
    let lines: String = (0..4500).map(|number| format!("create refs/tags/t{number} {head}\n")).collect();
    let mut update = Command::new("git");
    update.current_dir(world.folder.join("many")).args(["update-ref", "--stdin"]).stdin(Stdio::piped());
    let mut update = update.spawn().expect("git");
    update.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("written");
    assert!(update.wait().expect("it ends").success());
    world.sealstack(&["git", "import", &world.path("many")]);
    world.export("many", "many.git");
    assert_eq!(world.references("many.git"), world.references("many"));
}

#[test]
fn a_caller_needs_the_action_and_the_key_and_is_told_which() {
    let world = World::new();
    world.history("shop", "sha1");
    let key = world.server.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
    world.sealstack(&["git", "import", &world.path("shop"), "--kms-key", &key]);
    let _ = world.server.aws(&["iam", "create-user", "--user-name", "eve"]);
    let made = world.server.aws(&["iam", "create-access-key", "--user-name", "eve"]);
    let part = |name: &str| made["AccessKey"][name].as_str().expect("text").to_owned();
    let (id, secret) = (part("AccessKeyId"), part("SecretAccessKey"));
    let as_eve = |secret: &str, arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command.env("SEALSTACK_DATA", world.server.data());
        command.env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", secret);
        command.args(arguments).output().expect("it ends")
    };
    for (arguments, action) in [
        (&["git", "verify", "shop"][..], "codecommit:VerifyRepository"),
        (&["git", "maintain", "shop"], "codecommit:MaintainRepository"),
        (&["git", "maintain", "--all"], "codecommit:ListRepositories"),
        (&["git", "export", "shop", &world.path("eve.git")], "codecommit:GitPull"),
        (&["git", "import", &world.path("shop"), "--name", "eves"], "codecommit:CreateRepository"),
    ] {
        refused(&as_eve(&secret, arguments), 1, action);
        refused(&as_eve("another secret", arguments), 1, "the server does not know this access key");
    }
    let _ = world.server.aws(&["kms", "disable-key", "--key-id", &key]);
    for command in ["verify", "maintain"] {
        refused(&world.server.sealstack(&["git", command, "shop"]), 1, "EncryptionKeyDisabledException");
    }
    refused(&world.server.sealstack(&["git", "maintain", "--all"]), 1, "1 of 1 inputs failed");
    let _ = world.server.aws(&["kms", "enable-key", "--key-id", &key]);
    world.sealstack(&["git", "verify", "shop"]);
    refused(&world.server.sealstack(&["git", "verify", "none"]), 1, "RepositoryDoesNotExistException");
    let profile = world.server.sealstack(&["git", "verify", "shop", "--profile", "nobody"]);
    refused(&profile, 1, "nobody");
    let stopped = world.server.terminate();
    refused(&stopped.sealstack(&["git", "verify", "shop"]), 10, "");
}

#[test]
fn repositories_are_maintained_checked_backed_up_restored_and_removed() {
    let world = World::new();
    world.history("shop", "sha1");
    world.sealstack(&["git", "import", &world.path("shop")]);
    for number in 0..8 {
        let put = ["--repository-name", "shop", "--branch-name", "trunk", "--file-path", "more"];
        let content = format!("{number}");
        let tip =
            world.server.aws(&["codecommit", "get-branch", "--repository-name", "shop", "--branch-name", "trunk"]);
        let tip = tip["branch"]["commitId"].as_str().expect("an id");
        let more = ["--file-content", &content, "--parent-commit-id", tip];
        let _ = world.server.aws(&[["codecommit", "put-file"].as_slice(), &put, &more].concat());
    }
    let verified = world.sealstack(&["git", "verify", "shop"]);
    assert!(!verified.contains(" 1 packs"), "{verified}");
    let maintained = world.sealstack(&["git", "maintain", "--all"]);
    assert!(maintained.contains("became 1 pack, 0 objects went for good"), "{maintained}");
    assert_eq!(world.sealstack(&["git", "maintain", "shop"]), "shop: nothing to do\n");
    let verified = world.sealstack(&["git", "verify", "shop"]);
    assert!(verified.contains("85 objects in 1 packs"), "{verified}");
    world.sealstack(&["check"]);

    let elsewhere = tempfile::tempdir().expect("a directory");
    let (key, file) = (elsewhere.path().join("root.key"), elsewhere.path().join("backup.tar"));
    std::fs::copy(world.server.data().join("seal/root.key"), &key).expect("a copy");
    world.sealstack(&["backup", file.to_str().expect("UTF-8")]);
    world.export("shop", "before.git");
    let _ = world.server.aws(&["codecommit", "delete-repository", "--repository-name", "shop"]);
    let checked = world.sealstack(&["check"]);
    assert!(checked.contains("nothing refers to blob"), "the sweep removes them: {checked}");
    assert!(checked.contains("blobs: intact, 0 blobs"), "{checked}");

    let World { server, folder } = world;
    let stopped = server.terminate();
    let data = elsewhere.path().join("restored");
    let mut restore = Command::new(BINARY);
    restore.arg("restore").arg(&file).arg("--data").arg(&data).arg("--seal-file").arg(&key);
    done(&restore.output().expect("it ends"));
    let lost = elsewhere.path().join("lost");
    std::fs::rename(stopped.data(), &lost).expect("moved");
    std::fs::rename(&data, stopped.data()).expect("moved");
    std::fs::create_dir_all(stopped.data().join("aws")).expect("a directory");
    std::fs::copy(lost.join("aws/credentials"), stopped.data().join("aws/credentials")).expect("a copy");
    let world = World { server: stopped.restart(), folder };
    world.sealstack(&["check"]);
    world.export("shop", "after.git");
    assert_eq!(world.references("after.git"), world.references("before.git"));

    // A bit of the pack is lost: the first bytes are the file's header, so the middle is taken.
    let largest = files(&world.server.data().join("blobs"));
    let largest = largest.iter().max_by_key(|file| file.metadata().map_or(0, |found| found.len())).expect("a blob");
    let mut content = std::fs::read(largest).expect("a blob");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(largest, content).expect("written");
    // What is open already is in memory.
    let world = World { server: world.server.terminate().restart(), folder: world.folder };
    refused(&world.server.sealstack(&["git", "verify", "shop"]), 13, "restore it from a backup");
}

#[test]
fn a_server_that_stops_waits_for_no_import_and_nothing_of_it_is_there_afterwards() {
    let world = World::new();
    world.history("slow", "sha1");
    let folder = world.folder.join("bin");
    std::fs::create_dir(&folder).expect("a directory");
    // A git that stops in the middle of the pack.
    let path = std::env::var("PATH").expect("a path");
    let script = format!("#!/bin/sh\nPATH='{path}'\ngit \"$@\" | (dd bs=1 count=2000 2>/dev/null; exec sleep 60)\n");
    std::fs::write(folder.join("git"), script).expect("a script");
    done(&Command::new("chmod").arg("+x").arg(folder.join("git")).output().expect("chmod"));
    let mut import = Command::new(BINARY);
    import.env("SEALSTACK_DATA", world.server.data()).env("PATH", format!("{}:{path}", folder.display()));
    import.args(["git", "import", &world.path("slow")]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut import = import.spawn().expect("it starts");
    let begun = std::time::Instant::now();
    while world.server.aws(&["codecommit", "list-repositories"])["repositories"] == serde_json::json!([]) {
        assert!(begun.elapsed().as_secs() < 30, "the import begins");
    }
    let (begun, World { server, folder }) = (std::time::Instant::now(), world);
    let stopped = server.terminate();
    assert!(stopped.status.success() && begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    import.kill().expect("it can be killed");
    let _ = import.wait();
    let server = stopped.restart();
    let got = server.aws(&["codecommit", "get-repository", "--repository-name", "slow"]);
    assert!(got["repositoryMetadata"]["defaultBranch"].is_null(), "{got}");
    done(&server.sealstack(&["check"]));
    // The same command uses what was made.
    done(&server.sealstack(&["git", "import", folder.join("slow").to_str().expect("UTF-8")]));
    done(&server.sealstack(&["git", "verify", "slow"]));
}

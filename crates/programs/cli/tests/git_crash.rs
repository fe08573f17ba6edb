//! `kill -9` at random moments of pushes and of maintenance: each push reported to git is there, whole, and of the
//! others either all or nothing.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{GitWorld, noise};

/// References and where they point.
type References = BTreeMap<String, String>;

/// How many times the server is killed between two looks at a clone of everything.
const CLONED_EVERY: usize = 10;

/// Fractions between 0 and 1, spread evenly however few are taken.
fn fraction(number: usize) -> f64 {
    // The golden ratio's multiples.
    (f64::from(u32::try_from(number).expect("few")) * 0.618_033_988_749_895).fract()
}

struct Pushes {
    world: GitWorld,
    /// The server's known references.
    references: References,
    /// Pushes reported to git, and those that were cut off and are not there.
    acknowledged: usize,
    lost: usize,
}

impl Pushes {
    fn new() -> Self {
        let world = GitWorld::start(env!("CARGO_BIN_EXE_sealstack"), Vec::new(), &["first"]);
        world.git("git", ".", &["init", "-q", "work"]);
        world.git("git", ".", &["init", "-q", "--bare", "mirror"]);
        world.commit("git", "work", "file", "0\n");
        let mut pushes = Self { world, references: References::new(), acknowledged: 0, lost: 0 };
        pushes.push(0, None);
        pushes
    }

    /// The listed references.
    fn shown(&self) -> References {
        let listed = self.world.git("git", ".", &["ls-remote", "--heads", &self.world.remote("first")]);
        let lines = listed.lines().filter_map(|line| line.split_once('\t'));
        lines.map(|(id, name)| (name.to_owned(), id.to_owned())).collect()
    }

    /// Pushes a commit to a branch that there is, to a new one, and removes one. The server is killed after `kill`. Returns
    /// how long the push took.
    fn push(&mut self, number: usize, kill: Option<Duration>) -> Duration {
        // Small ones, and such as arrive in many pieces.
        let length = if number.is_multiple_of(3) { 300_000 } else { 3_000 };
        self.world.commit("git", "work", "noise", noise(u64::try_from(number).expect("few"), length));
        let tip = self.world.git("git", "work", &["rev-parse", "HEAD"]);
        let mut wanted = self.references.clone();
        let (new, old) = (format!("refs/heads/n/{number}"), format!("refs/heads/n/{}", number.wrapping_sub(4)));
        let mut specs = vec!["main:refs/heads/main".to_owned(), format!("main:{new}")];
        wanted.insert("refs/heads/main".to_owned(), tip.clone());
        wanted.insert(new, tip);
        if wanted.remove(&old).is_some() {
            specs.push(format!(":{old}"));
        }
        let remote = self.world.remote("first");
        let atomic = if number.is_multiple_of(2) { "--atomic" } else { "--no-atomic" };
        let arguments: Vec<&str> =
            ["push", "-q", atomic, &remote].into_iter().chain(specs.iter().map(String::as_str)).collect();
        let mut command = self.world.command("git", "work", &arguments);
        let began = Instant::now();
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("git starts");
        if let Some(kill) = kill {
            std::thread::sleep(kill);
            self.world.kill_and_restart();
        }
        let acknowledged = child.wait().expect("git ends").success();
        let took = began.elapsed();
        let shown = self.shown();
        if acknowledged {
            assert_eq!(shown, wanted, "push {number} was acknowledged");
            self.acknowledged += 1;
        } else {
            assert!(kill.is_some(), "push {number} failed: {}", self.world.server().log());
            assert!(shown == wanted || shown == self.references, "half of push {number}: {shown:?}\n{wanted:?}");
            self.lost += usize::from(shown != wanted);
        }
        self.references = shown;
        took
    }

    /// Fetches what is new, so that git checks that all of it is there.
    fn fetch(&self) {
        let remote = self.world.remote("first");
        self.world.git("git", "mirror", &["fetch", "-q", "--prune", &remote, "+refs/heads/*:refs/heads/*"]);
    }

    /// Clones everything, and checks each object.
    fn clone(&self, name: &str) {
        self.world.git("git", ".", &["clone", "-q", "--mirror", &self.world.remote("first"), name]);
        self.world.git("git", name, &["fsck", "--strict"]);
        let lines = self.world.git("git", name, &["for-each-ref", "--format=%(objectname)\t%(refname)"]);
        let cloned: References = lines
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(id, name)| (name.to_owned(), id.to_owned()))
            .collect();
        assert_eq!(cloned, self.references);
        std::fs::remove_dir_all(self.world.path(name)).expect("removed");
    }

    /// Pushes some small packs.
    fn refill(&mut self) {
        let remote = self.world.remote("first");
        for _ in 0..4 {
            self.world.git("git", "work", &["commit", "-q", "--allow-empty", "-m", "small"]);
            self.world.git("git", "work", &["push", "-q", &remote, "main"]);
        }
        let tip = self.world.git("git", "work", &["rev-parse", "HEAD"]);
        self.references.insert("refs/heads/main".to_owned(), tip);
    }

    /// Makes one pack of all. The server is killed after `kill`. Returns how long it took, and whether it came to its end.
    fn maintain(&mut self, kill: Option<Duration>) -> (Duration, bool) {
        let mut command = self.operator("maintain");
        let began = Instant::now();
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        if let Some(kill) = kill {
            std::thread::sleep(kill);
            self.world.kill_and_restart();
        }
        let output = child.wait_with_output().expect("it ends");
        let (took, said) = (began.elapsed(), String::from_utf8_lossy(&output.stdout));
        let complained = String::from_utf8_lossy(&output.stderr);
        // There is nothing to do if the server's own maintenance came first.
        assert!(kill.is_some() || output.status.success(), "{said}{complained}");
        assert_eq!(self.shown(), self.references);
        (took, output.status.success())
    }

    /// A command of the server's operators on the repository.
    fn operator(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealstack"));
        self.world.prepare(&mut command, ".").args(["git", name, "first"]);
        command
    }
}

/// Kills the server `pushes` times during pushes, and `maintenances` times during maintenance.
fn killed(pushes: usize, maintenances: usize) {
    let mut played = Pushes::new();
    let usual = (1..=3).map(|number| played.push(number, None)).max().expect("some");
    for number in 4..4 + pushes {
        // A little later than a push usually takes as well: then it was acknowledged.
        played.push(number, Some(usual.mul_f64(fraction(number) * 1.2)));
        played.fetch();
        if number.is_multiple_of(CLONED_EVERY) {
            played.clone("clone");
        }
    }
    let (acknowledged, lost) = (played.acknowledged, played.lost);
    assert!(lost > 0 && acknowledged > 4, "kills hit some pushes and missed others: {acknowledged} {lost}");

    played.refill();
    let (usual, _) = played.maintain(None);
    let (mut cut, mut merged) = (0, true);
    for number in 0..maintenances {
        if merged {
            played.refill();
        }
        // From its very beginning to a little before its end.
        (_, merged) = played.maintain(Some(usual.mul_f64(fraction(number + 1))));
        cut += usize::from(!merged);
        played.fetch();
    }
    assert!(cut > 0, "kills hit maintenance");
    played.refill();
    played.maintain(None);
    played.clone("clone");
    let verified = played.operator("verify").output().expect("it runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn a_push_is_there_whole_or_not_at_all_however_the_server_is_killed() {
    killed(40, 6);
}

#[test]
#[ignore = "takes minutes"]
fn two_hundred_kills_during_pushes_and_fifty_during_maintenance_lose_nothing() {
    killed(200, 50);
}

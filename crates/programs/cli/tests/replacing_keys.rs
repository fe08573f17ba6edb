//! Domain keys and root keys are replaced while they are used, and the server is killed in the middle of it: whatever was
//! begun is brought to its end, and every key is of use throughout.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has to stop, saying why"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::{Calls, Outcome, Server, Stopped, while_calling};

const BINARY: &str = env!("CARGO_BIN_EXE_sealstack");

/// How many keys: wrapping them again takes some hundred milliseconds.
const KEYS: usize = 4000;

/// How many times the server has to have been killed while some keys were moved and some were not.
const KILLS_IN_THE_MIDDLE: usize = 4;

/// After so many attempts that is not going to happen.
const ATTEMPTS_MAX: usize = 20;

/// How many threads use keys meanwhile.
const USERS: usize = 3;

/// How long anything may take to happen; generous, for loaded machines.
const PATIENCE: Duration = Duration::from_secs(120);

fn printed(output: &Output) -> String {
    let (out, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out}{complaint}", output.status);
    out.into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A seed of so many keys; `region` says where each is. Returns the file and the keys' ids.
fn seed(directory: &Path, keys: usize, region: impl Fn(usize) -> String) -> (PathBuf, Vec<String>) {
    let ids: Vec<String> = (0..keys).map(|index| format!("{index:08x}-1111-4222-8333-444444444444")).collect();
    let mut seed = "[[account]]\nid = \"111122223333\"\n".to_owned();
    for (index, id) in ids.iter().enumerate() {
        seed.push_str(&format!("[[account.key]]\nid = \"{id}\"\nregion = \"{}\"\n", region(index)));
    }
    let path = directory.join("seed.toml");
    std::fs::write(&path, seed).expect("a file");
    (path, ids)
}

/// How many keys are under domain keys that retired, by the operator's command; and under how many domain keys.
fn under_retired(told: &Output) -> (usize, usize) {
    let told = printed(told);
    let (mut keys, mut retired, mut all) = (0, 0, 0);
    for line in told.lines().filter(|line| !line.ends_with("have taken over")) {
        let wraps = line.split("wraps ").nth(1).and_then(|rest| rest.split(' ').next());
        let wraps: usize = wraps.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        all += wraps;
        if line.contains("retired") {
            (keys, retired) = (keys + wraps, retired + 1);
        }
    }
    assert!(all >= KEYS, "no key is lost: {told}");
    (keys, retired)
}

/// Waits until the operator's command shows the domain keys as expected.
fn wait_for(server: &Server, wanted: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let told = printed(&server.sealstack(&["seal", "domain-keys"]));
        if wanted(&told) {
            return;
        }
        assert!(Instant::now() < deadline, "{told}\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The keys, and a ciphertext of each.
struct World {
    ids: Vec<String>,
    /// Where each key is.
    region: fn(usize) -> String,
    blobs: Vec<Vec<u8>>,
    /// Ciphertexts made meanwhile, each with its key. The plaintext is the key's id.
    answered: Mutex<Vec<(usize, Vec<u8>)>>,
    next: AtomicUsize,
}

impl World {
    /// Encrypts something under each key.
    fn new(server: &Server, ids: Vec<String>, region: fn(usize) -> String) -> Self {
        let (calls, next, blobs) = (Calls::new(server), AtomicUsize::new(0), Mutex::new(vec![Vec::new(); ids.len()]));
        std::thread::scope(|scope| {
            for _ in 0..USERS {
                scope.spawn(|| {
                    while let Some((index, id)) = take(&next, &ids) {
                        let calls = calls.in_region(&region(index));
                        let blob = calls.encrypt(id, id.as_bytes()).expect("encrypted");
                        blobs.lock().expect("no thread panicked")[index] = blob;
                    }
                });
            }
        });
        let blobs = blobs.into_inner().expect("no thread panicked");
        Self { ids, region, blobs, answered: Mutex::default(), next: AtomicUsize::new(0) }
    }

    /// Uses one key after another until `meanwhile` has killed the server. Nothing fails before that. Returns how many
    /// uses were answered by then.
    fn use_until_killed(&self, server: Server, meanwhile: impl FnOnce(Server) -> Killed) -> (Stopped, usize) {
        let calls = Calls::new(&server);
        let work = |_| {
            let index = self.next.fetch_add(1, Ordering::Relaxed) % self.ids.len();
            let (id, blob, calls) = (&self.ids[index], &self.blobs[index], calls.in_region(&(self.region)(index)));
            assert_eq!(calls.decrypt(id, blob)?, id.as_bytes());
            let made = calls.encrypt(id, id.as_bytes())?;
            self.answered.lock().expect("no thread panicked").push((index, made));
            Ok(())
        };
        let (Killed { stopped, at }, outcomes) = while_calling(USERS, work, || meanwhile(server));
        let before: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.ended < at).collect();
        let refused = before.iter().find_map(|outcome| outcome.refusal.as_ref());
        assert!(refused.is_none(), "keys are of use throughout: {refused:?}");
        (stopped, before.len())
    }

    /// Every key opens what it encrypted, at first and meanwhile, and encrypts.
    fn check(&self, server: &Server) {
        let (calls, next) = (Calls::new(server), AtomicUsize::new(0));
        let answered = self.answered.lock().expect("no thread panicked");
        let first = self.blobs.iter().enumerate().map(|(index, blob)| (index, blob.as_slice()));
        let all: Vec<_> = first.chain(answered.iter().map(|(index, blob)| (*index, blob.as_slice()))).collect();
        std::thread::scope(|scope| {
            for _ in 0..USERS {
                scope.spawn(|| {
                    while let Some((at, (index, blob))) = take(&next, &all) {
                        let (id, calls) = (&self.ids[*index], calls.in_region(&(self.region)(*index)));
                        assert_eq!(calls.decrypt(id, blob).expect("decrypted"), id.as_bytes());
                        if at < self.ids.len() {
                            calls.encrypt(id, b"still of use").expect("encrypted");
                        }
                    }
                });
            }
        });
    }
}

/// A server that was killed, and when that began.
struct Killed {
    stopped: Stopped,
    at: Instant,
}

impl Killed {
    fn now(server: Server) -> Self {
        let at = Instant::now();
        Self { stopped: server.kill(), at }
    }
}

fn take<'a, T>(next: &AtomicUsize, from: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    from.get(index).map(|item| (index, item))
}

#[test]
fn wrapping_under_a_new_domain_key_goes_on_after_kill_9_in_the_middle_of_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let region = |_| "us-east-1".to_owned();
    let (seed, ids) = seed(directory.path(), KEYS, region);
    let mut server = Server::start(BINARY, &["--seed", text(&seed)]);
    let world = World::new(&server, ids, region);

    let (mut in_the_middle, mut attempts) = (Vec::new(), 0);
    while in_the_middle.len() < KILLS_IN_THE_MIDDLE {
        attempts += 1;
        assert!(attempts <= ATTEMPTS_MAX, "killed in the middle only with {in_the_middle:?} keys left");
        let mut seen = KEYS;
        let (stopped, used) = world.use_until_killed(server, |server| {
            seen = under_retired(&server.sealstack(&["seal", "domain-keys", "--rotate"])).0;
            // Earlier the first time, later the last.
            let enough = KEYS - 1 - KEYS * in_the_middle.len() / (KILLS_IN_THE_MIDDLE + 1);
            let deadline = Instant::now() + PATIENCE;
            while seen > enough {
                assert!(Instant::now() < deadline, "{}", server.log());
                seen = under_retired(&server.sealstack(&["seal", "domain-keys"])).0;
            }
            Killed::now(server)
        });
        assert!(used > 0, "keys were used");
        let (left, retired) = under_retired(&stopped.sealstack(&["seal", "domain-keys"]));
        assert!(left <= seen && retired > 0, "{left} of {seen} are left under {retired}");
        if left > 0 {
            in_the_middle.push(left);
        }
        server = stopped.restart();
    }
    println!("killed with {in_the_middle:?} of {KEYS} keys left to wrap anew, in {attempts} attempts");

    // Nobody asks for anything: what is left is moved.
    let (stopped, used) = world.use_until_killed(server, |server| {
        wait_for(&server, |told| told.lines().all(|line| !line.contains("retired") || line.ends_with("wraps 0 keys")));
        Killed::now(server)
    });
    assert!(used > 0, "keys were used");
    // Nothing is under the old ones. They stay for a day, however often the server is started.
    let server = stopped.restart();
    let told = printed(&server.sealstack(&["seal", "domain-keys"]));
    let (now, wraps) = (format!("us-east-1 {}: serves since ", attempts + 1), format!("wraps {KEYS} keys"));
    let serves = told.lines().last().unwrap_or_default();
    assert!(serves.starts_with(&now) && serves.ends_with(&wraps), "{told}");
    assert_eq!(told.lines().count(), attempts + 1, "{told}");
    world.check(&server);
    let stopped = server.kill();
    assert!(printed(&stopped.sealstack(&["audit", "verify"])).starts_with("intact"));
}

/// How many regions have keys: each has a domain key, which a rotation of the root key wraps again.
const REGIONS: usize = 300;

/// How many times the server has to have been killed within a rotation of the root key.
const ROTATIONS_INTERRUPTED: usize = 6;

const PASSPHRASE: &str = "correct horse";

/// Whether a copy of the directory opens with its seal of this kind.
fn opens(binary: &str, data: &Path, kind: &str) -> bool {
    let copy = tempfile::tempdir().expect("a directory");
    copy_files(data, copy.path());
    let mut command = Command::new(binary);
    command.args(["audit", "verify", "--seal", kind]).env("SEALSTACK_DATA", copy.path());
    let output = command.env("SEALSTACK_SEAL_PASSPHRASE", PASSPHRASE).output().expect("it runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 6)), "{}: {complaint}", output.status);
    output.status.success()
}

/// Copies what lasts: sockets and the like do not.
fn copy_files(from: &Path, to: &Path) {
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).expect("its mode");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (kind, to) = (entry.file_type().expect("its kind"), to.join(entry.file_name()));
        if kind.is_dir() {
            std::fs::create_dir(&to).expect("a directory");
            copy_files(&entry.path(), &to);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), &to).expect("copied");
        }
    }
}

/// Asks for a rotation and kills the server: every other time as soon as the old seal and the new are both named, else
/// at a moment of its own.
fn kill_during_rotation(server: Server, new: &str, attempt: usize) -> Killed {
    let mut rotation = Command::new(BINARY)
        .args(["seal", "rotate", "--new-seal", new])
        .env("SEALSTACK_DATA", server.data())
        .env("SEALSTACK_SEAL_PASSPHRASE", PASSPHRASE)
        .env("SEALSTACK_NEW_SEAL_PASSPHRASE", PASSPHRASE)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let (header, waits_for_both) = (server.data().join("seal/root.json"), attempt % 2 == 1);
    let millis = |count: usize| Duration::from_millis(count as u64);
    let deadline = Instant::now() + if waits_for_both { PATIENCE } else { millis(attempt * 17 % 400) };
    while Instant::now() < deadline && rotation.try_wait().expect("its state").is_none() {
        if waits_for_both && std::fs::read_to_string(&header).is_ok_and(|header| header.contains("\"rotation\"")) {
            std::thread::sleep(millis(attempt % 9));
            break;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    let killed = Killed::now(server);
    let _ = rotation.wait().expect("it ends with its server");
    killed
}

#[test]
fn replacing_the_root_key_survives_kill_9_at_any_moment() {
    let directory = tempfile::tempdir().expect("a directory");
    let region = |index: usize| format!("us-test-{index}");
    let (seed, ids) = seed(directory.path(), REGIONS, region);
    let environment =
        vec![("SEALSTACK_SEAL_PASSPHRASE", PASSPHRASE.into()), ("SEALSTACK_NEW_SEAL_PASSPHRASE", PASSPHRASE.into())];
    let regions = (0..REGIONS).map(region).collect::<Vec<_>>().join(",");
    let mut server = Server::start_in(environment, BINARY, &["--seed", text(&seed), "--regions", &regions]);
    let world = World::new(&server, ids, region);
    let status = |stopped: &Stopped| printed(&stopped.sealstack(&["seal", "status"]));

    // The kinds that the seal has in turn; each rotation is killed sooner or later after its begin.
    let kinds = ["key-file", "key-file", "passphrase"];
    let named = |status: &str| if status.starts_with("sealed by a passphrase") { "passphrase" } else { "key-file" };
    let generation = |status: &str| status.lines().find(|line| line.contains("generation")).map(str::to_owned);
    let (mut interrupted, mut finished, mut never_begun) = (0, 0, 0);
    let mut used = 0;
    for attempt in 0.. {
        assert!(attempt < 100, "{interrupted} interrupted, {finished} finished, {never_begun} never begun");
        let before = printed(&server.sealstack(&["seal", "status"]));
        let (old, new) = (named(&before), kinds[(attempt + 1) % kinds.len()]);
        let (stopped, answered) = world.use_until_killed(server, |server| kill_during_rotation(server, new, attempt));
        used += answered;
        let after = status(&stopped);
        let by_old = opens(BINARY, &stopped.data(), old);
        let by_new = opens(BINARY, &stopped.data(), new);
        assert!(by_old || by_new, "{old} to {new}: neither opens\n{before}{after}");
        if after.contains("interrupted") {
            assert!(by_old && by_new, "{old} ({by_old}) to {new} ({by_new}): both are named\n{after}");
            interrupted += 1;
        } else if generation(&after) == generation(&before) {
            never_begun += 1;
        } else {
            finished += 1;
        }
        server = stopped.restart();
        let calls = Calls::new(&server);
        for index in [0, attempt % REGIONS, REGIONS - 1] {
            let (id, blob) = (&world.ids[index], &world.blobs[index]);
            assert_eq!(calls.in_region(&region(index)).decrypt(id, blob).expect("decrypted"), id.as_bytes());
        }
        if interrupted >= ROTATIONS_INTERRUPTED && finished > 0 && never_begun > 0 {
            break;
        }
    }
    println!("killed before {never_begun} rotations, within {interrupted} and after {finished}");
    assert!(used > interrupted + finished, "keys were used meanwhile");
    world.check(&server);
    let stopped = server.terminate();
    assert!(printed(&stopped.sealstack(&["audit", "verify"])).starts_with("intact"));
}

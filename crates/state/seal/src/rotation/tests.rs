use std::cell::Cell;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crypto::password::Cost;
use crypto::{Key256, SecretBytes};

use super::*;
use crate::{Binding, KeySeal, KmsKey, RootKeyId, status};

const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

/// A directory that is gone when the test is over.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sealstack-seal-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn seal(&self) -> PathBuf {
        self.0.join("seal")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[derive(Debug, thiserror::Error)]
enum TestError {
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("died")]
    Died,
}

fn passphrase(text: &str) -> SealConfig {
    SealConfig::Passphrase { passphrase: SecretBytes::from(text.as_bytes()), cost: CHEAP }
}

fn key_file(path: &Path) -> SealConfig {
    SealConfig::KeyFile { path: Some(path.to_owned()) }
}

fn open(directory: &Directory, config: &SealConfig) -> Result<Opened, SealError> {
    open_or_create(&directory.seal(), config, |_, _| panic!("there is no rotation to finish"))
}

fn refusal(directory: &Directory, config: &SealConfig) -> SealError {
    open(directory, config).err().expect("it is refused")
}

#[test]
fn each_kind_of_seal_opens_to_the_root_key_that_it_made() {
    let elsewhere = Directory::new();
    let configs = [SealConfig::key_file(), key_file(&elsewhere.0.join("my.key")), passphrase("correct horse")];
    for config in configs {
        let directory = Directory::new();
        assert_eq!(status(&directory.seal()).unwrap(), None);
        let made = open(&directory, &config).unwrap();
        assert!(made.created);
        let again = open(&directory, &config).unwrap();
        assert!(!again.created);
        assert_eq!(made.root.key().expose(), again.root.key().expose());
        assert_eq!((again.kind, again.generation), (config.kind(), 1));
        let status = status(&directory.seal()).unwrap().unwrap();
        assert_eq!((status.kind, status.root_key_id, status.rotating), (config.kind(), made.root.id(), false));
    }
}

#[test]
fn files_are_for_the_owner_alone_and_the_header_shows_no_key() {
    let directory = Directory::new();
    let opened = open(&directory, &SealConfig::key_file()).unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.seal()), 0o700);
    assert_eq!(mode(directory.seal().join("root.key")), 0o600);
    assert_eq!(mode(directory.seal().join("root.json")), 0o600);
    let header = fs::read_to_string(directory.seal().join("root.json")).unwrap();
    assert!(!header.contains(&String::from(Bytes(opened.root.key().expose().to_vec()))));
    let line = fs::read_to_string(directory.seal().join("root.key")).unwrap();
    assert_eq!(line.len(), 45);
    assert!(!header.contains(line.trim()));
}

#[test]
fn a_file_open_to_others_is_refused_and_says_what_to_do() {
    for (name, mode) in [("root.key", 0o640), ("root.key", 0o604), ("root.json", 0o660), ("root.json", 0o602)] {
        let directory = Directory::new();
        open(&directory, &SealConfig::key_file()).unwrap();
        let path = directory.seal().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = refusal(&directory, &SealConfig::key_file());
        assert!(matches!(&refused, SealError::Exposed { path: of, mode: found } if *of == path && *found == mode));
        assert!(refused.to_string().contains("chmod 600"));
    }
}

#[test]
fn a_file_of_another_user_is_refused_and_says_what_to_do() {
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    let elsewhere = Directory::new();
    let config = key_file(&elsewhere.0.join("my.key"));
    let directory = Directory::new();
    open(&directory, &config).unwrap();
    for path in [elsewhere.0.join("my.key"), directory.seal().join("root.json")] {
        chown(&path, Some(NOBODY), None).unwrap();
        let refused = refusal(&directory, &config);
        assert!(matches!(&refused, SealError::Foreign { path: of, owner: NOBODY } if *of == path));
        assert!(refused.to_string().contains("chown"));
        chown(&path, Some(0), None).unwrap();
    }
    open(&directory, &config).unwrap();
}

#[test]
fn a_missing_a_foreign_and_a_garbled_key_file_are_told_apart() {
    let directory = Directory::new();
    open(&directory, &SealConfig::key_file()).unwrap();
    let path = directory.seal().join("root.key");
    let write = |content: &[u8]| files::write(&path, content).unwrap();

    let line = fs::read(&path).unwrap();
    key_file::make(&path).unwrap();
    assert!(matches!(refusal(&directory, &SealConfig::key_file()), SealError::WrongKeyFile { .. }));
    for garbled in [&b""[..], b"\n", b"not base64!", b"c2hvcnQ=", &[b'A'; 88], &[0xff; 44]] {
        write(garbled);
        assert!(matches!(refusal(&directory, &SealConfig::key_file()), SealError::NotKeyFile { .. }));
    }
    write(&[b'A'; 1000]);
    assert!(matches!(refusal(&directory, &SealConfig::key_file()), SealError::Io { .. }));
    fs::remove_file(&path).unwrap();
    assert!(matches!(refusal(&directory, &SealConfig::key_file()), SealError::MissingKeyFile { .. }));
    assert!(!path.exists(), "a missing key is not replaced");
    write(line.trim_ascii());
    open(&directory, &SealConfig::key_file()).unwrap();
}

#[test]
fn a_wrong_an_empty_and_an_unexpected_passphrase_are_told_apart() {
    let directory = Directory::new();
    assert!(matches!(refusal(&directory, &passphrase("")), SealError::EmptyPassphrase));
    open(&directory, &passphrase("right")).unwrap();
    assert!(matches!(refusal(&directory, &passphrase("wrong")), SealError::WrongPassphrase));
    assert!(matches!(refusal(&directory, &passphrase("")), SealError::WrongPassphrase));
    let unexpected = refusal(&directory, &SealConfig::key_file());
    assert!(matches!(unexpected, SealError::WrongKind { sealed: Kind::Passphrase, configured: Kind::KeyFile }));
    let other = Directory::new();
    open(&other, &SealConfig::key_file()).unwrap();
    assert!(matches!(refusal(&other, &passphrase("right")), SealError::WrongKind { sealed: Kind::KeyFile, .. }));
}

#[test]
fn a_cost_out_of_range_is_refused_whether_configured_or_on_record() {
    let directory = Directory::new();
    let absurd = |memory_kib| SealConfig::Passphrase {
        passphrase: SecretBytes::from(&b"p"[..]),
        cost: Cost { memory_kib, ..CHEAP },
    };
    assert!(matches!(refusal(&directory, &absurd(u32::MAX)), SealError::Cost));
    open(&directory, &passphrase("p")).unwrap();
    change_header(&directory, |header| header["current"]["seal"]["memory_kib"] = u32::MAX.into());
    assert!(matches!(refusal(&directory, &passphrase("p")), SealError::Cost));
}

fn change_header(directory: &Directory, change: impl FnOnce(&mut serde_json::Value)) {
    let path = directory.seal().join("root.json");
    let mut header = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut header);
    fs::write(&path, serde_json::to_vec(&header).unwrap()).unwrap();
}

#[test]
fn a_changed_header_does_not_open() {
    let changes: [fn(&mut serde_json::Value); 4] = [
        |header| header["current"]["generation"] = 7.into(),
        |header| header["current"]["root_key_id"] = "0011223344556677".into(),
        |header| header["current"]["seal"]["passes"] = 2.into(),
        |header| header["current"]["wrapped"] = "AAAA".into(),
    ];
    for change in changes {
        let directory = Directory::new();
        open(&directory, &passphrase("p")).unwrap();
        change_header(&directory, change);
        assert!(matches!(refusal(&directory, &passphrase("p")), SealError::WrongPassphrase));
    }
}

#[test]
fn a_damaged_and_a_newer_header_are_refused_and_left_alone() {
    let directory = Directory::new();
    open(&directory, &SealConfig::key_file()).unwrap();
    let path = directory.seal().join("root.json");
    let good = fs::read(&path).unwrap();
    let damaged: [&[u8]; 6] = [b"", b"{", b"[]", b"{\"version\":1}", &good[..good.len() / 2], b"\xff\xfe"];
    for content in damaged {
        fs::write(&path, content).unwrap();
        assert!(matches!(refusal(&directory, &SealConfig::key_file()), SealError::Corrupt { .. }));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    let changes: [fn(&mut serde_json::Value); 4] = [
        |header| header["current"]["seal"]["kind"] = "wax".into(),
        |header| header["current"]["root_key_id"] = "+011223344556677".into(),
        |header| header["current"]["wrapped"] = "not base64".into(),
        |header| header["surprise"] = 1.into(),
    ];
    for change in changes {
        fs::write(&path, &good).unwrap();
        change_header(&directory, change);
        assert!(matches!(refusal(&directory, &SealConfig::key_file()), SealError::Corrupt { .. }));
    }
    fs::write(&path, b"{\"version\":2,\"new\":true}").unwrap();
    assert!(matches!(refusal(&directory, &SealConfig::key_file()), SealError::NewerVersion { found: 2, .. }));
    fs::write(&path, &good).unwrap();
    open(&directory, &SealConfig::key_file()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = Directory::new();
    fs::write(directory.seal(), b"a file").unwrap();
    let refused = refusal(&directory, &SealConfig::key_file());
    assert!(matches!(&refused, SealError::Io { path, .. } if path.starts_with(directory.seal())), "{refused}");
}

#[test]
fn a_moved_data_directory_and_a_moved_key_file_open() {
    let directory = Directory::new();
    let root = open(&directory, &SealConfig::key_file()).unwrap().root;
    let moved = Directory::new();
    fs::rename(directory.seal(), moved.seal()).unwrap();
    assert_eq!(open(&moved, &SealConfig::key_file()).unwrap().root.id(), root.id());

    let path = moved.0.join("elsewhere.key");
    fs::rename(moved.seal().join("root.key"), &path).unwrap();
    assert!(matches!(refusal(&moved, &SealConfig::key_file()), SealError::MissingKeyFile { .. }));
    assert_eq!(open(&moved, &key_file(&path)).unwrap().root.id(), root.id());
    assert_eq!(open(&moved, &SealConfig::key_file()).unwrap().root.id(), root.id(), "the new place is on record");
}

#[test]
fn a_first_start_that_died_after_its_key_file_goes_on_with_it() {
    let directory = Directory::new();
    files::make_directory(&directory.seal()).unwrap();
    key_file::make(&directory.seal().join("root.key")).unwrap();
    let line = fs::read(directory.seal().join("root.key")).unwrap();
    open(&directory, &SealConfig::key_file()).unwrap();
    assert_eq!(fs::read(directory.seal().join("root.key")).unwrap(), line);
}

#[test]
fn a_new_key_file_overwrites_no_other_file() {
    let directory = Directory::new();
    open(&directory, &SealConfig::key_file()).unwrap();
    let path = directory.0.join("precious");
    fs::write(&path, b"precious").unwrap();
    let refused = rotate(&directory.seal(), &SealConfig::key_file(), &key_file(&path), |_, _| Ok::<_, SealError>(()));
    assert!(matches!(refused, Err(SealError::Occupied { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

/// Stands for all that is wrapped under the root key: it knows which one that is.
struct Wrapped(Cell<RootKeyId>);

impl Wrapped {
    fn rewrap(&self, old: &RootKey, new: &RootKey) -> Result<(), TestError> {
        if self.0.get() != new.id() {
            assert_eq!(self.0.get(), old.id(), "rewrapped from a root key that it is not under");
            self.0.set(new.id());
        }
        Ok(())
    }
}

/// Dies once `at` is done.
fn dying(at: Option<Step>) -> impl FnMut(Step) -> Result<(), TestError> {
    move |step| if Some(step) == at { Err(TestError::Died) } else { Ok(()) }
}

const STEPS: [Option<Step>; 6] = [
    Some(Step::KeyFileWritten),
    Some(Step::BothNamed),
    Some(Step::Rewrapped),
    Some(Step::NewNamed),
    Some(Step::OldKeyFileGone),
    None,
];

type Configs = fn(&Directory) -> (SealConfig, SealConfig);

const ROTATIONS: [Configs; 13] = [
    |_| (SealConfig::key_file(), SealConfig::key_file()),
    |directory| (SealConfig::key_file(), key_file(&directory.0.join("new.key"))),
    |_| (SealConfig::key_file(), passphrase("new")),
    |_| (passphrase("old"), SealConfig::key_file()),
    |_| (passphrase("old"), passphrase("new")),
    |directory| (key_file(&directory.0.join("old.key")), key_file(&directory.0.join("old.key"))),
    |_| (SealConfig::key_file(), shares()),
    |_| (shares(), SealConfig::key_file()),
    |_| (shares(), shares()),
    |_| (passphrase("old"), shares()),
    |_| (SealConfig::key_file(), kms(KeySeal(Key256::random()))),
    |_| (kms(KeySeal(Key256::random())), kms(KeySeal(Key256::random()))),
    |_| (kms(KeySeal(Key256::random())), shares()),
];

/// A key of another service, of which `service` does the work.
fn kms(service: impl RootSeal + 'static) -> SealConfig {
    let key = KmsKey { arn: "arn:aws:kms:us-east-1:111122223333:key/1".to_owned(), profile: None };
    SealConfig::Kms { key, service: Arc::new(service) }
}

/// A service that refuses.
struct Refusing;

impl RootSeal for Refusing {
    fn wrap(&self, _: &RootKey, binding: &Binding<'_>) -> Result<Vec<u8>, SealError> {
        let [(name, deployment), ..] = binding.context();
        Err(SealError::Kms { arn: String::new(), detail: format!("not for {name} {deployment}") })
    }

    fn unwrap(&self, _: &[u8], _: &Binding<'_>) -> Result<Option<RootKey>, SealError> {
        Err(SealError::Kms { arn: String::new(), detail: "no".to_owned() })
    }
}

/// A split key, put together.
fn shares() -> SealConfig {
    SealConfig::Shares(crate::split(3, 2).unwrap().0)
}

fn key_files(directory: &Directory) -> Vec<String> {
    let mut names = Vec::new();
    for directory in [directory.0.clone(), directory.seal()] {
        for entry in fs::read_dir(directory).unwrap() {
            names.push(entry.unwrap().file_name().into_string().unwrap());
        }
    }
    names.retain(|name| name.contains(".key") || name.contains(".tmp"));
    names
}

/// Makes a root key under `config`. One that is sealed by shares has been sealed otherwise before.
fn begin(directory: &Directory, config: &SealConfig) -> RootKey {
    if config.kind() == Kind::Shares {
        open(directory, &SealConfig::key_file()).unwrap();
        let unwrapped = |_: &RootKey, _: &RootKey| Ok::<_, SealError>(());
        let rotated = rotate(&directory.seal(), &SealConfig::key_file(), config, unwrapped).unwrap();
        return rotated.root;
    }
    open(directory, config).unwrap().root
}

/// Dies after one step of the rotation and after another of the opening that resumes it, with either seal available.
#[test]
fn a_rotation_is_brought_to_its_end_wherever_it_died() {
    // At the same time, since most of it waits for the disk.
    std::thread::scope(|scope| {
        for configs in ROTATIONS {
            scope.spawn(move || die_everywhere(configs));
        }
    });
}

fn die_everywhere(configs: Configs) {
    for first in STEPS {
        // What is done already is not done again.
        for second in STEPS.into_iter().filter(|second| second.is_none() || first.is_some() && *second > first) {
            for resume_with_new in [false, true] {
                let directory = Directory::new();
                let (old, new) = configs(&directory);
                rotate_and_resume(&directory, &old, &new, first, second, resume_with_new);
            }
        }
    }
}

fn rotate_and_resume(
    directory: &Directory,
    old: &SealConfig,
    new: &SealConfig,
    first: Option<Step>,
    second: Option<Step>,
    resume_with_new: bool,
) {
    let old_root = begin(directory, old);
    let wrapped = Wrapped(Cell::new(old_root.id()));
    let seal = directory.seal();
    let generation = status(&seal).unwrap().unwrap().generation + 1;
    let rotated = rotate_stepwise(&seal, old, new, |old, new| wrapped.rewrap(old, new), &mut dying(first));
    match rotated {
        Ok(opened) => assert_eq!((opened.kind, opened.generation), (new.kind(), generation)),
        Err(error) => assert!(matches!(error, TestError::Died), "{error}"),
    }
    if first == Some(Step::KeyFileWritten) {
        let opened = open_stepwise(&seal, old, |_, _| Err(TestError::Died), &mut dying(second));
        assert_eq!(opened.unwrap().root.id(), old_root.id(), "nothing had happened yet");
        assert_eq!(wrapped.0.get(), old_root.id());
        rotate(&seal, old, new, |old, new| wrapped.rewrap(old, new)).unwrap();
    } else {
        // Once the header names the new root key alone, only the new seal opens it.
        let named = first.is_none_or(|first| first >= Step::NewNamed);
        let config = if named || resume_with_new { new } else { old };
        let _ = open_stepwise(&seal, config, |old, new| wrapped.rewrap(old, new), &mut dying(second));
        if !named && !resume_with_new {
            let _ = open_stepwise(&seal, old, |old, new| wrapped.rewrap(old, new), &mut dying(None));
        }
    }
    let opened = open_or_create(&seal, new, |old, new| wrapped.rewrap(old, new)).unwrap();
    assert_ne!(opened.root.id(), old_root.id());
    assert_eq!(opened.root.id(), wrapped.0.get(), "the root key opens what is wrapped");
    assert_eq!((opened.kind, opened.generation, opened.created), (new.kind(), generation, false));
    let header = Header::read(&seal).unwrap().unwrap();
    assert!(header.rotation.is_none() && header.retired.is_none());
    assert_eq!(key_files(directory).len(), usize::from(new.kind() == Kind::KeyFile), "{:?}", key_files(directory));
    assert!(open(directory, new).is_ok());
}

#[test]
fn the_old_seal_is_good_for_nothing_after_a_rotation() {
    let directory = Directory::new();
    open(&directory, &SealConfig::key_file()).unwrap();
    let old = fs::read(directory.seal().join("root.key")).unwrap();
    rotate(&directory.seal(), &SealConfig::key_file(), &SealConfig::key_file(), |_, _| Ok::<_, SealError>(())).unwrap();
    files::write(&directory.seal().join("root.key"), &old).unwrap();
    assert!(matches!(refusal(&directory, &SealConfig::key_file()), SealError::WrongKeyFile { .. }));
}

#[test]
fn a_refusal_to_rewrap_is_passed_on_and_leaves_the_rotation_to_the_next_opening() {
    let directory = Directory::new();
    let root = open(&directory, &passphrase("old")).unwrap().root;
    let refused =
        rotate(&directory.seal(), &passphrase("old"), &passphrase("new"), |_, _| Err::<(), _>(TestError::Died));
    assert!(matches!(refused, Err(TestError::Died)));
    let status = status(&directory.seal()).unwrap().unwrap();
    assert_eq!((status.rotating, status.generation, status.root_key_id), (true, 1, root.id()));
    let wrong = open_or_create(&directory.seal(), &passphrase("wrong"), |_, _| Ok::<_, SealError>(()));
    assert!(matches!(wrong, Err(SealError::WrongPassphrase)));
    let wrapped = Wrapped(Cell::new(root.id()));
    let opened = open_or_create(&directory.seal(), &passphrase("old"), |old, new| wrapped.rewrap(old, new)).unwrap();
    assert_eq!(opened.root.id(), wrapped.0.get());
}

#[test]
fn shares_are_gathered_for_the_seal_that_there_is() {
    let directory = Directory::new();
    assert!(crate::Gathering::begin(&directory.seal()).unwrap().is_none());
    assert!(matches!(refusal(&directory, &shares()), SealError::NobodyToShareWith));
    open(&directory, &SealConfig::key_file()).unwrap();
    assert!(crate::Gathering::begin(&directory.seal()).unwrap().is_none());

    let (key, handed_out) = crate::split(3, 2).unwrap();
    let (split, next) = (key.split(), SealConfig::Shares(key));
    rotate(&directory.seal(), &SealConfig::key_file(), &next, |_, _| Ok::<_, SealError>(())).unwrap();
    assert_eq!(status(&directory.seal()).unwrap().unwrap().split, Some(split));
    let mut gathering = crate::Gathering::begin(&directory.seal()).unwrap().expect("shares open it");
    let mut gathered = None;
    for share in handed_out.into_iter().skip(1) {
        gathered = gathering.add(share).unwrap();
    }
    open(&directory, &SealConfig::Shares(gathered.expect("enough"))).unwrap();
    assert!(matches!(refusal(&directory, &shares()), SealError::WrongShares));
    assert!(matches!(refusal(&directory, &SealConfig::key_file()), SealError::WrongKind { sealed: Kind::Shares, .. }));
    let changed = |header: &mut serde_json::Value| header["current"]["seal"]["split"]["threshold"] = 1.into();
    change_header(&directory, changed);
    assert!(matches!(refusal(&directory, &next), SealError::WrongShares), "the numbers are bound to the key");
}

#[test]
fn a_service_that_refuses_leaves_everything_as_it_was() {
    let directory = Directory::new();
    assert!(matches!(refusal(&directory, &kms(Refusing)), SealError::Kms { .. }));
    let root = open(&directory, &passphrase("p")).unwrap().root;
    let header = fs::read(directory.seal().join("root.json")).unwrap();
    let deployment = status(&directory.seal()).unwrap().unwrap().deployment;
    let refused = rotate(&directory.seal(), &passphrase("p"), &kms(Refusing), |_, _| Ok::<_, SealError>(()));
    let refused = refused.err().expect("it is refused").to_string();
    assert!(refused.contains(&format!("not for sealstack:deployment {deployment}")), "{refused}");
    assert_eq!(fs::read(directory.seal().join("root.json")).unwrap(), header);
    assert_eq!(open(&directory, &passphrase("p")).unwrap().root.id(), root.id());
}

#[test]
fn a_root_key_wrapped_for_one_deployment_or_generation_opens_in_no_other() {
    let changes: [fn(&mut serde_json::Value); 3] = [
        |header| header["deployment"] = "0".repeat(32).into(),
        |header| header["current"]["generation"] = 2.into(),
        |header| header["current"]["wrapped"] = "AAAA".into(),
    ];
    for change in changes {
        let directory = Directory::new();
        let config = kms(KeySeal(Key256::random()));
        let deployment = open(&directory, &config).map(|_| status(&directory.seal()).unwrap().unwrap().deployment);
        change_header(&directory, change);
        assert!(matches!(refusal(&directory, &config), SealError::WrongKmsKey { .. }));
        assert_eq!(deployment.unwrap().to_string().len(), 32);
    }
}

#[test]
fn the_deployment_keeps_its_name_through_every_rotation() {
    let directory = Directory::new();
    open(&directory, &SealConfig::key_file()).unwrap();
    let name = || status(&directory.seal()).unwrap().unwrap().deployment;
    let first = name();
    rotate(&directory.seal(), &SealConfig::key_file(), &passphrase("p"), |_, _| Ok::<_, SealError>(())).unwrap();
    assert_eq!(name(), first);
}

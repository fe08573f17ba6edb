//! Encrypted files: the library and the command beside `cp`, the official SDKs, `age` and the machine's SHA-384.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clap::Args;
use envelope::{AlgorithmSuite, Decryption, Encryption, RawAesKeyring, WriteAt};

use crate::command::{self, Run};
use crate::message::{self, Form};
use crate::report::median;

const UNSIGNED: AlgorithmSuite = AlgorithmSuite::Aes256GcmHkdfSha512CommitKey;
const SIGNED: AlgorithmSuite = AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384;

/// The forms of messages that are measured, and how they are named.
const FORMS: [(&str, Form); 4] = [
    ("unsigned, 1 MiB frames", form(UNSIGNED, 1 << 20)),
    ("unsigned, 4 KiB frames", form(UNSIGNED, 4096)),
    ("signed, 1 MiB frames", form(SIGNED, 1 << 20)),
    ("signed, 4 KiB frames", form(SIGNED, 4096)),
];

const fn form(suite: AlgorithmSuite, frame_length: u32) -> Form {
    Form { suite, frame_length: NonZeroU32::new(frame_length).expect("not zero") }
}

#[derive(Args)]
pub(crate) struct Measurement {
    /// Where files are made, and removed at the end
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// The size of the file
    #[arg(long, default_value_t = 1024)]
    mebibytes: u64,
    /// How often each is run; the medians are printed
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only contestants with this in their name
    #[arg(long, default_value = "")]
    only: String,
    /// A Python with the official SDK
    #[arg(long)]
    python: Option<PathBuf>,
    /// A Node.js that finds the official SDK
    #[arg(long)]
    node: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Range {
    /// Where the file is made, and removed at the end
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// The size of the plaintext
    #[arg(long, default_value_t = 10)]
    gibibytes: u64,
}

/// Makes a command that works from one file into another.
type Make = Box<dyn Fn(&Path, &Path) -> io::Result<Command>>;

struct Contestant {
    name: String,
    encrypt: Make,
    decrypt: Make,
    /// Slow ones run once.
    slow: bool,
    /// Whether it hashes what it writes, and can be no faster than that.
    signs: bool,
}

impl Contestant {
    fn new(
        name: impl Into<String>,
        encrypt: impl Fn(&Path, &Path) -> io::Result<Command> + 'static,
        decrypt: impl Fn(&Path, &Path) -> io::Result<Command> + 'static,
    ) -> Self {
        Self { name: name.into(), encrypt: Box::new(encrypt), decrypt: Box::new(decrypt), slow: false, signs: false }
    }

    fn slow(mut self) -> Self {
        self.slow = true;
        self
    }

    fn of(mut self, form: Form) -> Self {
        self.signs = form.suite.signs();
        self
    }
}

fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&std::ffi::OsStr]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn cp() -> Contestant {
    let copy = |from: &Path, to: &Path| Ok(command("cp", &[from.as_ref(), to.as_ref()]));
    Contestant::new("`cp`", copy, copy)
}

/// This program again, with the library.
fn library(name: &str, form: Form) -> Contestant {
    let myself = |verb: &str| io::Result::Ok(command(std::env::current_exe()?, &[verb.as_ref()]));
    let encrypt = move |from: &Path, to: &Path| {
        let mut command = myself("encrypt")?;
        command.arg("--suite").arg(form.suite.name());
        command.arg("--frame-length").arg(form.frame_length.to_string()).arg(from).arg(to);
        Ok(command)
    };
    let decrypt = move |from: &Path, to: &Path| {
        let mut command = myself("decrypt")?;
        command.arg(from).arg(to);
        Ok(command)
    };
    Contestant::new(format!("library, {name}"), encrypt, decrypt).of(form)
}

/// The command. Like its peers here it does not wait for the disk.
fn sealstack(name: &str, form: Form, directory: &Path) -> io::Result<Contestant> {
    let key = directory.join("raw.key");
    fs::write(&key, message::KEY)?;
    let program = crate::binary()?;
    let run = move |verb: &str, from: &Path, to: &Path| {
        let mut command = Command::new(&program);
        command.args([verb, "-w", "provider=raw-aes", "namespace=benchmark", "name=key"]);
        command.arg(format!("file={}", key.display())).args(["--no-sync", "--quiet", "-i"]).arg(from).arg("-o").arg(to);
        command
    };
    let (encrypting, decrypting) = (run.clone(), run);
    let encrypt = move |from: &Path, to: &Path| {
        let mut command = encrypting("encrypt", from, to);
        command.args(["--algorithm", form.suite.name(), "--frame-length", &form.frame_length.to_string()]);
        Ok(command)
    };
    let decrypt = move |from: &Path, to: &Path| Ok(decrypting("decrypt", from, to));
    Ok(Contestant::new(format!("`sealstack`, {name}"), encrypt, decrypt).of(form))
}

/// `age`, if it is installed: with a key pair that it makes.
fn age(directory: &Path) -> io::Result<Option<Contestant>> {
    let identity = directory.join("age.key");
    match command("age-keygen", &["-o".as_ref(), identity.as_ref()]).output() {
        Ok(made) if made.status.success() => {}
        _ => return Ok(None),
    }
    let recipient = command("age-keygen", &["-y".as_ref(), identity.as_ref()]).output()?.stdout;
    let recipient = String::from_utf8(recipient).map_err(io::Error::other)?.trim().to_owned();
    let encrypt = move |from: &Path, to: &Path| {
        Ok(command("age", &["-r".as_ref(), recipient.as_ref(), "-o".as_ref(), to.as_ref(), from.as_ref()]))
    };
    let decrypt = move |from: &Path, to: &Path| {
        Ok(command(
            "age",
            &["-d".as_ref(), "-i".as_ref(), identity.as_ref(), "-o".as_ref(), to.as_ref(), from.as_ref()],
        ))
    };
    Ok(Some(Contestant::new("`age`", encrypt, decrypt)))
}

/// An official SDK: a program and a script that takes what to do, suite, frame length, source and sink.
fn official(name: &str, program: &Path, script: &Path, form: Form) -> Contestant {
    let make = |verb: &'static str| {
        let (program, script) = (program.to_owned(), script.to_owned());
        move |from: &Path, to: &Path| {
            let mut command = Command::new(&program);
            let id = format!("{:04x}", form.suite.id());
            command.arg(&script).arg(verb).arg(id).arg(form.frame_length.to_string()).arg(from).arg(to);
            Ok(command)
        }
    };
    Contestant::new(name, make("encrypt"), make("decrypt")).slow()
}

fn contestants(measurement: &Measurement, directory: &Path) -> io::Result<Vec<Contestant>> {
    let mut all = vec![cp()];
    for (name, form) in FORMS {
        all.push(library(name, form));
    }
    for (name, form) in FORMS {
        all.push(sealstack(name, form, directory)?);
    }
    all.extend(age(directory)?);
    let [(_, long), (_, short), ..] = FORMS;
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    if let Some(python) = &measurement.python {
        let script = clients.join("encryption_sdk.py");
        all.push(official("Python SDK, unsigned, 1 MiB frames", python, &script, long));
        all.push(official("Python SDK, unsigned, 4 KiB frames", python, &script, short));
    }
    if let Some(node) = &measurement.node {
        all.push(official("npm SDK, unsigned, 1 MiB frames", node, &clients.join("encryption_sdk.js"), long));
    }
    all.retain(|contestant| contestant.name.contains(&measurement.only));
    Ok(all)
}

/// Bytes that no file system and no cipher finds easy, written to the disk.
fn write_plaintext(path: &Path, mebibytes: u64) -> io::Result<()> {
    let mut file = File::create(path)?;
    let mut chunk = vec![0; 1 << 20];
    for index in 0..mebibytes {
        for (at, byte) in chunk.iter_mut().enumerate() {
            *byte = (at as u64 ^ index).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
        }
        file.write_all(&chunk)?;
    }
    file.sync_all()
}

/// Measurements in one direction, in GB/s: each run, and just before it SHA-384, for who signs, and `cp` on the
/// same file.
#[derive(Default)]
struct Runs {
    ours: Vec<f64>,
    cp: Vec<f64>,
    hash: Vec<f64>,
    peak_kilobytes: u64,
}

/// One run into a new file.
fn one(make: &Make, from: &Path, to: &Path) -> io::Result<Run> {
    if to.exists() {
        fs::remove_file(to)?;
    }
    command::run(make(from, to)?)
}

/// Runs `cp` and `contestant` in turn from one file into new ones, of which the contestant's last one stays. Only one
/// copy is not yet on the disk at any time, or else the kernel begins to write back and slows down who comes next.
/// Nothing comes between the two: memory that is free for seconds may go back to a virtual machine's host, and to have
/// it again costs whoever writes next.
fn several(rounds: usize, contestant: &Contestant, make: &Make, from: &Path, to: &Path) -> io::Result<Runs> {
    let bytes = fs::metadata(from)?.len();
    let speed = |run: Run| bytes as f64 / run.time.as_secs_f64() / 1e9;
    let rounds = if contestant.slow { 0 } else { rounds };
    let mut runs = Runs::default();
    for round in 0..=rounds {
        let hash = contestant.signs.then(|| Ok::<_, io::Error>(sha384().max(openssl_sha384()?.unwrap_or(0.0))));
        let hash = hash.transpose()?;
        let cp = speed(one(&cp().encrypt, from, to)?);
        let run = one(make, from, to)?;
        runs.peak_kilobytes = runs.peak_kilobytes.max(run.peak_kilobytes);
        // The first round warms up, unless it is the only one.
        if round > 0 || rounds == 0 {
            runs.ours.push(speed(run));
            runs.cp.push(cp);
            runs.hash.extend(hash);
        }
    }
    Ok(runs)
}

/// The median of how fast the runs were beside something.
fn ratio(ours: &[f64], other: &[f64]) -> Option<f64> {
    let mut ratios: Vec<_> = ours.iter().zip(other).map(|(ours, other)| ours / other).collect();
    (!ratios.is_empty()).then(|| median(&mut ratios))
}

/// Encrypts and decrypts one file with each contestant.
pub(crate) fn measure(measurement: &Measurement) -> io::Result<()> {
    let directory = tempfile::tempdir_in(&measurement.directory)?;
    let path = |name: &str| directory.path().join(name);
    let (plain, sealed, opened) = (path("plain"), path("sealed"), path("opened"));
    write_plaintext(&plain, measurement.mebibytes)?;
    println!("| | encrypt | of `cp` | of SHA-384 | decrypt | of `cp` | of SHA-384 | peak memory |");
    println!("|---|---|---|---|---|---|---|---|");
    for contestant in contestants(measurement, directory.path())? {
        let rounds = measurement.rounds;
        let mut encrypt = several(rounds, &contestant, &contestant.encrypt, &plain, &sealed)?;
        File::open(&sealed)?.sync_all()?;
        let mut decrypt = several(rounds, &contestant, &contestant.decrypt, &sealed, &opened)?;
        if !command("cmp", &[plain.as_ref(), opened.as_ref()]).status()?.success() {
            return Err(io::Error::other(format!("{}: the file came back changed", contestant.name)));
        }
        fs::remove_file(&opened)?;
        print!("| {} ", contestant.name);
        for runs in [&mut encrypt, &mut decrypt] {
            let [cp, hash] = [&runs.cp, &runs.hash].map(|other| ratio(&runs.ours, other));
            let [cp, hash] =
                [cp, hash].map(|ratio| ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")));
            print!("| {:.2} GB/s | {cp} | {hash} ", median(&mut runs.ours));
        }
        println!("| {} MB |", encrypt.peak_kilobytes.max(decrypt.peak_kilobytes) / 1000);
    }
    print!("SHA-384 in memory: {:.2} GB/s here", sha384());
    match openssl_sha384()? {
        Some(speed) => println!(", {speed:.2} GB/s with OpenSSL"),
        None => println!(),
    }
    Ok(())
}

/// How fast this machine hashes, in GB/s: a signed message can be no faster.
fn sha384() -> f64 {
    let chunk = vec![1; 1 << 20];
    let speed = |_| {
        let begun = Instant::now();
        let mut digest = crypto::Sha384::new();
        (0..64).for_each(|_| digest.update(&chunk));
        std::hint::black_box(digest.finish());
        f64::from(64 << 20) / begun.elapsed().as_secs_f64() / 1e9
    };
    median(&mut (0..5).map(speed).collect::<Vec<_>>())
}

/// The same with OpenSSL, where that is installed.
fn openssl_sha384() -> io::Result<Option<f64>> {
    let mut openssl = Command::new("openssl");
    openssl.args(["speed", "-seconds", "1", "-bytes", "1048576", "-evp", "sha384"]);
    let said = match openssl.output() {
        Ok(output) => output.stdout,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let said = String::from_utf8_lossy(&said);
    let figure = |line: &str| line.strip_prefix("sha384")?.trim().strip_suffix('k')?.parse::<f64>().ok();
    Ok(said.lines().find_map(figure).map(|kilobytes| kilobytes / 1e6))
}

/// A file that keeps what is written around some places, and has holes elsewhere: a large message that takes no disk.
struct Holey<'a> {
    file: &'a File,
    kept: [u64; 3],
}

impl WriteAt for Holey<'_> {
    fn write_all_at(&self, buffer: &[u8], offset: u64) -> io::Result<()> {
        let near = |place: &u64| offset < place + (64 << 20) && offset + buffer.len() as u64 + (64 << 20) > *place;
        if self.kept.iter().any(near) { WriteAt::write_all_at(self.file, buffer, offset) } else { Ok(()) }
    }
}

/// Reads 1 MiB out of the middle of a large message under a raw key, and prints how long that took.
pub(crate) fn range(measurement: &Range) -> io::Result<()> {
    let directory = tempfile::tempdir_in(&measurement.directory)?;
    let (plain, sealed) = (directory.path().join("plain"), directory.path().join("sealed"));
    let bytes = measurement.gibibytes << 30;
    File::create(&plain)?.set_len(bytes)?;
    for (name, form) in [FORMS[0], FORMS[1]] {
        let keyring = message::keyring()?;
        let file = File::create(&sealed)?;
        let message = bytes + bytes / u64::from(form.frame_length.get()) * 32;
        let sink = Holey { file: &file, kept: [0, message / 2, message] };
        let encryption = Encryption::new(&keyring).suite(form.suite).frame_length(form.frame_length);
        encryption.encrypt_at(&File::open(&plain)?, bytes, &sink)?;
        file.sync_all()?;
        let peak = command::peak_kilobytes(std::process::id()).unwrap_or_default() / 1000;
        println!("{} GiB, {name}: sealed with a peak of {peak} MB", measurement.gibibytes);
        let (mut cold, mut warm) = (Vec::new(), Vec::new());
        for index in 0..11 {
            // Out of the kernel's cache, as `dd` does it when it copies nothing.
            let out = [
                format!("if={}", sealed.display()),
                "iflag=nocache".to_owned(),
                "count=0".to_owned(),
                "status=none".to_owned(),
            ];
            command::run(command("dd", &out.each_ref().map(AsRef::as_ref)))?;
            let offset = bytes / 2 + (index << 21);
            cold.push(range_once(&keyring, &sealed, offset)?);
            warm.push(range_once(&keyring, &sealed, offset)?);
        }
        let (cold, warm) = (median(&mut cold), median(&mut warm));
        println!("1 MiB out of the middle: {cold:.2} ms from the disk, {warm:.2} ms from memory");
    }
    Ok(())
}

/// Milliseconds, from the file's name to the plaintext.
fn range_once(keyring: &RawAesKeyring, sealed: &Path, offset: u64) -> io::Result<f64> {
    let begun = Instant::now();
    let source = File::open(sealed)?;
    let length = source.metadata()?.len();
    let mut range = Vec::with_capacity(1 << 20);
    Decryption::new(keyring).decrypt_range(&source, length, offset..offset + (1 << 20), &mut range)?;
    let time = begun.elapsed().as_secs_f64() * 1e3;
    if range.len() == 1 << 20 { Ok(time) } else { Err(io::Error::other("the range is short")) }
}

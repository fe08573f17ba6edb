//! Many small files, each under a data key of its own from a running server: the command beside `aws-encryption-cli`, with
//! the same settings on both.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;
use crypto::signature::{Ecdsa, EcdsaKey, EcdsaPublicKey};
use serde_json::json;

use crate::client::{Credentials, call_kms};
use crate::command;
use crate::load::Connection;
use crate::process::Process;
use crate::report::median;

#[derive(Args)]
pub(crate) struct Measurement {
    /// Where files are made, and removed at the end
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// How many files of 4 KiB
    #[arg(long, default_value_t = 10_000)]
    files: usize,
    /// How often each is run; the medians are printed
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The official command
    #[arg(long)]
    aws_encryption_cli: Option<PathBuf>,
    /// How often it is run
    #[arg(long, default_value_t = 1)]
    peer_rounds: usize,
    /// How many files get a process each
    #[arg(long, default_value_t = 20)]
    processes: usize,
}

/// Settings that both commands know, by what they are called in the table.
const SETTINGS: [(&str, &[&str]); 3] = [
    ("usual settings: signed, a data key for each", &[]),
    ("signed, `--caching capacity=1 max_age=300`", &["--caching", "capacity=1", "max_age=300"]),
    ("suite 0478: unsigned, a data key for each", &["--algorithm", "AES_256_GCM_HKDF_SHA512_COMMIT_KEY"]),
];

fn write_files(directory: &Path, count: usize) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for index in 0..count {
        let byte = u8::try_from(index % 251).unwrap_or_default();
        fs::write(directory.join(format!("{index:05}")), [byte; 4096])?;
    }
    Ok(())
}

async fn create_key(server: &Process, data: &Path) -> io::Result<String> {
    let none = || io::Error::other("no credentials");
    let administrator = Credentials::read(&data.join("aws/credentials")).ok_or_else(none)?;
    let mut connection = Connection::open(server.address).await?;
    let created = call_kms(&mut connection, &administrator, server.address, "CreateKey", &json!({})).await?;
    Ok(created["KeyMetadata"]["Arn"].as_str().unwrap_or_default().to_owned())
}

/// One of the two commands.
#[derive(Clone)]
enum Contender {
    Ours { synced: bool },
    Official(PathBuf),
}

/// Where the files of each run are, and how the commands find the server.
struct Place<'a> {
    directory: &'a Path,
    data: &'a Path,
    key: String,
}

impl Place<'_> {
    /// How many files a second, there and back. `each` gives every file a process, one after the other.
    fn run(&self, who: &Contender, settings: &[&str], files: usize, each: bool) -> io::Result<[f64; 2]> {
        // Nothing is removed before the end: ext4 does not give out inodes again within minutes, and searching past
        // thousands of them takes longer for each new file than the work on it.
        let run = tempfile::tempdir_in(self.directory)?.keep();
        let [plain, sealed, opened] = ["plain", "sealed", "opened"].map(|name| run.join(name));
        write_files(&plain, files)?;
        // What earlier runs left to be written is not waited for in this one.
        command::run(Command::new("sync"))?;
        let mut speeds = [0.0; 2];
        for (speed, (verb, from, to)) in
            speeds.iter_mut().zip([("encrypt", &plain, &sealed), ("decrypt", &sealed, &opened)])
        {
            fs::create_dir_all(to)?;
            let inputs = if each { paths(from)? } else { vec![from.clone()] };
            let mut time = Duration::ZERO;
            for input in inputs {
                // Only encrypting takes an algorithm: messages say theirs.
                let settings = if verb == "encrypt" || settings.contains(&"--caching") { settings } else { &[] };
                time += command::run(self.command(who, verb, settings, &input, to)?)?.time;
            }
            *speed = files as f64 / time.as_secs_f64();
            if fs::read_dir(to)?.count() != files {
                return Err(io::Error::other("files are missing"));
            }
        }
        if fs::read(opened.join("00000.encrypted.decrypted"))? != [0; 4096] {
            return Err(io::Error::other("a file is not what it was"));
        }
        Ok(speeds)
    }

    fn command(&self, who: &Contender, verb: &str, settings: &[&str], from: &Path, to: &Path) -> io::Result<Command> {
        let mut command = match who {
            Contender::Ours { synced } => {
                let mut command = Command::new(crate::binary()?);
                command.args([verb, "-q"]).args((!synced).then_some("--no-sync"));
                command
            }
            Contender::Official(program) => {
                let mut command = Command::new(program);
                command.args([&format!("--{verb}"), "-S"]);
                command
            }
        };
        command.args(["-r", "-w", &format!("key={}", self.key)]).args(settings).arg("-i").arg(from).arg("-o").arg(to);
        // Variables would win over the configuration of the server that is measured.
        let variables = std::env::vars_os().map(|(name, _)| name);
        for name in variables.filter(|name| name.as_encoded_bytes().starts_with(b"AWS_")) {
            command.env_remove(name);
        }
        command.env("AWS_CONFIG_FILE", self.data.join("aws/config"));
        command.env("AWS_SHARED_CREDENTIALS_FILE", self.data.join("aws/credentials"));
        Ok(command)
    }

    /// The medians of some rounds.
    fn medians(&self, who: &Contender, settings: &[&str], form: Form) -> io::Result<[f64; 2]> {
        let (mut encrypt, mut decrypt) = (Vec::new(), Vec::new());
        for _ in 0..form.rounds {
            let [sealed, opened] = self.run(who, settings, form.files, form.each)?;
            encrypt.push(sealed);
            decrypt.push(opened);
        }
        Ok([median(&mut encrypt), median(&mut decrypt)])
    }
}

/// How often, how many files, and whether each gets a process.
#[derive(Clone, Copy)]
struct Form {
    rounds: usize,
    files: usize,
    each: bool,
}

fn paths(directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
}

/// Prints a line; with the official command's speeds, also how many times as fast this is.
fn print(name: &str, [encrypt, decrypt]: [f64; 2], official: Option<[f64; 2]>) {
    let speed = |files: f64| if files < 10.0 { format!("{files:.1} files/s") } else { format!("{files:.0} files/s") };
    let times = |ours: f64, theirs: f64| format!("{}, {:.1} times", speed(ours), ours / theirs);
    match official {
        None => println!("| {name} | {} | {} |", speed(encrypt), speed(decrypt)),
        Some(theirs) => println!("| {name} | {} | {} |", times(encrypt, theirs[0]), times(decrypt, theirs[1])),
    }
}

pub(crate) async fn measure(measurement: &Measurement) -> io::Result<()> {
    primitives()?;
    let directory = tempfile::tempdir_in(&measurement.directory)?;
    let data = directory.path().join("data");
    let server = Process::sealstack(&crate::binary()?, &data, &[])?;
    let place = Place { directory: directory.path(), data: &data, key: create_key(&server, &data).await? };
    let official = measurement.aws_encryption_cli.clone().map(Contender::Official);
    let Measurement { files, rounds, peer_rounds, processes, .. } = *measurement;
    let all = Form { rounds, files, each: false };
    let each = Form { rounds, files: processes, each: true };
    println!("| {files} files of 4 KiB | encrypt | decrypt |\n|---|---|---|");
    for (name, settings) in SETTINGS {
        println!("| **{name}** | | |");
        let theirs = match &official {
            None => None,
            Some(who) => Some(place.medians(who, settings, Form { rounds: peer_rounds, ..all })?),
        };
        if let Some(theirs) = theirs {
            print("`aws-encryption-cli`", theirs, None);
        }
        for (name, synced) in [("`sealstack --no-sync`", false), ("`sealstack`", true)] {
            print(name, place.medians(&Contender::Ours { synced }, settings, all)?, theirs);
        }
    }
    println!("| **usual settings, a process for each of {processes} files** | | |");
    let theirs = match &official {
        None => None,
        Some(who) => Some(place.medians(who, &[], Form { rounds: peer_rounds, ..each })?),
    };
    if let Some(theirs) = theirs {
        print("`aws-encryption-cli`", theirs, None);
    }
    for (name, synced) in [("`sealstack --no-sync`", false), ("`sealstack`", true)] {
        print(name, place.medians(&Contender::Ours { synced }, &[], each)?, theirs);
    }
    Ok(())
}

/// The cost of signatures on one core: a message takes a key and a signature, or a verification.
fn primitives() -> io::Result<()> {
    const TIMES: u32 = 2000;
    let each = |act: &mut dyn FnMut() -> io::Result<()>| -> io::Result<f64> {
        let begun = Instant::now();
        for _ in 0..TIMES {
            act()?;
        }
        Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES))
    };
    let (failed, digest) = (io::Error::other, crypto::sha384(b"message"));
    let key = EcdsaKey::generate(Ecdsa::P384Sha384).map_err(failed)?;
    let (public, signature) = (key.public_key().map_err(failed)?, key.sign_digest(&digest).map_err(failed)?);
    let new_key = || EcdsaKey::generate(Ecdsa::P384Sha384).and_then(|key| key.public_key());
    let make = each(&mut || new_key().map(drop).map_err(failed))?;
    let sign = each(&mut || key.sign_digest(&digest).map(drop).map_err(failed))?;
    let verify = each(&mut || {
        let key = EcdsaPublicKey::read(Ecdsa::P384Sha384, &public).map_err(failed)?;
        key.verify_digest(&digest, &signature).map_err(failed)
    })?;
    println!("P-384 on one core: a key {make:.0} µs, a signature {sign:.0} µs, a verification {verify:.0} µs\n");
    Ok(())
}

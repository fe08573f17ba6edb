//! Many small files, each under a data key of its own from a running server: the command beside `aws-encryption-cli`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
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
    /// How many files it gets, once
    #[arg(long, default_value_t = 1000)]
    peer_files: usize,
}

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

/// Where the files of each run are, and how the commands find the server.
struct Place<'a> {
    directory: &'a Path,
    data: &'a Path,
    key: String,
}

impl Place<'_> {
    /// How many files a second, there and back.
    fn run(&self, files: usize, make: impl Fn(&str, &Path, &Path) -> Command) -> io::Result<[f64; 2]> {
        let [plain, sealed, opened] = ["plain", "sealed", "opened"].map(|name| self.directory.join(name));
        for made in [&plain, &sealed, &opened] {
            if made.exists() {
                fs::remove_dir_all(made)?;
            }
        }
        write_files(&plain, files)?;
        let mut speeds = [0.0; 2];
        for (speed, (verb, from, to)) in
            speeds.iter_mut().zip([("encrypt", &plain, &sealed), ("decrypt", &sealed, &opened)])
        {
            fs::create_dir_all(to)?;
            let mut command = make(verb, from, to);
            // Variables would win over the configuration of the server that is measured.
            let variables = std::env::vars_os().map(|(name, _)| name);
            for name in variables.filter(|name| name.as_encoded_bytes().starts_with(b"AWS_")) {
                command.env_remove(name);
            }
            command.env("AWS_CONFIG_FILE", self.data.join("aws/config"));
            command.env("AWS_SHARED_CREDENTIALS_FILE", self.data.join("aws/credentials"));
            *speed = files as f64 / command::run(command)?.time.as_secs_f64();
            if fs::read_dir(to)?.count() != files {
                return Err(io::Error::other("files are missing"));
            }
        }
        Ok(speeds)
    }

    fn ours(&self, more: &[&str]) -> impl Fn(&str, &Path, &Path) -> Command {
        let (key, more) = (format!("key={}", self.key), more.iter().map(ToString::to_string).collect::<Vec<_>>());
        move |verb, from, to| {
            let mut command = Command::new(crate::binary().unwrap_or_default());
            command.args([verb, "-w", &key, "-r", "-q"]).args(&more).arg("-i").arg(from).arg("-o").arg(to);
            command
        }
    }

    fn official(&self, program: &Path) -> impl Fn(&str, &Path, &Path) -> Command {
        let (key, program) = (format!("key={}", self.key), program.to_owned());
        move |verb, from, to| {
            let mut command = Command::new(&program);
            command.args([&format!("--{verb}"), "-w", &key, "-r", "-S", "-i"]).arg(from).arg("-o").arg(to);
            command
        }
    }
}

pub(crate) async fn measure(measurement: &Measurement) -> io::Result<()> {
    let directory = tempfile::tempdir_in(&measurement.directory)?;
    let data = directory.path().join("data");
    let server = Process::sealstack(&crate::binary()?, &data, &[])?;
    let place = Place { directory: directory.path(), data: &data, key: create_key(&server, &data).await? };
    println!("| {} files of 4 KiB | encrypt | decrypt |\n|---|---|---|", measurement.files);
    let cached = ["--caching", "capacity=1", "max_age=300"];
    let unsynced = ["--no-sync"];
    let both = [&cached[..], &unsynced].concat();
    for (name, more) in [
        ("`sealstack`", &[][..]),
        ("`sealstack --no-sync`", &unsynced),
        ("`sealstack --no-sync --caching`, as many files under one data key", &both),
    ] {
        let (mut encrypt, mut decrypt) = (Vec::new(), Vec::new());
        for _ in 0..measurement.rounds {
            let [sealed, opened] = place.run(measurement.files, place.ours(more))?;
            encrypt.push(sealed);
            decrypt.push(opened);
        }
        println!("| {name} | {:.0} files/s | {:.0} files/s |", median(&mut encrypt), median(&mut decrypt));
    }
    if let Some(program) = &measurement.aws_encryption_cli {
        let [encrypt, decrypt] = place.run(measurement.peer_files, place.official(program))?;
        println!(
            "| `aws-encryption-cli`, {} files | {encrypt:.0} files/s | {decrypt:.0} files/s |",
            measurement.peer_files
        );
    }
    Ok(())
}

//! Measures a release build of `sealstack` beside a hyper server that answers every request with the same bytes, and
//! the envelope library and command beside `cp`; and both beside their peers where those are given.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measuring program, run by hand"
)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod canned;
mod client;
mod command;
mod files;
mod git;
mod iam;
mod load;
mod many;
mod message;
mod operation;
mod process;
mod raw;
mod report;
mod s3;
mod scale;
mod stream;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand};
use serde_json::json;

use client::{Credentials, call_iam, element};
use load::{Connection, Load, Measured, replay};
use operation::{Keys, Operation};
use process::Process;

#[derive(Parser)]
#[command(about = "Measures sealstack beside a canned-reply server and its peers")]
struct Arguments {
    #[command(subcommand)]
    command: Measurement,
}

#[derive(Subcommand)]
enum Measurement {
    /// Requests a second, latency, start time and idle memory
    Kms {
        /// Seconds of each run
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// How often each is run; the medians are printed
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Connections
        #[arg(long, default_value_t = 16)]
        connections: usize,
        /// An operation to measure, by its name in the table; may be repeated, and without it all are but CreateKey and
        /// PutUserPolicy, whose results stay
        #[arg(long, value_name = "NAME")]
        operation: Vec<String>,
        /// A peer that speaks KMS and accepts any signature, such as moto=127.0.0.1:5000; may be repeated
        #[arg(long, value_name = "NAME=ADDRESS")]
        peer: Vec<String>,
        /// Another build to measure beside this one, such as before=/tmp/sealstack; may be repeated
        #[arg(long, value_name = "NAME=BINARY")]
        build: Vec<String>,
    },
    /// Git's clients beside stock `git http-backend` behind nginx; needs git, nginx, fcgiwrap, openssl and curl
    Git(git::Measurement),
    /// Objects put, got and listed beside SeaweedFS
    S3(s3::Measurement),
    /// The time of each operation with few keys and with many
    Scale {
        /// How many keys are many, all in one region; they are spread over as many accounts as it takes
        #[arg(long, default_value_t = 98_000)]
        keys: usize,
    },
    /// What authorisation costs a caller with many policies, and the pages of lists in a large account
    Iam {
        /// Seconds of each run
        #[arg(long, default_value_t = 2)]
        seconds: u64,
        /// How often each is run; the medians are printed
        #[arg(long, default_value_t = 7)]
        rounds: usize,
        /// Users of the large account; 0 leaves the lists out
        #[arg(long, default_value_t = 10_000)]
        users: usize,
        /// Managed policies of the large account
        #[arg(long, default_value_t = 2000)]
        policies: usize,
    },
    /// A payload that flows through the example service and out again, beside a bare hyper echo
    Stream {
        /// Length of the payload
        #[arg(long, default_value_t = 1024)]
        mebibytes: usize,
        /// How often each is run; the medians are printed
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// A file encrypted and decrypted
    Envelope(files::Measurement),
    /// 1 MiB out of the middle of a large message
    Range(files::Range),
    /// Many small files encrypted and decrypted with the command
    Many(many::Measurement),
    /// One file encrypted with the library
    #[command(hide = true)]
    Encrypt {
        #[command(flatten)]
        form: message::Form,
        source: PathBuf,
        sink: PathBuf,
    },
    /// One file decrypted with the library
    #[command(hide = true)]
    Decrypt { source: PathBuf, sink: PathBuf },
    /// The canned-reply server itself
    #[command(hide = true)]
    Canned,
    /// A server that echoes
    #[command(hide = true)]
    StreamServer { kind: stream::Kind },
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.command {
        Measurement::Canned => return canned::serve(SocketAddr::from(([127, 0, 0, 1], 0))),
        Measurement::StreamServer { kind } => return stream::serve(*kind),
        Measurement::Stream { mebibytes, rounds } => return stream::measure(*mebibytes, *rounds),
        Measurement::Envelope(measurement) => return files::measure(measurement),
        Measurement::Range(range) => return files::range(range),
        Measurement::Encrypt { form, source, sink } => return message::encrypt(*form, source, sink),
        Measurement::Decrypt { source, sink } => return message::decrypt(source, sink),
        _ => {}
    }
    // One thread for the load: the two cores are shared with the server under test.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Measurement::Kms { seconds, rounds, connections, operation, peer, build } => {
                let asked = |one: &Operation| operation.iter().any(|name| name == one.name());
                let ours = Operation::OURS.into_iter().filter(|one| operation.is_empty() || asked(one));
                let operations: Vec<_> = ours.chain(Operation::CHANGES.into_iter().filter(asked)).collect();
                kms(Duration::from_secs(seconds), rounds, connections, &operations, &peer, &build).await
            }
            Measurement::Scale { keys } => scale::measure(keys).await,
            Measurement::Iam { seconds, rounds, users, policies } => {
                let directory = tempfile::tempdir()?;
                let data = directory.path().join("data");
                let sealstack = Process::sealstack(&binary()?, &data, &[])?;
                let administrator = Credentials::read(&data.join("aws/credentials"))
                    .ok_or_else(|| std::io::Error::other("no credentials"))?;
                iam::authorisation(&sealstack, &administrator, Duration::from_secs(seconds), rounds).await?;
                if users == 0 { Ok(()) } else { iam::lists(&sealstack, &administrator, users, policies).await }
            }
            Measurement::Git(measurement) => git::measure(&measurement).await,
            Measurement::S3(measurement) => s3::measure(&measurement).await,
            Measurement::Many(measurement) => many::measure(&measurement).await,
            _ => Ok(()),
        }
    })
}

fn binary() -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("sealstack"))
}

/// The content of a server for the load: a user who is allowed, and keys.
struct World {
    credentials: Credentials,
    keys: Keys,
    /// Whether the server takes one request a connection.
    closes: bool,
}

/// A user with a policy of their own, so that identity policy, key policy and audit all take part in each call.
async fn prepare(sealstack: &Process, data: &Path) -> std::io::Result<World> {
    let administrator =
        &Credentials::read(&data.join("aws/credentials")).ok_or_else(|| std::io::Error::other("no credentials"))?;
    let address = sealstack.address;
    let mut connection = Connection::open(address).await?;
    let keys = Keys::of_every_kind(&mut connection, administrator, address).await?;
    call_iam(&mut connection, administrator, address, "Action=CreateUser&UserName=bench").await?;
    let actions = ["Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*", "GenerateMac", "Sign", "DescribeKey"];
    let actions = actions.map(|action| format!("kms:{action}"));
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "*"},
        {"Effect": "Allow", "Action": ["kms:CreateKey", "iam:PutUserPolicy"], "Resource": "*"}
    ]});
    let policy = operation::percent(&policy);
    let form = format!("Action=PutUserPolicy&UserName=bench&PolicyName=use&PolicyDocument={policy}");
    call_iam(&mut connection, administrator, address, &form).await?;
    let xml = call_iam(&mut connection, administrator, address, "Action=CreateAccessKey&UserName=bench").await?;
    let text = |name| element(&xml, name).unwrap_or_default().to_owned();
    let credentials = Credentials { id: text("AccessKeyId"), secret: text("SecretAccessKey") };
    Ok(World { credentials, keys, closes: connection.closes })
}

async fn kms(
    duration: Duration,
    rounds: usize,
    connections: usize,
    operations: &[Operation],
    peers: &[String],
    builds: &[String],
) -> std::io::Result<()> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let first_start = Process::sealstack(&binary()?, &data, &[])?;
    println!("first start, making keys and certificates: {} ms", first_start.started_in.as_millis());
    drop(first_start);
    let mut starts = Vec::new();
    for _ in 0..9 {
        starts.push(Process::sealstack(&binary()?, &data, &[])?.started_in.as_micros() as f64 / 1000.0);
    }
    println!("start to first answer: {:.0} ms (median of {})", report::median(&mut starts), starts.len());

    let sealstack = Process::sealstack(&binary()?, &data, &[])?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("idle memory: {:.1} MB resident", sealstack.resident_kilobytes().unwrap_or_default() as f64 / 1024.0);
    let world = prepare(&sealstack, &data).await?;
    let mut others = Vec::new();
    for build in builds {
        let (name, binary) = pair(build)?;
        let data = directory.path().join(name);
        let process = Process::sealstack(Path::new(binary), &data, &[])?;
        let world = prepare(&process, &data).await?;
        others.push((name, process, world));
    }
    let canned = Process::canned()?;

    let canned = Contestant { name: "canned reply", process: Some(&canned), address: canned.address, world: &world };
    let ours = Contestant { name: "sealstack", process: Some(&sealstack), address: sealstack.address, world: &world };
    let others: Vec<_> = others
        .iter()
        .map(|(name, process, world)| Contestant { name, process: Some(process), address: process.address, world })
        .collect();

    let (mut table, mut raw) = (report::Table::new(), raw::Raw::new()?);
    for round in 0..=rounds {
        // The first round warms up and is not counted.
        let counted = round > 0;
        let length = if counted { duration } else { Duration::from_secs(1) };
        let mut yardstick = 0.0;
        for &operation in operations {
            // Right before each, since a machine's speed changes from one minute to the next.
            let reply = canned.run(Operation::Encrypt, connections, length).await?;
            let run = ours.run(operation, connections, length).await?;
            yardstick = reply.measured.requests_per_second;
            if counted {
                table.add(canned.name, "-", &reply, yardstick);
                table.add(ours.name, operation.name(), &run, yardstick);
                if operation == Operation::SignRsa2048 {
                    raw.round(duration, run.measured.requests_per_second)?;
                }
            }
            for other in &others {
                let run = other.run(operation, connections, length).await?;
                if counted {
                    table.add(other.name, operation.name(), &run, yardstick);
                }
            }
        }
        for peer in peers {
            let (name, address) = pair(peer)?;
            let address = address.parse().map_err(std::io::Error::other)?;
            let world = peer_world(address).await?;
            let peer = Contestant { name, process: None, address, world: &world };
            for operation in Operation::COMMON {
                let run = peer.run(operation, connections, length).await?;
                if counted {
                    table.add(name, operation.name(), &run, yardstick);
                }
            }
        }
    }
    table.print();
    raw.print();
    if operations.len() < Operation::OURS.len() {
        return Ok(());
    }
    // Whoever encrypts must not notice what takes others long.
    for (slow, what) in [
        (Operation::GenerateDataKeyPairRsa2048, "RSA-2048 data key pairs"),
        (Operation::SignRsa4096, "RSA-4096 signatures"),
    ] {
        let (slow, beside) =
            tokio::join!(ours.run(slow, 4, duration), ours.run(Operation::Encrypt, connections, duration));
        let (slow, beside) = (slow?.measured, beside?.measured);
        println!(
            "while {:.0} {what} a second are made: Encrypt {:.0} req/s, p99 {:.2} ms",
            slow.requests_per_second,
            beside.requests_per_second,
            beside.p99.as_secs_f64() * 1e3
        );
    }
    println!(
        "memory after the load: {:.1} MB resident",
        sealstack.resident_kilobytes().unwrap_or_default() as f64 / 1024.0
    );
    Ok(())
}

/// The two sides of an argument.
fn pair(argument: &str) -> std::io::Result<(&str, &str)> {
    argument.split_once('=').ok_or_else(|| std::io::Error::other(format!("{argument} is not NAME=WHAT")))
}

/// A key on a peer that takes any credentials.
async fn peer_world(address: SocketAddr) -> std::io::Result<World> {
    let credentials = Credentials { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret: "secret".to_owned() };
    let mut connection = Connection::open(address).await?;
    let keys = Keys::symmetric(&mut connection, &credentials, address).await?;
    Ok(World { credentials, keys, closes: connection.closes })
}

/// A server that is measured.
struct Contestant<'a> {
    name: &'a str,
    /// Its process, if it was started here.
    process: Option<&'a Process>,
    address: SocketAddr,
    world: &'a World,
}

/// Measurements of one run, and the processor time that the server spent on each request.
struct Run {
    measured: Measured,
    cpu_micros: Option<f64>,
}

impl Contestant<'_> {
    async fn run(&self, operation: Operation, connections: usize, duration: Duration) -> std::io::Result<Run> {
        let requests = operation.requests(&self.world.keys, &self.world.credentials, self.address);
        let load = Load { address: self.address, closes: self.world.closes, requests };
        let cpu = || self.process.and_then(Process::cpu);
        let before = cpu();
        let failed = |what: String| std::io::Error::other(format!("{} {}: {what}", self.name, operation.name()));
        let measured = replay(&load, connections, duration).await.map_err(|error| failed(error.to_string()))?;
        if measured.failed > 0 {
            return Err(failed(format!("{} requests failed", measured.failed)));
        }
        let spent = cpu().zip(before).map(|(after, before)| after.saturating_sub(before));
        let cpu_micros = spent.map(|spent| spent.as_secs_f64() * 1e6 / measured.answered as f64);
        Ok(Run { measured, cpu_micros })
    }
}

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
mod iam;
mod load;
mod many;
mod message;
mod process;
mod report;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use serde_json::{Value, json};

use client::{Credentials, call_iam, call_kms, element};
use load::{Connection, Load, Measured, replay};
use process::Process;

/// Signed requests are prepared in this many variants, which are replayed in turn.
const VARIANTS: usize = 64;

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
        /// A peer that speaks KMS and accepts any signature, such as moto=127.0.0.1:5000; may be repeated
        #[arg(long, value_name = "NAME=ADDRESS")]
        peer: Vec<String>,
    },
    /// The time of each operation with few keys and with many
    Scale {
        /// How many keys are many; an account can have 100,000 in a region, and measuring makes some more
        #[arg(long, default_value_t = 99_500)]
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
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.command {
        Measurement::Canned => return canned::serve(SocketAddr::from(([127, 0, 0, 1], 0))),
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
            Measurement::Kms { seconds, rounds, connections, peer } => {
                kms(Duration::from_secs(seconds), rounds, connections, &peer).await
            }
            Measurement::Scale { keys } => scale(keys).await,
            Measurement::Iam { seconds, rounds, users, policies } => {
                let directory = tempfile::tempdir()?;
                let data = directory.path().join("data");
                let sealstack = Process::sealstack(&binary()?, &data)?;
                let administrator = Credentials::read(&data.join("aws/credentials"))
                    .ok_or_else(|| std::io::Error::other("no credentials"))?;
                iam::authorisation(&sealstack, &administrator, Duration::from_secs(seconds), rounds).await?;
                if users == 0 { Ok(()) } else { iam::lists(&sealstack, &administrator, users, policies).await }
            }
            Measurement::Many(measurement) => many::measure(&measurement).await,
            _ => Ok(()),
        }
    })
}

fn binary() -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("sealstack"))
}

/// What the load needs of a server: a user who is allowed, a key, and something encrypted under it.
struct World {
    credentials: Credentials,
    key: String,
    ciphertext: Value,
    /// Whether the server takes one request a connection.
    closes: bool,
}

/// A user with a policy of their own, so that identity policy, key policy and audit all take part in each call.
async fn prepare(address: SocketAddr, administrator: &Credentials) -> std::io::Result<World> {
    let mut connection = Connection::open(address).await?;
    let created = call_kms(&mut connection, administrator, address, "CreateKey", &json!({})).await?;
    let key = created["KeyMetadata"]["Arn"].as_str().unwrap_or_default().to_owned();
    call_iam(&mut connection, administrator, address, "Action=CreateUser&UserName=bench").await?;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey", "kms:ListKeys"], "Resource": "*"}
    ]});
    let policy: String = policy.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = format!("Action=PutUserPolicy&UserName=bench&PolicyName=use&PolicyDocument={policy}");
    call_iam(&mut connection, administrator, address, &form).await?;
    let xml = call_iam(&mut connection, administrator, address, "Action=CreateAccessKey&UserName=bench").await?;
    let text = |name| element(&xml, name).unwrap_or_default().to_owned();
    let credentials = Credentials { id: text("AccessKeyId"), secret: text("SecretAccessKey") };
    let ciphertext = encrypt_once(&mut connection, &credentials, address, &key).await?;
    Ok(World { credentials, key, ciphertext, closes: connection.closes })
}

async fn encrypt_once(
    connection: &mut Connection,
    credentials: &Credentials,
    address: SocketAddr,
    key: &str,
) -> std::io::Result<Value> {
    let body = json!({"KeyId": key, "Plaintext": PLAINTEXT, "EncryptionContext": {"purpose": "bench"}});
    Ok(call_kms(connection, credentials, address, "Encrypt", &body).await?["CiphertextBlob"].take())
}

/// 32 bytes, as a data key has.
const PLAINTEXT: &str = "c2VhbHN0YWNrIGJlbmNobWFyayAzMiBieXRlcyAhISE=";

const OPERATIONS: [&str; 3] = ["GenerateDataKey", "Encrypt", "Decrypt"];

fn requests(world: &World, address: SocketAddr, operation: &str) -> Arc<Vec<Vec<u8>>> {
    let body = match operation {
        "GenerateDataKey" => {
            json!({"KeyId": world.key, "KeySpec": "AES_256", "EncryptionContext": {"purpose": "bench"}})
        }
        "Encrypt" => json!({"KeyId": world.key, "Plaintext": PLAINTEXT, "EncryptionContext": {"purpose": "bench"}}),
        _ => json!({"CiphertextBlob": world.ciphertext, "EncryptionContext": {"purpose": "bench"}}),
    };
    Arc::new((0..VARIANTS).map(|_| client::kms(&world.credentials, address, operation, &body)).collect())
}

async fn kms(duration: Duration, rounds: usize, connections: usize, peers: &[String]) -> std::io::Result<()> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let first_start = Process::sealstack(&binary()?, &data)?;
    println!("first start, making keys and certificates: {} ms", first_start.started_in.as_millis());
    drop(first_start);
    let mut starts = Vec::new();
    for _ in 0..9 {
        starts.push(Process::sealstack(&binary()?, &data)?.started_in.as_micros() as f64 / 1000.0);
    }
    println!("start to first answer: {:.0} ms (median of {})", report::median(&mut starts), starts.len());

    let sealstack = Process::sealstack(&binary()?, &data)?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("idle memory: {:.1} MB resident", sealstack.resident_kilobytes().unwrap_or_default() as f64 / 1024.0);
    let administrator =
        Credentials::read(&data.join("aws/credentials")).ok_or_else(|| std::io::Error::other("no credentials"))?;
    let world = prepare(sealstack.address, &administrator).await?;
    let canned = Process::canned()?;

    let canned = Contestant { name: "canned reply", process: Some(&canned), address: canned.address, world: &world };
    let ours = Contestant { name: "sealstack", process: Some(&sealstack), address: sealstack.address, world: &world };

    let mut table = report::Table::new();
    for round in 0..=rounds {
        // The first round warms up and is not counted.
        let counted = round > 0;
        let length = if counted { duration } else { Duration::from_secs(1) };
        let mut yardstick = 0.0;
        for operation in OPERATIONS {
            // Right before each, since a machine's speed changes from one minute to the next.
            let reply = canned.run("Encrypt", connections, length).await?;
            let run = ours.run(operation, connections, length).await?;
            yardstick = reply.measured.requests_per_second;
            if counted {
                table.add(canned.name, "-", &reply, yardstick);
                table.add(ours.name, operation, &run, yardstick);
            }
        }
        for peer in peers {
            let (name, address) =
                peer.split_once('=').ok_or_else(|| std::io::Error::other("a peer is NAME=ADDRESS"))?;
            let address = address.parse().map_err(std::io::Error::other)?;
            let world = peer_world(address).await?;
            let peer = Contestant { name, process: None, address, world: &world };
            for operation in OPERATIONS {
                let run = peer.run(operation, connections, length).await?;
                if counted {
                    table.add(name, operation, &run, yardstick);
                }
            }
        }
    }
    table.print();
    println!(
        "memory after the load: {:.1} MB resident",
        sealstack.resident_kilobytes().unwrap_or_default() as f64 / 1024.0
    );
    Ok(())
}

/// A key on a peer that takes any credentials.
async fn peer_world(address: SocketAddr) -> std::io::Result<World> {
    let credentials = Credentials { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret: "secret".to_owned() };
    let mut connection = Connection::open(address).await?;
    let created = call_kms(&mut connection, &credentials, address, "CreateKey", &json!({})).await?;
    let key = created["KeyMetadata"]["Arn"].as_str().unwrap_or_default().to_owned();
    let ciphertext = encrypt_once(&mut connection, &credentials, address, &key).await?;
    Ok(World { credentials, key, ciphertext, closes: connection.closes })
}

/// A server that is measured.
struct Contestant<'a> {
    name: &'a str,
    /// Its process, if it was started here.
    process: Option<&'a Process>,
    address: SocketAddr,
    world: &'a World,
}

/// What one run measured, and the processor time that the server spent on each request.
struct Run {
    measured: Measured,
    cpu_micros: Option<f64>,
}

impl Contestant<'_> {
    async fn run(&self, operation: &str, connections: usize, duration: Duration) -> std::io::Result<Run> {
        let requests = requests(self.world, self.address, operation);
        let load = Load { address: self.address, closes: self.world.closes, requests };
        let cpu = || self.process.and_then(Process::cpu);
        let before = cpu();
        let failed = |what: String| std::io::Error::other(format!("{} {operation}: {what}", self.name));
        let measured = replay(&load, connections, duration).await.map_err(|error| failed(error.to_string()))?;
        if measured.failed > 0 {
            return Err(failed(format!("{} requests failed", measured.failed)));
        }
        let spent = cpu().zip(before).map(|(after, before)| after.saturating_sub(before));
        let cpu_micros = spent.map(|spent| spent.as_secs_f64() * 1e6 / measured.answered as f64);
        Ok(Run { measured, cpu_micros })
    }
}

/// Times single calls, with 100 keys and then with `keys`.
async fn scale(keys: usize) -> std::io::Result<()> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let sealstack = Process::sealstack(&binary()?, &data)?;
    let administrator =
        Credentials::read(&data.join("aws/credentials")).ok_or_else(|| std::io::Error::other("no credentials"))?;
    let address = sealstack.address;
    create_keys(address, &administrator, 100).await?;
    let few = time_operations(address, &administrator).await?;
    let begun = Instant::now();
    create_keys(address, &administrator, keys.saturating_sub(100)).await?;
    println!("made {keys} keys, {:.0} a second, each durable", keys as f64 / begun.elapsed().as_secs_f64());
    let many = time_operations(address, &administrator).await?;
    println!("{:<28} {:>12} {:>12} {:>7}", "operation", "100 keys", format!("{keys} keys"), "ratio");
    for ((name, few), (_, many)) in few.iter().zip(&many) {
        println!("{name:<28} {few:>9.0} µs {many:>9.0} µs {:>7.2}", many / few);
    }
    println!("memory: {:.1} MB resident", sealstack.resident_kilobytes().unwrap_or_default() as f64 / 1024.0);
    drop(sealstack);
    let again = Process::sealstack(&binary()?, &data)?;
    println!("start to first answer with {keys} keys: {} ms", again.started_in.as_millis());
    Ok(())
}

async fn create_keys(address: SocketAddr, administrator: &Credentials, keys: usize) -> std::io::Result<()> {
    const CONNECTIONS: usize = 64;
    let mut tasks = Vec::new();
    for index in 0..CONNECTIONS {
        let administrator = administrator.clone();
        let share = keys / CONNECTIONS + usize::from(index < keys % CONNECTIONS);
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            for _ in 0..share {
                call_kms(&mut connection, &administrator, address, "CreateKey", &json!({})).await?;
            }
            Ok::<_, std::io::Error>(())
        }));
    }
    for task in tasks {
        task.await.map_err(std::io::Error::other)??;
    }
    Ok(())
}

/// The median time of each operation, in microseconds.
async fn time_operations(
    address: SocketAddr,
    administrator: &Credentials,
) -> std::io::Result<Vec<(&'static str, f64)>> {
    let mut connection = Connection::open(address).await?;
    let created = call_kms(&mut connection, administrator, address, "CreateKey", &json!({})).await?;
    let key = created["KeyMetadata"]["KeyId"].as_str().unwrap_or_default().to_owned();
    let ciphertext = encrypt_once(&mut connection, administrator, address, &key).await?;
    let page = call_kms(&mut connection, administrator, address, "ListKeys", &json!({"Limit": 50})).await?;
    let calls = [
        ("Encrypt", "Encrypt", json!({"KeyId": key, "Plaintext": PLAINTEXT})),
        ("Decrypt", "Decrypt", json!({"CiphertextBlob": ciphertext, "EncryptionContext": {"purpose": "bench"}})),
        ("GenerateDataKey", "GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
        ("DescribeKey", "DescribeKey", json!({"KeyId": key})),
        ("ListKeys, first 50", "ListKeys", json!({"Limit": 50})),
        ("ListKeys, a later 50", "ListKeys", json!({"Limit": 50, "Marker": page["NextMarker"]})),
        ("ListAliases", "ListAliases", json!({"Limit": 50})),
        ("ListGrants", "ListGrants", json!({"KeyId": key})),
        ("UpdateKeyDescription", "UpdateKeyDescription", json!({"KeyId": key, "Description": "measured"})),
        ("CreateKey", "CreateKey", json!({})),
    ];
    let mut medians = Vec::new();
    for (name, operation, body) in calls {
        let mut times = Vec::new();
        for _ in 0..200 {
            let request = client::kms(administrator, address, operation, &body);
            let begun = Instant::now();
            let answer = connection.call(&request).await?;
            times.push(begun.elapsed().as_secs_f64() * 1e6);
            if answer.status != 200 {
                return Err(std::io::Error::other(format!("{name} answered {}", answer.status)));
            }
        }
        medians.push((name, report::median(&mut times)));
    }
    Ok(medians)
}

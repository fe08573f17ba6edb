//! Git: the same clients against `sealstack` and against stock `git http-backend` behind nginx, both over TLS, in one run.
//!
//! Owns the cases and their table. The servers are in `git/server.rs`, what clients do in `git/client.rs`.

mod client;
mod server;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use self::client::{Client, request_for_all};
use self::server::{Ours, Server, Stock};
use crate::report::median;

#[derive(Args)]
pub(crate) struct Measurement {
    /// A bare repository whose branches and tags are the history, such as a mirror of a public project, repacked
    #[arg(long, required_unless_present = "large")]
    history: Option<PathBuf>,
    /// How often each case is run; the medians are printed
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where repositories are made, and removed at the end
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// A case to run, by a part of its name; may be repeated, and without it all are
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// Measures the history converted to SHA-256 as well, beside stock git and beside SHA-1 on `sealstack`
    #[arg(long)]
    sha256: bool,
    /// Measures nothing but a generated repository of so many MiB, pushed and cloned, and the server's memory
    #[arg(long, value_name = "MIB", num_args = 0..=1, default_missing_value = "2048", conflicts_with = "sha256")]
    large: Option<u64>,
}

/// Time on the client's clock, and the server's processor time.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// Commits of the small repository that many clone at once, and how many do.
const SMALL_COMMITS: usize = 1000;
const CLONES: usize = 20;

/// Begins the cases of the history that was converted.
const SHA256: &str = "SHA-256: ";

/// The figures of one case: seconds by contender.
struct Row {
    case: String,
    ours: Vec<Cost>,
    stock: Vec<Cost>,
}

/// Prepares both servers and runs every case that was asked for.
pub(crate) async fn measure(measurement: &Measurement) -> io::Result<()> {
    let directory = tempfile::tempdir_in(&measurement.directory)?;
    let place = directory.path().canonicalize()?;
    if let Some(mebibytes) = measurement.large {
        return measure_large(&place, mebibytes).await;
    }
    let history = measurement.history.as_deref().ok_or_else(|| io::Error::other("no history"))?.canonicalize()?;
    let small = client::small_history(&place, SMALL_COMMITS)?;
    let stock = Stock::start(&place.join("stock"))?;
    let ours = Ours::start(&place.join("ours")).await?;
    let mut rows = Vec::new();
    run(measurement, &place, "", &history, Some(&small), (&ours, &stock), &mut rows).await?;
    if measurement.sha256 {
        let converted = client::converted(&place, &history)?;
        run(measurement, &place, SHA256, &converted, None, (&ours, &stock), &mut rows).await?;
    }
    print(&rows);
    print_formats(&rows);
    println!("sealstack: {} MiB resident at most", ours.peak_kilobytes().unwrap_or_default() / 1024);
    Ok(())
}

/// Pushes and clones a generated repository, and prints the server's memory after each.
async fn measure_large(place: &Path, mebibytes: u64) -> io::Result<()> {
    let history = client::large_history(place, mebibytes)?;
    println!("{} MiB of packs are pushed", client::pack_kilobytes(&history)? / 1024);
    let ours = Ours::start(&place.join("ours")).await?;
    let client = Client::new(place, "ours", "")?;
    let url = ours.create("large", "sha1").await?;
    let report = |what: &str, before: Duration, wall: Duration| -> io::Result<()> {
        let cpu = ours.cpu()?.saturating_sub(before);
        let peak = ours.peak_kilobytes().unwrap_or_default() / 1024;
        println!(
            "{what:<20} {:>8.2} s {:>8.2} s CPU {peak:>6} MiB resident at most",
            wall.as_secs_f64(),
            cpu.as_secs_f64()
        );
        Ok(())
    };
    let before = ours.cpu()?;
    report("push", before, client.push_all(&history, &url)?)?;
    ours.set_head(&url, &client::head(&history)?).await?;
    for (what, arguments) in [
        ("clone --mirror", &["--mirror"][..]),
        ("clone of one branch", &["--bare", "--single-branch"]),
        ("clone --depth 1", &["--bare", "--depth", "1"]),
        ("clone, blob:none", &["--bare", "--filter=blob:none"]),
    ] {
        let before = ours.cpu()?;
        report(what, before, client.clone(&url, arguments)?)?;
    }
    let (before, begun) = (ours.cpu()?, std::time::Instant::now());
    ours.maintain(&url)?;
    report("maintenance", before, begun.elapsed())?;
    let before = ours.cpu()?;
    report("clone afterwards", before, client.clone(&url, &["--mirror"])?)
}

async fn run(
    measurement: &Measurement,
    place: &Path,
    prefix: &str,
    history: &Path,
    small: Option<&Path>,
    (ours, stock): (&Ours, &Stock),
    rows: &mut Vec<Row>,
) -> io::Result<()> {
    let wanted = |name: &str| measurement.case.is_empty() || measurement.case.iter().any(|part| name.contains(part));
    let mut row = |case: &str, round: usize, costs: [Cost; 2]| {
        let case = format!("{prefix}{case}");
        // The first round warms up and is not counted, but where it is the only one.
        if round == 0 && measurement.rounds > 1 {
            return;
        }
        if !rows.iter().any(|row| row.case == case) {
            rows.push(Row { case: case.clone(), ours: Vec::new(), stock: Vec::new() });
        }
        if let Some(row) = rows.iter_mut().find(|row| row.case == case) {
            row.ours.push(costs[0]);
            row.stock.push(costs[1]);
        }
    };
    let clients = [Client::new(place, "ours", prefix)?, Client::new(place, "stock", prefix)?];
    let servers: [&dyn Server; 2] = [ours, stock];
    let rounds = if measurement.rounds > 1 { measurement.rounds + 1 } else { 1 };

    // Each push of everything needs an empty repository; the last ones are what the other cases use.
    let mut urls = Vec::new();
    for round in 0..if wanted("push all") { rounds } else { 1 } {
        urls.clear();
        for server in servers {
            let format = if prefix.is_empty() { "sha1" } else { "sha256" };
            urls.push(server.create(&format!("h{}{round}", prefix.len()), format).await?);
        }
        let pushed = both(servers, |at| clients[at].push_all(history, &urls[at]))?;
        row("push all", round, pushed);
    }
    let branch = client::head(history)?;
    for (at, server) in servers.into_iter().enumerate() {
        // Else one of them clones a branch that happens to come first, and the other none at all.
        server.set_head(&urls[at], &branch).await?;
        server.maintain(&urls[at])?;
    }
    let requests = [request_for_all(&clients[0], &urls[0])?, request_for_all(&clients[1], &urls[1])?];
    for round in 0..rounds {
        if wanted("fetch all, discarded") {
            let costs = both(servers, |at| clients[at].fetch_discarded(&urls[at], &requests[at]))?;
            row("fetch all, discarded", round, costs);
        }
        for (case, arguments) in [
            ("clone --mirror", &["--mirror"][..]),
            ("clone --depth 1", &["--bare", "--depth", "1"]),
            ("clone --filter=blob:none", &["--bare", "--filter=blob:none"]),
        ] {
            if wanted(case) {
                row(case, round, both(servers, |at| clients[at].clone(&urls[at], arguments))?);
            }
        }
    }
    if ["push one", "fetch one", "ls-remote"].into_iter().any(wanted) {
        for at in 0..2 {
            clients[at].prepare_pair(history, &urls[at])?;
        }
        // These are short: more rounds cost nothing.
        for round in 0..rounds.max(10) {
            row("push one", round, both(servers, |at| clients[at].push_one(&urls[at], round))?);
            row("fetch one", round, both(servers, |at| clients[at].fetch_one(&urls[at]))?);
            row("ls-remote", round, both(servers, |at| clients[at].ls_remote(&urls[at]))?);
        }
    }
    let case = format!("{CLONES} clones at once");
    if let Some(small) = small.filter(|_| wanted(&case)) {
        let mut urls = Vec::new();
        for (at, server) in servers.into_iter().enumerate() {
            urls.push(server.create("small", "sha1").await?);
            clients[at].push_all(small, &urls[at])?;
            server.maintain(&urls[at])?;
        }
        for round in 0..rounds {
            row(&case, round, both(servers, |at| clients[at].clones_at_once(&urls[at], CLONES))?);
        }
    }
    Ok(())
}

/// Runs something against both servers, one after the other, and takes their processor times.
fn both(servers: [&dyn Server; 2], act: impl Fn(usize) -> io::Result<Duration>) -> io::Result<[Cost; 2]> {
    let mut costs = [Cost { wall: Duration::ZERO, cpu: Duration::ZERO }; 2];
    for (at, cost) in costs.iter_mut().enumerate() {
        let before = servers[at].cpu()?;
        cost.wall = act(at)?;
        // What a server does right after its answer is its own cost as well.
        std::thread::sleep(Duration::from_millis(20));
        cost.cpu = servers[at].cpu()?.saturating_sub(before);
    }
    Ok(costs)
}

fn print(rows: &[Row]) {
    println!(
        "{:<34} {:>10} {:>10} {:>7} {:>11} {:>11} {:>7}",
        "case", "ours", "stock", "ratio", "ours' CPU", "stock's CPU", "ratio"
    );
    rows.iter().for_each(|Row { case, ours, stock }| print_pair(case, ours, stock));
}

/// Prints what SHA-256 costs on `sealstack`, if it was measured.
fn print_formats(rows: &[Row]) {
    let pairs = rows.iter().filter_map(|row| {
        let case = row.case.strip_prefix(SHA256)?;
        Some((case, row, rows.iter().find(|other| other.case == case)?))
    });
    for (number, (case, sha256, sha1)) in pairs.enumerate() {
        if number == 0 {
            println!(
                "\n{:<34} {:>10} {:>10} {:>7} {:>11} {:>11} {:>7}",
                "case, on sealstack", "SHA-256", "SHA-1", "ratio", "SHA-256 CPU", "SHA-1 CPU", "ratio"
            );
        }
        print_pair(case, &sha256.ours, &sha1.ours);
    }
}

fn print_pair(case: &str, one: &[Cost], other: &[Cost]) {
    let of = |costs: &[Cost], part: fn(&Cost) -> Duration| {
        median(&mut costs.iter().map(|cost| part(cost).as_secs_f64()).collect::<Vec<_>>())
    };
    let [wall, other_wall] = [one, other].map(|costs| of(costs, |cost| cost.wall));
    let [cpu, other_cpu] = [one, other].map(|costs| of(costs, |cost| cost.cpu));
    println!(
        "{case:<34} {wall:>8.3} s {other_wall:>8.3} s {:>7.2} {cpu:>9.3} s {other_cpu:>9.3} s {:>7.2}",
        wall / other_wall,
        cpu / other_cpu
    );
}

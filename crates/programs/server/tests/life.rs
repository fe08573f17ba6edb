//! A server's life through its public interface: first start, further starts, its end, and what keeps it from starting.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use server::config::{Config, SealKind, Settings};
use server::data_dir::{DataDir, Layout};
use server::{Server, ServerError, operator};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn config(data: &Path) -> Config {
    let listen = Some("127.0.0.1:0".parse().expect("an address"));
    Config::resolve(data.to_owned(), Settings { listen, ..Settings::default() }).expect("a configuration")
}

async fn start(data: &Path) -> Server {
    Server::start(config(data)).await.expect("a server")
}

async fn refusal(config: Config) -> ServerError {
    match Server::start(config).await {
        Ok(_) => panic!("the server started"),
        Err(error) => error,
    }
}

/// Sends `request` and returns everything that comes back.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

async fn health(address: SocketAddr) -> String {
    exchange(address, "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_server_leaves_nothing_behind() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("data");
    let config = || Config { ephemeral: true, ..config(&data) };

    let server = Server::start(config()).await.expect("a server");
    let (account, memory) = (server.first_start().expect("a first start").account.clone(), server.data());
    assert!(health(server.address()).await.starts_with("HTTP/1.1 200 OK"));
    let layout = Layout::new(memory.clone());
    assert!(layout.aws_credentials().exists() && layout.ca_certificate().exists(), "clients find what they need");
    assert!(!layout.database().exists() && !layout.seal().exists());
    server.stop().await.expect("a clean end");
    assert!(!memory.exists() && !data.exists());

    let server = Server::start(config()).await.expect("a server");
    assert_ne!(server.first_start().expect("a first start again").account, account);
    server.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_makes_everything_and_the_next_keeps_it() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("data");
    let layout = Layout::new(data.clone());

    let server = start(&data).await;
    let first = server.first_start().expect("a first start").clone();
    assert_eq!(first.administrator, format!("arn:aws:iam::{}:user/administrator", first.account));
    assert!(health(server.address()).await.starts_with("HTTP/1.1 200 OK"));
    let kept = [layout.aws_credentials(), layout.ca_certificate(), layout.seal().join("root.key")];
    let before = kept.each_ref().map(|path| std::fs::read(path).expect("a file"));
    for path in files(&data) {
        let mode = std::fs::metadata(&path).expect("it").permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    server.stop().await.expect("a clean end");

    // A marker that something brought back, by which older versions took the directory for unused.
    let marker = data.join("first-start");
    std::fs::write(&marker, "The first start is under way.\n").expect("a marker");
    let log = files(&layout.audit());
    let server = start(&data).await;
    assert!(server.first_start().is_none() && !marker.exists());
    assert!(log.iter().all(|file| file.exists()), "the audit log is what it was");
    assert_eq!(kept.each_ref().map(|path| std::fs::read(path).expect("a file")), before);
    let config = std::fs::read_to_string(layout.aws_config()).expect("a profile");
    assert!(config.contains(&format!("endpoint_url = https://{}\n", server.address())), "{config}");
    server.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_is_refused_and_the_first_goes_on() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start(data.path()).await;
    let error = refusal(config(data.path())).await;
    assert!(matches!(&error, ServerError::InUse { pid: Some(pid), .. } if *pid == std::process::id()), "{error}");
    assert_eq!(error.exit_code(), 4);
    assert!(health(server.address()).await.starts_with("HTTP/1.1 200 OK"));
    server.stop().await.expect("a clean end");
    start(data.path()).await.stop().await.expect("the directory is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_before_anything_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let data = tempfile::tempdir().expect("a directory");
    let listen = taken.local_addr().expect("it");
    let error = refusal(Config { listen, ..config(data.path()) }).await;
    assert!(error.to_string().contains(&listen.to_string()), "{error}");
    assert_eq!(error.exit_code(), 5);
    assert!(!Layout::new(data.path().to_owned()).database().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_directory_is_named() {
    let parent = tempfile::tempdir().expect("a directory");
    let file = parent.path().join("file");
    std::fs::write(&file, "").expect("a file");
    for path in [file.clone(), file.join("below")] {
        let error = refusal(config(&path)).await;
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert_eq!(error.exit_code(), 3, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_refused_and_left_as_it_is() {
    let data = tempfile::tempdir().expect("a directory");
    start(data.path()).await.stop().await.expect("a clean end");
    let database = Layout::new(data.path().to_owned()).database();
    for damage in [&b"\0"[..], &b"not a database"[..]] {
        let whole = std::fs::read(&database).expect("a database");
        let damaged = damage.iter().copied().cycle().take(whole.len()).collect::<Vec<_>>();
        std::fs::write(&database, &damaged).expect("damaged");
        let error = refusal(config(data.path())).await;
        assert_eq!(error.exit_code(), 7, "{error}");
        assert!(error.to_string().contains(&database.display().to_string()), "{error}");
        assert_eq!(std::fs::read(&database).expect("it"), damaged);
        std::fs::write(&database, whole).expect("restored");
    }
    start(data.path()).await.stop().await.expect("nothing was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_root_seal_is_refused_and_the_right_one_still_opens() {
    let (data, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    for directory in [&data, &other] {
        start(directory.path()).await.stop().await.expect("a clean end");
    }
    let (seal, foreign) = (data.path().join("seal"), other.path().join("seal"));
    let own = data.path().join("own-seal");
    std::fs::rename(&seal, &own).expect("moved");

    assert_eq!(refusal(config(data.path())).await.exit_code(), 6, "no seal at all");
    assert!(!seal.exists(), "none is made for a database that has another");
    std::fs::rename(&foreign, &seal).expect("moved");
    assert_eq!(refusal(config(data.path())).await.exit_code(), 6, "somebody else's seal");
    std::fs::rename(&seal, &foreign).expect("moved");
    std::fs::rename(&own, &seal).expect("moved");
    let key = seal.join("root.key");
    std::fs::rename(&key, data.path().join("hidden")).expect("moved");
    assert_eq!(refusal(config(data.path())).await.exit_code(), 6, "no key file");
    std::fs::rename(data.path().join("hidden"), &key).expect("moved");
    start(data.path()).await.stop().await.expect("nothing was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_root_seal_opens_everything_and_the_old_one_nothing() {
    let data = tempfile::tempdir().expect("a directory");
    let passphrase = data.path().join("passphrase");
    let server = start(data.path()).await;
    let ca = std::fs::read(Layout::new(data.path().to_owned()).ca_certificate()).expect("it");
    let taken = DataDir::open(data.path()).expect_err("the server has it");
    assert_eq!(taken.exit_code(), 4);
    server.stop().await.expect("a clean end");

    std::fs::write(&passphrase, "correct horse\n").expect("a file");
    let old_key = std::fs::read(data.path().join("seal/root.key")).expect("a key");
    let sealed = config(data.path()).seal;
    let mut next = sealed.clone();
    next.kind = Some(SealKind::Passphrase);
    next.passphrase_file = Some(passphrase.clone());
    let rotation = operator::Rotation::prepare(data.path(), &sealed, &next).expect("prepared");
    let rotated = tokio::task::spawn_blocking(|| rotation.run()).await.expect("run").expect("rotated");
    assert_eq!(rotated.generation, 2);
    assert!(!data.path().join("seal/root.key").exists());

    std::fs::write(data.path().join("seal/root.key"), old_key).expect("put back");
    let mut old = config(data.path());
    old.seal.kind = Some(SealKind::KeyFile);
    assert_eq!(refusal(old).await.exit_code(), 6);
    std::fs::write(&passphrase, "battery staple\n").expect("a file");
    assert_eq!(refusal(Config { seal: next.clone(), ..config(data.path()) }).await.exit_code(), 6);
    std::fs::write(&passphrase, "correct horse\n").expect("a file");
    let server = Server::start(Config { seal: next, ..config(data.path()) }).await.expect("a server");
    assert!(server.first_start().is_none());
    assert_eq!(std::fs::read(Layout::new(data.path().to_owned()).ca_certificate()).expect("it"), ca);
    server.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_waits_for_a_request_and_tells_the_rest() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start(data.path()).await;
    let address = server.address();
    // The body of this request is still to come when the server is asked to stop.
    let mut working = TcpStream::connect(address).await.expect("a connection");
    let head =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n\r\n";
    working.write_all(head.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody new is let in");
    working.write_all(b"late").await.expect("sent");
    let mut answer = String::new();
    working.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.contains("MissingAuthenticationToken"), "{answer}");
    let started = Instant::now();
    stopping.await.expect("ended").expect("a clean end");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_is_in_the_metrics_from_the_start_on() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start(data.path()).await;
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics).await.expect("an answer");
    let runs = metrics.lines().filter_map(|line| line.strip_prefix("sealstack_job_runs_total{job=\""));
    let jobs: Vec<_> = runs.filter_map(|line| line.split('"').next()).collect();
    let expected = [
        "carry-out-lifecycles",
        "deliver-events",
        "destroy-keys",
        "empty-outbox",
        "index-ssh-keys",
        "maintain-repositories",
        "purge-objects",
        "purge-repositories",
        "remove-expired-material",
        "renew-certificate",
        "rotate-keys",
        "sweep-blobs",
        "tend-key-stores",
        "turn-over-domain-keys",
        "watch-clock",
        "watch-disk",
        "write-anchors",
        "write-last-usages",
        "write-last-uses",
    ];
    assert_eq!(jobs, expected, "{metrics}");
    server.stop().await.expect("stopped");
}

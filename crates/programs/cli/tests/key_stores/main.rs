//! Custom key stores from outside: boto3 before the server, and behind it Debian's SoftHSM2, once as a token of its own
//! and once behind `sealstack xks-proxy`, over TLS.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

mod proxy;
mod under_load;

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proxy::{Outside, TOKEN};
use testkit::{Server, SoftHsm, workspace_root};

const BINARY: &str = env!("CARGO_BIN_EXE_sealstack");
const PIN: &str = "correct horse battery";

/// Where the test's script plays a proxy of its own.
const FALSE_PROXY: &str = "127.0.0.2";

/// A self-signed certificate for localhost and the false proxy, and its key.
fn certificate(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (chain, key) = (directory.join(format!("{name}.pem")), directory.join(format!("{name}.key")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"])
        .args(["-subj", "/CN=localhost", "-addext"])
        .arg(format!("subjectAltName=DNS:localhost,IP:{FALSE_PROXY}"))
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-out")
        .arg(&chain)
        .arg("-keyout")
        .arg(&key)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (chain, key)
}

fn file(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Runs a phase of the script.
fn play(server: &Server, notes: &Path, phase: &str, arguments: &[&str]) {
    let all: Vec<_> = [text(notes), phase].into_iter().chain(arguments.iter().copied()).collect();
    let said = server.script("key_stores.py", &all);
    assert!(said.ends_with("as it should be\n"), "{said}");
}

/// Compares the errors that were met with those that are documented.
fn compare(server: &Server, notes: &Path, kind: &str) {
    let unseen = workspace_root().join("crates/api/kms/unseen-key-stores.txt");
    play(server, notes, "documented", &[text(&unseen), kind]);
}

#[test]
fn keys_in_a_token_are_made_used_and_kept_there() {
    let hsm = SoftHsm::new();
    hsm.add_token("vault", PIN);
    let directory = tempfile::tempdir().expect("a directory");
    let (anchor, _) = certificate(directory.path(), "anchor");
    let (other, _) = certificate(directory.path(), "other");
    let token = |label: &str| format!("module = '{}'\ntoken-label = '{label}'\n", SoftHsm::module().display());
    let vault = token("vault");
    let mut config = format!(
        "[hsm.cluster-vaultroomone]\n{vault}trust-anchor = '{}'\n[hsm.cluster-vaultroomtwo]\n{vault}\n\
         [hsm.cluster-otheranchor]\n{vault}trust-anchor = '{}'\n[hsm.cluster-tokenisgone]\n{}",
        anchor.display(),
        other.display(),
        token("gone"),
    );
    config.extend(('a'..='i').map(|letter| format!("[hsm.cluster-spareroom{letter}{letter}]\n{vault}")));
    let config = file(directory.path(), "sealstack.toml", &config);
    let server = Server::start_in(vec![hsm.environment()], BINARY, &["--config", text(&config)]);
    let notes = directory.path().join("notes");
    play(&server, &notes, "token", &[PIN, text(&other), text(&anchor)]);

    // Killed in the middle of use: what was answered is opened by the next server, which connects by itself.
    let notes_text = text(&notes).to_owned();
    let mut command = testkit::Python::installed().script("key_stores.py");
    server.configure(&mut command).args([&notes_text, "load", "60"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut load = command.spawn().expect("python");
    let mut lines = BufReader::new(load.stdout.take().expect("its output")).lines();
    let answered: Vec<String> = lines.by_ref().take(20).map(|line| line.expect("a line")).collect();
    let stopped = server.kill();
    load.wait().expect("it ends with its server");
    assert_eq!(answered.len(), 20);
    let server = stopped.restart();
    let answered: Vec<_> = std::iter::once("by itself").chain(answered.iter().map(String::as_str)).collect();
    play(&server, &notes, "back", &answered);

    // The PIN is neither in the log nor readable at rest.
    assert!(!server.log().contains(PIN));
    let stopped = server.terminate();
    for entry in std::fs::read_dir(stopped.data()).expect("the data") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file");
            assert!(!bytes.windows(PIN.len()).any(|window| window == PIN.as_bytes()), "{}", path.display());
        }
    }

    hsm.allow("CKM_AES_KEY_GEN,CKM_AES_CBC");
    let server = stopped.restart();
    play(&server, &notes, "unfit", &[PIN, text(&anchor)]);
    let stopped = server.terminate();
    hsm.allow("ALL");
    hsm.remove_token("vault");
    let server = stopped.restart();
    play(&server, &notes, "absent", &[]);
    compare(&server, &notes, "token");
}

#[test]
fn keys_behind_our_own_proxy_serve_a_key_store_over_tls() {
    let outside = Outside::new();
    assert_eq!(outside.create_key("key-1").status.code(), Some(3), "it is there");
    assert_eq!(outside.create_key("no/key").status.code(), Some(2), "no key's id");
    let (variable, value) = outside.hsm.environment();
    let short = file(outside.directory.path(), "short.key", "0123456789abcdef");
    let imported = Command::new("softhsm2-util")
        .args(["--import", text(&short), "--aes", "--token", TOKEN, "--pin", PIN, "--label", "short-key", "--id", "02"])
        .env(variable, value)
        .output()
        .expect("softhsm2-util");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));

    let proxy = outside.start(0);
    let port = proxy.port;
    let false_port = std::net::TcpListener::bind((FALSE_PROXY, 0)).and_then(|listener| listener.local_addr());
    let false_port = false_port.expect("a free port").port().to_string();
    let config = std::fs::read_to_string(outside.configuration(port)).expect("its configuration");
    let chain = text(&outside.chain);
    let config = format!("{config}[xks.\"https://{FALSE_PROXY}\"]\nport = {false_port}\nca = '{chain}'\n");
    let config = file(outside.directory.path(), "sealstack.toml", &config);
    let server = Server::start(BINARY, &["--config", text(&config)]);
    let notes = outside.path("notes");
    let (key, pid) = (outside.path("proxy.key"), proxy.pid());
    let impostor = [FALSE_PROXY, &false_port, chain, text(&key)];
    let known = [text(&outside.credential), "/other/kms/xks/v1", &pid];
    play(&server, &notes, "proxy", &[&known[..], &impostor].concat());
    compare(&server, &notes, "proxy");

    drop(proxy);
    play(&server, &notes, "down", &[]);
    let proxy = outside.start(port);
    play(&server, &notes, "back", &["reconnect"]);
    let server = server.kill().restart();
    play(&server, &notes, "back", &["by itself"]);

    // Its pages: GET is refused where the API is, and what is not signed as well.
    let url = format!("https://localhost:{port}/example/kms/xks/v1/health");
    let status = |arguments: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", text(&outside.chain)]).args(arguments);
        String::from_utf8(curl.output().expect("curl").stdout).expect("text")
    };
    assert_eq!(status(&[&url]), "405");
    assert_eq!(status(&["-d", "{}", &url]), "401");
    assert_eq!(
        status(&["-d", "{}", &format!("http://127.0.0.1:{port}/example/kms/xks/v1/health")]),
        "401",
        "not plain"
    );
    assert_eq!(status(&[&format!("https://localhost:{port}/health")]), "200", "for load balancers");
    drop(proxy);
}

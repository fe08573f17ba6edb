//! `sealstack encrypt`, `decrypt`, `reencrypt` and `inspect` from outside, with raw keys and a real server's.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has to stop, saying why"
)]

mod encryption_cli;
mod files;
mod interruption;
mod keys;
mod links;
mod overwriting;
mod streams;
mod web_identity;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use client::{Credentials, Limits, Request, Signing, Transport, Trust};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};
use testkit::Server;

/// A wrapping key in a file, as arguments.
const RAW: [&str; 5] = ["-w", "provider=raw-aes", "namespace=test", "name=one", "file=one.key"];

/// A directory to work in, with two raw keys.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a directory"));
        place.write("one.key", &[1; 32]);
        place.write("two.key", &[2; 32]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, contents: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, contents).expect("written");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// The names in a directory, those that begin with a dot too.
    fn names(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(directory)).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// The command, with nothing of AWS in its environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealstack"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("AWS_")) {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    /// Runs a command with the raw key.
    fn raw(&self, command: &str, arguments: &[&str]) -> Output {
        self.run(&[&[command], &RAW[..], arguments].concat())
    }
}

/// A command's output, after it succeeded.
#[track_caller]
fn done(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A command's error output, after it exited with `code`.
#[track_caller]
fn refused(output: Output, code: i32) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    complaint
}

/// Runs a command with something on standard input.
fn fed(command: &mut Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A command that refuses may not read it all.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("it ends")
    })
}

/// Bytes that do not repeat soon.
fn bytes(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A place and a running server, which the administrator calls.
struct Service {
    place: Place,
    server: Server,
    runtime: tokio::runtime::Runtime,
    transport: Transport,
    administrator: Credentials,
}

impl Service {
    fn start() -> Self {
        let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
        let pem = std::fs::read(server.data().join("tls/ca.pem")).expect("a certificate");
        let credentials = std::fs::read_to_string(server.data().join("aws/credentials")).expect("credentials");
        let value = |name: &str| {
            let line = credentials.lines().find_map(|line| line.strip_prefix(name)).expect("a setting");
            line.trim_start_matches([' ', '=']).to_owned()
        };
        let secret = value("aws_secret_access_key").into();
        let administrator = Credentials::new(value("aws_access_key_id"), secret, None, None);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let transport = Transport::new(Trust::Only(pem), Limits::default());
        Self { place: Place::new(), server, runtime, transport, administrator }
    }

    fn send(&self, service: &'static str, headers: &[(&'static str, &str)], body: &str) -> Vec<u8> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).expect("a value"));
        }
        let uri = format!("https://{}/", self.server.address()).parse().expect("a URL");
        let request = Request { method: Method::POST, uri, headers: map, body: body.as_bytes().into() };
        let signing = Signing { credentials: &self.administrator, region: "us-east-1", service };
        let answer = self.runtime.block_on(self.transport.call(&request, &signing, 1));
        answer.unwrap_or_else(|error| panic!("{body}: {error}")).body.expose().to_vec()
    }

    /// Calls the key service.
    fn kms(&self, operation: &str, input: &Value) -> Value {
        let target = format!("TrentService.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let answer = self.send("kms", &headers, &input.to_string());
        if answer.is_empty() { Value::Null } else { serde_json::from_slice(&answer).expect("JSON") }
    }

    /// Calls IAM; parameters are in the form of a query.
    fn iam(&self, parameters: &[(&str, &str)]) -> String {
        let encode = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let form: String = parameters.iter().map(|(name, value)| format!("&{name}={}", encode(value))).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        String::from_utf8(self.send("iam", &headers, &format!("Version=2010-05-08{form}"))).expect("text")
    }

    /// Makes a key, with an alias if that has a name, and returns its ARN.
    fn key(&self, alias: &str) -> String {
        let made = self.kms("CreateKey", &json!({}));
        let arn = made["KeyMetadata"]["Arn"].as_str().expect("an ARN").to_owned();
        if !alias.is_empty() {
            self.kms("CreateAlias", &json!({ "AliasName": format!("alias/{alias}"), "TargetKeyId": arn }));
        }
        arn
    }

    /// Makes a user who may do nothing, and a profile of that name with an access key.
    fn user(&self, name: &str) {
        self.iam(&[("Action", "CreateUser"), ("UserName", name)]);
        let made = self.iam(&[("Action", "CreateAccessKey"), ("UserName", name)]);
        let (id, secret) = (element(&made, "AccessKeyId"), element(&made, "SecretAccessKey"));
        self.configure(
            "credentials",
            &format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
        );
    }

    /// Appends to one of the shared files.
    fn configure(&self, file: &str, text: &str) {
        let path = self.server.data().join("aws").join(file);
        let mut file = std::fs::OpenOptions::new().append(true).open(path).expect("the file");
        file.write_all(text.as_bytes()).expect("written");
    }

    /// The command, with the environment that `sealstack env` sets.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        self.server.configure(&mut command);
        command
            .env("AWS_ENDPOINT_URL", format!("https://{}", self.server.address()))
            .env("AWS_CA_BUNDLE", self.server.data().join("tls/ca.pem"))
            .env("AWS_REGION", "us-east-1");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }
}

/// The text of the first element of this name.
fn element(xml: &str, name: &str) -> String {
    let (_, after) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    after.split_once('<').expect("an end").0.to_owned()
}

/// The records of a file of them.
fn records(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("records");
    text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

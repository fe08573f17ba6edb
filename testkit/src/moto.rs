//! moto's server from PyPI: an implementation of AWS's protocols that nobody here wrote, in memory and on loopback.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use installed::{Python, succeed};

/// A running moto. Dropping it kills it, and its content is gone.
pub struct Moto {
    child: Child,
    port: u16,
}

/// Moto's content: two keys, and two users with access keys.
pub struct MotoWorld {
    /// The ARN of the key that `alias/root` names.
    pub key: String,
    /// The ARN of another key.
    pub other: String,
    /// The access key, id and secret, of somebody who may use every key and every bucket.
    pub keeper: (String, String),
    /// That of somebody who may do nothing.
    pub stranger: (String, String),
}

impl Moto {
    /// Starts one on a free port, or on the given one.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(port: u16) -> Self {
        let mut command = Python::installed().command("python");
        // Enough for setting it up: the script counts again afterwards.
        let command = command.env("INITIAL_NO_AUTH_ACTION_COUNT", "1000").env("PYTHONUNBUFFERED", "1");
        let mut child = command
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("Running on http://127.0.0.1:")?;
            rest.trim().parse().ok()
        });
        // It logs each request, and must not wait for somebody to read that.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port: port.expect("moto says where it runs") }
    }

    /// Makes keys and users, and has it check signatures and policies from then on.
    ///
    /// # Panics
    /// When it refuses.
    #[must_use]
    pub fn set_up(&self) -> MotoWorld {
        let output = succeed(Python::installed().script("moto_world.py").arg(self.url()));
        let world: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let text = |place: &str| world.pointer(place).and_then(|text| text.as_str()).expect("text").to_owned();
        MotoWorld {
            key: text("/key"),
            other: text("/other"),
            keeper: (text("/keeper/0"), text("/keeper/1")),
            stranger: (text("/stranger/0"), text("/stranger/1")),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The variables that lead AWS's tools to it as the holder of an access key.
    #[must_use]
    pub fn environment(&self, access_key: &(String, String)) -> Vec<(&'static str, PathBuf)> {
        [
            ("AWS_ENDPOINT_URL_KMS", self.url().as_str()),
            ("AWS_ACCESS_KEY_ID", access_key.0.as_str()),
            ("AWS_SECRET_ACCESS_KEY", access_key.1.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ]
        .map(|(name, value)| (name, PathBuf::from(value)))
        .into()
    }

    /// Makes a command talk to it as the holder of an access key.
    pub fn configure<'a>(&self, command: &'a mut Command, access_key: &(String, String)) -> &'a mut Command {
        command.envs(self.environment(access_key))
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

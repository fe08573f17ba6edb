//! RSA-2048 signatures without a server: on every core with the server's own provider, and with `openssl speed` where
//! there is one. The comparison for a server's `Sign`.

use std::process::Command;
use std::time::{Duration, Instant};

use crypto::signing::{Message, Scheme, SigningKey};
use crypto::{CryptoError, Hash, KeyPair, PairKind};

use crate::report::median;

/// How many messages are signed between two looks at the clock.
const BETWEEN_LOOKS: usize = 16;

/// The rates of each round, in signatures a second.
pub(crate) struct Raw {
    key: SigningKey,
    cores: usize,
    ours: Vec<f64>,
    openssl: Vec<f64>,
    /// Of `Sign`, to that of our own provider in the same round.
    ratios: Vec<f64>,
}

impl Raw {
    /// Makes the key.
    pub(crate) fn new() -> std::io::Result<Self> {
        let read = || SigningKey::read(PairKind::Rsa2048, KeyPair::generate(PairKind::Rsa2048)?.private.expose());
        let key = read().map_err(failed)?;
        let cores = std::thread::available_parallelism()?.get();
        Ok(Self { key, cores, ours: Vec::new(), openssl: Vec::new(), ratios: Vec::new() })
    }

    /// Signs on every core for `duration`, in the same round in which a server made `served` signatures a second.
    pub(crate) fn round(&mut self, duration: Duration, served: f64) -> std::io::Result<()> {
        let ours = self.sign(duration).map_err(failed)?;
        self.ours.push(ours);
        self.ratios.push(served / ours);
        self.openssl.extend(openssl(self.cores, duration));
        Ok(())
    }

    fn sign(&self, duration: Duration) -> Result<f64, CryptoError> {
        let begun = Instant::now();
        let sign = || {
            let mut signed = 0;
            while begun.elapsed() < duration {
                for _ in 0..BETWEEN_LOOKS {
                    self.key.sign(Scheme::RsaPkcs1(Hash::Sha256), Message::Raw(&[0x5a; 32]))?;
                }
                signed += BETWEEN_LOOKS;
            }
            Ok::<_, CryptoError>(signed)
        };
        let signed = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.cores).map(|_| scope.spawn(sign)).collect();
            threads.into_iter().map(|thread| thread.join().expect("signing does not panic")).sum::<Result<usize, _>>()
        })?;
        Ok(signed as f64 / begun.elapsed().as_secs_f64())
    }

    pub(crate) fn print(&mut self) {
        if self.ours.is_empty() {
            return;
        }
        let Self { cores, ours, openssl, ratios, .. } = self;
        println!(
            "raw RSA-2048 signatures on {cores} cores: {:.0}/s with the server's provider; Sign makes {:.2} of them",
            median(ours),
            median(ratios)
        );
        if !openssl.is_empty() {
            println!("the same with `openssl speed`: {:.0}/s", median(openssl));
        }
    }
}

fn failed(error: CryptoError) -> std::io::Error {
    std::io::Error::other(error.to_string())
}

/// The result of `openssl speed` on so many cores; `None` without one.
fn openssl(cores: usize, duration: Duration) -> Option<f64> {
    let (cores, seconds) = (cores.to_string(), duration.as_secs().max(1).to_string());
    let output = Command::new("openssl")
        .args(["speed", "-seconds", &seconds, "-multi", &cores, "rsa2048"])
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // `rsa 2048 bits 0.000221s 0.000006s   4519.3 154321.0`: seconds and rates of signing and of verifying.
    let line = said.lines().find_map(|line| line.strip_prefix("rsa 2048 bits"))?;
    line.split_whitespace().nth(2)?.parse().ok()
}

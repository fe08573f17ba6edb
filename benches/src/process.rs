//! The processes that are measured: started here, and ended when dropped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

impl Process {
    /// `sealstack serve` on `data` with these `arguments` besides, at a fixed port so that the first answer can be waited
    /// for at once.
    pub(crate) fn sealstack(binary: &Path, data: &Path, arguments: &[&str]) -> std::io::Result<Self> {
        let address = free_port()?;
        let begun = Instant::now();
        let child = Command::new(binary)
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", &address.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut process = Self { child, address, started_in: Duration::ZERO };
        while !healthy(address) {
            if begun.elapsed() > Duration::from_secs(30) || process.child.try_wait()?.is_some() {
                return Err(std::io::Error::other("sealstack did not answer"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        process.started_in = begun.elapsed();
        Ok(process)
    }

    /// This program again, as the canned-reply server.
    pub(crate) fn canned() -> std::io::Result<Self> {
        Self::again(&["canned"])
    }

    /// This program again, as a server that prints its address.
    pub(crate) fn again(arguments: &[&str]) -> std::io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let address = line.trim().parse().map_err(std::io::Error::other)?;
        Ok(Self { child, address, started_in: Duration::ZERO })
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time spent so far, in user mode and in the kernel.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        cpu_of(self.child.id())
    }

    /// Resident memory in kilobytes.
    pub(crate) fn resident_kilobytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }
}

/// Processor time that a process has spent so far, in user mode and in the kernel.
pub(crate) fn cpu_of(pid: u32) -> Option<Duration> {
    // Ticks of 10 ms, the kernel's unit for everybody.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<_> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks: u64 = fields.get(11..13)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 10))
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()
}

fn healthy(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let asked = stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

//! The servers: `sealstack`, and SeaweedFS as one process with everything in it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::client::Client;
use crate::client::Credentials;
use crate::process::{Process, cpu_of};

/// A server that speaks S3.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    credentials: Credentials,
    running: Running,
}

enum Running {
    Ours(Process),
    Weed(Child),
}

impl Server {
    /// A `sealstack serve` on an empty directory, called as its administrator.
    pub(crate) fn sealstack(data: &Path) -> io::Result<Self> {
        let process = Process::sealstack(&crate::binary()?, data, &[])?;
        let credentials = Credentials::read(&data.join("aws/credentials"));
        let credentials = credentials.ok_or_else(|| io::Error::other("no credentials"))?;
        Ok(Self { name: "sealstack", address: process.address, credentials, running: Running::Ours(process) })
    }

    /// SeaweedFS: master, volume server, filer and S3 gateway in one process.
    pub(crate) async fn weed(name: &'static str, binary: &Path, data: &Path, sealed: bool) -> io::Result<Self> {
        std::fs::create_dir_all(data)?;
        let credentials = Credentials { id: "bench".to_owned(), secret: "bench-secret".to_owned() };
        let identities = serde_json::json!({"identities": [{
            "name": "bench",
            "credentials": [{"accessKey": credentials.id, "secretKey": credentials.secret}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }]});
        std::fs::write(data.join("s3.json"), identities.to_string())?;
        // Four ports, and each has a second one 10,000 above it for gRPC.
        let base = free_ports()?;
        let port = |offset: u16| (base + offset).to_string();
        let child = Command::new(binary)
            .arg("server")
            .args([
                "-ip",
                "127.0.0.1",
                "-ip.bind",
                "127.0.0.1",
                "-s3",
                "-volume.max",
                "0",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
            ])
            // Else a disk with less than 30 GB has room for no volume.
            .arg("-master.volumeSizeLimitMB=1024")
            .arg(format!("-dir={}", data.display()))
            .arg(format!("-s3.config={}", data.join("s3.json").display()))
            .arg(format!("-filer.encryptVolumeData={sealed}"))
            .arg(format!("-s3.encryptVolumeData={sealed}"))
            .args(["-master.port", &port(0), "-volume.port", &port(1), "-filer.port", &port(2), "-s3.port", &port(3)])
            .current_dir(data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let address = SocketAddr::from(([127, 0, 0, 1], base + 3));
        let server = Self { name, address, credentials, running: Running::Weed(child) };
        for _ in 0..600 {
            // Its gateway answers before the volumes do: only a PUT that succeeds shows that all of it runs.
            let client = server.client();
            // The bucket may be there from the time before.
            let _ = client.create_bucket("probe").await;
            if client.put_small("probe", "key").await.is_ok() {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(io::Error::other("SeaweedFS did not start within a minute"))
    }

    pub(crate) fn client(&self) -> Client {
        Client { address: self.address, credentials: self.credentials.clone() }
    }

    pub(crate) fn process_ids(&self) -> Vec<u32> {
        vec![match &self.running {
            Running::Ours(process) => process.id(),
            Running::Weed(child) => child.id(),
        }]
    }

    /// The processor time that the server has spent so far.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let spent = self.process_ids().into_iter().map(cpu_of).sum::<Option<Duration>>();
        spent.ok_or_else(|| io::Error::other("the server has ended"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Running::Weed(child) = &mut self.running {
            // It may have ended by itself; there is nobody to report it to.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The first of four ports in a row that are free, as are those 10,000 above.
fn free_ports() -> io::Result<u16> {
    (0..100)
        .find_map(|turn| {
            let base = 20_000 + turn * 97;
            let free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
            (base..base + 4).all(|port| free(port) && free(port + 10_000)).then_some(base)
        })
        .ok_or_else(|| io::Error::other("no free ports"))
}

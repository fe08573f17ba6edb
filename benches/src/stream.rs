//! A payload that flows through the example service and out again, beside a hyper server that does nothing else.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use front::pages::HealthProblem;
use front::{CertificateSource, Certificates, Front, Limits, Listener, Workers};
use http::HeaderMap;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use policy::{Context, Principal, Reason};
use server::application::{Api, Arriving, AwsHttp};
use service::ports::{Authority, Claim, Credential, CredentialError, Proof};
use service::{BoxFuture, Caller, Core, Gateway, Head, MaybeReady, Need, Observer, Reply, Seen, Trail};
use store::{Store, StoreError};
use wire::Timestamp;
use wire::sigv4::{Payload, RequestParts, Rules, Signer, SigningKey};

use crate::process::Process;

/// The name and the secret of the one access key.
const KEY: (&str, &[u8]) = ("bench", b"secret");

/// Which server is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// hyper, which answers with the body that it is sent
    Bare,
    /// The example service behind front and gateway
    Toy,
}

/// Serves for ever.
pub(crate) fn serve(kind: Kind) -> std::io::Result<()> {
    match kind {
        Kind::Bare => bare(),
        Kind::Toy => toy(),
    }
}

fn bare() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let echo = |request: http::Request<Incoming>| async {
                Ok::<_, Infallible>(http::Response::new(request.into_body()))
            };
            tokio::spawn(async move {
                // A connection that breaks ends here; the client notices.
                let http1 = hyper::server::conn::http1::Builder::new();
                let _ = http1.serve_connection(TokioIo::new(stream), service_fn(echo)).await;
            });
        }
    })
}

fn toy() -> std::io::Result<()> {
    let directory = tempfile::tempdir()?;
    let key = crypto::Key256::random();
    let failed = |error: &dyn std::error::Error| std::io::Error::other(error.to_string());
    let journal = journal::Journal::open(journal::Config::new(directory.path().join("audit")), &key);
    let trail = Trail::new(journal.map_err(|error| failed(&error))?);
    let core = Arc::new(Core::new(Arc::new(One::new()), trail, Arc::new(Nobody), now));
    let blobs = blobs::Blobs::in_directory(&directory.path().join("blobs")).map_err(|error| failed(&error))?;
    let store = Store::open_in_memory().map_err(|error| failed(&error))?;
    let toy = toy::Toy::new(store, blobs, blobs::Owner::new(&key, b"toy"));
    let gateway = Served(Gateway::new(core).with(Arc::new(toy)));

    let authority = pki::LocalAuthority::create(SystemTime::now()).map_err(|error| failed(&error))?;
    let certificates =
        Certificates::new(CertificateSource::Local(authority, Vec::new())).map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(|error| failed(&error))?;
    println!("{}", listener.address());
    let front = Arc::new(Front::new(AwsHttp(gateway), Arc::new(certificates), Limits::default(), false));
    let workers = Workers::start(None).map_err(|error| failed(&error))?;
    let _serving = front.serve(listener, workers);
    runtime.block_on(std::future::pending())
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or_default())
}

/// The gateway behind the front.
struct Served(Gateway);

impl Api for Served {
    async fn serve(&self, head: Head<'_>, body: Arriving<'_>) -> Reply {
        self.0.serve(head, body).await
    }

    fn health_problem(&self) -> Option<HealthProblem> {
        None
    }

    fn metrics(&self) -> String {
        String::new()
    }
}

struct Nobody;

impl Observer for Nobody {
    fn seen(&self, _: &Seen<'_>) {}
}

/// Knows one caller, who may do everything.
struct One(Arc<Caller>);

impl One {
    fn new() -> Self {
        let arn = "arn:aws:iam::111122223333:user/bench".parse().expect("an ARN");
        Self(Arc::new(Caller::new(Principal::user(arn, "AIDABENCH"), KEY.0.to_owned(), Context::new(), None)))
    }
}

impl Authority for One {
    fn credential<'a>(&'a self, claim: Claim<'a>, _: Timestamp) -> MaybeReady<'a, Result<Credential, CredentialError>> {
        let signing_key = Arc::new(SigningKey::derive(KEY.1, claim.date, claim.region, claim.service));
        MaybeReady::ready(Ok(Credential { caller: Arc::clone(&self.0), signing_key }))
    }

    fn authenticate<'a>(&'a self, _: Proof<'a>, _: Timestamp) -> BoxFuture<'a, Result<Arc<Caller>, CredentialError>> {
        Box::pin(async { Err(CredentialError::Unknown) })
    }

    fn decide<'a>(
        &'a self,
        _: &'a Caller,
        _: &'a Need<'a>,
        _: &'a Context<'a>,
    ) -> MaybeReady<'a, Result<Result<(), Reason>, StoreError>> {
        MaybeReady::ready(Ok(Ok(())))
    }

    fn record_use(&self, _: &Caller, _: &'static str, _: &str, _: Timestamp) {}

    fn sealed_refusal<'a>(
        &'a self,
        _: &'a Caller,
        _: &'a Need<'a>,
        _: &'a Context<'a>,
        _: &'a Reason,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { None })
    }
}

/// Measures both servers by turns, and prints the medians.
pub(crate) fn measure(mebibytes: usize, rounds: usize) -> std::io::Result<()> {
    let (bare, toy) = (Process::again(&["stream-server", "bare"])?, Process::again(&["stream-server", "toy"])?);
    let (mut times, mut resident) = ([Vec::new(), Vec::new()], 0);
    for _ in 0..rounds {
        for (process, times) in [&bare, &toy].into_iter().zip(&mut times) {
            times.push(echo(process.address, mebibytes)?);
        }
        resident = resident.max(toy.resident_kilobytes().unwrap_or_default());
    }
    let [bare, toy] = times.map(|mut times| {
        times.sort_unstable();
        mebibytes as f64 / times[times.len() / 2].as_secs_f64()
    });
    println!(
        "echo of {mebibytes} MiB, medians of {rounds}: hyper {bare:.0} MiB/s, service {toy:.0} MiB/s, {:.2} of it",
        toy / bare
    );
    println!("resident memory of the service: {} MiB", resident / 1024);
    Ok(())
}

/// Sends a body and reads it again, at the same time.
fn echo(address: SocketAddr, mebibytes: usize) -> std::io::Result<Duration> {
    let length = mebibytes << 20;
    let (host, piece) = (address.to_string(), vec![b'x'; 1 << 16]);
    let mut headers = HeaderMap::new();
    headers.insert("host", host.parse().map_err(std::io::Error::other)?);
    headers.insert("x-amz-content-sha256", http::HeaderValue::from_static("UNSIGNED-PAYLOAD"));
    let (access_key_id, secret_access_key) = KEY;
    let signer = Signer {
        access_key_id,
        secret_access_key,
        session_token: None,
        region: "us-east-1",
        service: "toy",
        rules: Rules::S3,
    };
    let parts = RequestParts { method: "POST", path: "/shelf", query: "echo", headers: &headers, host: None };
    let added = signer.sign(&parts, Payload::Stated, now()).map_err(std::io::Error::other)?;
    headers.extend(added);
    let mut head = format!("POST /shelf?echo HTTP/1.1\r\ncontent-length: {length}\r\nconnection: close\r\n");
    for (name, value) in &headers {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().map_err(std::io::Error::other)?));
    }
    head.push_str("\r\n");

    let begun = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(head.as_bytes())?;
    let mut sending = stream.try_clone()?;
    let sender = std::thread::spawn(move || -> std::io::Result<()> {
        (0..length / piece.len()).try_for_each(|_| sending.write_all(&piece))
    });
    let (mut received, mut buffer) = (0, vec![0; 1 << 18]);
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            // The head and the sizes of chunks count as well: they are few.
            read => received += read,
        }
    }
    sender.join().expect("the sender")?;
    if received < length {
        return Err(std::io::Error::other(format!("{received} of {length} bytes came back")));
    }
    Ok(begun.elapsed())
}

//! Blobs in a bucket of a real server, and of servers that do not answer.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Instant, SystemTime};

use blobs::{BlobError, Blobs, Location, Owner, Written};
use crypto::Key256;
use http::{HeaderMap, Method};
use testkit::Moto;

use super::*;

fn location(url: &str) -> S3Location {
    match Location::parse(&format!("s3://a-bucket/some/where?endpoint={url}&region=us-east-1")) {
        Ok(Location::S3(location)) => location,
        other => panic!("a bucket: {other:?}"),
    }
}

fn transport(url: &str, access_key: (&str, &str), answer: Duration) -> BlobTransport {
    let environment = [
        ("AWS_ACCESS_KEY_ID", access_key.0),
        ("AWS_SECRET_ACCESS_KEY", access_key.1),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ];
    BlobTransport::new(&location(url), Environment::from_iter(environment), answer).expect("a transport")
}

fn request(method: Method, path_and_query: &str) -> S3Request {
    S3Request { method, path_and_query: path_and_query.to_owned(), headers: HeaderMap::new(), body: Bytes::new() }
}

fn owner() -> Owner {
    Owner::new(&Key256::from_slice(&[7; 32]).expect("a key"), b"the owner")
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place % 251) as u8 ^ (place >> 16) as u8).collect()
}

async fn write(blobs: &Blobs, content: &[u8]) -> Result<Written, BlobError> {
    let mut draft = blobs.draft(&owner()).await?;
    for piece in content.chunks(1 << 20) {
        draft.write(Bytes::copy_from_slice(piece)).await?;
    }
    draft.finish().await
}

/// How many objects, and uploads that were not ended, a bucket lists.
fn left(transport: &BlobTransport) -> (usize, usize) {
    let count = |path: &str, entry: &str| {
        let answer = transport.send(&request(Method::GET, path)).expect("an answer");
        assert!(answer.status.is_success(), "{answer:?}");
        String::from_utf8_lossy(&answer.body).matches(entry).count()
    };
    (count("/a-bucket?list-type=2", "<Key>"), count("/a-bucket?uploads=", "<UploadId>"))
}

/// Everything that blobs ask of a bucket, of whichever server is at `url`.
fn whole_life(url: &str, access_key: (&str, &str), checks_conditions: bool) {
    let own = transport(url, access_key, ANSWER);
    let made = own.send(&request(Method::PUT, "/a-bucket")).expect("an answer");
    assert!(made.status.is_success(), "{made:?}");
    let blobs = Blobs::in_bucket(location(url), Arc::new(transport(url, access_key, ANSWER)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let mut written = Vec::new();
        for length in [0, 5, 100_000, (8 << 20) + 100_000, (20 << 20) + 7] {
            let whole = content(length);
            let one = write(&blobs, &whole).await.expect("written");
            assert_eq!(blobs.check(&owner(), &one.id).await.expect("authentic"), one.contents);
            let blob = blobs.blob(&owner(), &one.id).await.expect("a blob");
            let range = length / 3..length - length / 4;
            let found: Vec<Bytes> = futures_util::TryStreamExt::try_collect(
                blob.read(range.start as u64..range.end as u64).expect("within"),
            )
            .await
            .expect("read");
            assert!(found.concat() == whole[range], "{length}");
            written.push(one);
        }
        assert_eq!(left(&own), (written.len(), 0));
        // A page of one, then the rest.
        let mut ids: Vec<_> = written.iter().map(|one| one.id).collect();
        ids.sort_unstable();
        let first = blobs.list(None, 1).await.expect("a page");
        let rest = blobs.list(first.last().map(|listed| listed.id), 100).await.expect("a page");
        assert_eq!(first.into_iter().chain(rest).map(|listed| listed.id).collect::<Vec<_>>(), ids);

        let path = format!("/a-bucket/some/where/{}", ids[0].path().display());
        let mut over = request(Method::PUT, &path);
        over.headers.insert("if-none-match", http::HeaderValue::from_static("*"));
        let refused = own.send(&over).expect("an answer");
        assert!(!checks_conditions || refused.status == 412, "{refused:?}");

        let mut draft = blobs.draft(&owner()).await.expect("a draft");
        draft.write(content(9 << 20).into()).await.expect("written");
        assert_eq!(left(&own), (written.len(), 1));
        drop(draft);
        while left(&own).1 > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let begun = own.send(&request(Method::POST, &format!("{path}?uploads="))).expect("an answer");
        assert!(begun.status.is_success(), "{begun:?}");
        let kept = written.swap_remove(0).id;
        drop(written);
        let later = SystemTime::now() + Duration::from_secs(3600);
        let swept = blobs.sweep(move |id| *id == kept, later).await.expect("swept");
        assert_eq!((swept.blobs, swept.drafts), (4, 1));
        assert_eq!(left(&own), (1, 0));
        assert!(blobs.check(&owner(), &kept).await.is_ok());
        let gone = ids.into_iter().find(|id| *id != kept).expect("another");
        assert!(matches!(blobs.check(&owner(), &gone).await, Err(BlobError::Missing { .. })));
    });
}

#[test]
fn blobs_live_in_a_bucket_of_a_server_that_nobody_here_wrote() {
    let moto = Moto::start(0);
    let world = moto.set_up();
    let (id, secret) = &world.keeper;
    whole_life(&moto.url(), (id, secret), true);
    // Who may not, learns nothing.
    for (id, secret) in [(world.stranger.0.as_str(), world.stranger.1.as_str()), (id, "another secret")] {
        let blobs = Blobs::in_bucket(location(&moto.url()), Arc::new(transport(&moto.url(), (id, secret), ANSWER)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let refused = runtime.block_on(write(&blobs, b"content")).map(|_| ()).expect_err("refused");
        assert!(
            matches!(&refused, BlobError::Io { cause, .. } if cause.kind() == std::io::ErrorKind::PermissionDenied)
        );
        assert!(!refused.to_string().contains(secret), "{refused}");
    }
}

/// For a server at a URL of one's own: SeaweedFS, MinIO, Ceph.
#[test]
#[ignore = "needs SEALSTACK_S3_URL, and in SEALSTACK_S3_KEY an access key as ID:SECRET, and leaves a bucket there"]
fn blobs_live_in_a_bucket_of_another_server() {
    let value = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name}"));
    let key = value("SEALSTACK_S3_KEY");
    let (id, secret) = key.split_once(':').expect("ID:SECRET");
    whole_life(&value("SEALSTACK_S3_URL"), (id, secret), true);
}

/// A server that reads a request and does `then`.
fn server(then: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            then(stream);
        }
    });
    url
}

#[test]
fn servers_that_do_not_answer_well_are_errors_in_bounded_time() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let endless = |mut stream: TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/10\r\n\r\n");
        while stream.write_all(&[0; 65536]).is_ok() {}
    };
    let cases: [(&str, String, bool); 5] = [
        ("nobody there", format!("http://{closed}"), true),
        ("silent", server(std::mem::forget), true),
        ("hanging up", server(drop), true),
        (
            "cut short",
            server(|mut stream| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
            }),
            true,
        ),
        ("endless", server(endless), false),
    ];
    for (case, url, transient) in cases {
        let start = Instant::now();
        let answered = transport(&url, ("id", "secret"), Duration::from_millis(300)).send(&request(Method::GET, "/x"));
        let unanswered = answered.expect_err(case);
        assert_eq!(unanswered.transient, transient, "{case}: {unanswered}");
        assert!(start.elapsed() < Duration::from_secs(8), "{case}");
    }
}

#[test]
fn plain_http_to_another_machine_is_refused() {
    let sender = transport("http://192.0.2.1:9000", ("id", "secret"), ANSWER);
    let refused = sender.send(&request(Method::GET, "/a-bucket")).expect_err("plain HTTP");
    assert!(!refused.transient && refused.detail.contains("plain HTTP"), "{refused}");
}

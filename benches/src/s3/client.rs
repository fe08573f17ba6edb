//! Signed S3 requests over plain HTTP: small ones as bytes to be replayed, large ones as streams.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, HeaderValue};
use wire::Timestamp;
use wire::sigv4::{Payload, RequestParts, Rules, Signer};

use crate::client::{Credentials, REGION, element};
use crate::load::Connection;

/// Bytes that do not compress, sent as often as a body is long.
pub(crate) struct Piece(Vec<u8>);

impl Piece {
    pub(crate) fn random(bytes: usize) -> Self {
        let mut piece = vec![0; bytes];
        crypto::random_bytes(&mut piece);
        Self(piece)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A caller of one server.
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) credentials: Credentials,
}

/// The length of a part of a very large object.
const PART_BYTES: u64 = 256 << 20;

impl Client {
    /// The head of a signed request whose payload is not signed, as clients send large ones over TLS.
    fn head(&self, method: &str, path: &str, query: &str, length: u64, range: Option<(u64, u64)>) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        let value = |text: &str| HeaderValue::from_str(text).expect("a header value");
        headers.insert("host", value(&self.address.to_string()));
        headers.insert("x-amz-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
        if let Some((first, last)) = range {
            headers.insert("range", value(&format!("bytes={first}-{last}")));
        }
        let signer = Signer {
            access_key_id: &self.credentials.id,
            secret_access_key: self.credentials.secret.as_bytes(),
            session_token: None,
            region: REGION,
            service: "s3",
            rules: Rules::S3,
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap_or_default());
        let parts = RequestParts { method, path, query, headers: &headers, host: None };
        let added = signer.sign(&parts, Payload::Stated, now).expect("a request that can be signed");
        headers.extend(added);
        let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let mut head = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
        for (name, value) in &headers {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
        head
    }

    /// A whole request with a body of so many bytes.
    pub(crate) fn request(&self, method: &str, path: &str, query: &str, bytes: usize) -> Vec<u8> {
        let mut request = self.head(method, path, query, bytes as u64, None);
        request.resize(request.len() + bytes, b'x');
        request
    }

    async fn call(&self, request: &[u8]) -> io::Result<String> {
        let answer = Connection::open(self.address).await?.call(request).await?;
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status == 200 { Ok(said) } else { Err(io::Error::other(format!("{}: {said}", answer.status))) }
    }

    pub(crate) async fn create_bucket(&self, bucket: &str) -> io::Result<()> {
        self.call(&self.request("PUT", &format!("/{bucket}"), "", 0)).await.map(drop)
    }

    pub(crate) async fn put_small(&self, bucket: &str, key: &str) -> io::Result<()> {
        self.call(&self.request("PUT", &format!("/{bucket}/{key}"), "", 1)).await.map(drop)
    }

    /// Puts an object of so many bytes. Returns the time from the first byte to the answer.
    pub(crate) fn put(&self, bucket: &str, key: &str, bytes: u64, piece: &Piece) -> io::Result<Duration> {
        let head = self.head("PUT", &format!("/{bucket}/{key}"), "", bytes, None);
        let begun = Instant::now();
        self.exchange(&head, bytes, piece)?;
        Ok(begun.elapsed())
    }

    /// Puts an object in parts of [`PART_BYTES`].
    pub(crate) fn put_in_parts(&self, bucket: &str, key: &str, bytes: u64, piece: &Piece) -> io::Result<()> {
        let path = format!("/{bucket}/{key}");
        let begun = self.exchange(&self.head("POST", &path, "uploads=", 0, None), 0, piece)?;
        let upload = element(&begun, "UploadId").unwrap_or_default().to_owned();
        let mut parts = String::new();
        for number in 1..=bytes.div_ceil(PART_BYTES) {
            let length = PART_BYTES.min(bytes - (number - 1) * PART_BYTES);
            let query = format!("partNumber={number}&uploadId={upload}");
            let answer = self.exchange(&self.head("PUT", &path, &query, length, None), length, piece)?;
            let tag = answer.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("etag").then(|| value.trim().to_owned())
            });
            let tag = tag.ok_or_else(|| io::Error::other("a part without an entity tag"))?;
            parts.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"));
        }
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let mut request = self.head("POST", &path, &format!("uploadId={upload}"), body.len() as u64, None);
        request.extend_from_slice(body.as_bytes());
        self.exchange(&request, 0, piece).map(drop)
    }

    pub(crate) fn delete(&self, bucket: &str, key: &str) -> io::Result<()> {
        let head = self.head("DELETE", &format!("/{bucket}/{key}"), "", 0, None);
        self.exchange(&head, 0, &Piece(Vec::new())).map(drop)
    }

    /// Gets an object, or a range of it, of so many bytes, and forgets it. Returns the time to the last byte.
    pub(crate) fn get(&self, bucket: &str, key: &str, range: Option<(u64, u64)>, bytes: u64) -> io::Result<Duration> {
        let head = self.head("GET", &format!("/{bucket}/{key}"), "", 0, range);
        let begun = Instant::now();
        let mut stream = dial(self.address)?;
        stream.write_all(&head)?;
        let mut buffer = vec![0; 1 << 18];
        let (answer, mut received) = read_head(&mut stream, &mut buffer)?;
        success(&answer)?;
        while received < bytes {
            match stream.read(&mut buffer)? {
                0 => return Err(io::Error::other(format!("{received} of {bytes} bytes came back"))),
                read => received += read as u64,
            }
        }
        Ok(begun.elapsed())
    }

    /// Sends a request with a body, on a connection of its own; the answer, head and body, which are short.
    fn exchange(&self, head: &[u8], bytes: u64, piece: &Piece) -> io::Result<String> {
        let mut stream = dial(self.address)?;
        stream.write_all(head)?;
        let mut left = bytes;
        while left > 0 {
            let length = left.min(piece.0.len() as u64);
            stream.write_all(&piece.0[..length as usize])?;
            left -= length;
        }
        let mut buffer = vec![0; 1 << 16];
        let (answer, received) = read_head(&mut stream, &mut buffer)?;
        success(&answer)?;
        let stated = answer.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<u64>().ok())?
        });
        let mut body = buffer[..received as usize].to_vec();
        while (body.len() as u64) < stated.unwrap_or_default() {
            match stream.read(&mut buffer)? {
                0 => break,
                read => body.extend_from_slice(&buffer[..read]),
            }
        }
        Ok(format!("{answer}\r\n\r\n{}", String::from_utf8_lossy(&body)))
    }

    /// Puts so many empty objects, in folders of 1,000.
    pub(crate) async fn fill(&self, bucket: &str, keys: usize, connections: usize) -> io::Result<()> {
        let tasks = (0..connections).map(|first| {
            let (client, bucket) =
                (Self { address: self.address, credentials: self.credentials.clone() }, bucket.to_owned());
            tokio::spawn(async move {
                let mut connection = Connection::open(client.address).await?;
                for number in (first..keys).step_by(connections) {
                    let path = format!("/{bucket}/{:05}/{:03}", number / 1000, number % 1000);
                    let answer = connection.call(&client.request("PUT", &path, "", 0)).await?;
                    if answer.status != 200 {
                        return Err(io::Error::other(String::from_utf8_lossy(&answer.body).into_owned()));
                    }
                }
                Ok::<_, io::Error>(())
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.map_err(io::Error::other)??;
        }
        Ok(())
    }

    /// The times in milliseconds of at most `pages` pages of a listing.
    pub(crate) async fn list_all(&self, bucket: &str, delimiter: &str, pages: usize) -> io::Result<Vec<f64>> {
        let mut connection = Connection::open(self.address).await?;
        let (mut times, mut token) = (Vec::new(), None::<String>);
        while times.len() < pages {
            // In the order of the canonical query.
            let mut query = String::new();
            if let Some(token) = &token {
                let escaped = token.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
                query = format!("continuation-token={escaped}&");
            }
            query.push_str(&format!("delimiter={}&list-type=2", delimiter.replace('/', "%2F")));
            let request = self.request("GET", &format!("/{bucket}"), &query, 0);
            let begun = Instant::now();
            let answer = connection.call(&request).await?;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            if answer.status != 200 {
                return Err(io::Error::other(said));
            }
            token = element(&said, "NextContinuationToken").map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        Ok(times)
    }
}

fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads the head of an answer. Returns it, and how many bytes of the body came with it, which are moved to the buffer's
/// beginning.
fn read_head(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<(String, u64)> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if let Some(end) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            buffer.copy_within(end + 4..filled, 0);
            return Ok((head, (filled - end - 4) as u64));
        }
    }
}

fn success(head: &str) -> io::Result<()> {
    let status = head.get(9..12).unwrap_or_default();
    if status.starts_with('2') {
        return Ok(());
    }
    Err(io::Error::other(head.lines().next().unwrap_or_default().to_owned()))
}

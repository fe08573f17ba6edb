//! Blobs as objects of a bucket, by the requests of S3's protocol. Knows neither sockets nor what the objects hold.
//!
//! Source: Amazon S3 API Reference.

use std::fmt::Write as _;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_RANGE, ETAG, IF_NONE_MATCH, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wire::Timestamp;

use super::transport::{S3Answer, S3Request, S3Transport};
use super::xml::Element;
use crate::BlobId;
use crate::directory::Listed;
use crate::id::shelf_name;
use crate::location::S3Location;

/// How often a request is sent while the server is busy or out of reach.
const ATTEMPTS: u32 = 5;

/// The longest wait before the second attempt; it doubles with each.
const WAIT_FIRST: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 200 });

/// How many entries are asked for in one page of a listing: the most that S3 gives.
const PAGE: usize = 1000;

/// Characters that are not percent-encoded in a query.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A part of a bucket. Its calls block.
pub(crate) struct Bucket {
    location: S3Location,
    transport: Arc<dyn S3Transport>,
}

/// An upload in parts that is neither completed nor aborted.
pub(crate) struct Unfinished {
    /// The blob, and when the upload was begun. Its length is not known.
    pub(crate) listed: Listed,
    upload_id: String,
}

/// Outcome of a creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Created {
    /// It was made.
    New,
    /// An object is there, or the upload is gone: an earlier attempt made it, or somebody else did.
    Unclear,
}

/// Parts of a refusal.
struct Refusal {
    status: StatusCode,
    code: String,
    message: String,
}

impl From<Refusal> for io::Error {
    fn from(Refusal { status, code, message }: Refusal) -> Self {
        let kind = match (status.as_u16(), code.as_str()) {
            (404, "NoSuchKey" | "") => io::ErrorKind::NotFound,
            (401 | 403, _) => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, format!("the server refused with status {}: {code} {message}", status.as_u16()))
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::other(format!("the server's answer is not S3's: {what}"))
}

impl Bucket {
    pub(crate) fn new(location: S3Location, transport: Arc<dyn S3Transport>) -> Self {
        Self { location, transport }
    }

    /// Where a blob is, for messages.
    pub(crate) fn path(&self, id: &BlobId) -> PathBuf {
        PathBuf::from(format!("s3://{}/{}", self.location.bucket, self.key(id)))
    }

    /// Where all blobs are, for messages.
    pub(crate) fn place(&self) -> PathBuf {
        PathBuf::from(self.location.to_string())
    }

    fn key(&self, id: &BlobId) -> String {
        format!("{}{}/{id}", self.location.prefix, shelf_name(id.shelf()))
    }

    /// The blob whose key this is; `None` for any other object of the bucket.
    fn id_of(&self, key: &str) -> Option<BlobId> {
        let (_, name) = key.strip_prefix(&self.location.prefix)?.split_once('/')?;
        BlobId::parse(name).filter(|id| self.key(id) == key)
    }

    fn object(&self, method: Method, id: &BlobId, query: &str) -> S3Request {
        // Bucket and key have only characters that stand for themselves.
        let path = format!("/{}/{}", self.location.bucket, self.key(id));
        let path_and_query = if query.is_empty() { path } else { format!("{path}?{query}") };
        S3Request { method, path_and_query, headers: HeaderMap::new(), body: Bytes::new() }
    }

    fn listing(&self, parameters: &[(&str, &str)]) -> S3Request {
        let mut path_and_query = format!("/{}?", self.location.bucket);
        for (number, (name, value)) in parameters.iter().enumerate() {
            let and = if number == 0 { "" } else { "&" };
            let _ = write!(path_and_query, "{and}{name}={}", utf8_percent_encode(value, UNRESERVED));
        }
        S3Request { method: Method::GET, path_and_query, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// Sends a request until it is answered by other than a failure that passes. Yields how many times it was sent.
    fn send(&self, request: &S3Request) -> io::Result<(S3Answer, u32)> {
        let mut sent = 0;
        loop {
            let answered = self.transport.send(request);
            sent += 1;
            let passes = match &answered {
                Ok(answer) => is_busy(answer),
                Err(unanswered) => unanswered.transient,
            };
            if !passes || sent == ATTEMPTS {
                return answered.map(|answer| (answer, sent)).map_err(io::Error::other);
            }
            std::thread::sleep(wait(sent));
        }
    }

    /// Sends a request that must succeed.
    fn succeed(&self, request: &S3Request) -> io::Result<S3Answer> {
        let (answer, _) = self.send(request)?;
        if answer.status.is_success() { Ok(answer) } else { Err(refusal(&answer).into()) }
    }

    /// Makes the object of a blob in one request.
    pub(super) fn put(&self, id: &BlobId, sealed: Bytes) -> io::Result<Created> {
        let mut request = self.object(Method::PUT, id, "");
        request.headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        request.body = sealed;
        self.create(&request).map(|(created, _)| created)
    }

    /// Sends a request that makes an object where none is.
    fn create(&self, request: &S3Request) -> io::Result<(Created, S3Answer)> {
        // Two requests of this process cannot race for one id, so a conflict passes.
        let mut attempts = 0;
        loop {
            let (answer, sent) = self.send(request)?;
            attempts += sent;
            match answer.status {
                status if status.is_success() => return Ok((Created::New, answer)),
                StatusCode::PRECONDITION_FAILED => return Ok((Created::Unclear, answer)),
                StatusCode::CONFLICT if attempts < ATTEMPTS => std::thread::sleep(wait(attempts)),
                StatusCode::NOT_FOUND if attempts > 1 => return Ok((Created::Unclear, answer)),
                _ => return Err(refusal(&answer).into()),
            }
        }
    }

    /// Begins an upload in parts. Yields its id.
    pub(super) fn begin(&self, id: &BlobId) -> io::Result<String> {
        let answer = self.succeed(&self.object(Method::POST, id, "uploads="))?;
        let root = Element::parse(&answer.body);
        let upload_id = root.as_ref().and_then(|root| root.text_of("UploadId")).filter(|text| !text.is_empty());
        Ok(upload_id.ok_or_else(|| malformed("an upload without an id"))?.to_owned())
    }

    /// Uploads the part `number`, from 1 on. Yields its entity tag.
    pub(super) fn part(&self, id: &BlobId, upload_id: &str, number: usize, sealed: Bytes) -> io::Result<String> {
        let query = format!("partNumber={number}&{}", upload_parameter(upload_id));
        let mut request = self.object(Method::PUT, id, &query);
        request.body = sealed;
        let answer = self.succeed(&request)?;
        let tag = header(&answer, &ETAG).map(str::to_owned);
        tag.ok_or_else(|| malformed("a part without an entity tag"))
    }

    /// Makes the object of the parts.
    pub(super) fn complete(&self, id: &BlobId, upload_id: &str, parts: &[String]) -> io::Result<Created> {
        let mut body = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for (number, tag) in (1..).zip(parts) {
            let tag = quick_xml::escape::escape(tag);
            let _ = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>");
        }
        body.push_str("</CompleteMultipartUpload>");
        let mut request = self.object(Method::POST, id, &upload_parameter(upload_id));
        request.headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        request.body = body.into();
        let (created, answer) = self.create(&request)?;
        let root = Element::parse(&answer.body);
        match (created, root) {
            // The status is sent before the work is done, so that a failure can only stand in the body.
            (Created::New, Some(root)) if root.name == "CompleteMultipartUploadResult" => Ok(created),
            (Created::New, _) => Err(refusal(&answer).into()),
            (Created::Unclear, _) => Ok(created),
        }
    }

    /// Aborts an upload in parts, and discards what it holds.
    pub(super) fn abort(&self, id: &BlobId, upload_id: &str) -> io::Result<()> {
        self.remove_by(&self.object(Method::DELETE, id, &upload_parameter(upload_id)))
    }

    /// Removes a blob, if it is there.
    pub(crate) fn remove(&self, id: &BlobId) -> io::Result<()> {
        self.remove_by(&self.object(Method::DELETE, id, ""))
    }

    /// Removes what a process left that was killed.
    pub(crate) fn remove_unfinished(&self, unfinished: &Unfinished) -> io::Result<()> {
        self.abort(&unfinished.listed.id, &unfinished.upload_id)
    }

    fn remove_by(&self, request: &S3Request) -> io::Result<()> {
        let (answer, _) = self.send(request)?;
        let gone = answer.status.is_success() || answer.status == StatusCode::NOT_FOUND;
        if gone { Ok(()) } else { Err(refusal(&answer).into()) }
    }

    /// The last `bytes_max` bytes of an object, or all of a shorter one, and the length of all of it.
    pub(super) fn tail(&self, id: &BlobId, bytes_max: usize) -> io::Result<(Bytes, u64)> {
        let mut request = self.object(Method::GET, id, "");
        request.headers.insert(RANGE, HeaderValue::from_str(&format!("bytes=-{bytes_max}")).map_err(io::Error::other)?);
        let (answer, _) = self.send(&request)?;
        match answer.status {
            StatusCode::PARTIAL_CONTENT => {
                let (range, length) = content_range(&answer)?;
                let expected = length.saturating_sub(bytes_max as u64)..length;
                if range != expected || answer.body.len() as u64 != expected.end - expected.start {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                Ok((answer.body, length))
            }
            // Some servers answer so when the range is all of the object.
            StatusCode::OK if answer.body.len() <= bytes_max => {
                let length = answer.body.len() as u64;
                Ok((answer.body, length))
            }
            // No blob is empty.
            StatusCode::RANGE_NOT_SATISFIABLE => Err(io::ErrorKind::InvalidData.into()),
            status if status.is_success() => Err(malformed("more than the range that was asked for")),
            _ => Err(refusal(&answer).into()),
        }
    }

    /// The bytes of an object that has `length` of them.
    pub(super) fn range(&self, id: &BlobId, range: Range<u64>, length: u64) -> io::Result<Bytes> {
        let mut request = self.object(Method::GET, id, "");
        let text = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        request.headers.insert(RANGE, HeaderValue::from_str(&text).map_err(io::Error::other)?);
        let answer = self.succeed(&request)?;
        if answer.status != StatusCode::PARTIAL_CONTENT {
            return Err(malformed("another part than the range that was asked for"));
        }
        // Another length is another object: blobs never change.
        if content_range(&answer)? != (range.clone(), length) || answer.body.len() as u64 != range.end - range.start {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(answer.body)
    }

    /// The blobs of one page after `after`, in the order of their ids; and the key after which the next page begins.
    fn page(&self, after: &str) -> io::Result<(Vec<Listed>, Option<String>)> {
        let limit = PAGE.to_string();
        let parameters =
            [("list-type", "2"), ("max-keys", &limit), ("prefix", &self.location.prefix), ("start-after", after)];
        let parameters: Vec<_> = parameters.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let answer = self.succeed(&self.listing(&parameters))?;
        let root = Element::parse(&answer.body).filter(|root| root.name == "ListBucketResult");
        let root = root.ok_or_else(|| malformed("no listing"))?;
        let (mut listed, mut last) = (Vec::new(), after.to_owned());
        for object in root.all("Contents") {
            let key = object.text_of("Key").ok_or_else(|| malformed("an object without a key"))?;
            // A listing that does not go on in order might never end.
            if key <= last.as_str() {
                return Err(malformed("a listing that is not in order"));
            }
            key.clone_into(&mut last);
            let Some(id) = self.id_of(key) else { continue };
            let size = object.text_of("Size").and_then(|text| text.parse().ok());
            let sealed_bytes = size.ok_or_else(|| malformed("an object without a size"))?;
            listed.push(Listed { id, sealed_bytes, written_at: moment(object.text_of("LastModified"))? });
        }
        let more = root.text_of("IsTruncated") == Some("true");
        if more && last == after {
            return Err(malformed("an empty page that is not the last"));
        }
        Ok((listed, more.then_some(last)))
    }

    /// The first `limit` blobs after `after`, in the order of their ids.
    pub(crate) fn list(&self, after: Option<BlobId>, limit: usize) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        let mut next = Some(after.map_or_else(String::new, |after| self.key(&after)));
        while let Some(after) = next.filter(|_| listed.len() < limit) {
            let (page, more) = self.page(&after)?;
            listed.extend(page);
            next = more;
        }
        listed.truncate(limit);
        Ok(listed)
    }

    /// The uploads in parts that were begun and not ended.
    pub(crate) fn unfinished(&self) -> io::Result<Vec<Unfinished>> {
        let limit = PAGE.to_string();
        let mut found = Vec::new();
        let (mut key_marker, mut upload_marker) = (String::new(), String::new());
        loop {
            let parameters = [
                ("key-marker", key_marker.as_str()),
                ("max-uploads", &limit),
                ("prefix", &self.location.prefix),
                ("upload-id-marker", &upload_marker),
            ];
            let parameters = parameters.into_iter().filter(|(_, value)| !value.is_empty());
            let parameters: Vec<_> = parameters.chain([("uploads", "")]).collect();
            let answer = self.succeed(&self.listing(&parameters))?;
            let root = Element::parse(&answer.body).filter(|root| root.name == "ListMultipartUploadsResult");
            let root = root.ok_or_else(|| malformed("no listing of uploads"))?;
            for upload in root.all("Upload") {
                let Some(id) = upload.text_of("Key").and_then(|key| self.id_of(key)) else { continue };
                let upload_id = upload.text_of("UploadId").ok_or_else(|| malformed("an upload without an id"))?;
                let listed = Listed { id, sealed_bytes: 0, written_at: moment(upload.text_of("Initiated"))? };
                found.push(Unfinished { listed, upload_id: upload_id.to_owned() });
            }
            if root.text_of("IsTruncated") != Some("true") {
                return Ok(found);
            }
            let next = |name| root.text_of(name).unwrap_or_default().to_owned();
            let next = (next("NextKeyMarker"), next("NextUploadIdMarker"));
            if next.0 < key_marker || next == (key_marker, upload_marker) {
                return Err(malformed("a listing of uploads that does not go on"));
            }
            (key_marker, upload_marker) = next;
        }
    }
}

fn upload_parameter(upload_id: &str) -> String {
    format!("uploadId={}", utf8_percent_encode(upload_id, UNRESERVED))
}

fn header<'a>(answer: &'a S3Answer, name: &HeaderName) -> Option<&'a str> {
    answer.headers.get(name)?.to_str().ok()
}

/// Which bytes an answer has, and of how many.
fn content_range(answer: &S3Answer) -> io::Result<(Range<u64>, u64)> {
    let parse = || {
        let (range, length) = header(answer, &CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        Some((first..last.checked_add(1)?, length.parse().ok()?))
    };
    parse().ok_or_else(|| malformed("a part without its range"))
}

/// A time of a listing. One that cannot be read is an error: what is too young must not be swept.
fn moment(text: Option<&str>) -> io::Result<SystemTime> {
    let millis = text.and_then(Timestamp::parse_rfc3339).and_then(|time| u64::try_from(time.millis()).ok());
    let millis = millis.ok_or_else(|| malformed("an entry without a time"))?;
    Ok(UNIX_EPOCH + Duration::from_millis(millis))
}

fn refusal(answer: &S3Answer) -> Refusal {
    let root = Element::parse(&answer.body);
    let text = |name| root.as_ref().and_then(|root| root.text_of(name)).unwrap_or_default();
    Refusal {
        status: answer.status,
        code: text("Code").chars().take(64).collect(),
        message: text("Message").chars().take(256).collect(),
    }
}

/// Whether the server asks for patience.
fn is_busy(answer: &S3Answer) -> bool {
    matches!(answer.status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
        || (answer.status == StatusCode::BAD_REQUEST && refusal(answer).code == "RequestTimeout")
}

/// Anything up to a bound that doubles, so that those who failed together do not come back together.
fn wait(attempts: u32) -> Duration {
    let [random] = crypto::random_nonce::<1>();
    WAIT_FIRST.saturating_mul(1 << attempts.min(8)).mul_f64(f64::from(random) / f64::from(u8::MAX))
}

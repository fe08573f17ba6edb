//! Blobs in a bucket: a server in memory that is well, out of reach, busy, or lies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::fixture::{block_on, content, owner, read, write};
use crate::format::{FRAME_BYTES, HEADER_BYTES};
use crate::{
    BlobError, BlobId, Blobs, CHUNK_BYTES, Location, S3Answer, S3Request, S3Transport, S3Unanswered, Swept, Written,
};

/// A whole part, in chunks of plaintext, and some more.
const LONG: usize = 8 << 20;

/// A change of an honest answer, by the request and the number of the request.
type Lie = Box<dyn Fn(&S3Request, u64, S3Answer) -> Result<S3Answer, S3Unanswered> + Send>;

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    uploads: BTreeMap<String, (String, BTreeMap<usize, Bytes>)>,
    requests: Vec<String>,
    begun: u64,
    lie: Option<Lie>,
}

/// A server with one bucket, in memory.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

fn answer(status: u16, body: impl Into<Bytes>) -> S3Answer {
    S3Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: body.into() }
}

fn refusal(status: u16, code: &str) -> S3Answer {
    answer(status, format!("<Error><Code>{code}</Code><Message>why</Message></Error>"))
}

fn unanswered() -> S3Unanswered {
    S3Unanswered { detail: "the server is out of reach".to_owned(), transient: true }
}

const TIME: &str = "2026-01-02T03:04:05.000Z";

impl State {
    fn honest(&mut self, request: &S3Request) -> S3Answer {
        let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
        let query: BTreeMap<String, String> = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
        let key = path.strip_prefix("/bucket").unwrap().trim_start_matches('/').to_owned();
        let once = request.headers.get("if-none-match").is_some();
        match (&request.method, query.get("uploadId")) {
            (&Method::GET, _) if key.is_empty() && query.contains_key("uploads") => self.list_uploads(),
            (&Method::GET, _) if key.is_empty() => self.list(&query),
            (&Method::GET, _) => self.get(&key, request.headers["range"].to_str().unwrap()),
            (&Method::PUT, Some(upload)) => match self.uploads.get_mut(upload) {
                None => refusal(404, "NoSuchUpload"),
                Some((_, parts)) => {
                    let number = query["partNumber"].parse().unwrap();
                    parts.insert(number, request.body.clone());
                    let mut done = answer(200, "");
                    done.headers.insert("etag", HeaderValue::from_str(&format!("\"{number}\"")).unwrap());
                    done
                }
            },
            (&Method::PUT, None) if once && self.objects.contains_key(&key) => refusal(412, "PreconditionFailed"),
            (&Method::PUT, None) => {
                self.objects.insert(key, request.body.clone());
                answer(200, "")
            }
            (&Method::POST, None) => {
                self.begun += 1;
                let upload = format!("upload+{}", self.begun);
                self.uploads.insert(upload.clone(), (key, BTreeMap::new()));
                answer(
                    200,
                    format!(
                        "<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
                    ),
                )
            }
            (&Method::POST, Some(upload)) => {
                if once && self.objects.contains_key(&key) {
                    return refusal(412, "PreconditionFailed");
                }
                let Some((_, parts)) = self.uploads.remove(upload) else { return refusal(404, "NoSuchUpload") };
                let (last, whole) =
                    parts.values().collect::<Vec<_>>().split_last().map(|(l, w)| ((*l).clone(), w.to_vec())).unwrap();
                assert!(whole.iter().all(|part| part.len() == LONG) && last.len() <= LONG);
                let body = std::str::from_utf8(&request.body).unwrap();
                assert_eq!(body.matches("<PartNumber>").count(), parts.len());
                self.objects.insert(key, parts.into_values().collect::<Vec<_>>().concat().into());
                answer(200, "<CompleteMultipartUploadResult/>")
            }
            (&Method::DELETE, Some(upload)) => match self.uploads.remove(upload) {
                Some(_) => answer(204, ""),
                None => refusal(404, "NoSuchUpload"),
            },
            (&Method::DELETE, None) => {
                self.objects.remove(&key);
                answer(204, "")
            }
            other => panic!("{other:?}"),
        }
    }

    fn get(&self, key: &str, range: &str) -> S3Answer {
        let Some(object) = self.objects.get(key) else { return refusal(404, "NoSuchKey") };
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let range = match first {
            "" => object.len().saturating_sub(last.parse().unwrap())..object.len(),
            first => first.parse().unwrap()..object.len().min(last.parse::<usize>().unwrap() + 1),
        };
        if range.is_empty() {
            return refusal(416, "InvalidRange");
        }
        let mut found = answer(206, object.slice(range.clone()));
        let text = format!("bytes {}-{}/{}", range.start, range.end - 1, object.len());
        found.headers.insert("content-range", HeaderValue::from_str(&text).unwrap());
        found
    }

    /// Pages of three, so that tests see several.
    fn list(&self, query: &BTreeMap<String, String>) -> S3Answer {
        let after = query.get("start-after").map_or("", String::as_str);
        let keys = self.objects.keys().filter(|key| key.starts_with(&query["prefix"]) && key.as_str() > after);
        let keys: Vec<_> = keys.collect();
        let entries = keys.iter().take(3).map(|key| {
            let size = self.objects[*key].len();
            format!("<Contents><Key>{key}</Key><LastModified>{TIME}</LastModified><Size>{size}</Size></Contents>")
        });
        let entries: String = entries.collect();
        answer(
            200,
            format!("<ListBucketResult>{entries}<IsTruncated>{}</IsTruncated></ListBucketResult>", keys.len() > 3),
        )
    }

    fn list_uploads(&self) -> S3Answer {
        let entries = self.uploads.iter().map(|(upload, (key, _))| {
            format!("<Upload><Key>{key}</Key><UploadId>{upload}</UploadId><Initiated>{TIME}</Initiated></Upload>")
        });
        let entries: String = entries.collect();
        answer(200, format!("<ListMultipartUploadsResult>{entries}</ListMultipartUploadsResult>"))
    }
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap();
    (name.to_owned(), percent_encoding::percent_decode_str(value).decode_utf8().unwrap().into_owned())
}

impl S3Transport for Server {
    fn send(&self, request: &S3Request) -> Result<S3Answer, S3Unanswered> {
        let mut state = self.0.lock().unwrap();
        state.requests.push(format!("{} {}", request.method, request.path_and_query));
        let number = state.requests.len() as u64;
        let Some(lie) = state.lie.take() else { return Ok(state.honest(request)) };
        let honest = state.honest(request);
        let told = lie(request, number, honest);
        state.lie = Some(lie);
        told
    }
}

impl Server {
    fn blobs(&self) -> Blobs {
        let Ok(Location::S3(location)) = Location::parse("s3://bucket/some/where") else { panic!("a bucket") };
        Blobs::in_bucket(location, Arc::new(self.clone()))
    }

    fn lies(&self, lie: impl Fn(&S3Request, u64, S3Answer) -> Result<S3Answer, S3Unanswered> + Send + 'static) {
        let mut state = self.0.lock().unwrap();
        state.requests.clear();
        state.lie = Some(Box::new(lie));
    }

    fn is_honest(&self) {
        self.0.lock().unwrap().lie = None;
    }

    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().requests)
    }

    /// How many objects and uploads there are.
    fn left(&self) -> (usize, usize) {
        let state = self.0.lock().unwrap();
        (state.objects.len(), state.uploads.len())
    }

    fn object(&self, id: &BlobId) -> Bytes {
        self.0.lock().unwrap().objects[&key(id)].clone()
    }

    fn replace(&self, id: &BlobId, bytes: impl Into<Bytes>) {
        self.0.lock().unwrap().objects.insert(key(id), bytes.into());
    }
}

fn key(id: &BlobId) -> String {
    format!("some/where/{}", id.path().display())
}

async fn write_one(blobs: &Blobs, length: usize) -> Written {
    write(blobs, &[&content(length)]).await.unwrap()
}

fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

#[test]
fn whatever_is_written_to_a_bucket_is_read_back_from_any_place() {
    let server = Server::default();
    let blobs = server.blobs();
    block_on(async {
        for length in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, LONG - 5000, LONG, 2 * LONG + 3 * CHUNK_BYTES + 5] {
            let whole = content(length);
            let written = write(&blobs, &[&whole[..length / 3], &whole[length / 3..]]).await.unwrap();
            assert_eq!(written.contents.sealed_bytes, server.object(&written.id).len() as u64);
            assert_eq!(blobs.check(&owner(), &written.id).await.unwrap(), written.contents, "{length}");
            let blob = blobs.blob(&owner(), &written.id).await.unwrap();
            for range in [0..length, length / 2..length, length.min(9)..length.min(10), length..length] {
                let found = read(&blob, range.start as u64..range.end as u64).await.unwrap();
                assert!(found == whole[range.clone()], "{range:?} of {length}");
            }
        }
        assert_eq!(server.left().1, 0);
    });
}

#[test]
fn a_small_read_takes_three_requests_and_no_chunks_beside_it() {
    let server = Server::default();
    let blobs = server.blobs();
    block_on(async {
        let whole = content(LONG);
        let written = write(&blobs, &[&whole]).await.unwrap();
        server.requests();
        let blob = blobs.blob(&owner(), &written.id).await.unwrap();
        let at = 40 * CHUNK_BYTES as u64 + 7;
        assert_eq!(read(&blob, at..at + 5).await.unwrap(), whole[at as usize..][..5]);
        assert_eq!(server.requests().len(), 3, "the end, the header, a chunk");
    });
}

#[test]
fn failures_that_pass_are_not_noticed_and_leave_one_object() {
    for fault in ["unanswered before", "unanswered after", "busy before", "busy after", "slow down"] {
        for length in [10, LONG + 10] {
            let server = Server::default();
            let blobs = server.blobs();
            let store = server.clone();
            // Every second request fails, before or after it has its effect.
            server.lies(move |_, number, honest| match (number % 2, fault) {
                (0, _) => Ok(honest),
                (_, "unanswered after") => Err(unanswered()),
                (_, "busy after") => Ok(refusal(500, "InternalError")),
                (_, "slow down") => Ok(refusal(503, "SlowDown")),
                (_, "unanswered before") => Err(unanswered()),
                _ => Ok(answer(502, "no XML")),
            });
            block_on(async {
                let written = write_one(&blobs, length).await;
                assert_eq!(blobs.check(&owner(), &written.id).await.unwrap(), written.contents, "{fault}");
                store.is_honest();
                assert_eq!(store.left().0, 1, "{fault}");
                // An upload that was begun without an answer is left to the next sweep.
                drop(written);
                blobs.sweep(|_| true, later()).await.unwrap();
                assert_eq!(store.left(), (1, 0), "{fault}");
            });
        }
    }
}

#[test]
fn a_server_that_fails_at_any_request_leaves_nothing_and_serves_the_next() {
    for length in [10, 2 * LONG + 10] {
        let server = Server::default();
        let blobs = server.blobs();
        block_on(async {
            server.lies(|_, _, honest| Ok(honest));
            drop(write_one(&blobs, length).await);
            let steps = server.requests().len();
            assert_eq!(steps, if length == 10 { 2 } else { 6 });
            for refused in [true, false] {
                for step in 0..steps {
                    let before = server.left().0;
                    let (done, broken) = (std::sync::atomic::AtomicUsize::new(0), server.clone());
                    let work = move |request: &S3Request, honest| {
                        let removing = request.method == Method::DELETE;
                        let at = done.load(std::sync::atomic::Ordering::Relaxed);
                        if removing || at < step {
                            done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                            return Ok(honest);
                        }
                        if refused { Ok(refusal(403, "AccessDenied")) } else { Err(unanswered()) }
                    };
                    broken.lies(move |request, _, honest| work(request, honest));
                    let failed = write(&blobs, &[&content(length)]).await.map(|_| ());
                    assert!(matches!(failed, Err(BlobError::Io { .. })), "step {step} of {length}: {failed:?}");
                    server.is_honest();
                    // The request that failed had its effect all the same, and whoever begins an upload without an
                    // answer does not know it.
                    blobs.sweep(|_| true, later()).await.unwrap();
                    assert_eq!(server.left(), (before, 0), "step {step} of {length}");
                    let written = write_one(&blobs, length).await;
                    assert_eq!(blobs.check(&owner(), &written.id).await.unwrap(), written.contents);
                }
            }
        });
    }
}

#[test]
fn an_object_is_never_written_over() {
    for length in [10, LONG + 10] {
        let server = Server::default();
        let blobs = server.blobs();
        let squatter = server.clone();
        // Somebody makes an object of the same name just before.
        server.lies(move |request, _, mut honest| {
            if request.headers.contains_key("if-none-match") {
                return Ok(refusal(412, "PreconditionFailed"));
            }
            if request.method == Method::GET {
                honest.body = vec![1; honest.body.len()].into();
            }
            Ok(honest)
        });
        block_on(async {
            let failed = write(&blobs, &[&content(length)]).await.map(|_| ());
            assert!(matches!(failed, Err(BlobError::Io { action: "publish", .. })), "{failed:?}");
            let deleted = squatter
                .requests()
                .into_iter()
                .any(|request| request.starts_with("DELETE") && !request.contains("uploadId"));
            assert!(!deleted, "what somebody else wrote stays");
        });
    }
}

#[test]
fn a_server_that_did_not_store_what_it_acknowledged_is_found_before_anything_refers_to_it() {
    for lie in ["nothing", "less", "other bytes"] {
        for length in [10, LONG + 10] {
            let server = Server::default();
            let blobs = server.blobs();
            server.lies(move |request, _, mut honest| {
                if request.method == Method::GET && honest.status == StatusCode::PARTIAL_CONTENT {
                    match lie {
                        "nothing" => return Ok(refusal(404, "NoSuchKey")),
                        "less" => {
                            let range = HeaderValue::from_static("bytes 0-9/10");
                            honest.headers.insert("content-range", range);
                            honest.body.truncate(10);
                        }
                        _ => honest.body = vec![1; honest.body.len()].into(),
                    }
                }
                Ok(honest)
            });
            let failed = block_on(write(&blobs, &[&content(length)])).map(|_| ());
            assert!(matches!(failed, Err(BlobError::Io { action: "publish", .. })), "{lie}: {failed:?}");
            assert_eq!(server.left(), (0, 0), "{lie}");
        }
    }
}

#[test]
fn objects_that_were_changed_are_refused_by_check_and_by_every_reader() {
    let server = Server::default();
    let blobs = server.blobs();
    block_on(async {
        let whole = content(4 * CHUNK_BYTES);
        let (id, other) = (write(&blobs, &[&whole]).await.unwrap().id, write(&blobs, &[&whole]).await.unwrap().id);
        let genuine = server.object(&id);
        let mut cases: Vec<(String, Bytes)> = vec![
            ("swapped".to_owned(), server.object(&other)),
            ("truncated by a chunk".to_owned(), genuine.slice(..HEADER_BYTES + 3 * FRAME_BYTES)),
            ("truncated by a byte".to_owned(), genuine.slice(..genuine.len() - 1)),
            ("empty".to_owned(), Bytes::new()),
            ("extended".to_owned(), [&genuine[..], &genuine[HEADER_BYTES..]].concat().into()),
        ];
        for chunk in 0..4 {
            let mut changed = genuine.to_vec();
            changed[HEADER_BYTES + chunk * FRAME_BYTES + 5] ^= 1;
            cases.push((format!("chunk {chunk} changed"), changed.into()));
        }
        for (case, bytes) in cases {
            server.replace(&id, bytes);
            let checked = blobs.check(&owner(), &id).await;
            assert!(matches!(checked, Err(BlobError::NotAuthentic { .. })), "{case}: {checked:?}");
            let opened = match blobs.blob(&owner(), &id).await {
                Ok(blob) => read(&blob, 0..blob.plaintext_bytes()).await.map(|_| ()),
                Err(error) => Err(error),
            };
            assert!(matches!(opened, Err(BlobError::NotAuthentic { .. })), "{case}: {opened:?}");
        }
        server.replace(&id, genuine);
        assert!(blobs.check(&owner(), &id).await.is_ok());
    });
}

/// Whatever a server answers to a read: an error, never other plaintext.
#[test]
fn a_server_that_lies_about_a_read_is_refused() {
    let server = Server::default();
    let blobs = server.blobs();
    block_on(async {
        let whole = content(40 * CHUNK_BYTES);
        let written = write(&blobs, &[&whole]).await.unwrap();
        let older = server.object(&write_one(&blobs, 40 * CHUNK_BYTES).await.id);
        for lie in [
            "short body",
            "long body",
            "other range",
            "other length",
            "no range",
            "whole",
            "no content",
            "old bytes",
            "another chunk",
            "zeros",
            "gone",
            "redirect",
            "error in 200",
        ] {
            let older = older.clone();
            server.lies(move |request, _, mut honest| {
                let range = |text: &str| HeaderValue::from_str(text).unwrap();
                if request.method != Method::GET || request.headers["range"].to_str().unwrap().contains("=-") {
                    return Ok(honest);
                }
                match lie {
                    "short body" => honest.body.truncate(honest.body.len() - 1),
                    "long body" => honest.body = [&honest.body[..], &[0]].concat().into(),
                    "other range" => drop(honest.headers.insert("content-range", range("bytes 1-26/2622106"))),
                    "other length" => {
                        let text = honest.headers["content-range"].to_str().unwrap().to_owned();
                        honest.headers.insert("content-range", range(&format!("{text}0")));
                    }
                    "no range" => drop(honest.headers.remove("content-range")),
                    "whole" => honest.status = StatusCode::OK,
                    "no content" => honest = answer(204, ""),
                    "old bytes" => honest.body = older.slice(..honest.body.len()),
                    "another chunk" if honest.body.len() > FRAME_BYTES => {
                        honest.body = [&honest.body[FRAME_BYTES..], &honest.body[..FRAME_BYTES]].concat().into();
                    }
                    "another chunk" => {}
                    "zeros" => honest.body = vec![0; honest.body.len()].into(),
                    "gone" => honest = refusal(404, "NoSuchKey"),
                    "redirect" => honest = answer(307, ""),
                    _ => honest = answer(200, "<Error><Code>InternalError</Code></Error>"),
                }
                Ok(honest)
            });
            let opened = match blobs.blob(&owner(), &written.id).await {
                Ok(blob) => read(&blob, 0..blob.plaintext_bytes()).await.map(|_| ()),
                Err(error) => Err(error),
            };
            let expected = match lie {
                "gone" => matches!(opened, Err(BlobError::Missing { .. })),
                "no range" | "whole" | "no content" | "redirect" | "error in 200" => {
                    matches!(opened, Err(BlobError::Io { .. }))
                }
                _ => matches!(opened, Err(BlobError::NotAuthentic { .. })),
            };
            assert!(expected, "{lie}: {opened:?}");
        }
        server.is_honest();
        assert!(blobs.check(&owner(), &written.id).await.is_ok());
    });
}

#[test]
fn a_server_out_of_reach_is_an_error_of_every_call() {
    let server = Server::default();
    let blobs = server.blobs();
    server.lies(|_, _, _| Err(unanswered()));
    block_on(async {
        let id = BlobId::from_bytes([9; 16]);
        let failures = [
            write(&blobs, &[b"x"]).await.map(|_| ()),
            blobs.blob(&owner(), &id).await.map(|_| ()),
            blobs.check(&owner(), &id).await.map(|_| ()),
            blobs.list(None, 10).await.map(|_| ()),
            blobs.sweep(|_| false, later()).await.map(|_| ()),
        ];
        for failed in failures {
            let Err(BlobError::Io { path, cause, .. }) = &failed else { panic!("{failed:?}") };
            assert!(path.starts_with("s3:") && cause.to_string().contains("out of reach"), "{failed:?}");
        }
    });
}

#[test]
fn listings_and_sweeps_of_a_bucket_see_blobs_and_leave_other_objects_alone() {
    let server = Server::default();
    let blobs = server.blobs();
    block_on(async {
        let mut ids = Vec::new();
        for _ in 0..8 {
            ids.push(write_one(&blobs, 5).await.id);
        }
        ids.sort_unstable();
        let other = ["some/where/notes", "some/where/zz/0123", "some/where/drafts/x", "elsewhere"];
        for key in other {
            server.0.lock().unwrap().objects.insert(key.to_owned(), Bytes::from_static(b"x"));
        }
        let mut found = Vec::new();
        while let Some(last) = blobs.list(found.last().copied(), 3).await.unwrap().last() {
            let page = blobs.list(found.last().copied(), 3).await.unwrap();
            found.extend(page.iter().map(|listed| listed.id));
            assert_eq!(found.last(), Some(&last.id));
        }
        assert_eq!(found, ids);

        let held = write_one(&blobs, 5).await;
        // What a process leaves that is killed.
        server.0.lock().unwrap().uploads.insert("left".to_owned(), (key(&ids[0]), BTreeMap::new()));
        server.0.lock().unwrap().uploads.insert("foreign".to_owned(), ("elsewhere".to_owned(), BTreeMap::new()));
        let mut draft = blobs.draft(&owner()).await.unwrap();
        draft.write(content(LONG + 2 * CHUNK_BYTES * 8).into()).await.unwrap();
        let referenced = ids.split_off(4);
        let kept = referenced.clone();
        let before = SystemTime::UNIX_EPOCH;
        assert_eq!(blobs.sweep(|_| false, before).await.unwrap(), Swept::default(), "they are too young");
        let swept = blobs.sweep(move |id| kept.contains(id), later()).await.unwrap();
        assert_eq!(swept, Swept { blobs: 4, drafts: 1, sealed_bytes: 4 * 47, interrupted: false });
        let expected: std::collections::BTreeSet<_> = referenced.iter().copied().chain([held.id]).collect();
        let listed = blobs.list(None, 100).await.unwrap();
        assert_eq!(listed.into_iter().map(|listed| listed.id).collect::<std::collections::BTreeSet<_>>(), expected);
        assert_eq!(server.left(), (5 + other.len(), 2), "a foreign upload, and that of the draft");
        let finished = draft.finish().await.unwrap();
        assert_eq!(blobs.check(&owner(), &finished.id).await.unwrap(), finished.contents);
    });
}

#[test]
fn a_dropped_draft_aborts_its_upload() {
    let server = Server::default();
    let blobs = server.blobs();
    block_on(async {
        let mut draft = blobs.draft(&owner()).await.unwrap();
        draft.write(content(LONG + 9 * CHUNK_BYTES).into()).await.unwrap();
        assert_eq!(server.left(), (0, 1));
        drop(draft);
    });
    // The runtime waited for the request that aborts it.
    assert_eq!(server.left(), (0, 0));
}

#[test]
fn a_listing_that_does_not_go_on_is_refused() {
    let server = Server::default();
    let blobs = server.blobs();
    block_on(async {
        for _ in 0..8 {
            drop(write_one(&blobs, 5).await);
        }
        for lie in ["the same page", "no XML", "another answer", "no size", "no time", "an empty page"] {
            let first = Mutex::new(None);
            server.lies(move |_, _, mut honest| {
                let text = String::from_utf8(honest.body.to_vec()).unwrap();
                honest.body = match lie {
                    "the same page" => first.lock().unwrap().get_or_insert(honest.body.clone()).clone(),
                    "no XML" => Bytes::from_static(b"<html>"),
                    "another answer" => Bytes::from_static(b"<html></html>"),
                    "no size" => text.replace("Size", "Sized").into(),
                    "no time" => text.replace(TIME, "yesterday").into(),
                    _ => Bytes::from_static(b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
                };
                Ok(honest)
            });
            let listed = blobs.list(None, 100).await;
            assert!(matches!(listed, Err(BlobError::Io { action: "list", .. })), "{lie}: {listed:?}");
        }
    });
}

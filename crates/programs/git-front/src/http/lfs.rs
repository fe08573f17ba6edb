//! Git LFS over HTTP: batches, files, and locks.
//!
//! Source: git-lfs's documentation, "Git LFS Batch API", "Basic Transfer API", "Git LFS File Locking API".

mod files;
mod locks;

use codecommit::transfer::{Client, TransferError};
use front::{Body, Response, ResponseBody};
use git_wire::lfs::{CONTENT_TYPE, Message};
use git_wire::{LfsEndpoint, RepositoryPath};
use http::{Method, StatusCode, request};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{GitHttp, answer};

/// Bytes of a message at most.
const MESSAGE_BYTES_MAX: usize = 512 << 10;

/// A request to Git LFS.
struct Asked<'a> {
    client: &'a Client,
    path: &'a RepositoryPath<'a>,
    head: &'a request::Parts,
    body: &'a mut Body,
}

impl Asked<'_> {
    /// The message of the request.
    async fn message<T: DeserializeOwned>(&mut self) -> Result<T, Response> {
        let bytes = self.body.whole(MESSAGE_BYTES_MAX).await.map_err(|error| error.response())?;
        serde_json::from_slice(&bytes)
            .map_err(|_| failed(StatusCode::UNPROCESSABLE_ENTITY, "The message is not valid."))
    }

    fn query(&self, key: &str) -> Option<String> {
        let pairs = self.head.uri.query().into_iter().flat_map(|query| query.split('&'));
        let found = pairs.filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key);
        found.map(|(_, value)| unescape(value))
    }
}

impl GitHttp {
    pub(super) async fn lfs(
        &self,
        client: &Client,
        path: &RepositoryPath<'_>,
        endpoint: LfsEndpoint<'_>,
        head: &request::Parts,
        body: &mut Body,
    ) -> Response {
        let asked = Asked { client, path, head, body };
        let answered = match (endpoint, &head.method) {
            (LfsEndpoint::Batch, &Method::POST) => self.batch(asked).await,
            (LfsEndpoint::Object(oid), &Method::GET) => self.file(asked, oid).await,
            (LfsEndpoint::Object(oid), &Method::PUT) => self.store_file(asked, oid).await,
            (LfsEndpoint::Verify(oid), &Method::POST) => self.verify_file(asked, oid).await,
            (LfsEndpoint::Locks, &Method::GET) => self.locks(asked).await,
            (LfsEndpoint::Locks, &Method::POST) => self.lock(asked).await,
            (LfsEndpoint::LocksVerify, &Method::POST) => self.verify_locks(asked).await,
            (LfsEndpoint::Unlock(id), &Method::POST) => self.unlock(asked, id).await,
            _ => Err(failed(StatusCode::METHOD_NOT_ALLOWED, "Git LFS has no such request.")),
        };
        answered.unwrap_or_else(|response| response)
    }
}

/// An answer with a message.
fn message<T: Serialize>(status: StatusCode, message: &T) -> Response {
    // A message of ours is always JSON.
    let body = serde_json::to_vec(message).unwrap_or_default();
    Response { status, headers: answer::headers(CONTENT_TYPE), body: ResponseBody::Whole(body) }
}

fn failed(status: StatusCode, words: impl Into<String>) -> Response {
    message(status, &Message { message: words.into() })
}

/// A refusal of a transfer, as git-lfs shows it.
fn refused(error: &TransferError) -> Response {
    failed(answer::refused(error).status, git_wire::clean(error.words().as_bytes()))
}

/// The text of a query's value.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                match (digit(rest.next()), digit(rest.next())) {
                    (Some(high), Some(low)) => (high << 4 | low) as u8,
                    _ => b'%',
                }
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn values_of_a_query_are_texts() {
        assert_eq!(unescape("a%2Fb+c%c3%a9"), "a/b cé");
        assert_eq!(unescape("%zz%4"), "%%");
    }
}

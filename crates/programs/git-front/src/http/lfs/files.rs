//! Batches and files of Git LFS.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use codecommit::transfer::Permitted;
use front::{Response, ResponseBody};
use futures_util::{Stream as _, StreamExt as _};
use git::Repository;
use git_wire::lfs::{
    Action, Actions, BASIC, BatchAnswer, BatchObject, BatchRequest, OBJECTS_MAX, ObjectError, Operation, Pointer,
    digest_of,
};
use http::StatusCode;
use http::header::AUTHORIZATION;
use http_body::{Body, Frame, SizeHint};

use super::{Asked, failed, message, refused};
use crate::http::{GitHttp, answer, arriving};
use crate::tokens;

/// For how many seconds a client may take an address for good.
const EXPIRES_IN: u64 = tokens::SECONDS.unsigned_abs();

impl GitHttp {
    pub(super) async fn batch(&self, mut asked: Asked<'_>) -> Result<Response, Response> {
        let request: BatchRequest = asked.message().await?;
        if request.objects.len() > OBJECTS_MAX {
            return Err(failed(StatusCode::PAYLOAD_TOO_LARGE, "A batch can have 1000 objects."));
        }
        if !request.transfers.is_empty() && !request.transfers.iter().any(|transfer| transfer == BASIC) {
            return Err(failed(StatusCode::UNPROCESSABLE_ENTITY, "The only transfer is basic."));
        }
        if request.hash_algo.as_deref().is_some_and(|name| name != "sha256") {
            return Err(failed(StatusCode::CONFLICT, "The only hash function is sha256."));
        }
        let repository = match request.operation {
            Operation::Download => self.transfers.pull(asked.client, asked.path.name).await,
            Operation::Upload => {
                let reference = request.reference.map(|reference| reference.name);
                self.transfers.push_beside(asked.client, asked.path.name, reference).await
            }
        };
        let repository = repository.and_then(Permitted::listed).map_err(|error| refused(&error))?;
        let digests: Vec<_> = request.objects.iter().map(|pointer| digest_of(&pointer.oid)).collect();
        let valid = digests.iter().flatten().copied().collect();
        let mut found = stored(&repository, valid).await?.into_iter();
        let entry = |(pointer, digest): (Pointer, Option<[u8; 32]>)| {
            let error = |code: u16, words: &str| Some(ObjectError { code, message: words.to_owned() });
            let bytes = digest.and_then(|_| found.next().flatten());
            let (actions, error) = match (request.operation, digest, bytes) {
                (_, None, _) => (None, error(422, "the name is no SHA-256")),
                (_, _, Some(bytes)) if bytes != pointer.size => (None, error(422, "the object has another size")),
                (Operation::Download, _, None) => (None, error(404, "the object does not exist")),
                (Operation::Download, _, Some(_)) => {
                    let download = Some(asked.action(&pointer.oid, ""));
                    (Some(Actions { download, ..Actions::default() }), None)
                }
                // Nothing is to be done.
                (Operation::Upload, _, Some(_)) => (None, None),
                (Operation::Upload, _, None) => {
                    let (upload, verify) = (asked.action(&pointer.oid, ""), asked.action(&pointer.oid, "/verify"));
                    (Some(Actions { upload: Some(upload), verify: Some(verify), ..Actions::default() }), None)
                }
            };
            BatchObject { pointer, actions, error }
        };
        let objects = request.objects.into_iter().zip(digests).map(entry).collect();
        Ok(message(StatusCode::OK, &BatchAnswer { transfer: BASIC, objects, hash_algo: "sha256" }))
    }

    pub(super) async fn file(&self, asked: Asked<'_>, oid: &str) -> Result<Response, Response> {
        let pulled = self.transfers.pull(asked.client, asked.path.name).await;
        let repository = pulled.and_then(Permitted::transferred).map_err(|error| refused(&error))?;
        let missing = || failed(StatusCode::NOT_FOUND, "The object does not exist.");
        let digest = digest_of(oid).ok_or_else(missing)?;
        let found = repository.large(digest).await.map_err(|error| refused(&error.into()))?;
        let reading = found.ok_or_else(missing)?.read_all();
        let bytes = reading.remaining_bytes();
        let body = ResponseBody::Stream(Box::pin(FileBody { reading, left: bytes }));
        Ok(Response { status: StatusCode::OK, headers: answer::headers("application/octet-stream"), body })
    }

    pub(super) async fn store_file(&self, asked: Asked<'_>, oid: &str) -> Result<Response, Response> {
        let pushed = self.transfers.push_beside(asked.client, asked.path.name, None).await;
        let repository = pushed.and_then(Permitted::changed).map_err(|error| refused(&error))?;
        let digest = digest_of(oid).ok_or_else(|| failed(StatusCode::NOT_FOUND, "The name is no SHA-256."))?;
        let encoding = || failed(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The content encoding is not gzip.");
        let mut source = arriving::source(&asked.head.headers, asked.body).ok_or_else(encoding)?;
        let mut draft = repository.store_large(digest).await.map_err(|error| refused(&error.into()))?;
        while let Some(piece) = source.next().await {
            let piece = piece.map_err(|_| failed(StatusCode::BAD_REQUEST, "The object broke off."))?;
            draft.write(piece).await.map_err(|error| refused(&error.into()))?;
        }
        draft.finish().await.map_err(|error| refused(&error.into()))?;
        Ok(Response {
            status: StatusCode::OK,
            headers: answer::headers("text/plain"),
            body: ResponseBody::Whole(Vec::new()),
        })
    }

    pub(super) async fn verify_file(&self, mut asked: Asked<'_>, oid: &str) -> Result<Response, Response> {
        let pointer: Pointer = asked.message().await?;
        let pushed = self.transfers.push_beside(asked.client, asked.path.name, None).await;
        let repository = pushed.and_then(Permitted::listed).map_err(|error| refused(&error))?;
        let digest = digest_of(oid).filter(|_| pointer.oid == oid);
        let found = stored(&repository, digest.into_iter().collect()).await?;
        match found.first() {
            Some(Some(bytes)) if *bytes == pointer.size => Ok(message(StatusCode::OK, &BTreeMap::<&str, &str>::new())),
            _ => Err(failed(StatusCode::NOT_FOUND, "The object was not stored.")),
        }
    }
}

impl Asked<'_> {
    /// The address of an object, with the credentials that only this client has.
    fn action(&self, oid: &str, rest: &str) -> Action {
        let scheme = if self.client.secure { "https" } else { "http" };
        let host = self.client.host.as_deref().unwrap_or_default();
        let href = format!("{scheme}://{host}{}/info/lfs/objects/{oid}{rest}", self.path.remote);
        let stated = self.head.headers.get(AUTHORIZATION).and_then(|stated| stated.to_str().ok());
        let token = stated.filter(|stated| stated.starts_with(tokens::SCHEME));
        let header = token.map(|token| ("Authorization".to_owned(), token.to_owned())).into_iter().collect();
        Action { href, header, expires_in: EXPIRES_IN }
    }
}

async fn stored(repository: &Repository, digests: Vec<[u8; 32]>) -> Result<Vec<Option<u64>>, Response> {
    repository.large_bytes(digests).await.map_err(|error| refused(&error.into()))
}

/// A file as it is read.
struct FileBody {
    reading: blobs::Reading,
    left: u64,
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.reading).poll_next(task).map(|piece| match piece {
            Some(Ok(bytes)) => {
                self.left = self.left.saturating_sub(bytes.len() as u64);
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(error)) => Some(Err(error.into())),
            None => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

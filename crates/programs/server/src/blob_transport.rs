//! Signed requests to S3 for the blobs in a bucket. Knows nothing of blobs.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use blobs::{S3_ANSWER_BYTES_MAX, S3Answer, S3Location, S3Request, S3Transport, S3Unanswered};
use bytes::Bytes;
use client::{ClientError, Environment, Limits, Request, Session, Signing, Transport, TransportError};
use crypto::SecretBytes;
use http::Uri;
use tokio::runtime::Runtime;

/// From sending a request until its answer is here: enough for a part of 8 MiB over a slow line.
const ANSWER: Duration = Duration::from_secs(120);

/// Sends the requests, on a runtime of its own: callers wait on threads of runtimes that may end before it.
pub(crate) struct BlobTransport {
    sender: Arc<Sender>,
    /// Always there; taken when it is dropped.
    runtime: Option<Runtime>,
}

struct Sender {
    session: Session,
    transport: Transport,
    endpoint: String,
    region: String,
}

impl BlobTransport {
    /// A transport to the server of `location`, as the holder of the credentials that its profile leads to.
    ///
    /// # Errors
    /// Those of reading the AWS configuration, and [`ClientError::NoRegion`].
    pub(crate) fn new(location: &S3Location, environment: Environment, answer: Duration) -> Result<Self, ClientError> {
        let session = Session::read(environment, location.profile.as_deref())?;
        let region = location.region.as_deref().map_or_else(|| session.region(), Ok)?.to_owned();
        let endpoint = match &location.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => session.s3_endpoint(&region)?.to_string(),
        };
        let transport = session.transport(Limits { answer, body_bytes_max: S3_ANSWER_BYTES_MAX, ..Limits::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("blobs-s3")
            .enable_all()
            .build()
            .map_err(|cause| TransportError::Connect { host: endpoint.clone(), cause })?;
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Ok(Self { sender: Arc::new(Sender { session, transport, endpoint, region }), runtime: Some(runtime) })
    }

    /// A transport as the process's environment says.
    ///
    /// # Errors
    /// As for [`BlobTransport::new`].
    pub(crate) fn of_process(location: &S3Location) -> Result<Self, ClientError> {
        Self::new(location, Environment::of_process(), ANSWER)
    }
}

impl Sender {
    async fn send(&self, request: S3Request) -> Result<S3Answer, ClientError> {
        let S3Request { method, path_and_query, headers, body } = request;
        let text = format!("{}{path_and_query}", self.endpoint);
        let uri: Uri = text.parse().map_err(|_| TransportError::Url(text))?;
        let credentials = self.session.credentials().await?;
        let signing = Signing { credentials: &credentials, region: &self.region, service: "s3" };
        let body = SecretBytes::from(body.to_vec());
        let answer = self.transport.send_signed(Request { method, uri, headers, body }, &signing).await?;
        let body = Bytes::copy_from_slice(answer.body.expose());
        Ok(S3Answer { status: answer.status, headers: answer.headers, body })
    }
}

impl S3Transport for BlobTransport {
    fn send(&self, request: &S3Request) -> Result<S3Answer, S3Unanswered> {
        let stopped = || S3Unanswered { detail: "the process is ending".to_owned(), transient: false };
        let (sender, request) = (Arc::clone(&self.sender), request.clone());
        let (done, answered) = mpsc::sync_channel(1);
        self.runtime.as_ref().ok_or_else(stopped)?.spawn(async move {
            // The caller may have stopped waiting.
            let _ = done.send(sender.send(request).await);
        });
        let answered = answered.recv().map_err(|_| stopped())?;
        answered.map_err(|error| S3Unanswered {
            transient: matches!(&error, ClientError::Transport(error) if error.is_transient()),
            detail: error.to_string(),
        })
    }
}

impl Drop for BlobTransport {
    fn drop(&mut self) {
        // Without waiting: this may be a thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests;

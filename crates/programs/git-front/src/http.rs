//! Git's smart protocol over HTTP.
//!
//! A request's body arrives whole before its answer begins; the answer flows.

mod answer;
mod arriving;
mod authentication;
mod lfs;

use std::sync::Arc;

use codecommit::transfer::{Carrier, Client, Output, Packets, TransferError, Transfers, Upload, archive};
use front::{Peer, Request, Response, ResponseBody};
use git_wire::{Endpoint, RepositoryPath, Service, Version};
use http::header::{CONTENT_TYPE, HOST, HeaderName, USER_AGENT};
use http::{HeaderMap, Method, StatusCode, request};
use service::ports::Authority;
use wire::Timestamp;

use crate::tokens::Tokens;
use answer::{Answer, refuse, refused, told};

/// Pieces of an answer that wait for the client.
const PIECES_AHEAD: usize = 8;

const GIT_PROTOCOL: HeaderName = HeaderName::from_static("git-protocol");

/// Whether a path belongs to Git.
#[must_use]
pub fn is_git_path(path: &str) -> bool {
    path.starts_with("/v1/repos/")
}

/// Git over HTTP.
pub struct GitHttp {
    transfers: Transfers,
    authority: Arc<dyn Authority>,
    region: String,
    clock: fn() -> Timestamp,
    tokens: Tokens,
}

impl GitHttp {
    /// Git over HTTP for the callers that `authority` knows. `region` is that of repositories, unless the host that a
    /// client calls names another.
    #[must_use]
    pub fn new(transfers: Transfers, authority: Arc<dyn Authority>, region: String, clock: fn() -> Timestamp) -> Self {
        Self { transfers, authority, region, clock, tokens: Tokens::default() }
    }

    /// The same that takes tokens which were issued elsewhere.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = tokens;
        self
    }

    /// Answers a request to a path of Git's.
    pub async fn handle(&self, request: Request<'_>) -> Response {
        let Request { head, body, peer } = request;
        let request::Parts { method, uri, headers, .. } = &head;
        let Some(path) = RepositoryPath::parse(uri.path(), uri.query()) else {
            return refuse(
                StatusCode::NOT_FOUND,
                "There is nothing at this address. Repositories are at /v1/repos/NAME.\n",
            );
        };
        // Before anything else, so that a stranger learns of no repository.
        let client = match self.client(uri, headers, peer, &path).await {
            Ok(client) => client,
            Err(response) => return response,
        };
        let version = Version::of(headers.get(GIT_PROTOCOL).map_or(&[], http::HeaderValue::as_bytes));
        match path.endpoint {
            Endpoint::Dumb => refuse(
                StatusCode::FORBIDDEN,
                "This server speaks Git's smart protocol alone. Git 1.6.6 and later speak it.\n",
            ),
            Endpoint::Lfs(endpoint) => self.lfs(&client, &path, endpoint, &head, body).await,
            Endpoint::Advertisement(service) if method == Method::GET || method == Method::HEAD => {
                self.discover(client, path.name, service, version).await
            }
            Endpoint::Advertisement(_) => refuse(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here.\n"),
            Endpoint::Rpc(_) if method != Method::POST => {
                refuse(StatusCode::METHOD_NOT_ALLOWED, "Only POST is answered here.\n")
            }
            Endpoint::Rpc(service) => {
                let expected = format!("application/x-{}-request", service.name());
                if headers.get(CONTENT_TYPE).is_none_or(|stated| stated.as_bytes() != expected.as_bytes()) {
                    return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The content type is none of Git's.\n");
                }
                let Some(source) = arriving::source(headers, body) else {
                    return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The content encoding is not gzip.\n");
                };
                let packets = Packets::new(source);
                match service {
                    Service::ReceivePack => self.push(client, path.name, packets).await,
                    Service::UploadPack | Service::UploadArchive => {
                        self.upload(client, path.name, service, version, packets).await
                    }
                }
            }
        }
    }

    async fn discover(&self, client: Client, name: &str, service: Service, version: Version) -> Response {
        let discovery = match self.transfers.discover(&client, name, service, version, true).await {
            Ok(discovery) => discovery,
            Err(error) => return refused(&error),
        };
        let (output, pieces) = Output::new(PIECES_AHEAD);
        tokio::spawn(async move { discovery.send(&output).await });
        answered(&format!("application/x-{}-advertisement", service.name()), Answer::new(pieces))
    }

    async fn upload(
        &self,
        client: Client,
        name: &str,
        service: Service,
        version: Version,
        mut packets: Packets,
    ) -> Response {
        let permitted = match self.transfers.pull(&client, name).await {
            Ok(permitted) => permitted,
            Err(error) => return refused(&error),
        };
        if let Err(error) = packets.gather().await {
            return refused(&error);
        }
        let (output, pieces) = Output::new(PIECES_AHEAD);
        tokio::spawn(async move {
            let served = if service == Service::UploadArchive {
                archive(permitted, &mut packets, &output).await
            } else {
                Upload::new(permitted, true).serve(version, &mut packets, &output).await
            };
            log(&client, "fetch", &served);
        });
        answered(&format!("application/x-{}-result", service.name()), Answer::new(pieces))
    }

    async fn push(&self, client: Client, name: &str, mut packets: Packets) -> Response {
        const RESULT: &str = "application/x-git-receive-pack-result";
        let push = match self.transfers.receive(&client, name, &mut packets, true).await {
            Ok(Some(push)) => push,
            Ok(None) => return answered(RESULT, Answer::empty()),
            // A client that sent a pack reads no other status than this.
            Err(error @ TransferError::Wire(_)) => return told(RESULT, &error, packets).await,
            Err(error) => return refused(&error),
        };
        let (output, pieces) = Output::new(PIECES_AHEAD);
        let transfers = self.transfers.clone();
        tokio::spawn(async move {
            let finished = transfers.finish(&client, push, &output).await;
            log(&client, "push", &finished);
        });
        answered(RESULT, Answer::new(pieces))
    }

    /// Who calls, and whence.
    async fn client(
        &self,
        uri: &http::Uri,
        headers: &HeaderMap,
        peer: Peer,
        path: &RepositoryPath<'_>,
    ) -> Result<Client, Response> {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let host = uri.authority().map(http::uri::Authority::as_str).or_else(|| text(HOST));
        let region = host.and_then(region_of).unwrap_or(&self.region);
        let caller = self.authenticate(headers, host, region, path).await?;
        Ok(Client {
            caller,
            region: region.to_owned(),
            ip: peer.ip,
            secure: peer.secure,
            host: host.map(str::to_owned),
            user_agent: text(USER_AGENT).unwrap_or_default().to_owned(),
            carrier: Carrier::Http,
        })
    }
}

/// The Region in a host of AWS's: `git-codecommit.REGION.amazonaws.com`.
fn region_of(host: &str) -> Option<&str> {
    let rest = host.strip_prefix("git-codecommit.").or_else(|| host.strip_prefix("git-codecommit-fips."))?;
    rest.split_once('.').map(|(region, _)| region)
}

/// A successful answer of Git's.
fn answered(content_type: &str, answer: Answer) -> Response {
    let headers = answer::headers(content_type);
    Response { status: StatusCode::OK, headers, body: ResponseBody::Stream(Box::pin(answer)) }
}

/// Logs what the client has been told already.
fn log(client: &Client, what: &str, outcome: &Result<(), TransferError>) {
    if let Err(error) = outcome {
        let ip = client.ip;
        if error.is_ours() {
            tracing::error!(%ip, %error, "a {what} failed");
        } else {
            // What a repository is called and has stays out of the log.
            tracing::debug!(%ip, "a {what} was refused");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_git_path, region_of};

    #[test]
    fn a_region_is_read_from_hosts_of_awss_alone() {
        assert_eq!(region_of("git-codecommit.eu-west-1.amazonaws.com:8443"), Some("eu-west-1"));
        assert_eq!(region_of("git-codecommit-fips.us-east-2.amazonaws.com"), Some("us-east-2"));
        assert_eq!(region_of("localhost:4566"), None);
        assert!(is_git_path("/v1/repos/x") && !is_git_path("/v1/repos") && !is_git_path("/"));
    }
}

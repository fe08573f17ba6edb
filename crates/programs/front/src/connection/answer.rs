//! One request and its answer: the way to the application and back, for both versions of HTTP.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::{CONNECTION, EXPECT, HeaderValue};
use hyper::body::Incoming;

use super::outgoing::Outgoing;
use super::{Connection, Protocol};
use crate::application::{Application, Request, Response, ResponseBody};
use crate::body::Body;
use crate::front::Front;

/// The form in which hyper sends a response.
pub(super) type Answer = http::Response<Outgoing>;

/// One connection as its requests see it.
pub(super) struct Visit<A> {
    pub(super) front: Arc<Front<A>>,
    pub(super) connection: Arc<Connection>,
}

impl<A: Application> Visit<A> {
    /// Answers one request.
    pub(super) async fn answer(&self, request: http::Request<Incoming>) -> Answer {
        let Connection { shared, state, peer, protocol } = &*self.connection;
        let Some(turn) = state.begin() else { return closed().await };
        let (head, incoming) = request.into_parts();
        let awaits_continue = head.headers.contains_key(EXPECT);
        let mut body = Body::new(incoming, Arc::clone(&self.connection), turn, awaits_continue);
        let draining = shared.draining.load(Ordering::Relaxed);
        if let Some(page) = self.front.application.page(&head, *peer, draining) {
            return to_hyper(page, None);
        }
        if !body.begins() {
            return closed().await;
        }
        match protocol {
            Protocol::Http1 => {
                let request = Request { head, body: &mut body, peer: *peer };
                let response = self.front.application.handle(request).await;
                body.finish().await;
                if body.is_closed() {
                    return closed().await;
                }
                let unread = body.is_unread();
                let mut answer = to_hyper(response, Some(body));
                if unread {
                    // The rest of what the client sends is not the next request.
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                answer
            }
            // A client that resets the stream drops this, and may not stop the call halfway: what it has changed has
            // to reach the audit trail.
            Protocol::Http2 => {
                let (front, peer) = (Arc::clone(&self.front), *peer);
                let serving = tokio::spawn(async move {
                    let response = front.application.handle(Request { head, body: &mut body, peer }).await;
                    (!body.is_closed()).then(|| to_hyper(response, Some(body)))
                });
                match serving.await {
                    Ok(Some(answer)) => answer,
                    Ok(None) => closed().await,
                    Err(ended) => match ended.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        Err(_) => closed().await,
                    },
                }
            }
        }
    }
}

/// The connection limiter has closed the connection, and its task is about to end: there is nobody to answer.
async fn closed() -> Answer {
    std::future::pending().await
}

/// The form in which hyper sends a response. A streamed one keeps the request open to its end.
fn to_hyper(response: Response, request: Option<Body>) -> Answer {
    let Response { status, headers, body } = response;
    let outgoing = match body {
        ResponseBody::Whole(bytes) => Outgoing::whole(bytes),
        ResponseBody::Stream(stream) => Outgoing::stream(stream, request),
    };
    let mut answer = http::Response::new(outgoing);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

//! The HTTP front of a program: port, TLS, limits, connections and the threads that serve them.
//!
//! Knows bytes and HTTP; what a request means is the [`Application`]'s. Any program that serves HTTP stands on this.

mod application;
mod body;
mod certificates;
mod connection;
mod connection_limiter;
mod content;
mod error;
mod front;
mod limits;
mod listener;
pub mod pages;
pub mod private_file;
pub mod process;
mod serving;
mod shared;
mod workers;

pub use application::{Application, Peer, Request, Response, ResponseBody, ResponseStream};
pub use body::{Body, BodyError, BodyStream};
pub use certificates::{CertificateSource, Certificates, OwnCertificate};
pub use connection_limiter::Closed;
pub use error::FrontError;
pub use front::Front;
pub use limits::Limits;
pub use listener::Listener;
pub use serving::{Drained, Serving};
pub use shared::{Statistics, Traffic};
pub use workers::Workers;

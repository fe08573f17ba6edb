//! The example service of `docs/adding-a-service.md`: boxes on shelves, whose contents are sealed blobs.
//!
//! It speaks three protocols, has operations whose payload flows in either direction, and is called without HTTP as well.
//! Served by no program: the tests and the benchmarks mount it.

mod boxed;
mod describe_box;
mod echo;
mod error;
mod get_box;
mod put_box;

use std::sync::Arc;

use blobs::{Blobs, Owner};
use policy::Policy;
use service::{Entry, Service, operations};
use store::Store;
use wire::Protocol;
use wire::protocol::Route;

pub use boxed::{BoxName, BoxRecord};
pub use describe_box::{DescribeBox, DescribeBoxInput, DescribeBoxOutput};
pub use error::ToyError;

/// Where operations are found by method and path.
static ROUTES: &[Route] = &[
    Route { operation: "PutBox", method: "PUT", uri: "/{Shelf}/{Box+}", header: "", status: 201 },
    Route { operation: "GetBox", method: "GET", uri: "/{Shelf}/{Box+}", header: "", status: 200 },
    Route { operation: "Echo", method: "POST", uri: "/{Shelf}?echo", header: "", status: 200 },
];

/// Shelves and their boxes.
pub struct Toy {
    store: Store,
    blobs: Blobs,
    owner: Owner,
    /// A shelf with a policy of its own, as a bucket has.
    open_shelf: Option<(String, Arc<Policy>)>,
}

impl Toy {
    /// A toy whose boxes are records in `store`, and whose contents are in `blobs` under `owner`'s key.
    #[must_use]
    pub const fn new(store: Store, blobs: Blobs, owner: Owner) -> Self {
        Self { store, blobs, owner, open_shelf: None }
    }

    /// The same with a policy for the boxes of one shelf, which may allow something to anybody.
    #[must_use]
    pub fn with_open_shelf(mut self, shelf: &str, policy: Policy) -> Self {
        self.open_shelf = Some((shelf.to_owned(), Arc::new(policy)));
        self
    }
}

impl Service for Toy {
    const NAME: &'static str = "toy";
    const EVENT_SOURCE: &'static str = "toy.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] = &[
        Protocol::cbor("Toy_20261129", "com.amazonaws.toy"),
        Protocol::json("1.1", "Toy_20261129"),
        Protocol::rest_xml("http://toy.amazonaws.com/doc/2026-11-29/", ROUTES),
    ];
    const ANONYMOUS: bool = true;
    type Error = ToyError;

    fn operations() -> &'static [Entry<Self>] {
        operations![describe_box::DescribeBox, echo::Echo, get_box::GetBox, put_box::PutBox]
    }
}

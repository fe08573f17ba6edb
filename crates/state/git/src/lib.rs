//! Git repositories that are sealed at rest: packs as blobs, references and metadata in ordered indexes.
//!
//! Owns objects, references, pushes and maintenance. Refuses to know wires, callers and keys' owners.
//!
//! A [`Repository`] is one time of a repository. What it has is never changed: a push makes a pack of its own, which
//! [`Received::publish`] adds together with the references that lead to it, in one transaction of the store.

mod bitmaps;
mod check;
mod chunks;
mod error;
mod git;
mod graph;
mod large;
mod links;
mod lock;
mod maintenance;
mod memory;
mod objects;
mod pack;
mod places;
mod publish;
mod reach;
mod receive;
mod received;
mod record;
mod references;
mod relatives;
mod repository;
mod select;
mod summary;
mod turns;
mod upload;
mod verify;

pub use bitmaps::Mapped;
pub use error::GitError;
pub use git::{Git, SERVICE, Settings};
pub use large::LargeDraft;
pub use lock::{LOCKED_PATH_BYTES_MAX, Lock, Locking};
pub use maintenance::{Maintained, Maintenance, MaintenanceProgress, Swapped};
pub use objects::{Object, Objects};
pub use publish::{NAME_BYTES_MAX, RefOutcome, RefUpdate};
pub use reach::{Boundary, Deepen};
pub use receive::{Progress, Receiving};
pub use received::Received;
pub use references::{Reference, References};
pub use repository::{RefChange, Repository};
pub use select::{Filter, Wanted};
pub use upload::{PackStream, UploadEvent};
pub use verify::{Fault, Verified};

//! Git repositories that are sealed at rest: packs as blobs, references and metadata in ordered indexes.
//!
//! Owns objects, references, pushes and maintenance. Refuses to know wires, callers and keys' owners.

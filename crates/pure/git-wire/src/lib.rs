//! Git's wire: packet lines, capabilities, and the messages of upload-pack and receive-pack, as functions.
//!
//! Owns their bytes. Refuses to know sockets, repositories and callers.

//! Git LFS's messages: which files a client has or wants, where they are, and who has locked which.
//!
//! Owns their JSON. Refuses to know where files are stored.
//!
//! Source: git-lfs's documentation, "Git LFS Batch API", "Git LFS File Locking API".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The content type of all messages.
pub const CONTENT_TYPE: &str = "application/vnd.git-lfs+json";

/// The only way in which files are transferred.
pub const BASIC: &str = "basic";

/// Files in a batch at most.
pub const OBJECTS_MAX: usize = 1000;

/// The operation of a client on files.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// To get them.
    Download,
    /// To store them.
    Upload,
}

/// A file.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Pointer {
    /// Its SHA-256 in 64 hexadecimal digits.
    pub oid: String,
    /// Its length in bytes.
    pub size: u64,
}

/// A reference that a client works on.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct RefName {
    /// Its full name.
    pub name: String,
}

/// A request about several files.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct BatchRequest {
    /// The operation.
    pub operation: Operation,
    /// The ways in which it can transfer files; none is `basic` alone.
    #[serde(default)]
    pub transfers: Vec<String>,
    /// The files.
    pub objects: Vec<Pointer>,
    /// The reference that it works on.
    #[serde(rename = "ref", default)]
    pub reference: Option<RefName>,
    /// The hash function of the files' names, SHA-256 if it says nothing.
    #[serde(default)]
    pub hash_algo: Option<String>,
}

/// An address, and with which headers to call it.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Action {
    /// The address.
    pub href: String,
    /// Headers to be sent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub header: BTreeMap<String, String>,
    /// For how many seconds it can be called.
    pub expires_in: u64,
}

/// The actions for a file. None for one that is stored already.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Actions {
    /// Where to get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download: Option<Action>,
    /// Where to store it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<Action>,
    /// Where to ask whether it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<Action>,
}

/// Why nothing can be done with a file.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct ObjectError {
    /// A status of HTTP.
    pub code: u16,
    /// In words.
    pub message: String,
}

/// The answer about a file.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct BatchObject {
    /// The file.
    #[serde(flatten)]
    pub pointer: Pointer,
    /// The actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Actions>,
    /// Why nothing can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ObjectError>,
}

/// The answer to a [`BatchRequest`].
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct BatchAnswer {
    /// The way in which files are transferred.
    pub transfer: &'static str,
    /// The files, in the order of the request.
    pub objects: Vec<BatchObject>,
    /// The hash function of the files' names.
    pub hash_algo: &'static str,
}

/// Any failure.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Message {
    /// In words.
    pub message: String,
}

/// A name to be shown.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub name: String,
}

/// A lock.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Lock {
    /// Its id.
    pub id: String,
    /// The path that it is on.
    pub path: String,
    /// Since when, in RFC 3339.
    pub locked_at: String,
    /// Whose it is.
    pub owner: Name,
}

/// A wish to lock a path.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct LockRequest {
    /// The path.
    pub path: String,
}

/// A wish to remove a lock.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct UnlockRequest {
    /// Whether it may be somebody else's.
    #[serde(default)]
    pub force: bool,
}

/// A wish to know one's own locks and those of others.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct VerifyRequest {
    /// Where an answer before ended.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many locks to show at most.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// One lock: made, removed, or in the way.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct LockAnswer {
    /// The lock.
    pub lock: Lock,
    /// The error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'static str>,
}

/// Several locks.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct LocksAnswer {
    /// The locks.
    pub locks: Vec<Lock>,
    /// Where the next answer is to begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One's own locks and those of others.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct VerifyAnswer {
    /// The caller's.
    pub ours: Vec<Lock>,
    /// All others.
    pub theirs: Vec<Lock>,
    /// Where the next answer is to begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The SHA-256 that 64 lower-case hexadecimal digits are.
#[must_use]
pub fn digest_of(oid: &str) -> Option<[u8; 32]> {
    let lower = oid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let id = git_object::ObjectId::from_hex(git_object::ObjectFormat::Sha256, oid.as_bytes()).ok()?;
    id.as_bytes().try_into().ok().filter(|_| lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_git_lfs_is_read() {
        let text = r#"{"operation":"upload","objects":[{"oid":"ab","size":3}],"transfers":["lfs-standalone-file","basic"],
            "ref":{"name":"refs/heads/main"},"hash_algo":"sha256","unknown":1}"#;
        let request: BatchRequest = serde_json::from_str(text).expect("a request");
        assert_eq!(request.operation, Operation::Upload);
        assert_eq!(request.objects, [Pointer { oid: "ab".into(), size: 3 }]);
        let text = r#"{"operation":"download","objects":[]}"#;
        assert!(serde_json::from_str::<BatchRequest>(text).is_ok());
        let text = r#"{"operation":"delete","objects":[]}"#;
        assert!(serde_json::from_str::<BatchRequest>(text).is_err());
    }

    #[test]
    fn an_entry_has_what_is_to_be_done_or_why_nothing_can_be() {
        let pointer = Pointer { oid: "ab".into(), size: 3 };
        let action = Action { href: "https://h/x".into(), header: BTreeMap::new(), expires_in: 60 };
        let actions = Some(Actions { download: Some(action), ..Actions::default() });
        let object = BatchObject { pointer: pointer.clone(), actions, error: None };
        let text = serde_json::to_string(&object).expect("JSON");
        let expected = r#"{"oid":"ab","size":3,"actions":{"download":{"href":"https://h/x","expires_in":60}}}"#;
        assert_eq!(text, expected);
        let error = Some(ObjectError { code: 404, message: "no".into() });
        let text = serde_json::to_string(&BatchObject { pointer, actions: None, error }).expect("JSON");
        assert_eq!(text, r#"{"oid":"ab","size":3,"error":{"code":404,"message":"no"}}"#);
    }

    #[test]
    fn a_digest_has_64_digits_in_lower_case() {
        assert_eq!(digest_of(&"ab".repeat(32)), Some([0xab; 32]));
        assert_eq!(digest_of(&"AB".repeat(32)), None);
        assert_eq!(digest_of(&"ab".repeat(20)), None);
    }
}

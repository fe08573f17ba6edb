//! Why a document is not a policy, and where.

/// A document that is not a policy: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if at.is_empty() { String::new() } else { format!("{at}: ") })]
pub struct Malformed {
    /// What is wrong, as a sentence.
    pub message: String,
    /// Where: a path such as `Statement[2].Condition.StringEquals`; empty when it is the document as a whole.
    pub at: String,
}

//! Why objects cannot be compared or merged.

use git_object::{Collision, FormError};

/// An object that cannot be read, or a bound that was reached.
#[derive(Debug, thiserror::Error)]
pub enum DiffError<E> {
    /// The source of objects has failed.
    #[error("an object cannot be read")]
    Source(#[source] E),
    /// An object is not what its kind says.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A made object has the id of other content.
    #[error(transparent)]
    Collision(#[from] Collision),
    /// A name would be in a folder twice, or cannot be in one.
    #[error("a folder would have a name twice or an impossible one")]
    Names,
    /// Folders lie deeper in each other than is looked at.
    #[error("folders are nested too deeply")]
    Deep,
    /// There are more entries than is looked at.
    #[error("there are too many entries or commits")]
    Large,
}

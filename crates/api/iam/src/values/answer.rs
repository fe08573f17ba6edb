//! Answers with one member, and inputs without any.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

wire::shape! {
    /// The input of an operation that is given nothing.
    pub struct NoInput {}
}

/// Something that is all of an answer.
pub(crate) trait Single: Serialize {
    /// The answer's member.
    const MEMBER: &'static str;
}

/// An answer that has one member.
pub(crate) struct Answer<T>(pub(crate) T);

impl<T: Single> Serialize for Answer<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut members = out.serialize_struct("Answer", 1)?;
        members.serialize_field(T::MEMBER, &self.0)?;
        members.end()
    }
}

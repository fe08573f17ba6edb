//! The forms of serde that no answer has, in either protocol.

/// The part of a `Serializer` that refuses structures without names and variants of several values.
macro_rules! refuse_unanswered {
    ($error:ty, $refusal:expr) => {
        type SerializeTupleStruct = serde::ser::Impossible<(), $error>;
        type SerializeTupleVariant = serde::ser::Impossible<(), $error>;
        type SerializeStructVariant = serde::ser::Impossible<(), $error>;

        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, $error> {
            Err($refusal)
        }

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, $error> {
            Err($refusal)
        }

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, $error> {
            Err($refusal)
        }
    };
}
pub(crate) use refuse_unanswered;

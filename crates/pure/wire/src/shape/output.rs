//! Outputs whose members say where they travel: what [`shape!`](crate::shape!) is for inputs.

use super::{Described, MemberInfo};

/// A structure that [`output!`](crate::output!) declared.
pub trait Output: serde::Serialize + Described {
    /// Its members in declared order.
    const MEMBERS: &'static [MemberInfo];
}

/// Declares an output, or a structure of one.
///
/// ```
/// use wire::shape::Binding::{Flat, Header, Item, PrefixHeaders};
///
/// wire::output! {
///     /// The output of `HeadObject`, and more.
///     pub struct HeadObjectOutput {
///         "ETag" e_tag: String, required, [Header("etag")];
///         "Metadata" metadata: std::collections::BTreeMap<String, String>, default, [PrefixHeaders("x-amz-meta-")];
///         "Parts" parts: Vec<String>, default, [Flat, Item("Part")];
///         "Owner" owner: String, optional;
///     }
/// }
/// ```
///
/// `required` members are always written; `default` ones unless they are the type's default; `optional` ones, which are
/// `Option`, if there is one. Lists of a wrapper are `required` where an empty one has to be seen.
#[macro_export]
macro_rules! output {
    ($(#[$doc:meta])* $vis:vis struct $name:ident {
        $($wire:literal $field:ident : $kind:ty, $presence:ident $(, [$($binding:expr),* $(,)?])?;)*
    }) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "the members are AWS's own and documented there")]
        $vis struct $name {
            $(pub $field: $crate::shape!(@type $presence $kind),)*
        }

        impl ::serde::Serialize for $name {
            #[allow(unused_mut, reason = "unused by an output without members")]
            fn serialize<S: ::serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeStruct as _;
                let length = <Self as $crate::shape::Output>::MEMBERS.len();
                let mut members = out.serialize_struct(stringify!($name), length)?;
                $($crate::output!(@write $presence self.$field, $wire, members);)*
                members.end()
            }
        }

        impl $crate::shape::Described for $name {
            const INNER: &'static [$crate::shape::MemberInfo] = <Self as $crate::shape::Output>::MEMBERS;
            const KIND: $crate::shape::Kind = $crate::shape::Kind::Structure;
        }

        impl $crate::shape::Output for $name {
            const MEMBERS: &'static [$crate::shape::MemberInfo] = &[
                $($crate::shape::MemberInfo {
                    name: $wire,
                    required: $crate::shape!(@required $presence),
                    secret: false,
                    rules: &[],
                    kind: <$kind as $crate::shape::Described>::KIND,
                    inner: <$kind as $crate::shape::Described>::INNER,
                    place: $crate::shape::Place::of(&[$($($binding),*)?]),
                },)*
            ];
        }
    };
    (@write optional $value:expr, $name:literal, $out:expr) => {
        if let Some(value) = &$value {
            $out.serialize_field($name, value)?;
        }
    };
    (@write default $value:expr, $name:literal, $out:expr) => {
        if !$crate::shape::Described::is_default(&$value) {
            $out.serialize_field($name, &$value)?;
        }
    };
    (@write required $value:expr, $name:literal, $out:expr) => {
        $out.serialize_field($name, &$value)?
    };
}

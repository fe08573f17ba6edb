//! Structures that travel both ways and are stored in between: configurations that an operation puts and another gets.

/// Declares a structure as [`shape!`](crate::shape!) does, which is an [`Output`](super::Output) as well, and whose stored
/// form is that of its members by their wire names.
///
/// ```
/// use wire::shape::Binding::{Flat, Name};
///
/// wire::document! {
///     /// Which pages of other sites may call.
///     pub struct CorsRule {
///         "AllowedOrigins" allowed_origins: Vec<String>, required, [], [Name("AllowedOrigin"), Flat];
///         "MaxAgeSeconds" max_age_seconds: i32, optional, [];
///     }
/// }
///
/// let rule: CorsRule = serde_json::from_str(r#"{"AllowedOrigins": ["*"]}"#).expect("a rule");
/// assert_eq!(rule.max_age_seconds, None);
/// ```
#[macro_export]
macro_rules! document {
    ($(#[$doc:meta])* $vis:vis struct $name:ident {
        $($wire:literal $field:ident : $kind:ty, $presence:ident, [$($rule:expr),* $(,)?]
            $(, [$($binding:expr),* $(,)?])?;)*
    }) => {
        $crate::shape! {
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq)]
            $vis struct $name {
                $($wire $field: $kind, $presence, [$($rule),*] $(, [$($binding),*])?;)*
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeStruct as _;
                let length = <Self as $crate::shape::Shape>::MEMBERS.len();
                let mut members = out.serialize_struct(stringify!($name), length)?;
                $($crate::output!(@write $presence self.$field, $wire, members);)*
                members.end()
            }
        }

        impl $crate::shape::Output for $name {
            const MEMBERS: &'static [$crate::shape::MemberInfo] = <Self as $crate::shape::Shape>::MEMBERS;
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                #[derive(::serde::Deserialize)]
                struct Stored { $(#[serde(rename = $wire)] $field: Option<$kind>,)* }

                let stored = <Stored as ::serde::Deserialize>::deserialize(from)?;
                Ok(Self { $($field: $crate::document!(@stored $presence stored.$field, $wire),)* })
            }
        }
    };
    (@stored required $value:expr, $name:literal) => {
        $value.ok_or_else(|| <D::Error as ::serde::de::Error>::missing_field($name))?
    };
    (@stored default $value:expr, $name:literal) => { $value.unwrap_or_default() };
    (@stored optional $value:expr, $name:literal) => { $value };
}

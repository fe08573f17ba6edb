//! Enumerations as they are decoded: the value of a text, or the text if it is none.

use std::fmt;

use super::{Path, Violations, quote};
use crate::reader::{Malformed, Reader};

/// A type whose values are texts on the wire.
pub trait FromText: Sized {
    /// The value of a text.
    fn from_text(text: &str) -> Option<Self>;
}

/// A value by its text, or the beginning of what the caller sent instead, for the message once all is decoded.
pub struct Chosen<T>(pub Result<T, String>);

impl<T: FromText> Chosen<T> {
    /// Reads a text.
    ///
    /// # Errors
    /// The value is not one.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let text = reader.text()?;
        Ok(Self(T::from_text(&text).ok_or_else(|| quote(&text).to_owned())))
    }
}

impl<T> Chosen<T> {
    /// The value, or a violation that lists the texts there are.
    pub fn check(self, texts: &[&str], path: &Path<'_>, violations: &mut Violations) -> Option<T> {
        self.0
            .inspect_err(|text| {
                struct Texts<'a>(&'a [&'a str]);
                impl fmt::Display for Texts<'_> {
                    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                        self.0.iter().enumerate().try_for_each(|(at, text)| {
                            out.write_str(if at == 0 { "" } else { ", " })?;
                            out.write_str(text)
                        })
                    }
                }
                let rule = format_args!("Member must satisfy enum value set: [{}]", Texts(texts));
                violations.add(Some(text), path, rule);
            })
            .ok()
    }
}

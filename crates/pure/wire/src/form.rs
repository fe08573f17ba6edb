//! Forms with a file, `multipart/form-data`, as browsers send them: fields first, bounded, and then the file as a stream.
//!
//! Does no I/O: bytes are pushed in as they arrive. What fields mean is for others. What follows the file is skipped.
//!
//! Source: RFC 7578 and RFC 2046, section 5.1; Amazon S3 API Reference, "POST Object".

mod file;
mod head;
mod policy;

use crate::Fault;

pub use file::FormFile;
pub use head::FormHead;
pub use policy::{FormPolicy, PolicyError};

/// The most bytes of all fields before the file, framing included.
pub const FIELDS_BYTES_MAX: usize = 20 * 1024;

/// The longest boundary.
///
/// Source: RFC 2046, section 5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;

/// A form is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The content type names no boundary, or one that is none.
    #[error("The body of your POST request is not well-formed multipart/form-data.")]
    Boundary,
    /// A part or its head is malformed, or the form ends early.
    #[error("The body of your POST request is not well-formed multipart/form-data.")]
    Malformed,
    /// The fields before the file are too long.
    #[error("Your POST request fields preceding the upload file were too large.")]
    TooLong,
    /// There is no file.
    #[error("POST requires exactly one file upload per request.")]
    NoFile,
    /// A field is there twice.
    #[error("POST requires exactly one field of the name '{name}'.")]
    Repeated {
        /// Its name.
        name: String,
    },
}

impl FormError {
    /// The fault as S3 names it.
    ///
    /// Source: Amazon S3 API Reference, "Error responses".
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Boundary | Self::Malformed => Fault::sender("MalformedPOSTRequest", self.to_string()),
            Self::TooLong => Fault::sender("MaxPostPreDataLengthExceededError", self.to_string()),
            Self::NoFile => Fault::sender("InvalidArgument", self.to_string())
                .with_detail("ArgumentName", "file")
                .with_detail("ArgumentValue", "0"),
            Self::Repeated { name } => {
                Fault::sender("InvalidArgument", self.to_string()).with_detail("ArgumentName", name)
            }
        }
    }
}

/// A form's fields, and what is known of its file before its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Names in lower case and values, in the order in which they came.
    fields: Vec<(String, String)>,
    /// The file's name as the sender gives it.
    pub file_name: Option<String>,
    /// The file's content type.
    pub file_type: Option<String>,
}

impl FromIterator<(String, String)> for Fields {
    /// Fields without a file's name and type.
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self { fields: fields.into_iter().collect(), file_name: None, file_type: None }
    }
}

impl Fields {
    /// The value of a field, by its name in lower case.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests;

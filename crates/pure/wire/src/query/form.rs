//! Form-urlencoded parameters as pairs of texts, sorted so that what belongs together stands together.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use zeroize::Zeroize as _;

use super::{DEPTH_MAX, PARAMETERS_MAX, QueryError};

/// One parameter. Values may be passwords: a decoded copy is wiped when dropped.
pub(super) struct Parameter<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
}

impl Drop for Parameter<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(value) = &mut self.value {
            value.zeroize();
        }
    }
}

/// The parameters of a request, in the order of the parts of their names.
pub(super) struct Form<'a>(Vec<Parameter<'a>>);

impl<'a> Form<'a> {
    pub(super) fn parse(form: &'a [u8]) -> Result<Self, QueryError> {
        let mut parameters = Vec::new();
        for (name, value) in pairs(form) {
            if parameters.len() == PARAMETERS_MAX {
                return Err(QueryError::Count);
            }
            let name = decode(name).ok_or(QueryError::Encoding)?;
            if name.split('.').count() > DEPTH_MAX {
                return Err(QueryError::Depth);
            }
            parameters.push(Parameter { name, value: decode(value).ok_or(QueryError::Encoding)? });
        }
        parameters.sort_unstable_by(|a, b| a.name.split('.').cmp(b.name.split('.')));
        for (before, after) in parameters.iter().zip(parameters.iter().skip(1)) {
            if before.name == after.name {
                return Err(QueryError::Repeated(crate::shape::quote(&after.name).to_owned()));
            }
        }
        Ok(Self(parameters))
    }

    pub(super) fn parameters(&self) -> &[Parameter<'a>] {
        &self.0
    }
}

/// The still encoded names and values.
pub(super) fn pairs(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(middle).unwrap_or((pair, b""));
        (name, value.strip_prefix(b"=").unwrap_or_default())
    })
}

/// Decodes a name or a value; `None` if it is not UTF-8.
pub(super) fn decode(text: &[u8]) -> Option<Cow<'_, str>> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    let mut decoded = Vec::with_capacity(text.len());
    for (index, words) in text.split(|byte| *byte == b'+').enumerate() {
        if index > 0 {
            decoded.push(b' ');
        }
        decoded.extend(percent_decode(words));
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|error| error.into_bytes().zeroize()).ok()
}

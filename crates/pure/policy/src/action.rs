//! Names of actions and patterns of them, compared without regard to case.

use crate::Context;
use crate::glob::{Glob, Piece, Syntax};

/// A pattern of an action's name, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActionPattern(Glob);

/// A request's action, in lower case.
#[derive(Debug)]
pub(crate) struct Action {
    name: Name,
    mask: Mask,
}

/// Names as long as AWS has them stay off the heap.
#[derive(Debug)]
enum Name {
    Short([u8; SHORT_BYTES], usize),
    Long(String),
}

const SHORT_BYTES: usize = 96;

/// Which actions a statement could match, in a form that rules most statements out with two comparisons.
///
/// Each half has one bit of 64 for a name that was hashed; what may match any name has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    service: u64,
    action: u64,
}

impl Mask {
    /// Matches nothing.
    pub(crate) const NONE: Self = Self { service: 0, action: 0 };
    /// May match anything.
    pub(crate) const ANY: Self = Self { service: u64::MAX, action: u64::MAX };

    /// Whether what has this mask may match what has the other.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.service & other.service != 0 && self.action & other.action != 0
    }

    /// What either matches.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self { service: self.service | other.service, action: self.action | other.action }
    }

    /// The mask of one name in lower case.
    fn of(name: &str) -> Self {
        let (service, _) = name.split_once(':').unwrap_or((name, ""));
        Self { service: bit(service), action: bit(name) }
    }
}

/// One bit of 64 for a text (FNV-1a, folded).
fn bit(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    1 << (hash >> 58)
}

impl Action {
    /// Prepares a request's action.
    pub(crate) fn new(name: &str) -> Self {
        let mut short = [0; SHORT_BYTES];
        let name = match short.get_mut(..name.len()) {
            Some(room) => {
                room.copy_from_slice(name.as_bytes());
                room.make_ascii_lowercase();
                Name::Short(short, name.len())
            }
            None => Name::Long(name.to_ascii_lowercase()),
        };
        let mut action = Self { name, mask: Mask::NONE };
        action.mask = Mask::of(action.as_str());
        action
    }

    /// The name in lower case.
    pub(crate) fn as_str(&self) -> &str {
        match &self.name {
            Name::Short(bytes, length) => {
                bytes.get(..*length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
            }
            Name::Long(name) => name,
        }
    }

    pub(crate) const fn mask(&self) -> Mask {
        self.mask
    }
}

impl ActionPattern {
    /// Compiles a pattern: `*`, or a service's prefix, a colon, and a name with wildcards.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn compile(text: &str) -> Result<Self, &'static str> {
        if matches!(text, "*" | "*:*") {
            return Ok(Self(Glob::Any));
        }
        let Some((vendor, name)) = text.split_once(':') else {
            return Err("actions must be prefaced by a vendor, such as kms in kms:Encrypt");
        };
        if !vendor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') || vendor.is_empty() {
            return Err("an action's vendor has letters, digits and hyphens only, and no wildcards");
        }
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?' | b'-' | b'_' | b'.');
        if !name.bytes().all(letter) || name.is_empty() {
            return Err("an action's name has letters, digits and wildcards only");
        }
        Glob::compile(&text.to_ascii_lowercase(), Syntax { wildcards: true, variables: false }).map(Self)
    }

    /// Which actions it could match.
    pub(crate) fn mask(&self) -> Mask {
        match (&self.0, self.vendor()) {
            (Glob::Literal(name), _) => Mask::of(name),
            (_, Some(vendor)) => Mask { service: bit(vendor), action: u64::MAX },
            (_, None) => Mask::ANY,
        }
    }

    /// Whether a request's action matches; `action` is in lower case.
    pub(crate) fn matches(&self, action: &str) -> bool {
        const EMPTY: &Context<'static> = &Context::new();
        self.0.matches(action, EMPTY)
    }

    /// The service's prefix in lower case; `None` if it is for every service.
    pub(crate) fn vendor(&self) -> Option<&str> {
        // A vendor has no wildcards, so the first piece holds it with its colon.
        let text = match &self.0 {
            Glob::Literal(text) | Glob::Prefix(text) => &**text,
            Glob::Wild(pieces) => match pieces.first() {
                Some(Piece::Literal(text)) => &**text,
                _ => return None,
            },
            Glob::Any | Glob::Template(_) => return None,
        };
        text.split_once(':').map(|(vendor, _)| vendor)
    }
}

#[cfg(test)]
mod tests;

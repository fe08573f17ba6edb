//! Names of actions and patterns of them, compared without regard to case.

use crate::Context;
use crate::glob::{Glob, Piece, Syntax};

/// A pattern of an action's name, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActionPattern(Glob);

/// A request's action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action<'a> {
    /// In lower case.
    name: &'a str,
    mask: Mask,
}

/// Where a request's action is turned into lower case. Names as long as AWS has them stay off the heap.
#[derive(Debug)]
pub(crate) struct Room {
    short: [u8; 96],
    long: String,
}

/// Which actions a statement could match, in a form that rules most statements out at once.
///
/// Each part is a set of bits: the ones of the names that are meant, or all of them where a name is not fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    /// By the hash of the service's prefix.
    service: u64,
    /// By the hash of the whole name.
    name: u64,
    /// By the first letter after the prefix.
    initial: u32,
}

impl Mask {
    /// Matches nothing.
    pub(crate) const NONE: Self = Self { service: 0, name: 0, initial: 0 };
    /// May match anything.
    pub(crate) const ANY: Self = Self { service: u64::MAX, name: u64::MAX, initial: u32::MAX };

    /// Whether what has this mask may match what has the other.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.service & other.service != 0 && self.initial & other.initial != 0 && self.name & other.name != 0
    }

    /// Union of the masks: may match at least what either may match.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            service: self.service | other.service,
            name: self.name | other.name,
            initial: self.initial | other.initial,
        }
    }

    /// The mask of one name in lower case.
    fn of(name: &str) -> Self {
        // The hash of the whole name goes on where its prefix's ends.
        let (mut hash, mut service, mut initial) = (FNV_START, None, None);
        for byte in name.bytes() {
            if byte == b':' && service.is_none() {
                service = Some(bit(hash));
            } else if service.is_some() && initial.is_none() {
                initial = Some(letter(byte));
            }
            hash = fnv(hash, byte);
        }
        Self { service: service.unwrap_or(u64::MAX), name: bit(hash), initial: initial.unwrap_or(u32::MAX) }
    }

    /// The mask of every name that begins so; the prefix and its colon are part of it.
    fn beginning(start: &str) -> Self {
        Self { name: u64::MAX, ..Self::of(start) }
    }
}

/// One bit of 32 for a name's first letter.
const fn letter(byte: u8) -> u32 {
    1 << (byte & 31)
}

/// One bit of 64 for a hash.
const fn bit(hash: u64) -> u64 {
    1 << (hash >> 58)
}

/// Offset basis of 64-bit FNV-1a.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// One step of FNV-1a.
const fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

impl Room {
    pub(crate) const fn new() -> Self {
        Self { short: [0; 96], long: String::new() }
    }
}

impl<'a> Action<'a> {
    /// Prepares a request's action.
    pub(crate) fn new(name: &str, room: &'a mut Room) -> Self {
        let Room { short, long } = room;
        let name = match short.get_mut(..name.len()) {
            Some(short) => {
                short.copy_from_slice(name.as_bytes());
                short.make_ascii_lowercase();
                std::str::from_utf8(short).unwrap_or_default()
            }
            None => {
                *long = name.to_ascii_lowercase();
                long
            }
        };
        Self { name, mask: Mask::of(name) }
    }

    /// The name in lower case.
    pub(crate) const fn name(&self) -> &str {
        self.name
    }

    pub(crate) const fn mask(&self) -> Mask {
        self.mask
    }
}

impl ActionPattern {
    /// Compiles a pattern: `*`, or a service's prefix, a colon, and a name with wildcards.
    ///
    /// # Errors
    /// Reason why the text is not an action pattern.
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
        match &self.0 {
            Glob::Literal(name) => Mask::of(name),
            _ => self.start().map_or(Mask::ANY, Mask::beginning),
        }
    }

    /// Whether a request's action matches; `action` is in lower case.
    pub(crate) fn matches(&self, action: &str) -> bool {
        const EMPTY: &Context<'static> = &Context::new();
        self.0.matches(action, EMPTY)
    }

    /// The service's prefix in lower case; `None` if it is for every service.
    pub(crate) fn vendor(&self) -> Option<&str> {
        self.start()?.split_once(':').map(|(vendor, _)| vendor)
    }

    /// Whether it matches some action of a service, whose prefix is in lower case.
    pub(crate) fn is_of(&self, vendor: &str) -> bool {
        self.vendor().is_none_or(|own| own == vendor)
    }

    /// Whether it matches every action of a service, whose prefix is in lower case.
    pub(crate) fn is_all_of(&self, vendor: &str) -> bool {
        match &self.0 {
            Glob::Any => true,
            Glob::Prefix(prefix) => prefix.strip_suffix(':') == Some(vendor),
            Glob::Literal(_) | Glob::Wild(_) | Glob::Template(_) => false,
        }
    }

    /// Literal text before the first wildcard, if there is any. The wildcard is never within the vendor.
    fn start(&self) -> Option<&str> {
        match &self.0 {
            Glob::Literal(text) | Glob::Prefix(text) => Some(text),
            Glob::Wild(pieces) => match pieces.first() {
                Some(Piece::Literal(text)) => Some(text),
                _ => None,
            },
            Glob::Any | Glob::Template(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;

//! Filters of partial clones: which objects a pack leaves out.
//!
//! Source: git-rev-list, `--filter`; gitprotocol-v2, "filter".

use git_object::Kind;

use crate::error::{WireError, beginning};

/// Filters that a `combine:` may hold, and how deep they may be nested: more have no use.
const COMBINED_MAX: usize = 16;
const DEPTH_MAX: usize = 4;

/// Which objects a pack leaves out. Objects that are wanted by their id are always in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// `blob:none`: all blobs are left out.
    NoBlobs,
    /// `blob:limit=N`: blobs of N bytes or more are left out.
    BlobsBelow(u64),
    /// `tree:N`: trees and blobs at a depth of N or more below a commit's root tree, whose depth is 0, are left out.
    TreeDepth(u64),
    /// `object:type=KIND`: objects of all other kinds are left out.
    Only(Kind),
    /// `combine:A+B`: what any of them leaves out is left out.
    All(Vec<Filter>),
}

impl Filter {
    /// The filter of a specification.
    ///
    /// # Errors
    /// [`WireError::SparseFilter`] for `sparse:…`, [`WireError::Filter`] for all else that is none of the above.
    pub fn parse(spec: &[u8]) -> Result<Self, WireError> {
        Self::parse_within(spec, 0)
    }

    fn parse_within(spec: &[u8], depth: usize) -> Result<Self, WireError> {
        let invalid = || WireError::Filter { spec: beginning(spec) };
        if spec == b"blob:none" {
            return Ok(Self::NoBlobs);
        }
        if let Some(limit) = spec.strip_prefix(b"blob:limit=") {
            return size(limit).map(Self::BlobsBelow).ok_or_else(invalid);
        }
        if let Some(depth) = spec.strip_prefix(b"tree:") {
            return size(depth).map(Self::TreeDepth).ok_or_else(invalid);
        }
        if let Some(kind) = spec.strip_prefix(b"object:type=") {
            return Kind::from_name(kind).map(Self::Only).ok_or_else(invalid);
        }
        if spec.starts_with(b"sparse:") {
            return Err(WireError::SparseFilter { spec: beginning(spec) });
        }
        let parts = spec.strip_prefix(b"combine:").filter(|_| depth < DEPTH_MAX).ok_or_else(invalid)?;
        let parts: Vec<_> = parts.split(|byte| *byte == b'+').take(COMBINED_MAX + 1).collect();
        if parts.len() > COMBINED_MAX {
            return Err(WireError::TooMany { what: "combined filters", max: COMBINED_MAX });
        }
        let parse = |part: &&[u8]| Self::parse_within(&unescape(part).ok_or_else(invalid)?, depth + 1);
        parts.iter().map(parse).collect::<Result<_, _>>().map(Self::All)
    }
}

/// A number with git's units: `k`, `m`, `g`.
fn size(text: &[u8]) -> Option<u64> {
    let (digits, shift) = match text.split_last()? {
        (b'k' | b'K', digits) => (digits, 10),
        (b'm' | b'M', digits) => (digits, 20),
        (b'g' | b'G', digits) => (digits, 30),
        _ => (text, 0),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = str::from_utf8(digits).ok()?.parse().ok()?;
    number.checked_mul(1 << shift)
}

/// Bytes with their `%XX` resolved.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(match byte {
            b'%' => {
                let [high, low, after @ ..] = rest else { return None };
                rest = after;
                let digit = |character: u8| char::from(character).to_digit(16);
                (digit(*high)? << 4 | digit(*low)?) as u8
            }
            byte => *byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use git_object::Kind;
    use proptest::prelude::*;

    use super::Filter;
    use crate::error::WireError;

    #[test]
    fn filters_are_read_as_git_writes_them() {
        let cases: [(&str, Filter); 9] = [
            ("blob:none", Filter::NoBlobs),
            ("blob:limit=0", Filter::BlobsBelow(0)),
            ("blob:limit=1k", Filter::BlobsBelow(1024)),
            ("blob:limit=2M", Filter::BlobsBelow(2 << 20)),
            ("blob:limit=3g", Filter::BlobsBelow(3 << 30)),
            ("tree:0", Filter::TreeDepth(0)),
            ("object:type=commit", Filter::Only(Kind::Commit)),
            ("combine:blob:none+tree:3", Filter::All(vec![Filter::NoBlobs, Filter::TreeDepth(3)])),
            (
                "combine:combine:tree%3a1%2bblob%3alimit%3d7+blob%3Anone",
                Filter::All(vec![Filter::All(vec![Filter::TreeDepth(1), Filter::BlobsBelow(7)]), Filter::NoBlobs]),
            ),
        ];
        for (spec, filter) in cases {
            assert_eq!(Filter::parse(spec.as_bytes()), Ok(filter), "{spec}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for spec in [
            "",
            "blob",
            "blob:limit=",
            "blob:limit=k",
            "blob:limit=-1",
            "blob:limit=99999999999g",
            "tree:x",
            "object:type=thing",
            "combine:",
            "combine:blob:none+",
            "combine:%6",
            "combine:%zz",
        ] {
            assert!(matches!(Filter::parse(spec.as_bytes()), Err(WireError::Filter { .. })), "{spec}");
        }
        let sparse = Filter::parse(b"sparse:oid=main:filter").unwrap_err();
        assert!(sparse.to_string().contains("not supported"), "{sparse}");
        let many = format!("combine:{}blob:none", "blob:none+".repeat(16));
        assert!(matches!(Filter::parse(many.as_bytes()), Err(WireError::TooMany { .. })));
        let mut deep = "blob:none".to_owned();
        for _ in 0..6 {
            deep = format!("combine:{}", deep.replace('%', "%25"));
        }
        assert!(Filter::parse(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(spec in "(combine:|blob:|tree:|%|[+:=a-z0-9]){0,20}") {
            let _ = Filter::parse(spec.as_bytes());
        }
    }
}

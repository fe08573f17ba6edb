//! SHA-256 and SHA-384, whole and streamed; SHA-512 and SHA-1, streamed.

#[cfg(target_arch = "x86_64")]
mod choice;
#[cfg(target_arch = "x86_64")]
mod constants;
#[cfg(target_arch = "x86_64")]
mod rounds;
mod sha1_checked;
mod sha384;
#[cfg(target_arch = "x86_64")]
mod vector;

use aws_lc_rs::digest;
pub use sha1_checked::Sha1Checked;
pub use sha384::Sha384;

/// A hash function of the SHA-2 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    pub(crate) fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    /// The length of a digest in bytes.
    #[must_use]
    pub fn length(self) -> usize {
        self.algorithm().output_len()
    }
}

/// The SHA-256 digest of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    sized(&digest::digest(&digest::SHA256, data))
}

/// The SHA-384 digest of `data`.
#[must_use]
pub fn sha384(data: &[u8]) -> [u8; 48] {
    sized(&digest::digest(&digest::SHA384, data))
}

fn sized<const N: usize>(digest: &digest::Digest) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(digest.as_ref());
    out
}

macro_rules! streaming {
    ($(#[$doc:meta])* $name:ident, $algorithm:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(digest::Context);

        impl $name {
            /// Begins a digest.
            #[must_use]
            pub fn new() -> Self {
                Self(digest::Context::new(&digest::$algorithm))
            }

            /// Takes in the next bytes.
            pub fn update(&mut self, data: &[u8]) {
                self.0.update(data);
            }

            /// The digest of all that was taken in.
            #[must_use]
            pub fn finish(self) -> [u8; $length] {
                sized(&self.0.finish())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

streaming!(
    /// SHA-256 over bytes that arrive in pieces.
    Sha256,
    SHA256,
    32
);
streaming!(
    /// SHA-512 over bytes that arrive in pieces.
    Sha512,
    SHA512,
    64
);
streaming!(
    /// SHA-1 over bytes that arrive in pieces, for checksums against accidents only: it can be forged.
    Sha1,
    SHA1_FOR_LEGACY_USE_ONLY,
    20
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hash_as_the_whole_does() {
        let whole: Vec<u8> = (0..=255).collect();
        let (mut short, mut long) = (Sha256::new(), Sha384::default());
        for piece in whole.chunks(7) {
            short.update(piece);
            long.update(piece);
        }
        assert_eq!(short.finish(), sha256(&whole));
        assert_eq!(long.finish(), sha384(&whole));
    }

    /// FIPS 180-2, appendices B.1 and D.1.
    #[test]
    fn the_standards_example_comes_out() {
        assert_eq!(sha256(b"abc")[..8], [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]);
        assert_eq!(sha384(b"abc")[..8], [0xcb, 0x00, 0x75, 0x3f, 0x45, 0xa3, 0x5e, 0x8b]);
    }
}

//! Passwords of service-specific credentials: generated, shown by one answer, stored as a digest.
//!
//! A password is 256 random bits, so a plain hash of it reveals nothing and costs a fetch or push next to nothing to check.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{random_bytes, sha256};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// Random bytes in a password: they make 44 characters of base64.
const PASSWORD_BYTES: usize = 32;

/// A password: wiped when dropped, shown by one answer.
pub(crate) struct Password(Zeroizing<String>);

impl Password {
    pub(crate) fn generate() -> Self {
        let mut random = Zeroizing::new([0_u8; PASSWORD_BYTES]);
        random_bytes(random.as_mut_slice());
        // Room for all of it: a string that grows would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(PASSWORD_BYTES.div_ceil(3) * 4));
        STANDARD.encode_string(random.as_slice(), &mut text);
        Self(text)
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

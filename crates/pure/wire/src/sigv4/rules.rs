//! Where services differ in what they accept as signed.

/// How the path enters the canonical request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathForm {
    /// Dot segments and empty segments removed, then percent-encoded once more. Every service but S3.
    Normalized,
    /// Percent-encoded once more, but not normalised. No service of ours; the published vectors have it.
    Unnormalized,
    /// Exactly as sent. S3.
    AsSent,
}

/// A service's rules for signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How far the time of signing may be from the server's, either way.
    pub skew_minutes: u16,
    /// How the path is signed.
    pub path: PathForm,
    /// Whether the client may state the payload's hash, or that it is unsigned, in `x-amz-content-sha256`, and have
    /// that signed instead of the hash of the body.
    pub stated_payload: bool,
    /// Whether a presigned request has to say when it ceases to be valid.
    pub expiry: bool,
}

impl Rules {
    /// Every service but S3.
    pub const STANDARD: Self =
        Self { skew_minutes: 5, path: PathForm::Normalized, stated_payload: false, expiry: false };

    /// S3.
    pub const S3: Self = Self { skew_minutes: 15, path: PathForm::AsSent, stated_payload: true, expiry: true };

    pub(super) const fn skew_millis(self) -> i64 {
        // A lossless widening; `i64::from` is not const.
        (self.skew_minutes as i64) * 60_000
    }
}

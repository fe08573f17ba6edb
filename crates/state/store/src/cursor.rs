//! Where a listing goes on: an opaque text that callers carry as an API marker.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::StoreError;
use crate::engine::Blind;
use crate::vault::Vault;

/// A place in one listing. It is authenticated when it is used, so one made up or from another listing is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    parent: Blind,
    id: Blind,
    tag: Blind,
}

/// Whose rows are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// One parent's.
    Page,
    /// A whole collection's.
    Scan,
}

impl Listing {
    const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Scan => "scan",
        }
    }
}

impl Cursor {
    pub(crate) fn new(vault: &Vault, listing: Listing, collection: &str, parent: Blind, id: Blind) -> Self {
        Self { parent, id, tag: vault.cursor_tag(listing.name(), collection, &parent, &id) }
    }

    /// The parent and the id after which the listing goes on.
    pub(crate) fn verify(
        &self,
        vault: &Vault,
        listing: Listing,
        collection: &str,
    ) -> Result<(&Blind, &Blind), StoreError> {
        let tag = vault.cursor_tag(listing.name(), collection, &self.parent, &self.id);
        if crypto::constant_time_eq(&tag, &self.tag) {
            Ok((&self.parent, &self.id))
        } else {
            Err(StoreError::BadCursor)
        }
    }

    /// The cursor as 64 characters that need no escaping in a URL.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode([self.parent, self.id, self.tag].concat())
    }

    /// The cursor of a text. Whether it is genuine shows when it is used.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] when the text has not the form of a cursor.
    pub fn from_text(text: &str) -> Result<Self, StoreError> {
        let mut bytes = [0; 48];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| StoreError::BadCursor)?;
        match bytes.as_chunks() {
            ([parent, id, tag], []) if length == 48 => Ok(Self { parent: *parent, id: *id, tag: *tag }),
            _ => Err(StoreError::BadCursor),
        }
    }
}

//! Pages of lists, and the tokens between them, for every style that AWS has: `Marker` and `MaxItems`, `Marker` and
//! `Limit`, `NextToken` and `MaxResults`.
//!
//! A token that is not one of the list's is [`StoreError::BadCursor`], which each service names as AWS does.

mod token_key;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::{Cursor, ReadTx, Record, StoreError};

pub use token_key::TokenKey;

/// How many records are read at once at least where a filter may let few of them pass.
const READ_MIN: usize = 100;

/// The part of a list that a call asks for.
#[derive(Debug)]
pub struct Window {
    token: Option<String>,
    size: usize,
}

/// A page of a list, and the token of the next one if there is any.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The page's items.
    pub items: Vec<T>,
    /// Where the next page begins.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// Whether there is another page.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.next.is_some()
    }

    /// The page with each item turned into another.
    #[must_use]
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(turn).collect(), next: self.next }
    }

    /// A list that has no items.
    #[must_use]
    pub const fn empty() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

impl Window {
    /// The page that begins at `token`, or else the first, with room for as many items as were `asked` for, at least
    /// one and at most `most`; for `usual` ones if the caller did not say.
    #[must_use]
    pub fn new(token: Option<String>, asked: Option<impl TryInto<usize>>, usual: usize, most: usize) -> Self {
        let size = asked.and_then(|asked| asked.try_into().ok()).unwrap_or(usual).clamp(1, most);
        Self { token, size }
    }

    /// How many items the page has room for.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The page of a list in memory that is sorted by name. Its tokens name the last item of a page, which may have
    /// gone by the time that the next one is asked for.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`].
    pub fn by_name<T>(
        self,
        items: impl IntoIterator<Item = T>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Listed<T>, StoreError> {
        let after = self.token.map(|token| {
            let name = URL_SAFE_NO_PAD.decode(token).map_err(|_| StoreError::BadCursor)?;
            String::from_utf8(name).map_err(|_| StoreError::BadCursor)
        });
        let after = after.transpose()?;
        let mut rest = items.into_iter().filter(|item| after.as_deref().is_none_or(|after| name(item) > after));
        let items: Vec<T> = rest.by_ref().take(self.size).collect();
        let next = rest.next().and(items.last()).map(|last| URL_SAFE_NO_PAD.encode(name(last)));
        Ok(Listed { items, next })
    }

    /// The page of a list in memory that keeps its order. Its tokens are counts.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`].
    pub fn by_count<T>(self, items: Vec<T>) -> Result<Listed<T>, StoreError> {
        let skipped = self.token.map_or(Ok(0), |token| token.parse()).map_err(|_| StoreError::BadCursor)?;
        let end = self.size.saturating_add(skipped);
        let next = (end < items.len()).then(|| Self::token_of_count(end));
        Ok(Listed { items: items.into_iter().skip(skipped).take(self.size).collect(), next })
    }

    /// The token that goes on after `count` items of a list for [`by_count`](Self::by_count).
    #[must_use]
    pub fn token_of_count(count: usize) -> String {
        format!("{count:08}")
    }

    /// Checks that the token has the form of one that [`records`](Self::records) or [`filtered`](Self::filtered) gives,
    /// for calls that may be answered without reading.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`].
    pub fn check_form(&self) -> Result<(), StoreError> {
        self.cursor().map(drop)
    }

    /// The page of the records of `parent`.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`]; those of reading records.
    pub fn records<R: Record>(self, tx: &ReadTx<'_>, parent: &str) -> Result<Listed<R>, StoreError> {
        let page = tx.page::<R>(parent, self.cursor()?.as_ref(), self.size)?;
        Ok(Listed { items: page.items, next: page.next.map(|next| next.to_text()) })
    }

    /// The page of what `keep` makes of the records of `parent`, of which it may drop some. After `looked_at_max`
    /// records the page may be short, and still have a next one. `id` is the one that a record is stored under.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`]; those of `keep` and of reading records.
    pub fn filtered<R: Record, T, E: From<StoreError>>(
        self,
        tx: &ReadTx<'_>,
        parent: &str,
        looked_at_max: usize,
        id: impl Fn(&R) -> String,
        mut keep: impl FnMut(R) -> Result<Option<T>, E>,
    ) -> Result<Listed<T>, E> {
        let (mut after, mut items, mut looked_at) = (self.cursor()?, Vec::new(), 0);
        loop {
            let page = tx.page::<R>(parent, after.as_ref(), self.size.max(READ_MIN))?;
            looked_at += page.items.len();
            let mut records = page.items.into_iter();
            while let Some(record) = records.next() {
                // Only the record that fills the page can be the last one.
                let last = (items.len() + 1 == self.size).then(|| id(&record));
                items.extend(keep(record)?);
                if let Some(last) = last.filter(|_| items.len() == self.size) {
                    let mut more = page.next.is_some();
                    while let Some(record) = records.next().filter(|_| !more) {
                        more = keep(record)?.is_some();
                    }
                    let next = more.then(|| tx.cursor_after::<R>(parent, &last).to_text());
                    return Ok(Listed { items, next });
                }
            }
            after = page.next;
            if after.is_none() || looked_at >= looked_at_max {
                return Ok(Listed { items, next: after.map(|cursor| cursor.to_text()) });
            }
        }
    }

    fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        self.token.as_deref().map(Cursor::from_text).transpose()
    }
}

#[cfg(test)]
mod tests;

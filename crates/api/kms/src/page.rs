//! Pages of lists that stand within one record, and the markers between them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::Cursor;

use crate::error::KmsError;

/// The size of a page: what the caller wants, but at most `most`; `usual` if nothing was said.
pub(crate) fn size(limit: Option<i32>, usual: usize, most: usize) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usual).clamp(1, most)
}

/// The place in the store that a marker names.
///
/// # Errors
/// [`KmsError::InvalidMarker`].
pub(crate) fn cursor(marker: Option<&str>) -> Result<Option<Cursor>, KmsError> {
    marker.map(Cursor::from_text).transpose().map_err(|_| KmsError::InvalidMarker)
}

/// Up to `size` of the `items`, from behind the one that `marker` names on; and the marker of the next page.
///
/// # Errors
/// [`KmsError::InvalidMarker`] when the text is not one of ours.
pub(crate) fn of<T>(
    items: impl Iterator<Item = T>,
    name: impl Fn(&T) -> &str,
    marker: Option<&str>,
    size: usize,
) -> Result<(Vec<T>, Option<String>), KmsError> {
    let after = match marker {
        None => None,
        Some(marker) => {
            let name = URL_SAFE_NO_PAD.decode(marker).map_err(|_| KmsError::InvalidMarker)?;
            Some(String::from_utf8(name).map_err(|_| KmsError::InvalidMarker)?)
        }
    };
    // The items are sorted by name, so that the named one may have gone meanwhile.
    let mut rest = items.filter(|item| after.as_deref().is_none_or(|after| name(item) > after));
    let page: Vec<T> = rest.by_ref().take(size).collect();
    let next = rest.next().and(page.last()).map(|last| URL_SAFE_NO_PAD.encode(name(last)));
    Ok((page, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_put_together_are_the_whole_list() {
        let names = ["a", "b", "c", "d", "e"];
        for size in 1..7 {
            let (mut seen, mut marker) = (Vec::new(), None);
            loop {
                let (page, next) = of(names.into_iter(), |name| name, marker.as_deref(), size).expect("a page");
                assert!(page.len() <= size);
                seen.extend(page);
                marker = next;
                if marker.is_none() {
                    break;
                }
            }
            assert_eq!(seen, names, "pages of {size}");
        }
    }

    #[test]
    fn a_marker_outlives_the_item_it_names() {
        let (_, next) = of(["a", "b", "c"].into_iter(), |name| name, None, 2).expect("a page");
        let (page, next) = of(["a", "c"].into_iter(), |name| name, next.as_deref(), 2).expect("a page");
        assert_eq!((page, next), (vec!["c"], None));
    }

    #[test]
    fn what_is_no_marker_is_refused() {
        for marker in ["!", "_w", "a"] {
            let page = of(["a"].into_iter(), |name| name, Some(marker), 2);
            assert!(matches!(page, Err(KmsError::InvalidMarker)), "{marker}");
        }
        assert!(matches!(cursor(Some("x")), Err(KmsError::InvalidMarker)));
    }

    #[test]
    fn a_page_has_a_size_within_bounds() {
        for (limit, expected) in [(None, 50), (Some(1), 1), (Some(100), 100), (Some(1000), 100)] {
            assert_eq!(size(limit, 50, 100), expected);
        }
    }
}

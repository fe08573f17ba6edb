//! The canonical form: injective, and independent of the order in which pairs were given.

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;

fn canonical(context: &EncryptionContext) -> Vec<u8> {
    let mut out = Vec::new();
    append_canonical(context, &mut out);
    out
}

/// Reads the form back: that this is possible is what makes it injective.
fn read(mut form: &[u8]) -> Option<EncryptionContext> {
    fn number(form: &mut &[u8]) -> Option<usize> {
        let (head, rest) = form.split_first_chunk::<4>()?;
        *form = rest;
        usize::try_from(u32::from_be_bytes(*head)).ok()
    }
    fn text(form: &mut &[u8]) -> Option<String> {
        let length = number(form)?;
        let (head, rest) = form.split_at_checked(length)?;
        *form = rest;
        String::from_utf8(head.to_vec()).ok()
    }
    let mut context = EncryptionContext::new();
    for _ in 0..number(&mut form)? {
        let name = text(&mut form)?;
        context.insert(name, text(&mut form)?);
    }
    form.is_empty().then_some(context)
}

fn pairs(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn contexts_that_run_together_when_written_out_have_different_forms() {
    let contexts = [
        pairs(&[]),
        pairs(&[("", "")]),
        pairs(&[("a", "bc")]),
        pairs(&[("ab", "c")]),
        pairs(&[("a", "b"), ("c", "d")]),
        pairs(&[("a", "bcd")]),
        pairs(&[("A", "bc")]),
        pairs(&[("a", "b\0c")]),
    ];
    let forms: std::collections::BTreeSet<_> = contexts.iter().map(canonical).collect();
    assert_eq!(forms.len(), contexts.len());
}

proptest! {
    #[test]
    fn the_form_is_injective_and_has_the_announced_length(context in btree_map(".*", ".*", 0..6)) {
        let form = canonical(&context);
        prop_assert_eq!(form.len(), canonical_length(&context));
        prop_assert_eq!(read(&form), Some(context));
    }

    #[test]
    fn the_order_in_which_pairs_were_given_does_not_matter(given in proptest::collection::vec((".*", ".*"), 0..6)) {
        let forward: EncryptionContext = given.iter().cloned().collect();
        let mut backward = EncryptionContext::new();
        for (name, value) in given.iter().rev() {
            backward.entry(name.clone()).or_insert_with(|| value.clone());
        }
        prop_assert_eq!(canonical(&forward), canonical(&backward));
    }
}

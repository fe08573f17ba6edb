//! Pages of ordered indexes, as they are once opened: parsing never panics, and what parses is written back to the same
//! bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use store::IndexNode;

/// The length of every page.
const PAGE_BYTES: usize = 3968;

fuzz_target!(|bytes: &[u8]| {
    if let Some(node) = IndexNode::parse(bytes) {
        assert_eq!(node.to_bytes().as_deref(), Some(bytes));
    }
    // Shorter input stands for a page that is padded, since few inputs have the right length.
    let mut page = bytes.to_vec();
    page.resize(PAGE_BYTES, 0);
    if let Some(node) = IndexNode::parse(&page) {
        assert_eq!(node.to_bytes(), Some(page));
    }
});

//! Elements, texts and attributes as bytes.

use std::borrow::Cow;

use quick_xml::escape::escape;

use crate::buffer::Buffer;

/// The first line of a document.
pub(crate) const DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Begins a start tag, up to where attributes or `>` follow.
pub(crate) fn open_tag(out: &mut Buffer, name: &str, namespace: Option<(&str, &str)>) {
    out.put_byte(b'<');
    out.put(name.as_bytes());
    match namespace {
        None => {}
        Some(("", uri)) => attribute(out, "xmlns", uri),
        Some((prefix, uri)) => attribute(out, &format!("xmlns:{prefix}"), uri),
    }
}

/// Writes an attribute into an open start tag.
pub(crate) fn attribute(out: &mut Buffer, name: &str, value: &str) {
    out.put_byte(b' ');
    out.put(name.as_bytes());
    out.put(b"=\"");
    text(out, value);
    out.put_byte(b'"');
}

pub(crate) fn start(out: &mut Buffer, name: &str) {
    open_tag(out, name, None);
    out.put_byte(b'>');
}

pub(crate) fn end(out: &mut Buffer, name: &str) {
    out.put(b"</");
    out.put(name.as_bytes());
    out.put_byte(b'>');
}

/// Writes an element that is a text.
pub(crate) fn text_element(out: &mut Buffer, name: &str, value: &str) {
    start(out, name);
    text(out, value);
    end(out, name);
}

/// Writes a text, escaped.
pub(crate) fn text(out: &mut Buffer, value: &str) {
    out.put(escape(legal(value)).as_bytes());
}

/// The text without the characters that XML 1.0 has no way to write, not even escaped: U+FFFD stands for them.
pub(crate) fn legal(text: &str) -> Cow<'_, str> {
    let illegal = |letter: char| matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(illegal) { text.replace(illegal, "\u{fffd}").into() } else { text.into() }
}

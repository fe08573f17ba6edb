//! The XML of answers as a tree of elements. Knows no operation.

use quick_xml::Reader;
use quick_xml::events::Event;

/// How deep elements lie in each other in any answer of S3, and some more.
const DEPTH_MAX: usize = 8;

/// An element: its name without namespace, its text, and the elements in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    children: Vec<Element>,
}

impl Element {
    /// The root element of a document; `None` for anything that is not well-formed, or too deep.
    pub(super) fn parse(document: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_str(std::str::from_utf8(document).ok()?);
        let mut open: Vec<Self> = Vec::new();
        loop {
            let closed = match reader.read_event().ok()? {
                Event::Start(start) if open.len() < DEPTH_MAX => {
                    open.push(Self { name: start.local_name().as_ref().to_owned(), ..Self::default() });
                    None
                }
                Event::Start(_) | Event::Eof => return None,
                Event::Empty(start) => Some(Self { name: start.local_name().as_ref().to_owned(), ..Self::default() }),
                Event::End(_) => Some(open.pop()?),
                Event::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text);
                    }
                    None
                }
                Event::GeneralRef(reference) => {
                    let element = open.last_mut()?;
                    match reference.resolve_char_ref().ok()? {
                        Some(character) => element.text.push(character),
                        None => element.text.push_str(quick_xml::escape::resolve_predefined_entity(&reference)?),
                    }
                    None
                }
                _ => None,
            };
            if let Some(closed) = closed {
                match open.last_mut() {
                    Some(parent) => parent.children.push(closed),
                    None => return Some(closed),
                }
            }
        }
    }

    /// The elements called `name` in this one.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first element called `name` in this one.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_it_nests() {
        let root = Element::parse(
            br#"<?xml version="1.0"?><R xmlns="u"><K>a&amp;b&#x21;</K><E/><C><K>1</K></C><C><K>2</K></C></R>"#,
        );
        let root = root.expect("a root");
        assert_eq!((root.name.as_str(), root.text_of("K"), root.text_of("E")), ("R", Some("a&b!"), Some("")));
        let nested: Vec<_> = root.all("C").filter_map(|child| child.text_of("K")).collect();
        assert_eq!(nested, ["1", "2"]);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = "<a>".repeat(100);
        for wrong in ["", "text", "<a>", "<a></b>", "<a>&nope;</a>", "</a>", &deep] {
            assert_eq!(Element::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}

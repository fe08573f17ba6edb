//! XML bodies, read element by element from front to back.
//!
//! Refuses document types, processing instructions and every entity but XML's own five; bounds the depth. Which elements
//! there are is for who asks.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use crate::reader::Malformed;

/// The most levels of elements.
const DEPTH_MAX: usize = 64;

/// A place in a document: behind the start tag of an element, or behind the end of one of its children.
pub(super) struct Cursor<'a> {
    reader: Reader<&'a [u8]>,
    /// The start tag that was passed last.
    tag: BytesStart<'a>,
    depth: usize,
}

fn syntax<E>(_: E) -> Malformed {
    Malformed::Syntax
}

impl<'a> Cursor<'a> {
    /// Goes to the root element.
    pub(super) fn new(body: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(syntax)?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        reader.config_mut().expand_empty_elements = true;
        let mut cursor = Self { reader, tag: BytesStart::new(""), depth: 0 };
        if cursor.next_child()? { Ok(cursor) } else { Err(Malformed::Syntax) }
    }

    fn event(&mut self) -> Result<Event<'a>, Malformed> {
        let event = self.reader.read_event().map_err(syntax)?;
        match &event {
            Event::Start(_) => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(Malformed::Syntax);
                }
            }
            Event::End(_) => self.depth = self.depth.checked_sub(1).ok_or(Malformed::Syntax)?,
            Event::DocType(_) | Event::PI(_) | Event::Empty(_) => return Err(Malformed::Syntax),
            Event::Decl(_) if self.depth > 0 => return Err(Malformed::Syntax),
            _ => {}
        }
        Ok(event)
    }

    /// Goes to the next child of the element; `false` behind the element's end.
    pub(super) fn next_child(&mut self) -> Result<bool, Malformed> {
        loop {
            match self.event()? {
                Event::Start(tag) => {
                    self.tag = tag;
                    return Ok(true);
                }
                Event::End(_) => return Ok(false),
                Event::Comment(_) | Event::Decl(_) => {}
                Event::Text(text) if text.xml10_content().trim_ascii().is_empty() => {}
                _ => return Err(Malformed::Syntax),
            }
        }
    }

    /// Whether the element passed last has this name, whatever its prefix.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.tag.local_name().as_ref() == name
    }

    /// The value of an attribute of the element passed last.
    pub(super) fn attribute(&self, name: &str) -> Result<Option<String>, Malformed> {
        // Names are not compared with each other, which takes long where there are many.
        for attribute in self.tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(syntax)?;
            if attribute.key.as_ref() == name {
                return unescape(&attribute.value).map(|value| Some(value.into_owned())).map_err(syntax);
            }
        }
        Ok(None)
    }

    /// The text of the element, which has no children. Goes behind its end.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let mut text = Cow::Borrowed("");
        let push = |text: &mut Cow<'a, str>, piece: Cow<'a, str>| {
            if text.is_empty() { *text = piece } else { text.to_mut().push_str(&piece) }
        };
        loop {
            match self.event()? {
                Event::Text(piece) => push(&mut text, piece.xml10_content()),
                Event::CData(piece) => push(&mut text, piece.xml10_content()),
                Event::GeneralRef(reference) => {
                    let letter = match reference.resolve_char_ref().map_err(syntax)? {
                        Some(letter) => letter,
                        None => match reference.into_inner().as_ref() {
                            "lt" => '<',
                            "gt" => '>',
                            "amp" => '&',
                            "quot" => '"',
                            "apos" => '\'',
                            _ => return Err(Malformed::Syntax),
                        },
                    };
                    text.to_mut().push(letter);
                }
                Event::Comment(_) => {}
                Event::End(_) => return Ok(text),
                _ => return Err(Malformed::Syntax),
            }
        }
    }

    /// Goes behind the end of the element, whatever is in it.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if matches!(self.event()?, Event::Eof) {
                return Err(Malformed::Syntax);
            }
        }
        Ok(())
    }

    /// Checks that the root is closed and nothing follows it.
    pub(super) fn finish(mut self) -> Result<(), Malformed> {
        loop {
            match self.event()? {
                Event::Eof if self.depth == 0 => return Ok(()),
                Event::Comment(_) => {}
                Event::Text(text) if text.xml10_content().trim_ascii().is_empty() => {}
                _ => return Err(Malformed::Syntax),
            }
        }
    }
}

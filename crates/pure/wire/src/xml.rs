//! The query protocol's answers: XML by way of serde.
//!
//! Source: Smithy, "AWS Query protocol".

mod element;

use std::borrow::Cow;
use std::fmt::Display;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use serde::Serialize;

use self::element::Element;
use crate::buffer::Buffer;
use crate::{Culprit, Fault};

/// The output has a form that has no place in XML.
#[derive(Debug, thiserror::Error)]
pub(crate) enum XmlError {
    #[error("{0} cannot be written as XML")]
    Form(&'static str),
    #[error("{0}")]
    Value(String),
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl serde::ser::Error for XmlError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Value(message.to_string())
    }
}

/// Writes an output in its result element; the one that is `()` has none.
pub(crate) fn encode_output<T: Serialize>(
    namespace: &str,
    operation: &str,
    request_id: &str,
    output: &T,
) -> Result<Vec<u8>, XmlError> {
    let mut writer = Writer::new(Buffer::new());
    let response = format!("{operation}Response");
    start_root(&mut writer, &response, namespace)?;
    output.serialize(Element::new(&mut writer, &format!("{operation}Result")))?;
    start(&mut writer, "ResponseMetadata")?;
    text(&mut writer, "RequestId", request_id)?;
    end(&mut writer, "ResponseMetadata")?;
    end(&mut writer, &response)?;
    Ok(writer.into_inner().into_bytes())
}

pub(crate) fn encode_fault(namespace: &str, request_id: &str, fault: &Fault) -> Vec<u8> {
    let mut writer = Writer::new(Buffer::new());
    // The buffer takes every write.
    let _ = write_fault(&mut writer, namespace, request_id, fault);
    writer.into_inner().into_bytes()
}

fn write_fault(writer: &mut Writer<Buffer>, namespace: &str, request_id: &str, fault: &Fault) -> io::Result<()> {
    let culprit = match fault.culprit() {
        Culprit::Sender => "Sender",
        Culprit::Receiver => "Receiver",
    };
    start_root(writer, "ErrorResponse", namespace)?;
    start(writer, "Error")?;
    text(writer, "Type", culprit)?;
    text(writer, "Code", fault.code)?;
    text(writer, "Message", &fault.message)?;
    end(writer, "Error")?;
    text(writer, "RequestId", request_id)?;
    end(writer, "ErrorResponse")
}

fn start_root(writer: &mut Writer<Buffer>, name: &str, namespace: &str) -> io::Result<()> {
    let mut root = BytesStart::new(name);
    root.push_attribute(("xmlns", namespace));
    writer.write_event(Event::Start(root))
}

fn start(writer: &mut Writer<Buffer>, name: &str) -> io::Result<()> {
    writer.write_event(Event::Start(BytesStart::new(name)))
}

fn end(writer: &mut Writer<Buffer>, name: &str) -> io::Result<()> {
    writer.write_event(Event::End(BytesEnd::new(name)))
}

fn text(writer: &mut Writer<Buffer>, name: &str, value: &str) -> io::Result<()> {
    start(writer, name)?;
    writer.write_event(Event::Text(BytesText::new(&legal(value))))?;
    end(writer, name)
}

/// The text without the characters that XML 1.0 has no way to write, not even escaped: U+FFFD stands for them.
fn legal(text: &str) -> Cow<'_, str> {
    let illegal = |letter: char| matches!(letter, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(illegal) { text.replace(illegal, "\u{fffd}").into() } else { text.into() }
}

#[cfg(test)]
mod tests;

//! Published vectors in the form that NIST gives them: response files, read record by record. Knows no primitive.

use std::collections::BTreeMap;
use std::path::Path;

/// A vector: the headings above it, and its own fields.
#[derive(Debug)]
pub struct Record {
    headings: BTreeMap<String, String>,
    fields: Vec<(String, String)>,
}

impl Record {
    /// The text of the heading `[name = …]`; with an empty name, that of a heading without one.
    ///
    /// # Panics
    /// When there is no such heading.
    #[must_use]
    pub fn heading(&self, name: &str) -> &str {
        self.headings.get(name).unwrap_or_else(|| panic!("no heading {name} above {self:?}"))
    }

    /// The field's text, if there is one. A line that is no more than a word is a field without text.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, text)| text.as_str())
    }

    /// The field's bytes, from hexadecimal.
    ///
    /// # Panics
    /// When there is no such field.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.text(name))
    }

    /// The field's number, from decimal.
    ///
    /// # Panics
    /// When there is no such field.
    #[must_use]
    pub fn number(&self, name: &str) -> usize {
        self.text(name).parse().unwrap_or_else(|_| panic!("{name} is no number in {self:?}"))
    }

    fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// The records of a response file. An empty line ends a record, and so does its first field when it comes again.
///
/// # Panics
/// When the file cannot be read.
#[must_use]
pub fn records(path: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut headings = BTreeMap::new();
    let (mut records, mut fields) = (Vec::new(), Vec::new());
    for line in text.lines().map(str::trim).chain([""]).filter(|line| !line.starts_with('#')) {
        let heading = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        let (name, value) = heading.unwrap_or(line).split_once('=').unwrap_or(("", ""));
        let again = fields.first().is_some_and(|(first, _): &(String, String)| first == name.trim());
        if (line.is_empty() || heading.is_some() || again) && !fields.is_empty() {
            records.push(Record { headings: headings.clone(), fields: std::mem::take(&mut fields) });
        }
        match heading {
            Some(heading) if !heading.contains('=') => drop(headings.insert(String::new(), heading.to_owned())),
            Some(_) => drop(headings.insert(name.trim().to_owned(), value.trim().to_owned())),
            None if line.is_empty() => {}
            None if !line.contains('=') => fields.push((line.to_owned(), String::new())),
            None => fields.push((name.trim().to_owned(), value.trim().to_owned())),
        }
    }
    assert!(!records.is_empty(), "no vectors in {}", path.display());
    records
}

/// Bytes from hexadecimal, which may lack the first of its zeros.
///
/// # Panics
/// On anything but hexadecimal digits.
#[must_use]
pub fn hex(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_else(|| panic!("{text} is not hexadecimal"));
    let (first, rest) = text.as_bytes().split_at(text.len() % 2);
    let pairs = rest.chunks(2).map(|pair| pair.iter().fold(0, |value, byte| value << 4 | digit(byte)));
    first.iter().map(digit).chain(pairs).map(|byte| u8::try_from(byte).expect("two digits make a byte")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_headings_above_them() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let text = "# A comment\r\n[P-256,SHA-256]\n[L = 8]\n\nA = 0a\n  B = \nFAIL\n\n[L = 16]\nA = abc\nA = 1\nB = 2";
        std::fs::write(file.path(), text).expect("is written");
        let records = records(file.path());
        let found: Vec<_> = records.iter().map(|record| (record.heading("L"), record.bytes("A"))).collect();
        assert_eq!(found, [("8", vec![10]), ("16", vec![10, 0xbc]), ("16", vec![1])]);
        let fields: Vec<_> = records.iter().map(|record| (record.find("B"), record.find("FAIL"))).collect();
        assert_eq!(fields, [(Some(""), Some("")), (None, None), (Some("2"), None)]);
        assert!(records.iter().all(|record| record.heading("") == "P-256,SHA-256"));
    }
}

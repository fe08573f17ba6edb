//! A form up to the content of its file: the parts that are fields, and the head of the part that is the file.

use super::{BOUNDARY_BYTES_MAX, FIELDS_BYTES_MAX, Fields, FormError, FormFile};

/// The name of the part that is the file.
const FILE: &str = "file";

/// How the names of fields begin that nobody looks at.
const IGNORED: &str = "x-ignore-";

/// A form of which the content of the file has not begun.
pub struct FormHead {
    /// Two hyphens and the boundary.
    delimiter: Vec<u8>,
    /// The bytes that have arrived and not been read.
    buffer: Vec<u8>,
    /// Bytes read before.
    taken: usize,
    begun: bool,
    fields: Fields,
}

/// A part's head.
struct Head {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl FormHead {
    /// A form with this `Content-Type`.
    ///
    /// # Errors
    /// [`FormError::Boundary`].
    pub fn new(content_type: &str) -> Result<Self, FormError> {
        let (kind, parameters) = content_type.split_once(';').ok_or(FormError::Boundary)?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return Err(FormError::Boundary);
        }
        let boundary = parameter(parameters, "boundary").ok_or(FormError::Boundary)?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
        if boundary.is_empty()
            || boundary.len() > BOUNDARY_BYTES_MAX
            || boundary.ends_with(' ')
            || !boundary.bytes().all(legal)
        {
            return Err(FormError::Boundary);
        }
        let delimiter = [b"--", boundary.as_bytes()].concat();
        Ok(Self { delimiter, buffer: Vec::new(), taken: 0, begun: false, fields: Fields::default() })
    }

    /// Takes bytes in. Yields the fields and the file, which has got the bytes behind them, once the file begins.
    ///
    /// # Errors
    /// Every [`FormError`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<(Fields, FormFile)>, FormError> {
        self.buffer.extend_from_slice(bytes);
        while let Some(head) = self.part()? {
            let Some(head) = head else { continue };
            let mut fields = std::mem::take(&mut self.fields);
            (fields.file_name, fields.file_type) = (head.file_name, head.content_type);
            let rest = std::mem::take(&mut self.buffer);
            return Ok(Some((fields, FormFile::new(&self.delimiter, rest))));
        }
        if self.taken + self.buffer.len() > FIELDS_BYTES_MAX { Err(FormError::TooLong) } else { Ok(None) }
    }

    /// The error of a form that ends here: before its file, and perhaps within a part.
    #[must_use]
    pub const fn end(&self) -> FormError {
        FormError::Malformed
    }

    /// Reads one part that has arrived whole; `Some(Some(…))` for the head of the file, `None` if there is no whole one.
    fn part(&mut self) -> Result<Option<Option<Head>>, FormError> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| FormError::Malformed);
        // Every delimiter but the first stands behind a line end, which is read with the part before it.
        let Some(after) = self.buffer.get(self.delimiter.len()..) else { return Ok(None) };
        if !self.buffer.starts_with(&self.delimiter) {
            return Err(FormError::Malformed);
        }
        match after {
            [b'-', b'-', ..] if self.begun => return Err(FormError::NoFile),
            [b'-', b'-', ..] => return Err(FormError::Malformed),
            [b'\r', b'\n', ..] => {}
            [] | [b'\r' | b'-'] => return Ok(None),
            _ => return Err(FormError::Malformed),
        }
        let start = self.delimiter.len() + 2;
        let rest = self.buffer.get(start..).unwrap_or_default();
        let Some(head_length) = memchr::memmem::find(rest, b"\r\n\r\n") else { return Ok(None) };
        let head = read_head(&text(rest.get(..head_length).unwrap_or_default())?)?;
        let content = rest.get(head_length + 4..).unwrap_or_default();
        self.begun = true;
        if head.name == FILE {
            let behind = start + head_length + 4;
            self.take(behind);
            return if self.taken > FIELDS_BYTES_MAX { Err(FormError::TooLong) } else { Ok(Some(Some(head))) };
        }
        let end = [b"\r\n", self.delimiter.as_slice()].concat();
        let Some(length) = memchr::memmem::find(content, &end) else { return Ok(None) };
        let value = text(content.get(..length).unwrap_or_default())?;
        if !head.name.starts_with(IGNORED) {
            if self.fields.value(&head.name).is_some() {
                return Err(FormError::Repeated { name: head.name });
            }
            self.fields.fields.push((head.name, value));
        }
        self.take(start + head_length + 4 + length + 2);
        Ok(Some(None))
    }

    fn take(&mut self, bytes: usize) {
        self.taken += bytes;
        self.buffer.drain(..bytes.min(self.buffer.len()));
    }
}

/// Reads the lines before a part's content.
fn read_head(text: &str) -> Result<Head, FormError> {
    let mut disposition = None;
    let mut content_type = None;
    for line in text.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or(FormError::Malformed)?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-disposition") {
            disposition = Some(value);
        } else if name.eq_ignore_ascii_case("content-type") {
            content_type = Some(value.to_owned());
        }
    }
    let (kind, parameters) = disposition.and_then(|value| value.split_once(';')).ok_or(FormError::Malformed)?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(FormError::Malformed);
    }
    let name = parameter(parameters, "name").ok_or(FormError::Malformed)?.to_lowercase();
    Ok(Head { name, file_name: parameter(parameters, "filename"), content_type })
}

/// A parameter of a header's value. In quotes, only a quote is escaped: browsers send backslashes as they are.
fn parameter(mut parameters: &str, wanted: &str) -> Option<String> {
    loop {
        parameters = parameters.trim_start_matches([' ', '\t', ';']);
        let (name, rest) = parameters.split_once('=')?;
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => read_quoted(quoted)?,
            None => {
                let end = rest.find(';').unwrap_or(rest.len());
                let (value, rest) = rest.split_at_checked(end)?;
                (value.trim().to_owned(), rest)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        parameters = rest;
    }
}

/// A text up to its closing quote, and what follows that.
fn read_quoted(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find('"')?;
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after.strip_prefix('"')?;
        match piece.strip_suffix('\\') {
            // A backslash at the end of a name: nothing but the end of the parameter follows.
            Some(_) if rest.is_empty() || rest.starts_with(';') => {
                value.push_str(piece);
                return Some((value, rest));
            }
            Some(piece) => {
                value.push_str(piece);
                value.push('"');
            }
            None => {
                value.push_str(piece);
                return Some((value, rest));
            }
        }
    }
}

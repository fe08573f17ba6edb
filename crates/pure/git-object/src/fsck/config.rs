//! The syntax of git's configuration files, as `.gitmodules` has it.
//!
//! Owns reading variables one by one. Refuses to know includes, types and what a variable means.
//!
//! Source: git-config, "Syntax".

/// Reads variables until the end or the first line that cannot be read.
pub(super) struct Config<'a> {
    bytes: &'a [u8],
    /// Everything was read, and the newline that is imagined behind it.
    ended: bool,
    /// The section and, behind a dot, the subsection; with a dot at the end.
    section: Vec<u8>,
}

/// A variable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variable {
    /// The whole name: the section, perhaps a subsection, and the key, with dots between them.
    pub(super) name: Vec<u8>,
    /// `None` without an equals sign.
    pub(super) value: Option<Vec<u8>>,
}

/// A file that cannot be read further.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

const fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

impl<'a> Config<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        let bytes = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        Self { bytes, ended: false, section: Vec::new() }
    }

    /// The next byte, a line's end always as one newline.
    fn byte(&mut self) -> u8 {
        let (byte, rest) = match self.bytes {
            [b'\r', b'\n', rest @ ..] => (b'\n', rest),
            [byte, rest @ ..] => (*byte, rest),
            [] => {
                self.ended = true;
                (b'\n', self.bytes)
            }
        };
        self.bytes = rest;
        byte
    }

    /// The next variable, or `None` at the end.
    pub(super) fn variable(&mut self) -> Result<Option<Variable>, Malformed> {
        let mut comment = false;
        loop {
            match self.byte() {
                b'\n' if self.ended => return Ok(None),
                b'\n' => comment = false,
                byte if comment || is_space(byte) => {}
                b'#' | b';' => comment = true,
                b'[' => self.read_section()?,
                byte if byte.is_ascii_alphabetic() => return self.read_variable(byte).map(Some),
                _ => return Err(Malformed),
            }
        }
    }

    fn read_section(&mut self) -> Result<(), Malformed> {
        self.section.clear();
        loop {
            let byte = self.byte();
            match byte {
                b']' if !self.section.is_empty() => break,
                _ if self.ended => return Err(Malformed),
                byte if is_space(byte) => {
                    self.read_subsection(byte)?;
                    break;
                }
                byte if is_key(byte) || byte == b'.' => self.section.push(byte.to_ascii_lowercase()),
                _ => return Err(Malformed),
            }
        }
        self.section.push(b'.');
        Ok(())
    }

    fn read_subsection(&mut self, mut byte: u8) -> Result<(), Malformed> {
        while is_space(byte) {
            if byte == b'\n' {
                return Err(Malformed);
            }
            byte = self.byte();
        }
        if byte != b'"' {
            return Err(Malformed);
        }
        self.section.push(b'.');
        loop {
            let byte = match self.byte() {
                b'"' => break,
                // What is escaped is itself.
                b'\\' => self.byte(),
                byte => byte,
            };
            if byte == b'\n' {
                return Err(Malformed);
            }
            self.section.push(byte);
        }
        if self.byte() == b']' { Ok(()) } else { Err(Malformed) }
    }

    fn read_variable(&mut self, first: u8) -> Result<Variable, Malformed> {
        let mut name = self.section.clone();
        name.push(first.to_ascii_lowercase());
        let mut byte = self.byte();
        while is_key(byte) {
            name.push(byte.to_ascii_lowercase());
            byte = self.byte();
        }
        while matches!(byte, b' ' | b'\t') {
            byte = self.byte();
        }
        let value = match byte {
            b'\n' => None,
            b'=' => Some(self.read_value()?),
            _ => return Err(Malformed),
        };
        Ok(Variable { name, value })
    }

    fn read_value(&mut self) -> Result<Vec<u8>, Malformed> {
        let (mut value, mut quoted, mut comment) = (Vec::new(), false, false);
        // Where blanks begin that nothing has followed yet.
        let mut trimmed = None;
        loop {
            let byte = self.byte();
            match byte {
                b'\n' if quoted => return Err(Malformed),
                b'\n' => {
                    value.truncate(trimmed.unwrap_or(value.len()));
                    return Ok(value);
                }
                _ if comment => continue,
                byte if is_space(byte) && !quoted => {
                    if !value.is_empty() {
                        trimmed = trimmed.or(Some(value.len()));
                        value.push(byte);
                    }
                    continue;
                }
                b';' | b'#' if !quoted => {
                    comment = true;
                    continue;
                }
                _ => trimmed = None,
            }
            match byte {
                b'\\' => match self.byte() {
                    b'\n' => {}
                    b't' => value.push(b'\t'),
                    b'b' => value.push(8),
                    b'n' => value.push(b'\n'),
                    byte @ (b'\\' | b'"') => value.push(byte),
                    _ => return Err(Malformed),
                },
                b'"' => quoted = !quoted,
                byte => value.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests;

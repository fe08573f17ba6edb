//! Reads JSON value by value; type mismatches are worded as AWS words them.
//!
//! Knows syntax only: escapes are decoded by serde_json, members' names and types are the caller's.

use std::borrow::Cow;

use memchr::memchr2;

use crate::Timestamp;
use crate::reader::{Level, Malformed, Wanted};

/// A body in JSON, read from front to back.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// A number as it is written.
enum Number {
    Integer(i64),
    /// A whole number beyond those of `i64`.
    Large,
    Decimal(f64),
}

impl<'a> Reader<'a> {
    /// A reader of a body; an empty one counts as `{}`.
    pub(crate) fn new(body: &'a [u8]) -> Result<Self, Malformed> {
        let body = if body.is_empty() { b"{}" } else { body };
        // Once for the whole body, not once for each text in it.
        let text = std::str::from_utf8(body).map_err(|_| Malformed::Syntax)?;
        Ok(Self { text, at: 0 })
    }

    /// The next byte, if there is one.
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte after white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                other => return other,
            }
        }
    }

    /// Checks that nothing but white space is left.
    pub(crate) fn finish(mut self) -> Result<(), Malformed> {
        if self.peek().is_none() { Ok(()) } else { Err(Malformed::Syntax) }
    }

    fn literal(&mut self, literal: &str) -> Result<(), Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(literal) {
            return Err(Malformed::Syntax);
        }
        self.at += literal.len();
        Ok(())
    }

    /// The error for the value that comes next, where something else was wanted.
    #[cold]
    fn mismatch(&mut self, wanted: Wanted) -> Malformed {
        let token = match self.peek() {
            Some(b'"') => self.string().map(|_| "STRING_VALUE"),
            Some(b't') => self.literal("true").map(|()| "TRUE_VALUE"),
            Some(b'f') => self.literal("false").map(|()| "FALSE_VALUE"),
            Some(b'n') => self.literal("null").map(|()| "NULL_VALUE"),
            Some(b'-' | b'0'..=b'9') => self.scan_number().map(|number| match number {
                Number::Integer(_) | Number::Large => "NUMBER_VALUE",
                Number::Decimal(_) => "DECIMAL_VALUE",
            }),
            Some(b'[') => Err(Malformed::form(match wanted {
                Wanted::Timestamp => "invalid type: sequence, expected a timestamp",
                _ => "Start of list found where not expected",
            })),
            Some(b'{') => Err(Malformed::form(match wanted {
                Wanted::Timestamp => "invalid type: map, expected a timestamp",
                _ => "Start of structure or map found where not expected.",
            })),
            _ => Err(Malformed::Syntax),
        };
        match token {
            Ok(token) => wanted.refuse(token),
            Err(error) => error,
        }
    }

    pub(crate) fn text(&mut self, wanted: Wanted) -> Result<Cow<'a, str>, Malformed> {
        if self.peek() == Some(b'"') { self.string() } else { Err(self.mismatch(wanted)) }
    }

    /// The text between the quotes of the string that begins here, still escaped, and whether it has escapes.
    fn quoted(&mut self) -> Result<(&'a str, bool), Malformed> {
        let (text, start) = (self.text, self.at + 1);
        let bytes = text.as_bytes();
        let find = |from: usize| memchr2(b'"', b'\\', bytes.get(from..)?).map(|at| from + at);
        let mut end = find(start).ok_or(Malformed::Syntax)?;
        let escaped = bytes.get(end) == Some(&b'\\');
        while bytes.get(end) == Some(&b'\\') {
            end = find(end + 2).ok_or(Malformed::Syntax)?;
        }
        let quoted = text.get(start..end).ok_or(Malformed::Syntax)?;
        // Looking at every byte without leaving early: the compiler makes a few wide instructions of it.
        if quoted.bytes().fold(false, |control, byte| control | (byte < b' ')) {
            return Err(Malformed::Syntax);
        }
        self.at = end + 1;
        Ok((quoted, escaped))
    }

    /// The string that begins here.
    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let start = self.at;
        let (quoted, escaped) = self.quoted()?;
        if !escaped {
            return Ok(Cow::Borrowed(quoted));
        }
        let literal = self.text.get(start..self.at).ok_or(Malformed::Syntax)?;
        serde_json::from_str(literal).map(Cow::Owned).map_err(|_| Malformed::Syntax)
    }

    /// Skips the string that begins here. Its escapes have to be some, whatever they stand for.
    fn skip_string(&mut self) -> Result<(), Malformed> {
        let (quoted, _) = self.quoted()?;
        let mut escapes = quoted.split('\\').skip(1);
        while let Some(escape) = escapes.next() {
            match escape.as_bytes() {
                // A backslash that is escaped: what follows it is text.
                [] => {
                    escapes.next();
                }
                [b'"' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => {}
                [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => {}
                _ => return Err(Malformed::Syntax),
            }
        }
        Ok(())
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| false),
            _ => Err(self.mismatch(Wanted::Boolean)),
        }
    }

    pub(crate) fn number(&mut self, wanted: Wanted, min: i64, max: i64) -> Result<i64, Malformed> {
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.mismatch(wanted));
        }
        match self.scan_number()? {
            Number::Integer(number) if (min..=max).contains(&number) => Ok(number),
            Number::Integer(_) | Number::Large => Err(wanted.refuse("NUMBER_VALUE")),
            Number::Decimal(_) => Err(wanted.refuse("DECIMAL_VALUE")),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is a date no one has")]
    pub(crate) fn timestamp(&mut self) -> Result<Timestamp, Malformed> {
        match self.peek() {
            Some(b'"') => {
                let text = self.string()?;
                Timestamp::parse_rfc3339(&text).ok_or_else(|| Wanted::Timestamp.refuse("STRING_VALUE"))
            }
            Some(b'-' | b'0'..=b'9') => Ok(match self.scan_number()? {
                Number::Integer(seconds) => Timestamp::from_millis(seconds.saturating_mul(1000)),
                Number::Large => Timestamp::from_millis(i64::MAX),
                Number::Decimal(seconds) => Timestamp::from_millis((seconds * 1000.0).round() as i64),
            }),
            _ => Err(self.mismatch(Wanted::Timestamp)),
        }
    }

    /// Passes the digits that come next, and returns how many.
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    /// The number that begins here, and whether it is whole, in JSON's grammar.
    fn number_token(&mut self) -> Result<(&'a str, bool), Malformed> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let zero = self.byte() == Some(b'0');
        match self.digits() {
            0 => return Err(Malformed::Syntax),
            1 => {}
            _ if zero => return Err(Malformed::Syntax),
            _ => {}
        }
        let mut whole = true;
        if self.byte() == Some(b'.') {
            self.at += 1;
            whole = false;
            if self.digits() == 0 {
                return Err(Malformed::Syntax);
            }
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            whole = false;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(Malformed::Syntax);
            }
        }
        self.text.get(start..self.at).map(|token| (token, whole)).ok_or(Malformed::Syntax)
    }

    fn scan_number(&mut self) -> Result<Number, Malformed> {
        let (token, whole) = self.number_token()?;
        if whole && token != "-0" {
            if let Ok(number) = token.parse() {
                return Ok(Number::Integer(number));
            }
            if token.parse::<u64>().is_ok() {
                return Ok(Number::Large);
            }
        }
        match token.parse() {
            Ok(number) if f64::is_finite(number) => Ok(Number::Decimal(number)),
            _ => Err(Malformed::Syntax),
        }
    }

    pub(crate) fn open(&mut self, wanted: Wanted) -> Result<Level<'a>, Malformed> {
        let bracket = if wanted == Wanted::List { b'[' } else { b'{' };
        if self.peek() != Some(bracket) {
            return Err(self.mismatch(wanted));
        }
        self.at += 1;
        Ok(Level::Json { first: true })
    }

    /// Passes what stands before the next part: nothing or a comma. `false` if the closing bracket stands there.
    fn next_part(&mut self, first: &mut bool, close: u8) -> Result<bool, Malformed> {
        let next = self.peek().ok_or(Malformed::Syntax)?;
        if next == close {
            self.at += 1;
            return Ok(false);
        }
        if !*first {
            if next != b',' {
                return Err(Malformed::Syntax);
            }
            self.at += 1;
            if self.peek() == Some(close) {
                return Err(Malformed::Syntax);
            }
        }
        *first = false;
        Ok(true)
    }

    /// The name of the next member, before its colon.
    pub(crate) fn next_name(&mut self, first: &mut bool) -> Result<Option<Cow<'a, str>>, Malformed> {
        if !self.next_part(first, b'}')? {
            return Ok(None);
        }
        if self.peek() == Some(b'"') { self.string().map(Some) } else { Err(Malformed::Syntax) }
    }

    pub(crate) fn next_element(&mut self, first: &mut bool) -> Result<bool, Malformed> {
        self.next_part(first, b']')
    }

    pub(crate) fn colon(&mut self) -> Result<(), Malformed> {
        if self.peek() != Some(b':') {
            return Err(Malformed::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    /// Passes the colon, and the value if that is `null`, which it returns.
    pub(crate) fn null_member(&mut self) -> Result<bool, Malformed> {
        self.colon()?;
        if self.peek() != Some(b'n') {
            return Ok(false);
        }
        self.literal("null").map(|()| true)
    }

    /// Skips a value, at any depth, without recursion.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        // The closing brackets of what is open, one byte a level.
        let mut open: Vec<u8> = Vec::new();
        let mut first = false;
        loop {
            match self.peek().ok_or(Malformed::Syntax)? {
                b'"' => self.skip_string()?,
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                bracket @ (b'[' | b'{') => {
                    self.at += 1;
                    open.push(if bracket == b'[' { b']' } else { b'}' });
                    first = true;
                }
                _ => self.number_token().map(|_| ())?,
            }
            // Goes to the next value of what is open, closing what has none.
            loop {
                let Some(close) = open.last().copied() else { return Ok(()) };
                if self.next_part(&mut first, close)? {
                    if close == b'}' {
                        if self.peek() != Some(b'"') {
                            return Err(Malformed::Syntax);
                        }
                        self.skip_string()?;
                        self.colon()?;
                    }
                    break;
                }
                open.pop();
                first = false;
            }
        }
    }
}

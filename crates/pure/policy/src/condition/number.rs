//! Numbers in conditions: whole ones compared exactly, others as binary fractions.

use std::cmp::Ordering;

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(i64),
    Fraction(f64),
}

impl Number {
    /// Reads a decimal number; neither infinity nor what is not a number has a form here.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Some(Self::Whole(number));
        }
        let letter = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
        let number: f64 = text.bytes().all(letter).then(|| text.parse().ok())??;
        number.is_finite().then_some(Self::Fraction(number))
    }

    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(&other)),
            (one, other) => one.fraction().partial_cmp(&other.fraction()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "compared with a fraction, which has no more precision itself")]
    const fn fraction(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Fraction(number) => number,
        }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

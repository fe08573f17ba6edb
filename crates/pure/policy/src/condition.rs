//! Conditions: an operator, a key, and the values that the request's are compared with.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators".

mod instant;
mod network;
mod number;
mod operator;

pub(crate) use operator::{Operand, Operator, SetOperator};

use std::borrow::Cow;
use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use crate::arn_pattern::{ArnPattern, Parted};
use crate::glob::{Glob, Syntax};
use crate::variable::Variable;
use crate::{Context, Value, Values};
use network::Network;
use number::Number;
use operator::Comparison;

/// One key under one operator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    /// The key as the policy writes it; it is looked up without regard to case.
    key: Box<str>,
    set: Option<SetOperator>,
    if_exists: bool,
    negated: bool,
    test: Test,
}

/// Test that a value must pass against any one of the alternatives: equality, order, likeness or membership.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// The key is absent, or present, or either.
    Null {
        absent: bool,
        present: bool,
    },
    Text(Box<[Glob]>),
    TextIgnoringCase(Box<[Glob]>),
    Number(Comparison, Box<[Number]>),
    Date(Comparison, Box<[OffsetDateTime]>),
    Bool(Box<[bool]>),
    Binary(Box<[Box<[u8]>]>),
    Address(Box<[Network]>),
    Arn(Box<[ArnPattern]>),
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// The position of the value at fault, so that its place can be reported, and what is wrong with it.
    pub(crate) fn compile(
        operator: Operator,
        key: &str,
        values: &[Cow<'_, str>],
        variables: bool,
    ) -> Result<Self, (usize, String)> {
        let exact = Syntax { wildcards: false, variables };
        let wild = Syntax { wildcards: true, variables };
        let test = match operator.operand {
            Operand::Null => {
                let values = compile_all(values, boolean)?;
                Test::Null { absent: values.contains(&true), present: values.contains(&false) }
            }
            Operand::Text => Test::Text(compile_all(values, |text| Glob::compile(text, exact))?),
            Operand::TextIgnoringCase => {
                Test::TextIgnoringCase(compile_all(values, |text| Glob::compile(text, exact))?)
            }
            Operand::TextLike => Test::Text(compile_all(values, |text| Glob::compile(text, wild))?),
            Operand::Number(comparison) => {
                Test::Number(comparison, compile_all(values, |text| Number::parse(text).ok_or("is not a number"))?)
            }
            Operand::Date(comparison) => Test::Date(
                comparison,
                compile_all(values, |text| {
                    instant::parse(text).ok_or("is neither an ISO 8601 date nor a number of seconds since 1970")
                })?,
            ),
            Operand::Bool => Test::Bool(compile_all(values, boolean)?),
            Operand::Binary => Test::Binary(compile_all(values, |text| {
                STANDARD.decode(text).map(Vec::into_boxed_slice).map_err(|_| "is not base64")
            })?),
            Operand::Address => Test::Address(compile_all(values, |text| {
                Network::parse(text).ok_or("is neither an IP address nor a CIDR block")
            })?),
            Operand::Arn => Test::Arn(compile_all(values, |text| ArnPattern::compile(text, variables, false))?),
        };
        let Operator { set, if_exists, negated, .. } = operator;
        Ok(Self { key: key.into(), set, if_exists, negated, test })
    }

    /// The key as the policy writes it.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Whether the request meets it. None of its keys may be ambiguous.
    pub(crate) fn holds(&self, context: &Context<'_>) -> bool {
        let values = context.get(&self.key);
        if let Test::Null { absent, present } = self.test {
            return if values.is_some() { present } else { absent };
        }
        let one = |value: &Value<'_>| self.test.matches(value, context) != self.negated;
        match (self.set, values) {
            (None, None) => self.negated || self.if_exists,
            (None, Some(Values::One(value))) => one(value),
            // A multi-valued key asks for a set operator; without one nothing says which value is meant.
            (None, Some(Values::Many(_) | Values::Ambiguous)) => false,
            (Some(SetOperator::ForAllValues), values) => {
                values.is_none_or(|values| is_void(values) || values.as_slice().iter().all(one))
            }
            (Some(SetOperator::ForAnyValue), values) => {
                values.is_some_and(|values| !is_void(values) && values.as_slice().iter().any(one))
            }
        }
    }

    /// The keys that it refers to: its own and those of variables.
    pub(crate) fn context_keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.key()).chain(self.variables().map(|variable| &*variable.key))
    }

    /// The variables in its values.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let (texts, arns): (&[Glob], &[ArnPattern]) = match &self.test {
            Test::Text(values) | Test::TextIgnoringCase(values) => (values, &[]),
            Test::Arn(values) => (&[], values),
            _ => (&[], &[]),
        };
        texts.iter().flat_map(Glob::variables).chain(arns.iter().flat_map(ArnPattern::variables))
    }
}

/// Set operators take a set of nothing but empty texts for an empty set.
fn is_void(values: &Values<'_>) -> bool {
    values.as_slice().iter().all(|value| matches!(value, Value::Text(text) if text.is_empty()))
}

fn compile_all<T>(
    values: &[Cow<'_, str>],
    compile: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Box<[T]>, (usize, String)> {
    let compiled =
        values.iter().enumerate().map(|(index, text)| compile(text).map_err(|what| (index, what.to_owned())));
    compiled.collect()
}

fn boolean(text: &str) -> Result<bool, &'static str> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err("is neither true nor false")
    }
}

impl Test {
    /// Whether any alternative fits the value. One of the wrong type fits none.
    fn matches(&self, value: &Value<'_>, context: &Context<'_>) -> bool {
        match self {
            // Answered before any value is looked at.
            Self::Null { .. } => false,
            Self::Text(globs) => {
                let text = value.text();
                globs.iter().any(|glob| glob.matches(&text, context))
            }
            Self::TextIgnoringCase(globs) => {
                let text = value.text();
                globs.iter().any(|glob| glob.matches_ignoring_case(&text, context))
            }
            Self::Number(comparison, numbers) => {
                let value = match value {
                    Value::Number(number) => Some(Number::from(*number)),
                    Value::Text(text) => Number::parse(text),
                    _ => None,
                };
                value.is_some_and(|value| numbers.iter().any(|number| comparison.holds(value.compare(*number))))
            }
            Self::Date(comparison, dates) => {
                let value = match value {
                    Value::Time(time) => Some(time.date_time()),
                    Value::Number(seconds) => OffsetDateTime::from_unix_timestamp(*seconds).ok(),
                    Value::Text(text) => instant::parse(text),
                    _ => None,
                };
                value.is_some_and(|value| dates.iter().any(|date| comparison.holds(Some(value.cmp(date)))))
            }
            Self::Bool(booleans) => {
                let value = match value {
                    Value::Bool(value) => Some(*value),
                    Value::Text(text) => boolean(text).ok(),
                    _ => None,
                };
                value.is_some_and(|value| booleans.contains(&value))
            }
            Self::Binary(blobs) => {
                let value = match value {
                    Value::Bytes(bytes) => Some(Cow::Borrowed(&**bytes)),
                    Value::Text(text) => STANDARD.decode(&**text).ok().map(Cow::Owned),
                    _ => None,
                };
                value.is_some_and(|value| blobs.iter().any(|blob| **blob == *value))
            }
            Self::Address(networks) => {
                let value = match value {
                    Value::Address(address) => Some(*address),
                    Value::Text(text) => text.parse().ok(),
                    _ => None,
                };
                value.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
            }
            Self::Arn(patterns) => {
                let text = value.text();
                let parted = Parted::new(&text);
                parted.segments().is_some() && patterns.iter().any(|pattern| pattern.matches(&parted, context))
            }
        }
    }
}

impl Comparison {
    /// Whether the request's value, so ordered against the policy's, satisfies it.
    fn holds(self, ordering: Option<Ordering>) -> bool {
        ordering.is_some_and(|ordering| match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        })
    }
}

#[cfg(test)]
mod tests;

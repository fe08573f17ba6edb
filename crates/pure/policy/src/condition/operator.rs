//! The names of condition operators.

/// An operator, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub(crate) set: Option<SetOperator>,
    /// `…IfExists`.
    pub(crate) if_exists: bool,
    /// `…Not…`.
    pub(crate) negated: bool,
    /// Type of the operands, and their comparison.
    pub(crate) operand: Operand,
}

/// How the values of a multi-valued key are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetOperator {
    /// Each of them, if there are any.
    ForAllValues,
    /// At least one of them.
    ForAnyValue,
}

/// Type of an operator's operands, and their comparison, apart from its negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Null,
    Text,
    TextIgnoringCase,
    TextLike,
    Number(Comparison),
    Date(Comparison),
    Bool,
    Binary,
    Address,
    Arn,
}

/// How values that have an order are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Every operator's name, what it compares, and whether it is a negation.
const OPERATORS: [(&str, Operand, bool); 27] = [
    ("StringEquals", Operand::Text, false),
    ("StringNotEquals", Operand::Text, true),
    ("StringEqualsIgnoreCase", Operand::TextIgnoringCase, false),
    ("StringNotEqualsIgnoreCase", Operand::TextIgnoringCase, true),
    ("StringLike", Operand::TextLike, false),
    ("StringNotLike", Operand::TextLike, true),
    ("NumericEquals", Operand::Number(Comparison::Equal), false),
    ("NumericNotEquals", Operand::Number(Comparison::Equal), true),
    ("NumericLessThan", Operand::Number(Comparison::Less), false),
    ("NumericLessThanEquals", Operand::Number(Comparison::LessOrEqual), false),
    ("NumericGreaterThan", Operand::Number(Comparison::Greater), false),
    ("NumericGreaterThanEquals", Operand::Number(Comparison::GreaterOrEqual), false),
    ("DateEquals", Operand::Date(Comparison::Equal), false),
    ("DateNotEquals", Operand::Date(Comparison::Equal), true),
    ("DateLessThan", Operand::Date(Comparison::Less), false),
    ("DateLessThanEquals", Operand::Date(Comparison::LessOrEqual), false),
    ("DateGreaterThan", Operand::Date(Comparison::Greater), false),
    ("DateGreaterThanEquals", Operand::Date(Comparison::GreaterOrEqual), false),
    ("Bool", Operand::Bool, false),
    ("BinaryEquals", Operand::Binary, false),
    ("IpAddress", Operand::Address, false),
    ("NotIpAddress", Operand::Address, true),
    ("ArnEquals", Operand::Arn, false),
    ("ArnLike", Operand::Arn, false),
    ("ArnNotEquals", Operand::Arn, true),
    ("ArnNotLike", Operand::Arn, true),
    ("Null", Operand::Null, false),
];

impl Operator {
    /// Reads an operator's name, in any case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (set, name) = if let Some(name) = strip_prefix(name, "ForAllValues:") {
            (Some(SetOperator::ForAllValues), name)
        } else if let Some(name) = strip_prefix(name, "ForAnyValue:") {
            (Some(SetOperator::ForAnyValue), name)
        } else {
            (None, name)
        };
        let (if_exists, name) = strip_suffix(name, "IfExists").map_or((false, name), |name| (true, name));
        let (_, operand, negated) = OPERATORS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
        // Null asks whether the key exists; there is nothing for IfExists to add.
        let sensible = !(if_exists && *operand == Operand::Null);
        sensible.then_some(Self { set, if_exists, negated: *negated, operand: *operand })
    }
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

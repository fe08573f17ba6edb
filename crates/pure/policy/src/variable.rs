//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`.

use std::borrow::Cow;

use crate::{Context, Values};

/// A policy variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The condition key that fills it.
    pub(crate) key: Box<str>,
    /// Default value when the request does not have the key.
    pub(crate) default: Option<Box<str>>,
}

/// Content between `${` and `}`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Braced {
    /// `${*}`, `${?}` or `${$}`: the character itself.
    Literal(char),
    Variable(Variable),
}

impl Braced {
    /// Reads what follows a `${` and returns it with the text after its `}`.
    ///
    /// # Errors
    /// Reason why the text is malformed.
    pub(crate) fn read(text: &str) -> Result<(Self, &str), &'static str> {
        let (name, rest) = match text.find(['}', ',']) {
            Some(end) => text.split_at(end),
            None => return Err("a policy variable lacks its closing brace"),
        };
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((Self::named(name, None)?, rest));
        }
        let default = rest.trim_start_matches([',', ' ']);
        let default = default.strip_prefix('\'').ok_or("a policy variable's default must stand in single quotes")?;
        let (default, rest) =
            default.split_once('\'').ok_or("a policy variable's default lacks its closing single quote")?;
        let rest = rest.strip_prefix('}').ok_or("a policy variable lacks its closing brace")?;
        Ok((Self::named(name, Some(default))?, rest))
    }

    fn named(name: &str, default: Option<&str>) -> Result<Self, &'static str> {
        let mut letters = name.chars();
        match (letters.next(), letters.next(), default) {
            (None, ..) => return Err("a policy variable has no name"),
            (Some(letter @ ('*' | '?' | '$')), None, None) => return Ok(Self::Literal(letter)),
            _ => {}
        }
        if name.trim() != name {
            return Err("a policy variable's name must not begin or end with a space");
        }
        if name.contains(['*', '?', '$', '{', '\'', '"']) {
            return Err("a policy variable's name has a character that none can have");
        }
        Ok(Self::Variable(Variable { key: name.into(), default: default.map(Into::into) }))
    }
}

impl Variable {
    /// The variable's text in a request; `None` equals nothing and is like nothing.
    ///
    /// A multi-valued key fills no variable, and its presence rules out the default.
    pub(crate) fn resolve<'a>(&'a self, context: &'a Context<'_>) -> Option<Cow<'a, str>> {
        match context.get(&self.key) {
            Some(Values::One(value)) => Some(value.text()),
            Some(Values::Many(_) | Values::Ambiguous) => None,
            None => self.default.as_deref().map(Cow::Borrowed),
        }
    }
}

#[cfg(test)]
mod tests;

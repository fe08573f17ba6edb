//! Text with `*`, `?` and policy variables, compiled once and matched without recursion.
//!
//! A match takes time in proportion to pattern × text at worst. What a variable stands for is literal: a `*` in a
//! request's values is never a wildcard.

use std::borrow::Cow;

use crate::Context;
use crate::variable::{Braced, Variable};

/// A compiled pattern. Common patterns have the form that is quickest to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Glob {
    /// `*`.
    Any,
    /// No wildcards.
    Literal(Box<str>),
    /// The only wildcard is a final `*`.
    Prefix(Box<str>),
    /// Any other wildcards.
    Wild(Box<[Piece<'static>]>),
    /// With variables.
    Template(Box<[Piece<'static>]>),
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Literal(Cow<'a, str>),
    /// `*`: any number of characters.
    AnyRun,
    /// `?`: one character.
    AnyOne,
    Variable(Variable),
}

/// Special syntax that a text may contain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    /// Whether `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// Whether `${…}` is a variable.
    pub(crate) variables: bool,
}

/// Takes a text apart.
///
/// # Errors
/// Reason why a variable is malformed.
pub(crate) fn pieces(text: &str, syntax: Syntax) -> Result<Vec<Piece<'static>>, &'static str> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    loop {
        let special = |byte: u8| syntax.wildcards && matches!(byte, b'*' | b'?') || syntax.variables && byte == b'$';
        // The bytes looked for are ASCII, so they only ever stand at character boundaries.
        let (plain, tail) = rest.split_at(rest.bytes().position(special).unwrap_or(rest.len()));
        literal.push_str(plain);
        let mut letters = tail.chars();
        let piece = match letters.next() {
            None => break,
            Some('*') => Piece::AnyRun,
            Some('?') => Piece::AnyOne,
            Some(dollar) => match tail.strip_prefix("${").map(Braced::read).transpose()? {
                None => {
                    literal.push(dollar);
                    rest = letters.as_str();
                    continue;
                }
                Some((Braced::Literal(letter), after)) => {
                    literal.push(letter);
                    rest = after;
                    continue;
                }
                Some((Braced::Variable(variable), after)) => {
                    letters = after.chars();
                    Piece::Variable(variable)
                }
            },
        };
        rest = letters.as_str();
        if !literal.is_empty() {
            pieces.push(Piece::Literal(Cow::Owned(std::mem::take(&mut literal))));
        }
        if !(piece == Piece::AnyRun && pieces.last() == Some(&Piece::AnyRun)) {
            pieces.push(piece);
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(Cow::Owned(literal)));
    }
    Ok(pieces)
}

impl Glob {
    /// Compiles a text.
    ///
    /// # Errors
    /// Reason why a variable is malformed.
    pub(crate) fn compile(text: &str, syntax: Syntax) -> Result<Self, &'static str> {
        pieces(text, syntax).map(Self::from_pieces)
    }

    pub(crate) fn from_pieces(pieces: Vec<Piece<'static>>) -> Self {
        match pieces.as_slice() {
            [] => Self::Literal(Box::default()),
            [Piece::AnyRun] => Self::Any,
            [Piece::Literal(text)] => Self::Literal(text.as_ref().into()),
            [Piece::Literal(text), Piece::AnyRun] => Self::Prefix(text.as_ref().into()),
            _ if pieces.iter().any(|piece| matches!(piece, Piece::Variable(_))) => Self::Template(pieces.into()),
            _ => Self::Wild(pieces.into()),
        }
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn matches(&self, text: &str, context: &Context<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(literal) => **literal == *text,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Wild(pieces) => wild_matches(pieces, text),
            Self::Template(pieces) => expand(pieces, context).is_some_and(|pieces| wild_matches(&pieces, text)),
        }
    }

    /// Whether the whole of `text` matches but for the case of its letters.
    pub(crate) fn matches_ignoring_case(&self, text: &str, context: &Context<'_>) -> bool {
        let same =
            |literal: &str| literal.chars().flat_map(char::to_lowercase).eq(text.chars().flat_map(char::to_lowercase));
        match self {
            Self::Literal(literal) => same(literal),
            Self::Template(pieces) => expand(pieces, context).is_some_and(|pieces| {
                let literals = pieces.iter().map(|piece| if let Piece::Literal(text) = piece { text } else { "" });
                same(&literals.collect::<String>())
            }),
            // Only texts without wildcards are compared this way.
            Self::Any | Self::Prefix(_) | Self::Wild(_) => false,
        }
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let pieces: &[Piece<'static>] = if let Self::Template(pieces) = self { pieces } else { &[] };
        pieces.iter().filter_map(|piece| if let Piece::Variable(variable) = piece { Some(variable) } else { None })
    }
}

/// Puts the request's values in place of the variables; `None` if one of them has none.
fn expand<'a>(pieces: &'a [Piece<'static>], context: &'a Context<'_>) -> Option<Vec<Piece<'a>>> {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => Some(Piece::Literal(Cow::Borrowed(text))),
            Piece::AnyRun => Some(Piece::AnyRun),
            Piece::AnyOne => Some(Piece::AnyOne),
            Piece::Variable(variable) => variable.resolve(context).map(Piece::Literal),
        })
        .collect()
}

/// Whether the whole of `text` matches pieces without variables.
///
/// The runs of pieces between `*` are placed one after another, each as far left as it fits, which leaves the most room
/// for the rest; the first and the last are tied to the ends.
fn wild_matches(pieces: &[Piece<'_>], text: &str) -> bool {
    let mut runs = pieces.split(|piece| *piece == Piece::AnyRun);
    let first = runs.next().unwrap_or_default();
    let Some(text) = strip_start(first, text) else { return false };
    let Some(last) = runs.next_back() else { return text.is_empty() };
    let Some(mut text) = strip_end(last, text) else { return false };
    runs.all(|run| match after_first(run, text) {
        Some(rest) => {
            text = rest;
            true
        }
        None => false,
    })
}

/// The text after `run`, if it begins with it.
fn strip_start<'t>(run: &[Piece<'_>], text: &'t str) -> Option<&'t str> {
    run.iter().try_fold(text, |text, piece| match piece {
        Piece::Literal(literal) => text.strip_prefix(&**literal),
        _ => {
            let mut letters = text.chars();
            letters.next().map(|_| letters.as_str())
        }
    })
}

/// The text before `run`, if it ends with it.
fn strip_end<'t>(run: &[Piece<'_>], text: &'t str) -> Option<&'t str> {
    run.iter().rev().try_fold(text, |text, piece| match piece {
        Piece::Literal(literal) => text.strip_suffix(&**literal),
        _ => {
            let mut letters = text.chars();
            letters.next_back().map(|_| letters.as_str())
        }
    })
}

/// The text after the leftmost place at which `run` fits.
fn after_first<'t>(run: &[Piece<'_>], text: &'t str) -> Option<&'t str> {
    // What a `*` precedes: question marks there merely ask for that many characters, wherever the run then stands.
    let literal_at = run.iter().position(|piece| matches!(piece, Piece::Literal(_))).unwrap_or(run.len());
    let (ones, run) = run.split_at_checked(literal_at)?;
    let mut text = strip_start(ones, text)?;
    let Some((Piece::Literal(literal), tail)) = run.split_first() else { return Some(text) };
    loop {
        let at = text.find(&**literal)?;
        let rest = text.get(at + literal.len()..)?;
        if let Some(rest) = strip_start(tail, rest) {
            return Some(rest);
        }
        let mut letters = text.get(at..)?.chars();
        letters.next()?;
        text = letters.as_str();
    }
}

#[cfg(test)]
mod tests;

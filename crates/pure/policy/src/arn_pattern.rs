//! ARNs with wildcards, matched segment by segment: a `*` never crosses the colons that part the first five.

use std::cell::OnceCell;

use crate::Context;
use crate::glob::{Glob, Piece, Syntax, pieces};
use crate::variable::Variable;

/// A pattern of an ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    /// `*` alone: every resource, also where there is no ARN.
    Any,
    /// No wildcards.
    Exact(Box<str>),
    /// The only wildcard is a `*` at the end of the sixth segment.
    Prefix(Box<str>),
    /// Anything else: a pattern for each segment.
    Segments(Box<[Glob; 6]>),
    /// A variable alone, whose value is the whole ARN.
    Variable(Variable),
}

/// A text that may be an ARN. It is parted when its segments are first asked for: few patterns do.
pub(crate) struct Parted<'a> {
    text: &'a str,
    segments: OnceCell<Option<Segments<'a>>>,
}

impl<'a> Parted<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, segments: OnceCell::new() }
    }

    /// The segments; `None` if the text is not an ARN.
    pub(crate) fn segments(&self) -> Option<&Segments<'a>> {
        self.segments.get_or_init(|| segments(self.text)).as_ref()
    }
}

/// A text in the segments of an ARN; the sixth keeps its colons.
type Segments<'a> = [&'a str; 6];

/// Parts an ARN; `None` if the text is not one.
fn segments(text: &str) -> Option<Segments<'_>> {
    let mut rest = text.strip_prefix("arn:")?;
    let mut next = || {
        let (segment, after) = rest.split_at_checked(rest.bytes().position(|byte| byte == b':')?)?;
        rest = after.get(1..)?;
        Some(segment)
    };
    let [partition, service, region, account] = [next()?, next()?, next()?, next()?];
    Some(["arn", partition, service, region, account, rest])
}

impl ArnPattern {
    /// Compiles a pattern. With `complete`, missing trailing segments are `*`.
    ///
    /// # Errors
    /// Reason why the text is not an ARN pattern.
    pub(crate) fn compile(text: &str, variables: bool, complete: bool) -> Result<Self, &'static str> {
        const NOT_AN_ARN: &str = "must be in ARN format or \"*\"";
        if text == "*" {
            return Ok(Self::Any);
        }
        let mut whole = pieces(text, Syntax { wildcards: true, variables })?;
        if let ([Piece::Variable(_)], false) = (whole.as_slice(), complete)
            && let Some(Piece::Variable(variable)) = whole.pop()
        {
            return Ok(Self::Variable(variable));
        }
        let mut parts = parts(whole);
        if parts.first().map(Vec::as_slice) != Some(&[Piece::Literal("arn".into())]) {
            return Err(NOT_AN_ARN);
        }
        if complete {
            while parts.len() < 6 {
                parts.push(vec![Piece::AnyRun]);
            }
        }
        let mut globs = parts.into_iter().map(Glob::from_pieces);
        let mut next = || globs.next().ok_or(NOT_AN_ARN);
        Ok(Self::from_segments([next()?, next()?, next()?, next()?, next()?, next()?]))
    }

    fn from_segments(globs: [Glob; 6]) -> Self {
        let (last, first) = match &globs {
            [first @ .., last] => (last, first),
        };
        let literals = first.iter().map(|glob| if let Glob::Literal(text) = glob { Some(&**text) } else { None });
        let Some(first) = literals.collect::<Option<Vec<_>>>() else { return Self::Segments(Box::new(globs)) };
        let first = first.join(":");
        match last {
            Glob::Literal(last) => Self::Exact(format!("{first}:{last}").into()),
            Glob::Prefix(last) => Self::Prefix(format!("{first}:{last}").into()),
            Glob::Any => Self::Prefix(format!("{first}:").into()),
            Glob::Wild(_) | Glob::Template(_) => Self::Segments(Box::new(globs)),
        }
    }

    /// Whether the whole of a text matches.
    pub(crate) fn matches(&self, parted: &Parted<'_>, context: &Context<'_>) -> bool {
        let text = parted.text;
        match self {
            Self::Any => true,
            Self::Exact(arn) => **arn == *text,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Segments(globs) => parted
                .segments()
                .is_some_and(|parted| globs.iter().zip(parted).rev().all(|(glob, part)| glob.matches(part, context))),
            Self::Variable(variable) => variable.resolve(context).is_some_and(|arn| *arn == *text),
        }
    }

    /// Whether the segment that names the service has wildcards of its own.
    pub(crate) fn wild_service(&self) -> bool {
        let Self::Segments(globs) = self else { return false };
        let [_, _, service, ..] = &**globs;
        !matches!(service, Glob::Literal(_) | Glob::Template(_))
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let (globs, alone) = match self {
            Self::Segments(globs) => (globs.as_slice(), None),
            Self::Variable(variable) => (&[][..], Some(variable)),
            Self::Any | Self::Exact(_) | Self::Prefix(_) => (&[][..], None),
        };
        globs.iter().flat_map(Glob::variables).chain(alone)
    }
}

/// Parts the pieces at the colons that the pattern itself has, at most five times.
fn parts(pieces: Vec<Piece<'static>>) -> Vec<Vec<Piece<'static>>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    for piece in pieces {
        let Piece::Literal(text) = piece else {
            part.push(piece);
            continue;
        };
        let mut rest = &*text;
        while parts.len() < 5
            && let Some((before, after)) = rest.split_once(':')
        {
            if !before.is_empty() {
                part.push(Piece::Literal(before.to_owned().into()));
            }
            parts.push(std::mem::take(&mut part));
            rest = after;
        }
        if !rest.is_empty() {
            part.push(Piece::Literal(rest.to_owned().into()));
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests;

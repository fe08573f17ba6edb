//! IAM policy documents: parse them once, evaluate them often, and say which statement decided.
//!
//! Functions of text and request only: no I/O, no clock, no store. Whoever calls gathers the policies that bear on a
//! request, states its context (time included), and words the refusal.
//!
//! Source: IAM User Guide, "Policy evaluation logic" and "Grammar of the IAM JSON policy language".

mod action;
mod arn_pattern;
mod condition;
mod context;
mod decision;
mod document;
mod evaluate;
mod explain;
mod glob;
mod grammar;
mod json;
mod malformed;
mod principal;
mod principal_pattern;
mod statement;
mod variable;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod scene;

pub use context::{Context, Entry, Value, Values, push_named};
pub use decision::{By, Cited, Decision, PolicyLayer, Reason};
pub use document::{Kind, Policy};
pub use evaluate::{Named, Policies, Request, ResourceSide, evaluate, permit};
pub use explain::{Explanation, Matched, explain};
pub use json::{Position, Span};
pub use malformed::Malformed;
pub use principal::{Principal, PrincipalKind};
pub use principal_pattern::{Bound, PrincipalPattern};
pub use statement::{Effect, Statement};

//! The grammar: from a document's JSON to statements, or to what is wrong and where.
//!
//! Source: IAM User Guide, "Grammar of the IAM JSON policy language".

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Kind;
use crate::action::ActionPattern;
use crate::arn_pattern::ArnPattern;
use crate::condition::{Condition, Operator};
use crate::json::{Json, Members, Span, Surveyor, document, elements, refuse_duplicates};
use crate::malformed::{At, Malformed, excerpt};
use crate::principal_pattern::PrincipalPattern;
use crate::statement::{Effect, Element, Statement};

/// The longest document that is read at all, in bytes. What a service takes is less, and its own to limit.
const TEXT_BYTES_MAX: usize = 1 << 20;

type Result<T> = std::result::Result<T, Malformed>;

/// Properties of the document on which the reading of a statement depends.
#[derive(Clone, Copy)]
struct Dialect {
    kind: Kind,
    /// Whether `${…}` is a variable: in Version 2012-10-17 only.
    variables: bool,
}

/// Reads a document's statements.
pub(crate) fn statements(text: &str, kind: Kind) -> Result<Box<[Statement]>> {
    let root = At::Root;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > TEXT_BYTES_MAX {
        return Err(Malformed::new(&root, format!("a policy must not be longer than {TEXT_BYTES_MAX} bytes")));
    }
    let members = document(text)?;
    refuse_duplicates(&members, true, &root)?;

    let mut variables = false;
    let mut raw = None;
    for (name, value) in &members {
        let at = root.member(name);
        match &**name {
            "Version" => match string(&Json::read(value.get(), &at)?, &at)? {
                "2012-10-17" => variables = true,
                "2008-10-17" => {}
                _ => return Err(Malformed::new(&at, "the version must be 2012-10-17 or 2008-10-17")),
            },
            "Id" => {
                string(&Json::read(value.get(), &at)?, &at)?;
            }
            "Statement" => raw = Some(value.get()),
            _ => return Err(Malformed::new(&at, "a policy has no such element")),
        }
    }
    let at = root.member("Statement");
    let raw = raw.ok_or_else(|| Malformed::new(&root, "a policy must have a Statement"))?;

    let dialect = Dialect { kind, variables };
    let mut surveyor = Surveyor::new(text);
    if !raw.starts_with('[') {
        let span = surveyor.span(raw);
        return Ok(Box::new([dialect.statement(&Json::read(raw, &at)?, span, &at)?]));
    }
    let raw = elements(raw, &at)?;
    if raw.is_empty() {
        return Err(Malformed::new(&at, "a policy must have at least one statement"));
    }
    let mut statements = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let at = at.element(index);
        let span = surveyor.span(raw.get());
        statements.push(dialect.statement(&Json::read(raw.get(), &at)?, span, &at)?);
    }
    dialect.refuse_same_sids(&statements, &at)?;
    Ok(statements.into())
}

impl Dialect {
    /// Whether the grammar is IAM's own, which is stricter about Sids.
    fn is_strict(self) -> bool {
        self.kind != Kind::Resource
    }

    fn refuse_same_sids(self, statements: &[Statement], at: &At<'_>) -> Result<()> {
        let mut seen = BTreeSet::new();
        for (index, statement) in statements.iter().enumerate() {
            if let Some(sid) = statement.sid()
                && !seen.insert(sid)
                && self.is_strict()
            {
                let at = at.element(index);
                return Err(Malformed::new(&at.member("Sid"), "statement IDs (SID) in a single policy must be unique"));
            }
        }
        Ok(())
    }

    fn statement(self, json: &Json<'_>, span: Span, at: &At<'_>) -> Result<Statement> {
        let members = object(json, at)?;
        refuse_duplicates(members, true, at)?;
        let find = |name: &str| members.iter().find(|(member, _)| member == name).map(|(_, value)| value);
        const ELEMENTS: [&str; 9] = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        if let Some((name, _)) = members.iter().find(|(name, _)| !ELEMENTS.contains(&&**name)) {
            return Err(Malformed::new(&at.member(name), "a statement has no such element"));
        }

        let sid = find("Sid").map(|json| self.sid(json, &at.member("Sid"))).transpose()?.flatten();
        let effect = match find("Effect").map(|json| string(json, &at.member("Effect"))).transpose()? {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            Some(_) => return Err(Malformed::new(&at.member("Effect"), "the effect must be Allow or Deny")),
            None => return Err(Malformed::new(at, "a statement must have an Effect")),
        };
        let principals = self.principals(find("Principal"), find("NotPrincipal"), effect, at)?;
        let actions = self.actions(find("Action"), find("NotAction"), at)?;
        let resources = self.resources(find("Resource"), find("NotResource"), at)?;
        let conditions = match find("Condition") {
            Some(json) => self.conditions(json, &at.member("Condition"))?,
            None => Box::default(),
        };
        Ok(Statement { effect, sid, span, principals, actions, resources, conditions })
    }

    fn sid(self, json: &Json<'_>, at: &At<'_>) -> Result<Option<Arc<str>>> {
        let sid = string(json, at)?;
        if self.is_strict() && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Malformed::new(at, "statement IDs (SID) must be alpha-numeric"));
        }
        Ok((!sid.is_empty()).then(|| sid.into()))
    }

    fn principals(
        self,
        only: Option<&Json<'_>>,
        except: Option<&Json<'_>>,
        effect: Effect,
        at: &At<'_>,
    ) -> Result<Option<Element<PrincipalPattern>>> {
        let given = either(only, except, ["Principal", "NotPrincipal"], at)?;
        match (self.kind, given) {
            (Kind::Resource | Kind::Trust, None) => {
                Err(Malformed::new(at, "a statement of this kind of policy must have a Principal"))
            }
            (Kind::Identity | Kind::ServiceControl | Kind::Session, None) => Ok(None),
            (Kind::Identity | Kind::ServiceControl | Kind::Session, Some((name, ..))) => {
                Err(Malformed::new(&at.member(name), "this kind of policy must not specify a principal"))
            }
            (Kind::Trust, Some((name, _, true))) => {
                Err(Malformed::new(&at.member(name), "a trust policy must not have a NotPrincipal"))
            }
            (_, Some((name, _, true))) if effect == Effect::Allow => {
                Err(Malformed::new(&at.member(name), "NotPrincipal can only be used with the effect Deny"))
            }
            (_, Some((name, json, except))) => {
                let listed = principal_patterns(json, &at.member(name))?;
                Ok(Some(Element { listed, except }))
            }
        }
    }

    fn actions(
        self,
        only: Option<&Json<'_>>,
        except: Option<&Json<'_>>,
        at: &At<'_>,
    ) -> Result<Element<ActionPattern>> {
        let Some((name, json, except)) = either(only, except, ["Action", "NotAction"], at)? else {
            return Err(Malformed::new(at, "policy statement must contain actions"));
        };
        let at = at.member(name);
        let listed = strings(json, &at, |text, at| {
            let pattern = ActionPattern::compile(text).map_err(|what| quoting(text, what, at))?;
            if self.kind == Kind::Trust && pattern.vendor() != Some("sts") {
                return Err(quoting(text, "a trust policy may only specify STS AssumeRole actions", at));
            }
            Ok(pattern)
        })?;
        if listed.is_empty() {
            return Err(Malformed::new(&at, "policy statement must contain actions"));
        }
        Ok(Element { listed, except })
    }

    fn resources(
        self,
        only: Option<&Json<'_>>,
        except: Option<&Json<'_>>,
        at: &At<'_>,
    ) -> Result<Option<Element<ArnPattern>>> {
        let given = either(only, except, ["Resource", "NotResource"], at)?;
        if self.kind == Kind::Trust {
            return match given {
                Some((name, ..)) => Err(Malformed::new(&at.member(name), "a trust policy must not have a Resource")),
                None => Ok(None),
            };
        }
        let Some((name, json, except)) = given else {
            return Err(Malformed::new(at, "policy statement must contain resources"));
        };
        let at = at.member(name);
        let listed = strings(json, &at, |text, at| {
            let pattern = ArnPattern::compile(text, self.variables, true).map_err(|what| quoting(text, what, at))?;
            if pattern.wild_service() {
                return Err(quoting(text, "a resource's vendor must be fully qualified and without wildcards", at));
            }
            Ok(pattern)
        })?;
        if listed.is_empty() {
            return Err(Malformed::new(&at, "policy statement must contain resources"));
        }
        Ok(Some(Element { listed, except }))
    }

    fn conditions(self, json: &Json<'_>, at: &At<'_>) -> Result<Box<[Condition]>> {
        let operators = object(json, at)?;
        refuse_duplicates(operators, false, at)?;
        let mut conditions = Vec::new();
        for (name, json) in operators {
            let at = at.member(name);
            let operator = Operator::parse(name).ok_or_else(|| Malformed::new(&at, "no such condition operator"))?;
            let keys = object(json, &at)?;
            refuse_duplicates(keys, false, &at)?;
            for (key, json) in keys {
                let at = at.member(key);
                if !key.split_once(':').is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty()) {
                    return Err(Malformed::new(&at, "condition keys must be prefaced by a vendor, such as aws"));
                }
                conditions.push(self.condition(operator, key, json, &at)?);
            }
        }
        Ok(conditions.into())
    }

    fn condition(self, operator: Operator, key: &str, json: &Json<'_>, at: &At<'_>) -> Result<Condition> {
        let (values, listed) = match json {
            Json::Array(values) => (values.as_slice(), true),
            value => (std::slice::from_ref(value), false),
        };
        if values.is_empty() {
            return Err(Malformed::new(at, "a condition must have at least one value"));
        }
        let mut texts = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            texts.push(match value {
                Json::Text(text) => Cow::Borrowed(&**text),
                Json::Number(number) => Cow::Borrowed(number.as_str()),
                Json::Bool(true) => Cow::Borrowed("true"),
                Json::Bool(false) => Cow::Borrowed("false"),
                Json::Null | Json::Array(_) | Json::Object(_) => {
                    let what = format!("a condition's value must be a string, not {}", value.kind());
                    return Err(Malformed::new(&nth(at, index, listed), what));
                }
            });
        }
        Condition::compile(operator, key, &texts, self.variables).map_err(|(index, what)| {
            quoting(texts.get(index).map_or("", |text| &**text), &what, &nth(at, index, listed))
        })
    }
}

/// The place of a value that may stand alone or in an array.
const fn nth<'a>(at: &'a At<'a>, index: usize, listed: bool) -> At<'a> {
    if listed { at.element(index) } else { *at }
}

fn quoting(text: &str, what: &str, at: &At<'_>) -> Malformed {
    Malformed::new(at, format!("{:?}: {what}", excerpt(text)))
}

/// Whichever of an element and its negation is there: its name, its value, and whether it is the negation.
fn either<'a, 'j>(
    only: Option<&'a Json<'j>>,
    except: Option<&'a Json<'j>>,
    names: [&'static str; 2],
    at: &At<'_>,
) -> Result<Option<(&'static str, &'a Json<'j>, bool)>> {
    let [name, negation] = names;
    match (only, except) {
        (Some(_), Some(_)) => Err(Malformed::new(at, format!("{name} and {negation} exclude each other"))),
        (Some(json), None) => Ok(Some((name, json, false))),
        (None, Some(json)) => Ok(Some((negation, json, true))),
        (None, None) => Ok(None),
    }
}

fn principal_patterns(json: &Json<'_>, at: &At<'_>) -> Result<Box<[PrincipalPattern]>> {
    let members = match json {
        Json::Text(text) if text == "*" => return Ok(Box::new([PrincipalPattern::Anyone])),
        Json::Text(text) => return Err(quoting(text, "a principal is \"*\" or an object such as {\"AWS\": …}", at)),
        json => object(json, at)?,
    };
    refuse_duplicates(members, true, at)?;
    let mut patterns = Vec::new();
    for (name, json) in members {
        let at = at.member(name);
        let read = match &**name {
            "AWS" => PrincipalPattern::aws,
            "Service" => PrincipalPattern::service,
            "Federated" => PrincipalPattern::federated,
            "CanonicalUser" => PrincipalPattern::canonical_user,
            _ => return Err(Malformed::new(&at, "no such kind of principal")),
        };
        let listed = strings(json, &at, |text, at| read(text).ok_or_else(|| quoting(text, "invalid principal", at)))?;
        patterns.extend(listed);
    }
    if patterns.is_empty() {
        return Err(Malformed::new(at, "a principal must be named"));
    }
    Ok(patterns.into())
}

/// Reads a string, or an array of them.
fn strings<T>(json: &Json<'_>, at: &At<'_>, read: impl Fn(&str, &At<'_>) -> Result<T>) -> Result<Box<[T]>> {
    match json {
        Json::Text(text) => Ok(Box::new([read(text, at)?])),
        Json::Array(elements) => {
            let mut read_all = Vec::with_capacity(elements.len());
            for (index, json) in elements.iter().enumerate() {
                let at = at.element(index);
                read_all.push(read(string(json, &at)?, &at)?);
            }
            Ok(read_all.into())
        }
        json => Err(Malformed::new(at, format!("must be a string or an array of strings, not {}", json.kind()))),
    }
}

fn string<'a>(json: &'a Json<'_>, at: &At<'_>) -> Result<&'a str> {
    match json {
        Json::Text(text) => Ok(text),
        json => Err(Malformed::new(at, format!("must be a string, not {}", json.kind()))),
    }
}

fn object<'a, 'j>(json: &'a Json<'j>, at: &At<'_>) -> Result<&'a Members<'j, Json<'j>>> {
    match json {
        Json::Object(members) => Ok(members),
        json => Err(Malformed::new(at, format!("must be an object, not {}", json.kind()))),
    }
}

#[cfg(test)]
mod tests;

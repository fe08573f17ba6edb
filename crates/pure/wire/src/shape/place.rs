//! Where a member travels in restXml, and how XML spells it. Other protocols take no notice.
//!
//! Source: Smithy, "HTTP bindings" and "XML bindings".

/// One deviation of a member from the rule, which is an element of the body under the member's own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A label of the path template.
    Label,
    /// A parameter of the query, by this name.
    Query(&'static str),
    /// A header, by this name in lower case. A list is separated by commas.
    Header(&'static str),
    /// All headers whose names begin so, in lower case. A map from the rest of the name to the value.
    PrefixHeaders(&'static str),
    /// The body itself: a structure's element, or the text or bytes as they are.
    Payload,
    /// The status of an answer, if it is another than the route's.
    Status,
    /// The element's or attribute's name.
    Name(&'static str),
    /// The name of a list's elements, if it is not `member`.
    Item(&'static str),
    /// A list whose elements stand among the members of its structure.
    Flat,
    /// An attribute of the structure's own tag.
    Attribute,
    /// The namespace that the element declares: prefix, empty for the default, and URI.
    Namespace(&'static str, &'static str),
}

/// Where a value travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// An element of the body.
    Body,
    /// A label of the path template.
    Label,
    /// A parameter of the query.
    Query(&'static str),
    /// A header.
    Header(&'static str),
    /// Headers that begin alike.
    PrefixHeaders(&'static str),
    /// The whole body.
    Payload,
    /// The status of an answer.
    Status,
}

/// All bindings of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the value travels.
    pub at: At,
    /// The name in XML, if it is not the member's.
    pub name: Option<&'static str>,
    /// The name of a list's elements.
    pub item: &'static str,
    /// Whether a list's elements stand among the members of its structure.
    pub flat: bool,
    /// Whether it is an attribute of the structure's own tag.
    pub attribute: bool,
    /// The namespace that the element declares: prefix and URI.
    pub namespace: Option<(&'static str, &'static str)>,
}

impl Place {
    /// An element of the body under the member's own name.
    pub const BODY: Self =
        Self { at: At::Body, name: None, item: "member", flat: false, attribute: false, namespace: None };

    /// All these bindings together.
    #[must_use]
    pub const fn of(bindings: &[Binding]) -> Self {
        let (mut place, mut rest) = (Self::BODY, bindings);
        while let [binding, others @ ..] = rest {
            match *binding {
                Binding::Label => place.at = At::Label,
                Binding::Query(name) => place.at = At::Query(name),
                Binding::Header(name) => place.at = At::Header(name),
                Binding::PrefixHeaders(prefix) => place.at = At::PrefixHeaders(prefix),
                Binding::Payload => place.at = At::Payload,
                Binding::Status => place.at = At::Status,
                Binding::Name(name) => place.name = Some(name),
                Binding::Item(name) => place.item = name,
                Binding::Flat => place.flat = true,
                Binding::Attribute => place.attribute = true,
                Binding::Namespace(prefix, uri) => place.namespace = Some((prefix, uri)),
            }
            rest = others;
        }
        place
    }
}

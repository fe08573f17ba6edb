//! Destinations of a bucket's events, as it travels and as it is stored.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::shape::Binding::{Flat, Name};

/// A part of an object's name that a filter is about. Clients write it in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Prefix,
    Suffix,
}

wire::document! {
    /// The beginning or end of an object's name.
    pub(crate) struct FilterRule {
        "Name" name: String, optional, [];
        "Value" value: String, optional, [];
    }
}

impl FilterRule {
    /// The part of a name that the rule is about.
    pub(crate) fn part(&self) -> Option<Part> {
        match self.name.as_deref() {
            Some(name) if name.eq_ignore_ascii_case("prefix") => Some(Part::Prefix),
            Some(name) if name.eq_ignore_ascii_case("suffix") => Some(Part::Suffix),
            _ => None,
        }
    }

    /// The beginning or end.
    pub(crate) fn value(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }
}

wire::document! {
    pub(crate) struct KeyFilter {
        "FilterRules" rules: Vec<FilterRule>, default, [], [Name("FilterRule"), Flat];
    }
}

wire::document! {
    /// The objects that a configuration is about.
    pub(crate) struct NotificationFilter {
        "Key" key: KeyFilter, optional, [], [Name("S3Key")];
    }
}

/// Declares the configuration of one kind of destination.
macro_rules! configurations {
    ($($(#[$doc:meta])* $name:ident { $member:literal as $element:literal })*) => {$(
        wire::document! {
            $(#[$doc])*
            pub(crate) struct $name {
                "Id" id: String, optional, [];
                $member arn: String, required, [], [Name($element)];
                "Events" events: Vec<String>, required, [], [Name("Event"), Flat];
                "Filter" filter: NotificationFilter, optional, [];
            }
        }
    )*};
}

configurations! {
    /// A topic that gets events.
    TopicConfiguration { "TopicArn" as "Topic" }
    /// A queue that gets events.
    QueueConfiguration { "QueueArn" as "Queue" }
    /// A function that gets events.
    FunctionConfiguration { "LambdaFunctionArn" as "CloudFunction" }
}

wire::document! {
    /// Whether all events go to EventBridge.
    pub(crate) struct EventBridgeConfiguration {}
}

wire::document! {
    /// The destinations of a bucket's events.
    pub(crate) struct NotificationConfiguration {
        "TopicConfigurations" topics: Vec<TopicConfiguration>, default, [], [Name("TopicConfiguration"), Flat];
        "QueueConfigurations" queues: Vec<QueueConfiguration>, default, [], [Name("QueueConfiguration"), Flat];
        "LambdaFunctionConfigurations" functions: Vec<FunctionConfiguration>, default, [],
            [Name("CloudFunctionConfiguration"), Flat];
        "EventBridgeConfiguration" event_bridge: EventBridgeConfiguration, optional, [];
    }
}

/// One destination and the events that it gets.
#[derive(Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) arn: &'a str,
    /// The service that the ARN must be of.
    pub(crate) service: &'static str,
    pub(crate) events: &'a [String],
    pub(crate) rules: &'a [FilterRule],
}

impl NotificationConfiguration {
    /// The configuration of a bucket without one: no destination.
    pub(crate) const fn of_nobody() -> Self {
        Self { topics: Vec::new(), queues: Vec::new(), functions: Vec::new(), event_bridge: None }
    }

    /// Every destination.
    pub(crate) fn destinations(&self) -> impl Iterator<Item = Destination<'_>> {
        macro_rules! all {
            ($list:expr, $service:literal) => {
                $list.iter().map(|one| Destination {
                    id: one.id.as_deref(),
                    arn: &one.arn,
                    service: $service,
                    events: &one.events,
                    rules: one.filter.as_ref().and_then(|filter| filter.key.as_ref()).map_or(&[], |key| &key.rules),
                })
            };
        }
        all!(self.topics, "sns").chain(all!(self.queues, "sqs")).chain(all!(self.functions, "lambda"))
    }

    /// The id of every destination.
    pub(crate) fn ids(&mut self) -> impl Iterator<Item = &mut Option<String>> {
        let topics = self.topics.iter_mut().map(|one| &mut one.id);
        let queues = self.queues.iter_mut().map(|one| &mut one.id);
        topics.chain(queues).chain(self.functions.iter_mut().map(|one| &mut one.id))
    }
}

impl Destination<'_> {
    /// The beginnings and ends of names of objects whose events are delivered.
    pub(crate) fn ends(&self) -> (&str, &str) {
        let of = |part| self.rules.iter().find(|rule| rule.part() == Some(part)).map_or("", FilterRule::value);
        (of(Part::Prefix), of(Part::Suffix))
    }

    /// Whether it gets `event`, such as `s3:ObjectCreated:Put`, of the object `name`.
    pub(crate) fn wants(&self, event: &str, name: &str) -> bool {
        let (prefix, suffix) = self.ends();
        let listed = self.events.iter().any(|listed| match listed.strip_suffix('*') {
            Some(kind) => event.starts_with(kind),
            None => listed == event,
        });
        listed && name.starts_with(prefix) && name.ends_with(suffix)
    }
}

/// The destinations of a bucket's events, stored under the bucket's id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct NotificationRecord(pub(crate) NotificationConfiguration);

impl Record for NotificationRecord {
    const COLLECTION: &'static str = "s3-notification";
}

//! An audit record: the shape of a CloudTrail event, and its form as JSON, of bounded length.
//!
//! Written by hand rather than through serde: it is made for every call, and most of its bytes need no escaping.

use std::borrow::Cow;
use std::io::Write as _;
use std::net::IpAddr;

use policy::PrincipalKind;
use wire::Timestamp;

use crate::call::Caller;
use crate::omitted;

/// How a member begins that follows others. Names are ours and need no escaping.
macro_rules! opening {
    ($name:literal) => {
        concat!(",\"", $name, "\":\"")
    };
}

/// How much of what a caller sent stands in a record. What is longer is shortened, and the record says so.
///
/// Source: CloudTrail User Guide, "CloudTrail record contents", for the limits of a caller who is known.
struct Limits {
    /// Bytes of a text, such as the user agent.
    text: usize,
    /// Bytes of the parameters as JSON.
    parameters: usize,
    /// How many resources are listed.
    resources: usize,
    /// Bytes of a resource's ARN.
    arn: usize,
}

impl Limits {
    const KNOWN: Self = Self { text: 1024, parameters: 100 * 1024, resources: 64, arn: 1024 };
    /// Together at most 1 KiB: two texts, the parameters, two resources, and the names of a region and an access key.
    const STRANGER: Self = Self { text: 192, parameters: 192, resources: 2, arn: 96 };
}

/// Bytes of a name that a caller sent, such as a region. Genuine ones are shorter.
const NAME_BYTES_MAX: usize = 128;

/// One call as the trail records it.
///
/// Source: CloudTrail User Guide, "CloudTrail record contents".
pub(crate) struct Event<'a> {
    pub(crate) kind: Kind,
    pub(crate) user_identity: UserIdentity<'a>,
    pub(crate) time: Timestamp,
    pub(crate) source: &'a str,
    pub(crate) name: &'a str,
    pub(crate) region: &'a str,
    /// Where it came from; none for what is done on the host itself.
    pub(crate) source_ip_address: Option<IpAddr>,
    pub(crate) user_agent: &'a str,
    /// The service that called for the caller.
    pub(crate) via: Option<&'a str>,
    pub(crate) error_code: Option<&'a str>,
    pub(crate) error_message: Option<&'a str>,
    /// The input without its secrets, as JSON.
    pub(crate) request_parameters: Option<&'a [u8]>,
    pub(crate) request_id: &'a str,
    pub(crate) event_id: &'a str,
    pub(crate) read_only: bool,
    /// ARNs of what the call acted on.
    pub(crate) resources: &'a [String],
    pub(crate) recipient_account_id: Option<&'a str>,
    /// How many calls it stands for, if for more than one.
    pub(crate) counted: Option<u64>,
    /// Members of `additionalEventData` that its service adds, as JSON without the braces; empty for none.
    pub(crate) additional: &'a [u8],
}

/// An event whose additional data will be known later, such as in the transaction that it describes.
pub(crate) struct Prepared {
    head: Vec<u8>,
    additional: Additional,
    tail: Vec<u8>,
}

impl Prepared {
    /// The event with members that its service adds.
    pub(crate) fn with(mut self, members: &[u8]) -> Vec<u8> {
        self.additional.write(members, &mut self.head);
        self.head.extend_from_slice(&self.tail);
        self.head
    }
}

/// Bytes of the members that a service adds to an event.
const ADDITIONAL_BYTES_MAX: usize = 6 * 1024;

/// The members of a JSON object that a service adds to an event.
pub(crate) fn members_of(additional: &impl serde::Serialize) -> Vec<u8> {
    let object = serde_json::to_vec(additional).unwrap_or_default();
    let members = object.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or_default();
    if members.len() > ADDITIONAL_BYTES_MAX { br#""additionalDataOmitted":true"#.to_vec() } else { members.to_vec() }
}

/// The members of `additionalEventData` that every service's events may have.
#[derive(Clone, Copy)]
struct Additional {
    counted: Option<u64>,
    omitted: usize,
}

impl Additional {
    fn write(self, members: &[u8], out: &mut Vec<u8>) {
        let counted = self.counted.map(|calls| format!(r#""callsCountedTogether":{calls}"#));
        let omitted = (self.omitted > 0).then(|| format!(r#""resourcesOmitted":{}"#, self.omitted));
        let parts =
            [counted.as_deref().unwrap_or_default().as_bytes(), omitted.as_deref().unwrap_or_default().as_bytes()];
        let mut parts = parts.into_iter().chain([members]).filter(|part| !part.is_empty());
        let Some(first) = parts.next() else { return };
        out.extend_from_slice(br#","additionalEventData":{"#);
        out.extend_from_slice(first);
        for part in parts {
            out.push(b',');
            out.extend_from_slice(part);
        }
        out.push(b'}');
    }
}

/// Kind of action that an event describes.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A call of the API.
    Call,
    /// An operator's action on the host.
    Operator,
    /// A service's own action, without a caller.
    Service,
}

/// Who called, as far as it is known.
pub(crate) enum UserIdentity<'a> {
    /// A caller whose signature was verified.
    Known(&'a Caller),
    /// A call that failed authentication; the access key is what it claimed.
    Unknown(Option<&'a str>),
    /// A process on the host, by its user id.
    Operator { uid: u32 },
    /// A service, for an account.
    Service { account: &'a str },
}

impl Event<'_> {
    /// Writes the event as one JSON object to the end of `out`: at most 256 KiB, whatever the caller sent.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let additional = self.write_head(out);
        additional.write(self.additional, out);
        self.write_tail(out);
    }

    /// The event for which additional data is still to come.
    pub(crate) fn prepare(&self) -> Prepared {
        let (mut head, mut tail) = (Vec::with_capacity(USUAL_BYTES), Vec::new());
        let additional = self.write_head(&mut head);
        self.write_tail(&mut tail);
        Prepared { head, additional, tail }
    }

    fn write_head(&self, out: &mut Vec<u8>) -> Additional {
        let limits = match self.user_identity {
            UserIdentity::Unknown(_) => Limits::STRANGER,
            UserIdentity::Known(caller) if self.error_code.is_some() && caller.is_anonymous() => Limits::STRANGER,
            _ => Limits::KNOWN,
        };
        let mut out = Object(out);
        // Texts of the program's own are known to be plain, and so are ids.
        out.raw(r#"{"eventVersion":"1.11","userIdentity":{"#);
        self.user_identity.write(&mut out);
        out.optional(opening!("invokedBy"), self.via);
        out.raw("}");
        out.plain(opening!("eventTime"), &self.time.iso8601());
        out.plain(opening!("eventSource"), self.source);
        out.plain(opening!("eventName"), self.name);
        out.text(opening!("awsRegion"), &shortened(self.region, NAME_BYTES_MAX));
        match (self.source_ip_address, self.kind) {
            (Some(ip), _) => {
                out.raw(opening!("sourceIPAddress"));
                out.address(ip);
                out.raw("\"");
            }
            (None, Kind::Service) => out.plain(opening!("sourceIPAddress"), INTERNAL),
            (None, _) => out.plain(opening!("sourceIPAddress"), "host"),
        }
        out.text(opening!("userAgent"), &shortened(self.user_agent, limits.text));
        out.optional(opening!("errorCode"), self.error_code);
        let message = self.error_message.map(|message| shortened(message, limits.text));
        out.optional(opening!("errorMessage"), message.as_deref());
        out.raw(r#","requestParameters":"#);
        match self.request_parameters {
            None => out.raw("null"),
            Some(parameters) if parameters.len() <= limits.parameters => out.0.extend_from_slice(parameters),
            Some(parameters) => omitted::write_parameters(parameters, limits.parameters, out.0),
        }
        // Answers carry data keys, plaintexts and secret access keys: none is recorded. What a call made is in
        // `resources`.
        out.raw(r#","responseElements":null"#);
        out.plain(opening!("requestID"), self.request_id);
        out.plain(opening!("eventID"), self.event_id);
        out.raw(if self.read_only { r#","readOnly":true"# } else { r#","readOnly":false"# });
        if !self.resources.is_empty() {
            out.raw(r#","resources":["#);
            for (index, arn) in self.resources.iter().take(limits.resources).enumerate() {
                out.raw(if index == 0 { "{" } else { ",{" });
                out.text(r#""ARN":""#, &shortened(arn, limits.arn));
                out.optional(opening!("accountId"), wire::account_of(arn).filter(|account| is_account(account)));
                out.raw("}");
            }
            out.raw("]");
        }
        Additional { counted: self.counted, omitted: self.resources.len().saturating_sub(limits.resources) }
    }

    fn write_tail(&self, out: &mut Vec<u8>) {
        let mut out = Object(out);
        out.raw(match self.kind {
            Kind::Call => r#","eventType":"AwsApiCall","managementEvent":true"#,
            Kind::Operator => r#","eventType":"SealstackOperatorAction","managementEvent":true"#,
            Kind::Service => r#","eventType":"AwsServiceEvent","managementEvent":true"#,
        });
        out.optional(opening!("recipientAccountId"), self.recipient_account_id);
        out.raw(r#","eventCategory":"Management"}"#);
    }

    /// The event as one JSON object.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(USUAL_BYTES);
        self.write(&mut bytes);
        bytes
    }
}

/// Nearly all events are shorter.
pub(crate) const USUAL_BYTES: usize = 4096;

/// Where a service's own doing comes from, as CloudTrail has it.
const INTERNAL: &str = "AWS Internal";

/// A text of at most `limit` bytes, or its beginning with what was left out.
fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit { Cow::Borrowed(text) } else { Cow::Owned(omitted::shorten(text, limit)) }
}

/// Whether a text may be an account's id: what stands in its place in an ARN is the caller's.
fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl UserIdentity<'_> {
    fn write(&self, out: &mut Object<'_>) {
        match self {
            Self::Known(caller) => out.0.extend_from_slice(caller.identity()),
            Self::Unknown(claimed) => {
                out.text(r#""type":""#, "Unknown");
                out.optional(opening!("accessKeyId"), claimed.map(|id| shortened(id, NAME_BYTES_MAX)).as_deref());
            }
            Self::Service { account } => {
                out.text(r#""accountId":""#, account);
                out.plain(opening!("invokedBy"), INTERNAL);
            }
            Self::Operator { uid } => {
                out.text(r#""type":""#, "Operator");
                out.text(opening!("principalId"), &format!("uid:{uid}"));
            }
        }
    }
}

/// The members of `userIdentity` for a caller, as JSON.
pub(crate) fn identity_of(caller: &Caller) -> Vec<u8> {
    let mut members = Vec::new();
    let mut out = Object(&mut members);
    let principal = &caller.principal;
    out.plain(r#""type":""#, kind_name(&principal.kind));
    out.text(opening!("principalId"), &principal.unique_id);
    out.text(opening!("arn"), principal.arn.as_str());
    out.text(opening!("accountId"), &principal.account);
    out.text(opening!("accessKeyId"), &caller.access_key_id);
    if principal.kind == PrincipalKind::User {
        out.text(opening!("userName"), principal.arn.resource().rsplit('/').next().unwrap_or_default());
    }
    members
}

const fn kind_name(kind: &PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Root => "Root",
        PrincipalKind::User => "IAMUser",
        PrincipalKind::Role { .. } => "AssumedRole",
        PrincipalKind::FederatedUser { .. } => "FederatedUser",
        PrincipalKind::Federated { .. } => "WebIdentityUser",
        PrincipalKind::Service { .. } => "AWSService",
        PrincipalKind::Anonymous => "Unknown",
    }
}

/// A JSON object in the making.
struct Object<'a>(&'a mut Vec<u8>);

impl Object<'_> {
    fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    /// A text behind its name; `opening` ends with the text's first quote.
    fn text(&mut self, opening: &str, value: &str) {
        if wire::json::is_plain(value) {
            self.plain(opening, value);
        } else {
            self.raw(opening);
            // The quote is there already. Writing text to memory cannot fail.
            self.0.pop();
            let _ = serde_json::to_writer(&mut *self.0, value);
        }
    }

    /// A text that is known to need no escaping, behind its name.
    fn plain(&mut self, opening: &str, value: &str) {
        debug_assert!(wire::json::is_plain(value), "{value} needs escaping");
        self.raw(opening);
        self.raw(value);
        self.0.push(b'"');
    }

    /// An address, without quotes. The digits of the usual kind are written, not formatted.
    fn address(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => {
                for (index, octet) in ip.octets().into_iter().enumerate() {
                    if index > 0 {
                        self.0.push(b'.');
                    }
                    for (least, digit) in [(100, octet / 100), (10, octet / 10 % 10), (0, octet % 10)] {
                        if octet >= least {
                            self.0.push(b'0' + digit);
                        }
                    }
                }
            }
            // Writing to memory cannot fail.
            IpAddr::V6(ip) => drop(write!(self.0, "{ip}")),
        }
    }

    fn optional(&mut self, opening: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(opening, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_json_whatever_a_caller_sends() {
        let agent = "a \"quoted\"\\ \u{1} agent\n\u{7f} \u{1F511}";
        let event = Event {
            kind: Kind::Call,
            user_identity: UserIdentity::Unknown(Some("AKIA\"")),
            time: Timestamp::from_millis(1_763_908_618_123),
            source: "kms.amazonaws.com",
            name: "Encrypt",
            region: "us-east-1\"",
            source_ip_address: Some(IpAddr::from([127, 0, 0, 1])),
            user_agent: agent,
            via: None,
            error_code: Some("AccessDeniedException"),
            error_message: None,
            request_parameters: Some(br#"{"keyId":"alias/x"}"#),
            request_id: "r",
            event_id: "e",
            read_only: true,
            resources: &["arn:aws:kms:us-east-1:111122223333:key/1".to_owned(), "*".to_owned()],
            recipient_account_id: None,
            counted: None,
            additional: b"",
        };
        let mut written = Vec::new();
        event.write(&mut written);
        let json: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
        assert_eq!(json["userAgent"], agent);
        assert_eq!(json["userIdentity"], serde_json::json!({"type": "Unknown", "accessKeyId": "AKIA\""}));
        assert_eq!(json["awsRegion"], "us-east-1\"");
        assert_eq!(json["eventTime"], "2025-11-23T14:36:58Z");
        assert_eq!(json["requestParameters"]["keyId"], "alias/x");
        assert_eq!(json["responseElements"], serde_json::Value::Null);
        assert_eq!(json["resources"][0]["accountId"], "111122223333");
        assert_eq!(json["resources"][1], serde_json::json!({"ARN": "*"}));
        assert_eq!(json["errorCode"], "AccessDeniedException");
        assert!(json.get("errorMessage").is_none());
    }

    /// A call of `caller`, from `ip`.
    fn written(caller: &Caller, ip: &str) -> String {
        let event = Event {
            kind: Kind::Call,
            user_identity: UserIdentity::Known(caller),
            time: Timestamp::from_millis(1_763_908_618_123),
            source: "kms.amazonaws.com",
            name: "Encrypt",
            region: "us-east-1",
            source_ip_address: Some(ip.parse().expect("an address")),
            user_agent: "",
            via: None,
            error_code: None,
            error_message: Some("\\"),
            request_parameters: None,
            request_id: "r",
            event_id: "e",
            read_only: false,
            resources: &["arn:aws:kms:us-east-1::key/1".to_owned()],
            recipient_account_id: Some(&caller.principal.account),
            counted: None,
            additional: b"",
        };
        let mut written = b"before".to_vec();
        event.write(&mut written);
        String::from_utf8(written).expect("text")
    }

    #[test]
    fn every_byte_of_a_record_is_pinned() {
        let arn = |text: &str| text.parse().expect("an ARN");
        let session = arn("arn:aws:sts::111122223333:assumed-role/a/\"b");
        for (principal, ip, identity) in [
            (
                policy::Principal::user(arn("arn:aws:iam::111122223333:user/path/ana"), "AIDAX"),
                "10.0.99.100",
                r#""type":"IAMUser","principalId":"AIDAX","arn":"arn:aws:iam::111122223333:user/path/ana","accountId":"111122223333","accessKeyId":"AKIA\\","userName":"ana""#,
            ),
            (
                policy::Principal::role_session(session, arn("arn:aws:iam::111122223333:role/a"), "AROAX:\"b"),
                "255.1.20.203",
                r#""type":"AssumedRole","principalId":"AROAX:\"b","arn":"arn:aws:sts::111122223333:assumed-role/a/\"b","accountId":"111122223333","accessKeyId":"AKIA\\""#,
            ),
            (
                policy::Principal::root("111122223333"),
                "2001:db8::1",
                r#""type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":"AKIA\\""#,
            ),
        ] {
            let caller = Caller::new(principal, "AKIA\\".to_owned(), policy::Context::new(), None);
            let expect = format!(
                r#"before{{"eventVersion":"1.11","userIdentity":{{{identity}}},"eventTime":"2025-11-23T14:36:58Z","eventSource":"kms.amazonaws.com","eventName":"Encrypt","awsRegion":"us-east-1","sourceIPAddress":"{ip}","userAgent":"","errorMessage":"\\","requestParameters":null,"responseElements":null,"requestID":"r","eventID":"e","readOnly":false,"resources":[{{"ARN":"arn:aws:kms:us-east-1::key/1"}}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}"#
            );
            assert_eq!(written(&caller, ip), expect);
            assert_eq!(written(&caller, ip), expect, "again");
        }
    }

    #[test]
    fn a_record_is_never_too_long_for_the_journal() {
        let long = "\t".repeat(200_000);
        let arn = |text: &str| text.parse().expect("an ARN");
        let user = policy::Principal::user(arn("arn:aws:iam::111122223333:user/ana"), "AIDAX");
        let caller = Caller::new(user, "AKIA".to_owned(), policy::Context::new(), None);
        let parameters = serde_json::json!({ "a": long, "b": vec![long.as_str(); 3], "c": "short" }).to_string();
        let resources = vec![format!("arn:aws:kms:us-east-1:{long}:key/1"); 1000];
        for user_identity in [UserIdentity::Known(&caller), UserIdentity::Unknown(Some(&long))] {
            let known = matches!(user_identity, UserIdentity::Known(_));
            let event = Event {
                kind: Kind::Call,
                user_identity,
                time: Timestamp::from_millis(1_763_908_618_123),
                source: "kms.amazonaws.com",
                name: "Encrypt",
                region: &long,
                source_ip_address: None,
                user_agent: &long,
                via: None,
                error_code: Some("AccessDeniedException"),
                error_message: Some(&long),
                request_parameters: Some(parameters.as_bytes()),
                request_id: "r",
                event_id: "e",
                read_only: true,
                resources: &resources,
                recipient_account_id: None,
                counted: None,
                additional: b"",
            };
            let written = event.to_bytes();
            assert!(written.len() <= if known { journal::RECORD_BYTES_MAX } else { 2048 }, "{}", written.len());
            let json: serde_json::Value = serde_json::from_slice(&written).expect("JSON");
            assert!(json["userAgent"].as_str().expect("a text").contains("200000 bytes, SHA-256"));
            assert!(json["additionalEventData"]["resourcesOmitted"].as_u64() >= Some(900));
            if known {
                assert_eq!(json["requestParameters"]["c"], "short");
            }
        }
    }
}

//! The details of a refusal that its caller must not see: sealed into the message, for somebody who may have it decoded.
//!
//! Every sealed refusal has the same length. What is in it depends on things that the caller may know nothing of, such as
//! whether the resource exists, and its length must not reveal it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::sealed;
use policy::{Cited, Context, Effect as Says, Matched, PolicyLayer, Reason};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use service::{Caller, Need};
use store::{Store, StoreError};
use wire::Timestamp;

use crate::authority::authorize::owner;

/// The keyring's name for the key that refusals are sealed under.
const KEY: &str = "refusal";

/// Binds what is sealed to its purpose.
const PURPOSE: &[u8] = b"sts authorization message";

/// The sealed details, in bytes, which make 1152 characters of base64. Most refusals take 300 to 700 bytes.
const SEALED_BYTES: usize = 864;
const PLAIN_BYTES: usize = SEALED_BYTES - sealed::OVERHEAD;

/// How long a refusal can be decoded.
const GOOD_MILLIS: i64 = 7 * 24 * 60 * 60 * 1000;

/// The most bytes of each text; the decision always fits.
const ARN_BYTES_MAX: usize = 256;
const NAME_BYTES_MAX: usize = 128;
const VALUE_BYTES_MAX: usize = 96;

/// A refusal, as it is sealed: names are short to leave room for what counts.
#[derive(Serialize, Deserialize)]
pub(crate) struct Refusal {
    #[serde(rename = "t")]
    at: Timestamp,
    /// The caller's account; empty if there is none.
    #[serde(rename = "a")]
    account: String,
    /// The account that owns the resource; empty if that is nobody's.
    #[serde(rename = "o")]
    owner: String,
    #[serde(rename = "i")]
    principal_id: String,
    #[serde(rename = "p")]
    principal: String,
    #[serde(rename = "n")]
    action: String,
    #[serde(rename = "r")]
    resource: String,
    /// The kind of policy that refused.
    #[serde(rename = "s")]
    source: u8,
    /// The statements that apply; the first is the one that denies, if one does.
    #[serde(rename = "m")]
    matched: Vec<Applied>,
    /// Condition keys and their values.
    #[serde(rename = "c")]
    conditions: Vec<(String, Vec<String>)>,
    /// Whether something was left out for want of room.
    #[serde(rename = "l")]
    lacking: bool,
}

/// A statement that applies to the request.
#[derive(Serialize, Deserialize)]
struct Applied {
    #[serde(rename = "s")]
    source: u8,
    #[serde(rename = "p")]
    policy: String,
    #[serde(rename = "n")]
    statement: usize,
    #[serde(rename = "i", skip_serializing_if = "Option::is_none", default)]
    sid: Option<String>,
    #[serde(rename = "d")]
    denies: bool,
}

const SOURCES: [PolicyLayer; 6] = [
    PolicyLayer::ServiceControl,
    PolicyLayer::Resource,
    PolicyLayer::Trust,
    PolicyLayer::Identity,
    PolicyLayer::Boundary,
    PolicyLayer::Session,
];

fn number(source: PolicyLayer) -> u8 {
    SOURCES.iter().position(|one| *one == source).and_then(|index| u8::try_from(index).ok()).unwrap_or_default()
}

fn source(number: u8) -> PolicyLayer {
    SOURCES.get(usize::from(number)).copied().unwrap_or(PolicyLayer::Identity)
}

/// Whether a condition key follows from the rest of what is sealed.
fn is_implied(key: &str) -> bool {
    const IMPLIED: [&str; 7] = [
        "aws:userid",
        "aws:username",
        "aws:CurrentTime",
        "aws:EpochTime",
        "aws:ViaAWSService",
        "aws:ResourceAccount",
        "kms:CallerAccount",
    ];
    let of_principal = key.starts_with("aws:Principal") && !key.starts_with("aws:PrincipalTag/");
    of_principal || IMPLIED.iter().any(|implied| key.eq_ignore_ascii_case(implied))
}

/// The beginning of a text, of at most so many bytes.
fn kept(text: &str, bytes_max: usize, lacking: &mut bool) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    *lacking |= end < text.len();
    text.get(..end).unwrap_or_default().to_owned()
}

impl Applied {
    fn of(Cited { source, policy, statement, sid }: &Cited, denies: bool, lacking: &mut bool) -> Self {
        Self {
            source: number(*source),
            policy: kept(policy, ARN_BYTES_MAX, lacking),
            statement: *statement,
            sid: sid.as_deref().map(|sid| kept(sid, NAME_BYTES_MAX, lacking)),
            denies,
        }
    }

    fn is(&self, cited: &Cited) -> bool {
        self.source == number(cited.source) && self.policy == cited.policy && self.statement == cited.statement
    }
}

impl Refusal {
    /// A refusal for `reason`, with the statements that bore on it.
    pub(crate) fn new(
        caller: &Caller,
        need: &Need<'_>,
        context: &Context<'_>,
        reason: &Reason,
        matched: Vec<Matched>,
    ) -> Self {
        let mut lacking = false;
        let mut applied = Vec::new();
        if let Reason::ExplicitDeny(cited) = reason {
            applied.push(Applied::of(cited, true, &mut lacking));
        }
        for Matched { cited, effect, .. } in &matched {
            if !applied.first().is_some_and(|first| first.denies && first.is(cited)) {
                applied.push(Applied::of(cited, *effect == Says::Deny, &mut lacking));
            }
        }
        let mut conditions = Vec::new();
        let mut at = Timestamp::from_millis(0);
        for (key, values) in context.keys() {
            if key.eq_ignore_ascii_case("aws:CurrentTime")
                && let [policy::Value::Time(time)] = values.as_slice()
            {
                at = *time;
            }
            if !is_implied(key) {
                let values = values.as_slice().iter().map(|value| kept(&value.text(), VALUE_BYTES_MAX, &mut lacking));
                let values = values.collect();
                conditions.push((kept(key, NAME_BYTES_MAX, &mut lacking), values));
            }
        }
        let principal = &caller.principal;
        Self {
            at,
            account: principal.account.clone(),
            owner: need.account.as_deref().or_else(|| owner(&need.resource)).unwrap_or_default().to_owned(),
            principal_id: kept(&principal.unique_id, NAME_BYTES_MAX, &mut lacking),
            principal: kept(principal.arn.as_str(), ARN_BYTES_MAX, &mut lacking),
            action: need.action.to_owned(),
            resource: kept(&need.resource, ARN_BYTES_MAX, &mut lacking),
            source: number(reason.source()),
            matched: applied,
            conditions,
            lacking,
        }
    }

    /// Seals it, leaving out what has no room: conditions first, then statements, the last ones first.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn seal(mut self, store: &Store) -> Result<Option<String>, StoreError> {
        // Nobody could decode it.
        if self.account.is_empty() && self.owner.is_empty() {
            return Ok(None);
        }
        let key = store.keyring().key(KEY).await?;
        let mut plain = loop {
            let plain = serde_json::to_vec(&self).unwrap_or_default();
            if !plain.is_empty() && plain.len() <= PLAIN_BYTES {
                break plain;
            }
            self.lacking = true;
            if self.conditions.pop().is_none() && self.matched.pop().is_none() {
                return Ok(None);
            }
        };
        // Spaces behind JSON mean nothing.
        plain.resize(PLAIN_BYTES, b' ');
        Ok(Some(URL_SAFE_NO_PAD.encode(sealed::seal(&key, PURPOSE, &plain))))
    }

    /// Opens what [`seal`](Self::seal) made, if it is not too old.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn open(message: &str, store: &Store, now: Timestamp) -> Result<Option<Self>, StoreError> {
        let key = store.keyring().key(KEY).await?;
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(message) else { return Ok(None) };
        let Ok(plain) = sealed::open(&key, PURPOSE, &bytes) else { return Ok(None) };
        let refusal: Option<Self> = serde_json::from_slice(plain.expose()).ok();
        Ok(refusal.filter(|refusal| now.millis() - refusal.at.millis() <= GOOD_MILLIS))
    }

    /// Whether somebody of this account may know it: it was about their principal or their resource.
    pub(crate) fn concerns(&self, account: &str) -> bool {
        self.account == account || self.owner == account
    }

    /// Whether somebody of this account may know what a policy says.
    fn discloses(&self, number: u8, account: &str) -> bool {
        match source(number) {
            PolicyLayer::Resource | PolicyLayer::Trust => self.owner == account,
            PolicyLayer::ServiceControl | PolicyLayer::Identity | PolicyLayer::Boundary | PolicyLayer::Session => {
                self.account == account
            }
        }
    }

    /// As `DecodeAuthorizationMessage` shows it to somebody of `account`, and which statement of which policy decided.
    ///
    /// Source: AWS STS API Reference, DecodeAuthorizationMessage.
    pub(crate) fn view(&self, account: &str) -> Json {
        let denying = self.matched.first().filter(|first| first.denies);
        let decided = match denying {
            Some(first) if self.discloses(first.source, account) => {
                let sid = first.sid.as_deref().map(|sid| format!(" ({sid})")).unwrap_or_default();
                let (index, kind, policy) = (first.statement, source(first.source), &first.policy);
                format!("Statement[{index}]{sid} of the {kind} {policy} denies it")
            }
            Some(first) => format!("a statement of a {} denies it", source(first.source)),
            None => format!("no {} allows it", source(self.source)),
        };
        let shown = self.matched.iter().filter(|applied| self.discloses(applied.source, account));
        let statements: Vec<_> = shown
            .map(|applied| {
                json!({
                    "statementId": applied.sid.as_deref().unwrap_or_default(),
                    "effect": if applied.denies { "DENY" } else { "ALLOW" },
                    "policyType": source(applied.source).to_string(),
                    "policy": applied.policy,
                    "statement": applied.statement,
                })
            })
            .collect();
        let implied = [
            ("aws:CurrentTime", self.at.iso8601()),
            ("aws:PrincipalAccount", self.account.clone()),
            ("aws:ResourceAccount", self.owner.clone()),
        ];
        let implied = implied.into_iter().filter(|(_, value)| !value.is_empty());
        let implied = implied.map(|(key, value)| (key.to_owned(), vec![value]));
        let conditions = implied.chain(self.conditions.iter().cloned()).map(|(key, values)| {
            let values: Vec<_> = values.iter().map(|value| json!({"value": value})).collect();
            json!({"key": key, "values": {"items": values}})
        });
        json!({
            "allowed": false,
            "explicitDeny": denying.is_some(),
            "matchedStatements": {"items": statements},
            "failures": {"items": []},
            "context": {
                "principal": {
                    "id": self.principal_id,
                    "name": self.principal.rsplit('/').next().unwrap_or_default(),
                    "arn": self.principal,
                },
                "action": self.action,
                "resource": self.resource,
                "conditions": {"items": conditions.collect::<Vec<_>>()},
            },
            "decidedBy": decided,
            "abridged": self.lacking,
        })
    }
}

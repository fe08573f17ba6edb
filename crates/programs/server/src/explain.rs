//! Why somebody may or may not do something: asked on the host, of the database alone, so that it works while the server
//! runs as well as when it is stopped. Nothing is changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use iam::{Iam, IamError};
use kms::{Kms, KmsError};
use policy::{Context, Decision, Effect, Explanation, PolicyLayer};
use s3::S3Error;
use service::{Caller, ResourcePolicy, Side};
use store::Store;
use wire::Arn;

use crate::clock;
use crate::config::SealConfig;
use crate::data_dir::Layout;
use crate::durable_state;
use crate::error::ServerError;

/// A question: may this caller do that?
pub struct Question {
    /// The ARN of a user, a role, a role's session or an account's root user.
    pub caller: String,
    /// The action, such as `kms:Decrypt`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// The document that limits a role's session.
    pub session_policy: Option<String>,
    /// Condition keys and their values. A key that comes several times has several values.
    pub context: Vec<(String, String)>,
}

/// Prefix of the names of condition keys of an encryption context.
const ENCRYPTION_CONTEXT: &str = "kms:EncryptionContext:";

/// The answer, for people: the decision, what decided, and everything that bore on it.
///
/// # Errors
/// [`ServerError::Operator`] for ARNs that name nobody and policies that are none; those of opening the database.
pub fn explain(layout: &Layout, seal: &SealConfig, question: &Question) -> Result<String, ServerError> {
    let store = durable_state::open_beside(layout, seal)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|cause| ServerError::System { action: "start a runtime", cause })?;
    let iam = Arc::new(Iam::new(store.clone()));
    let kms = Kms::new(store.clone(), Arc::clone(&iam) as _);
    runtime.block_on(answer(&iam, &kms, &store, question)).map_err(|error| match error {
        Failure::Iam(IamError::Store(error))
        | Failure::Kms(KmsError::Store(error))
        | Failure::S3(S3Error::Store(error)) => ServerError::Store(error),
        Failure::Iam(error) => ServerError::Operator(error),
        Failure::Kms(error) => ServerError::Operator(IamError::InvalidInputOf(error.to_string())),
        Failure::S3(error) => ServerError::Operator(IamError::InvalidInputOf(error.to_string())),
    })
}

enum Failure {
    Iam(IamError),
    Kms(KmsError),
    S3(S3Error),
}

impl From<IamError> for Failure {
    fn from(error: IamError) -> Self {
        Self::Iam(error)
    }
}

impl From<KmsError> for Failure {
    fn from(error: KmsError) -> Self {
        Self::Kms(error)
    }
}

impl From<S3Error> for Failure {
    fn from(error: S3Error) -> Self {
        Self::S3(error)
    }
}

async fn answer(iam: &Iam, kms: &Kms, store: &Store, question: &Question) -> Result<String, Failure> {
    let Question { caller, action, resource, session_policy, context: given } = question;
    let arn = |text: &str| text.parse::<Arn>().map_err(|_| IamError::InvalidInputOf(format!("{text} is not an ARN.")));
    let caller = iam.as_caller(&arn(caller)?, session_policy.as_deref()).await?;
    let mut note = "";
    let side = match resource.as_str() {
        "*" => None,
        text => {
            let arn = arn(text)?;
            let found = match arn.service() {
                "kms" => kms.side(&arn, &caller, action, &encryption_context(given)).await?,
                "s3" => s3::side(store, &arn, &caller.principal, action).await?,
                _ => iam.side(&arn, action).await?,
            };
            let expected =
                arn.service() == "kms" && arn.resource().starts_with("key/") || matches!(arn.service(), "iam" | "s3");
            if found.is_none() && expected {
                note = "note: no user, role, key or bucket has this ARN, so that only the caller's own policies are weighed\n";
            }
            found
        }
    };
    let nothing = Side { guard: ResourcePolicy::Identity, context: Vec::new(), account: None };
    let Side { guard, context: own, account } = side.unwrap_or(nothing);
    let mut context = Context::over(&caller.context);
    caller.principal.describe(&mut context);
    let now = clock::now();
    context.insert("aws:CurrentTime", now);
    context.insert("aws:EpochTime", now.millis().div_euclid(1000));
    context.insert("aws:SecureTransport", true);
    if let Some(region) = resource.split(':').nth(3).filter(|region| !region.is_empty()) {
        context.insert("aws:RequestedRegion", region);
    }
    for (key, values) in own {
        context.insert_values(key, values);
    }
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in given {
        values.entry(key).or_default().push(value);
    }
    for (key, values) in values {
        match values.as_slice() {
            [one] => context.insert(key, *one),
            many => context.insert_many(key, many.iter().copied()),
        }
    }
    match iam.explain_to_operator(&caller, action, (resource, account.as_deref()), &guard, &context).await? {
        Some(explained) => Ok(format!("{}{note}", words(&caller, action, resource, &guard, &explained))),
        None => Ok("denied: the caller's permissions boundary is gone\n".to_owned()),
    }
}

fn encryption_context(given: &[(String, String)]) -> BTreeMap<String, String> {
    let pairs = given.iter().filter_map(|(key, value)| {
        let (prefix, name) = key.split_at_checked(ENCRYPTION_CONTEXT.len())?;
        prefix.eq_ignore_ascii_case(ENCRYPTION_CONTEXT).then(|| (name.to_owned(), value.clone()))
    });
    pairs.collect()
}

fn words(caller: &Caller, action: &str, resource: &str, guard: &ResourcePolicy, explained: &Explanation) -> String {
    let mut out = String::new();
    let arn = &caller.principal.arn;
    let _ = match &explained.decision {
        Decision::Allowed(by) => writeln!(out, "{by}\n\n{arn} may {action} on {resource}."),
        Decision::Denied(reason) => writeln!(out, "{reason}\n\n{arn} may not {action} on {resource}."),
    };
    out.push_str("\nWhat each layer says by itself:\n");
    let allows = |allowed: bool| if allowed { "allows" } else { "does not allow" };
    let mut layer = |name: &str, says: &str| {
        let _ = writeln!(out, "  {name:<24} {says}");
    };
    layer("service control policy", explained.service_control_allows.map_or("there is none", allows));
    layer("permissions boundary", explained.boundary_allows.map_or("there is none", allows));
    layer("session policy", explained.session_allows.map_or("there is none", allows));
    layer("identity-based policies", says(explained, &[PolicyLayer::Identity]));
    match guard {
        ResourcePolicy::Identity => layer("resource's policy", "there is none"),
        ResourcePolicy::Shared(_) | ResourcePolicy::Mandatory(_) => {
            layer("resource's policy", says(explained, &[PolicyLayer::Resource]))
        }
        ResourcePolicy::Granted(_) | ResourcePolicy::GrantedToSession(_) => {
            layer("resource's policy", says(explained, &[PolicyLayer::Resource]));
            layer("grant", "allows");
        }
        ResourcePolicy::Trust(_) => layer("role trust policy", says(explained, &[PolicyLayer::Trust])),
    }
    if !explained.matched.is_empty() {
        out.push_str("\nStatements that apply:\n");
        for matched in &explained.matched {
            let effect = if matched.effect == Effect::Deny { "Deny " } else { "Allow" };
            let _ = writeln!(out, "  {effect}  {}, line {}", matched.cited, matched.span.start.line);
        }
    }
    if !explained.missing_keys.is_empty() {
        out.push_str(
            "\nCondition keys that policies ask for and the request does not have (give them with --context):\n",
        );
        for key in &explained.missing_keys {
            let _ = writeln!(out, "  {key}");
        }
    }
    out
}

/// The sentence for the effect of policies of these kinds together.
fn says(explained: &Explanation, sources: &[PolicyLayer]) -> &'static str {
    let has = |effect| explained.matched.iter().any(|one| sources.contains(&one.cited.source) && one.effect == effect);
    match (has(Effect::Deny), has(Effect::Allow)) {
        (true, _) => "denies",
        (false, true) => "allows",
        (false, false) => "does not allow",
    }
}

//! `SimulatePrincipalPolicy` and `SimulateCustomPolicy`: what the policies would decide, and which statements say so.
//!
//! Decided by the very engine that decides calls; nothing is called.

use std::collections::BTreeMap;

use policy::{
    Cited, Context, Decision, Effect as Says, Explanation, Kind as Grammar, Matched, Named, Policies, Policy,
    PolicyLayer, Principal, Reason, Request, ResourceSide,
};
use serde::Serialize;
use service::{Account, AuditClass, Call, Permit, ResourceOperation, Window};
use wire::Arn;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::source::{self, Origin, PolicySource, Sourced};
use crate::values::error::{IamError, Result};
use crate::values::page::{self, Item, Page};
use crate::values::{document, policy_arn};

/// The rule of each document in a list of them.
pub(crate) const EACH_DOCUMENT: Rule = Rule::Each(&[document::LENGTH, document::PATTERN]);

/// How many decisions one call can ask for: each page decides all of them anew.
const DECISIONS_MAX: usize = 10_000;

wire::text_enum! {
    /// The types of a context entry. Operators read what they compare from text, so only lists differ from the others.
    pub enum ContextKeyType {
        String = "string",
        StringList = "stringList",
        Numeric = "numeric",
        NumericList = "numericList",
        Boolean = "boolean",
        BooleanList = "booleanList",
        Ip = "ip",
        IpList = "ipList",
        Binary = "binary",
        BinaryList = "binaryList",
        Date = "date",
        DateList = "dateList",
    }
}

wire::shape! {
    /// A condition key and its values.
    pub struct ContextEntry {
        "ContextKeyName" name: String, optional, [Rule::Length(5, 256)];
        "ContextKeyValues" values: Vec<String>, default, [];
        "ContextKeyType" kind: ContextKeyType, optional, [];
    }
}

wire::shape! {
    /// The service control policies of one level.
    pub struct OrganizationLevel {
        "ServiceControlPolicyInputList" policies: Vec<String>, default, [EACH_DOCUMENT];
    }
}

wire::text_enum! {
    /// Kinds of policies that can be left out.
    pub enum ExcludedType {
        Inline = "inline",
        AwsManaged = "aws-managed",
        UserManaged = "user-managed",
        Boundary = "permission-boundary",
        ServiceControl = "scp",
        ResourceControl = "rcp",
    }
}

wire::text_enum! {
    /// The kind of entity that an inline policy is in.
    pub enum AttachmentType { User = "user", Group = "group", Role = "role" }
}

wire::shape! {
    /// An inline policy.
    pub struct InlineIdentifier {
        "PolicyName" policy: String, required, [Rule::Length(1, 128)];
        "AttachmentType" kind: AttachmentType, required, [];
        "AttachmentName" name: String, required, [Rule::Length(1, 128)];
    }
}

wire::shape! {
    /// A policy, or all of a kind, to be left out.
    pub struct Exclusion {
        "PolicyType" kind: ExcludedType, optional, [];
        "PolicyArn" arn: String, optional, [policy_arn::LENGTH];
        "InlinePolicyIdentifier" inline: InlineIdentifier, optional, [];
    }
}

impl Exclusion {
    fn covers(&self, sourced: &Sourced) -> bool {
        let by_kind = match self.kind {
            Some(ExcludedType::Inline) => sourced.origin.is_inline(),
            Some(ExcludedType::AwsManaged) => sourced.origin == Origin::AwsManaged,
            Some(ExcludedType::UserManaged) => sourced.origin == Origin::UserManaged,
            _ => false,
        };
        let by_arn = self.arn.as_deref() == Some(&*sourced.name);
        let by_name = self.inline.as_ref().is_some_and(|inline| {
            inline.policy == sourced.name && sourced.origin.is_in(inline.kind.as_str(), &inline.name)
        });
        // Every part that is given has to fit.
        let given = [(self.kind.is_some(), by_kind), (self.arn.is_some(), by_arn), (self.inline.is_some(), by_name)];
        given.iter().any(|(given, _)| *given) && given.iter().all(|(given, fits)| !given || *fits)
    }
}

/// Parses the documents that a caller gives to try out.
///
/// # Errors
/// `InvalidInput`, which says which document and where.
pub(crate) fn parse(texts: &[String], member: &str, grammar: Grammar) -> Result<Vec<Policy>> {
    let parsed = texts.iter().enumerate().map(|(index, text)| {
        Policy::parse(text, grammar)
            .map_err(|malformed| IamError::InvalidInputOf(format!("{member}.{}: {malformed}", index + 1)))
    });
    parsed.collect()
}

/// Identity policies of an input, named as AWS names them.
fn custom(texts: &[String], member: &str) -> Result<Vec<Sourced>> {
    let parsed = parse(texts, member, Grammar::Identity)?.into_iter().enumerate();
    Ok(parsed
        .map(|(index, policy)| Sourced { name: format!("{member}.{}", index + 1), origin: Origin::Custom, policy })
        .collect())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PositionView {
    line: u32,
    column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatementView {
    source_policy_id: String,
    source_policy_type: &'static str,
    start_position: PositionView,
    end_position: PositionView,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OrganizationsDetail {
    allowed_by_organizations: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BoundaryDetail {
    allowed_by_permissions_boundary: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResultView {
    eval_action_name: String,
    eval_resource_name: String,
    eval_decision: &'static str,
    matched_statements: Vec<StatementView>,
    missing_context_values: Vec<String>,
    organizations_decision_detail: Option<OrganizationsDetail>,
    permissions_boundary_decision_detail: Option<BoundaryDetail>,
    eval_decision_details: BTreeMap<&'static str, &'static str>,
}

impl Item for ResultView {
    const LIST: &'static str = "EvaluationResults";
}

/// The requests to be decided, whoever makes them.
struct Requests {
    actions: Vec<String>,
    resources: Vec<String>,
    resource_policy: Option<Policy>,
    /// The account that owns the resources.
    owner: Option<String>,
    entries: Vec<ContextEntry>,
}

impl Requests {
    fn new(
        actions: Vec<String>,
        resources: Vec<String>,
        resource_policy: Option<String>,
        owner: Option<&String>,
        entries: Vec<ContextEntry>,
    ) -> Result<Self> {
        let resource_policy = parse(resource_policy.as_slice(), "ResourcePolicy", Grammar::Resource)?.pop();
        let resources = if resources.is_empty() { vec!["*".to_owned()] } else { resources };
        let owner = owner.and_then(|owner| account_in(owner));
        Ok(Self { actions, resources, resource_policy, owner, entries })
    }
}

/// Requests, and all that bears on them.
struct Question {
    requests: Requests,
    principal: Principal,
    identity: Vec<Sourced>,
    boundary: Option<Sourced>,
    levels: Vec<Vec<Policy>>,
}

impl Question {
    fn answer(&self, window: Window) -> Result<Page<ResultView>> {
        let mut context = Context::new();
        self.principal.describe(&mut context);
        for ContextEntry { name, values, kind } in &self.requests.entries {
            let Some(name) = name else { continue };
            let list = kind.is_some_and(|kind| kind.as_str().ends_with("List"));
            match values.as_slice() {
                [one] if !list => context.insert(name.as_str(), one.as_str()),
                values => context.insert_many(name.as_str(), values.iter().map(String::as_str)),
            }
        }
        if self.requests.actions.len().saturating_mul(self.requests.resources.len()) > DECISIONS_MAX {
            return Err(IamError::InvalidInputOf(format!("One call decides at most {DECISIONS_MAX} requests.")));
        }
        let pairs = self
            .requests
            .actions
            .iter()
            .flat_map(|action| self.requests.resources.iter().map(move |one| (action, one)));
        let listed = window.by_count(pairs.collect())?;
        Ok(listed.map(|(action, one)| self.decide(action, one, &context)).into())
    }

    fn decide(&self, action: &str, resource: &str, context: &Context<'_>) -> ResultView {
        let identity: Vec<_> = self.identity.iter().map(Sourced::named).collect();
        let levels: Vec<Vec<_>> = self
            .levels
            .iter()
            .map(|level| level.iter().map(|policy| Named { name: "ServiceControlPolicy", policy }).collect())
            .collect();
        let levels: Vec<&[Named<'_>]> = levels.iter().map(Vec::as_slice).collect();
        let own = self.requests.resource_policy.as_ref().map(|policy| Named { name: "ResourcePolicy", policy });
        let request = Request {
            principal: &self.principal,
            action,
            resource,
            resource_account: self.requests.owner.as_deref(),
            context,
        };
        let explained = policy::explain(
            &request,
            &Policies {
                identity: &identity,
                boundary: self.boundary.as_ref().map(Sourced::named),
                session: None,
                service_control: &levels,
                resource: own.map_or(ResourceSide::None, |named| match action.split(':').next() {
                    // A key's policy has to let everybody in.
                    Some(service) if service.eq_ignore_ascii_case("kms") => ResourceSide::Mandatory(named),
                    _ => ResourceSide::Shared(named),
                }),
            },
        );
        self.view(action, resource, explained)
    }

    fn view(&self, action: &str, resource: &str, explained: Explanation) -> ResultView {
        let Explanation { decision, matched, missing_keys, service_control_allows, boundary_allows, .. } = explained;
        let details = if self.requests.resource_policy.is_some() { details(&matched) } else { BTreeMap::new() };
        // AWS shows the statements that decided: the denies if there are any, else what allows.
        let denied = matched.iter().any(|one| one.effect == Says::Deny);
        let shown = matched.into_iter().filter(|one| {
            (one.effect == Says::Deny) == denied
                && matches!(one.cited.source, PolicyLayer::Identity | PolicyLayer::Resource | PolicyLayer::Trust)
        });
        ResultView {
            eval_action_name: action.to_owned(),
            eval_resource_name: resource.to_owned(),
            eval_decision: match decision {
                Decision::Allowed(_) => "allowed",
                Decision::Denied(Reason::ExplicitDeny(_)) => "explicitDeny",
                Decision::Denied(Reason::NoAllow(_)) => "implicitDeny",
            },
            matched_statements: shown.map(|one| self.statement(one)).collect(),
            missing_context_values: missing_keys,
            organizations_decision_detail: service_control_allows
                .map(|allowed_by_organizations| OrganizationsDetail { allowed_by_organizations }),
            permissions_boundary_decision_detail: boundary_allows
                .map(|allowed_by_permissions_boundary| BoundaryDetail { allowed_by_permissions_boundary }),
            eval_decision_details: details,
        }
    }

    fn statement(&self, Matched { cited: Cited { source, policy, .. }, span, .. }: Matched) -> StatementView {
        let origin = self.identity.iter().find(|sourced| sourced.name == policy).map(|sourced| sourced.origin.as_str());
        StatementView {
            source_policy_type: match source {
                PolicyLayer::Resource | PolicyLayer::Trust => "resource",
                _ => origin.unwrap_or("none"),
            },
            source_policy_id: policy,
            start_position: PositionView { line: span.start.line, column: span.start.column },
            end_position: PositionView { line: span.end.line, column: span.end.column },
        }
    }
}

/// The decision of each side by itself, for a request that has two.
fn details(matched: &[Matched]) -> BTreeMap<&'static str, &'static str> {
    let says = |source: PolicyLayer| {
        let has = |effect| matched.iter().any(|one| one.cited.source == source && one.effect == effect);
        match (has(Says::Deny), has(Says::Allow)) {
            (true, _) => "explicitDeny",
            (false, true) => "allowed",
            (false, false) => "implicitDeny",
        }
    };
    BTreeMap::from([("IAM Policy", says(PolicyLayer::Identity)), ("Resource Policy", says(PolicyLayer::Resource))])
}

/// The account that an ARN, or a bare id, names.
fn account_in(owner: &str) -> Option<String> {
    let account = if owner.contains(':') { wire::account_of(owner).unwrap_or_default() } else { owner };
    Some(account.to_owned()).filter(|account| !account.is_empty())
}

/// The principal that a caller's ARN stands for.
fn caller(arn: &str) -> Result<Principal> {
    let arn: Arn = policy_arn::check(arn)?;
    if arn.service() != "iam" || !arn.resource().starts_with("user/") {
        return Err(IamError::InvalidInputOf(format!("CallerArn {arn} is not a user's.")));
    }
    Ok(Principal::user(arn, ""))
}

wire::shape! {
    /// The input of `SimulateCustomPolicy`.
    pub struct SimulateCustomPolicyInput {
        "PolicyInputList" policies: Vec<String>, required, [EACH_DOCUMENT];
        "PermissionsBoundaryPolicyInputList" boundaries: Vec<String>, default, [EACH_DOCUMENT];
        "OrderedOrganizationPolicyInputList" levels: Vec<OrganizationLevel>, default, [Rule::Length(0, 7)];
        "ActionNames" action_names: Vec<String>, required, [Rule::Each(&[Rule::Length(3, 128)])];
        "ResourceArns" resource_arns: Vec<String>, default, [Rule::Each(&[Rule::Length(1, 2048)])];
        "ResourcePolicy" resource_policy: String, optional, [document::LENGTH, document::PATTERN];
        "ResourceOwner" resource_owner: String, optional, [Rule::Length(1, 2048)];
        "CallerArn" caller_arn: String, optional, [Rule::Length(1, 2048)];
        "ContextEntries" context_entries: Vec<ContextEntry>, default, [];
        "ResourceHandlingOption" resource_handling_option: String, optional, [Rule::Length(1, 64)];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
    }
}

pub(crate) struct SimulateCustomPolicy;

impl ResourceOperation for SimulateCustomPolicy {
    type On = Account<Iam>;
    const NAME: &'static str = "SimulateCustomPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = SimulateCustomPolicyInput;
    type Output = Page<ResultView>;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<Page<ResultView>> {
        let window = page::window(input.marker, input.max_items);
        let principal = match &input.caller_arn {
            Some(arn) => caller(arn)?,
            // Nobody in particular, of the caller's account.
            None => Principal::user(Arn::new("iam", "", call.account(), "user/simulated"), ""),
        };
        let identity = custom(&input.policies, "PolicyInputList")?;
        let boundary = custom(&input.boundaries, "PermissionsBoundaryPolicyInputList")?.pop();
        let mut levels = Vec::with_capacity(input.levels.len());
        for level in &input.levels {
            levels.push(parse(&level.policies, "ServiceControlPolicyInputList", Grammar::ServiceControl)?);
        }
        let requests = Requests::new(
            input.action_names,
            input.resource_arns,
            input.resource_policy,
            input.resource_owner.as_ref(),
            input.context_entries,
        )?;
        Question { requests, principal, identity, boundary, levels }.answer(window)
    }
}

wire::shape! {
    /// The input of `SimulatePrincipalPolicy`.
    pub struct SimulatePrincipalPolicyInput {
        "PolicySourceArn" source: String, required, [policy_arn::LENGTH];
        "PolicyInputList" policies: Vec<String>, default, [EACH_DOCUMENT];
        "PermissionsBoundaryPolicyInputList" boundaries: Vec<String>, default, [EACH_DOCUMENT];
        "PolicyExclusionList" exclusions: Vec<Exclusion>, default, [Rule::Length(0, 256)];
        "ActionNames" action_names: Vec<String>, required, [Rule::Each(&[Rule::Length(3, 128)])];
        "ResourceArns" resource_arns: Vec<String>, default, [Rule::Each(&[Rule::Length(1, 2048)])];
        "ResourcePolicy" resource_policy: String, optional, [document::LENGTH, document::PATTERN];
        "ResourceOwner" resource_owner: String, optional, [Rule::Length(1, 2048)];
        "CallerArn" caller_arn: String, optional, [Rule::Length(1, 2048)];
        "ContextEntries" context_entries: Vec<ContextEntry>, default, [];
        "ResourceHandlingOption" resource_handling_option: String, optional, [Rule::Length(1, 64)];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
    }
}

pub(crate) struct SimulatePrincipalPolicy;

impl ResourceOperation for SimulatePrincipalPolicy {
    type On = PolicySource;
    const NAME: &'static str = "SimulatePrincipalPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = SimulatePrincipalPolicyInput;
    type Output = Page<ResultView>;

    fn key(input: &Self::Input) -> &str {
        &input.source
    }

    async fn run(input: Self::Input, source: &Permit<PolicySource>, call: &Call<'_, Iam>) -> Result<Page<ResultView>> {
        let window = page::window(input.marker, input.max_items);
        let PolicySource { mut identity, mut boundary, mut control, principal: own } = PolicySource::clone(source);
        identity.retain(|sourced| !input.exclusions.iter().any(|exclusion| exclusion.covers(sourced)));
        for exclusion in &input.exclusions {
            match exclusion.kind {
                Some(ExcludedType::Boundary) => boundary = None,
                Some(ExcludedType::ServiceControl) => control = None,
                _ => {}
            }
        }
        identity.extend(custom(&input.policies, "PolicyInputList")?);
        // One that is given takes the place of the one that is set.
        let given = custom(&input.boundaries, "PermissionsBoundaryPolicyInputList")?.pop();
        let boundary = given.or(boundary);
        let principal = match (&input.caller_arn, own) {
            (Some(arn), _) => caller(arn)?,
            (None, Some(own)) => own,
            // A group's policies, for whoever is in it.
            (None, None) => Principal::user(Arn::new("iam", "", call.account(), "user/simulated"), ""),
        };
        let levels = control.map(|policy| vec![vec![policy]]).unwrap_or_default();
        let requests = Requests::new(
            input.action_names,
            input.resource_arns,
            input.resource_policy,
            input.resource_owner.as_ref(),
            input.context_entries,
        )?;
        Question { requests, principal, identity, boundary, levels }.answer(window)
    }
}

wire::shape! {
    /// The input of `GetContextKeysForCustomPolicy`.
    pub struct GetContextKeysForCustomPolicyInput {
        "PolicyInputList" policies: Vec<String>, required, [EACH_DOCUMENT];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContextKeysOutput {
    context_key_names: Vec<String>,
}

impl ContextKeysOutput {
    /// Each key once, whatever its letter case.
    fn of<'a>(policies: impl Iterator<Item = &'a Policy>) -> Self {
        let mut names = BTreeMap::new();
        for key in policies.flat_map(Policy::context_keys) {
            names.entry(key.to_ascii_lowercase()).or_insert_with(|| key.to_owned());
        }
        Self { context_key_names: names.into_values().collect() }
    }
}

pub(crate) struct GetContextKeysForCustomPolicy;

impl ResourceOperation for GetContextKeysForCustomPolicy {
    type On = Account<Iam>;
    const NAME: &'static str = "GetContextKeysForCustomPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetContextKeysForCustomPolicyInput;
    type Output = ContextKeysOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account<Iam>>, _: &Call<'_, Iam>) -> Result<ContextKeysOutput> {
        let policies = parse(&input.policies, "PolicyInputList", Grammar::Identity)?;
        Ok(ContextKeysOutput::of(policies.iter()))
    }
}

wire::shape! {
    /// The input of `GetContextKeysForPrincipalPolicy`.
    pub struct GetContextKeysForPrincipalPolicyInput {
        "PolicySourceArn" source: String, required, [policy_arn::LENGTH];
        "PolicyInputList" policies: Vec<String>, default, [EACH_DOCUMENT];
    }
}

pub(crate) struct GetContextKeysForPrincipalPolicy;

impl ResourceOperation for GetContextKeysForPrincipalPolicy {
    type On = PolicySource;
    const NAME: &'static str = "GetContextKeysForPrincipalPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetContextKeysForPrincipalPolicyInput;
    type Output = ContextKeysOutput;

    fn key(input: &Self::Input) -> &str {
        &input.source
    }

    async fn run(input: Self::Input, source: &Permit<PolicySource>, _: &Call<'_, Iam>) -> Result<ContextKeysOutput> {
        let given = parse(&input.policies, "PolicyInputList", Grammar::Identity)?;
        let own = source.identity.iter().map(source::Sourced::policy);
        Ok(ContextKeysOutput::of(own.chain(&given)))
    }
}

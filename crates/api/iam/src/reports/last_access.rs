//! When somebody, or those whom a policy is attached to, last asked for anything of each service that they may use.
//!
//! A report is generated on request and stays in memory; one that a restart lost has to be generated again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use service::{Account, AuditClass, Call, Need, Permit, Resource, ResourceOperation};
use store::ReadTx;
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::policies::source::PolicySource;
use crate::records::attachment::{Attachment, Usage};
use crate::records::entity::{self, Entity, Identity};
use crate::records::group::Group;
use crate::records::last_use::ActionUse;
use crate::records::managed_policy::{self, AnyPolicy};
use crate::records::membership;
use crate::records::role::Role;
use crate::records::user::User;
use crate::reports::service_access::{NAMESPACE, SERVICES};
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::{name, page, policy_arn};

/// How many reports of an account stay in memory.
const JOBS_KEPT: usize = 20;

/// The rule of a report's id.
const JOB_ID: Rule = Rule::Length(36, 36);

wire::text_enum! {
    /// How closely a report looks.
    pub enum Granularity { Service = "SERVICE_LEVEL", Action = "ACTION_LEVEL" }
}

/// Reports, by account, the oldest first.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<HashMap<String, VecDeque<Arc<Job>>>>);

/// A report.
struct Job {
    id: String,
    granularity: Granularity,
    made: Timestamp,
    services: Vec<ServiceView>,
    /// The entities that may use each of the services, by its prefix.
    entities: BTreeMap<&'static str, Vec<EntityDetails>>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ServiceView {
    service_name: &'static str,
    service_namespace: &'static str,
    last_authenticated: Option<Timestamp>,
    last_authenticated_entity: Option<Arn>,
    last_authenticated_region: Option<String>,
    total_authenticated_entities: Option<u32>,
    tracked_actions_last_accessed: Option<Vec<ActionView>>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ActionView {
    action_name: String,
    last_accessed_entity: Arn,
    last_accessed_time: Timestamp,
    last_accessed_region: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntityInfo {
    arn: Arn,
    name: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    id: String,
    path: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntityDetails {
    entity_info: EntityInfo,
    last_authenticated: Option<Timestamp>,
}

impl Jobs {
    fn add(&self, account: &str, job: Job) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = jobs.entry(account.to_owned()).or_default();
        kept.push_back(Arc::new(job));
        if kept.len() > JOBS_KEPT {
            kept.pop_front();
        }
    }

    fn find(&self, account: &str, id: &str) -> Result<Arc<Job>> {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = jobs.get(account).and_then(|kept| kept.iter().find(|job| job.id == id)).cloned();
        found.ok_or_else(|| IamError::Missing(format!("The job {id} cannot be found.")))
    }
}

/// The subject of a report: the services that its policies give access to, and the users and roles that have these policies.
#[derive(Clone)]
pub(crate) struct Subject {
    services: Vec<(&'static str, &'static str)>,
    holders: Vec<EntityInfo>,
}

fn info<E: Entity>(entity: &E) -> EntityInfo {
    let Identity { id, path, name, .. } = entity.identity().clone();
    let kind = if E::KIND == Kind::User { "USER" } else { "ROLE" };
    EntityInfo { arn: entity.arn(), name, kind, id, path }
}

/// Adds the users in a group that are not there yet.
fn add_members(tx: &ReadTx<'_>, group: &Identity, holders: &mut BTreeMap<String, EntityInfo>) -> Result<()> {
    let mut marker = None;
    loop {
        let listed = membership::users(tx, group, page::window(marker, Some(1000)))?;
        holders.extend(listed.items.iter().map(|user| (user.identity.id.clone(), info(user))));
        marker = listed.next;
        if marker.is_none() {
            return Ok(());
        }
    }
}

impl Subject {
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`.
    fn of(tx: &ReadTx<'_>, account: &str, arn: &Arn) -> Result<Self> {
        let mut holders = BTreeMap::new();
        let located = name::locate(arn);
        let may: Box<dyn Fn(&str) -> bool> = match located.as_ref().map(|found| found.kind) {
            Some(Kind::Policy) => {
                let found = managed_policy::find(tx, account, arn.as_str())?;
                let missing = || IamError::NoSuchPolicy { arn: arn.to_string() };
                let policy = AnyPolicy::parsed(&found.ok_or_else(missing)?, tx)?;
                let parent = Attachment::parent(account, arn.as_str());
                for attachment in tx.all::<Attachment>(&parent)? {
                    let Attachment { kind, entity: id, usage: Usage::Permissions } = attachment else { continue };
                    match kind {
                        Kind::User => {
                            let user = tx.get::<User>(account, &id)?;
                            holders.extend(user.map(|user| (id, info(&user))));
                        }
                        Kind::Role => {
                            let role = tx.get::<Role>(account, &id)?;
                            holders.extend(role.map(|role| (id, info(&role))));
                        }
                        Kind::Group => {
                            if let Some(group) = tx.get::<Group>(account, &id)? {
                                add_members(tx, &group.identity, &mut holders)?;
                            }
                        }
                        Kind::Policy | Kind::InstanceProfile => {}
                    }
                }
                Box::new(move |service| policy.may_allow(service))
            }
            kind => {
                let source = PolicySource::of(tx, account, arn)?;
                let name = located.as_ref().map_or("", |found| found.name);
                match kind {
                    Some(Kind::Group) => {
                        add_members(tx, &entity::load::<Group>(tx, account, name)?.identity, &mut holders)?;
                    }
                    Some(Kind::Role) => {
                        let role = entity::load::<Role>(tx, account, name)?;
                        holders.insert(role.identity.id.clone(), info(&role));
                    }
                    _ => {
                        let user = entity::load::<User>(tx, account, name)?;
                        holders.insert(user.identity.id.clone(), info(&user));
                    }
                }
                Box::new(move |service| source.identity.iter().any(|sourced| sourced.policy.may_allow(service)))
            }
        };
        let services = SERVICES.into_iter().filter(|(service, _)| may(service)).collect();
        Ok(Self { services, holders: holders.into_values().collect() })
    }

    fn report(&self, tx: &ReadTx<'_>, granularity: Granularity, made: Timestamp) -> Result<Job> {
        let mut services = BTreeMap::new();
        let mut entities = BTreeMap::new();
        for (service_namespace, service_name) in &self.services {
            let view = ServiceView {
                service_name,
                service_namespace,
                last_authenticated: None,
                last_authenticated_entity: None,
                last_authenticated_region: None,
                total_authenticated_entities: None,
                tracked_actions_last_accessed: (granularity == Granularity::Action).then(Vec::new),
            };
            services.insert(*service_namespace, view);
            entities.insert(*service_namespace, Vec::with_capacity(self.holders.len()));
        }
        for holder in &self.holders {
            let mut last: BTreeMap<&'static str, Timestamp> = BTreeMap::new();
            for used in tx.all::<ActionUse>(&holder.id)? {
                let Some((service, action)) = used.action.split_once(':') else { continue };
                let Some(view) = services.get_mut(service) else { continue };
                view.note(holder, action, &used);
                let last = last.entry(view.service_namespace).or_insert(used.at);
                *last = used.at.max(*last);
            }
            for (service, details) in &mut entities {
                let last_authenticated = last.get(service).copied();
                details.push(EntityDetails { entity_info: holder.clone(), last_authenticated });
                if last_authenticated.is_some()
                    && let Some(view) = services.get_mut(service)
                {
                    view.total_authenticated_entities = Some(view.total_authenticated_entities.unwrap_or(0) + 1);
                }
            }
        }
        for details in entities.values_mut() {
            // The latest first; those who never asked come last.
            details.sort_by_key(|details| Reverse(details.last_authenticated));
        }
        let id = uuid::Uuid::new_v4().hyphenated().to_string();
        Ok(Job { id, granularity, made, services: services.into_values().collect(), entities })
    }
}

impl ServiceView {
    /// Counts the last time that somebody asked for an action.
    fn note(&mut self, holder: &EntityInfo, action: &str, used: &ActionUse) {
        if self.last_authenticated.is_none_or(|last| last < used.at) {
            self.last_authenticated = Some(used.at);
            self.last_authenticated_entity = Some(holder.arn.clone());
            self.last_authenticated_region = Some(used.region.clone());
        }
        let Some(actions) = &mut self.tracked_actions_last_accessed else { return };
        let view = ActionView {
            action_name: action.to_owned(),
            last_accessed_entity: holder.arn.clone(),
            last_accessed_time: used.at,
            last_accessed_region: used.region.clone(),
        };
        match actions.binary_search_by(|known| known.action_name.as_str().cmp(action)) {
            Err(place) => actions.insert(place, view),
            Ok(place) => {
                if let Some(known) = actions.get_mut(place).filter(|known| known.last_accessed_time < used.at) {
                    *known = view;
                }
            }
        }
    }
}

wire::shape! {
    /// The input of `GenerateServiceLastAccessedDetails`.
    pub struct GenerateServiceLastAccessedDetailsInput {
        "Arn" arn: String, required, [policy_arn::LENGTH];
        "Granularity" granularity: Granularity, optional, [];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateOutput {
    job_id: String,
}

pub(crate) struct GenerateServiceLastAccessedDetails;

impl Resource for Subject {
    type Service = Iam;
    type Key<'a> = &'a str;

    async fn find<'a>(arn: &'a str, call: &'a Call<'_, Iam>) -> Result<Self> {
        let arn = policy_arn::check(arn)?;
        let account = call.account().to_owned();
        call.service.store.read(move |tx| Self::of(tx, &account, &arn)).await
    }

    fn need<'n>(&'n self, arn: &'n str, action: &'static str, _: &'n Call<'_, Iam>) -> Need<'n> {
        Need::identity(action, arn)
    }

    fn need_of_missing<'n>(arn: &'n str, action: &'static str, _: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        Some(Need::identity(action, arn))
    }
}

impl ResourceOperation for GenerateServiceLastAccessedDetails {
    type On = Subject;
    const NAME: &'static str = "GenerateServiceLastAccessedDetails";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GenerateServiceLastAccessedDetailsInput;
    type Output = GenerateOutput;

    fn key(input: &Self::Input) -> &str {
        &input.arn
    }

    /// The report is made before the answer, so it is complete at once.
    async fn run(input: Self::Input, subject: &Permit<Subject>, call: &Call<'_, Iam>) -> Result<GenerateOutput> {
        call.service.flush_last_uses().await?;
        let (subject, now) = (Subject::clone(subject), call.now);
        let granularity = input.granularity.unwrap_or(Granularity::Service);
        let job = call.service.store.read(move |tx| subject.report(tx, granularity, now)).await?;
        let job_id = job.id.clone();
        call.service.access_jobs.add(call.account(), job);
        Ok(GenerateOutput { job_id })
    }
}

wire::shape! {
    /// The input of `GetServiceLastAccessedDetails`.
    pub struct GetServiceLastAccessedDetailsInput {
        "JobId" job_id: String, required, [JOB_ID];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServicesOutput {
    job_status: &'static str,
    job_type: Granularity,
    job_creation_date: Timestamp,
    services_last_accessed: Vec<ServiceView>,
    job_completion_date: Timestamp,
    is_truncated: bool,
    marker: Option<String>,
}

pub(crate) struct GetServiceLastAccessedDetails;

impl ResourceOperation for GetServiceLastAccessedDetails {
    type On = Account<Iam>;
    const NAME: &'static str = "GetServiceLastAccessedDetails";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetServiceLastAccessedDetailsInput;
    type Output = ServicesOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<ServicesOutput> {
        let job = call.service.access_jobs.find(call.account(), &input.job_id)?;
        let listed = page::window(input.marker, input.max_items).by_count(job.services.clone())?;
        Ok(ServicesOutput {
            job_status: "COMPLETED",
            job_type: job.granularity,
            job_creation_date: job.made,
            job_completion_date: job.made,
            is_truncated: listed.is_truncated(),
            services_last_accessed: listed.items,
            marker: listed.next,
        })
    }
}

wire::shape! {
    /// The input of `GetServiceLastAccessedDetailsWithEntities`.
    pub struct GetServiceLastAccessedDetailsWithEntitiesInput {
        "JobId" job_id: String, required, [JOB_ID];
        "ServiceNamespace" service_namespace: String, required, [NAMESPACE[0], NAMESPACE[1]];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EntitiesOutput {
    job_status: &'static str,
    job_creation_date: Timestamp,
    job_completion_date: Timestamp,
    entity_details_list: Vec<EntityDetails>,
    is_truncated: bool,
    marker: Option<String>,
}

pub(crate) struct GetServiceLastAccessedDetailsWithEntities;

impl ResourceOperation for GetServiceLastAccessedDetailsWithEntities {
    type On = Account<Iam>;
    const NAME: &'static str = "GetServiceLastAccessedDetailsWithEntities";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetServiceLastAccessedDetailsWithEntitiesInput;
    type Output = EntitiesOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<EntitiesOutput> {
        let job = call.service.access_jobs.find(call.account(), &input.job_id)?;
        let namespace = input.service_namespace;
        let details = job.entities.get(namespace.as_str()).ok_or_else(|| {
            IamError::InvalidInputOf(format!("{namespace} is not a service of the report {}.", job.id))
        })?;
        let listed = page::window(input.marker, input.max_items).by_count(details.clone())?;
        Ok(EntitiesOutput {
            job_status: "COMPLETED",
            job_creation_date: job.made,
            job_completion_date: job.made,
            is_truncated: listed.is_truncated(),
            entity_details_list: listed.items,
            marker: listed.next,
        })
    }
}

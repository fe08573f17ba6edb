//! Service-linked roles: roles that belong to a service, which names them and which nobody else changes.

use serde::{Deserialize, Serialize};
use service::{AuditClass, Call, Need, Operation, Permit};
use store::{Record, Tx};
use wire::shape::Rule;

use crate::Iam;
use crate::principals::roles::{DESCRIPTION_LENGTH, DESCRIPTION_PATTERN, RoleView};
use crate::records::entity::{self, Identity};
use crate::records::role::{Role, SERVICE_PATH};
use crate::records::trust::Trust;
use crate::resources::inputs::RoleNameInput;
use crate::values::answer::Answer;
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::unique_id::{self, Prefix};

/// The services that have such roles, what the role's name ends in, and whether a suffix can be added to it.
///
/// Source: Service Authorization Reference and each service's "Using service-linked roles".
const SERVICES: &[(&str, &str, bool)] = &[
    ("autoscaling.amazonaws.com", "AutoScaling", true),
    ("cks.kms.amazonaws.com", "KeyManagementServiceCustomKeyStores", false),
    ("cloudtrail.amazonaws.com", "CloudTrail", false),
    ("codestar-notifications.amazonaws.com", "CodeStarNotifications", false),
    ("config.amazonaws.com", "Config", false),
    ("ecs.amazonaws.com", "ECS", false),
    ("elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing", false),
    ("mrk.kms.amazonaws.com", "KeyManagementServiceMultiRegionKeys", false),
    ("organizations.amazonaws.com", "Organizations", false),
    ("spot.amazonaws.com", "EC2Spot", false),
];

/// How long a session of such a role lasts at most, in seconds.
const SESSION_SECONDS: u32 = 3600;

/// A deletion that was done, under the account and the task's id.
#[derive(Serialize, Deserialize)]
struct Deletion {
    path: String,
    role: String,
}

impl Record for Deletion {
    const COLLECTION: &'static str = "iam.service-role-deletion";
}

/// The path and the name of the role of a service.
fn named(service: &str, suffix: Option<&str>) -> Result<(String, String)> {
    let found = SERVICES.iter().find(|(name, ..)| *name == service);
    let Some((_, name, suffixed)) = found else {
        return Err(IamError::InvalidInputOf(format!(
            "Service-linked roles of {service} are not known. Check the service's name."
        )));
    };
    match suffix {
        Some(_) if !suffixed => Err(IamError::InvalidInputOf(format!("Custom suffix is not allowed for {service}"))),
        Some(suffix) => Ok((format!("{SERVICE_PATH}{service}/"), format!("AWSServiceRoleFor{name}_{suffix}"))),
        None => Ok((format!("{SERVICE_PATH}{service}/"), format!("AWSServiceRoleFor{name}"))),
    }
}

wire::shape! {
    /// The input of `CreateServiceLinkedRole`.
    pub struct CreateServiceLinkedRoleInput {
        "AWSServiceName" service: String, required, [Rule::Length(1, 128)];
        "Description" description: String, optional, [DESCRIPTION_LENGTH, DESCRIPTION_PATTERN];
        "CustomSuffix" suffix: String, optional, [Rule::Length(1, 64)];
    }
}

pub(crate) struct CreateServiceLinkedRole;

impl Operation for CreateServiceLinkedRole {
    type Service = Iam;
    const NAME: &'static str = "CreateServiceLinkedRole";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateServiceLinkedRoleInput;
    type Output = Answer<RoleView>;
    type Target = ();

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<()> {
        name::check(&input.service, "awsServiceName")?;
        input.suffix.as_deref().map_or(Ok(()), |suffix| name::check(suffix, "customSuffix"))
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let (path, name) = named(&input.service, input.suffix.as_deref())
            .unwrap_or_else(|_| (format!("{SERVICE_PATH}{}/", input.service), "*".to_owned()));
        let arn = name::arn(Kind::Role, call.account(), &path, &name).to_string();
        vec![Need::identity("iam:CreateServiceLinkedRole", arn).with("iam:AWSServiceName", input.service.clone())]
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let (path, name) = named(&input.service, input.suffix.as_deref())?;
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{}"}},"Action":"sts:AssumeRole"}}]}}"#,
            input.service
        );
        let (account, created) = (call.account().to_owned(), call.now);
        call.write(&call.service.store, move |tx| {
            let taken =
                format!("Service role name {name} has been taken in this account, please try a different suffix.");
            let role = Role {
                identity: Identity::new(Prefix::Role, &account, Some(path), name),
                created,
                description: input.description,
                trust: Trust::resolve(tx, document)?,
                session_seconds_max: SESSION_SECONDS,
                tags: Vec::new(),
                boundary: None,
                attached: Vec::new(),
            };
            match entity::insert(tx, &role) {
                Err(IamError::EntityExists { .. }) => Err(IamError::InvalidInputOf(taken)),
                Err(error) => Err(error),
                Ok(()) => Ok(Answer(RoleView::changed(role))),
            }
        })
        .await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeletionOutput {
    deletion_task_id: String,
}

pub(crate) struct DeleteServiceLinkedRole;

impl Operation for DeleteServiceLinkedRole {
    type Service = Iam;
    const NAME: &'static str = "DeleteServiceLinkedRole";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = RoleNameInput;
    type Output = DeletionOutput;
    type Target = Role;

    async fn find(input: &RoleNameInput, call: &Call<'_, Iam>) -> Result<Role> {
        let role: Role = call.service.entity(call.account(), &input.role_name).await?;
        let missing = || IamError::NoSuchEntity { kind: Kind::Role, name: input.role_name.clone() };
        if role.is_protected() { Ok(role) } else { Err(missing()) }
    }

    fn needs<'n>(input: &'n RoleNameInput, found: Option<&'n Role>, call: &'n Call<'_, Iam>) -> Vec<Need<'n>> {
        vec![entity::need("iam:DeleteServiceLinkedRole", call.account(), &input.role_name, found)]
    }

    /// No service uses its role here, so it is gone at once and the task is done.
    async fn run(_: RoleNameInput, role: Permit<Role>, call: &Call<'_, Iam>) -> Result<DeletionOutput> {
        let known = role.into_inner().identity;
        call.write(&call.service.store, move |tx| delete(tx, &known)).await
    }
}

fn delete(tx: &mut Tx<'_>, known: &Identity) -> Result<DeletionOutput> {
    let role: Role = entity::reload(tx, known)?;
    entity::delete(tx, &role)?;
    let random = unique_id::generate(Prefix::Role);
    let service = known.path.strip_prefix('/').unwrap_or_default();
    let task = format!("task/{service}{}/{random}", known.name);
    let deletion = Deletion { path: known.path.clone(), role: known.name.clone() };
    tx.put(&known.account, &task, &deletion)?;
    Ok(DeletionOutput { deletion_task_id: task })
}

wire::shape! {
    /// The input of `GetServiceLinkedRoleDeletionStatus`.
    pub struct GetServiceLinkedRoleDeletionStatusInput {
        "DeletionTaskId" task: String, required, [Rule::Length(1, 1000)];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StatusOutput {
    status: &'static str,
}

pub(crate) struct GetServiceLinkedRoleDeletionStatus;

impl Operation for GetServiceLinkedRoleDeletionStatus {
    type Service = Iam;
    const NAME: &'static str = "GetServiceLinkedRoleDeletionStatus";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetServiceLinkedRoleDeletionStatusInput;
    type Output = StatusOutput;
    type Target = ();

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<()> {
        let (account, task) = (call.account().to_owned(), input.task.clone());
        let found = call.service.store.read(move |tx| tx.get::<Deletion>(&account, &task)).await?;
        found.map(|_| ()).ok_or_else(|| IamError::Missing(format!("The deletion task {} cannot be found.", input.task)))
    }

    /// On the role that the task's id names, whether there is such a task or not.
    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let role =
            input.task.strip_prefix("task").and_then(|rest| rest.rsplit_once('/')).map_or("/*", |(role, _)| role);
        let arn = format!("arn:aws:iam::{}:role{role}", call.account());
        vec![Need::identity("iam:GetServiceLinkedRoleDeletionStatus", arn)]
    }

    async fn run(_: Self::Input, _: Permit<()>, _: &Call<'_, Iam>) -> Result<StatusOutput> {
        Ok(StatusOutput { status: "SUCCEEDED" })
    }
}

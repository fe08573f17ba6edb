//! OpenID Connect providers: whose tokens an account's roles can trust.
//!
//! Verifying a token is for STS; a provider's keys come from its operator's file, see `provider_keys`.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit, ResourceOperation};
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::records::oidc_provider::{OidcProvider, arn, find};
use crate::resources::provider::ARN;
use crate::values::answer::NoInput;
use crate::values::error::{IamError, Quota, Result};
use crate::values::tag::{self, Tag, TagInput};

/// How many providers an account can have.
///
/// Source: IAM User Guide, "IAM and AWS STS quotas".
const PROVIDERS_MAX: usize = 100;
/// How many client ids a provider can have.
const CLIENTS_MAX: usize = 100;
/// The rules of a list of thumbprints.
const THUMBPRINTS: [Rule; 2] = [Rule::Length(0, 5), Rule::Each(&[Rule::Length(40, 40)])];
/// The rules of a list of client ids.
const CLIENTS: Rule = Rule::Each(&[Rule::Length(1, 255)]);

fn quota(clients: &[String]) -> Result<()> {
    if clients.len() > CLIENTS_MAX {
        let quota = Quota::Count { name: "ClientIdsPerOpenIdConnectProvider", limit: CLIENTS_MAX };
        return Err(IamError::LimitExceeded(quota));
    }
    Ok(())
}

/// Host and path of a provider's URL.
fn checked(url: &str) -> Result<String> {
    let rest = url.strip_prefix("https://").ok_or(IamError::InvalidInput("Invalid Open ID Connect Provider URL"))?;
    let rest = rest.trim_end_matches('/');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    let host = rest.split('/').next().unwrap_or_default();
    if !host.contains('.') || !rest.bytes().all(allowed) || rest.split('/').any(|part| part == "." || part == "..") {
        return Err(IamError::InvalidInput("Invalid Open ID Connect Provider URL"));
    }
    Ok(rest.to_owned())
}

wire::shape! {
    /// The input of `CreateOpenIDConnectProvider`.
    pub struct CreateOpenIDConnectProviderInput {
        "Url" url: String, required, [Rule::Length(1, 255)];
        "ClientIDList" client_id_list: Vec<String>, default, [CLIENTS];
        "ThumbprintList" thumbprint_list: Vec<String>, default, [THUMBPRINTS[0], THUMBPRINTS[1]];
        "Tags" tags: Vec<TagInput>, default, [tag::LIST];
    }
}

#[derive(Serialize)]
pub(crate) struct CreateOpenIDConnectProviderOutput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: Arn,
    #[serde(rename = "Tags", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

pub(crate) struct CreateOpenIDConnectProvider;

impl Operation for CreateOpenIDConnectProvider {
    type Service = Iam;
    const NAME: &'static str = "CreateOpenIDConnectProvider";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateOpenIDConnectProviderInput;
    type Output = CreateOpenIDConnectProviderOutput;
    type Target = String;

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<String> {
        checked(&input.url)
    }

    fn needs<'n>(input: &'n Self::Input, found: Option<&'n String>, call: &'n Call<'_, Iam>) -> Vec<Need<'n>> {
        let arn = arn(call.account(), found.map_or("*", String::as_str)).to_string();
        let tagged = |action| tag::in_request(Need::identity(action, arn.clone()), &input.tags);
        let mut needs = vec![tagged("iam:CreateOpenIDConnectProvider")];
        if !input.tags.is_empty() {
            needs.push(tagged("iam:TagOpenIDConnectProvider"));
        }
        needs
    }

    async fn run(input: Self::Input, url: Permit<String>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        quota(&input.client_id_list)?;
        let provider = OidcProvider {
            account: call.account().to_owned(),
            url: url.into_inner(),
            tags: tag::checked(&input.tags)?,
            clients: input.client_id_list,
            thumbprints: input.thumbprint_list,
            created: call.now,
        };
        call.write(&call.service.store, move |tx| {
            let OidcProvider { account, url, .. } = &provider;
            if find(tx, account, url)?.is_some() {
                return Err(IamError::Taken(format!("Provider with url https://{url} already exists.")));
            }
            if tx.all::<OidcProvider>(account)?.len() >= PROVIDERS_MAX {
                let quota = Quota::Count { name: "OpenIdConnectProvidersPerAccount", limit: PROVIDERS_MAX };
                return Err(IamError::LimitExceeded(quota));
            }
            tx.put(account, url, &provider)?;
            Ok(CreateOpenIDConnectProviderOutput { arn: provider.arn(), tags: provider.tags })
        })
        .await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProviderEntry {
    arn: Arn,
}

#[derive(Serialize)]
pub(crate) struct ListOpenIDConnectProvidersOutput {
    #[serde(rename = "OpenIDConnectProviderList")]
    list: Vec<ProviderEntry>,
}

pub(crate) struct ListOpenIDConnectProviders;

impl Operation for ListOpenIDConnectProviders {
    type Service = Iam;
    const NAME: &'static str = "ListOpenIDConnectProviders";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = NoInput;
    type Output = ListOpenIDConnectProvidersOutput;
    type Target = ();

    async fn find(_: &NoInput, _: &Call<'_, Iam>) -> Result<()> {
        Ok(())
    }

    fn needs<'n>(_: &'n NoInput, _: Option<&'n ()>, call: &'n Call<'_, Iam>) -> Vec<Need<'n>> {
        vec![Need::identity("iam:ListOpenIDConnectProviders", arn(call.account(), "*").to_string())]
    }

    async fn run(_: NoInput, _: Permit<()>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let account = call.account().to_owned();
        let mut providers = call.service.store.read(move |tx| tx.all::<OidcProvider>(&account)).await?;
        providers.sort_by(|a, b| a.url.cmp(&b.url));
        let list = providers.iter().map(|provider| ProviderEntry { arn: provider.arn() }).collect();
        Ok(ListOpenIDConnectProvidersOutput { list })
    }
}

wire::shape! {
    /// The input of an operation on an OpenID Connect provider.
    pub struct ProviderInput {
        "OpenIDConnectProviderArn" arn: String, required, [ARN];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetOpenIDConnectProviderOutput {
    url: String,
    #[serde(rename = "ClientIDList")]
    clients: Vec<String>,
    #[serde(rename = "ThumbprintList")]
    thumbprints: Vec<String>,
    #[serde(rename = "CreateDate")]
    created: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

pub(crate) struct GetOpenIDConnectProvider;

impl ResourceOperation for GetOpenIDConnectProvider {
    type On = OidcProvider;
    const NAME: &'static str = "GetOpenIDConnectProvider";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ProviderInput;
    type Output = GetOpenIDConnectProviderOutput;

    fn key(input: &ProviderInput) -> &str {
        &input.arn
    }

    async fn run(
        _: ProviderInput,
        provider: &Permit<OidcProvider>,
        _: &Call<'_, Iam>,
    ) -> Result<GetOpenIDConnectProviderOutput> {
        let OidcProvider { url, clients, thumbprints, created, tags, .. } = OidcProvider::clone(provider);
        Ok(GetOpenIDConnectProviderOutput { url, clients, thumbprints, created, tags })
    }
}

pub(crate) struct DeleteOpenIDConnectProvider;

impl ResourceOperation for DeleteOpenIDConnectProvider {
    type On = OidcProvider;
    const NAME: &'static str = "DeleteOpenIDConnectProvider";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ProviderInput;
    type Output = ();

    fn key(input: &ProviderInput) -> &str {
        &input.arn
    }

    async fn run(_: ProviderInput, provider: &Permit<OidcProvider>, call: &Call<'_, Iam>) -> Result<()> {
        let (account, url) = (provider.account.clone(), provider.url.clone());
        call.write(&call.service.store, move |tx| Ok(tx.delete::<OidcProvider>(&account, &url).map(|_| ())?)).await
    }
}

wire::shape! {
    /// The input of an operation on a provider's client id.
    pub struct ClientInput {
        "OpenIDConnectProviderArn" arn: String, required, [ARN];
        "ClientID" client: String, required, [Rule::Length(1, 255)];
    }
}

pub(crate) struct AddClientIDToOpenIDConnectProvider;

impl ResourceOperation for AddClientIDToOpenIDConnectProvider {
    type On = OidcProvider;
    const NAME: &'static str = "AddClientIDToOpenIDConnectProvider";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ClientInput;
    type Output = ();

    fn key(input: &ClientInput) -> &str {
        &input.arn
    }

    async fn run(input: ClientInput, provider: &Permit<OidcProvider>, call: &Call<'_, Iam>) -> Result<()> {
        let change = move |provider: &mut OidcProvider| {
            if !provider.clients.contains(&input.client) {
                provider.clients.push(input.client);
            }
            quota(&provider.clients)
        };
        provider.change(call, change).await
    }
}

pub(crate) struct RemoveClientIDFromOpenIDConnectProvider;

impl ResourceOperation for RemoveClientIDFromOpenIDConnectProvider {
    type On = OidcProvider;
    const NAME: &'static str = "RemoveClientIDFromOpenIDConnectProvider";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ClientInput;
    type Output = ();

    fn key(input: &ClientInput) -> &str {
        &input.arn
    }

    async fn run(input: ClientInput, provider: &Permit<OidcProvider>, call: &Call<'_, Iam>) -> Result<()> {
        let change = move |provider: &mut OidcProvider| {
            provider.clients.retain(|client| *client != input.client);
            Ok(())
        };
        provider.change(call, change).await
    }
}

wire::shape! {
    /// The input of `UpdateOpenIDConnectProviderThumbprint`.
    pub struct ThumbprintInput {
        "OpenIDConnectProviderArn" arn: String, required, [ARN];
        "ThumbprintList" thumbprints: Vec<String>, required, [THUMBPRINTS[0], THUMBPRINTS[1]];
    }
}

pub(crate) struct UpdateOpenIDConnectProviderThumbprint;

impl ResourceOperation for UpdateOpenIDConnectProviderThumbprint {
    type On = OidcProvider;
    const NAME: &'static str = "UpdateOpenIDConnectProviderThumbprint";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ThumbprintInput;
    type Output = ();

    fn key(input: &ThumbprintInput) -> &str {
        &input.arn
    }

    async fn run(input: ThumbprintInput, provider: &Permit<OidcProvider>, call: &Call<'_, Iam>) -> Result<()> {
        let change = move |provider: &mut OidcProvider| {
            provider.thumbprints = input.thumbprints;
            Ok(())
        };
        provider.change(call, change).await
    }
}

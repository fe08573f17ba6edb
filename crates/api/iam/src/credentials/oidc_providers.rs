//! OpenID Connect providers: whose tokens an account's roles can trust. The record, and the operations on it.
//!
//! What a token says and who signed it is for STS; a provider's keys come from its operator's file, see `provider_keys`.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::Tx;
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::records::oidc_provider::{OidcProvider, RESOURCE, arn, find};
use crate::values::error::{IamError, Quota};
use crate::values::kind::Kind;
use crate::values::page::{self, Window};
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
/// The rule of a provider's ARN.
const ARN: Rule = Rule::Length(20, 2048);

/// The URL that a provider's ARN names, if it is one of the account.
fn url_of(text: &str, account: &str) -> Option<String> {
    let arn: Arn = text.parse().ok()?;
    let own = arn.service() == "iam" && arn.account() == account;
    arn.resource().strip_prefix(RESOURCE).filter(|url| own && !url.is_empty()).map(str::to_owned)
}

fn missing(arn: &str) -> IamError {
    IamError::Missing(format!("OpenIDConnect Provider not found for arn {arn}"))
}

async fn load(arn: &str, call: &Call<'_, Iam>) -> Result<OidcProvider, IamError> {
    let account = call.account().to_owned();
    let url = url_of(arn, &account).ok_or_else(|| missing(arn))?;
    let found = call.service.store.read(move |tx| find(tx, &account, &url)).await?;
    found.ok_or_else(|| missing(arn))
}

fn need(action: &'static str, arn: &str, found: Option<&OidcProvider>) -> Need<'static> {
    tag::on_resource(
        Need::identity(action, arn.to_owned()),
        found.map(|found| found.tags.as_slice()).unwrap_or_default(),
    )
}

/// Changes a provider's record.
async fn change<T: Send + 'static>(
    provider: Permit<OidcProvider>,
    call: &Call<'_, Iam>,
    change: impl FnOnce(&mut OidcProvider) -> Result<T, IamError> + Send + 'static,
) -> Result<T, IamError> {
    let OidcProvider { account, url, .. } = provider.into_inner();
    call.write(&call.service.store, move |tx| {
        let found = find(tx, &account, &url)?;
        let mut provider = found.ok_or_else(|| missing(arn(&account, &url).as_str()))?;
        let done = change(&mut provider)?;
        put(tx, &provider)?;
        Ok(done)
    })
    .await
}

fn put(tx: &mut Tx<'_>, provider: &OidcProvider) -> Result<(), IamError> {
    Ok(tx.put(&provider.account, &provider.url, provider)?)
}

fn quota(clients: &[String]) -> Result<(), IamError> {
    if clients.len() > CLIENTS_MAX {
        let quota = Quota::Count { name: "ClientIdsPerOpenIdConnectProvider", limit: CLIENTS_MAX };
        return Err(IamError::LimitExceeded(quota));
    }
    Ok(())
}

/// Host and path of a provider's URL.
fn checked(url: &str) -> Result<String, IamError> {
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

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<String, IamError> {
        checked(&input.url)
    }

    fn needs(input: &Self::Input, found: Option<&String>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let arn = arn(call.account(), found.map_or("*", String::as_str)).to_string();
        let tagged = |action| tag::in_request(Need::identity(action, arn.clone()), &input.tags);
        let mut needs = vec![tagged("iam:CreateOpenIDConnectProvider")];
        if !input.tags.is_empty() {
            needs.push(tagged("iam:TagOpenIDConnectProvider"));
        }
        needs
    }

    async fn run(
        input: Self::Input,
        url: Permit<String>,
        call: &Call<'_, Iam>,
    ) -> Result<CreateOpenIDConnectProviderOutput, IamError> {
        quota(&input.client_id_list)?;
        let provider = OidcProvider {
            account: call.account().to_owned(),
            url: url.into_inner(),
            clients: input.client_id_list,
            thumbprints: input.thumbprint_list,
            created: call.now,
            tags: tag::checked(input.tags)?,
        };
        call.write(&call.service.store, move |tx| {
            if find(tx, &provider.account, &provider.url)?.is_some() {
                return Err(IamError::Taken(format!("Provider with url https://{} already exists.", provider.url)));
            }
            if tx.all::<OidcProvider>(&provider.account)?.len() >= PROVIDERS_MAX {
                let quota = Quota::Count { name: "OpenIdConnectProvidersPerAccount", limit: PROVIDERS_MAX };
                return Err(IamError::LimitExceeded(quota));
            }
            put(tx, &provider)?;
            Ok(CreateOpenIDConnectProviderOutput { arn: provider.arn(), tags: provider.tags })
        })
        .await
    }
}

wire::shape! {
    /// The input of `ListOpenIDConnectProviders`.
    pub struct ListOpenIDConnectProvidersInput {}
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
    type Input = ListOpenIDConnectProvidersInput;
    type Output = ListOpenIDConnectProvidersOutput;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        Ok(())
    }

    fn needs(_: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Need::identity("iam:ListOpenIDConnectProviders", arn(call.account(), "*").to_string())]
    }

    async fn run(
        _: Self::Input,
        _: Permit<()>,
        call: &Call<'_, Iam>,
    ) -> Result<ListOpenIDConnectProvidersOutput, IamError> {
        let account = call.account().to_owned();
        let mut providers = call.service.store.read(move |tx| tx.all::<OidcProvider>(&account)).await?;
        providers.sort_by(|a, b| a.url.cmp(&b.url));
        let list = providers.iter().map(|provider| ProviderEntry { arn: provider.arn() }).collect();
        Ok(ListOpenIDConnectProvidersOutput { list })
    }
}

#[derive(Serialize)]
pub(crate) struct GetOpenIDConnectProviderOutput {
    #[serde(rename = "Url")]
    url: String,
    #[serde(rename = "ClientIDList")]
    clients: Vec<String>,
    #[serde(rename = "ThumbprintList")]
    thumbprints: Vec<String>,
    #[serde(rename = "CreateDate")]
    created: Timestamp,
    #[serde(rename = "Tags", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProviderTagsOutput {
    tags: Vec<Tag>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// An operation on one provider: its name, its input's members beside the ARN, what it does.
macro_rules! on_provider {
    (
        $operation:ident $input:ident -> $output:ty, $effect:ident,
        { $($wire:literal $field:ident : $kind:ty, $presence:ident, [$($rule:expr),*];)* },
        |$need:ident, $given:ident| $needed:expr,
        |$value:ident, $provider:ident, $call:ident| $run:expr
    ) => {
        wire::shape! {
            #[doc = concat!("The input of `", stringify!($operation), "`.")]
            pub struct $input {
                "OpenIDConnectProviderArn" arn: String, required, [ARN];
                $($wire $field: $kind, $presence, [$($rule),*];)*
            }
        }

        pub(crate) struct $operation;

        impl Operation for $operation {
            type Service = Iam;
            const NAME: &'static str = stringify!($operation);
            const AUDIT: AuditClass = AuditClass::$effect;
            type Input = $input;
            type Output = $output;
            type Target = OidcProvider;

            async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<OidcProvider, IamError> {
                load(&input.arn, call).await
            }

            fn needs($given: &Self::Input, found: Option<&OidcProvider>, _: &Call<'_, Iam>) -> Vec<Need<'static>> {
                let $need = need(concat!("iam:", stringify!($operation)), &$given.arn, found);
                vec![$needed]
            }

            async fn run(
                $value: Self::Input,
                $provider: Permit<OidcProvider>,
                $call: &Call<'_, Iam>,
            ) -> Result<$output, IamError> {
                $run
            }
        }
    };
}

on_provider!(
    GetOpenIDConnectProvider GetOpenIDConnectProviderInput -> GetOpenIDConnectProviderOutput, Read, {},
    |need, _input| need,
    |_input, provider, _call| {
        let OidcProvider { url, clients, thumbprints, created, tags, .. } = provider.into_inner();
        Ok(GetOpenIDConnectProviderOutput { url, clients, thumbprints, created, tags })
    }
);

on_provider!(
    DeleteOpenIDConnectProvider DeleteOpenIDConnectProviderInput -> (), Change, {},
    |need, _input| need,
    |_input, provider, call| {
        let OidcProvider { account, url, .. } = provider.into_inner();
        call.write(&call.service.store, move |tx| Ok(tx.delete::<OidcProvider>(&account, &url).map(|_| ())?)).await
    }
);

on_provider!(
    AddClientIDToOpenIDConnectProvider AddClientIDToOpenIDConnectProviderInput -> (), Change,
    { "ClientID" client: String, required, [Rule::Length(1, 255)]; },
    |need, _input| need,
    |input, provider, call| {
        change(provider, call, move |provider| {
            if !provider.clients.contains(&input.client) {
                provider.clients.push(input.client);
            }
            quota(&provider.clients)
        })
        .await
    }
);

on_provider!(
    RemoveClientIDFromOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProviderInput -> (), Change,
    { "ClientID" client: String, required, [Rule::Length(1, 255)]; },
    |need, _input| need,
    |input, provider, call| {
        change(provider, call, move |provider| {
            provider.clients.retain(|client| *client != input.client);
            Ok(())
        })
        .await
    }
);

on_provider!(
    UpdateOpenIDConnectProviderThumbprint UpdateOpenIDConnectProviderThumbprintInput -> (), Change,
    { "ThumbprintList" thumbprints: Vec<String>, required, [THUMBPRINTS[0], THUMBPRINTS[1]]; },
    |need, _input| need,
    |input, provider, call| {
        change(provider, call, move |provider| {
            provider.thumbprints = input.thumbprints;
            Ok(())
        })
        .await
    }
);

on_provider!(
    TagOpenIDConnectProvider TagOpenIDConnectProviderInput -> (), Change,
    { "Tags" tags: Vec<TagInput>, required, [tag::LIST]; },
    |need, input| tag::in_request(need, &input.tags),
    |input, provider, call| {
        let new = tag::checked(input.tags)?;
        change(provider, call, move |provider| tag::add(Kind::Policy, &mut provider.tags, new)).await
    }
);

on_provider!(
    UntagOpenIDConnectProvider UntagOpenIDConnectProviderInput -> (), Change,
    { "TagKeys" tag_keys: Vec<String>, required, [tag::LIST, tag::EACH_KEY]; },
    |need, input| tag::keys_in_request(need, &[], input.tag_keys.iter()),
    |input, provider, call| {
        change(provider, call, move |provider| tag::remove(Kind::Policy, &mut provider.tags, &input.tag_keys)).await
    }
);

on_provider!(
    ListOpenIDConnectProviderTags ListOpenIDConnectProviderTagsInput -> ProviderTagsOutput, Read,
    {
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    },
    |need, _input| need,
    |input, provider, _call| {
        let listed = Window::new(input.marker, input.max_items).cut(provider.into_inner().tags)?;
        Ok(ProviderTagsOutput { is_truncated: listed.is_truncated(), tags: listed.items, marker: listed.marker })
    }
);

//! `AssumeRoleWithWebIdentity`: a session of a role for the bearer of an identity provider's token. The caller signs
//! nothing; the provider's signature authenticates them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy::{Context, Principal};
use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize};
use service::{AuditClass, Call, Caller, Need, Operation, Permit, ResourcePolicy};
use wire::shape::{Described, Member, Path, Rule, Violations};
use wire::{Malformed, Reader, Timestamp};

use super::Sts;
use super::assume_role::{Assumed, AssumedRoleUser, seconds};
use super::credential::{
    Credentials, POLICY, PolicyDescriptorType, SECONDS_MIN, SESSION_NAME, TOKEN_BYTES_MIN, limits, pack,
};
use crate::authority::session::{Bearer, Session};
use crate::records::oidc_provider::{self, OidcProvider};
use crate::values::error::{IamError, Result, Token};

/// How long a token can be, in characters.
const TOKEN_LENGTH_MAX: usize = 20_000;

/// How far the provider's clock may be ahead of ours, in seconds.
const SKEW_SECONDS: i64 = 300;

/// A provider's token: it opens the role, so neither messages nor the audit trail show it.
#[expect(unreachable_pub, reason = "it is a member of inputs, which are public as associated types")]
pub struct IdentityToken(String);

impl Described for IdentityToken {}

impl Member for IdentityToken {
    type Wire = Self;
    const SECRET: bool = true;

    fn read(reader: &mut Reader<'_>, _: usize) -> Result<Self, Malformed> {
        reader.text().map(|text| Self(text.into_owned()))
    }

    fn check(wire: Self, path: &Path<'_>, _: &[Rule], violations: &mut Violations) -> Option<Self> {
        if wire.0.len() < 4 {
            violations.add(None, path, "Member must have length greater than or equal to 4");
        } else if wire.0.len() > TOKEN_LENGTH_MAX {
            violations.add(None, path, "Member must have length less than or equal to 20000");
        }
        Some(wire)
    }

    fn audit<S: SerializeStruct>(&self, _: &'static str, _: &mut S) -> Result<(), S::Error> {
        Ok(())
    }
}

wire::shape! {
    /// The input of `AssumeRoleWithWebIdentity`.
    pub struct AssumeRoleWithWebIdentityInput {
        "RoleArn" role_arn: String, required, [Rule::Length(20, 2048)];
        "RoleSessionName" role_session_name: String, required, [SESSION_NAME[0], SESSION_NAME[1]];
        "WebIdentityToken" web_identity_token: IdentityToken, required, [];
        "ProviderId" provider_id: String, optional, [Rule::Length(4, 2048)];
        "PolicyArns" policy_arns: Vec<PolicyDescriptorType>, default, [];
        "Policy" policy: String, optional, [POLICY[0], POLICY[1]];
        "DurationSeconds" duration_seconds: u32, optional, [Rule::Range(SECONDS_MIN, 43_200)];
        "MinimumSessionTokenSize" token_bytes_min: u32, default, [TOKEN_BYTES_MIN];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AssumeRoleWithWebIdentityOutput {
    credentials: Credentials,
    subject_from_web_identity_token: String,
    assumed_role_user: AssumedRoleUser,
    packed_policy_size: Option<usize>,
    provider: String,
    audience: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    /// For whom the token was made, where it differs from the audience.
    azp: Option<String>,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
}

/// A token, taken apart and not verified yet.
struct Parts<'a> {
    header: Header,
    claims: Claims,
    signed: &'a [u8],
    signature: Vec<u8>,
}

fn parse(token: &str) -> Option<Parts<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    Some(Parts {
        header: decode(header)?,
        claims: decode(claims)?,
        signed: signed.as_bytes(),
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
    })
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

impl Claims {
    /// The one of the provider's client ids that the token is for.
    fn audience(&self, provider: &OidcProvider) -> Option<String> {
        let known = |client: &&String| provider.clients.contains(client);
        if let Some(party) = &self.azp {
            return Some(party).filter(known).cloned();
        }
        match &self.aud {
            Audience::One(one) => Some(one).filter(known).cloned(),
            Audience::Many(many) => many.iter().find(known).cloned(),
        }
    }

    /// # Errors
    /// `ExpiredTokenException`, `InvalidIdentityToken`.
    fn check_time(&self, now: Timestamp) -> Result<()> {
        let now = now.millis() / 1000;
        if self.exp <= now {
            return Err(Token::Expired.error("Token expired: its expiration date/time has passed"));
        }
        let begins = self.nbf.into_iter().chain(self.iat).max().unwrap_or(now);
        if begins > now.saturating_add(SKEW_SECONDS) {
            return Err(Token::Invalid.error("The ID Token provided is not valid yet"));
        }
        Ok(())
    }
}

/// The verified facts of a provider's token.
struct Verified {
    provider: OidcProvider,
    subject: String,
    audience: String,
}

/// Verifies a token against the providers of an account.
async fn verify(sts: &Sts, account: &str, token: &str, now: Timestamp) -> Result<Verified> {
    let invalid = |message: &str| Token::Invalid.error(message);
    let Parts { header, claims, signed, signature } =
        parse(token).ok_or_else(|| invalid("The ID Token provided is not a valid JWT."))?;
    let url = claims.iss.strip_prefix("https://").unwrap_or(&claims.iss).trim_end_matches('/').to_owned();
    let owner = account.to_owned();
    let found = sts.iam.store.read(move |tx| oidc_provider::find(tx, &owner, &url)).await?;
    // AWS names the issuer here; a stranger's text is not repeated.
    let provider = found.ok_or_else(|| invalid("No OpenIDConnect provider found in your account for the issuer"))?;
    let keys = sts.iam.provider_keys.of(&provider.url);
    let keys =
        keys.ok_or_else(|| Token::NoKeys.error("Couldn't retrieve verification key from your identity provider"))?;
    if !keys.signed(&header.alg, header.kid.as_deref(), signed, &signature) {
        return Err(invalid("Couldn't verify the signature of the ID Token"));
    }
    claims.check_time(now)?;
    let audience = claims.audience(&provider).ok_or_else(|| invalid("Incorrect token audience"))?;
    Ok(Verified { provider, subject: claims.sub, audience })
}

pub(crate) struct AssumeRoleWithWebIdentity;

impl Operation for AssumeRoleWithWebIdentity {
    type Service = Sts;
    const NAME: &'static str = "AssumeRoleWithWebIdentity";
    // It changes nothing, but whoever was given credentials must be in the audit trail.
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AssumeRoleWithWebIdentityInput;
    type Output = AssumeRoleWithWebIdentityOutput;
    type Target = Option<Assumed>;

    async fn find(input: &Self::Input, call: &Call<'_, Sts>) -> Result<Option<Assumed>> {
        Assumed::find(call.service, &input.role_arn).await
    }

    /// Nothing of the caller, who is nobody yet: `run` asks the role's trust policy about whom the token names.
    fn needs(_: &Self::Input, _: Option<&Option<Assumed>>, _: &Call<'_, Sts>) -> Vec<Need<'static>> {
        Vec::new()
    }

    async fn run(
        input: Self::Input,
        assumed: Permit<Option<Assumed>>,
        call: &Call<'_, Sts>,
    ) -> Result<AssumeRoleWithWebIdentityOutput> {
        let refused = || IamError::AccessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity".to_owned());
        if input.provider_id.is_some() {
            return Err(IamError::Validation("ProviderId is for OAuth 2.0 access tokens only.".to_owned()));
        }
        // Before the role: without a verified token, nobody learns which roles there are.
        let account = wire::account_of(&input.role_arn).unwrap_or_default().to_owned();
        let account = account.as_str();
        let Verified { provider, subject, audience } =
            verify(call.service, account, &input.web_identity_token.0, call.now).await?;
        let Assumed { role, trust } = assumed.into_inner().ok_or_else(refused)?;

        let name = input.role_session_name;
        let arn = provider.arn().to_string();
        let claims = vec![
            (format!("{}:aud", provider.url), vec![audience.clone()]),
            (format!("{}:sub", provider.url), vec![subject.clone()]),
            ("aws:FederatedProvider".to_owned(), vec![arn.clone()]),
        ];
        let mut context = Context::over(call.context);
        context.insert("sts:RoleSessionName", &name);
        for (key, values) in &claims {
            context.insert_many(key.as_str(), values.iter());
            if let [only] = values.as_slice() {
                context.insert(key.as_str(), only);
            }
        }
        let caller = Caller::new(Principal::federated(&arn), String::new(), Context::new(), None);
        let need =
            Need::identity("sts:AssumeRoleWithWebIdentity", input.role_arn).guarded(ResourcePolicy::Trust(trust));
        if call.service.iam.authorize(&caller, &need, &context).await?.is_err() {
            return Err(refused());
        }

        let seconds = seconds(&role, input.duration_seconds, false)?;
        let limits = limits(call.service, account, input.policy, input.policy_arns).await?;
        let bearer = Bearer::Role { id: role.identity.id.clone(), session: name.clone() };
        let mut session = Session::new(account, bearer, call.now, seconds);
        session.token_bytes_min = input.token_bytes_min;
        session.claims = claims;
        let packed_policy_size = pack(&mut session, limits, Vec::new())?;
        let assumed_role_user = AssumedRoleUser::of(&role, &name);
        call.touch(assumed_role_user.arn().to_string());
        Ok(AssumeRoleWithWebIdentityOutput {
            credentials: Credentials::of(session, call.service).await?,
            subject_from_web_identity_token: subject,
            assumed_role_user,
            packed_policy_size,
            provider: arn,
            audience,
        })
    }
}

//! Credentials, and the places where AWS's tools look for them, in their order.
//!
//! Not looked for: a machine's metadata service and IAM Identity Center. `credential_process` brings in those, as
//! `aws configure export-credentials --format process` does, and whatever else there is.

mod process;
mod signing_keys;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use signing_keys::SigningKeys;
use wire::Timestamp;
use wire::sigv4::SigningKey;
use zeroize::Zeroizing;

use crate::profile::Profile;
use crate::{ClientError, Session, sts};

/// How long before their end credentials are replaced.
const EXPIRES_SOON: Duration = Duration::from_secs(120);

/// How many profiles may lead to each other.
const CHAIN_MAX: usize = 8;

/// An access key, permanent or of a session. Wiped when dropped; no `Debug`.
pub struct Credentials {
    /// The access key's id.
    pub(crate) access_key_id: String,
    /// The access key's secret.
    pub(crate) secret_access_key: Zeroizing<String>,
    /// The session's token.
    pub(crate) session_token: Option<Zeroizing<String>>,
    /// When they end, if they do.
    pub(crate) expires: Option<SystemTime>,
    keys: SigningKeys,
}

impl Credentials {
    /// An access key from its parts.
    #[must_use]
    pub fn new(
        access_key_id: String,
        secret_access_key: Zeroizing<String>,
        session_token: Option<Zeroizing<String>>,
        expires: Option<SystemTime>,
    ) -> Self {
        Self { access_key_id, secret_access_key, session_token, expires, keys: SigningKeys::default() }
    }

    /// The key that signs for a service in a region on the day of `time`.
    pub(crate) fn signing_key(&self, time: Timestamp, region: &str, service: &str) -> Arc<SigningKey> {
        self.keys.key(&self.secret_access_key, &time.amz_date(), region, service)
    }

    pub(crate) fn expires_soon(&self) -> bool {
        self.expires.is_some_and(|expires| SystemTime::now() + EXPIRES_SOON >= expires)
    }
}

/// A moment as services write it.
pub(crate) fn moment(text: &str) -> Option<SystemTime> {
    let millis = u64::try_from(Timestamp::parse_rfc3339(text)?.millis()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
}

/// Where credentials come from.
pub(crate) enum CredentialSource {
    /// They are there.
    Known(Credentials),
    /// A role, assumed with credentials from elsewhere.
    Role(Box<CredentialSource>, sts::Role),
    /// A role, assumed with the token in a file.
    WebIdentity(sts::Role, std::path::PathBuf),
    /// A program, and the profile that names it.
    Process(String, String),
}

impl CredentialSource {
    /// Finds where a session's credentials come from.
    ///
    /// Source: AWS SDKs and Tools Reference Guide, "Credential provider chain"; the order within a profile is botocore's.
    pub(crate) fn find(session: &Session) -> Result<Self, ClientError> {
        if !session.explicit {
            if let Some(known) = of_environment(session) {
                return Ok(Self::Known(known));
            }
            let value = |name| session.environment.value(name).map(str::to_owned);
            if let (Some(token), Some(arn)) = (value("AWS_WEB_IDENTITY_TOKEN_FILE"), value("AWS_ROLE_ARN")) {
                let name = value("AWS_ROLE_SESSION_NAME");
                let role = sts::Role { arn, name, external_id: None, seconds: None };
                return Ok(Self::WebIdentity(role, session.environment.expanded(&token)));
            }
        }
        Self::of_profile(session, &session.profile, &mut Vec::new())
    }

    /// Where a profile's credentials come from; `before` are the profiles that led to it.
    fn of_profile(session: &Session, name: &str, before: &mut Vec<String>) -> Result<Self, ClientError> {
        let none = || ClientError::NoCredentials { profile: name.to_owned() };
        let profile = session.profiles.profile(name).ok_or_else(none)?;
        let wrong = |reason: &str| ClientError::Profile { profile: name.to_owned(), reason: reason.to_owned() };
        // A profile that names itself as its source means its own access key.
        let own_key_only = before.last().is_some_and(|last| last == name);
        if !own_key_only {
            if before.iter().any(|seen| seen == name) || before.len() >= CHAIN_MAX {
                return Err(wrong("its source_profile leads back to it"));
            }
            before.push(name.to_owned());
            if let Some(role) = Self::of_role(session, profile, before, &wrong)? {
                return Ok(role);
            }
        }
        if let Some(known) = of_settings(profile) {
            return Ok(Self::Known(known));
        }
        if let Some(command) = profile.value("credential_process") {
            return Ok(Self::Process(command.to_owned(), name.to_owned()));
        }
        if profile.value("sso_session").or_else(|| profile.value("sso_start_url")).is_some() {
            return Err(wrong(
                "IAM Identity Center is not spoken here; set credential_process = aws configure export-credentials \
                 --profile NAME --format process",
            ));
        }
        Err(none())
    }

    /// The role that a profile names, with what it is assumed by.
    fn of_role(
        session: &Session,
        profile: &Profile,
        before: &mut Vec<String>,
        wrong: &dyn Fn(&str) -> ClientError,
    ) -> Result<Option<Self>, ClientError> {
        let value = |setting| profile.value(setting).map(str::to_owned);
        let Some(arn) = value("role_arn") else { return Ok(None) };
        if profile.value("mfa_serial").is_some() {
            return Err(wrong(
                "its role needs a code of a device (mfa_serial), which is not asked for here; obtain a session with \
                 `aws sts get-session-token` or set credential_process",
            ));
        }
        let seconds = match profile.value("duration_seconds") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| wrong("its duration_seconds is not a number"))?),
        };
        let role = sts::Role { arn, name: value("role_session_name"), external_id: value("external_id"), seconds };
        if let Some(token) = profile.value("web_identity_token_file") {
            return Ok(Some(Self::WebIdentity(role, session.environment.expanded(token))));
        }
        let source = match (profile.value("source_profile"), profile.value("credential_source")) {
            (Some(_), Some(_)) => return Err(wrong("it has both source_profile and credential_source")),
            (None, None) => return Err(wrong("it has a role_arn and no source_profile to assume it with")),
            (Some(source), None) => Self::of_profile(session, source, before)?,
            (None, Some("Environment")) => {
                Self::Known(of_environment(session).ok_or_else(|| wrong("there is no access key in the environment"))?)
            }
            (None, Some(_)) => return Err(wrong("of the values of credential_source, only Environment is known here")),
        };
        Ok(Some(Self::Role(Box::new(source), role)))
    }

    /// Obtains the credentials.
    pub(crate) async fn obtain(self, session: &Session) -> Result<Credentials, ClientError> {
        match self {
            Self::Known(credentials) => Ok(credentials),
            Self::Process(command, profile) => process::run(command, profile).await,
            Self::WebIdentity(role, token) => sts::assume_by_token(session, &role, &token).await,
            Self::Role(source, role) => {
                let source = Box::pin(source.obtain(session)).await?;
                sts::assume(session, &source, &role).await
            }
        }
    }
}

fn of_environment(session: &Session) -> Option<Credentials> {
    let value = |name| session.environment.value(name).map(str::to_owned);
    let (id, secret) = (value("AWS_ACCESS_KEY_ID")?, value("AWS_SECRET_ACCESS_KEY")?);
    Some(Credentials::new(id, secret.into(), value("AWS_SESSION_TOKEN").map(Zeroizing::new), None))
}

fn of_settings(profile: &Profile) -> Option<Credentials> {
    let value = |name| profile.value(name).map(str::to_owned);
    let (id, secret) = (value("aws_access_key_id")?, value("aws_secret_access_key")?);
    Some(Credentials::new(id, secret.into(), value("aws_session_token").map(Zeroizing::new), None))
}

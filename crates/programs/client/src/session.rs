//! A person's AWS configuration, read as AWS's tools read it: profile, region, endpoints, trust.
//!
//! Source: AWS SDKs and Tools Reference Guide.

use std::path::PathBuf;
use std::sync::Arc;

use crypto::SecretBytes;
use http::{HeaderMap, HeaderValue, Method, Uri};
use tokio::sync::Mutex;
use wire::sigv4::{GIT_SERVICE, sign_git};
use zeroize::Zeroizing;

use crate::credentials::CredentialSource;
use crate::profile::{DEFAULT, Profile, Profiles};
use crate::{
    ClientError, Credentials, Environment, Limits, Request, Signing, Transport, Trust, endpoint, retry, signed,
};

/// A service that is called by a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// Its signing name, which is its name in host names and in `services` sections too.
    pub(crate) name: &'static str,
    /// The variable of its endpoint.
    pub(crate) variable: &'static str,
}

pub(crate) const KMS: Service = Service { name: "kms", variable: "AWS_ENDPOINT_URL_KMS" };
pub(crate) const S3: Service = Service { name: "s3", variable: "AWS_ENDPOINT_URL_S3" };
pub(crate) const STS: Service = Service { name: "sts", variable: "AWS_ENDPOINT_URL_STS" };

/// A person's AWS configuration, and connections to the endpoints in it.
pub struct Session {
    pub(crate) environment: Environment,
    pub(crate) profiles: Profiles,
    pub(crate) profile: String,
    /// Whether the profile was given by name, so that it wins over an access key in the environment.
    pub(crate) explicit: bool,
    pub(crate) transport: Transport,
    pub(crate) attempts: u32,
    credentials: Mutex<Option<Arc<Credentials>>>,
}

impl Session {
    /// Reads the shared files. `profile` wins over `AWS_PROFILE`, and its credentials over those in the environment.
    ///
    /// # Errors
    /// [`ClientError::NoProfile`] for a profile that was named and isn't there; [`ClientError::File`];
    /// [`ClientError::Profile`].
    pub fn read(environment: Environment, profile: Option<&str>) -> Result<Self, ClientError> {
        let profiles = Profiles::read(&environment)?;
        let named =
            profile.or_else(|| environment.value("AWS_PROFILE")).or_else(|| environment.value("AWS_DEFAULT_PROFILE"));
        if let Some(name) = named.filter(|name| *name != DEFAULT && profiles.profile(name).is_none()) {
            return Err(ClientError::NoProfile(name.to_owned()));
        }
        let name = named.unwrap_or(DEFAULT).to_owned();
        let explicit = profile.is_some();
        let value = |variable: &str, setting: &str| {
            let in_profile = || profiles.profile(&name).and_then(|profile| profile.value(setting));
            environment.value(variable).or_else(in_profile).map(str::to_owned)
        };
        let trust = match value("AWS_CA_BUNDLE", "ca_bundle") {
            None => Trust::System,
            Some(path) => {
                let path = environment.expanded(&path);
                Trust::Only(std::fs::read(&path).map_err(|cause| ClientError::File { path, cause })?)
            }
        };
        let attempts = match value("AWS_MAX_ATTEMPTS", "max_attempts") {
            None => retry::ATTEMPTS_DEFAULT,
            Some(text) => text.parse().ok().filter(|attempts| *attempts > 0).ok_or_else(|| ClientError::Profile {
                profile: name.clone(),
                reason: format!("the number of attempts, {text:?}, is not one"),
            })?,
        };
        Ok(Self {
            transport: Transport::new(trust, Limits::default()),
            attempts,
            credentials: Mutex::new(None),
            profile: name,
            explicit,
            environment,
            profiles,
        })
    }

    /// The files that the session reads: shared ones, certificates, tokens. Not all of them need be there.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let environment = &self.environment;
        let named = [("AWS_CA_BUNDLE", "ca_bundle"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")];
        let named = named.into_iter().flat_map(|(variable, setting)| {
            let variable = environment.value(variable);
            variable.into_iter().chain(self.profiles.values(setting)).map(|path| environment.expanded(path))
        });
        Profiles::files(environment).into_iter().flatten().chain(named).collect()
    }

    pub(crate) fn settings(&self) -> Option<&Profile> {
        self.profiles.profile(&self.profile)
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.settings()?.value(name)
    }

    /// The region, when nothing else names one.
    ///
    /// # Errors
    /// [`ClientError::NoRegion`].
    pub fn region(&self) -> Result<&str, ClientError> {
        let found = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| self.environment.value(name));
        let none = || ClientError::NoRegion { profile: self.profile.clone() };
        found.or_else(|| self.setting("region")).ok_or_else(none)
    }

    /// A transport that trusts what the session trusts.
    #[must_use]
    pub fn transport(&self, limits: Limits) -> Transport {
        self.transport.with_limits(limits)
    }

    /// The URL where S3 is reached, without a path.
    ///
    /// # Errors
    /// [`ClientError::Region`], [`ClientError::Transport`] for a URL that is none.
    pub fn s3_endpoint(&self, region: &str) -> Result<Uri, ClientError> {
        self.endpoint(S3, region)
    }

    /// Where a service is reached.
    pub(crate) fn endpoint(&self, service: Service, region: &str) -> Result<Uri, ClientError> {
        if !endpoint::is_region(region) {
            return Err(ClientError::Region(region.to_owned()));
        }
        let is_true = |text: Option<&str>| text.is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let or_setting = |variable: &str, name: &str| {
            self.environment.value(variable).map_or_else(|| is_true(self.setting(name)), |text| is_true(Some(text)))
        };
        let configured = if or_setting("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls") {
            None
        } else {
            self.environment
                .value(service.variable)
                .or_else(|| self.environment.value("AWS_ENDPOINT_URL"))
                .or_else(|| self.profiles.service_endpoint(self.setting("services")?, service.name))
                .or_else(|| self.setting("endpoint_url"))
        };
        let fips = || or_setting("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
        let text = configured.map_or_else(|| endpoint::public(service.name, region, fips()), str::to_owned);
        Ok(signed::uri(&text)?)
    }

    /// The credentials, obtained again shortly before they expire.
    ///
    /// # Errors
    /// Those of where the profile gets them.
    pub async fn credentials(&self) -> Result<Arc<Credentials>, ClientError> {
        let mut cached = self.credentials.lock().await;
        if let Some(credentials) = cached.as_ref().filter(|credentials| !credentials.expires_soon()) {
            return Ok(Arc::clone(credentials));
        }
        let obtained = Arc::new(CredentialSource::find(self)?.obtain(self).await?);
        *cached = Some(Arc::clone(&obtained));
        Ok(obtained)
    }

    /// A user name and a password that prove the session's access key to CodeCommit, for `path` on `host`: as the AWS CLI's
    /// credential helper makes them. They are good for about 15 minutes.
    ///
    /// # Errors
    /// Those of [`credentials`](Self::credentials).
    pub async fn git_password(
        &self,
        region: &str,
        (path, host): (&str, &str),
    ) -> Result<(Zeroizing<String>, Zeroizing<String>), ClientError> {
        let credentials = self.credentials().await?;
        let user_name = match &credentials.session_token {
            Some(token) => format!("{}%{}", credentials.access_key_id, token.as_str()),
            None => credentials.access_key_id.clone(),
        };
        let now = crate::signed::now();
        let key = credentials.signing_key(now, region, GIT_SERVICE);
        Ok((user_name.into(), sign_git(&key, now, region, (path, host)).into()))
    }

    /// Makes a signed call in awsJson 1.1 to an endpoint of the service and returns the answer's body.
    pub(crate) async fn call_json(
        &self,
        service: Service,
        region: &str,
        uri: Uri,
        target: &str,
        body: SecretBytes,
    ) -> Result<SecretBytes, ClientError> {
        // Room for those that sign it as well.
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
        let target = HeaderValue::from_str(target).map_err(|_| ClientError::Form { service: service.name })?;
        headers.insert("x-amz-target", target);
        let request = Request { method: Method::POST, uri, headers, body };
        let credentials = self.credentials().await?;
        let signing = Signing { credentials: &credentials, region, service: service.name };
        Ok(self.transport.call(&request, &signing, self.attempts).await?.body)
    }
}

#[cfg(test)]
mod tests;

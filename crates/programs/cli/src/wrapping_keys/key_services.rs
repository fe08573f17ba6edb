//! The key services that wrapping keys are in: one session for each profile, and the runtime that its calls run on.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use client::{Environment, Kms, Session};
use server::ServerError;
use tokio::runtime::Runtime;

use crate::failure::Failure;

/// The key services of a command. Nothing is there before it is needed.
#[derive(Clone, Default)]
pub(crate) struct KeyServices(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    sessions: HashMap<Option<String>, Arc<Session>>,
    runtime: Option<Runtime>,
}

impl KeyServices {
    /// The session of a profile.
    pub(super) fn session(&self, profile: Option<&str>) -> Result<Arc<Session>, Failure> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = profile.map(str::to_owned);
        if let Some(session) = inner.sessions.get(&profile) {
            return Ok(Arc::clone(session));
        }
        let session = Session::read(Environment::of_process(), profile.as_deref());
        let session = Arc::new(session.map_err(|error| Failure::Usage(error.to_string()))?);
        inner.sessions.insert(profile, Arc::clone(&session));
        Ok(session)
    }

    /// The files that the sessions so far read, and may read again.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sessions.values().flat_map(|session| session.files()).collect()
    }

    /// The key service in a region, or in that of the profile.
    pub(super) fn kms(&self, profile: Option<&str>, region: Option<&str>) -> Result<Kms, Failure> {
        let session = self.session(profile)?;
        let region = match region {
            Some(region) => region.to_owned(),
            None => session.region().map_err(|error| Failure::Usage(error.to_string()))?.to_owned(),
        };
        Ok(Kms::new(session, region, self.runtime()?))
    }

    fn runtime(&self) -> Result<tokio::runtime::Handle, Failure> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &inner.runtime {
            return Ok(runtime.handle().clone());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("key-service")
            .enable_all()
            .build()
            .map_err(|cause| ServerError::System { action: "start a thread", cause })?;
        let handle = runtime.handle().clone();
        inner.runtime = Some(runtime);
        Ok(handle)
    }

    /// The ARN of the key that an alias names, if the key service says it.
    pub(super) fn key_arn(&self, kms: &Kms, alias: &str) -> Option<String> {
        self.runtime().ok()?.block_on(kms.key_arn(alias)).ok()
    }
}

//! Modules: each service as the server runs it, with its jobs and what it has to write before the end.
//!
//! `wiring.rs` makes a list of them; nothing else in the server goes through the services one by one.

pub(crate) mod codecommit;
pub(crate) mod deliveries;
pub(crate) mod iam;
pub(crate) mod kms;
pub(crate) mod s3;
pub(crate) mod storage;

use std::sync::Arc;

use ::jobs::Job;
use service::{BoxFuture, Gateway, Service};

use crate::metrics::Meters;

/// One service and what belongs to it.
pub(crate) struct Module {
    meter: fn(Meters) -> Meters,
    mount: Box<dyn FnOnce(Gateway) -> Gateway>,
    jobs: Vec<Job>,
    flush: Option<Flush>,
}

/// Writes what a service has only in memory; failures are logged.
pub(crate) type Flush = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// All modules, joined.
pub(crate) struct Mounted {
    pub(crate) gateway: Gateway,
    pub(crate) jobs: Vec<Job>,
    pub(crate) flushes: Vec<Flush>,
}

impl Module {
    /// A service without jobs.
    pub(crate) fn of<S: Service>(service: &Arc<S>) -> Self {
        let service = Arc::clone(service);
        Self {
            meter: Meters::with::<S>,
            mount: Box::new(|gateway| gateway.with(service)),
            jobs: Vec::new(),
            flush: None,
        }
    }

    /// The same with jobs.
    pub(crate) fn with_jobs(mut self, jobs: impl IntoIterator<Item = Job>) -> Self {
        self.jobs.extend(jobs);
        self
    }

    /// The same with something to be written before the end.
    pub(crate) fn flushed_by<F>(mut self, flush: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.flush = Some(Box::new(move || Box::pin(flush())));
        self
    }
}

/// Meters for the operations of every module.
pub(crate) fn meters(modules: &[Module]) -> Meters {
    modules.iter().fold(Meters::new(), |meters, module| (module.meter)(meters))
}

/// Puts every module behind `gateway`.
pub(crate) fn mount(modules: Vec<Module>, gateway: Gateway) -> Mounted {
    let mounted = Mounted { gateway, jobs: Vec::new(), flushes: Vec::new() };
    modules.into_iter().fold(mounted, |mut mounted, module| {
        mounted.jobs.extend(module.jobs);
        mounted.flushes.extend(module.flush);
        Mounted { gateway: (module.mount)(mounted.gateway), ..mounted }
    })
}

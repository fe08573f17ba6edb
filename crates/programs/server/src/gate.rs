//! The gate before the services: lets nothing through until the root key is open, and everything from then on.

use std::sync::OnceLock;

use front::pages::HealthProblem;
use git_front::GitHttp;
use service::{Head, Reply};

use crate::application::{Api, Arriving};

/// The message of every call while the root key is sealed.
const SEALED: &str = "the root key is sealed: the holders of its shares have to run sealstack unseal";

/// The metrics of a sealed server.
const SEALED_METRICS: &str = "# HELP sealstack_sealed Whether the root key awaits its shares.\n\
                              # TYPE sealstack_sealed gauge\nsealstack_sealed 1\n# EOF\n";

/// The services, once they are there.
pub(crate) struct Gate<A>(OnceLock<A>);

impl<A> Default for Gate<A> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<A> Gate<A> {
    /// Lets requests through to `services` from now on.
    pub(crate) fn open(&self, services: A) {
        // It opens once: `core` sees to that.
        let _ = self.0.set(services);
    }
}

impl<A: Api> Api for Gate<A> {
    async fn serve(&self, head: Head<'_>, body: Arriving<'_>) -> Reply {
        match self.0.get() {
            Some(services) => services.serve(head, body).await,
            None => service::unavailable(&head, SEALED),
        }
    }

    fn is_below_name(&self, head: &Head<'_>) -> bool {
        self.0.get().is_some_and(|services| services.is_below_name(head))
    }

    fn git(&self) -> Option<&GitHttp> {
        self.0.get().and_then(A::git)
    }

    fn health_problem(&self) -> Option<HealthProblem> {
        match self.0.get() {
            Some(services) => services.health_problem(),
            None => Some(HealthProblem { status: "sealed", reason: SEALED }),
        }
    }

    fn metrics(&self) -> String {
        self.0.get().map_or_else(|| SEALED_METRICS.to_owned(), A::metrics)
    }
}

//! Calls of KMS from this process, for tests that make thousands of them or many at a time.

use std::sync::Arc;

use client::{Environment, Kms, Session};
use envelope::EncryptionContext;
use envelope::kms::{Decrypt, Encrypt, KmsClient as _, KmsError};
use tokio::runtime::Runtime;

use crate::Server;

/// How many threads drive the connections; those who call wait on threads of their own.
const THREADS: usize = 1;

/// The administrator of a server, calling it. Each call is made once and waits for its answer, whatever that is.
pub struct Calls {
    runtime: Arc<Runtime>,
    session: Arc<Session>,
    kms: Kms,
    context: EncryptionContext,
}

impl Calls {
    /// Calls of a server, for as long as it lives: after a restart it has another port.
    ///
    /// # Panics
    /// When the server has left no configuration for clients.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        let file = |name: &str| server.data().join(name).into_os_string().into_string().expect("UTF-8");
        let environment = [
            ("AWS_CONFIG_FILE", file("aws/config")),
            ("AWS_SHARED_CREDENTIALS_FILE", file("aws/credentials")),
            ("AWS_MAX_ATTEMPTS", "1".to_owned()),
        ];
        let session = Session::read(environment.into_iter().collect::<Environment>(), None).expect("a session");
        let region = session.region().expect("a region").to_owned();
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).enable_all().build().expect("a runtime");
        Self::over(Arc::new(runtime), Arc::new(session), &region)
    }

    fn over(runtime: Arc<Runtime>, session: Arc<Session>, region: &str) -> Self {
        let kms = Kms::new(Arc::clone(&session), region, runtime.handle().clone());
        Self { runtime, session, kms, context: EncryptionContext::default() }
    }

    /// The same in another region than that of the server's configuration.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self::over(Arc::clone(&self.runtime), Arc::clone(&self.session), region)
    }

    /// `Encrypt`. Returns the ciphertext.
    ///
    /// # Errors
    /// The service's refusal, or the client's own error when there was no answer.
    pub fn encrypt(&self, key: &str, plaintext: &[u8]) -> Result<Vec<u8>, KmsError> {
        let request = Encrypt { key_id: key, plaintext, context: &self.context, grant_tokens: &[] };
        Ok(self.runtime.block_on(self.kms.encrypt(request))?.ciphertext)
    }

    /// `Decrypt`. Returns the plaintext.
    ///
    /// # Errors
    /// As for [`encrypt`](Self::encrypt).
    pub fn decrypt(&self, key: &str, ciphertext: &[u8]) -> Result<Vec<u8>, KmsError> {
        let request = Decrypt { key_id: key, ciphertext, context: &self.context, algorithm: None, grant_tokens: &[] };
        Ok(self.runtime.block_on(self.kms.decrypt(request))?.plaintext.expose().to_vec())
    }
}

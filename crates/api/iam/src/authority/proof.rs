//! The caller, by proofs other than the signature of a request: Git's passwords, signed passwords and SSH keys.
//!
//! Whatever proves nothing is [`CredentialError::Unknown`]: which part is wrong is not revealed.

use std::sync::Arc;

use service::Caller;
use service::ports::{Claim, CredentialError, Proof};
use wire::Timestamp;
use wire::sigv4::{GIT_SERVICE, GitPassword};

use crate::Iam;

/// The separator of an access key and a session token in a user name.
const TOKEN_MARK: char = '%';

impl Iam {
    /// The caller who `proof` proves to be one.
    pub(crate) async fn prove(&self, proof: Proof<'_>, now: Timestamp) -> Result<Arc<Caller>, CredentialError> {
        match proof {
            Proof::GitPassword { user_name, password } => {
                self.git_caller(user_name, password, now).await?.ok_or(CredentialError::Unknown)
            }
            Proof::GitSigned { user_name, password, region, paths, hosts } => {
                let password = GitPassword::parse(password).ok_or(CredentialError::Unknown)?;
                let (access_key_id, session_token) = match user_name.split_once(TOKEN_MARK) {
                    Some((id, token)) => (id, Some(token)),
                    None => (user_name, None),
                };
                let claim = Claim { access_key_id, session_token, date: password.date(), region, service: GIT_SERVICE };
                let credential = self.look_up(claim, now).await?;
                let mut places = paths.iter().flat_map(|path| hosts.iter().map(move |host| (*path, *host)));
                let signed = places.any(|at| password.verify(&credential.signing_key, region, at, now).is_ok());
                if signed { Ok(credential.caller) } else { Err(CredentialError::Unknown) }
            }
            Proof::SshKey { key_id, public_key } => {
                self.ssh_caller(key_id, public_key).await?.ok_or(CredentialError::Unknown)
            }
            Proof::Anonymous => Ok(Arc::new(Caller::anonymous())),
        }
    }
}

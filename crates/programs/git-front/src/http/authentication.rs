//! Basic authentication: Git credentials, and passwords that are signatures.
//!
//! Source: RFC 7617; AWS CodeCommit User Guide, "Setup for HTTPS users".

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use front::Response;
use git_wire::{Endpoint, RepositoryPath};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use service::Caller;
use service::ports::{CredentialError, Proof};
use zeroize::Zeroizing;

use super::GitHttp;
use super::answer::refuse;
use crate::tokens::SCHEME;

const LFS_AUTHENTICATE: HeaderName = HeaderName::from_static("lfs-authenticate");

/// The challenge that makes clients ask for a user name and a password.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"CodeCommit\"");

/// The length of a password that is a signature: a time such as `20261129T120000Z` and 64 digits.
const SIGNED_BYTES: usize = 16 + 64;

impl GitHttp {
    /// The caller whom the request's credentials prove.
    pub(super) async fn authenticate(
        &self,
        headers: &HeaderMap,
        host: Option<&str>,
        region: &str,
        path: &RepositoryPath<'_>,
    ) -> Result<Arc<Caller>, Response> {
        let lfs = matches!(path.endpoint, Endpoint::Lfs(_));
        let Some(stated) = headers.get(AUTHORIZATION) else {
            return Err(challenge("Authentication is required: Git credentials of an IAM user.\n", lfs));
        };
        let wrong = || challenge("The user name or the password is wrong.\n", lfs);
        if let Some(token) = stated.to_str().ok().and_then(|stated| stated.strip_prefix(SCHEME)) {
            let caller = lfs.then(|| self.tokens.caller(token, path.name, (self.clock)())).flatten();
            return caller.ok_or_else(wrong);
        }
        let basic = Basic::parse(stated.as_bytes()).ok_or_else(wrong)?;
        let (user_name, password) = basic.parts().ok_or_else(wrong)?;
        let signed = str::from_utf8(password).ok().filter(|password| is_signed(password));
        let with_git = format!("{}.git", path.remote.trim_end_matches(".git"));
        let without_git = path.remote.trim_end_matches(".git");
        let (slash, git_slash) = (format!("{without_git}/"), format!("{with_git}/"));
        let paths = [without_git, &with_git, &slash, &git_slash];
        let host = host.unwrap_or_default();
        let hosts = [host, without_port(host)];
        let proof = match signed {
            Some(password) => Proof::GitSigned { user_name, password, region, paths: &paths, hosts: &hosts },
            None => Proof::GitPassword { user_name, password },
        };
        self.authority.authenticate(proof, (self.clock)()).await.map_err(|error| match error {
            CredentialError::Unknown | CredentialError::Expired => wrong(),
            CredentialError::Store(error) => {
                tracing::error!(%error, "a caller could not be authenticated");
                refuse(StatusCode::INTERNAL_SERVER_ERROR, "The server failed; its log says why.\n")
            }
        })
    }
}

/// A user name, a colon and a password.
struct Basic(Zeroizing<Vec<u8>>);

impl Basic {
    fn parse(header: &[u8]) -> Option<Self> {
        let (scheme, rest) = header.split_at_checked(6)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return None;
        }
        STANDARD.decode(rest.trim_ascii()).ok().map(|decoded| Self(Zeroizing::new(decoded)))
    }

    /// User name and password: session tokens in user names may have colons, passwords have none.
    fn parts(&self) -> Option<(&str, &[u8])> {
        let at = self.0.iter().rposition(|byte| *byte == b':')?;
        let (user_name, password) = (self.0.get(..at)?, self.0.get(at + 1..)?);
        let user_name = str::from_utf8(user_name).ok()?;
        (!user_name.is_empty() && !password.is_empty()).then_some((user_name, password))
    }
}

fn is_signed(password: &str) -> bool {
    password.len() == SIGNED_BYTES && password.as_bytes().get(15) == Some(&b'Z')
}

/// A host without its port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn challenge(line: &str, lfs: bool) -> Response {
    let mut response = refuse(StatusCode::UNAUTHORIZED, line);
    response.headers.insert(WWW_AUTHENTICATE, CHALLENGE);
    if lfs {
        response.headers.insert(LFS_AUTHENTICATE, CHALLENGE);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(header: &str) -> Option<(String, Vec<u8>)> {
        let basic = Basic::parse(header.as_bytes())?;
        basic.parts().map(|(name, password)| (name.to_owned(), password.to_vec()))
    }

    #[test]
    fn user_name_and_password_part_at_the_last_colon() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(parts(&header("a-at-1:p+/=")), Some(("a-at-1".to_owned(), b"p+/=".to_vec())));
        assert_eq!(parts(&header("AKIA%x:y:z")), Some(("AKIA%x:y".to_owned(), b"z".to_vec())));
        assert_eq!(parts(&header("a:b").replace("Basic", "bAsIc")), Some(("a".to_owned(), b"b".to_vec())));
        for bad in ["", ":", "a:", ":b", "ab"] {
            assert_eq!(parts(&header(bad)), None, "{bad}");
        }
        for bad in ["", "Basic", "Basic !", "Bearer YTpi", "Basic"] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_signature_is_told_from_a_password() {
        assert!(is_signed(&format!("20261129T120000Z{}", "0".repeat(64))));
        assert!(!is_signed(&"x".repeat(44)) && !is_signed(&"x".repeat(80)));
    }
}

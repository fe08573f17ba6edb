//! Paths of repositories, as remotes have them, and what is asked for behind them.
//!
//! Source: gitprotocol-http, "URL Format"; AWS CodeCommit User Guide; git-lfs, "Server Discovery", "Locking API".

/// The prefix of a repository's name.
const ROOT: &str = "/v1/repos/";

/// Characters of a repository's name at most.
const NAME_MAX: usize = 100;

/// A program of git's that a client speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Fetches.
    UploadPack,
    /// Pushes.
    ReceivePack,
    /// `git archive --remote`.
    UploadArchive,
}

impl Service {
    /// The program's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
            Self::UploadArchive => "git-upload-archive",
        }
    }

    /// The program of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack, Self::UploadArchive].into_iter().find(|service| service.name() == name)
    }
}

/// An endpoint of a repository over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// `info/refs?service=…`: the advertisement.
    Advertisement(Service),
    /// A request to a service.
    Rpc(Service),
    /// A file of the dumb protocol, which is not served.
    Dumb,
    /// Git LFS.
    Lfs(LfsEndpoint<'a>),
}

/// An endpoint of Git LFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LfsEndpoint<'a> {
    /// `objects/batch`.
    Batch,
    /// `objects/OID`: an object's bytes.
    Object(&'a str),
    /// `objects/OID/verify`.
    Verify(&'a str),
    /// `locks`.
    Locks,
    /// `locks/verify`.
    LocksVerify,
    /// `locks/ID/unlock`.
    Unlock(&'a str),
}

/// A path over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepositoryPath<'a> {
    /// The repository's name.
    pub name: &'a str,
    /// The path up to the name, with `.git` where the client wrote it: what a signed password is for.
    pub remote: &'a str,
    /// The endpoint.
    pub endpoint: Endpoint<'a>,
}

impl<'a> RepositoryPath<'a> {
    /// Parses `path` and `query` of a URL; `None` where there is nothing of ours.
    #[must_use]
    pub fn parse(path: &'a str, query: Option<&str>) -> Option<Self> {
        let (segment, rest) = path.strip_prefix(ROOT)?.split_once('/')?;
        let remote = path.get(..ROOT.len() + segment.len())?;
        let name = name_of(segment)?;
        // A remote that ends in a slash has two of them here.
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let endpoint = match rest {
            "info/refs" => {
                let service = query.into_iter().flat_map(|query| query.split('&'));
                match service.filter_map(|pair| pair.strip_prefix("service=")).next() {
                    Some(service) => Endpoint::Advertisement(Service::from_name(service)?),
                    None => Endpoint::Dumb,
                }
            }
            "HEAD" | "objects" => Endpoint::Dumb,
            _ if rest.starts_with("objects/") => Endpoint::Dumb,
            _ => match rest.strip_prefix("info/lfs/") {
                Some(lfs) => Endpoint::Lfs(LfsEndpoint::parse(lfs)?),
                None => Endpoint::Rpc(Service::from_name(rest)?),
            },
        };
        Some(Self { name, remote, endpoint })
    }
}

impl<'a> LfsEndpoint<'a> {
    fn parse(path: &'a str) -> Option<Self> {
        let mut segments = path.split('/');
        let first_four = [segments.next(), segments.next(), segments.next(), segments.next()];
        match first_four {
            [Some("objects"), Some("batch"), None, None] => Some(Self::Batch),
            [Some("objects"), Some(oid), None, None] if is_oid(oid) => Some(Self::Object(oid)),
            [Some("objects"), Some(oid), Some("verify"), None] if is_oid(oid) => Some(Self::Verify(oid)),
            [Some("locks"), None, None, None] => Some(Self::Locks),
            [Some("locks"), Some("verify"), None, None] => Some(Self::LocksVerify),
            [Some("locks"), Some(id), Some("unlock"), None] if !id.is_empty() => Some(Self::Unlock(id)),
            _ => None,
        }
    }
}

/// Whether `oid` is a SHA-256 as git-lfs writes it.
fn is_oid(oid: &str) -> bool {
    oid.len() == 64 && oid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name of the repository that an SSH client's path names: `/v1/repos/NAME`, with or without `.git` and a slash at
/// its end.
#[must_use]
pub fn repository_of(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let segment = path.strip_prefix(ROOT.trim_start_matches('/'))?;
    name_of(segment.strip_suffix('/').unwrap_or(segment))
}

/// The name in a segment that may have `.git` at its end.
fn name_of(segment: &str) -> Option<&str> {
    let name = segment.strip_suffix(".git").unwrap_or(segment);
    is_repository_name(name).then_some(name)
}

/// Whether a repository may have that name: 1 to 100 letters, digits, `_`, `.` and `-`, and no `.git` at the end.
#[must_use]
pub fn is_repository_name(name: &str) -> bool {
    let allowed = |character: u8| character.is_ascii_alphanumeric() || matches!(character, b'_' | b'.' | b'-');
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(allowed) && !name.ends_with(".git")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_endpoint_is_found_behind_every_form_of_a_remote() {
        let oid = "0123456789abcdef".repeat(4);
        let (object, verify) = (format!("info/lfs/objects/{oid}"), format!("info/lfs/objects/{oid}/verify"));
        let cases: [(&str, Option<&str>, Endpoint<'_>); 13] = [
            ("info/refs", Some("service=git-upload-pack"), Endpoint::Advertisement(Service::UploadPack)),
            ("info/refs", Some("a=b&service=git-receive-pack"), Endpoint::Advertisement(Service::ReceivePack)),
            ("info/refs", None, Endpoint::Dumb),
            ("HEAD", None, Endpoint::Dumb),
            ("objects/info/packs", None, Endpoint::Dumb),
            ("git-upload-pack", None, Endpoint::Rpc(Service::UploadPack)),
            ("git-receive-pack", None, Endpoint::Rpc(Service::ReceivePack)),
            ("git-upload-archive", None, Endpoint::Rpc(Service::UploadArchive)),
            ("info/lfs/objects/batch", None, Endpoint::Lfs(LfsEndpoint::Batch)),
            (&object, None, Endpoint::Lfs(LfsEndpoint::Object(&oid))),
            (&verify, None, Endpoint::Lfs(LfsEndpoint::Verify(&oid))),
            ("info/lfs/locks/verify", None, Endpoint::Lfs(LfsEndpoint::LocksVerify)),
            ("info/lfs/locks/7/unlock", None, Endpoint::Lfs(LfsEndpoint::Unlock("7"))),
        ];
        for remote in ["/v1/repos/a.b-c_D", "/v1/repos/a.b-c_D.git"] {
            for slash in ["/", "//"] {
                for (rest, query, endpoint) in &cases {
                    let path = format!("{remote}{slash}{rest}");
                    let expected = RepositoryPath { name: "a.b-c_D", remote, endpoint: *endpoint };
                    assert_eq!(RepositoryPath::parse(&path, *query), Some(expected), "{path}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_path_of_ours_is_nothing() {
        let long = format!("/v1/repos/{}/HEAD", "x".repeat(101));
        for path in [
            "/",
            "/v1/repos/",
            "/v1/repos/x",
            "/v1/repos//info/refs",
            "/v1/repos/.git/info/refs",
            "/v2/repos/x/HEAD",
            "/v1/repos/x.git.git/info/refs",
            "/v1/repos/a%2fb/info/refs",
            "/v1/repos/a/../b/info/refs",
            "/v1/repos/x/git-shell",
            "/v1/repos/x/info/lfs/objects/ABC",
            "/v1/repos/x/info/lfs/locks/1/unlock/2",
            &long,
        ] {
            assert_eq!(RepositoryPath::parse(path, None), None, "{path}");
        }
        assert_eq!(RepositoryPath::parse("/v1/repos/x/info/refs", Some("service=sh")), None);
    }

    #[test]
    fn a_path_over_ssh_has_a_name() {
        for path in ["/v1/repos/x", "v1/repos/x", "/v1/repos/x.git", "/v1/repos/x/", "/v1/repos/x.git/"] {
            assert_eq!(repository_of(path), Some("x"), "{path}");
        }
        for path in ["", "x", "/v1/repos/", "/v1/repos/a/b", "~/v1/repos/x", "/v1/repos/x//"] {
            assert_eq!(repository_of(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn foreign_paths_never_panic(path in "(/v1/repos/|info/|lfs/|objects/|\\PC){0,12}", query in "\\PC{0,20}") {
            let _ = RepositoryPath::parse(&path, Some(&query));
            let _ = repository_of(&path);
        }
    }
}

//! `sealstack git import`: a repository that is elsewhere, brought in with its branches, tags and whole history.

use std::path::PathBuf;

use clap::Args;
use git_object::{ObjectFormat, ObjectId};
use server::admin::NewRepository;
use server::config::Place;
use server::repositories::LET_PASS_MAX;
use wire::shown;

use super::caller::CallerSettings;
use super::progress::Progress;
use super::push::{Pushes, REFERENCES_MAX};
use super::source::Source;
use crate::failure::Failure;
use crate::print;

/// Make a repository of one that is elsewhere: a directory, or a URL that git understands
///
/// Every reference comes along but refs/remotes and refs/stash, with all that it leads to; the branch that HEAD names becomes
/// the default. It is sealed as it arrives. All references are made, or none: after a failure an empty repository may be
/// there, which the same command uses.
///
/// Works on the host of the running server, for the access key of a profile, which needs codecommit:CreateRepository and
/// codecommit:GitPush. Objects are checked as those of every push are. Histories of long ago may have some that git
/// complains of: --let-pass lets those through that it lists, and the audit log says so.
///
/// The installed git reads the source. Only from a server that does not speak version 2 of Git's protocol over HTTPS, a
/// readable copy is made in --scratch, and removed at the end.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Import {
    /// Directory of a repository, or its URL
    #[arg(value_name = "URL|DIR")]
    source: String,

    /// Name of the new repository [default: the end of URL or DIR, without .git]
    #[arg(long)]
    name: Option<String>,

    /// Description of the new repository
    #[arg(long)]
    description: Option<String>,

    /// KMS key of the new repository: an id, an ARN or an alias [default: alias/aws/codecommit]
    #[arg(long, value_name = "KEY")]
    kms_key: Option<String>,

    /// File with ids of objects, one a line, that are taken whatever git fsck says of them
    #[arg(long, value_name = "FILE")]
    let_pass: Option<PathBuf>,

    /// Directory for a copy, if one has to be made [default: TMPDIR, or /tmp]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,

    #[command(flatten)]
    caller: CallerSettings,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack git import https://github.com/git/git.git
  sealstack git import /srv/git/shop.git --name webshop --kms-key alias/source
  sealstack git import old.git --let-pass known-faults.txt";

impl Import {
    pub(crate) fn run(self, place: Place) -> Result<(), Failure> {
        let caller = self.caller.find(place)?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => name_of(&self.source)?,
        };
        let let_pass = self.let_pass()?;
        let progress = Progress::new("Reading");
        let mut source = Source::open(&self.source, self.scratch.as_deref())?;
        let mut found = source.fetch.references(is_taken)?;
        if found.references.is_empty() {
            let words = "there is nothing to import: the source has no branch and no tag. Make an empty repository with \
                         `aws codecommit create-repository`";
            return Err(Failure::Repository(words.to_owned()));
        }
        // The branch that is made first becomes the default.
        if let Some(at) = found.references.iter().position(|(name, _)| Some(name) == found.head.as_ref()) {
            found.references.swap(0, at);
        }
        let format = source.fetch.format();
        let batches: Vec<_> = found.references.chunks(REFERENCES_MAX).collect();
        let new = NewRepository {
            name: name.clone(),
            description: self.description,
            key: self.kms_key,
            let_pass,
            pushes: u32::try_from(batches.len()).unwrap_or(u32::MAX),
        };
        let stream = caller.server.begin_import(&caller.sign("import", &name)?, new)?;
        let mut pushes = Pushes::new(stream, progress.clone());
        for (number, batch) in batches.into_iter().enumerate() {
            pushes.begin(format, batch)?;
            if number == 0 {
                source.fetch.pack(&found.references, &progress, |piece| pushes.write(piece))?;
            } else {
                pushes.write_nothing(format)?;
            }
            pushes.end()?;
        }
        source.end();
        progress.end();
        print(&format!("Imported {} references into {}.\n", found.references.len(), shown(&name)))?;
        Ok(())
    }

    fn let_pass(&self) -> Result<Vec<String>, Failure> {
        let Some(path) = &self.let_pass else { return Ok(Vec::new()) };
        let text = std::fs::read_to_string(path).map_err(|cause| Failure::File {
            action: "read",
            path: path.clone(),
            cause,
        })?;
        listed(&text).map_err(|reason| Failure::Usage(format!("{}: {reason}", path.display())))
    }
}

/// The ids in a list as git's `fsck.skipList` has it.
fn listed(text: &str) -> Result<Vec<String>, String> {
    let mut ids = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let format = if line.len() == 40 { ObjectFormat::Sha1 } else { ObjectFormat::Sha256 };
        let id = ObjectId::from_hex(format, line.as_bytes());
        ids.push(id.map_err(|_| format!("line {number} is no object id"))?.to_string());
    }
    if ids.len() > LET_PASS_MAX {
        return Err(format!("{} ids are more than the {LET_PASS_MAX} that can be let pass", ids.len()));
    }
    Ok(ids)
}

/// Whether a reference is the repository's, rather than a clone's or a server's own.
fn is_taken(name: &str) -> bool {
    let own = ["refs/remotes/", "refs/codecommit/"];
    name.starts_with("refs/") && name != "refs/stash" && !own.iter().any(|own| name.starts_with(own))
}

/// The name that a source suggests.
fn name_of(source: &str) -> Result<String, Failure> {
    let real = std::fs::canonicalize(source).ok();
    let real = real.as_ref().map_or(source.into(), |path| path.to_string_lossy());
    let path = real.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let path = path.strip_suffix("/.git").unwrap_or(path);
    let last = path.rsplit(['/', ':']).next().unwrap_or_default();
    let name = last.strip_suffix(".git").unwrap_or(last);
    if git_wire::is_repository_name(name) {
        return Ok(name.to_owned());
    }
    Err(Failure::Usage(format!("{} suggests no name for the repository: give one with --name", shown(source))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_suggests_a_name() {
        for (source, name) in [
            ("https://host.example/a/shop.git", "shop"),
            ("https://host.example/a/shop/", "shop"),
            ("git@host.example:shop.git", "shop"),
            ("ssh://git@host.example:22/~a/shop", "shop"),
            ("/no/such/directory/shop/.git", "shop"),
        ] {
            assert_eq!(name_of(source).ok().as_deref(), Some(name), "{source}");
        }
        assert!(name_of("https://host.example/a b.git").is_err());
    }

    #[test]
    fn a_list_of_ids_may_have_comments_and_nothing_else() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let list = format!("# known\n\n{id} # a commit of 2006\n{id}{}\n", &id[..24]);
        assert_eq!(listed(&list).expect("a list").len(), 2);
        assert_eq!(listed("x\n"), Err("line 1 is no object id".to_owned()));
        assert!(listed(&format!("{id}\n").repeat(LET_PASS_MAX + 1)).is_err());
    }

    #[test]
    fn what_belongs_to_a_clone_alone_stays_there() {
        assert!(is_taken("refs/heads/x") && is_taken("refs/notes/commits") && is_taken("refs/pull/1/head"));
        assert!(!is_taken("refs/remotes/origin/x") && !is_taken("refs/stash") && !is_taken("HEAD"));
    }
}

//! `sealstack git export`: a repository as a bare one of git's, in a directory that is there once it is complete.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use server::config::Place;
use wire::{shown, shown_path};

use super::caller::CallerSettings;
use super::fetch::{Fetch, Found};
use super::progress::Progress;
use super::source::{git, no_git, run};
use crate::failure::Failure;
use crate::interrupt::TemporaryDirectory;
use crate::print;

/// Write a repository into a directory, as a bare repository of git's
///
/// The directory has everything that references lead to, readable, with HEAD and all references. It is made by the
/// installed git, which computes the id of each object anew, and is there once it is complete.
///
/// Works on the host of the running server, for the access key of a profile, which needs codecommit:GitPull and the use of
/// the repository's KMS key.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  sealstack git export webshop webshop.git && git -C webshop.git fsck --full")]
pub(crate) struct Export {
    /// Name of the repository
    name: String,

    /// Directory to make
    directory: PathBuf,

    #[command(flatten)]
    caller: CallerSettings,
}

impl Export {
    pub(crate) fn run(self, place: Place) -> Result<(), Failure> {
        let Self { name, directory, caller } = self;
        if directory.symlink_metadata().is_ok() {
            return Err(Failure::Usage(format!("{} is there already: name another directory", shown_path(&directory))));
        }
        let caller = caller.find(place)?;
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let stream = caller.server.begin_export(&caller.sign("export", &name)?, &name)?;
        let broken = |cause| Failure::Repository(format!("the server broke off: {cause}"));
        let to = stream.try_clone().map_err(broken)?;
        let Some(mut fetch) = Fetch::begin(std::io::BufReader::with_capacity(128 << 10, stream), to, false)? else {
            return Err(server::ServerError::Misunderstood.into());
        };
        let draft = TemporaryDirectory::create(parent).map_err(|cause| Failure::File {
            action: "write to",
            path: parent.to_owned(),
            cause,
        })?;
        let bare = draft.path().join("bare");
        let format = fetch.format().name();
        run(
            git().args(["init", "--quiet", "--bare", "--object-format", format, "--"]).arg(&bare),
            "make a repository",
        )?;
        let found = fetch.references(|_| true)?;
        if !found.references.is_empty() {
            let progress = Progress::new("Exporting");
            let mut index = git();
            index.arg("-C").arg(&bare).args(["index-pack", "--stdin"]).stdin(Stdio::piped()).stdout(Stdio::null());
            let mut index = index.spawn().map_err(no_git)?;
            let mut pack = index.stdin.take();
            let failed = || Failure::Repository("git can't write the objects: see above".to_owned());
            let fetched = fetch.pack(&found.references, &progress, |piece| {
                pack.as_mut().map_or_else(|| Err(failed()), |pack| pack.write_all(piece).map_err(|_| failed()))
            });
            drop(pack);
            let status = index.wait().map_err(no_git)?;
            progress.end();
            fetched?;
            if !status.success() {
                return Err(failed());
            }
        }
        write_references(&bare, &found)?;
        std::fs::rename(&bare, &directory).map_err(|cause| Failure::File {
            action: "make",
            path: directory.clone(),
            cause,
        })?;
        let count = found.references.len();
        print(&format!("Exported {count} references of {} to {}.\n", shown(&name), shown_path(&directory)))?;
        Ok(())
    }
}

fn write_references(bare: &Path, found: &Found) -> Result<(), Failure> {
    let mut update = git();
    update.arg("-C").arg(bare).args(["update-ref", "--stdin", "-z"]).stdin(Stdio::piped());
    let mut update = update.spawn().map_err(no_git)?;
    let mut lines = String::new();
    for (name, id) in &found.references {
        lines += &format!("create {name}\0{id}\0");
    }
    let written = update.stdin.take().map(|mut stdin| stdin.write_all(lines.as_bytes()));
    let status = update.wait().map_err(no_git)?;
    if !matches!(written, Some(Ok(()))) || !status.success() {
        return Err(Failure::Repository("git can't write the references: see above".to_owned()));
    }
    match &found.head {
        Some(head) => run(git().arg("-C").arg(bare).args(["symbolic-ref", "HEAD", head]), "write HEAD"),
        None => Ok(()),
    }
}

//! Files with secrets that an operator names: read only if nobody else could have written them.
//!
//! Looks at the open file, so that what is checked is what is read. A link may lead anywhere.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crypto::SecretBytes;

use crate::error::FrontError;

/// Who may write: group and others.
const WRITABLE: u32 = 0o022;

/// Who may read or write: group and others.
const OPEN: u32 = 0o077;

/// The content of a file with a secret: a passphrase, a PIN, a private key, a credential.
///
/// It has to be this user's or root's. Nobody else may write it, and nobody else may read it unless it is root's: mounted
/// secrets of Docker and Kubernetes are readable in a container that is all there is.
///
/// # Errors
/// [`FrontError::Foreign`], [`FrontError::Exposed`], [`FrontError::Read`].
pub fn read(path: &Path) -> Result<SecretBytes, FrontError> {
    let failed = |cause| FrontError::Read { path: path.to_owned(), cause };
    let mut file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    check_owner(path, &found)?;
    let refused = if found.uid() == 0 { WRITABLE } else { OPEN };
    // A pipe's mode means nothing.
    if found.is_file() && found.mode() & refused != 0 {
        return Err(FrontError::Exposed { path: path.to_owned(), mode: found.mode() & 0o7777 });
    }
    let mut content = SecretBytes::with_capacity(4096);
    std::io::copy(&mut file, &mut content).map_err(failed)?;
    Ok(content)
}

/// Refuses a file or directory of another user, who could change it at any time.
///
/// # Errors
/// [`FrontError::Foreign`].
pub fn check_owner(path: &Path, found: &Metadata) -> Result<(), FrontError> {
    let owner = found.uid();
    if owner == 0 || owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(FrontError::Foreign { path: path.to_owned(), owner })
}

/// Whether anybody at all may write a file.
///
/// A configuration or a seed is refused then. Whose it is does not matter: containers get such files from users of their
/// host.
#[must_use]
pub fn is_everybodys(found: &Metadata) -> bool {
    found.is_file() && found.mode() & 0o002 != 0
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    /// Somebody who is neither root nor this user.
    const NOBODY: u32 = 65_534;

    fn is_root() -> bool {
        rustix::process::geteuid().is_root()
    }

    #[test]
    fn a_secret_of_another_user_is_refused_through_links_too() {
        if !is_root() {
            eprintln!("skipped: only root can give a file away");
            return;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let (path, link) = (dir.path().join("secret"), dir.path().join("link"));
        std::fs::write(&path, "x").expect("a file");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
        symlink(&path, &link).expect("a link");
        assert_eq!(read(&link).expect("its own").expose(), b"x");
        chown(&path, Some(NOBODY), None).expect("given away");
        for path in [&path, &link] {
            let error = read(path).map(drop).expect_err("another's");
            assert!(matches!(error, FrontError::Foreign { owner: NOBODY, .. }), "{error}");
            assert!(error.to_string().contains("65534") && error.to_string().contains("chown"), "{error}");
        }
    }

    #[test]
    fn a_secret_that_others_may_write_or_read_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("secret");
        std::fs::write(&path, "x").expect("a file");
        // What is root's is mounted readable into containers.
        for (mode, of_root, of_a_user) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o640, true, false),
            (0o444, true, false),
            (0o620, false, false),
            (0o602, false, false),
            (0o666, false, false),
        ] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
            let found = read(&path).map(drop);
            assert_eq!(found.is_ok(), if is_root() { of_root } else { of_a_user }, "{mode:o}");
            if let Err(error) = found {
                assert!(matches!(error, FrontError::Exposed { mode: found, .. } if found == mode), "{error}");
                assert!(error.to_string().contains("chmod 600"), "{error}");
            }
        }
    }
}

//! Commands of SSH clients: which program, and for what repository.
//!
//! Reads the quoting that git and other clients use. Runs no shell and knows none of a shell's other means.
//!
//! Source: gitprotocol-pack, "SSH Transport"; git-lfs, "Server Discovery".

use crate::error::{WireError, beginning};
use crate::path::{Service, repository_of};

/// Bytes of a command at most.
const COMMAND_BYTES_MAX: usize = 4096;

/// The command of an SSH client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SshCommand {
    /// A service on a repository.
    Git {
        /// The service.
        service: Service,
        /// The repository's name.
        repository: String,
    },
    /// `git-lfs-authenticate`: where and with which credentials to speak Git LFS over HTTP.
    LfsAuthenticate {
        /// The repository's name.
        repository: String,
        /// Whether the client is going to upload.
        upload: bool,
    },
    /// `git-lfs-transfer`, which is not served: a client that gets exit status 127 goes on over HTTP.
    LfsTransfer,
}

impl SshCommand {
    /// The command in a line of an `exec` request.
    ///
    /// # Errors
    /// [`WireError::SshCommand`] for all other commands, for paths that no repository has, and for what a shell would
    /// not take as plain words.
    pub fn parse(line: &[u8]) -> Result<Self, WireError> {
        let refused = || WireError::SshCommand { found: beginning(line) };
        if line.len() > COMMAND_BYTES_MAX {
            return Err(refused());
        }
        let words = words(line).ok_or_else(refused)?;
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        // `git upload-pack`, as some clients have it.
        let joined;
        if let ["git", program, ..] = words.as_slice() {
            joined = format!("git-{program}");
            words.remove(0);
            if let Some(first) = words.first_mut() {
                *first = &joined;
            }
        }
        let repository = |path: &str| repository_of(path).map(str::to_owned).ok_or_else(refused);
        match words.as_slice() {
            ["git-lfs-authenticate", path, operation] => {
                let upload = match *operation {
                    "upload" => true,
                    "download" => false,
                    _ => return Err(refused()),
                };
                Ok(Self::LfsAuthenticate { repository: repository(path)?, upload })
            }
            ["git-lfs-transfer", ..] => Ok(Self::LfsTransfer),
            [program, path] => {
                let service = Service::from_name(program).ok_or_else(refused)?;
                Ok(Self::Git { service, repository: repository(path)? })
            }
            _ => Err(refused()),
        }
    }
}

/// The words of a line that has nothing of a shell in it but quotes; `None` for any other.
fn words(line: &[u8]) -> Option<Vec<String>> {
    let line = str::from_utf8(line).ok()?;
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        character => word.push(character),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '$' | '`' => return None,
                        '\\' => match characters.next()? {
                            escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        character => word.push(character),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            '$' | '`' | ';' | '|' | '&' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '#' | '\n' | '\r' | '\0' => {
                return None;
            }
            character => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_read_in_the_quotes_of_every_client() {
        let fetch = SshCommand::Git { service: Service::UploadPack, repository: "x".into() };
        for line in [
            "git-upload-pack '/v1/repos/x'",
            "git-upload-pack  /v1/repos/x ",
            "git-upload-pack \"/v1/repos/x\"",
            "git upload-pack '/v1/repos/x.git'",
            r"git-upload-pack '/v1/repos/'\x''",
            "git-upload-pack 'v1/repos/x/'",
        ] {
            assert_eq!(SshCommand::parse(line.as_bytes()).as_ref(), Ok(&fetch), "{line}");
        }
        let push = SshCommand::Git { service: Service::ReceivePack, repository: "x".into() };
        assert_eq!(SshCommand::parse(b"git-receive-pack '/v1/repos/x'"), Ok(push));
        let lfs = SshCommand::LfsAuthenticate { repository: "x".into(), upload: true };
        assert_eq!(SshCommand::parse(b"git-lfs-authenticate /v1/repos/x upload"), Ok(lfs));
        assert_eq!(SshCommand::parse(b"git-lfs-transfer '/v1/repos/x' upload"), Ok(SshCommand::LfsTransfer));
    }

    #[test]
    fn all_that_a_shell_would_do_is_refused() {
        for line in [
            "",
            "sh",
            "git-upload-pack",
            "git-upload-pack '/v1/repos/x' y",
            "git-upload-pack '/v1/repos/x'; id",
            "git-upload-pack $(id)",
            "git-upload-pack `id`",
            "git-upload-pack \"$HOME\"",
            "git-upload-pack '/v1/repos/x",
            "git-upload-pack /v1/repos/x | id",
            "git-upload-pack --timeout=1 '/v1/repos/x'",
            "git-shell -c x",
            "git-upload-pack '/v1/repos/x\\'",
            "git-lfs-authenticate /v1/repos/x delete",
            "git",
            "git-upload-pack\0",
            "git-upload-pack /v1/repos/*",
        ] {
            assert!(matches!(SshCommand::parse(line.as_bytes()), Err(WireError::SshCommand { .. })), "{line}");
        }
        assert!(SshCommand::parse(&[b'x'; 5000]).is_err());
    }

    proptest! {
        #[test]
        fn a_word_that_git_quotes_is_read_as_it_was(word in "\\PC{0,30}") {
            let quoted = format!("'{}'", word.replace('\'', r"'\''").replace('!', r"'\!'"));
            prop_assert_eq!(words(quoted.as_bytes()), Some(vec![word]));
        }

        #[test]
        fn foreign_bytes_never_panic(line in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = SshCommand::parse(&line);
        }
    }
}

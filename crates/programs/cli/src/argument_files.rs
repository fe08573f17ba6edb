//! Arguments from files: `@FILE` stands for the arguments that are written in it, with a shell's quotes and comments.
//!
//! Only for the commands that work on messages, as `aws-encryption-cli` has it.

use std::ffi::OsString;
use std::path::PathBuf;

use client::split_words;

use crate::failure::Failure;

/// How deep files may refer to files.
const DEPTH_MAX: usize = 8;

/// The most arguments that files may stand for.
const ARGUMENTS_MAX: usize = 100_000;

/// The commands whose arguments may come from files.
const COMMANDS: [&str; 4] = ["encrypt", "decrypt", "reencrypt", "inspect"];

/// The command line with every `@FILE` replaced, and the files that were read for it.
pub(crate) fn expand(arguments: impl IntoIterator<Item = OsString>) -> Result<(Vec<OsString>, Vec<PathBuf>), Failure> {
    let (mut expanded, mut files) = (Vec::new(), Vec::new());
    let mut ours = false;
    for argument in arguments {
        if ours {
            push(argument, 0, &mut expanded, &mut files)?;
        } else {
            ours = argument.to_str().is_some_and(|text| COMMANDS.contains(&text));
            expanded.push(argument);
        }
    }
    Ok((expanded, files))
}

fn push(
    argument: OsString,
    depth: usize,
    expanded: &mut Vec<OsString>,
    files: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    let Some(path) = argument.to_str().and_then(|text| text.strip_prefix('@')) else {
        if expanded.len() >= ARGUMENTS_MAX {
            return Err(Failure::Usage(format!("files stand for more than {ARGUMENTS_MAX} arguments")));
        }
        expanded.push(argument);
        return Ok(());
    };
    if depth == DEPTH_MAX {
        return Err(Failure::Usage(format!("@{path}: argument files refer to each other too deeply")));
    }
    let text = std::fs::read_to_string(path).map_err(|cause| Failure::File {
        action: "read the arguments in",
        path: PathBuf::from(path),
        cause,
    })?;
    files.push(PathBuf::from(path));
    let words = split_words(&text, true).map_err(|error| Failure::Usage(format!("@{path}: {error}")))?;
    for word in words {
        push(word.into(), depth + 1, expanded, files)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(arguments: &[&str]) -> Result<Vec<String>, Failure> {
        let (expanded, _) = expand(arguments.iter().map(OsString::from))?;
        Ok(expanded.into_iter().map(|argument| argument.into_string().expect("UTF-8")).collect())
    }

    #[test]
    fn files_stand_for_the_arguments_in_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name).display().to_string();
        std::fs::write(path("inner"), "-c 'a=b c'").expect("written");
        std::fs::write(path("outer"), format!("# keys\n-w key=k # mine\n@{}\n", path("inner"))).expect("written");
        let outer = format!("@{}", path("outer"));
        let all = expanded(&["sealstack", "encrypt", &outer, "-i", "x@y"]).expect("arguments");
        assert_eq!(all, ["sealstack", "encrypt", "-w", "key=k", "-c", "a=b c", "-i", "x@y"]);
        let (_, files) = expand(["sealstack", "encrypt", &outer].map(OsString::from)).expect("arguments");
        assert_eq!(files, [PathBuf::from(path("outer")), PathBuf::from(path("inner"))]);
        let left = expanded(&["sealstack", "--data", &outer, "serve"]).expect("arguments");
        assert_eq!(left, ["sealstack", "--data", &outer, "serve"], "of no concern to other commands");
    }

    #[test]
    fn what_cannot_be_expanded_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("loop").display().to_string();
        std::fs::write(&path, format!("@{path}")).expect("written");
        assert!(matches!(expanded(&["s", "decrypt", &format!("@{path}")]), Err(Failure::Usage(_))));
        std::fs::write(&path, "'open").expect("written");
        assert!(matches!(expanded(&["s", "decrypt", &format!("@{path}")]), Err(Failure::Usage(_))));
        assert!(matches!(expanded(&["s", "decrypt", "@/none/such"]), Err(Failure::File { .. })));
    }
}

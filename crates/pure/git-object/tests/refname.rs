//! Names of references are judged as `git check-ref-format` judges them.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::process::Command;

use git_object::refname::{check, check_branch, check_parts};

#[test]
fn names_are_judged_as_git_judges_them() {
    let names = [
        "refs/heads/main",
        "main",
        "refs/heads/a..b",
        "refs/heads/.a",
        "refs/heads/a.",
        "refs/heads/a.lock",
        "refs/heads/a.lock/b",
        "refs/heads/a@{b",
        "@",
        "refs/@",
        "refs/heads/@",
        "/a/b",
        "a//b",
        "a/b/",
        "a b/c",
        "a~/b",
        "a^/b",
        "a:/b",
        "a?/b",
        "a*/b",
        "a[/b",
        "a\\/b",
        "a\u{7f}/b",
        "a\u{1}/b",
        "é/ü",
        "refs/heads/-x",
        "a{/b",
        "a/{b",
        "a/.lock",
        "a/b.lockx",
        "a./b",
        "HEAD",
        "-x",
        "a/@{",
        "@{/b",
        "a/b@",
        "",
    ];
    for name in names {
        let git = |option: &str| {
            let mut command = Command::new("git");
            command.arg("check-ref-format");
            if !option.is_empty() {
                command.arg(option);
            }
            command.arg(name).output().expect("git runs").status.success()
        };
        // A name that looks like an option is one to this command.
        if !name.starts_with('-') && !name.is_empty() {
            assert_eq!(check(name.as_bytes()).is_ok(), git(""), "{name:?}");
            assert_eq!(check_parts(name.as_bytes()).is_ok(), git("--allow-onelevel"), "{name:?}");
        }
        // This option also takes revisions that mean a branch, and `@` is one.
        if name != "@" {
            assert_eq!(check_branch(name.as_bytes()).is_ok(), git("--branch"), "{name:?}");
        }
    }
}

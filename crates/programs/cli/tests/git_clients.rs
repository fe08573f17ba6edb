//! Git's other implementations against a real server: dulwich, libgit2 through pygit2, and isomorphic-git push what git
//! accepts, and clone what git pushed.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use testkit::{GitWorld, noise};

/// The scripts, and the file that each of them adds.
const CLIENTS: [(&str, &str); 3] =
    [("git_dulwich.py", "of-dulwich"), ("git_pygit2.py", "of-pygit2"), ("npm/git_isomorphic.js", "of-isomorphic-git")];

/// A history with deltas, a merge, tags of both kinds, and a branch that is to be deleted.
fn seed(world: &GitWorld, repository: &str) {
    world.git("git", ".", &["init", "-q", repository]);
    let text = |number: usize| -> String { (0..400).map(|line| format!("{}\n", line * number)).collect() };
    for number in 1..=5 {
        world.commit("git", repository, "lines", text(number));
    }
    world.write(repository, "deep/er/noise", noise(1, 20_000));
    world.git("git", repository, &["checkout", "-q", "-b", "doomed", "HEAD~2"]);
    world.commit("git", repository, "other", "other\n");
    world.git("git", repository, &["checkout", "-q", "main"]);
    world.git("git", repository, &["merge", "-q", "-m", "both", "doomed"]);
    world.git("git", repository, &["tag", "light"]);
    world.git("git", repository, &["tag", "-a", "-m", "a tag", "annotated", "HEAD~1"]);
    world.git("git", repository, &["push", "-q", "--tags", &world.remote(repository), "main", "doomed"]);
}

#[test]
fn the_other_implementations_clone_push_fetch_and_delete() {
    let names = ["empty0", "seeded0", "empty1", "seeded1", "empty2", "seeded2"];
    let world = GitWorld::start(env!("CARGO_BIN_EXE_sealstack"), Vec::new(), &names);
    for (number, (script, file)) in CLIENTS.into_iter().enumerate() {
        let (empty, seeded, folder) = (format!("empty{number}"), format!("seeded{number}"), format!("folder{number}"));
        seed(&world, &seeded);
        std::fs::create_dir(world.path(&folder)).expect("a folder");
        let at = world.path(&folder).into_os_string().into_string().expect("UTF-8");
        world.script(script, ".", &[&world.address(&empty), &world.address(&seeded), &at]);

        // What the client pushed to an empty repository is what git clones.
        let (pushed, followed) = (format!("{folder}/pushed"), format!("{folder}/followed"));
        let in_folder = |name: &str| format!("{folder}/{name}");
        world.git("git", ".", &["clone", "-q", &world.remote(&empty), &pushed]);
        world.same_files(&in_folder("first"), &pushed);
        let tip = |at: &str| world.git("git", at, &["rev-parse", "HEAD"]);
        assert_eq!(tip(&in_folder("first")), tip(&pushed), "{script}");
        assert_eq!(world.git("git", &pushed, &["rev-list", "--count", "HEAD"]), "2");

        // What it pushed to a repository with a history, and what it cloned and fetched of it.
        world.git("git", ".", &["clone", "-q", &world.remote(&seeded), &followed]);
        assert_eq!(world.git("git", &followed, &["log", "--format=%s", "-n", "2"]), format!("of {}\nboth", &file[3..]));
        for name in ["clone", "second", "shallow"] {
            let at = in_folder(name);
            world.same_files(&followed, &at);
            assert_eq!(tip(&at), tip(&followed), "{script}: {name}");
            world.git("git", &at, &["fsck", "--strict"]);
        }
        assert_eq!(world.git("git", &in_folder("shallow"), &["rev-list", "--count", "HEAD"]), "1", "{script}");
        for at in [&pushed, &followed] {
            world.git("git", at, &["fsck", "--strict"]);
        }
        let shown = world.git("git", ".", &["ls-remote", &world.remote(&seeded)]);
        let names: Vec<_> = shown.lines().filter_map(|line| line.split('\t').nth(1)).collect();
        let heads = ["HEAD", "refs/heads/from-client", "refs/heads/main"];
        let tags = ["refs/tags/annotated", "refs/tags/annotated^{}", "refs/tags/light"];
        assert_eq!(names, [heads, tags].concat(), "{script}");
    }
}

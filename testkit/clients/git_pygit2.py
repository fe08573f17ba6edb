"""Plays a developer who uses pygit2, and thus libgit2.

Usage: git_pygit2.py EMPTY SEEDED FOLDER, as git_dulwich.py; the authority's certificate is in GIT_SSL_CAINFO.
"""

import os
import sys
from pathlib import Path

import pygit2


class Callbacks(pygit2.RemoteCallbacks):
    def __init__(self):
        super().__init__(credentials=pygit2.UserPass(os.environ["GIT_USER"], os.environ["GIT_PASSWORD"]))

    def push_update_reference(self, refname, message):
        assert message is None, f"{refname}: {message}"


def commit(repository, files, message):
    for name, content in files.items():
        path = Path(repository.workdir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        repository.index.add(name)
    repository.index.write()
    ada = pygit2.Signature("Ada", "ada@example.com")
    parents = [] if repository.head_is_unborn else [repository.head.target]
    repository.create_commit("HEAD", ada, ada, message, repository.index.write_tree(), parents)


def main():
    empty, seeded, folder = sys.argv[1:]
    pygit2.settings.set_ssl_cert_locations(os.environ["GIT_SSL_CAINFO"], None)

    first = pygit2.init_repository(f"{folder}/first", initial_head="main")
    files = {"a": b"a\n", "deep/er/b": b"b\n" * 3000, "bytes": bytes(range(256)) * 40}
    commit(first, files, "one")
    commit(first, {"a": b"a\nand more\n"}, "two")
    first.remotes.create("origin", empty).push(["refs/heads/main"], callbacks=Callbacks())

    second = pygit2.clone_repository(seeded, f"{folder}/second", callbacks=Callbacks())
    clone = pygit2.clone_repository(seeded, f"{folder}/clone", callbacks=Callbacks())
    commit(clone, {"of-pygit2": b"pygit2\n"}, "of pygit2")
    specs = ["refs/heads/main", "refs/heads/main:refs/heads/from-client", ":refs/heads/doomed"]
    clone.remotes["origin"].push(specs, callbacks=Callbacks())
    second.remotes["origin"].fetch(callbacks=Callbacks())
    second.reset(second.references["refs/remotes/origin/main"].target, pygit2.enums.ResetMode.HARD)
    pygit2.clone_repository(seeded, f"{folder}/shallow", callbacks=Callbacks(), depth=1)


main()

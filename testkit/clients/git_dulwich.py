"""Plays a developer who uses dulwich.

Usage: git_dulwich.py EMPTY SEEDED FOLDER, the addresses of two repositories; name and password are in GIT_USER and GIT_PASSWORD. Makes
FOLDER/first and pushes it to EMPTY; clones SEEDED as FOLDER/second and FOLDER/clone, pushes from FOLDER/clone, deletes the branch `doomed`,
fetches that in FOLDER/second, and clones FOLDER/shallow with one commit.
"""

import io
import os
import sys
from pathlib import Path

from dulwich import porcelain

WHO = {"username": os.environ["GIT_USER"], "password": os.environ["GIT_PASSWORD"]}
QUIET = {"errstream": io.BytesIO()}


def commit(folder, files, message):
    for name, content in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    porcelain.add(folder, [str(Path(folder, name)) for name in files])
    ada = b"Ada <ada@example.com>"
    porcelain.commit(folder, message=message, author=ada, committer=ada)


def main():
    empty, seeded, folder = sys.argv[1:]
    first, second, clone, shallow = (f"{folder}/{name}" for name in ("first", "second", "clone", "shallow"))
    os.mkdir(first)
    porcelain.init(first)
    files = {"a": b"a\n", "deep/er/b": b"b\n" * 3000, "bytes": bytes(range(256)) * 40}
    commit(first, files, b"one")
    commit(first, {"a": b"a\nand more\n"}, b"two")
    porcelain.push(first, empty, "HEAD:refs/heads/main", **WHO, **QUIET)

    porcelain.clone(seeded, second, **WHO, **QUIET)
    porcelain.clone(seeded, clone, **WHO, **QUIET)
    commit(clone, {"of-dulwich": b"dulwich\n"}, b"of dulwich")
    specs = ["HEAD:refs/heads/main", "HEAD:refs/heads/from-client"]
    porcelain.push(clone, seeded, specs, **WHO, **QUIET)
    porcelain.push(clone, seeded, ":refs/heads/doomed", **WHO, **QUIET)
    porcelain.pull(second, seeded, "refs/heads/main", **WHO, **QUIET)
    porcelain.clone(seeded, shallow, depth=1, **WHO, **QUIET)


main()

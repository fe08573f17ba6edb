"""Searches all files under a folder for texts and bytes, as they are and encoded in other ways. Prints what it finds, and ends with 1 then.

Usage: search_directory.py FOLDER, which reads lines from its standard input: a text, or `hex:` and bytes in hexadecimal.
"""

import base64
import sys
from pathlib import Path

# The one readable file: it is the administrator's own.
ALLOWED = "aws/credentials"


def forms(line):
    raw = bytes.fromhex(line[4:]) if line.startswith("hex:") else line.encode()
    yield raw
    yield raw.hex().encode()
    # Wherever it lies in a longer text that was encoded.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        yield encoded[(0, 2, 3)[shift]:][:len(raw) * 4 // 3 - 3]
    if not line.startswith("hex:"):
        yield line.encode("utf-16-le")


def main():
    folder = Path(sys.argv[1])
    needles = [(line, form) for line in sys.stdin.read().splitlines() if line for form in forms(line)]
    files = [path for path in folder.rglob("*") if path.is_file() and not str(path).endswith(ALLOWED)]
    found = set()
    for path in files:
        content = path.read_bytes()
        found.update((line, path) for line, form in needles if form in content)
    for line, path in sorted(found):
        print(f"{line} stands readable in {path}")
    print(f"{len(files)} files were searched for {len(needles)} forms")
    sys.exit(1 if found or not files else 0)


main()

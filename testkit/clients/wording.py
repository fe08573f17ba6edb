"""How errors are worded, beside a file that lists the wordings."""

import re

# What differs from run to run in an error's message.
VARIABLE = [
    (r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]+", "<key ARN>"),
    (r"arn:aws:kms:[a-z0-9-]+:\d{12}:alias/[a-z0-9-]+", "<alias ARN>"),
    (r"\b[0-9a-f]{64}\b", "<id>"),
    (r"\b\d{12}\b", "<account>"),
]


def worded(code, message):
    """The error's line in the file of wordings. Violated constraints are all of one form, and what bounds are tried says how
    many there are."""
    for pattern, name in VARIABLE:
        message = re.sub(pattern, name, message)
    if code == "ValidationException" and re.fullmatch(
        r"\d+ validation errors? detected: (Value (.|\n)* ?at '[\w.]+' failed to satisfy constraint: Member .*(; )?)+", message
    ):
        return "ValidationException: <violated constraints>"
    return f"{code}: {message}".rstrip()


def compare_wording(path, seen):
    with open(path, encoding="utf-8") as lines:
        listed = {line.rstrip("\n") for line in lines if not line.startswith("#")}
    return [f"this is no wording in {path}: {line}" for line in sorted(seen - listed)] + [
        f"this wording in {path} was not met: {line}" for line in sorted(listed - seen)
    ]

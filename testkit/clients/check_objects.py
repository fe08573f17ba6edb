"""Checks the lines on stdin, which s3_until_killed.py printed, against the server: each key has what was acknowledged last, or
one of the changes that were asked for after that, whole.

Prints the lines from which the next check begins: what each key has now.
"""

import json
import sys

import boto3

from objects import BUCKET, SIZES, content


def main():
    s3 = boto3.client("s3")
    possible = {}
    for line in sys.stdin:
        # The last line may be cut short: nothing was asked for or acknowledged behind it.
        if not line.endswith("\n"):
            continue
        said = json.loads(line)
        state = (said["seed"], said.get("size"))
        if said["state"] == "acknowledged":
            possible[said["key"]] = [state]
        else:
            possible.setdefault(said["key"], [(None, None)]).append(state)
    listed = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        listed |= {found["Key"]: found["Size"] for found in page.get("Contents", [])}
    assert set(listed) <= set(possible), set(listed) - set(possible)
    undecided = applied = 0
    for key, states in possible.items():
        found = None
        if key in listed:
            found = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            assert listed[key] == len(found), (key, listed[key], len(found))
        now = [state for state in states if found == (None if state[0] is None else content(*state))]
        assert now, (key, None if found is None else len(found), states)
        undecided += len(states) > 1
        applied += len(states) > 1 and now[-1] == states[-1]
        seed, size = now[-1]
        print(json.dumps({"key": key, "state": "acknowledged", "seed": seed, "size": size}))
    assert all(size in SIZES for size in listed.values()), listed
    print(f"{len(possible)} keys, {undecided} undecided, {applied} of them as asked", file=sys.stderr)


if __name__ == "__main__":
    main()

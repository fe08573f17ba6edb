"""Makes users and keys on many connections until the server is gone or told to stop, whatever becomes of each call.

Usage: chaos.py ROUND. Prints a line for each acknowledged change: `user NAME` or `key ARN`. Ends when its standard
input does.
"""

import sys
import threading

import boto3
from botocore.config import Config

ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
WORKERS = 8
printing = threading.Lock()
stop = threading.Event()


def acknowledged(kind, name):
    with printing:
        print(kind, name, flush=True)


def change(round_, worker):
    session = boto3.Session()
    kms, iam = session.client("kms", config=ONCE), session.client("iam", config=ONCE)
    for step in range(100_000):
        if stop.is_set():
            return
        name = f"r{round_}w{worker}s{step}"
        try:
            iam.create_user(UserName=name)
            acknowledged("user", name)
            acknowledged("key", kms.create_key(Description=name)["KeyMetadata"]["Arn"])
        except Exception:  # noqa: BLE001: refused, or gone; others may pass again
            stop.wait(0.02)


def main():
    for worker in range(WORKERS):
        threading.Thread(target=change, args=(sys.argv[1], worker), daemon=True).start()
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main()

"""Puts, removes and assembles objects until the server is gone, and prints each change before it is asked for and again once
it is acknowledged.

Usage: s3_until_killed.py ROUND. A line is a JSON object that check_objects.py can check.
"""

import json
import random
import sys
import threading

import boto3
from botocore.config import Config

from objects import BUCKET, SIZES, content

ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
PART = 5 << 20
printing = threading.Lock()


def say(**line):
    with printing:
        print(json.dumps(line), flush=True)


def change(round_, worker):
    s3 = boto3.Session().client("s3", config=ONCE)
    chance = random.Random(f"{round_} {worker}")
    for step in range(100_000):
        key = f"w{worker}/{chance.randrange(6)}"
        seed, size = f"{round_} {worker} {step}", chance.choice(SIZES)
        # What one worker changes, no other does: of two lines about a key the later one holds.
        if chance.random() < 0.25:
            say(key=key, state="asked", seed=None)
            s3.delete_object(Bucket=BUCKET, Key=key)
            say(key=key, state="acknowledged", seed=None)
            continue
        say(key=key, state="asked", seed=seed, size=size)
        if size < PART:
            s3.put_object(Bucket=BUCKET, Key=key, Body=content(seed, size))
        else:
            assemble(s3, key, content(seed, size))
        say(key=key, state="acknowledged", seed=seed, size=size)


def assemble(s3, key, body):
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    named = {"Bucket": BUCKET, "Key": key, "UploadId": upload}
    parts = []
    for number, start in enumerate(range(0, len(body), PART), 1):
        part = s3.upload_part(**named, PartNumber=number, Body=body[start : start + PART])
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})


def main():
    boto3.client("s3", config=ONCE)
    workers = [threading.Thread(target=change, args=(sys.argv[1], worker)) for worker in range(4)]
    # A worker ends with an exception when the server is gone: that is the end that is waited for.
    threading.excepthook = lambda _: None
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()

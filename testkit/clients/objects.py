"""The objects of tests that kill the server: their bucket, sizes and contents."""

import random

BUCKET = "killed"

# In a row of the store, at the border of that, in a file of its own, and in parts.
SIZES = [0, 700, 16 << 10, (16 << 10) + 1, 300_000, (5 << 20) + 1000]


def content(seed, size):
    return random.Random(seed).randbytes(size)

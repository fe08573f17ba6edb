"""Envelope encryption by hand: a data key from KMS, the file under it, the plaintext key forgotten.

Usage: envelope_by_hand.py KEY FILE. Leaves nothing behind but proof on stdout.
"""

import hashlib
import os
import sys

import boto3
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CHUNK_BYTES = 1 << 20
CONTEXT = {"purpose": "walk", "file": "large"}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encrypt(kms, key_id, path):
    """Writes PATH.sealed and beside it PATH.key, the encrypted data key."""
    data_key = kms.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=CONTEXT)
    nonce = os.urandom(12)
    cipher = Cipher(algorithms.AES(data_key.pop("Plaintext")), modes.GCM(nonce)).encryptor()
    with open(path, "rb") as plain, open(path + ".sealed", "wb") as sealed:
        sealed.write(nonce)
        while chunk := plain.read(CHUNK_BYTES):
            sealed.write(cipher.update(chunk))
        sealed.write(cipher.finalize() + cipher.tag)
    with open(path + ".key", "wb") as file:
        file.write(data_key["CiphertextBlob"])


def decrypt(kms, path):
    """Reads PATH.sealed and PATH.key back into PATH.opened."""
    with open(path + ".key", "rb") as file:
        data_key = kms.decrypt(CiphertextBlob=file.read(), EncryptionContext=CONTEXT)["Plaintext"]
    left = os.path.getsize(path + ".sealed") - 12 - 16
    with open(path + ".sealed", "rb") as sealed, open(path + ".opened", "wb") as plain:
        nonce = sealed.read(12)
        sealed.seek(-16, os.SEEK_END)
        tag = sealed.read(16)
        sealed.seek(12)
        cipher = Cipher(algorithms.AES(data_key), modes.GCM(nonce, tag)).decryptor()
        while left:
            chunk = sealed.read(min(CHUNK_BYTES, left))
            left -= len(chunk)
            plain.write(cipher.update(chunk))
        plain.write(cipher.finalize())


def main():
    key_id, path = sys.argv[1:]
    kms = boto3.client("kms")
    encrypt(kms, key_id, path)
    with open(path + ".key", "rb") as file:
        print(f"by hand: {os.path.getsize(path)} bytes sealed, encrypted data key of {len(file.read())} bytes beside it")
    decrypt(kms, path)
    if digest(path) != digest(path + ".opened"):
        sys.exit("by hand: the file came back changed")
    print("by hand: the file came back the same")
    for suffix in (".sealed", ".key", ".opened"):
        os.remove(path + suffix)


if __name__ == "__main__":
    main()

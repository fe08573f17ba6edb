"""Keys of every spec, checked against others: OpenSSL's command and Python's `cryptography` verify what the server signs,
encrypt what it decrypts, agree on its secrets, make its codes, and use its data key pairs.

Every answer is checked here; the last line says that all of them were right.
"""

import hashlib
import hmac
import subprocess
import tempfile
from pathlib import Path

import boto3
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa, utils

MESSAGE = b"what is signed, encrypted and authenticated"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}

kms = boto3.client("kms")
place = Path(tempfile.mkdtemp())


def openssl(*arguments, **files):
    """Runs a command; each `file=bytes` is written first and stands in the arguments as `@file`."""
    for name, content in files.items():
        (place / name).write_bytes(content)
    arguments = [str(place / argument[1:]) if argument.startswith("@") else argument for argument in arguments]
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return
    raise AssertionError(f"{call} was not refused with {code}")


def create(spec, usage):
    """A new key: its id, its public key in DER and as `cryptography` reads it."""
    key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
    answer = kms.get_public_key(KeyId=key)
    assert answer["KeySpec"] == spec and answer["KeyUsage"] == usage, answer
    return key, answer["PublicKey"], serialization.load_der_public_key(answer["PublicKey"])


def signatures(key, algorithm, digest):
    """A signature over the message and one over its digest, each verified here by the other's type."""
    digested = digest.copy()
    whole = {"KeyId": key, "Message": MESSAGE, "MessageType": "RAW", "SigningAlgorithm": algorithm}
    short = {**whole, "Message": digested.digest(), "MessageType": "DIGEST"}
    made = [kms.sign(**input)["Signature"] for input in (whole, short)]
    for signature, input in zip(made, (short, whole)):
        assert kms.verify(Signature=signature, **input)["SignatureValid"]
        refused("KMSInvalidSignatureException", kms.verify, Signature=signature[:-1] + bytes([signature[-1] ^ 1]), **input)
    return made


def sign_with_rsa(spec):
    key, der, public = create(spec, "SIGN_VERIFY")
    assert public.key_size == int(spec[4:]), spec
    for name, hash in HASHES.items():
        digest = hashlib.new(f"sha{name}", MESSAGE)
        length = digest.digest_size
        for signature in signatures(key, f"RSASSA_PKCS1_V1_5_SHA_{name}", digest):
            public.verify(signature, MESSAGE, padding.PKCS1v15(), hash)
            openssl("dgst", f"-sha{name}", "-keyform", "DER", "-verify", "@der", "-signature", "@signature", "@message",
                    der=der, signature=signature, message=MESSAGE)
        for signature in signatures(key, f"RSASSA_PSS_SHA_{name}", digest):
            # The salt is exactly as long as the digest: a verifier that insists on it is content.
            public.verify(signature, MESSAGE, padding.PSS(padding.MGF1(hash), length), hash)
            openssl("dgst", f"-sha{name}", "-keyform", "DER", "-verify", "@der", "-signature", "@signature",
                    "-sigopt", "rsa_padding_mode:pss", "-sigopt", f"rsa_pss_saltlen:{length}",
                    "-sigopt", f"rsa_mgf1_md:sha{name}", "@message", der=der, signature=signature, message=MESSAGE)


def sign_on_curve(spec, name):
    key, der, public = create(spec, "SIGN_VERIFY")
    assert public.curve.name == CURVES[spec].name, spec
    digest = hashlib.new(f"sha{name}", MESSAGE)
    for signature in signatures(key, f"ECDSA_SHA_{name}", digest):
        r, s = utils.decode_dss_signature(signature)
        assert utils.encode_dss_signature(r, s) == signature, "DER, and nothing looser"
        public.verify(signature, MESSAGE, ec.ECDSA(HASHES[name]))
        public.verify(signature, digest.digest(), ec.ECDSA(utils.Prehashed(HASHES[name])))
        openssl("dgst", f"-sha{name}", "-keyform", "DER", "-verify", "@der", "-signature", "@signature", "@message",
                der=der, signature=signature, message=MESSAGE)


def sign_with_ed25519():
    key, der, public = create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    assert isinstance(public, ed25519.Ed25519PublicKey)
    input = {"KeyId": key, "Message": MESSAGE, "SigningAlgorithm": "ED25519_SHA_512"}
    signature = kms.sign(**input)["Signature"]
    public.verify(signature, MESSAGE)
    openssl("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "@der", "-rawin", "-in", "@message",
            "-sigfile", "@signature", der=der, message=MESSAGE, signature=signature)
    digest = hashlib.sha512(MESSAGE).digest()
    prehashed = {"KeyId": key, "Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": "ED25519_PH_SHA_512"}
    signature = kms.sign(**prehashed)["Signature"]
    assert kms.verify(Signature=signature, **prehashed)["SignatureValid"]
    refused("KMSInvalidSignatureException", kms.verify, Signature=signature, **input)
    try:
        public.verify(signature, digest)
    except InvalidSignature:
        return
    raise AssertionError("the prehashed form must not pass for the pure one")


def sign_with_ml_dsa(spec):
    key, der, public = create(spec, "SIGN_VERIFY")
    assert isinstance(public, getattr(mldsa, spec.replace("_", "") + "PublicKey")), spec
    assert public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) == der
    # FIPS 204, section 6.2: μ = H(H(pk) ‖ 0 ‖ length of the context ‖ context ‖ message).
    tr = hashlib.shake_256(public.public_bytes_raw()).digest(64)
    mu = hashlib.shake_256(tr + b"\0\0" + MESSAGE).digest(64)
    hasher = mldsa.MLDSAMuHasher(public)
    hasher.update(MESSAGE)
    assert hasher.finalize() == mu
    raw = {"KeyId": key, "Message": MESSAGE, "MessageType": "RAW", "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    external = {**raw, "Message": mu, "MessageType": "EXTERNAL_MU"}
    for signed, verified in ((raw, external), (external, raw)):
        signature = kms.sign(**signed)["Signature"]
        public.verify(signature, MESSAGE)
        public.verify_mu(signature, mu)
        assert kms.verify(Signature=signature, **verified)["SignatureValid"]


def decrypt_with_rsa(spec):
    key, der, public = create(spec, "ENCRYPT_DECRYPT")
    for algorithm, name, hash in (("RSAES_OAEP_SHA_1", "sha1", hashes.SHA1()), ("RSAES_OAEP_SHA_256", "sha256", HASHES["256"])):
        oaep = padding.OAEP(padding.MGF1(hash), hash, None)
        by_openssl = openssl("pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "@der", "-in", "@message",
                             "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", f"rsa_oaep_md:{name}",
                             "-pkeyopt", f"rsa_mgf1_md:{name}", der=der, message=MESSAGE)
        by_us = kms.encrypt(KeyId=key, Plaintext=MESSAGE, EncryptionAlgorithm=algorithm)["CiphertextBlob"]
        for sealed in (public.encrypt(MESSAGE, oaep), by_openssl, by_us):
            opened = kms.decrypt(KeyId=key, CiphertextBlob=sealed, EncryptionAlgorithm=algorithm)
            assert opened["Plaintext"] == MESSAGE and "KeyMaterialId" not in opened


def derive_shared_secrets(spec):
    key, der, public = create(spec, "KEY_AGREEMENT")
    ours = ec.generate_private_key(CURVES[spec])
    peer = ours.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    derived = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=peer)["SharedSecret"]
    assert derived == ours.exchange(ec.ECDH(), public)
    private = ours.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert derived == openssl("pkeyutl", "-derive", "-keyform", "DER", "-inkey", "@private", "-peerform", "DER",
                              "-peerkey", "@der", private=private, der=der)


def import_and_authenticate(spec, name):
    """The server gives no HMAC key away, so it is given one."""
    secret = hashlib.new(f"sha{name}", spec.encode()).digest()
    key = kms.create_key(KeySpec=spec, KeyUsage="GENERATE_VERIFY_MAC", Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    wrapping = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_3072"}
    parameters = kms.get_parameters_for_import(KeyId=key, **wrapping)
    oaep = padding.OAEP(padding.MGF1(HASHES["256"]), HASHES["256"], None)
    kms.import_key_material(
        KeyId=key,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=serialization.load_der_public_key(parameters["PublicKey"]).encrypt(secret, oaep),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )
    input = {"KeyId": key, "Message": MESSAGE, "MacAlgorithm": f"HMAC_SHA_{name}"}
    mac = hmac.digest(secret, MESSAGE, f"sha{name}")
    assert kms.generate_mac(**input)["Mac"] == mac
    said = openssl("dgst", f"-sha{name}", "-mac", "HMAC", "-macopt", f"hexkey:{secret.hex()}", "@message", message=MESSAGE)
    assert said.split()[-1].decode() == mac.hex()
    assert kms.verify_mac(Mac=mac, **input)["MacValid"]
    refused("KMSInvalidMacException", kms.verify_mac, Mac=mac[:-1] + bytes([mac[-1] ^ 1]), **input)


def decapsulate(spec):
    key, der, public = create(spec, "ENCAPSULATE_DECAPSULATE")
    assert public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) == der
    secret, sealed = public.encapsulate()
    opened = kms.decapsulate(KeyId=key, SharedSecretCiphertextBlob=sealed, EncapsulationAlgorithm="ML_KEM")
    assert opened["SharedSecret"] == secret


def use_data_key_pair(key, spec):
    context = {"pair": spec}
    made = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec, EncryptionContext=context)
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext=context)
    assert opened["Plaintext"] == made["PrivateKeyPlaintext"]
    private = serialization.load_der_private_key(made["PrivateKeyPlaintext"], None)
    public = serialization.load_der_public_key(made["PublicKey"])
    assert private.public_key() == public, spec
    if isinstance(private, rsa.RSAPrivateKey):
        public.verify(private.sign(MESSAGE, padding.PKCS1v15(), HASHES["256"]), MESSAGE, padding.PKCS1v15(), HASHES["256"])
    elif isinstance(private, ec.EllipticCurvePrivateKey):
        public.verify(private.sign(MESSAGE, ec.ECDSA(HASHES["256"])), MESSAGE, ec.ECDSA(HASHES["256"]))
    elif isinstance(private, ed25519.Ed25519PrivateKey):
        public.verify(private.sign(MESSAGE), MESSAGE)
    else:
        assert isinstance(private, (mlkem.MLKEM768PrivateKey, mlkem.MLKEM1024PrivateKey)), spec
        secret, sealed = public.encapsulate()
        assert private.decapsulate(sealed) == secret
        return
    openssl("pkey", "-check", "-inform", "DER", "-in", "@private", "-noout", private=made["PrivateKeyPlaintext"])
    derived = openssl("pkey", "-inform", "DER", "-in", "@private", "-pubout", "-outform", "DER",
                      private=made["PrivateKeyPlaintext"])
    assert derived == made["PublicKey"], spec


def main():
    for spec in ("RSA_2048", "RSA_3072", "RSA_4096"):
        sign_with_rsa(spec)
    for spec in ("RSA_2048", "RSA_3072"):
        decrypt_with_rsa(spec)
    for spec, name in (("ECC_NIST_P256", "256"), ("ECC_NIST_P384", "384"), ("ECC_NIST_P521", "512"), ("ECC_SECG_P256K1", "256")):
        sign_on_curve(spec, name)
    sign_with_ed25519()
    for spec in ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87"):
        sign_with_ml_dsa(spec)
    for spec in ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"):
        derive_shared_secrets(spec)
    for name in ("224", "256", "384", "512"):
        import_and_authenticate(f"HMAC_{name}", name)
    for spec in ("ML_KEM_768", "ML_KEM_1024"):
        decapsulate(spec)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for spec in ("RSA_2048", "RSA_3072", *CURVES, "ECC_NIST_EDWARDS25519", "ML_KEM_768", "ML_KEM_1024"):
        use_data_key_pair(key, spec)
    refused("UnsupportedOperationException", kms.create_key, KeySpec="SM2", KeyUsage="SIGN_VERIFY")
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
    print("Keys of every spec do what OpenSSL and cryptography do.")


if __name__ == "__main__":
    main()

"""Custom key stores from outside, with boto3: in a token, and behind a proxy. Each phase leaves its notes for the next, the
errors that it met among them; the last one compares those with what the installed botocore documents."""

import json
import os
import signal
import sys
import time

import boto3
from botocore.exceptions import ClientError

import misbehaving_proxy
from documented import Seen, Unseen, errors_of

kms = boto3.client("kms")
seen = Seen()
seen.watch(kms)
notes_file, phase, *arguments = sys.argv[1:]
notes = json.load(open(notes_file)) if os.path.exists(notes_file) else {}


def refused(code, call, **members):
    try:
        answer = call(**members)
    except ClientError as error:
        told = error.response["Error"]
        assert told["Code"] == code, f"{call.__name__} with {members}: {told}, expected {code}"
        return told["Message"]
    raise AssertionError(f"{call.__name__} with {members} was answered: {answer}")


def store(**named):
    return kms.describe_custom_key_stores(**named)["CustomKeyStores"][0]


def settled(key_store):
    """Waits until a store is connected, or is not."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = store(CustomKeyStoreId=key_store)
        if found["ConnectionState"] != "CONNECTING":
            return found
        time.sleep(0.05)
    raise AssertionError("the store is connecting for ever")


def connect(key_store):
    kms.connect_custom_key_store(CustomKeyStoreId=key_store)
    found = settled(key_store)
    assert found["ConnectionState"] == "CONNECTED", found


def works(key):
    """Everything that a key in a store does, and that it does not open what it did not make."""
    context = {"purpose": "test"}
    for length in (1, 4096):
        plaintext = os.urandom(length)
        blob = kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=context)["CiphertextBlob"]
        assert length == 1 or plaintext not in blob
        opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)
        assert opened["Plaintext"] == plaintext and "KeyMaterialId" not in opened, opened
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert "KeyMaterialId" not in data_key
    assert kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"] == data_key["Plaintext"]
    hidden = kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")
    assert len(kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"])["Plaintext"]) == 32
    usual = kms.create_key()["KeyMetadata"]["KeyId"]
    moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=usual)
    back = kms.re_encrypt(CiphertextBlob=moved["CiphertextBlob"], DestinationKeyId=key)
    assert kms.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == plaintext
    return blob, context, plaintext


def refuses_what_stores_do_not_do(key):
    for operation in (kms.enable_key_rotation, kms.rotate_key_on_demand, kms.get_key_rotation_status):
        refused("UnsupportedOperationException", operation, KeyId=key)
    refused("UnsupportedOperationException", kms.get_parameters_for_import, KeyId=key,
            WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")
    refused("UnsupportedOperationException", kms.generate_data_key_pair, KeyId=key, KeyPairSpec="ECC_NIST_P256")


def flipped(blob, place):
    return blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1:]


def refuses_what_stores_are_not(key_store, place):
    """What is not there, and one store more than an account can have."""
    gone = {"CustomKeyStoreId": "cks-0"}
    for operation in (kms.connect_custom_key_store, kms.delete_custom_key_store, kms.describe_custom_key_stores,
                      kms.disconnect_custom_key_store, kms.update_custom_key_store):
        more = {"NewCustomKeyStoreName": "new"} if operation == kms.update_custom_key_store else {}
        refused("CustomKeyStoreNotFoundException", operation, **gone, **more)
    refused("InvalidMarkerException", kms.describe_custom_key_stores, Marker="not one of ours")
    refused("CustomKeyStoreNotFoundException", kms.generate_random, NumberOfBytes=1, **gone)
    refused("CustomKeyStoreInvalidStateException", kms.generate_random, NumberOfBytes=1, CustomKeyStoreId=key_store)

    spare = [kms.create_custom_key_store(CustomKeyStoreName=f"spare {letter}",
                                         **{**place, "CloudHsmClusterId": f"cluster-spareroom{letter * 2}"})
             for letter in "abcdefghi"]
    refused("LimitExceededException", kms.create_custom_key_store, CustomKeyStoreName="one more",
            **{**place, "CloudHsmClusterId": "cluster-vaultroomtwo"})
    update, own = kms.update_custom_key_store, {"CustomKeyStoreId": key_store}
    refused("CustomKeyStoreNameInUseException", update, **own, NewCustomKeyStoreName="spare a")
    refused("CloudHsmClusterNotFoundException", update, **own, CloudHsmClusterId="cluster-nosuchtoken")
    refused("CloudHsmClusterNotActiveException", update, **own, CloudHsmClusterId="cluster-tokenisgone")
    refused("CloudHsmClusterNotRelatedException", update, **own, CloudHsmClusterId="cluster-otheranchor")
    for made in spare:
        kms.delete_custom_key_store(CustomKeyStoreId=made["CustomKeyStoreId"])


def unfit(pin, anchor):
    """The token has lost what its keys need."""
    code, own = "CloudHsmClusterInvalidConfigurationException", {"CustomKeyStoreId": notes["store"]}
    told = refused(code, kms.create_key, Origin="AWS_CLOUDHSM", **own)
    assert "has no CKM_AES_GCM" in told, told
    refused("KMSInvalidStateException", kms.encrypt, KeyId=notes["key"], Plaintext=b"x")
    kms.disconnect_custom_key_store(**own)
    refused(code, kms.connect_custom_key_store, **own)
    refused(code, kms.update_custom_key_store, **own, KeyStorePassword=pin)
    refused(code, kms.create_custom_key_store, CustomKeyStoreName="unfit", CloudHsmClusterId="cluster-vaultroomtwo",
            TrustAnchorCertificate=open(anchor).read(), KeyStorePassword=pin)
    assert store(**own)["ConnectionState"] == "DISCONNECTED"


def absent():
    """The token is gone."""
    own = {"CustomKeyStoreId": notes["store"]}
    refused("CloudHsmClusterNotActiveException", kms.connect_custom_key_store, **own)
    assert store(**own)["ConnectionState"] == "DISCONNECTED"


def token(pin, wrong_anchor, anchor):
    wrong_anchor, anchor = open(wrong_anchor).read(), open(anchor).read()
    place = {"CloudHsmClusterId": "cluster-vaultroomone", "TrustAnchorCertificate": anchor, "KeyStorePassword": "wrong " + pin}
    create = kms.create_custom_key_store
    refused("CloudHsmClusterNotFoundException", create, CustomKeyStoreName="no", **{**place, "CloudHsmClusterId": "cluster-nosuchtoken"})
    refused("CloudHsmClusterNotActiveException", create, CustomKeyStoreName="no", **{**place, "CloudHsmClusterId": "cluster-tokenisgone"})
    refused("IncorrectTrustAnchorException", create, CustomKeyStoreName="no", **{**place, "TrustAnchorCertificate": wrong_anchor})
    refused("IncorrectTrustAnchorException", create, CustomKeyStoreName="no", **{**place, "TrustAnchorCertificate": "no PEM"})
    refused("ValidationException", create, CustomKeyStoreName="no", CloudHsmClusterId="cluster-vaultroomone")
    key_store = create(CustomKeyStoreName="vault", **place)["CustomKeyStoreId"]
    refuses_what_stores_are_not(key_store, place)
    refused("CustomKeyStoreNameInUseException", create, CustomKeyStoreName="vault", **{**place, "CloudHsmClusterId": "cluster-vaultroomtwo"})
    refused("CloudHsmClusterInUseException", create, CustomKeyStoreName="other", **place)
    found = store(CustomKeyStoreName="vault")
    assert found["ConnectionState"] == "DISCONNECTED" and found["CustomKeyStoreType"] == "AWS_CLOUDHSM", found
    assert found["CloudHsmClusterId"] == "cluster-vaultroomone" and found["TrustAnchorCertificate"] == anchor, found
    assert pin not in str(found)

    wanted = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": key_store}
    refused("CustomKeyStoreInvalidStateException", kms.create_key, **wanted)
    refused("CustomKeyStoreNotFoundException", kms.create_key, **{**wanted, "CustomKeyStoreId": "cks-0"})
    kms.connect_custom_key_store(CustomKeyStoreId=key_store)
    found = settled(key_store)
    assert (found["ConnectionState"], found["ConnectionErrorCode"]) == ("FAILED", "INVALID_CREDENTIALS"), found
    refused("CustomKeyStoreInvalidStateException", kms.connect_custom_key_store, CustomKeyStoreId=key_store)
    kms.disconnect_custom_key_store(CustomKeyStoreId=key_store)
    refused("CustomKeyStoreInvalidStateException", kms.disconnect_custom_key_store, CustomKeyStoreId=key_store)
    kms.update_custom_key_store(CustomKeyStoreId=key_store, KeyStorePassword=pin, NewCustomKeyStoreName="the vault")
    connect(key_store)
    refused("CustomKeyStoreInvalidStateException", kms.update_custom_key_store, CustomKeyStoreId=key_store, KeyStorePassword=pin)
    refused("CustomKeyStoreInvalidStateException", kms.delete_custom_key_store, CustomKeyStoreId=key_store)

    refused("UnsupportedOperationException", kms.create_key, **wanted, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    refused("UnsupportedOperationException", kms.create_key, **wanted, MultiRegion=True)
    metadata = kms.create_key(**wanted)["KeyMetadata"]
    key = metadata["KeyId"]
    assert metadata["Origin"] == "AWS_CLOUDHSM" and metadata["CustomKeyStoreId"] == key_store, metadata
    assert metadata["CloudHsmClusterId"] == "cluster-vaultroomone" and metadata["KeyState"] == "Enabled", metadata
    assert "CurrentKeyMaterialId" not in metadata
    blob, context, plaintext = works(key)
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=blob, EncryptionContext={"purpose": "other"})
    for place in (60, 80, len(blob) - 1):
        refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=flipped(blob, place), EncryptionContext=context)
    refuses_what_stores_do_not_do(key)
    assert len(kms.generate_random(NumberOfBytes=32, CustomKeyStoreId=key_store)["Plaintext"]) == 32

    refused("CustomKeyStoreHasCMKsException", kms.delete_custom_key_store, CustomKeyStoreId=key_store)
    kms.disconnect_custom_key_store(CustomKeyStoreId=key_store)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Unavailable"
    told = refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=context)
    assert told.endswith("is unavailable."), told
    refused("KMSInvalidStateException", kms.generate_data_key, KeyId=key, KeySpec="AES_256")
    kms.create_alias(AliasName="alias/in-the-vault", TargetKeyId=key)
    kms.update_key_description(KeyId=key, Description="still described")
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=kms.get_key_policy(KeyId=key)["Policy"])
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    connect(key_store)
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == plaintext
    notes.update(blob=blob.hex(), context=context, plaintext=plaintext.hex(), key=key, store=key_store)


def refuses_what_proxies_are_not(place, *false):
    """Beside a proxy that answers anything: whoever has the certificate may be one."""
    impostor = misbehaving_proxy.FalseProxy(*false)
    there = {**place, "XksProxyUriEndpoint": impostor.endpoint}
    impostor.answer = b"{}"
    refused("XksProxyInvalidResponseException", kms.create_custom_key_store, CustomKeyStoreName="false", **there)
    impostor.answer = misbehaving_proxy.HEALTHY
    own = {"CustomKeyStoreId": kms.create_custom_key_store(CustomKeyStoreName="false", **there)["CustomKeyStoreId"]}
    update = kms.update_custom_key_store
    for code, change in {
        "XksProxyUriInUseException": {"XksProxyUriEndpoint": place["XksProxyUriEndpoint"]},
        "XksProxyUriUnreachableException": {"XksProxyUriEndpoint": "https://127.0.0.1"},
        "XksProxyInvalidConfigurationException": {"XksProxyUriEndpoint": "https://169.254.169.254"},
        "XksProxyVpcEndpointServiceNotFoundException": {
            "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
            "XksProxyVpcEndpointServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"},
        "ValidationException": {"XksProxyVpcEndpointServiceOwner": "111122223333"},
    }.items():
        refused(code, update, **own, **change)
    refused("ValidationException", kms.create_custom_key_store, CustomKeyStoreName="owned",
            XksProxyVpcEndpointServiceOwner="111122223333", **place)
    impostor.answer = b"no JSON"
    refused("XksProxyInvalidResponseException", update, **own,
            XksProxyAuthenticationCredential=place["XksProxyAuthenticationCredential"])
    kms.delete_custom_key_store(**own)
    impostor.stop()


def place_of(credential_file):
    credential = json.load(open(credential_file))
    return {
        "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyUriEndpoint": "https://localhost",
        "XksProxyUriPath": credential["XksProxyUriPath"],
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyAuthenticationCredential": credential["XksProxyAuthenticationCredential"],
    }


def ready(credential_file, key_file):
    """A store that is connected, and a key in it. Writes down which."""
    key_store = kms.create_custom_key_store(CustomKeyStoreName="outside", **place_of(credential_file))["CustomKeyStoreId"]
    connect(key_store)
    wanted = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": key_store, "XksKeyId": "key-1"}
    notes.update(store=key_store, key=kms.create_key(**wanted)["KeyMetadata"]["KeyId"])
    with open(key_file, "w") as out:
        out.write(notes["key"])


def still_connected():
    found = store(CustomKeyStoreId=notes["store"])
    assert found["ConnectionState"] == "CONNECTED", found


def proxy(credential_file, wrong_prefix, pid, *false):
    place = place_of(credential_file)
    create = kms.create_custom_key_store
    wrong = {**place["XksProxyAuthenticationCredential"], "RawSecretAccessKey": "A" * 43}
    stranger = {**place["XksProxyAuthenticationCredential"], "AccessKeyId": "A" * 20}
    told = refused("XksProxyInvalidConfigurationException", create, CustomKeyStoreName="no",
                   **{**place, "XksProxyUriEndpoint": "https://169.254.169.254"})
    assert "operator has not allowed" in told, told
    for other in (wrong, stranger):
        refused("XksProxyIncorrectAuthenticationCredentialException", create, CustomKeyStoreName="no",
                **{**place, "XksProxyAuthenticationCredential": other})
    refused("XksProxyInvalidConfigurationException", create, CustomKeyStoreName="no", **{**place, "XksProxyUriPath": wrong_prefix})
    refused("XksProxyUriUnreachableException", create, CustomKeyStoreName="no", **{**place, "XksProxyUriEndpoint": "https://127.0.0.1"})
    refused("XksProxyVpcEndpointServiceNotFoundException", create, CustomKeyStoreName="no", **{
        **place, "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
        "XksProxyVpcEndpointServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"})
    key_store = create(CustomKeyStoreName="outside", **place)["CustomKeyStoreId"]
    refused("XksProxyUriInUseException", create, CustomKeyStoreName="again", **place)
    refuses_what_proxies_are_not(place, *false)
    found = store(CustomKeyStoreId=key_store)
    assert wrong["AccessKeyId"] == found["XksProxyConfiguration"]["AccessKeyId"], found
    assert place["XksProxyAuthenticationCredential"]["RawSecretAccessKey"] not in str(found)
    connect(key_store)

    wanted = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": key_store}
    refused("ValidationException", kms.create_key, **wanted)
    refused("XksKeyNotFoundException", kms.create_key, **wanted, XksKeyId="no-such-key")
    refused("XksKeyInvalidConfigurationException", kms.create_key, **wanted, XksKeyId="short-key")
    metadata = kms.create_key(**wanted, XksKeyId="key-1")["KeyMetadata"]
    key = metadata["KeyId"]
    assert metadata["XksKeyConfiguration"] == {"Id": "key-1"} and metadata["Origin"] == "EXTERNAL_KEY_STORE", metadata
    refused("XksKeyAlreadyInUseException", kms.create_key, **wanted, XksKeyId="key-1")
    blob, context, plaintext = works(key)
    refuses_what_stores_do_not_do(key)
    told = refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=flipped(blob, len(blob) - 1), EncryptionContext=context)
    assert "corrupted, missing, or otherwise invalid" in told, told
    refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=blob, EncryptionContext={})

    kms.update_custom_key_store(CustomKeyStoreId=key_store, NewCustomKeyStoreName="elsewhere")
    refused("XksProxyIncorrectAuthenticationCredentialException", kms.update_custom_key_store,
            CustomKeyStoreId=key_store, XksProxyAuthenticationCredential=wrong)
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == plaintext, "the old one is kept"

    os.kill(int(pid), signal.SIGSTOP)
    try:
        started = time.monotonic()
        told = refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=blob, EncryptionContext=context)
        took = time.monotonic() - started
        assert "did not respond in time" in told and took < 2, (told, took)
        # Nobody else waits with it.
        started = time.monotonic()
        kms.generate_random(NumberOfBytes=1)
        assert time.monotonic() - started < 1
    finally:
        os.kill(int(pid), signal.SIGCONT)
    notes.update(blob=blob.hex(), context=context, plaintext=plaintext.hex(), key=key, store=key_store)


def down():
    told = refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=bytes.fromhex(notes["blob"]), EncryptionContext=notes["context"])
    assert "cannot communicate" in told or "did not respond" in told, told
    assert kms.describe_key(KeyId=notes["key"])["KeyMetadata"]["KeyState"] == "Enabled"
    kms.disconnect_custom_key_store(CustomKeyStoreId=notes["store"])
    kms.connect_custom_key_store(CustomKeyStoreId=notes["store"])
    found = settled(notes["store"])
    assert (found["ConnectionState"], found["ConnectionErrorCode"]) == ("FAILED", "XKS_PROXY_NOT_REACHABLE"), found
    kms.disconnect_custom_key_store(CustomKeyStoreId=notes["store"])


def back(reconnect, *answered):
    for pair in answered:
        plaintext, blob = pair.split()
        assert kms.decrypt(CiphertextBlob=bytes.fromhex(blob))["Plaintext"].hex() == plaintext, "what was answered lasts"
    if reconnect == "reconnect":
        connect(notes["store"])
    opened = kms.decrypt(CiphertextBlob=bytes.fromhex(notes["blob"]), EncryptionContext=notes["context"])
    assert opened["Plaintext"].hex() == notes["plaintext"] and notes["key"] in opened["KeyId"]
    works(notes["key"])


def load(seconds):
    """Uses the key until it is stopped; what was answered is written down first."""
    while True:
        plaintext = os.urandom(16)
        blob = kms.encrypt(KeyId=notes["key"], Plaintext=plaintext)["CiphertextBlob"]
        print(plaintext.hex(), blob.hex(), flush=True)


def documented(unseen, kind):
    """Every documented error of these operations that is one of tokens, or one of proxies, was met or is listed."""
    unseen = Unseen(unseen)
    of_kind = lambda code: code.startswith("Xks") == (kind == "proxy")
    unseen.entries = [entry for entry in unseen.entries if of_kind(entry[2])]
    for operation in OPERATIONS:
        errors = errors_of(kms.meta.service_model.operation_model(operation))
        errors = {code for code in errors if of_kind(code)}
        if operation in ("CreateKey", "GenerateRandom"):
            errors = {code for code in errors if code.startswith(("CloudHsm", "CustomKeyStore", "Xks"))}
        unseen.compare("error", operation, errors, errors & set(notes["errors"].get(operation, ())))
    unseen.conclude()


OPERATIONS = [name for name in kms.meta.service_model.operation_names if "CustomKeyStore" in name]
OPERATIONS += ["CreateKey", "GenerateRandom"]

globals()[phase](*arguments)
errors = notes.setdefault("errors", {})
for operation, codes in seen.errors.items():
    errors[operation] = sorted(codes | set(errors.get(operation, ())))
with open(notes_file, "w") as out:
    json.dump(notes, out)
print("as it should be")

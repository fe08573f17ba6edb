"""Prints requests exactly as botocore puts them on the wire, one JSON object a line.

A listener on loopback records what they send: boto3 clients for whole operations, and botocore's signers with
its HTTP session for paths, queries and headers that no operation makes.
"""

import base64
import json
import socket
import threading

import boto3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

REGION = "eu-central-1"
PLAIN = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
SESSION = Credentials("ASIAIOSFODNN7EXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY", "FwoGZXIvYXdzE+/=+token==")
KEY = "a b//c/../d+e~f*g%2Fh/ü?"


class Recorder:
    """Answers every request with an empty 200 and keeps its bytes."""

    def __init__(self):
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rwb") as stream:
            while line := stream.readline():
                head = [line]
                while (line := stream.readline()) not in (b"\r\n", b""):
                    head.append(line)
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head[1:])}
                if b"expect" in fields:
                    stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    stream.flush()
                body = stream.read(int(fields.get(b"content-length", 0)))
                if fields.get(b"transfer-encoding") == b"chunked":
                    while size := int(stream.readline(), 16):
                        body += stream.read(size)
                        stream.readline()
                    while stream.readline() != b"\r\n":
                        pass
                self.requests.append((b"".join(head), body))
                stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                stream.flush()


RECORDER = Recorder()


def report(name, credentials, send):
    """Sends, and prints what came over the wire."""
    before = len(RECORDER.requests)
    try:
        send()
    except Exception:  # The empty answer is not what every operation expects.
        if len(RECORDER.requests) == before:
            raise
    head, body = RECORDER.requests[before]
    print(
        json.dumps(
            {
                "name": name,
                "access_key_id": credentials.access_key,
                "secret_access_key": credentials.secret_key,
                "session_token": credentials.token,
                "head": base64.b64encode(head).decode(),
                "body": base64.b64encode(body).decode(),
            }
        )
    )


def client(service, credentials):
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=RECORDER.url,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def operations():
    for label, credentials in (("plain", PLAIN), ("session", SESSION)):
        kms, iam, sts, s3 = (client(service, credentials) for service in ("kms", "iam", "sts", "s3"))
        document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
        for name, send in (
            ("kms encrypt", lambda: kms.encrypt(KeyId="alias/first-cmk", Plaintext=b"\x00\xff" * 99)),
            ("kms decrypt", lambda: kms.decrypt(CiphertextBlob=b"\x01", EncryptionContext={"ü": "a b"})),
            ("iam policy", lambda: iam.create_policy(PolicyName="p+=,.@-_", PolicyDocument=document)),
            ("iam unicode", lambda: iam.create_user(UserName="u", Tags=[{"Key": "größe", "Value": "a b+c~*%2F&="}])),
            ("sts identity", lambda: sts.get_caller_identity()),
            ("s3 put", lambda: s3.put_object(Bucket="b", Key=KEY, Body=b"body", Metadata={"m": "a   b"})),
            ("s3 list", lambda: s3.list_objects_v2(Bucket="b", Prefix="a b+c*~/ü&=", Delimiter="", StartAfter="%2F")),
            ("s3 get", lambda: s3.get_object(Bucket="b", Key="./x//y/.", VersionId="null")),
            ("s3 delete", lambda: s3.delete_objects(Bucket="b", Delete={"Objects": [{"Key": "ü"}]})),
        ):
            report(f"{name}, {label}", credentials, send)
        for name, client_of, operation, parameters in (
            ("s3 get presigned", s3, "get_object", {"Bucket": "b", "Key": KEY}),
            ("s3 put presigned", s3, "put_object", {"Bucket": "b", "Key": "k", "ContentType": "text/plain; a=b"}),
            ("sts identity presigned", sts, "get_caller_identity", {}),
            ("iam list presigned", iam, "list_users", {"PathPrefix": "/a b+c/ü/*~%2F", "MaxItems": 5}),
        ):
            method = "GET" if client_of is not s3 or "get" in operation else "PUT"
            url = client_of.generate_presigned_url(operation, parameters, ExpiresIn=604800, HttpMethod=method)
            fields = {"Content-Type": parameters["ContentType"]} if "ContentType" in parameters else {}
            request = AWSRequest(method=method, url=url, headers=fields)
            report(f"{name}, {label}", credentials, lambda: URLLib3Session().send(request.prepare()))


PATHS = (
    "/",
    "//",
    "/a//b/",
    "/a/./b/../c",
    "/a/..",
    "/%2F/%2E%2E/",
    "/a%20b+c~d*e'f(g)",
    "/%C3%BC/%E1%88%B4",
    "/a:b@c,d=e$f!",
    "/%25",
)

QUERIES = (
    "",
    "a=1&b=2",
    "b=2&a=1&B=3&A=4",
    "a=2&a=1&a=&a",
    "empty=&none",
    "a-b=1&a=2&a.b=3",
    "x=%2F%20%2B~%2A&y=~-._",
    "%C3%BC=%E1%88%B4&z=%25",
)

PARAMETERS = ({"a": "b c+d~e*f/g", "ü": "ሴ", "empty": "", "A": "a=b&c"}, {"a-b": "1", "a": "2"})

HEADERS = (
    {},
    {"X-Spaces": "  a   b  c  ", "X-Empty": "", "X-Tab": "a\t\tb"},
    {"X-Quoted": '"a   b"', "x-lower": "v", "X-UPPER": "V", "X-Amz-Meta-M": "1, 2 ,3"},
    {"X-Latin": "größe", "Content-Type": "text/plain; charset=utf-8", "User-Agent": "unsigned"},
    {"Date": "Thu, 01 Jan 2015 00:00:00 GMT"},
)


def hand_signed():
    # Only canonical escapes: botocore signs a URL as it stands, services canonicalise it, and urllib3 rewrites some.
    cases = [("GET", path, query, {}, {}, b"") for path in PATHS for query in QUERIES[:2]]
    cases += [("POST", "/", query, {}, {}, b"a=b") for query in QUERIES]
    cases += [("PUT", "/p", "", parameters, {}, b"\x00") for parameters in PARAMETERS]
    cases += [("POST", "/h", "q=r", {}, fields, "ü".encode()) for fields in HEADERS]
    signers = (
        (SigV4Auth, "execute-api"),
        (S3SigV4Auth, "s3"),
        (SigV4QueryAuth, "execute-api"),
        (S3SigV4QueryAuth, "s3"),
    )
    for signer, service in signers:
        for credentials in (PLAIN, SESSION):
            for method, path, query, parameters, fields, body in cases:
                if issubclass(signer, SigV4QueryAuth):
                    body = b""  # botocore would move it into the query.
                url = RECORDER.url + path + ("?" + query if query else "")
                request = AWSRequest(method=method, url=url, params=dict(parameters), headers=dict(fields), data=body)
                if signer is S3SigV4Auth:
                    # Both with the hash of the body and without it.
                    request.context["payload_signing_enabled"] = len(body) != 1
                signer(credentials, service, REGION).add_auth(request)
                report(
                    f"{signer.__name__} {method} {path}?{query} {parameters} {fields}",
                    credentials,
                    lambda: URLLib3Session().send(request.prepare()),
                )


operations()
hand_signed()

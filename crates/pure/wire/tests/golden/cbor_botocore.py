"""Writes what botocore serialises in rpc-v2-cbor, and what it reads from our answers, as JSON: cbor_botocore.json.

    python cbor_botocore.py > cbor_botocore.json
"""
import datetime
import json

import botocore
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

SHAPES = {
    "Input": {"type": "structure", "members": {
        "Name": {"shape": "String"}, "Count": {"shape": "Integer"}, "Long": {"shape": "Long"},
        "Flag": {"shape": "Boolean"}, "Data": {"shape": "Blob"}, "At": {"shape": "Timestamp"},
        "Status": {"shape": "String"}, "Tags": {"shape": "Tags"}, "Names": {"shape": "Names"},
        "Context": {"shape": "Context"}, "Owner": {"shape": "Tag"}}},
    "Tag": {"type": "structure", "members": {"Key": {"shape": "String"}, "Value": {"shape": "String"}}},
    "Tags": {"type": "list", "member": {"shape": "Tag"}},
    "Names": {"type": "list", "member": {"shape": "String"}},
    "Context": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "String"}},
    "String": {"type": "string"}, "Integer": {"type": "integer"}, "Long": {"type": "long"},
    "Boolean": {"type": "boolean"}, "Blob": {"type": "blob"}, "Timestamp": {"type": "timestamp"},
    "Refused": {"type": "structure", "members": {"message": {"shape": "String"}}, "error": {"code": "Refused"},
                "exception": True},
}
OPERATION = {"name": "Op", "http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Input"},
             "output": {"shape": "Input"}, "errors": [{"shape": "Refused"}]}
SERVICE = ServiceModel({"metadata": {"apiVersion": "2020-01-01", "protocol": "smithy-rpc-v2-cbor",
                                     "protocols": ["smithy-rpc-v2-cbor"], "targetPrefix": "Golden",
                                     "serviceId": "Golden", "endpointPrefix": "golden"},
                        "operations": {"Op": OPERATION}, "shapes": SHAPES}, "golden")
MODEL = OperationModel(OPERATION, SERVICE, "Op")

TIME = datetime.datetime(2025, 11, 23, 14, 36, 58, 123000, tzinfo=datetime.timezone.utc)
INPUTS = {
    "nothing": {},
    "everything": {
        "Name": "kü\U0001f511", "Count": -5, "Long": 5000000000, "Flag": True, "Data": b"\0\1\xff", "At": TIME,
        "Status": "Active", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}], "Names": ["x", ""],
        "Context": {"b": "2", "a": "1"}, "Owner": {"Key": "o"}},
    "extremes": {"Count": 2147483647, "Long": -9223372036854775808, "Flag": False, "Data": b"", "Names": [],
                 "Context": {}, "Tags": [], "Owner": {}, "Name": "a" * 300,
                 "At": TIME.replace(microsecond=0)},
}

# What Rust writes: tests/cbor.rs holds it to these bytes.
ANSWERS = {
    "everything": (200, "bf644e616d65676bc3bcf09f949165436f756e7424644c6f6e671b000000012a05f20064466c6167f56444617461"
                        "430001ff624174c1fb41da48c70287df3b66537461747573664163746976656454616773"
                        "81bf634b657961616556616c75656131ff654e616d65738261786067436f6e74657874a2616161316162613265"
                        "4f776e6572bf634b6579616fffff"),
    "nothing": (200, "a0"),
    "refused": (400, "bf665f5f74797065736f72672e6578616d706c6523526566757365646"
                     "76d6573736167656463616e74ff"),
}


def shown(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {name: shown(inner) for name, inner in value.items() if name != "ResponseMetadata"}
    return [shown(inner) for inner in value] if isinstance(value, list) else value


def main():
    serializer = create_serializer("smithy-rpc-v2-cbor")
    parser = create_parser("smithy-rpc-v2-cbor")
    requests, answers = {}, {}
    for name, given in INPUTS.items():
        request = serializer.serialize_to_request(given, MODEL)
        requests[name] = {"path": request["url_path"], "headers": dict(request["headers"]),
                          "body": request["body"].hex()}
    for name, (status, body) in ANSWERS.items():
        response = {"status_code": status, "body": bytes.fromhex(body),
                    "headers": {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}}
        answers[name] = {"body": body, "read": shown(parser.parse(response, MODEL.output_shape))}
    print(json.dumps({"botocore": botocore.__version__, "requests": requests, "answers": answers}, indent=1,
                     sort_keys=True))


main()

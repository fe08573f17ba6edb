"""Prints the input members of every operation of a service, as the installed botocore knows them, as JSON.

Usage: botocore_model.py SERVICE. {"Operation": {"Member": required}}
"""

import json
import sys

import botocore.session


def main():
    model = botocore.session.get_session().get_service_model(sys.argv[1])
    operations = {}
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        members = shape.members if shape else {}
        required = shape.required_members if shape else []
        operations[name] = {member: member in required for member in members}
    json.dump(operations, sys.stdout)


if __name__ == "__main__":
    main()

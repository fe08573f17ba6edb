"""What the installed botocore documents of a service's operations, beside what clients have seen of them."""

import fnmatch
import json


class Seen:
    """The errors and the members of answers that the watched clients have met, by operation."""

    def __init__(self):
        self.errors = {}
        self.members = {}
        self.messages = set()

    def watch(self, client):
        client.meta.events.register(f"after-call.{client.meta.service_model.service_name}", self._note)

    def _note(self, http_response, parsed, model, **_):
        if http_response.status_code == 200:
            if http_response.content:
                found = paths_of(json.loads(http_response.content), model.output_shape)
                self.members.setdefault(model.name, set()).update(found)
        else:
            error = parsed["Error"]
            self.errors.setdefault(model.name, set()).add(error["Code"])
            self.messages.add((error["Code"], error["Message"]))


def paths_of(value, shape, path=""):
    """The paths of the members in an answer. One that is not documented ends in `?`."""
    if shape is not None and shape.type_name == "list":
        for item in value:
            yield from paths_of(item, shape.member, path)
    elif shape is not None and shape.type_name == "structure":
        for name, inner in value.items():
            own = f"{path}.{name}".lstrip(".")
            yield own if name in shape.members else own + "?"
            yield from paths_of(inner, shape.members.get(name), own)


def documented_paths(shape, path=""):
    if shape is None:
        return
    if shape.type_name == "list":
        yield from documented_paths(shape.member, path)
    elif shape.type_name == "structure":
        for name, inner in shape.members.items():
            own = f"{path}.{name}".lstrip(".")
            yield own
            yield from documented_paths(inner, own)


def errors_of(model):
    """The documented errors of an operation."""
    return {shape.name for shape in model.error_shapes}


class Unseen:
    """What is documented and does not occur, with the reason: the lines `error|member OPERATIONS NAME: reason` of a file."""

    def __init__(self, path):
        self.entries = []
        self.used = set()
        self.problems = []
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if line.strip() and not line.startswith("#"):
                    subject, reason = line.rstrip("\n").split(": ", 1)
                    what, operations, name = subject.split()
                    assert what in ("error", "member") and reason, line
                    self.entries.append((what, tuple(operations.split(",")), name))

    def lists(self, what, operation, name):
        return [entry for entry in self.entries if matches(entry, what, operation, name)]

    def compare(self, what, operation, documented, seen):
        """Everything documented is seen or listed, nothing is both, and nothing else is seen."""
        for name in sorted(documented | seen):
            listed = self.lists(what, operation, name)
            if name in seen and listed:
                self.problems.append(f"{what} {operation} {name} is listed as unseen, and was seen")
            if name not in seen:
                self.used.update(listed)
                if not listed:
                    self.problems.append(f"{what} {operation} {name} is documented, and was not seen")

    def conclude(self):
        """Fails with all that was found wrong, entries included that list nothing."""
        self.problems += [f"{entry} lists nothing that is unseen" for entry in self.entries if entry not in self.used]
        if self.problems:
            raise SystemExit("\n".join(self.problems))


def matches(entry, what, operation, name):
    kind, operations, pattern = entry
    return (
        kind == what
        and any(fnmatch.fnmatchcase(operation, own) for own in operations)
        and fnmatch.fnmatchcase(name, pattern)
    )

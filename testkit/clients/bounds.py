"""Values just beyond the bounds that botocore documents of a shape."""

import re

# The longest text or blob that is made.
MOST = 140_000


def sample(shape):
    """A value of a shape, as small as it can be."""
    if shape.type_name == "structure":
        return {name: sample(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "string":
        return (shape.enum or ["a" * max(shape.metadata.get("min", 0), 1)])[0]
    return {"list": [], "map": {}, "boolean": False, "blob": b"a"}.get(shape.type_name, 1)


def beyond(shape):
    """Values just beyond what a shape's bounds allow, inside lists and structures too."""
    bounds, kind = shape.metadata, shape.type_name
    if kind in ("string", "blob") and not shape.metadata.get("enum"):
        fill = "a" if kind == "string" else b"a"
        # What is longer than that is too much for a request altogether.
        if bounds.get("max", MOST) < MOST:
            yield fill * (bounds["max"] + 1)
        if bounds.get("min", 0) > 0:
            yield fill * (bounds["min"] - 1)
        # A letter that no pattern of KMS takes.
        stranger = "\u0416" * max(bounds.get("min", 0), 1)
        if "pattern" in bounds and not re.fullmatch(bounds["pattern"], stranger):
            yield stranger
    elif kind == "string":
        yield "NOT_ONE_OF_THEM"
    elif kind == "integer":
        yield from (bounds[side] + step for side, step in (("max", 1), ("min", -1)) if side in bounds)
    elif kind == "list":
        if "max" in bounds:
            yield [sample(shape.member)] * (bounds["max"] + 1)
        for value in beyond(shape.member):
            yield [value]
    elif kind == "structure":
        for name, member in shape.members.items():
            for value in beyond(member):
                yield {**sample(shape), name: value}
        for name in shape.required_members:
            yield {other: value for other, value in sample(shape).items() if other != name}

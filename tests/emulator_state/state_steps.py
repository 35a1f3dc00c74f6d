"""Steps that all parts of the tour share: upload, paginate, ask for every kind of page, create and delete."""

from __future__ import annotations

from typing import Any

from state_talk import Talk

MODEL = "gpt-4o"
FUNCTIONS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Gives the {name}.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for name in ("weather", "population")
]


def uploaded(
    talk: Talk, name: str = "notes.txt", data: bytes = b"line one\nline two\n", purpose: str = "assistants"
) -> str:
    return talk.ok("files.upload", form={"purpose": purpose, "file": (name, data)})["id"]


def walked(talk: Talk, operation: str, *ids: str, limit: int = 2, **query: Any) -> list[str]:
    """The ids of a walk by ``after`` (at most 12 pages), and the same list from its far end by ``before``."""
    found: list[str] = []
    after: dict[str, Any] = {}
    for _ in range(12):
        page = talk.ok(operation, *ids, query={"limit": limit, **query, **after})
        found += [one["id"] for one in page["data"]]
        if not page["has_more"] or not page["data"]:
            break
        after = {"after": page["data"][-1]["id"]}
    return found


def paged(talk: Talk, operation: str, *ids: str) -> None:
    """All the ways to ask for a page that the operation documents."""
    known = {p.name for p in talk_operation(talk, operation).parameters}
    found = walked(talk, operation, *ids)
    talk.ok(operation, *ids)
    if "order" in known:
        walked(talk, operation, *ids, order="asc")
        walked(talk, operation, *ids, order="desc")
    if found:
        talk.send(operation, *ids, query={"after": "no_such_object"})
        for name in ("after", "before"):
            if name in known:
                for one in found[:6]:
                    talk.ok(operation, *ids, query={name: one, "limit": 2})
    if {"after", "before"} <= known and len(found) > 3:
        talk.ok(operation, *ids, query={"after": found[0], "before": found[3]})
    talk.send(operation, *ids, query={"limit": 0})
    talk.send(operation, *ids, query={"limit": 101})


def talk_operation(talk: Talk, operation: str) -> Any:
    from conformance.spec.operations import operations_of

    return operations_of(talk.spec)[operation]


def lived(talk: Talk, prefix: str, *above: str, make: dict[str, Any], change: dict[str, Any] | None) -> None:
    """Create, get, list, modify, delete; and once more what is gone. Leaves nothing behind."""
    made = [talk.ok(f"{prefix}.create", *above, body=make)["id"] for _ in range(5)]
    for one in made[:2]:
        talk.ok(f"{prefix}.get", *above, one)
    paged(talk, f"{prefix}.list", *above)
    if change is not None and talk.has(f"{prefix}.modify"):
        talk.ok(f"{prefix}.modify", *above, made[0], body=change)
        talk.ok(f"{prefix}.get", *above, made[0])
        talk.ok(f"{prefix}.get", *above, made[1])
    if not talk.has(f"{prefix}.delete"):
        return
    before = talk.ok(f"{prefix}.list", *above, query={"limit": 2})["data"][-1]["id"]
    talk.ok(f"{prefix}.delete", *above, made[0])
    assert talk.status(f"{prefix}.get", *above, made[0]) == 404
    assert talk.status(f"{prefix}.delete", *above, made[0]) == 404
    talk.ok(f"{prefix}.list", *above, query={"after": before, "limit": 2})
    talk.ok(f"{prefix}.list", *above)
    for one in made[1:]:
        talk.send(f"{prefix}.delete", *above, one)

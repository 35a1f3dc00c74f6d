"""Reading and listing: every operation without a body."""

from __future__ import annotations

from collections.abc import Iterator

from ..drafts import Draft
from ..template_builders import Ground, template


@template("*")
def without_body(ground: Ground) -> Iterator[Draft]:
    """One request as it stands; lists also with a page size and both orders."""
    if ground.operation.body:
        return
    query = ground.root.properties.get("query")
    names = query.properties if query is not None else {}
    role = ground.operation.id.rsplit(".", 1)[-1]
    need = {"limit": 3} if query is not None and "limit" in query.required else {}
    yield ground.draft(role if role != "list" else "list.default", query=need)
    if "limit" in names:
        yield ground.draft("list.limit", query={"limit": 2})
    if "order" in names:
        yield ground.draft("list.order.asc", query={**need, "order": "asc"})
        yield ground.draft("list.order.desc", query={**need, "order": "desc"})
    if {"limit", "order"} <= set(names):
        yield ground.draft("list.limit.order", query={"limit": 2, "order": "asc"})

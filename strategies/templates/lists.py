"""Templates for all operations without a body: reading, listing, deleting."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.requests.ordering import order_words

from ..drafts import Draft
from ..template_builders import TemplateContext, template


@template("*")
def without_body(context: TemplateContext) -> Iterator[Draft]:
    """The plain request; for lists also a page size and both orders."""
    if context.operation.body:
        return
    query = context.root.properties.get("query")
    names = query.properties if query is not None else {}
    role = context.operation.id.rsplit(".", 1)[-1]
    # Some lists require the parameter, so no request may leave it out.
    need = {"limit": 3} if query is not None and "limit" in query.required else {}
    yield context.draft(role if role != "list" else "list.default", query=need)
    if "limit" in names:
        yield context.draft("list.limit", query={"limit": 2})
    oldest, newest = order_words(context.spec, context.operation)
    if "order" in names:
        yield context.draft("list.order.asc", query={**need, "order": oldest})
        yield context.draft("list.order.desc", query={**need, "order": newest})
    if {"limit", "order"} <= set(names):
        yield context.draft("list.limit.order", query={"limit": 2, "order": oldest})

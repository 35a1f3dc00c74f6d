"""Templates for assistants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..template_builders import TemplateContext, template
from ..vocabulary import SCRIPTS
from .chat import TOOL

INTERPRETER = {"type": "code_interpreter"}
SEARCH = {"type": "file_search"}
RETRIEVAL = {"type": "retrieval"}


def _forms(context: TemplateContext) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (last part of the role, body) for each kind of field that an assistant can have."""
    yield "named", {"name": "Conformance {run}", "description": "Made by a conformance run."}
    yield "instructions", {"instructions": "Answer in one short sentence."}
    yield "metadata", {"metadata": {"suite": "conformance", "run": "{run}"}}
    yield "scripts", {"name": "Grüße 你好 🚀", "instructions": SCRIPTS}
    yield "tools.code", {"tools": [INTERPRETER]}
    yield "tools.search", {"tools": [SEARCH]}
    yield "tools.retrieval", {"tools": [RETRIEVAL]}
    yield "tools.function", {"tools": [TOOL]}
    yield "tools.all", {"tools": [tool for tool in (INTERPRETER, SEARCH, TOOL) if context.takes("/tools/*", tool)]}
    yield "tools.none", {"tools": []}
    yield "sampling", {"temperature": 0.2, "top_p": 0.9}
    yield "format.auto", {"response_format": "auto"}
    yield "format.json", {"response_format": {"type": "json_object"}}
    yield "nulls", {"name": None, "description": None, "instructions": None}
    yield (
        "all",
        {
            "name": "Conformance {run}",
            "description": "Everything at once.",
            "instructions": "Answer in one short sentence.",
            "tools": [TOOL],
            "metadata": {"suite": "conformance"},
            "temperature": 0.5,
        },
    )


@template("assistants.create", "assistants.modify")
def assistants(context: TemplateContext) -> Iterator[Draft]:
    """An assistant with each kind of field; modifying one sends the same fields."""
    verb = context.operation.id.rsplit(".", 1)[-1]
    named = {"name": "Conformance {run}" if verb == "create" else "Conformance changed"}
    # The first one is what most other requests are made from: its name tells their objects from those of others.
    yield context.draft(f"assistants.{verb}", named)
    if verb == "create":
        yield context.draft(f"assistants.{verb}.bare", {})
    for role, body in _forms(context):
        yield context.draft(f"assistants.{verb}.{role}", {**(named if verb == "create" else {}), **body})

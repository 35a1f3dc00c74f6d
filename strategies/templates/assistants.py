"""Assistants: what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..template_builders import Ground, template
from ..vocabulary import SCRIPTS
from .chat import TOOL

INTERPRETER = {"type": "code_interpreter"}
SEARCH = {"type": "file_search"}
RETRIEVAL = {"type": "retrieval"}


def _forms(ground: Ground) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "named", {"name": "Conformance {run}", "description": "Made by a conformance run."}
    yield "instructions", {"instructions": "Answer in one short sentence."}
    yield "metadata", {"metadata": {"suite": "conformance", "run": "{run}"}}
    yield "scripts", {"name": "Grüße 你好 🚀", "instructions": SCRIPTS}
    yield "tools.code", {"tools": [INTERPRETER]}
    yield "tools.search", {"tools": [SEARCH]}
    yield "tools.retrieval", {"tools": [RETRIEVAL]}
    yield "tools.function", {"tools": [TOOL]}
    yield "tools.all", {"tools": [tool for tool in (INTERPRETER, SEARCH, TOOL) if ground.takes("/tools/*", tool)]}
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
def assistants(ground: Ground) -> Iterator[Draft]:
    """Every form of an assistant; a change sends the same fields."""
    verb = ground.operation.id.rsplit(".", 1)[-1]
    yield ground.draft(f"assistants.{verb}", {} if verb == "create" else {"name": "Conformance changed"})
    for role, body in _forms(ground):
        yield ground.draft(f"assistants.{verb}.{role}", body)

"""Templates for conversations and their items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..sample_files import PNG_URL
from ..template_builders import TemplateContext, template
from ..vocabulary import SCRIPTS
from .responses import CALL, RESULT


def _message(content: Any, role: str = "user") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": content}


HELLO = _message("Say hello in one word.")
NOTED = _message([{"type": "output_text", "text": "Noted.", "annotations": []}], "assistant")


@template("conversations.create")
def conversations(context: TemplateContext) -> Iterator[Draft]:
    """A conversation, empty or with items."""
    yield context.draft("conversations.create", {})
    yield context.draft("conversations.create.metadata", {"metadata": {"suite": "conformance", "run": "{run}"}})
    yield context.draft("conversations.create.items", {"items": [HELLO, NOTED, HELLO]})
    yield context.draft("conversations.create.calls", {"items": [HELLO, CALL, RESULT]})


@template("conversations.modify")
def changes(context: TemplateContext) -> Iterator[Draft]:
    """Replace the metadata, also by nothing and by other scripts."""
    yield context.draft("conversations.modify", {"metadata": {"suite": "conformance", "state": "changed"}})
    yield context.draft("conversations.modify.empty", {"metadata": {}})
    yield context.draft("conversations.modify.scripts", {"metadata": {"Grüße": SCRIPTS}})


@template("conversations.items.create")
def items(context: TemplateContext) -> Iterator[Draft]:
    """Items of each kind that a client makes itself."""
    yield context.draft("conversations.items", {"items": [HELLO]})
    yield context.draft("conversations.items.turns", {"items": [HELLO, NOTED, HELLO]})
    yield context.draft("conversations.items.scripts", {"items": [_message(SCRIPTS)]})
    yield context.draft("conversations.items.parts", {"items": [_message([{"type": "input_text", "text": "Hello."}])]})
    yield context.draft("conversations.items.developer", {"items": [_message("Answer briefly.", "developer")]})
    picture = {"type": "input_image", "image_url": PNG_URL, "detail": "low"}
    yield context.draft("conversations.items.picture", {"items": [_message([picture])]})
    yield context.draft("conversations.items.calls", {"items": [CALL, RESULT]})

"""Templates for images: generated ones and edited ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..template_builders import TemplateContext, template

PROMPT = "A lighthouse at dusk, watercolour"


@template("images.generations.create")
def made(context: TemplateContext) -> Iterator[Draft]:
    """Generate an image from a prompt."""

    def draw(role: str, **fields: Any) -> Draft:
        return context.draft(role, {"prompt": PROMPT, **fields})

    yield draw("images")
    yield draw("images.one", n=1)
    yield draw("images.b64", response_format="b64_json")
    # Not the default size, so that a picture of another size is noticed.
    yield draw("images.b64.size", response_format="b64_json", size="1792x1024")
    yield draw("images.url", response_format="url")
    yield draw("images.style", style="natural", quality="standard", size="1024x1024")
    yield draw("images.scripts", prompt="Ein Leuchtturm 灯台 🗼")
    yield draw("images.n", n=2)
    yield draw("images.format", output_format="jpeg", output_compression=50)
    yield draw("images.background", background="transparent", output_format="png")


@template("images.edits.create")
def edited(context: TemplateContext) -> Iterator[Draft]:
    """Edit an uploaded image."""

    def edit(role: str, **fields: Any) -> Draft:
        return context.draft(role, {"image": "file:png", "prompt": "Add a boat.", **fields})

    yield edit("images.edit")
    yield edit("images.edit.mask", mask="file:mask")
    yield edit("images.edit.two", image=["file:png", "file:mask"])
    yield edit("images.edit.jpeg", image="file:jpeg")
    yield edit("images.edit.n", n=2)

"""Templates for embeddings: the forms of the input and of the vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..template_builders import TemplateContext, template
from ..vocabulary import SCRIPTS

TEXT = "The food was delicious and the waiter was friendly."


@template("embeddings.create")
def embeddings(context: TemplateContext) -> Iterator[Draft]:
    """Text in, vectors out."""

    def embed(role: str, value: Any = TEXT, either: str = "", **fields: Any) -> Draft:
        return context.draft(role, {"input": value, **fields}, either=either)

    yield embed("embeddings")
    yield embed("embeddings.single", [TEXT])
    yield embed("embeddings.batch", ["alpha", "beta", "gamma", "alpha"])
    yield embed("embeddings.batch.larger", [f"Sentence number {number}." for number in range(1, 17)])
    yield embed("embeddings.text.scripts", SCRIPTS)
    yield embed("embeddings.text.lines", "one\ntwo\r\n\tthree")
    yield embed("embeddings.tokens", [1820, 3691, 574])
    yield embed("embeddings.token-lists", [[1820, 3691], [574]])
    yield embed("embeddings.float", encoding_format="float")
    yield embed("embeddings.base64", encoding_format="base64")
    yield embed("embeddings.base64.batch", ["alpha", "beta"], encoding_format="base64")
    yield embed("embeddings.dimensions", dimensions=256)
    yield embed("embeddings.dimensions.base64", dimensions=256, encoding_format="base64")
    yield embed("embeddings.user", user="conformance-user")

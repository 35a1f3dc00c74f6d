"""Whose model answered: the service hosts models of other makers, whose streams differ from what its document says."""

from __future__ import annotations

import re

from conformance.streams.chunks import content_chunks
from conformance.streams.reading import Reading

__all__ = ["of_another_maker"]

#: The beginnings of names of other makers' models that the service's catalogue lists.
_NAMES = re.compile(
    r"(?:[\w.-]+/)?(?:deepseek|mai-ds|llama|meta-llama|mistral|ministral|codestral|phi-|grok|cohere|command-|jais|qwen|kimi"
    r"|claude|gemma|jamba|ai21)",
    re.IGNORECASE,
)


def of_another_maker(reading: Reading) -> bool:
    """Return True if the chunks of a stream name a model of another maker."""
    return any(_NAMES.match(str(chunk.get("model"))) for _, chunk in content_chunks(reading))

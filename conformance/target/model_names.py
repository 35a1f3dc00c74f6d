"""What a model is able to do, as far as its name tells. Used only where the target's answers leave it open."""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["guessed"]

#: Words in the names of published models, with the capability that such a model has. The first that fits counts.
_WORDS = (
    (r"embed", "embeddings"),
    (r"whisper|transcribe", "transcription"),
    (r"tts", "speech"),
    (r"dall-?e|image", "images"),
    (r"sora", "video"),
    (r"realtime", "realtime"),
    (r"instruct|davinci|babbage", "completions"),
    (r"", "chat"),
)


def guessed(name: str, able: Collection[str]) -> tuple[str, ...]:
    """The capability of a deployment by its name, if it is one of ``able``; else all of these, because the name says
    nothing.
    """
    word = next(word for pattern, word in _WORDS if re.search(pattern, name, re.IGNORECASE))
    return (word,) if word in able else tuple(able)

"""The settings of an emulator: its key, its deployments, its pace, and faults that it shows on demand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property

from attrs import asdict, evolve, field, frozen

__all__ = ["DEFAULT_DEPLOYMENTS", "SETTINGS_VARIABLE", "Deployment", "Settings", "StreamFaults"]

#: The environment variable with the settings of an emulator in a process of its own, as JSON. The key is among them, so
#: they are not on the command line, which other users can read.
SETTINGS_VARIABLE = "AOAI_EMULATOR_SETTINGS"


@frozen
class Deployment:
    """A deployed model. ``abilities`` are the words that handlers ask for: ``chat``, ``embeddings``, ``reasoning`` …"""

    name: str
    model: str
    abilities: frozenset[str] = frozenset()


def _deployed(name: str, *abilities: str, model: str = "") -> Deployment:
    """A deployment; the model is named like the deployment unless given."""
    return Deployment(name, model or name, frozenset(abilities))


#: What chat models take, and what image models take.
_CHAT = (
    "chat",
    "tools",
    "vision",
    "file-input",
    "logprobs",
    "stop",
    "n",
    "json-mode",
    "json-schema",
    "prediction",
    "chat-audio",
)
_HOSTED = ("web-search", "file-search", "code-interpreter", "image-generation", "mcp", "computer-use", "local-shell")
_IMAGES = (
    "images",
    "images-n",
    "images-size",
    "images-quality",
    "images-style",
    "images-format",
    "images-response-format",
)

#: One deployment for each capability, and for all that requests of the corpus need together. A target without
#: ``[target.deployments]`` is taken to have these.
DEFAULT_DEPLOYMENTS: tuple[Deployment, ...] = (
    _deployed("gpt-4o", *_CHAT, *_HOSTED, "assistants", "responses", "batch", model="gpt-4o-2024-08-06"),
    _deployed("gpt-4o-mini", "fine-tuning", model="gpt-4o-mini-2024-07-18"),
    _deployed("o1", *_CHAT, *_HOSTED, "reasoning", "assistants", "responses", model="o1-2024-12-17"),
    _deployed("gpt-35-turbo-instruct", "completions", "n", "stop"),
    _deployed("text-embedding-3-small", "embeddings", "dimensions"),
    _deployed("text-embedding-3-large", "embeddings", "dimensions"),
    _deployed("text-embedding-ada-002", "embeddings"),
    _deployed("whisper", "transcription", "transcription-formats", "translation"),
    _deployed("gpt-4o-transcribe", "transcription", "transcription-formats", "transcription-stream", "logprobs"),
    _deployed("tts", "speech", model="tts-1"),
    _deployed("gpt-4o-mini-tts", "speech", "speech-stream"),
    _deployed("dall-e-3", *_IMAGES),
    _deployed("gpt-image-1", *_IMAGES, "image-edits"),
    _deployed("sora", "video"),
    _deployed("gpt-realtime", "realtime"),
)


@frozen
class StreamFaults:
    """What is wrong or unusual about streams. Everything is off by default.

    ``cut``: the connection drops after this many events. ``stall``: this many seconds of silence after the first event.
    ``drip``: one byte per chunk. ``split``: chunks end inside a code point. ``crlf``, ``comments`` and ``heartbeats``
    are legal variants of the framing (WHATWG event stream).
    """

    cut: int | None = None
    stall: float = 0.0
    drip: bool = False
    split: bool = False
    crlf: bool = False
    comments: bool = False
    heartbeats: bool = False


@frozen(slots=False)
class Settings:
    """Everything that can be set on an emulator.

    ``latency`` (before the answer) and ``interval`` (between events) are seconds; limits are bytes.
    ``filter_first_chunk``, ``asynchronous_filter`` and ``grouped_chunks`` select the variants of content filtering that
    the service has.
    """

    key: str = field(default="emulator-key", repr=False)
    tokens: tuple[str, ...] = field(default=(), repr=False)
    deployments: tuple[Deployment, ...] = DEFAULT_DEPLOYMENTS
    region: str = "Sweden Central"
    latency: float = 0.0
    interval: float = 0.0
    body_limit: int = 32 * 1024 * 1024
    audio_limit: int = 26_214_400
    filter_first_chunk: bool = True
    asynchronous_filter: bool = False
    grouped_chunks: bool = False
    faults: StreamFaults = StreamFaults()
    seed: str = ""
    #: Region, rate limits and a cookie differ from answer to answer, so that a cached or invented value is seen.
    varied: bool = False

    def accepting(self, *keys: str) -> Settings:
        """The same settings, with further keys that are accepted."""
        return evolve(self, tokens=(*self.tokens, *(key for key in keys if key)))

    @cached_property
    def by_name(self) -> Mapping[str, Deployment]:
        """The deployments by name."""
        return {deployment.name: deployment for deployment in self.deployments}

    def to_json(self) -> str:
        """All settings as JSON, secrets included, for a child process of our own."""
        return json.dumps(asdict(self), default=sorted)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The settings that :meth:`to_json` wrote. Raises ValueError or TypeError for any other text."""
        given = json.loads(text)
        given["tokens"] = tuple(given["tokens"])
        given["deployments"] = tuple(
            Deployment(one["name"], one["model"], frozenset(one["abilities"])) for one in given["deployments"]
        )
        given["faults"] = StreamFaults(**given["faults"])
        return cls(**given)

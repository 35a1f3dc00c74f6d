"""An upstream, a gateway of the tests in front of it, and the requests that are sent through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from attrs import evolve, frozen

from conformance.corpus.corpus import build_corpus
from conformance.emulator.behaviour import Settings
from conformance.emulator.faults import UpstreamFault
from conformance.gateway.session import Passed, pass_through
from conformance.gateway.upstream import Upstream, upstream
from conformance.gateway.windows import Windows
from conformance.passage.judge import Judged, judged
from conformance.requests.case import Case, Expect, Family, JsonBody, Multipart, Part
from conformance.settings.applied import configured
from conformance.settings.configuration import Config
from conformance.settings.gateway import Gateway as Declarations
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.target import Target

from .forwarder import HONEST, Alteration, Gateway, gateway

VERSION = "2024-10-21"

_CHAT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Answer  briefly. "},
        {"role": "user", "content": "Zähle bis drei — 数到三"},
        {"role": "user", "content": "Count from one to three."},
    ],
    "temperature": 0.7,
    "user": "u-1",
    "max_tokens": 64,
    "stop": ["###"],
}

_TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


def cases(spec: Spec) -> dict[str, Case]:
    """The requests, by name."""
    wanted = ("chat.completions.create", "embeddings.create", "audio.transcriptions.create")
    corpus = build_corpus(spec, operations=wanted)
    found = {case.operation: case for case in reversed(tuple(corpus)) if case.family is Family.TEMPLATE}
    chat, embeddings = found["chat.completions.create"], found["embeddings.create"]
    form = found["audio.transcriptions.create"]
    assert isinstance(form.body, Multipart)
    text = evolve(form.body, parts=(*form.body.parts, Part("response_format", b"text")))

    def of(case: Case, body: dict[str, Any], **more: Any) -> Case:
        return evolve(case, body=JsonBody(body), expect=Expect.ACCEPT, **more)

    streams = {"stream": True, "stream_options": {"include_usage": True}, "n": 2}
    return {
        "plain": of(chat, _CHAT),
        "streamed": of(chat, _CHAT | streams),
        "tools": of(chat, _CHAT | {"tools": [_TOOL], "n": 1}),
        "wrong": evolve(of(chat, _CHAT | {"temperature": 3}), expect=Expect.REJECT),
        "embeddings": of(embeddings, {"input": ["one", "two"]}),
        "form": form,
        "text": evolve(form, body=text),
    }


@frozen
class Stage:
    """All that runs."""

    spec: Spec
    config: Config
    above: Upstream
    between: Gateway
    windows: Windows
    direct: Target
    cases: dict[str, Case]

    def through(
        self,
        alteration: Alteration,
        names: Sequence[str] = ("plain", "streamed", "tools", "wrong", "embeddings", "form", "text"),
        script: Sequence[tuple[UpstreamFault, bool]] = (),
        patience: float = 5.0,
    ) -> Passed:
        """Send the named requests through the gateway while it alters them."""
        self.between.alteration = alteration
        self.between.memory.clear()
        self.windows.skip()
        self.windows.strays.clear()
        try:
            chosen = [self.cases[name] for name in names]
            return pass_through(self.windows, self.direct, chosen, patience=patience, script=script)
        finally:
            self.between.alteration = HONEST


def verdict(passed: Passed, declared: Declarations | None = None) -> Judged:
    """The result."""
    return judged(passed.record, load(VERSION), declared or Declarations())


@contextmanager
def stage(version: str = VERSION, asked: Callable[[Spec], dict[str, Case]] = cases) -> Iterator[Stage]:
    """Start an upstream and a gateway. ``asked`` are the requests, by name."""
    spec = load(version)
    with ExitStack() as running:
        config = configured(Options(target="http://127.0.0.1:1"))
        settings = Settings(key="upstream-key-5d1c", varied=True)
        client = "client-key-77aa01"
        above = running.enter_context(upstream([spec], settings, host="127.0.0.1", port=0, file=None, keys=(client,)))
        between = running.enter_context(gateway(above.url, above.key))
        target = evolve(config.target, url=between.url, key=client, retries=0, live=False)
        there = evolve(config.target.at_emulator(above.url, above.key), live=False)
        through = running.enter_context(Target(evolve(config, target=target), spec))
        direct = running.enter_context(Target(evolve(config, target=there), spec))
        windows = Windows(through, above.tape, secret=above.tape.digest(client), upstream=above.authority)
        yield Stage(spec, config, above, between, windows, direct, asked(spec))

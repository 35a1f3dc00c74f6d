"""Shared by the tests of the corpus: every version's corpus, built once in a session, and an emulator without a
socket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from attrs import evolve, frozen

from conformance.corpus.corpus import Corpus, build_corpus
from conformance.emulator.app import App
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS
from conformance.emulator.behaviour import Settings as EmulatorSettings
from conformance.evidence.exchange import Response
from conformance.requests.case import Auth, Case, Expect, JsonBody
from conformance.requests.wire import to_request
from conformance.scenarios.scenario import Scenario, Settings
from conformance.schema.validators import validator_for
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

ALL = versions()

#: Versions whose standard requests every run of the tests goes through. They are what is derived quickly, a dated one
#: with all kinds of operations among them.
WHOLE = ("2023-11-06-beta", "2024-05-01-preview", "2024-06-01", "2024-10-21")


class AtSmoke(str):
    """A version of which the ordinary tests take the requests of smoke: to derive all of them takes many seconds."""

    __slots__ = ()


#: The versions as parameters of what needs standard requests; ``tox run -e prove`` tries those that are not in
#: :data:`WHOLE`.
STANDARD = [name if name in WHOLE else pytest.param(name, marks=pytest.mark.prove) for name in ALL]
#: The same, and the others at smoke too.
PROVED = [*STANDARD, *(pytest.param(AtSmoke(name), id=f"{name} at smoke") for name in ALL if name not in WHOLE)]
#: Those that every run goes through.
VERSIONS = tuple(name if name in WHOLE else AtSmoke(name) for name in ALL)


def corpus(version: str, profile: str = "") -> Corpus:
    """The corpus of a version, at standard if nothing else is said. It is read by way of the user's cache, which all
    tests and the commands that they run share.
    """
    return _corpus(str(version), profile or ("smoke" if isinstance(version, AtSmoke) else "standard"))


@lru_cache(maxsize=16)
def _corpus(version: str, profile: str) -> Corpus:
    return build_corpus(load(version), profile)


def wildcard(pointer: str) -> str:
    """A concrete pointer as a pattern: indices become ``*``."""
    return re.sub(r"/\d+(?=/|$)", "/*", pointer)


def tokens(pointer: str) -> list[str]:
    """The reference tokens of a JSON Pointer."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def at(value: Any, pointer: str) -> Any:
    """The value at a pointer; raises LookupError."""
    for token in tokens(pointer):
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value


_ABSENT = object()
ABSENT: Any = _ABSENT


def replaced(value: Any, pointer: str, new: Any) -> Any:
    """A copy with another value at a pointer, or without it (:data:`ABSENT`)."""
    path = tokens(pointer)
    if not path:
        return new
    head: Any = int(path[0]) if isinstance(value, list) else path[0]
    rest = "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in path[1:])
    made = value.copy()
    if not rest:
        if new is ABSENT:
            del made[head]
        elif isinstance(made, list) and head == len(made):
            made.append(new)
        else:
            made[head] = new
        return made
    made[head] = replaced(made[head], rest, new)
    return made


def pointers(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every place in a JSON value with what is there."""
    yield pointer, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from pointers(item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, item in enumerate(value[:20]):
            yield from pointers(item, f"{pointer}/{index}")


def strictly_valid(spec: Spec, case: Case, body: Any) -> bool:
    """Does the closed view of the request accept a JSON body?"""
    media = operations_of(spec)[case.operation].body["application/json"]
    return validator_for(spec, media.pointer, strict=True).is_valid(body)


def valid(spec: Spec, case: Case, body: Any) -> bool:
    """Does the document accept a JSON body?"""
    return validator_for(spec, operations_of(spec)[case.operation].body["application/json"].pointer).is_valid(body)


def json_cases(made: Corpus, expect: Expect) -> Iterator[Case]:
    """The cases with a JSON body and an expectation, on their operation's own route."""
    for case in made:
        if case.expect is expect and isinstance(case.body, JsonBody) and not case.role.startswith("probe."):
            yield case


@frozen
class Answered:
    """A case and what the emulator said."""

    case: Case
    response: Response

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status


@frozen
class _Exchange:
    """As much of an exchange as a corpus scenario looks at."""

    response: Response

    @property
    def ok(self) -> bool:
        return 200 <= self.response.status < 300


def deployment_for(capability: str) -> str:
    """The first deployment of the emulator that can do all that is asked; one that reasons only where asked for."""
    wanted = set(capability.split("+"))
    able = [d for d in DEFAULT_DEPLOYMENTS if wanted <= d.abilities]
    plain = [d for d in able if "reasoning" not in d.abilities or "reasoning" in wanted]
    return (plain or able or list(DEFAULT_DEPLOYMENTS))[0].name


@frozen
class Stage:
    """One version served in this process."""

    spec: Spec
    app: App

    @classmethod
    def of(cls, version: str) -> Stage:
        """A fresh emulator."""
        spec = load(version)
        return cls(spec, App([spec], EmulatorSettings()))

    def send(self, case: Case) -> Answered:
        """One case, with the credential that it asks for."""
        known = {"deployment": deployment_for(case.capability), "run": "test"}
        request = to_request(case, self.spec, origin="http://emulator", bindings=known)
        key = {Auth.VALID: "emulator-key", Auth.WRONG: "another-key"}.get(case.auth)
        if key is not None:
            request = evolve(request, headers=(*request.headers, ("api-key", key)))
        return Answered(case, self.app.handle(request))

    def play(self, scenario: Scenario) -> list[Answered]:
        """A scenario from its first step to its last."""
        script = scenario.script(self.spec, Settings(give_up_after=0))
        seen: list[Answered] = []
        try:
            step = next(script)
            while True:
                answers = [self.send(case) for case in step]  # type: ignore[union-attr]
                seen += answers
                step = script.send(tuple(_Exchange(answer.response) for answer in answers))  # type: ignore[misc]
        except StopIteration:
            return seen

"""What a correct service does with a recorded request: accept it, refuse it, or either of them.

The request as sent decides. It must be accepted if it keeps every rule of the document and asks for nothing that
depends on what a recording doesn't tell: the abilities of a model, objects that were there before, the key. It must be
refused if it breaks a rule of which an entry ``[[refusal]]`` says so, and should be if it breaks another one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from conformance._parts import late
from conformance.recordings.placeholders import is_placeholder
from conformance.recordings.request_faults import extra_fields, faults, media_of, typed_body
from conformance.requests.case import Break, Case, Expect, RawBody
from conformance.requests.field_rules import body_of
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec
from conformance.verdict import Level

if TYPE_CHECKING:
    from strategies import levels
else:
    levels = late("strategies.levels")

__all__ = ["Expectation", "expectation", "path_of"]

#: Keywords that limit a value to known names. A service knows more names than the document when it is older.
_NAMES = ("enum", "const", "discriminator", "anyOf", "oneOf")

#: Fields of a request that name an object of the account.
_NAMING = re.compile(r"(?:.*_)?(?:id|ids|file)$")

#: Parameters of lists that name an object to begin at.
_CURSORS = ("after", "before")

#: Fields that end like it and name nothing that the account holds.
_NOT_NAMING = ("call_id", "tool_call_id", "prompt_cache_key")


@frozen
class Expectation:
    """The expected outcome, how hard a deviation is judged, why, and what the request breaks."""

    expect: Expect
    level: Level = Level.MUST
    reason: str = ""
    breaks: Break | None = None


def expectation(spec: Spec, operation: Operation, case: Case, known: Collection[str], *, exact: bool) -> Expectation:
    """The expectation of a request.

    ``known`` are the deployments and models that answered, and the paths at which objects were read before and not
    changed since; ``exact`` is False if the document is that of another version than the one on the wire.
    """
    if _replaced(body_of(case)):
        return Expectation(Expect.EITHER, reason="who published the recording replaced a part of the request")
    found = tuple(faults(spec, operation, case))
    if found and not exact:
        return Expectation(Expect.EITHER, reason="differs from the document, which is that of another api-version")
    if found:
        return _refused(spec, operation, found)
    if not exact:
        return Expectation(Expect.EITHER, reason="the document is that of another api-version")
    unsure = next(_unsure(spec, operation, case, known), "")
    return Expectation(Expect.EITHER, reason=unsure) if unsure else Expectation(Expect.ACCEPT)


def _replaced(value: Any) -> bool:
    """True for a body with a text that stands in place of what was sent."""
    match value:
        case str():
            return is_placeholder(value)
        case Mapping():
            return any(map(_replaced, value.values()))
        case list():
            return any(map(_replaced, value))
    return False


def _refused(spec: Spec, operation: Operation, found: tuple[Break, ...]) -> Expectation:
    """The expectation of a request that breaks something: that of the breach that is judged hardest."""
    judge = levels.Levels(spec, operation.id).judge
    either, best = "", None
    for broken in found:
        if broken.keyword in _NAMES:
            either = either or "uses a name that the document lacks; the service may be newer"
            continue
        if broken.clause and spec.clause_by_id[broken.clause].keyword == "MAY":
            either = either or f"breaks {broken.clause}, which a target may enforce"
            continue
        pattern = re.sub(r"/\d+(?=/|$)", "/*", broken.pointer)
        judged = judge(broken.location, pattern, broken.keyword)
        if judged.expect is not Expect.REJECT:
            either = either or judged.reason
        # The hardest judgement counts: one fault that must be refused is enough.
        elif best is None or (judged.level is Level.MUST and best.level is not Level.MUST):
            what = broken.clause or f"{broken.keyword} of {broken.pointer or 'the body'}"
            best = Expectation(Expect.REJECT, judged.level, judged.reason or f"{what} broken", broken)
    return best if best is not None else Expectation(Expect.EITHER, reason=either)


def _unsure(spec: Spec, operation: Operation, case: Case, known: Collection[str]) -> Iterator[str]:
    """Yield the reasons why a valid request may be refused all the same."""
    facts, body = operation.facts, typed_body(spec, operation, case)
    yield from _absent(operation, case, body, known)
    if isinstance(case.body, RawBody) or (case.body is not None and media_of(operation, case) is None):
        yield "the document has no such content type"
    if isinstance(body, Mapping) and any(value in ("", [], [""]) for value in body.values()):
        yield "an empty value may be taken for none, or refused"
    if facts.state_dependent:
        yield "depends on the state of its object"
    if extra_fields(spec, operation, case):
        yield "has fields that the document lacks"
    yield from filter(None, [*map(facts.field_gate, _pointers(body)), facts.content_gate(body)])
    if any(ability.shown(body) for ability in spec.unclaimed(operation.id)):
        yield "asks for what the api-version doesn't list"
    for need in facts.needs:
        if need.shown(body):
            yield f"depends on an ability of the model: {need.capability}"


def _absent(operation: Operation, case: Case, body: Any, known: Collection[str]) -> Iterator[str]:
    """Yield what a request needs and the recording doesn't show: deployments, objects, required headers."""
    deployments = {name: value for name, value in case.path_params.items() if "deployment" in name}
    objects = {name: value for name, value in case.path_params.items() if name not in deployments}
    for name, value in (*deployments.items(), *_models(body)):
        if value not in known:
            yield f"nothing in the recording shows that the {name} {value!r} answers"
    for name, value in objects.items():
        if operation.mutates or path_of(case) not in known:
            yield f"depends on the state of the {name} {value!r}, which the recording may not show"
    for name, value in (*((name, value) for name, value in case.query if name in _CURSORS), *_named(body)):
        yield f"depends on the object {name} {value!r}, which the recording may not show"
    for parameter in operation.parameters:
        if parameter.location == "header" and parameter.required and parameter.name not in dict(case.headers):
            yield f"the recording has no header {parameter.name}, which the document requires"


def path_of(case: Case) -> str:
    """The path of a request with the values of its parameters: what a recording remembers of an object."""
    path = case.path
    for name, value in case.path_params.items():
        path = path.replace("{" + name + "}", value)
    return path


def _models(body: Any) -> Iterator[tuple[str, str]]:
    """Yield the model that a body names."""
    if isinstance(body, Mapping) and isinstance(body.get("model"), str):
        yield "model", body["model"]


def _named(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield (field, id) for every object of the account that a body names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _named(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, name)
    elif isinstance(value, str) and _NAMING.match(name) and name not in _NOT_NAMING:
        yield name, value


def _pointers(value: Any, at: str = "") -> Iterator[str]:
    """Yield the pattern of every field of a body, items of lists as ``*``."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield f"{at}/{key}"
            yield from _pointers(inner, f"{at}/{key}")
    elif isinstance(value, list):
        # Longer lists repeat the same fields.
        for inner in value[:50]:
            yield from _pointers(inner, f"{at}/*")

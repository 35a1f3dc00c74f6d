"""The emulator's answers against the published documents: an independent witness. Every difference has a reason.

The documents are not part of the project; where they are absent this is skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import offline
import pytest
import yaml
from published_differences import DOCUMENTS, ERRATA, EVENTS, MISTAKES, SELDOM
from state_talk import Talk
from state_tour import WITH_ASSISTANT, chapters

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.store import Clock
from conformance.evidence.event_stream import stream_of
from conformance.evidence.exchange import Response
from conformance.evidence.trace import Observation
from conformance.requests.profile import Profile
from conformance.run.selection import corpus_of
from conformance.scenarios.registry import scenarios_of
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.operations import operations_of

PUBLISHED = Path(__file__).resolve().parents[2].parent / "shared" / "official-specs"


def _modern(node: Any) -> Any:
    """A document of an older dialect as JSON Schema 2020-12: nullable becomes a union, boolean bounds go."""
    if isinstance(node, list):
        return [_modern(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {
        name: _modern(value)
        for name, value in node.items()
        if name not in ("nullable", "x-nullable", "discriminator", "example", "examples", "default")
        and not (name in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(value, bool))
    }
    nullable = node.get("nullable") is True or node.get("x-nullable") is True
    return {"anyOf": [made, {"type": "null"}]} if nullable else made


def _anonymous(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _schema_pointers(document: Any, path: str, method: str, status: int) -> Iterator[str]:
    for name, item in document["paths"].items():
        if _anonymous(name) == _anonymous(path) and method in item:
            responses = item[method]["responses"]
            answer = responses.get(str(status)) or responses["200"]
            key = str(status) if str(status) in responses else "200"
            start = f"/paths/{name.replace('~', '~0').replace('/', '~1')}/{method}/responses/{key}"
            if "schema" in answer:
                yield f"{start}/schema"
            elif "application/json" in answer.get("content", {}):
                yield f"{start}/content/application~1json/schema"


def _read(file: Path) -> Any:
    # Keys of YAML may be numbers, statuses for instance; through JSON they are texts.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = file.read_text("utf-8")
    read = json.loads(json.dumps(yaml.load(text, Loader=loader)) if file.suffix == ".yaml" else text)
    # Nothing fits a reference that points nowhere.
    for name in set(re.findall(r"#/components/schemas/([\w.]+)", text)) - set(
        read.get("components", {}).get("schemas", ())
    ):
        read["components"]["schemas"][name] = {"not": {}}
    return read


@cache
def _answers(version: str) -> tuple[tuple[str, int, Any], ...]:
    """(operation, status, told) of the answers on the tour, and of the standard corpora of what it doesn't visit.

    Told is JSON, or media type and bytes.
    """
    talk = Talk(version, judge=False)
    for chapter in chapters(talk):
        chapter(talk)
    if talk.has("threads.runs.create") and not talk.has("assistants.create"):
        talk = Lent(talk)
        for chapter in WITH_ASSISTANT:
            chapter(talk)
    rest = tuple(id for id in operations_of(talk.spec) if id not in talk.called)
    answer = offline.answering(App.of(version), talk.spec)
    corpora = corpus_of(talk.spec, Options(operations=rest, profile=Profile.STANDARD)) if rest else ()
    played = (seen for trace in offline.traces(talk.spec, tuple(corpora), answer) for seen in trace)
    told = [(seen.case.operation, seen.exchange.status or 0, _plain(seen)) for seen in played]
    return (*talk.said, *told)


def _plain(seen: Observation) -> Any:
    """The JSON of an answer, or its media type and its bytes."""
    response = seen.exchange.response
    return seen.json if response is None or response.is_json else (response.media_type, response.body)


class Lent(Talk):
    """A conversation with a version that has runs and nothing that makes assistants: those of another version lie in
    the same state.
    """

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk.spec.version, judge=False, app=talk.app)
        self.said, self.called = talk.said, talk.called
        self.lender = Talk("2025-04-01-preview", judge=False)
        self.lender.app.store = talk.app.store

    def send(self, operation: str, *ids: str, **sent: Any) -> Response:
        lent = operation.startswith("assistants.")
        return self.lender.send(operation, *ids, **sent) if lent else super().send(operation, *ids, **sent)


@cache
def _standard(version: str) -> tuple[tuple[str, int, Any], ...]:
    """The same of the answers to all scenarios and corpora of the standard profile."""
    spec = load(version)
    app = App([spec], Settings(), Clock.fixed())
    answer, profile = offline.answering(app, spec), Profile.STANDARD
    scenarios = (*scenarios_of(spec, profile), *corpus_of(spec, Options(profile=profile)))
    played = (seen for one in scenarios for seen in offline.play(spec, one, answer, wait=app.clock.advance))
    return tuple((seen.case.operation, seen.exchange.status or 0, _told(seen)) for seen in played)


def _told(seen: Observation) -> Any:
    """The JSON value of an answer, or the list of those of its events."""
    if not seen.exchange.ok or seen.response.media_type != "text/event-stream":
        return seen.json
    return [json.loads(event.data) for event in stream_of(seen.response).events if event.data.startswith("{")]


@cache
def _differences(document: str, *, standard: bool = False) -> frozenset[tuple[str, str, str]]:
    """(operation, place, keyword) of every answer that the published document does not accept.

    ``standard``: of the answers to a whole standard run, and not only of a few for each operation.
    """
    raw = _read(PUBLISHED / document)
    registry = jsonschema_rs.Registry([("urn:published", _modern(raw))])
    known = operations_of(load(DOCUMENTS[document]))
    found: set[tuple[str, str, str]] = set()
    validators: dict[str, Any] = {}
    for id_, status, body in (_standard if standard else _answers)(DOCUMENTS[document]):
        if status >= 300 or not isinstance(body, dict):
            continue
        operation = known[id_]
        for pointer in _schema_pointers(raw, operation.path, operation.method.lower(), status):
            reference = {"$ref": f"urn:published#{quote(pointer, safe='/~')}"}
            if pointer not in validators:
                validators[pointer] = jsonschema_rs.Draft202012Validator(reference, registry=registry)
            for error in validators[pointer].iter_errors(body):
                place, keyword = _named(error)
                found.add((id_, place.removeprefix("data/*").strip("/"), keyword))
    assert validators
    return frozenset(found)


def _named(error: Any) -> tuple[str, str]:
    """Place and keyword of a difference. The place of a missing field is its own."""
    place = "/".join("*" if isinstance(step, int) else str(step) for step in error.instance_path)
    keyword = str(error.schema_path[-1])
    missing = re.match(r'"([^"]+)" is a required property', error.message) if keyword == "required" else None
    return f"{place}/{missing[1]}".strip("/") if missing else place, keyword


def each(names: Iterable[str]) -> pytest.MarkDecorator:
    """One test for each of these published documents; skipped where they don't lie beside the checkout."""
    why = "the published documents don't lie beside the checkout"
    found = [
        pytest.param(name, marks=pytest.mark.skipif(not (PUBLISHED / name).is_file(), reason=why)) for name in names
    ]
    return pytest.mark.parametrize("document", found)


documents = each(DOCUMENTS)


@documents
def test_every_difference_is_an_erratum_or_a_mistake_of_the_document(document: str) -> None:
    known = ERRATA[document].keys() | MISTAKES[document].keys()
    assert [] == sorted(one for one in _differences(document) if one[1:] not in known)


newest = each(SELDOM)


@pytest.mark.prove
@newest
def test_a_standard_run_shows_no_other_difference(document: str) -> None:
    found = {one[1:] for one in _differences(document, standard=True)}
    assert set() == found - (ERRATA[document].keys() | MISTAKES[document].keys() | SELDOM[document].keys())
    assert set() == SELDOM[document].keys() - found
    ids = {erratum.id for erratum in load(DOCUMENTS[document]).errata}
    assert set() == set(SELDOM[document].values()) - ids


@cache
def _event_schemas(document: str) -> dict[str, str]:
    """Type of an event of responses → the name of its schema in the published document."""
    found = {}
    for name, schema in _read(PUBLISHED / document)["components"]["schemas"].items():
        for part in (schema, *schema.get("allOf", ())):
            values = part.get("properties", {}).get("type", {}).get("enum", ())
            if name.endswith("Event") and len(values) == 1 and values[0].startswith("response."):
                found[values[0]] = name
    return found


@pytest.mark.prove
@newest
def test_every_event_of_a_standard_run_fits_the_published_document(document: str) -> None:
    """Events that it doesn't name are the matter of errata; what it names fits, but for known differences."""
    registry = jsonschema_rs.Registry([("urn:published", _modern(_read(PUBLISHED / document)))])
    schemas = {
        type_: jsonschema_rs.Draft202012Validator(
            {"$ref": f"urn:published#/components/schemas/{name}"}, registry=registry
        )
        for type_, name in _event_schemas(document).items()
    }
    seen, found = set(), set()
    for id_, _, events in _standard(DOCUMENTS[document]):
        for event in events if id_ == "responses.create" and isinstance(events, list) else ():
            if event.get("type") in schemas:
                seen.add(event["type"])
                for error in schemas[event["type"]].iter_errors(event):
                    found.add(_named(error))
    assert len(seen) >= len(schemas) / 2
    assert EVENTS[document].keys() == found
    ids = {erratum.id for erratum in load(DOCUMENTS[document]).errata}
    assert set() == set(EVENTS[document].values()) - ids


@documents
def test_every_reason_is_needed_and_every_erratum_exists(document: str) -> None:
    seen = {one[1:] for one in _differences(document)}
    assert set() == (ERRATA[document].keys() | MISTAKES[document].keys()) - seen
    ids = [erratum.id for erratum in load(DOCUMENTS[document]).errata]
    assert [] == [name for name in ERRATA[document].values() if not any(fnmatchcase(id_, name) for id_ in ids)]


#: Document → the version before, the number of its operations, of those that are new, and the new ones of whose
#: successes it describes no JSON.
COUNTED = {
    "2025-04-01-preview.yaml": ("2025-01-01-preview", 52, 10, {"responses.delete"}),
    "v1.yaml": (
        *("v1-preview", 106, 57),
        {
            *(f"realtime.calls.{verb}" for verb in ("accept", "create", "hangup", "refer", "reject")),
            *("containers.delete", "containers.files.content", "containers.files.delete"),
        },
    ),
}


@each(COUNTED)
def test_every_operation_is_answered_and_held_against_the_document(document: str) -> None:
    """An operation that no answer reaches, or whose answers nothing judges, is no evidence."""
    before, count, fresh, no_json = COUNTED[document]
    known, raw = operations_of(load(DOCUMENTS[document])), _read(PUBLISHED / document)
    new = known.keys() - operations_of(load(before)).keys()
    assert (count, fresh) == (len(known), len(new))
    judged, other = set(), set()
    for id, status, told in _answers(DOCUMENTS[document]):
        if id in known and 200 <= status < 300:
            path, method = known[id].path, known[id].method.lower()
            schemas = [*_schema_pointers(raw, path, method, status)]
            if schemas and isinstance(told, dict):
                judged.add(id)
            elif not schemas:
                assert id not in new or _described(raw, path, method, status, told), (id, status)
                other.add(id)
    assert no_json == new & other
    assert new == (new & judged) | no_json
    assert known.keys() == judged | other


def _described(raw: Any, path: str, method: str, status: int, told: Any) -> bool:
    """True if an answer has a media type that the document names for its status. Content that is JSON is told without
    its type.
    """
    item = next(item for name, item in raw["paths"].items() if _anonymous(name) == _anonymous(path) and method in item)
    answer = item[method]["responses"][str(status)]
    kinds = [*answer.get("content", {})]
    return not kinds or not isinstance(told, tuple) or any(fnmatchcase(told[0], one) for one in kinds)

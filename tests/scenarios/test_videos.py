"""Videos of later documents (``/videos``): a document made here, its emulator, the script of a life, and its checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import offline
import pytest

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.judge import judge
from conformance.run.selection import checks_of, items_of, scenarios_in
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.spectools.importing import import_file
from conformance.verdict import Outcome

VERSION = "v1-films"
LIFE = "videos.life"


def _shown(*needed: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "required": [*needed], "properties": {name: {"type": "string"} for name in needed} | more}


TEXT, TIME = {"type": "string"}, {"type": "integer"}
VIDEO = _shown(
    *("id", "object", "model", "status", "seconds", "size"),
    created_at=TIME,
    remixed_from_video_id={"type": ["string", "null"]},
)
ASK = _shown("model", "prompt", prompt={"type": "string", "minLength": 1}, seconds=TEXT, size=TEXT)
PAGE = {"type": "object", "required": ["object", "data", "has_more"],
        "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": VIDEO},
                       "has_more": {"type": "boolean"}}}  # fmt: skip
GONE = _shown("id", "object", deleted={"type": "boolean"})
ERROR = _shown(code=TEXT, message=TEXT)  # flat, as the published document of videos has it
FILM = {"video/mp4": {}, "image/jpg": {}}
ID = {"name": "video_id", "in": "path", "required": True, "schema": TEXT}


def _operation(name: str, content: Any, asked: Any = None, *query: tuple[str, Any]) -> dict[str, Any]:
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": asked}}}} if asked else {}
    return {
        "operationId": name,
        "parameters": [{"name": one, "in": "query", "schema": schema} for one, schema in query],
        "responses": {
            "200": {"description": "d", "content": content},
            "default": {"description": "d", "content": {"application/json": {"schema": ERROR}}},
        },
        **body,
    }


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Films", "version": "1"},
    "servers": [{"url": "/openai/v1"}],
    "paths": {
        "/videos": {
            "post": _operation("createVideo", _json(VIDEO), ASK),
            "get": _operation("listVideos", _json(PAGE), None, ("limit", TIME), ("after", TEXT),
                              ("order", {"enum": ["asc", "desc"]})),
        },
        "/videos/{video_id}": {
            "parameters": [ID],
            "get": _operation("getVideo", _json(VIDEO)),
            "delete": _operation("deleteVideo", _json(GONE)),
        },
        "/videos/{video_id}/content": {
            "parameters": [ID],
            "get": _operation("getVideoContent", FILM, None, ("variant", {"enum": ["video", "thumbnail"]})),
        },
        "/videos/{video_id}/remix": {
            "parameters": [ID],
            "post": _operation("remixVideo", _json(VIDEO), _shown("prompt")),
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spec, App]:
    folder = tmp_path_factory.mktemp("films")
    (folder / "films.json").write_text(json.dumps(DOCUMENT), "utf-8")
    import_file(folder / "films.json", VERSION, folder / "versions")
    return load(VERSION, folder / "versions"), App.of(VERSION, folder=folder / "versions")


@pytest.fixture(scope="module")
def traces(films: tuple[Spec, App]) -> Mapping[str, Trace]:
    spec, app = films
    answer = offline.answering(app, spec)
    return {one.id: offline.play(spec, one, answer) for one in scenarios_in(spec, Options(no_cache=True))}


def test_everything_about_a_video_is_asked_for(traces: Mapping[str, Trace]) -> None:
    roles = [one.case.role for one in traces[LIFE]]
    wanted = ("job.create", "job.get", "content", "thumbnail", "remix", "remix.get", "delete", "gone.job", "gone.film")
    assert [*wanted] == [*dict.fromkeys(roles)]
    assert {"lifecycle.videos", "corpus.videos.create", "corpus.videos.remix"} <= set(traces)


def test_each_item_is_judged_and_passes(films: tuple[Spec, App], traces: Mapping[str, Trace]) -> None:
    """Of the emulator's answers nothing fails, and nothing can't be judged."""
    spec = films[0]
    items = items_of(spec, scenarios_in(spec, Options(no_cache=True)), checks_of(Options()))
    verdicts = {item.id: judge(spec, item.check, traces[item.scenario]) for item in items}
    assert {} == {
        name: (one.outcome, one.reason, one.findings[:1])
        for name, one in verdicts.items()
        if one.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
    }
    assert {"video.content", "video.generation", "video.deleted.films", "jobs.end.stays"} <= {
        one.check for one in verdicts.values() if one.scenario == LIFE and one.outcome is Outcome.PASS
    }


def test_a_video_that_is_queued_again_is_reported(films: tuple[Spec, App]) -> None:
    """Once, after it was in progress."""
    spec, app = films
    states: list[str] = []

    def again(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        response = exchange.response
        value = response.json if response is not None else None
        if response is None or not isinstance(value, dict) or value.get("object") != "video":
            return None
        states.append(value["status"])
        back = states[-2:] == ["in_progress", "completed"] and states.count("completed") == 1
        return exchange.answered(response.with_json({**value, "status": "queued"})) if back else None

    (life,) = (one for one in scenarios_in(spec, Options(no_cache=True)) if one.id == LIFE)
    trace = offline.play(spec, life, offline.broken(offline.answering(app, spec), again))
    assert Outcome.WARN is judge(spec, all_checks()["video.states"], trace).outcome


@pytest.mark.parametrize("name", ["video.content", "video.generation", "video.deleted.films", "jobs.end.stays"])
def test_each_rule_of_a_video_reports_its_counterexample(films: tuple[Spec, App], name: str) -> None:
    spec, app = films
    check = all_checks()[name]
    (life,) = (one for one in scenarios_in(spec, Options(no_cache=True)) if one.id == LIFE)
    trace = offline.play(spec, life, offline.broken(offline.answering(app, spec), check.counterexample))
    wanted = Outcome.FAIL if check.level.value == "MUST" else Outcome.WARN
    assert wanted is judge(spec, check, trace).outcome


def test_all_that_a_life_creates_can_be_removed(traces: Mapping[str, Trace]) -> None:
    made = [one.case for one in traces[LIFE] if one.case.operation in ("videos.create", "videos.remix")]
    assert ["videos.delete"] * 2 == [case.undo.operation for case in made if case.undo is not None]
    assert {"video"} == {case.expensive for case in made}
    assert all(case.cost.seconds > 0 for case in made)

"""A target that gives one answer to everything shows no change, however many are predicted."""

from __future__ import annotations

from pathlib import Path

import pytest
from moving import KEY, options_for
from raw_server import raw_server

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.server import asgi, running
from conformance.errors import ConformanceError
from conformance.evidence.exchange import Chunk, Response
from conformance.migration.basis import changes_between
from conformance.migration.conclusion import Conclusion
from conformance.requests.profile import Profile
from conformance.spec.loading import load
from conformance.upgrade.upgrade import upgrade

OLD, NEW = "2024-06-01", "2024-10-21"

_ERROR = b'{"error": {"code": "no", "message": "no"}}'


def _answer(status: int, body: bytes, kind: str = "application/json") -> Response:
    return Response(status, (("content-type", kind),), (Chunk(0.0, body),))


ANSWERS = {
    "nothing in it": _answer(200, b"{}"),
    "an array": _answer(200, b"[]"),
    "an empty body": _answer(200, b""),
    "bytes": _answer(200, b"bytes", "application/octet-stream"),
    "a page": _answer(200, b"<html></html>", "text/html"),
    "bad request": _answer(400, _ERROR),
    "not found": _answer(404, _ERROR),
    "a failure": _answer(500, _ERROR),
}


#: Pairs of versions, with operations that changed, came or have gone.
MOVES = {
    "fields": ("2024-06-01", "2024-10-21", ("chat.completions.create", "embeddings.create")),
    "routes": ("2024-10-21", "v1", ("batches.list", "batches.cancel", "audio.translations.create")),
    "bodies without a form": ("2024-10-21", "v1", ("containers.delete", "files.content", "batches.list")),
}

#: What every run tries: everything is accepted, everything is refused. ``prove`` has the others.
SAMPLE = ("nothing in it", "bad request")


def _shows_nothing(name: str, pair: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(lambda _: ANSWERS[name]) as server:
        options = options_for(tmp_path, server.url, monkeypatch, Profile.SMOKE)
        old, new, operations = MOVES[pair]
        try:
            made = upgrade(load(old), load(new), options, operations=operations)
        except ConformanceError:
            return  # the preflight found nothing to ask
    assert 0 == made.count(Conclusion.OBSERVED)
    assert () == made.drifts


@pytest.mark.parametrize("missing", [OLD, NEW])
def test_a_version_that_the_target_does_not_serve_concludes_nothing(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request under it is refused with 404, whatever it holds: no change was seen, and none was looked for."""
    (served,) = {OLD, NEW} - {missing}
    with running(asgi(App([load(served)], Settings(key=KEY)))) as url:
        options = options_for(tmp_path, url, monkeypatch, Profile.SMOKE)
        made = upgrade(load(OLD), load(NEW), options, operations=("chat.completions.create", "embeddings.create"))
    assert {Conclusion.OPEN} == {result.conclusion for result in made.results}
    assert () == made.drifts
    assert [missing == version for version in (OLD, NEW)] == [not clear for clear in made.answered]
    assert any(note.startswith(f"{missing}: none of ") for note in made.notes)


def test_an_operation_is_not_new_where_the_older_version_is_not_served_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older version refuses the new operation with 404, as it refuses those that it has."""
    with running(asgi(App([load("v1")], Settings(key=KEY)))) as url:
        options = options_for(tmp_path, url, monkeypatch, Profile.SMOKE)
        old, new, operations = load("2024-10-21"), load("v1"), ("batches.list", "embeddings.create")
        changes = changes_between(old, new, operations=operations)
        made = upgrade(old, new, options, changes=changes, operations=operations)
    assert {Conclusion.OPEN} == {result.conclusion for result in made.results}
    assert (0, ()) == (made.answered[0], made.drifts)
    assert any(note.startswith("2024-10-21: none of ") for note in made.notes)


@pytest.mark.parametrize("pair", sorted(MOVES))
@pytest.mark.parametrize("name", SAMPLE)
def test_one_answer_to_everything_shows_no_change(
    name: str, pair: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shows_nothing(name, pair, tmp_path, monkeypatch)


@pytest.mark.prove
@pytest.mark.parametrize("pair", sorted(MOVES))
@pytest.mark.parametrize("name", sorted(set(ANSWERS) - set(SAMPLE)))
def test_no_answer_to_everything_shows_a_change(
    name: str, pair: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shows_nothing(name, pair, tmp_path, monkeypatch)

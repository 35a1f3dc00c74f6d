"""Defects on the wire are found, and what no rule forbids is quiet.

A sample runs with the other tests, all of it on the versions of ``SHOWN`` with ``tox -e prove``. ``python
tests/matrix`` prints the table of all versions.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from answers import Remembering
from benign_variations import PROFILES
from defects import defects
from imported import FILMS, PUBLISHED_FILMS, all_versions, spec_of
from kills import Result, changed_by, mutated
from softer_rules import SOFTER, Softer, softer
from variations import VARIATIONS
from wild_answers import NEWEST

from conformance.checks.catalogue import all_checks
from conformance.emulator.mutants import mutants
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.requests.request import Request
from conformance.run.selection import default_versions
from conformance.verdict import Outcome

#: Variations that a check objects to all the same → why it is right to warn.
OBJECTED = {
    "stream.no-blank": "legal, and many hand-written clients cut off six characters: sse.data.space is a SHOULD"
}

#: The least numbers of defects and variations.
FEWEST_DEFECTS, FEWEST_VARIATIONS = 40, 60

#: The smallest version with assistants, and the newest ones: those of each surface with the most operations.
DATED, SHOWN = "2024-05-01-preview", ("2024-05-01-preview", *NEWEST, "v1-preview", FILMS)

SAMPLED_DEFECTS = ("stream.no-done", "json.wrong-total", "list.no-more", "http.refused-as-200", "http.cut")
#: Of these some are tried on the default version too.
SAMPLED_VARIATIONS = ("field.cookie", "json.reversed", "more.deep", "stream.crlf", "stream.pairs", "type.quoted")


def found(name: str, version: str) -> None:
    result = changed_by(version, defects()[name][1], first=True)
    if not result.changed:
        pytest.skip(f"no answer of {version} can have this defect")
    entry = softer(name, version)
    if entry is None:
        assert result.outcome is Outcome.FAIL, (defects()[name][0], result.checks)
    else:
        as_soft_as_listed(entry, result, version)


def as_soft_as_listed(entry: Softer, result: Result, version: str) -> None:
    """The outcome is the listed one, and no check that objects judges by a MUST clause."""
    assert entry.outcome == result.word, result.checks
    keywords = {clause.id: clause.keyword for clause in spec_of(version).clauses}
    if entry.outcome == "not_testable":
        return
    hard = {
        clause
        for check in result.checks
        if (clause := all_checks()[check].clause) not in entry.beside and keywords.get(clause) == "MUST"
    }
    assert set() == hard


def quiet(name: str, version: str) -> None:
    result = changed_by(version, VARIATIONS[name][1], profile=PROFILES.get(name, "smoke"))
    if not result.changed:
        pytest.skip(f"no answer of {version} can vary so")
    wanted = Outcome.WARN if name in OBJECTED else Outcome.PASS
    told = [(one.check, one.scenario, one.reason or one.findings[:1]) for one in result.verdicts[:3]]
    assert wanted is result.outcome, told


def test_the_lists_are_long_enough() -> None:
    assert len(defects()) >= FEWEST_DEFECTS
    assert len(VARIATIONS) - len(OBJECTED) >= FEWEST_VARIATIONS
    assert set(OBJECTED) <= set(VARIATIONS)


def test_a_defect_that_remembers_begins_anew_with_each_server() -> None:
    """What another server answered, of another version perhaps, is no answer of this one."""
    request, (_, defect) = Request("POST", "http://t/embeddings"), defects()["error.nothing-refused"]
    good, refusal = Exchange(request, answer({"data": []})), Exchange(request, answer({"error": {}}, 400))
    assert isinstance(defect, Remembering)
    one, other = defect.begin(), defect.begin()
    assert [None, good] == [one(good), one(refusal)]
    assert None is other(refusal)


def answer(value: object, status: int = 200) -> Response:
    return Response(status, (("content-type", "application/json"),), (Chunk(0.0, json.dumps(value).encode()),))


LEVELS = Path(os.environ.get("AOAI_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "reference" / "levels.md"


def test_every_softer_rule_has_a_reason() -> None:
    """A list of exceptions that hides a MUST would be worse than a low percentage."""
    assert set(SOFTER) <= {*defects(), *mutants()}
    keywords = {clause.id: clause.keyword for version in all_versions() for clause in spec_of(version).clauses}
    for name, entry in SOFTER.items():
        assert bool(entry.line) != bool(entry.clause), name
        assert not entry.clause or keywords[entry.clause] in ("SHOULD", "MAY"), name
        assert {keywords[clause] for clause in entry.beside} <= {"MUST"}, name
        assert set(entry.versions) <= set(all_versions()), name


@pytest.mark.skipif(not LEVELS.exists(), reason="the levels lie beside the checkout, and are not there")
@pytest.mark.parametrize("name", [name for name, entry in SOFTER.items() if entry.line])
def test_the_line_of_a_softer_rule_stands_in_the_levels(name: str) -> None:
    assert SOFTER[name].line in LEVELS.read_text(encoding="utf-8")


@pytest.mark.prove
@pytest.mark.parametrize("name", [name for name in SOFTER if name in mutants()])
def test_a_softer_mutant_is_as_soft_as_listed(name: str) -> None:
    version = next(one for one in all_versions() if mutants()[name].touches(spec_of(one)))
    as_soft_as_listed(SOFTER[name], mutated(version, mutants()[name]), version)


@pytest.mark.parametrize("name", SAMPLED_DEFECTS)
def test_a_defect_on_the_wire_is_found(name: str) -> None:
    found(name, default_versions()[0])


@pytest.mark.parametrize("name", SAMPLED_VARIATIONS)
def test_a_variation_that_no_rule_forbids_is_quiet(name: str) -> None:
    quiet(name, DATED)


@pytest.mark.parametrize("name", SAMPLED_VARIATIONS[2:4])
def test_a_variation_is_quiet_in_the_default_version(name: str) -> None:
    quiet(name, default_versions()[0])


#: Where videos are tried: in the document that comes with the tests, and in the published one.
OF_VIDEOS = (FILMS, pytest.param(PUBLISHED_FILMS, marks=pytest.mark.prove))


@pytest.mark.parametrize("version", OF_VIDEOS)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name.startswith("videos.") else pytest.mark.prove)
        for name in mutants()
        if mutants()[name].touches(spec_of(FILMS))
    ],
)
def test_a_mutant_of_videos_is_called_what_it_deserves(name: str, version: str) -> None:
    """Also the bugs of any kind of object that change an answer about videos."""
    if version != FILMS and not name.startswith("videos."):
        pytest.skip("bugs of any object show elsewhere in a document with many")
    result = mutated(version, mutants()[name])
    if not result.changed and not name.startswith("videos."):
        pytest.skip("no answer about videos can have this bug")
    entry = softer(name, version)
    if entry is None:
        assert Outcome.FAIL is result.outcome, result.checks
    else:
        as_soft_as_listed(entry, result, version)


@pytest.mark.parametrize("version", OF_VIDEOS)
@pytest.mark.parametrize("name", [name for name in VARIATIONS if name.startswith("videos.")])
def test_what_servers_of_videos_may_do_differently_is_quiet(name: str, version: str) -> None:
    assert changed_by(version, VARIATIONS[name][1]).changed
    quiet(name, version)


@pytest.mark.prove
@pytest.mark.parametrize("version", SHOWN)
@pytest.mark.parametrize("name", defects())
def test_every_defect_on_the_wire_is_found(name: str, version: str) -> None:
    found(name, version)


@pytest.mark.prove
@pytest.mark.parametrize("version", SHOWN)
@pytest.mark.parametrize("name", VARIATIONS)
def test_every_variation_that_no_rule_forbids_is_quiet(name: str, version: str) -> None:
    quiet(name, version)

"""The real service as a witness: what it was recorded to send fails no check, and each warning has a reason here.

The recordings don't come with the checkout; without them these tests skip. What they taught stands in errata of the
provenance ``recorded`` and has small tests of its own in ``test_recorded_facts.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from wild_answers import NEWEST

from conformance.checks.catalogue import all_checks
from conformance.cli import main
from conformance.evidence.trace import Observation
from conformance.judging.blocking import Blocked
from conformance.judging.check import Scope
from conformance.judging.judge import judge_exchange, outcome_of
from conformance.recordings.files import read_file
from conformance.recordings.traces import sorted_out
from conformance.spec.loading import load, versions
from conformance.verdict import Finding, Outcome
from reports import jsonl

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "recordings"

FILES = sorted(FOLDER.glob("*.json"))

#: (beginning of the file's name, check, text in the message) → why the check is right to warn, or no better.
WARNINGS = {
    ("azsdk-js-assistants-2024-02-15-preview", "schema.response", "is a required property"): (
        "The nearest document is three months younger than the version on the wire and has fields that came in between."
    ),
    ("vercel-openai-error", "http.retry-after", "doesn't say when to try again"): (
        "The quota is used up, so no time helps; the status of this answer was assumed by those who published it."
    ),
}

pytestmark = pytest.mark.skipif(not FILES, reason="the recordings do not come with the checkout")


@cache
def findings() -> tuple[tuple[Outcome, str, Observation, Finding], ...]:
    """(outcome, check, observation, finding) of every finding that scores in any recording."""
    return tuple(_findings())


def _findings(
    files: Sequence[Path] = FILES, names: Sequence[str] = versions()
) -> Iterator[tuple[Outcome, str, Observation, Finding]]:
    specs = [load(name) for name in names]
    checks = [check for check in all_checks().values() if check.scope is Scope.EXCHANGE]
    found = sorted_out([one for file in files for one in read_file(file)], specs, forced=len(specs) == 1)
    for spec in specs:
        for trace in found.traces.get(spec.version, ()):
            for check in checks:
                for seen in trace:
                    if check.covers(seen.case.operation) and check.about(spec, seen.case):
                        said = judge_exchange(spec, check, seen)
                        if not isinstance(said, Blocked):
                            yield from ((outcome_of(check, [each]), check.id, seen, each) for each in said)


def test_every_exchange_is_judged() -> None:
    wanted = sum(len(json.loads(file.read_text("utf-8"))["entries"]) for file in FILES)
    found = sorted_out([one for file in FILES for one in read_file(file)], [load(name) for name in versions()])
    assert (wanted, {}, {}) == (found.judged, found.unknown, found.unusable)


def test_nothing_that_the_service_sent_fails() -> None:
    assert [] == [(check, seen.case.step, each) for outcome, check, seen, each in findings() if outcome is Outcome.FAIL]


@pytest.mark.parametrize("version", [name for name in versions(drafts=True) if load(name).surface == "v1"])
def test_traffic_of_the_v1_surface_keeps_each_of_its_documents(version: str) -> None:
    files = [file for file in FILES if json.loads(file.read_text("utf-8"))["surface"] == "v1"]
    found = list(_findings(files, [version]))
    assert [] == [(check, seen.case.step, each) for outcome, check, seen, each in found if outcome is Outcome.FAIL]
    warned = [(check, seen, each) for outcome, check, seen, each in found if outcome is Outcome.WARN]
    assert [] == [(check, seen.case.step, each) for check, seen, each in warned if not _reason(check, seen, each)]


#: (beginning of the file's name, text in the message) → why a newer document may ask for more than was recorded.
CAME_LATER = {
    ("azsdk-js-assistants-2024-02-15-preview", "is a required property"): "Recorded before assistants had these.",
    ("azsdk-net-run", "'parallel_tool_calls' is a required"): "Recorded before runs had it.",
    ("vercel-openai-code-interpreter", "is a required property"): "Recorded on v1, whose events have other fields.",
    ("vercel-azure-deepseek", "delta/tool_calls"): "Recorded on v1; no recording of the dated surface has this model.",
}


def _moved(file: Path, surface: str) -> dict[str, Any]:
    """A recording as if it had been asked for on a surface."""
    value = json.loads(file.read_text("utf-8"))
    for one in value["entries"]:
        path, body = re.sub("^/(openai/v1|openai|v1)", "", one["path"]), one["request_body"]
        named = re.match("/deployments/([^/]+)(/.*)", path)
        if surface == "v1" and named:
            path = named[2]
            one["request_body"] = {"model": named[1], **body} if isinstance(body, dict) else body
        elif surface == "dated" and path == "/chat/completions":
            path = f"/deployments/d{path}"
        one["path"], one["query"] = ("/openai/v1" if surface == "v1" else "/openai") + path, ""
    return {**value, "surface": surface}


@pytest.mark.parametrize("version", NEWEST)
def test_what_was_recorded_on_any_surface_keeps_the_newest_documents(version: str, tmp_path: Path) -> None:
    """The same service answers. What it lacks is what came later, and each of that is named."""
    for file in FILES:
        (tmp_path / file.name).write_text(json.dumps(_moved(file, load(version).surface)), "utf-8")
    found = list(_findings(sorted(tmp_path.glob("*.json")), [version]))
    judged = {(seen.case.step, each.message, each.place) for outcome, _, seen, each in found if outcome is Outcome.FAIL}
    later = {one for one in judged if any(_named(*one, name, text) for name, text in CAME_LATER)}
    assert set() == judged - later


def _named(step: str, message: str, place: str, name: str, text: str) -> bool:
    return Path(step).name.startswith(name) and text in f"{place} {message}"


def _reason(check: str, seen: Observation, finding: Finding) -> str:
    name = Path(seen.case.step).name
    return next(
        (
            why
            for (file, known, text), why in WARNINGS.items()
            if name.startswith(file) and known == check and text in finding.message
        ),
        "",
    )


def test_every_warning_has_a_reason_and_every_reason_a_warning() -> None:
    warned = [(check, seen, each) for outcome, check, seen, each in findings() if outcome is Outcome.WARN]
    assert [] == [
        (check, seen.case.step, each.message) for check, seen, each in warned if not _reason(check, seen, each)
    ]
    assert set(WARNINGS.values()) == {_reason(*each) for each in warned}


def test_newer_types_are_named_as_drift() -> None:
    """By the older document of the surface, which doesn't know them."""
    files = tuple(file for file in FILES if "responses" in file.name or "vercel" in file.name)
    values = {each.actual for _, _, _, each in _findings(files, ["v1-preview"]) if each.drift}
    assert {"web_search", "apply_patch", "apply_patch_call", "tool_search", "compaction"} <= values


def test_the_command_finds_nothing_wrong_in_all_of_them(tmp_path: Path) -> None:
    """With the rules about objects, which need more than one exchange."""
    assert 0 == main(["judge", *map(str, FILES), "-o", str(tmp_path)])
    verdicts = [one for folder in tmp_path.iterdir() if folder.is_dir() for one in jsonl.read(folder).verdicts]
    assert {"recorded.lifecycle.assistants.1", "recorded.lifecycle.responses.1"} <= {one.scenario for one in verdicts}
    assert [] == [one for one in verdicts if one.outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.NOT_TESTABLE)]

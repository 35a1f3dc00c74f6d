"""Deletions that hang hold no scenario and no end and change no verdict; what they leave is named. The target is asked.

A deletion that hangs here ends only when it is cut off: a run that waited for one would outlast the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from time_limit import within
from whole_run import KEY, Act, Reply, Server, report_of, serving

from conformance.requests.request import Request

VERSION = "2024-05-01-preview"

#: They create assistants, threads and vector stores, and delete nothing themselves. The last one pauses for a second
#: and goes on, long after the others have ended.
SCENARIOS = (
    "corpus.assistants.create",
    "corpus.threads.create",
    "corpus.vector_stores.create",
    "corpus.embeddings.create",
    "lists.threads.runs",
)

#: Seconds that a run here may take on a busy machine.
PATIENCE = 180

#: No deletion is given up before it is cut off.
PATIENT = f"live = false\n[target.timeouts]\nread = {10 * PATIENCE}\nwhole = {10 * PATIENCE}"

#: Seconds for the end, in which most of what hangs can't be tried.
CLEANUP = 3.0


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    """The test fails if it still runs after ``PATIENCE`` seconds."""
    with within(PATIENCE):
        yield


def of_assistants(request: Request, number: int) -> Reply | None:
    """Deletions of assistants hang."""
    return Reply(hangs=True) if request.method == "DELETE" and "/assistants/" in request.url else None


def of_everything(request: Request, number: int) -> Reply | None:
    """All deletions hang."""
    return Reply(hangs=True) if request.method == "DELETE" else None


def of_everything_but_done(request: Request, number: int) -> Reply | None:
    """All deletions do their work and hang."""
    return Reply(hangs=True, done=True) if request.method == "DELETE" else None


def held(server: Server, *kinds: str) -> set[str]:
    """The ids of what the target holds that must be removed: the rest lies in it and goes with it."""
    wanted = kinds or ("assistants", "threads", "vector-stores")
    return {id for (kind, _), found in server.app.store.everything().items() if kind in wanted for id in found._nodes}


def named(report: Any) -> set[str]:
    """The ids of what a report says to be left."""
    return {line.partition(" ")[0].rpartition("/")[2] for line in report.footer["left_behind"]}


def outcomes(report: Any) -> dict[tuple[str, str], str]:
    return {(one.scenario, one.check): one.outcome for one in report.verdicts}


def whole(folder: Path, act: Act, **options: Any) -> tuple[Any, Server]:
    """The report of a run, and the server as it left it."""
    with serving(VERSION, act) as (url, server):
        given = {"profile": "standard", "concurrency": 4, "cleanup_timeout": CLEANUP, "more": PATIENT, **options}
        return report_of(folder, url, VERSION, *SCENARIOS, **given), server


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The report of a run at a target where nothing hangs."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("healthy")
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("AZURE_OPENAI_API_KEY", KEY)
        report, server = whole(folder, lambda request, number: None)
    assert (set(), []) == (held(server), report.footer["left_behind"])
    assert 100 <= len(report.verdicts)
    return report


@pytest.mark.parametrize("act", [of_assistants, of_everything, of_everything_but_done])
def test_all_is_judged_as_at_a_target_where_nothing_hangs_and_what_is_left_is_named(
    tmp_path: Path, healthy: Any, act: Act
) -> None:
    report, server = whole(tmp_path, act)
    assert outcomes(healthy) == outcomes(report)
    kept = {name: healthy.footer[name] for name in ("conclusion", "exit_code", "interrupted")}
    assert kept == {name: report.footer[name] for name in kept}
    if act is of_everything_but_done:  # what was cut off at the last moment nobody could look for
        assert held(server) <= named(report)
    else:
        assert held(server) == named(report)
    assert held(server, "assistants")
    assert (act is of_assistants) == (held(server) == held(server, "assistants"))
    assert [f"{len(named(report))} objects could not be removed; `aoai-conformance cleanup` tries again"] == [
        note for note in report.footer["notes"] if "could not be removed" in note
    ]
    journals = [*(tmp_path / "state").rglob("*.jsonl"), *(tmp_path / "out").rglob("journals/*.jsonl")]
    assert 2 == len(journals), "one in the state folder and one beside the report"


def test_few_of_them_hang_while_scenarios_are_sent(tmp_path: Path, healthy: Any) -> None:
    """Two deletions of an operation, and one sender of two: the other one sends all scenarios."""
    report, server = whole(tmp_path, of_everything, concurrency=2)
    assert outcomes(healthy) == outcomes(report)
    last = max(number for number, one in enumerate(server.requests) if one.method == "POST")
    assert 1 >= sum(one.method == "DELETE" for one in server.requests[:last])

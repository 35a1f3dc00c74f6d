"""The stages of a run: what goes wrong at the end of it loses no report, and workers tell how they ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.server import asgi
from conformance.emulator.server import running as listening
from conformance.errors import HarnessError, UsageError
from conformance.run import running
from conformance.run.choice import choose
from conformance.run.copied import possible
from conformance.run.ending import Ended
from conformance.run.judging import Beside
from conformance.run.process import Process
from conformance.run.session import Session
from conformance.settings.options import Options
from conformance.target import journal_folder
from conformance.target.embedded_clock import stepped
from conformance.target.journal import Journal
from conformance.target.target import Target
from conformance.verdict import Outcome

VERSION = "2024-05-01-preview"
NARROW = ("corpus.assistants.list",)


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Options:
    """A small run against the embedded emulator."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return Options(api_versions=(VERSION,), scenarios=NARROW, out=tmp_path / "out", selection={"--scenario": NARROW})


@pytest.fixture
def elsewhere(options: Options, monkeypatch: pytest.MonkeyPatch) -> Iterator[Options]:
    """The same run against an emulator that is not embedded, so that what it created must be removed."""
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", Settings().key)
    with listening(asgi(App.of(VERSION))) as url:
        yield evolve(options, target=url)


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def judge_all(options: Options) -> Session:
    (chosen,) = choose(options)
    session = Session.open([chosen])
    session.start()
    for item in chosen.items:
        session.verdict(item)
    return session


@pytest.mark.parametrize("embedded", [True, False])
def test_only_the_clock_of_an_embedded_emulator_is_moved(
    options: Options, elsewhere: Options, monkeypatch: pytest.MonkeyPatch, embedded: bool
) -> None:
    """A walk sees two seconds of ``created_at`` either way; elsewhere it has waited for the second one."""
    moved: list[bool] = []

    def watched(url: str, key: str) -> bool:
        moved.append(stepped(url, key))
        return moved[-1]

    monkeypatch.setattr(running, "stepped", watched)
    chosen = evolve(options if embedded else elsewhere, scenarios=("lists.assistants",))
    session = judge_all(evolve(chosen, selection={"--scenario": ["lists.assistants"]}))
    try:
        trace = session.trace(session._opened[VERSION].chosen.items[0])
    finally:
        session.close()
    made = [seen.json["created_at"] for seen in trace if seen.case.step.startswith("create.")]
    assert len(set(made)) > 1
    assert sorted(made) == made
    # The first ones may be of two seconds by chance: then nobody needs another one.
    assert ([True] if embedded and made[0] == made[2] else []) == moved


@pytest.mark.parametrize(
    ("early", "change"),
    [
        (True, {}),
        (False, {"cleanup_timeout": 0.0}),
        (False, {"shrink": 5}),
        (False, {"repeat": 2}),
        (False, {"target": None}),
    ],
    ids=["usual", "no time", "smaller requests", "repetitions", "embedded"],
)
def test_objects_are_removed_during_the_run_where_nothing_needs_them_afterwards(
    elsewhere: Options, early: bool, change: dict[str, Any]
) -> None:
    """A smaller request names the objects of its scenario; a removal beside repetitions would exceed what may be in
    flight; an embedded emulator is ended; and whoever gives no time wants nothing removed.
    """
    session = judge_all(evolve(elsewhere, **change))
    running = session._running
    assert running is not None
    try:
        running._runner.close()
        assert early == running._journal.empty
    finally:
        session.close()


@pytest.mark.parametrize(
    ("place", "error", "told"),
    [
        ((running, "clean"), OSError(28, "No space left on device"), "removing what was created: OSError"),
        ((running, "clean"), KeyboardInterrupt(), "removing what was created was interrupted"),
        ((Journal, "close"), OSError(5, "Input/output error"), "closing the journal: OSError"),
        ((Target, "close"), RuntimeError("a bug"), "closing the connections: RuntimeError: a bug"),
    ],
    ids=["cleanup", "second interrupt", "journal", "connections"],
)
def test_what_goes_wrong_at_the_end_is_told_in_the_report(
    elsewhere: Options, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str], error: BaseException, told: str
) -> None:
    """All verdicts are in the report, and one note says what went wrong."""
    session = judge_all(elsewhere)
    with monkeypatch.context() as patched:
        patched.setattr(*place, failing(error))
        session.close()
    report = session.reports[VERSION]
    assert len(choose(elsewhere)[0].items) == len(report.verdicts)
    assert Outcome.ERROR not in {verdict.outcome for verdict in report.verdicts}
    assert "conformant" == report.footer["conclusion"]
    assert 1 == sum(told in note for note in report.footer["notes"])
    assert 0 == session.exit_code


@pytest.mark.skipif(not possible(), reason="no process can be copied here, or there is one processor")
def test_whoever_does_not_wait_for_the_process_that_judges_loses_nothing(
    elsewhere: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first Ctrl-C at that moment: what was created is removed all the same, and the report is whole."""

    def impatient(beside: Beside) -> None:
        close(beside)
        raise KeyboardInterrupt

    close = Beside.close
    session = judge_all(elsewhere)
    with monkeypatch.context() as patched:
        patched.setattr(Beside, "close", impatient)
        session.close()
    footer = session.reports[VERSION].footer
    assert 1 == sum("ending the process that judges was interrupted" in note for note in footer["notes"])
    assert [] == [*journal_folder.default_folder().glob("*")]


def test_a_second_signal_before_the_removal_leaves_it_to_the_journal(
    elsewhere: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It means the same as a second one in the removal: an end, now. The report names what is left."""
    # Without time nothing is removed while the run sends.
    session = judge_all(evolve(elsewhere, cleanup_timeout=0.0))
    made = session._running
    assert made is not None
    pending = len(made._journal.pending)

    def interrupted() -> None:
        patched.setattr(made._runner, "settle", settle)
        raise KeyboardInterrupt

    settle = made._runner.settle
    with monkeypatch.context() as patched:
        patched.setattr(made._runner, "settle", interrupted)
        patched.setattr(running, "clean", failing(AssertionError("a request would be sent")))
        session.close(interrupted=True)
    footer = session.reports[VERSION].footer
    assert (pending, 130) == (len(footer["left_behind"]), session.exit_code)
    assert pending > 0
    assert 1 == len([*journal_folder.default_folder().glob("*.jsonl")])
    assert not any("a request would be sent" in note for note in footer["notes"])


def test_an_embedded_emulator_is_ended_and_not_cleaned(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its objects end with it, so no request is spent on them, and no journal is left for ``cleanup``."""
    session = judge_all(options)
    with monkeypatch.context() as patched:
        patched.setattr(running, "clean", failing(AssertionError("a request would be sent")))
        session.close()
    footer = session.reports[VERSION].footer
    assert ([], [], 0) == (footer["notes"], footer["left_behind"], session.exit_code)
    assert [] == [*journal_folder.default_folder().glob("*")]


def test_a_good_end_has_nothing_to_tell(options: Options) -> None:
    """Without trouble there is no note of any."""
    session = judge_all(options)
    session.close()
    assert [] == session.reports[VERSION].footer["notes"]


def test_what_workers_left_is_in_the_report(options: Options) -> None:
    """The controlling process adds up what its workers could not remove, and what went wrong with them."""
    (chosen,) = choose(options)
    session = Session.open([chosen], workers=2)
    session.choose({item.id for item in chosen.items})
    told = session.handoff()
    for number, left in enumerate(("files.delete: {'file': 'f1'}", "files.delete: {'file': 'f2'}")):
        worker = Session.join([chosen], told, Process(f"gw{number}", 2))
        worker.start()
        for item in chosen.items:
            if worker.process.owns(VERSION, item.scenario):
                worker.verdict(item)
        worker.close()
        assert {} == worker.reports
        session.hear(worker.outcome())
        session.hear(
            {"ended": {VERSION: Ended((left,), unanswered=("files.upload at /files",)).to_json()}, "spent": {}}
        )
    session.close()
    report = session.reports[VERSION]
    assert len(chosen.items) == len(report.verdicts)
    assert ["files.delete: {'file': 'f1'}", "files.delete: {'file': 'f2'}"] == report.footer["left_behind"]
    assert [True, True] == [note.startswith("2 ") for note in report.footer["notes"]]


def test_a_worker_that_can_not_begin_is_told_and_is_no_fault_of_ours(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can't get a token of its own, for example: its items say so, and the run ends as a mistake of its user."""
    (chosen,) = choose(options)
    session = Session.open([chosen], workers=1)
    session.choose({item.id for item in chosen.items})
    worker = Session.join([chosen], session.handoff(), Process("gw0", 1))
    monkeypatch.setattr(running, "Target", failing(UsageError("nobody is signed in")))
    worker.start()
    for item in chosen.items:
        with pytest.raises(UsageError, match="signed in"):
            worker.verdict(item)
    worker.close()
    session.hear(worker.outcome())
    session.close()
    assert (2, [f"incomplete: {VERSION}: nobody is signed in"]) == (session.exit_code, [*session.summary()][-1:])


def test_an_api_version_that_is_over_does_not_begin_again(options: Options) -> None:
    """Its evidence is closed: asking for more is an error, not a second run."""
    session = judge_all(options)
    (item, *_) = session._opened[VERSION].chosen.items
    session.close()
    with pytest.raises(HarnessError, match="is over"):
        session.verdict(item)

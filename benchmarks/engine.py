"""The engine alone: everything but the network, in one process.

The answers of an emulator to the standard profile are noted once, one request at a time. Then the same scenarios run
again and get these answers from memory: the requests are derived, guarded, written down in the journal, cleaned of
secrets and kept as evidence in a file, and all items are judged and written, as in a run. Only the transport is another
one: nothing is written to a socket, and no HTTP is parsed.

    python -m benchmarks.engine [--api-version V] [--rounds 3]

Prints exchanges per second of the middle round. Fails if a verdict differs from those of the recording.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from attrs import evolve

from benchmarks.beside import KEY
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS, Settings
from conformance.emulator.process import starting
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.run.order import queued
from conformance.run.recorder import Recorder
from conformance.run.runner import Runner
from conformance.run.selection import Item, checks_of, items_of, scenarios_in
from conformance.run.store import InFile
from conformance.scenarios.scenario import Settings as ScriptSettings
from conformance.settings.configuration import Config, Limits, Timeouts
from conformance.settings.configuration import Target as TargetConfig
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.embedded_clock import stepped
from conformance.target.journal import Journal
from conformance.target.preflight import preflight
from conformance.target.target import Target
from conformance.target.transport import Answer, Transport
from conformance.verdict import Outcome

#: Polls don't wait: what is measured is what the engine does, not what it waits for.
AT_ONCE = ScriptSettings(poll_interval=0.0, deadline=5.0, read_after_write=0.0, deterministic=True)

Outcomes: TypeAlias = "Mapping[tuple[str, str], str]"


class Recording:
    """The answers of a target to each request, in the order in which they came. Replayed, the last one stays."""

    def __init__(self) -> None:
        self._answers: defaultdict[tuple[str, str, bytes], list[Answer]] = defaultdict(list)
        self._next: Counter[tuple[str, str, bytes]] = Counter()

    def note(self, request: Request, answer: Answer) -> None:
        """Add an answer."""
        self._answers[_key(request)].append(answer)

    def rewind(self) -> None:
        """Begin again with the first answers."""
        self._next.clear()

    def answer(self, request: Request) -> Answer:
        """The next answer to a request. Raises :class:`KeyError` for one that is not in the recording."""
        key = _key(request)
        if key not in self._answers:
            raise KeyError(f"nobody recorded {request.method} {request.url}")
        answers = self._answers[key]
        answer = answers[min(self._next[key], len(answers) - 1)]
        self._next[key] += 1
        # A copy: what a check computes from an answer is kept in it.
        return evolve(answer, response=answer.response and evolve(answer.response))


class Noting(Transport):
    """Sends, and notes the answers."""

    def __init__(self, recording: Recording, origin: str) -> None:
        super().__init__(origin, Timeouts(), Limits())
        self._recording = recording

    def send(self, request: Request, *given: Any, **named: Any) -> Answer:
        """Send it."""
        answer = super().send(request, *given, **named)
        self._recording.note(request, answer)
        return answer


class Replaying(Noting):
    """Sends nothing: the answers come from the recording."""

    def send(self, request: Request, *_: Any, **__: Any) -> Answer:
        """The next answer to it."""
        return self._recording.answer(request)


def _key(request: Request) -> tuple[str, str, bytes]:
    """What makes a request another one. Two that differ only in their credential are told apart by their order."""
    return request.method, request.url, request.body


class Marked(Target):
    """A target whose requests have the same marks each time."""

    def bindings(self, case: Case) -> dict[str, str]:
        """The values that a run has, without randomness."""
        found = super().bindings(case)
        return {**found, "run": f"{self.run_id}-{case.id:>016}"} if case.creates else found


@contextmanager
def engine(spec: Spec, url: str, folder: Path) -> Iterator[tuple[Target, Journal]]:
    """A target whose marks are the same each time."""
    able = {one.name: one.abilities for one in DEFAULT_DEPLOYMENTS}
    config = Config(target=TargetConfig(url=url, key=KEY, live=False, deployments=able, deterministic=True))
    with (
        Journal(folder, target=url, api_version=spec.version, sync=False) as journal,
        Marked(config, spec, journal=journal, run_id="00000000") as target,
    ):
        yield target, journal


def run(
    spec: Spec, items: tuple[Item, ...], target: Target, *, folder: Path, step: Callable[[], bool]
) -> tuple[int, float, Outcomes]:
    """Requests, seconds, and the outcome of each item."""
    options = Options()
    found = preflight(target, spec)
    scenarios = queued(scenarios_in(spec, options))
    recorder = Recorder(folder, "", {"api_version": spec.version})
    with Runner(
        spec,
        scenarios,
        checks_of(options),
        target,
        concurrency=1,
        settings=AT_ONCE,
        preflight=found,
        store=InFile(recorder),
        another_second=step,
    ) as runner:
        began = time.monotonic()
        verdicts = []
        for item in items:
            verdicts.append(runner.verdict(item.scenario, item.check.id))
            recorder.verdict(verdicts[-1])
        seconds = time.monotonic() - began
    recorder.close()
    report = recorder.report
    assert report is not None
    requests = sum(len(report.outline(name).cases) for name in report.traces)
    bad = next((one for one in verdicts if one.outcome is Outcome.ERROR), None)
    if bad is not None:
        raise SystemExit(f"{bad.scenario}: {bad.reason}")
    return requests, seconds, {(one.scenario, one.check): one.outcome.value for one in verdicts}


def main() -> None:
    """Record once, then replay in rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--api-version", default="2024-05-01-preview")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    spec, options = load(given.api_version), Options()
    items = items_of(spec, scenarios_in(spec, options), checks_of(options))
    recording = Recording()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with starting([spec.version], settings=Settings(key=KEY), steps=True) as ready:
            url = ready()
            with engine(spec, url, home / "first") as (target, _):
                target._transport = Noting(recording, target.origin)
                _, _, wanted = run(spec, items, target, folder=home / "first", step=lambda: stepped(url, KEY))
        rates = []
        for number in range(given.rounds):
            folder = home / str(number)
            with engine(spec, url, folder) as (target, _):
                recording.rewind()
                target._transport = Replaying(recording, target.origin)
                requests, seconds, outcomes = run(spec, items, target, folder=folder, step=lambda: True)
            different = {item: (wanted[item], outcome) for item, outcome in outcomes.items() if wanted[item] != outcome}
            if different:
                raise SystemExit(
                    f"{len(different)} verdicts differ from those of the recording: {next(iter(different))}"
                )
            rates.append(requests / seconds)
    told = ", ".join(f"{outcome} {many}" for outcome, many in sorted(Counter(wanted.values()).items()))
    print(f"{requests} exchanges, {len(items)} verdicts ({told}), the same as those of the recording")
    print(f"sent, judged and recorded {statistics.median(rates):.0f}/s in one process")


if __name__ == "__main__":
    main()

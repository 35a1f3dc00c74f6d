"""A whole run against a target that gives one answer to everything: the real runner, target and judge, no socket."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest.mock import patch
from urllib.parse import unquote

from attrs import frozen
from imported import spec_of
from null_answers import ANSWERS, NullAnswer

from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS
from conformance.errors import ConformanceError
from conformance.evidence.exchange import Fault, FaultKind
from conformance.requests.request import Request
from conformance.requests.wire import PLACEHOLDER
from conformance.run.runner import Runner
from conformance.run.selection import checks_of, items_of, scenarios_in
from conformance.scenarios.scenario import Scenario, Settings
from conformance.settings.configuration import Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.settings.options import Options
from conformance.spec.spec import Spec
from conformance.target.journal import Journal
from conformance.target.preflight import Preflight, preflight
from conformance.target.target import Target
from conformance.target.transport import Answer
from conformance.verdict import Outcome, Verdict, conclude

#: Polls and waits that end at once. Everything is sent: nothing may pass because it was left out.
AT_ONCE = Settings(poll_interval=0.001, deadline=0.002, read_after_write=0.002, deterministic=True, give_up_after=0)

#: Placeholders of objects as corpora name them: path parameters, with a word for the purpose of a file.
OBJECT = re.compile(r"[a-z_]+[_-]id(\.[a-z-]+)?")


class Repeating:
    """A transport that answers from memory, and remembers which placeholders would have left the machine."""

    def __init__(self, answer: NullAnswer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.literal: set[str] = set()

    def send(
        self,
        request: Request,
        cancel_after: int | None = None,
        *,
        fresh: bool = False,
        seconds: float | None = None,
    ) -> Answer:
        """One attempt, as :class:`conformance.target.transport.Transport` makes it."""
        sent = unquote(request.url) + request.body.decode("utf-8", "replace")
        with self._lock:
            self.literal |= {name for name in PLACEHOLDER.findall(sent) if OBJECT.fullmatch(name)}
        response = self._answer(request)
        if response is None:
            return Answer(None, Fault(FaultKind.CLOSED, "the connection was closed", 0.0), True, False)
        return Answer(response, None, True, True)

    def close(self) -> None:
        """Nothing is open."""

    abort = resume = close


@frozen
class Told:
    """What a run says: its verdicts, its exit code, the placeholders that were sent as they stand.

    ``refused`` is the reason where the preflight ended the run.
    """

    verdicts: tuple[Verdict, ...] = ()
    exit_code: int = 0
    literal: frozenset[str] = frozenset()
    refused: str = ""

    @property
    def passed(self) -> frozenset[str]:
        """The checks that passed somewhere."""
        return frozenset(one.check for one in self.verdicts if one.outcome is Outcome.PASS)

    @property
    def crashed(self) -> list[str]:
        """Our own faults."""
        return [f"{one.check} {one.scenario}: {one.reason}" for one in self.verdicts if one.outcome is Outcome.ERROR]


@cache
def _parts(version: str) -> tuple[Spec, tuple[Scenario, ...]]:
    spec = spec_of(version)
    return spec, scenarios_in(spec, Options())


@contextmanager
def _target(spec: Spec, transport: Repeating) -> Iterator[Target]:
    able = {one.name: one.abilities for one in DEFAULT_DEPLOYMENTS}
    target = TargetConfig(url="http://127.0.0.1:9", key="canary", live=False, deployments=able, retries=0)
    config = Config(target=target)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("conformance.target.target.Transport", lambda *_: transport),
    ):
        journal = Journal(Path(folder), target="null", api_version=spec.version, sync=False)
        try:
            with Target(config, spec, journal=journal) as target:
                yield target
        finally:
            journal.close()


@cache
def told(version: str, name: str, *, looked: bool) -> Told:
    """What a run of an api-version says of a target with this answer.

    ``looked``: a preflight says beforehand what isn't served. Without one everything is sent, which is harder.
    """
    spec, scenarios = _parts(version)
    checks = checks_of(Options())
    transport = Repeating(ANSWERS[name])
    with _target(spec, transport) as target:
        try:
            found = preflight(target, spec) if looked else Preflight()
        except ConformanceError as error:
            return Told(exit_code=error.exit_code, refused=str(error))
        with Runner(spec, scenarios, checks, target, settings=AT_ONCE, concurrency=1, preflight=found) as runner:
            items = items_of(spec, scenarios, checks)
            verdicts = (*(runner.verdict(item.scenario, item.check.id) for item in items), *found.verdicts())
            sent = sum(len(runner.trace(scenario.id).observations) for scenario in scenarios)
    return Told(verdicts, conclude(verdicts, executed=sent).exit_code, frozenset(transport.literal))

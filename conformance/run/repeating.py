"""``--repeat N``: scenarios with a failure or a warning are sent again, so that N runs of them are judged in all.

A repetition is sent in the same process, to the same target, with the same budget and journal, after all scenarios of
the process have ended. Its evidence is kept as a trace of its own; ``judging/repeats.py`` says what becomes of the
verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TypeAlias

from attrs import evolve

from conformance.errors import HarnessError
from conformance.evidence.outline import Outline, outline_of
from conformance.evidence.trace import Trace
from conformance.judging.repeats import as_repetition, folded
from conformance.run.recorder import Recorder
from conformance.run.runner import Runner
from conformance.run.store import InFile
from conformance.verdict import Outcome, Verdict

__all__ = ["Key", "Repeats", "trace_of"]

#: An item of one api-version: the ids of its scenario and check.
Key: TypeAlias = "tuple[str, str]"

_REPEATED = (Outcome.FAIL, Outcome.WARN)


class Repeats:
    """Sends what failed again, until it was sent ``times`` in all.

    ``known`` applies waivers and baseline to a verdict, ``hidden`` takes secrets out of a verdict, ``sending`` makes a
    runner of some scenarios that leaves their evidence in a store.
    """

    def __init__(
        self,
        times: int,
        known: Callable[[Verdict], Verdict],
        hidden: Callable[[Verdict], Verdict],
        recorder: Recorder,
        sending: Callable[[Collection[str], InFile], Runner],
    ) -> None:
        self._times, self._known, self._hidden = times, known, hidden
        self._recorder, self._sending = recorder, sending

    @property
    def wanted(self) -> bool:
        """True if anything may be sent again."""
        return self._times > 1

    def all_times(self, first: Mapping[Key, Verdict]) -> Mapping[Key, Verdict]:
        """The verdicts of all times. All verdicts of a repeated scenario are judged again, also those that passed.

        ``first`` holds all verdicts of this process. Traces are recorded as they come, verdicts at the end, even if an
        exception such as Ctrl-C ends the repetitions early. Raises :class:`OSError` if the disk is full.
        """
        failed = dict.fromkeys(scenario for (scenario, _), one in first.items() if one.outcome in _REPEATED)
        keys = {scenario: [key for key in first if key[0] == scenario] for scenario in failed}
        again: dict[Key, list[tuple[Outline, Verdict]]] = {key: [] for own in keys.values() for key in own}
        final = dict(first)
        try:
            for number in range(2, self._times + 1) if failed else ():
                store = InFile(self._recorder, number)
                with self._sending(failed, store) as runner:
                    runner.start()
                    for scenario in failed:
                        judged = {key: _unwaived(self._hidden(runner.verdict(*key))) for key in keys[scenario]}
                        store.judged(scenario, partial(trace_of, runner, scenario))
                        outline = outline_of(as_repetition(trace_of(runner, scenario), number))
                        for key, verdict in judged.items():
                            again[key].append((outline, verdict))
        finally:
            for key, times in again.items():
                if times:
                    final[key] = self._known(folded(_unwaived(first[key]), times))
                    self._recorder.verdict(final[key])
        return final


def trace_of(runner: Runner, scenario: str) -> Trace:
    """The evidence of a scenario; empty if its script crashed."""
    try:
        return runner.trace(scenario)
    except HarnessError as error:
        return Trace(scenario, ended=str(error), outcome=Outcome.ERROR)


def _unwaived(verdict: Verdict) -> Verdict:
    """The verdict as it would be without waivers and baseline."""
    return evolve(verdict, outcome=verdict.unwaived, waived=None)

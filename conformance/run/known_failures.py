"""Known failures, which don't decide the conclusion: those that are waived, and those of an earlier run. Pure
functions.

None may outlive its reason. A waiver that has expired or matches nothing, and an entry of a baseline that no longer
fails, are named, and the command ends with exit code 1 until they are removed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date

from attrs import evolve, field, frozen

from conformance.settings.waivers import Waiver
from conformance.verdict import Outcome, Verdict, Waived

__all__ = ["Baseline", "KnownFailures"]

#: Outcomes that can't be waived: a pass needs no waiver, and an internal error is never tolerated.
_OUT_OF_REACH = (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.ERROR)

#: Outcomes that don't show whether a failure still exists.
_UNDECIDED = (Outcome.ERROR, Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE, Outcome.NOT_TESTABLE)


@frozen
class Baseline:
    """The failures of an earlier run: by scenario and check, the day since when each is known.

    ``day`` is the date of that run, or "" without a baseline; ``profile`` and ``seed`` decided what it sent.
    """

    day: str = ""
    profile: str = ""
    seed: int = 0
    since: Mapping[tuple[str, str], str] = field(factory=dict, repr=False)


@frozen
class KnownFailures:
    """The waivers and the baseline of one api-version, on one day."""

    version: str
    today: date
    waivers: tuple[Waiver, ...] = ()
    baseline: Baseline = Baseline()

    def applied(self, verdict: Verdict, operations: Iterable[str]) -> Verdict:
        """The verdict, waived if a valid waiver covers it or if the baseline has the same failure."""
        if verdict.outcome in _OUT_OF_REACH:
            return verdict
        names = tuple(operations)
        for waiver in self.waivers:
            if self.today <= waiver.expires and waiver.covers(self.version, verdict.check, verdict.scenario, names):
                day = waiver.expires.isoformat()
                return _waived(verdict, Waived(verdict.outcome, waiver.owner, waiver.reason, waiver.link, day))
        since = self.baseline.since.get((verdict.scenario, verdict.check))
        # A baseline holds failures only, so a warning is never hidden by it.
        if since and verdict.outcome is Outcome.FAIL:
            return _waived(verdict, Waived(verdict.outcome, since=since))
        return verdict

    def outdated(
        self,
        verdicts: Sequence[Verdict],
        operations: Mapping[str, Sequence[str]],
        *,
        whole: bool,
        comparable: bool = True,
        undecided: Collection[str] = (),
        elsewhere: Collection[Waiver] = (),
    ) -> Iterator[str]:
        """One line for each waiver and each entry of the baseline that should be removed: its name, and what to do.

        ``operations`` are those of each scenario. ``whole`` is False if only a part was judged: a waiver that matches
        nothing may then belong to another part. ``comparable`` is False if the baseline's run sent other requests: its
        failures may then still exist. ``undecided`` are scenarios of which something was left out, ``elsewhere`` the
        waivers that match something in another api-version.
        """
        for waiver in self.waivers:
            if not waiver.meant_for(self.version):
                continue
            # A waiver still holds on the day that it names.
            if waiver.expires < self.today:
                yield (
                    f"{waiver.name} ended on {waiver.expires}: remove it from the configuration, or set a later "
                    "date that somebody answers for"
                )
            elif whole and waiver not in elsewhere:
                yield from self._unmatched(waiver, verdicts, operations, undecided)
        if not (whole and comparable):
            return
        now = {(verdict.scenario, verdict.check): verdict.outcome for verdict in verdicts}
        for (scenario, check), since in self.baseline.since.items():
            found = now.get((scenario, check))
            if found not in (Outcome.FAIL, Outcome.WAIVED, *_UNDECIDED) and scenario not in undecided:
                state = "is no longer part of the run" if found is None else f"no longer fails ({found.value})"
                yield (
                    f"the baseline's {check} in {scenario} (known since {since}) {state}: "
                    "take the folder of this run as the new baseline"
                )

    def _unmatched(
        self,
        waiver: Waiver,
        verdicts: Sequence[Verdict],
        operations: Mapping[str, Sequence[str]],
        undecided: Collection[str],
    ) -> Iterator[str]:
        """Yield a line for a waiver that matches no failure."""
        fitting = [
            verdict
            for verdict in verdicts
            if waiver.covers(self.version, verdict.check, verdict.scenario, operations.get(verdict.scenario, ()))
        ]
        if any(one.outcome in (Outcome.WAIVED, *_UNDECIDED) or one.scenario in undecided for one in fitting):
            return
        what = "nothing that it covers fails" if fitting else "it fits nothing that is judged"
        yield (
            f"{waiver.name} matches nothing in {self.version} ({what}): remove it from the configuration, or say with "
            "api_version where it holds"
        )


def _waived(verdict: Verdict, waived: Waived) -> Verdict:
    """The verdict with the outcome ``waived``."""
    return evolve(verdict, outcome=Outcome.WAIVED, waived=waived)

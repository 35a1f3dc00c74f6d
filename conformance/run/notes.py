"""What a report holds besides the verdicts on items: verdicts on claims, and notes about the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conformance.requests.profile import Profile
from conformance.run.scope import chosen_names, scope_of
from conformance.run.selection import fits_elsewhere
from conformance.spec.operations import operations_of
from conformance.verdict import Verdict

if TYPE_CHECKING:
    from conformance.run.version_run import VersionRun

__all__ = ["claims", "notes", "outdated"]


def claims(run: VersionRun) -> tuple[Verdict, ...]:
    """The verdicts on claims that belong to the chosen part of the run: one for each wrong claim."""
    found = tuple(run.known.applied(verdict, (verdict.scenario.partition(".")[2],)) for verdict in run.found.verdicts())
    if not run.options.selection:
        return found
    # A user who chose a part of the suite expects verdicts on that part only.
    chosen = chosen_names(run)
    return tuple(verdict for verdict in found if verdict.scenario.partition(".")[2] in chosen)


def outdated(run: VersionRun, verdicts: Sequence[Verdict], cut: bool) -> tuple[str, ...]:
    """The waivers and entries of the baseline that should be removed, by all verdicts of the run.

    ``cut`` is True if not all items were judged.
    """
    scope = scope_of(run)
    operations = {scenario.id: scenario.operations for scenario in run.scenarios}
    operations |= {v.scenario: (v.scenario.partition(".")[2],) for v in verdicts if v.scenario not in operations}
    expensive = {
        scenario.id
        for scenario in run.scenarios
        if {scenario.expensive, *(case.expensive for case in scenario.cases)} & set(scope.left_out)
    }
    fitting = {
        waiver
        for waiver in run.known.waivers
        if not any(waiver.covers(run.spec.version, v.check, v.scenario, operations[v.scenario]) for v in verdicts)
        and fits_elsewhere(waiver, run.spec, run.options.specs)
    }
    whole = not (cut or scope.selection or scope.profile == Profile.SMOKE)
    before = run.known.baseline
    comparable = (before.profile, before.seed) == (scope.profile, run.options.seed)
    return tuple(
        run.known.outdated(
            verdicts, operations, whole=whole, comparable=comparable, undecided=expensive, elsewhere=fitting
        )
    )


def wrong_place(run: VersionRun) -> str:
    """A hint for a target that knows no route: to which path requests were sent, and how to change it."""
    target = run.config.target if run.config else None
    if target is None:
        return "does the target know this api-version?"
    base = run.spec.base_path if target.base_path is None else target.base_path
    path = urlsplit(target.url).path.rstrip("/")
    twice = f' The URL has a path of its own ({path}); base_path = "" sends to it alone.' if path and base else ""
    return (
        f"requests went to {target.url.rstrip('/')}{base}/…; does the target know this api-version, and is base_path "
        f"in [target] of conformance.toml right?{twice}"
    )


def notes(run: VersionRun) -> Iterator[str]:
    """Yield what a reader of the report should know about the run."""
    known = operations_of(run.spec)
    looked_at = {known[name].resource for name in run.found.cases if name in known}
    if looked_at and looked_at <= set(run.found.resources):
        yield f"nothing of {run.spec.version} is served: {wrong_place(run)}"
    if len(run.chosen) < len(run.items):
        yield f"pytest left {len(run.chosen)} of {len(run.items)} items to be judged (-k, -m, --lf or another plugin)"
    if run.cleaned.left:
        again = "" if run.embedded else "; `aoai-conformance cleanup` tries again"
        yield f"{len(run.cleaned.left)} objects could not be removed{again}"
    if run.cleaned.unknown:
        yield f"{run.cleaned.unknown} creates gave no id (no answer, or none with an id in it): something may be left"
    if not run.spec.complete:
        yield "the documents of this api-version are incomplete: " + "; ".join(run.spec.gaps)
    missing = [op for op in known if op not in {o for s in run.scenarios for o in s.operations}]
    if missing and not run.options.selection:
        yield "operations without a scenario: " + ", ".join(missing)

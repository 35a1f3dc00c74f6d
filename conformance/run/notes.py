"""What a report holds besides the verdicts of items: verdicts on claims, and notes on the run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conformance.run.scope import chosen_names
from conformance.spec.operations import operations_of
from conformance.verdict import Verdict

if TYPE_CHECKING:
    from conformance.run.version_run import VersionRun

__all__ = ["claims", "notes"]


def claims(run: VersionRun) -> tuple[Verdict, ...]:
    """The verdicts on claims, of the chosen part."""
    found = run.runner.claims() if run.runner is not None else run.found.verdicts()
    if not run.options.selection:
        return found
    # Who chose a part is told about that part only.
    chosen = chosen_names(run)
    return tuple(verdict for verdict in found if verdict.scenario.partition(".")[2] in chosen)


def wrong_place(run: VersionRun) -> str:
    """What to look at where every route is answered as unknown: where the requests went, and how to change that."""
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
    """What a reader of the report should know of the run."""
    known = operations_of(run.spec)
    looked_at = {known[name].resource for name in run.found.cases if name in known}
    if looked_at and looked_at <= set(run.found.resources):
        yield f"nothing of {run.spec.version} is served: {wrong_place(run)}"
    if len(run.chosen) < len(run.items):
        yield f"pytest left {len(run.chosen)} of {len(run.items)} items to be judged (-k, -m, --lf or another plugin)"
    today = datetime.now(UTC).date()
    for waiver in run.config.waivers if run.config else ():
        if waiver.expires < today:
            yield f"the waiver of {waiver.owner} for {waiver.check} ended on {waiver.expires}"
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

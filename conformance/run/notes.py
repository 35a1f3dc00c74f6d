"""What a report holds besides the verdicts on items: its header, verdicts on claims, and notes about the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from conformance.redaction import SHORTEST
from conformance.requests.profile import Profile
from conformance.run import recording
from conformance.run.ending import Ended
from conformance.run.opening import Opened
from conformance.run.scenario_settings import default_concurrency
from conformance.run.scope import chosen_names, scope_of
from conformance.run.selection import Item, checks_of, fits_elsewhere
from conformance.spec.operations import operations_of
from conformance.target.proxy import proxy_for
from conformance.verdict import Verdict

__all__ = ["around", "claims", "header", "notes", "outdated"]


def header(run: Opened, items: Sequence[Item], started: str) -> dict[str, Any]:
    """The header of the report. ``items`` are those that pytest selected."""
    chosen, target = run.chosen, run.config.target
    about: dict[str, Any] = {"url": target.url, "auth": target.auth, "embedded": run.embedded}
    if target.base_path is not None:
        about["base_path"] = target.base_path
    checks, seed = checks_of(chosen.options), chosen.options.seed
    return recording.header_of(chosen.spec, scope_of(run, items), checks, about, seed=seed, started=started)


def claims(run: Opened) -> tuple[Verdict, ...]:
    """The verdicts on claims that belong to the chosen part of the run: one for each wrong claim."""
    known = run.chosen.known
    found = tuple(known.applied(verdict, (verdict.scenario.partition(".")[2],)) for verdict in run.found.verdicts())
    if not run.chosen.options.selection:
        return found
    # A user who chose a part of the suite expects verdicts on that part only.
    names = chosen_names(run.chosen)
    return tuple(verdict for verdict in found if verdict.scenario.partition(".")[2] in names)


def outdated(run: Opened, items: Sequence[Item], verdicts: Sequence[Verdict], cut: bool) -> tuple[str, ...]:
    """The waivers and entries of the baseline that should be removed, by all verdicts of the run.

    ``cut`` is True if not all items were judged.
    """
    chosen, known = run.chosen, run.chosen.known
    scope = scope_of(run, items)
    operations = {scenario.id: scenario.operations for scenario in chosen.scenarios}
    # Verdicts on claims have scenarios of their own, ``resource.files`` for example, which no script has.
    operations |= {v.scenario: (v.scenario.partition(".")[2],) for v in verdicts if v.scenario not in operations}
    expensive = {
        scenario.id
        for scenario in chosen.scenarios
        if {scenario.expensive, *(case.expensive for case in scenario.cases)} & set(scope.left_out)
    }
    fitting = {
        waiver
        for waiver in known.waivers
        if not any(waiver.covers(chosen.version, v.check, v.scenario, operations[v.scenario]) for v in verdicts)
        and fits_elsewhere(waiver, chosen.spec, chosen.options.specs)
    }
    # A small profile sends too little to say that a failure is gone.
    whole = not (cut or scope.selection or scope.profile in Profile.CHOSEN)
    before = known.baseline
    # Another profile or seed sends other requests, in which the failure may not show.
    comparable = (before.profile, before.seed) == (scope.profile, chosen.options.seed)
    return tuple(
        known.outdated(verdicts, operations, whole=whole, comparable=comparable, undecided=expensive, elsewhere=fitting)
    )


def wrong_place(run: Opened) -> str:
    """A hint for a target that knows no route: to which path requests were sent, and how to change it."""
    target = run.config.target
    base = run.chosen.spec.base_path if target.base_path is None else target.base_path
    path = urlsplit(target.url).path.rstrip("/")
    twice = f' The URL has a path of its own ({path}); base_path = "" sends to it alone.' if path and base else ""
    return (
        f"requests went to {target.url.rstrip('/')}{base}/…; does the target know this api-version (`init` asks which "
        f"it serves, --api-version V judges another), and is base_path in [target] of conformance.toml right?{twice}"
    )


def _protected(run: Opened, items: Sequence[Item]) -> Iterator[str]:
    """Yield a line on what was left out or hidden because the target is live, and which key changes that."""
    target = run.config.target
    if not target.protected:
        return
    told = "as [target] live says" if run.chosen.config.target.live else "which is the default for all but our emulator"
    parts = ["contents and ids of objects of others are hidden"]
    parts += [f"at most {default_concurrency(live=True)} requests at a time"] * (not run.chosen.options.concurrency)
    left = scope_of(run, items).left_out
    parts += [f"left out as expensive: {', '.join(left)} ([budget] expensive allows them)"] * bool(left)
    yield f"the target is protected as a live resource, {told}: {'; '.join(parts)}; [target] live = false changes that"


def around(run: Opened) -> Iterator[str]:
    """Yield what a reader should know about the machine that ran: its key, and its way to the target."""
    if 0 < len(run.config.target.key) < SHORTEST and not run.embedded:
        yield (
            f"the key has fewer than {SHORTEST} characters: it is hidden in headers, and elsewhere only where it is a "
            "whole value; a longer key is hidden wherever it stands"
        )
    proxy = proxy_for(run.config.target.url)
    if proxy is not None:
        yield f"the target was reached through the proxy {proxy.url}, as the environment says"


def notes(run: Opened, items: Sequence[Item], ended: Ended, around: Sequence[str]) -> Iterator[str]:
    """Yield what a reader of the report should know about the run. ``items`` are those that pytest selected, ``around``
    the notes on the machine, or on all machines whose shards are merged.
    """
    chosen, spec = run.chosen, run.chosen.spec
    known = operations_of(spec)
    looked_at = {known[name].resource for name in run.found.cases if name in known}
    if looked_at and looked_at <= set(run.found.resources):
        yield f"nothing of {spec.version} is served: {wrong_place(run)}"
    yield from _protected(run, items)
    yield from around
    if len(items) < len(chosen.items):
        yield f"pytest left {len(items)} of {len(chosen.items)} items to be judged (-k, -m, --lf or another plugin)"
    yield from (f"at the end of the run something went wrong: {trouble}" for trouble in ended.troubles)
    if ended.left:
        again = "" if run.embedded else "; `aoai-conformance cleanup` tries again"
        yield f"{len(ended.left)} objects could not be removed{again}"
    if ended.staying:
        yield (
            f"{len(ended.staying)} objects stay because the API has no operation that removes them; the footer of "
            "report.jsonl lists them (cannot_be_removed)"
        )
    if ended.unanswered:
        yield f"{len(ended.unanswered)} creates gave no id (no answer, or none with an id in it): something may be left"
    if not spec.complete:
        yield "the documents of this api-version are incomplete: " + "; ".join(spec.gaps)
    missing = [op for op in known if op not in {o for s in chosen.scenarios for o in s.operations}]
    if missing and not chosen.options.selection:
        yield "operations without a scenario: " + ", ".join(missing)

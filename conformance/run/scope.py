"""The scope of a run, computed from the options, the target's claims and the result of the preflight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from conformance.run.choice import Chosen
from conformance.run.opening import Opened
from conformance.run.plan import plan
from conformance.run.selection import Item, claimable
from conformance.settings.configuration import Target
from conformance.settings.scope import RunScope
from conformance.spec.operations import operations_of

__all__ = ["chosen_names", "scope_of"]


def chosen_names(chosen: Chosen) -> frozenset[str]:
    """The operations and resources that the chosen scenarios use."""
    known = operations_of(chosen.spec)
    operations = {name for scenario in chosen.scenarios for name in scenario.operations}
    return frozenset(operations | {known[name].resource for name in operations if name in known})


def _lacking(target: Target, capability: str) -> Iterator[str]:
    """Yield the smallest parts of ``a+b+c`` that no deployment has: ``a``, else ``a+b`` and ``a+c``, else all of it."""
    if target.deployment_for(capability) is not None:
        return
    kind, *words = capability.split("+")
    if target.deployment_for(kind) is None:
        yield kind
        return
    # Each ability alone may be there, but in no deployment together.
    lacking = [f"{kind}+{word}" for word in words if target.deployment_for(f"{kind}+{word}") is None]
    yield from lacking or [capability]


def scope_of(run: Opened, items: Sequence[Item]) -> RunScope:
    """The scope of one api-version of a run, after preflight. It is the only function that makes one for a report.

    ``items`` are those that pytest selected.
    """
    chosen, options, known = run.chosen, run.chosen.options, run.chosen.known
    target, budget = run.config.target, run.config.budget
    names, own = chosen_names(chosen), claimable(chosen.spec)
    planned = plan(chosen.spec, chosen.scenarios)
    # An emulator costs nothing, so nothing is forbidden there.
    forbidden = {k: n for k, n in planned.expensive if target.protected and k not in budget.expensive}
    needed = {case.capability for scenario in chosen.scenarios for case in scenario.cases if case.capability}
    unclaimed = {word for capability in needed for word in _lacking(target, capability)}
    caps = {name: getattr(budget, name) for name in ("requests", "tokens", "images", "seconds")}
    left = f"{len(items)} of {len(chosen.items)} items" if len(items) < len(chosen.items) else ""
    return RunScope(
        profile=options.profile,
        operations=options.operations,
        scenarios=options.scenarios,
        checks=options.checks,
        families=options.families,
        shard=options.shard,
        pytest=left,
        unsupported={
            glob: why for glob, why in target.unsupported.items() if any(fnmatchcase(name, glob) for name in own)
        },
        unclaimed=tuple(sorted(unclaimed)),
        not_served={
            name: why for name, why in {**run.found.resources, **run.found.operations}.items() if name in names
        },
        left_out=forbidden,
        budget={name: cap for name, cap in caps.items() if cap is not None},
        waivers=tuple(
            f"{waiver.name}: {waiver.reason} ({', '.join(filter(None, (f'until {waiver.expires}', waiver.link)))})"
            for waiver in known.waivers
            if waiver.meant_for(chosen.version) and known.today <= waiver.expires
        ),
        baseline=known.baseline.day,
    )

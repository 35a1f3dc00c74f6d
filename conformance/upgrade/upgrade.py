"""From two versions to what a move means: predict, send, conclude."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from conformance.errors import UsageError
from conformance.migration.basis import changes_between
from conformance.migration.change import EVERY, Basis, Change
from conformance.migration.conclusion import Conclusion, Result, Upgrade
from conformance.requests.profile import Profile
from conformance.run.runner import Event
from conformance.settings.options import Options
from conformance.spec.loading import load, versions
from conformance.spec.spec import Spec
from conformance.upgrade.concluding import concluded
from conformance.upgrade.drifting import drifts
from conformance.upgrade.evidence import Evidence
from conformance.upgrade.probing import plan_for
from conformance.upgrade.sending import sent
from conformance.upgrade.sides import Side

__all__ = ["predicted", "upgrade", "witnesses_in"]


def witnesses_in(folder: Path | None = None) -> list[Spec]:
    """Every known version, drafts too: their documents say what they say."""
    return [load(name, folder) for name in versions(folder, drafts=True)]


def predicted(old: Spec, new: Spec, folder: Path | None = None) -> tuple[Change, ...]:
    """What the documents say changes, with corrections. Raises :class:`UsageError` for a version and itself."""
    if old.version == new.version:
        raise UsageError(f"both versions are {old.version}", hint="name two different ones")
    return changes_between(old, new, witnesses_in(folder))


def upgrade(
    old: Spec,
    new: Spec,
    options: Options,
    *,
    changes: Sequence[Change] | None = None,
    operations: Collection[str] | None = None,
    send: bool = True,
    notify: Callable[[Event], None] | None = None,
) -> Upgrade:
    """What a move from one version to another means at the target of the options, or at the embedded emulator.

    ``changes`` are those that count, by default all; ``operations`` those that are asked. Without ``send`` nothing is
    sent, and every change is not probed. Raises :class:`UsageError` and :class:`Unreachable` as a run does.
    """
    everything = predicted(old, new, options.specs) if changes is None else tuple(changes)
    corrections = tuple(change for change in everything if change.basis is Basis.CORRECTION)
    counted = [change for change in everything if change.basis is not Basis.CORRECTION]
    if not send:
        results = tuple(Result(change, Conclusion.OPEN, "nothing was sent") for change in counted)
        return Upgrade(old.version, new.version, results, corrections=corrections)
    profile = options.profile or Profile.STANDARD
    wanted = None if operations is None else frozenset(operations)
    left = Side(old, profile, cached=not options.no_cache, wanted=wanted)
    right = Side(new, profile, cached=not options.no_cache, wanted=wanted)
    names = {*left.operations, *right.operations}
    asked = names if wanted is None else names & wanted
    plan = plan_for(left, right, [c for c in counted if c.operation in (asked | {EVERY})], asked)
    got = sent(left, right, plan, options, notify)
    evidence = Evidence(plan, got)
    results = tuple(concluded(probe, evidence, left, right) for probe in plan.probes)
    return Upgrade(
        old.version,
        new.version,
        results,
        drifts=() if evidence.silent else drifts(everything, evidence, left, right),
        corrections=corrections,
        target=got.target,
        sent=got.requests,
        answered=evidence.answered,
        notes=(*_unanswered(evidence, left, right), *got.notes),
    )


def _unanswered(evidence: Evidence, *sides: Side) -> Iterator[str]:
    """Yield a note for each version under which no answer says anything."""
    for side, requests, mute in zip(sides, evidence.sent.requests, evidence.mute, strict=True):
        if mute:
            yield (
                f"{side.spec.version}: none of {requests} requests was accepted, so no answer says anything; "
                f"`run --api-version {side.spec.version} --profile smoke` tells what is wrong with the target"
            )

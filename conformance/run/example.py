"""An answer that keeps a rule, and the same answer with just this rule broken.

The good answer comes from the embedded emulator, the bad one from the check's own counterexample, and the check is
asked whether it reports it. So the example is never older than the check.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import evolve, frozen

from conformance.errors import UsageError
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Scope
from conformance.judging.witness import broken
from conformance.requests.profile import Profile
from conformance.run.choice import choose
from conformance.run.session import Session
from conformance.settings.options import Options
from conformance.spec.loading import load, versions
from conformance.spec.spec import Spec
from conformance.verdict import Finding

__all__ = ["Example", "example_of", "examples_of"]


@frozen
class Example:
    """``before`` are the exchanges of the scenario that came earlier, for a rule about several. ``findings`` are what
    the check says of the bad one.
    """

    version: str
    good: Observation
    bad: Exchange
    findings: tuple[Finding, ...]
    before: tuple[Observation, ...] = ()


def example_of(check: Check, version: str = "") -> Example | None:
    """The example of a check in an api-version, by default the first one in which there is one. None if the emulator's
    answers show none.

    Nothing is sent to a configured target: the emulator is started for it and ended.
    """
    known = [version] if version else [name for name in versions() if check.clause in load(name).clause_by_id]
    for profile in (Profile.SMOKE, Profile.STANDARD):
        for name in known:
            for _, found in _examples(load(name), [check], profile):
                return found
    return None


def examples_of(checks: Iterable[Check]) -> Mapping[str, Example]:
    """The examples of many checks, by id, as far as the answers to plain requests show one: a run for each api-version
    instead of several for each check.
    """
    found: dict[str, Example] = {}
    wanted = {check.id: check for check in checks}
    for name in versions():
        known = load(name).clause_by_id
        left = [check for id, check in wanted.items() if id not in found and check.clause in known]
        for id, one in _examples(load(name), left, Profile.SMOKE) if left else ():
            found.setdefault(id, one)
    return found


def _examples(spec: Spec, checks: Iterable[Check], profile: str) -> Iterator[tuple[str, Example]]:
    """Yield the examples in the scenarios of a profile, each from the witness of a verdict, with the check's id."""
    with tempfile.TemporaryDirectory(prefix="aoai-conformance-") as name:
        folder = Path(name)
        # A configuration of its own: that of the user may name a target.
        (folder / "conformance.toml").touch()
        options = Options(
            api_versions=(spec.version,),
            checks=tuple(check.id for check in checks),
            profile=profile,
            concurrency=1,  # what a list holds depends on what was created before it was read
            config=folder / "conformance.toml",
            out=folder / "out",
        )
        try:
            (chosen,) = choose(options)
        except UsageError:  # no scenario of this profile has anything for the check
            return
        session = Session.open([chosen])
        try:
            session.start()
            for item in chosen.items:
                verdict = session.verdict(item)
                if verdict.witness:
                    shown = _shown(spec, item.check, session.trace(item), verdict.witness)
                    yield from ((item.check.id, one) for one in shown)
        finally:
            session.close()


def _shown(spec: Spec, check: Check, trace: Trace, case: str) -> Iterator[Example]:
    """Yield the broken forms of a case's answer that the check reports."""
    seen = trace.observations
    place = next(number for number, one in enumerate(seen) if one.case.id == case)
    for bad in broken(check, [one.exchange for one in seen], place):
        changed = Observation(seen[place].case, bad)
        whole = evolve(trace, observations=(*seen[:place], changed, *seen[place + 1 :]))
        findings = tuple(check.judge(spec, changed if check.scope is Scope.EXCHANGE else whole))
        if findings:
            yield Example(spec.version, seen[place], bad, findings, seen[:place] if check.scope is Scope.TRACE else ())

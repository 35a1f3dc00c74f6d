"""The corpus of one operation as a scenario: the needed objects are created first, then all cases are sent in one
step.
"""

from __future__ import annotations

from attrs import evolve

from conformance.corpus.corpus import Corpus, OperationCorpus, Shard
from conformance.evidence.created_ids import created_ids
from conformance.requests.case import Expect
from conformance.requests.profile import Profile
from conformance.scenarios.scenario import Scenario, Script, Settings, bound
from conformance.spec.spec import Spec

__all__ = ["corpus_scenario", "corpus_scenarios"]


def corpus_scenarios(corpus: Corpus, shard: Shard | None = None) -> tuple[Scenario, ...]:
    """One scenario for each operation with a case in the shard, in document order."""
    parts = (
        evolve(each, cases=tuple(c for c in each.cases if shard is None or c.id in shard)) for each in corpus.parts
    )
    return tuple(corpus_scenario(each) for each in parts if each.cases)


def corpus_scenario(corpus: OperationCorpus) -> Scenario:
    """The scenario that sends the corpus of one operation.

    The ``setup`` cases create, one after the other, what the placeholders of the corpus stand for. The ``fresh`` cases
    are sent once more for every case that may succeed, because one success would change the object for the next case (a
    run locks its thread). A case whose object could not be created is yielded too; the runner doesn't send it.
    """
    cases, setup, fresh = corpus.cases, corpus.setup, corpus.fresh
    operation = corpus.operation
    id = f"corpus.{operation}"
    # Probes and requests that must be refused leave the object as it is; only the others need one of their own.
    again = tuple(case.id for case in cases if fresh and case.expect is not Expect.REJECT and case.role[:6] != "probe.")

    def script(spec: Spec, settings: Settings) -> Script:
        del spec, settings
        values: dict[str, str] = {}
        for number, case in enumerate(setup):
            sent = bound(case.at(id, f"setup.{number}"), values)
            (exchange,) = yield (sent,)
            # Each setup case may need the objects of those before it, so they are sent one after the other.
            values |= created_ids(case, exchange)
        own: dict[str, dict[str, str]] = {key: {} for key in again}
        # All copies of one fresh object are independent of each other, so they are created in one step.
        for number, case in enumerate(fresh):
            step = tuple(bound(case.at(id, f"setup.{number}.{key}"), {**values, **own[key]}) for key in again)
            for key, exchange in zip(again, (yield step) if step else (), strict=True):
                own[key] |= created_ids(case, exchange)
        # An object of its own replaces the shared one of the same name.
        yield tuple(bound(case, {**values, **own.get(case.id, {})}) for case in cases)

    return Scenario(
        id=id,
        operations=(operation,),
        script=script,
        doc=f"The requests derived for {operation}.",
        requests=len(cases) + len(setup) + len(fresh) * len(again),
        tokens=sum(case.cost.tokens for case in cases),
        resource=corpus.resource,
        cases=cases,
        profiles=Profile.ALL,
    )

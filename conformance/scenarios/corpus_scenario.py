"""The corpus of one operation as a scenario: the needed objects are created first, then the cases are sent.

A few valid cases are sent before all others. If they are refused alike, the rest is left out. What is left out depends
on these answers alone, never on which of many answers came first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

from attrs import evolve

from conformance.corpus.corpus import Corpus, OperationCorpus
from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect
from conformance.requests.profile import Profile
from conformance.requests.wire import placeholders
from conformance.scenarios.refusals import given_up
from conformance.scenarios.scenario import Given, Scenario, Script, Settings, Step, bound
from conformance.scenarios.shared_setup import SharedSetup
from conformance.spec.spec import Spec

__all__ = ["corpus_scenario", "corpus_scenarios"]


def _every(_: str) -> bool:
    return True


def corpus_scenarios(
    corpus: Corpus, families: frozenset[str] = frozenset(), chosen: Callable[[str], bool] = _every
) -> tuple[Scenario, ...]:
    """One scenario for each operation with a case in the families (all, if none is named), in document order, if its id
    is ``chosen``. In a small profile these share objects.
    """

    def kept(case: Case) -> bool:
        return not families or case.family in families

    some = [each for each in corpus.parts if chosen(_id(each.operation))]
    parts = [made for each in some if (made := evolve(each, cases=tuple(filter(kept, each.cases)))).cases]
    if corpus.profile not in Profile.CHOSEN:
        return tuple(map(corpus_scenario, parts))
    sharing = SharedSetup.of(corpus.spec, parts)
    return tuple(corpus_scenario(each, sharing.given(each.operation), sharing.left(each.operation)) for each in parts)


def _id(operation: str) -> str:
    return f"corpus.{operation}"


def corpus_scenario(
    corpus: OperationCorpus, given: Mapping[str, Given] | None = None, own: tuple[Case, ...] = ()
) -> Scenario:
    """The scenario that sends the corpus of one operation. Where it is ``given`` objects, only the ``own`` ones of its
    set-up are created.

    The ``setup`` cases create, one after the other, what the placeholders of the corpus stand for. The ``fresh`` cases
    are sent once more for every case that may succeed, because one success would change the object for the next case (a
    run locks its thread). A case whose object could not be created is yielded too; the runner doesn't send it.
    """
    cases, setup, fresh = corpus.cases, corpus.setup, corpus.fresh
    planned = setup if given is None else own
    operation = corpus.operation
    id = _id(operation)
    # Probes and requests that must be refused leave the object as it is; only the others need one of their own.
    again = {case.id for case in cases if fresh and case.expect is not Expect.REJECT and case.role[:6] != "probe."}

    def script(spec: Spec, settings: Settings) -> Script:
        del spec
        values = dict(settings.given)
        # Without one of the given objects everything is created here, so that all objects belong together.
        whole = given is None or not set(given) <= set(values)
        for number, case in enumerate(setup):
            if not whole and case not in planned:
                continue
            sent = bound(case.at(id, f"setup.{number}"), values)
            (exchange,) = yield (sent,)
            # Each setup case may need the objects of those before it, so they are sent one after the other.
            values |= created_ids(case, exchange)
        missing = {name for case in (setup if whole else planned) for name in case.creates} - set(values)
        able = tuple(case for case in cases if not missing or missing.isdisjoint(placeholders(case)))
        first = _first(able, settings)
        rest = tuple(case for case in cases if case not in first)
        if first and rest:
            refused = given_up(operation, (yield from sent_together(first, values)))
            if refused is not None:
                yield refused
                return
            yield from sent_together(rest, values)
        else:
            yield from sent_together(cases, values)

    def sent_together(
        some: tuple[Case, ...], values: dict[str, str]
    ) -> Generator[Step, tuple[Exchange, ...], tuple[Exchange, ...]]:
        keys = [case.id for case in some if case.id in again]
        own: dict[str, dict[str, str]] = {key: {} for key in keys}
        # All copies of one fresh object are independent of each other, so they are created in one step.
        for number, case in enumerate(fresh):
            step = tuple(bound(case.at(id, f"setup.{number}.{key}"), {**values, **own[key]}) for key in keys)
            for key, exchange in zip(keys, (yield step) if step else (), strict=True):
                own[key] |= created_ids(case, exchange)
        # An object of its own replaces the shared one of the same name.
        return (yield tuple(bound(case, {**values, **own.get(case.id, {})}) for case in some))

    return Scenario(
        id=id,
        operations=(operation,),
        script=script,
        doc=f"The requests derived for {operation}.",
        requests=len(cases) + len(planned) + len(fresh) * len(again),
        tokens=sum(case.cost.tokens for case in cases),
        resource=corpus.resource,
        cases=cases,
        setup=(*planned, *fresh * len(again)),
        given=given or {},
        profiles=Profile.ALL,
    )


#: Of an operation with fewer valid cases all are sent.
_FEWEST = 3


def _first(cases: tuple[Case, ...], settings: Settings) -> tuple[Case, ...]:
    """The valid cases that show whether the operation is answered at all; empty if there are too few.

    They are spread over all valid ones, because neighbours have much in common. A case that may not be sent (no
    deployment can answer it, it is expensive) shows nothing.
    """
    valid = [
        case
        for case in cases
        if case.expect is Expect.ACCEPT and case.role[:6] != "probe." and not case.expensive and settings.can(case)
    ]
    most = min(settings.give_up_after, len(valid))
    if len(valid) < _FEWEST:
        return ()
    return tuple(valid[place * len(valid) // most] for place in range(most))

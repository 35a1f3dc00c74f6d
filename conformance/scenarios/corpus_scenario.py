"""The corpus of an operation as a scenario: what it needs is created first, then its cases go out in one step."""

from __future__ import annotations

import json

from attrs import evolve

from conformance.corpus.corpus import Corpus, OperationCorpus, Shard
from conformance.requests.case import Case, Expect, Multipart, body_to_json
from conformance.requests.profile import Profile
from conformance.scenarios.scenario import Scenario, Script, Settings, bound, created
from conformance.spec.spec import Spec

__all__ = ["corpus_scenario", "corpus_scenarios"]


def _mentions(case: Case, name: str) -> bool:
    texts = [*case.path_params.values(), *(value for _, value in case.query)]
    if case.body is not None and not isinstance(case.body, Multipart):
        texts.append(json.dumps(body_to_json(case.body)))
    return any("{" + name + "}" in text for text in texts)


def corpus_scenarios(corpus: Corpus, shard: Shard | None = None) -> tuple[Scenario, ...]:
    """One scenario for each operation with a case in the shard, in document order."""
    parts = (
        evolve(each, cases=tuple(c for c in each.cases if shard is None or c.id in shard)) for each in corpus.parts
    )
    return tuple(corpus_scenario(each) for each in parts if each.cases)


def corpus_scenario(corpus: OperationCorpus) -> Scenario:
    """The plain corpus of one operation: a scenario of one step, after the setup that it needs.

    ``setup`` creates what the placeholders of the cases stand for, one object after the other. ``fresh`` is created
    once more for every case that may succeed, where one success would spoil the next (a run locks its thread). A case
    whose object could not be created isn't sent.
    """
    cases, setup, fresh = corpus.cases, corpus.setup, corpus.fresh
    operation = corpus.operation
    id = f"corpus.{operation}"
    names = tuple(name for case in (*setup, *fresh) for name in case.creates)
    again = tuple(case.id for case in cases if fresh and case.expect is not Expect.REJECT and case.role[:6] != "probe.")

    def script(spec: Spec, settings: Settings) -> Script:
        del spec, settings
        values: dict[str, str] = {}
        for number, case in enumerate(setup):
            sent = bound(case.at(id, f"setup.{number}"), values)
            (exchange,) = yield (sent,)
            values |= created(case, exchange)
        own: dict[str, dict[str, str]] = {key: {} for key in again}
        for number, case in enumerate(fresh):
            step = tuple(bound(case.at(id, f"setup.{number}.{key}"), {**values, **own[key]}) for key in again)
            for key, exchange in zip(again, (yield step) if step else (), strict=True):
                own[key] |= created(case, exchange)
        ready = []
        for case in cases:
            known = {**values, **own.get(case.id, {})}
            if all(name in known for name in names if _mentions(case, name)):
                ready.append(bound(case, known))
        if ready:
            yield tuple(ready)

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

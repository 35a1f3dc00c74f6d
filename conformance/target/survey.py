"""What a target serves, asked without spending a token: api-versions, resources, and deployments by name.

A deployment that exists refuses an empty body with 400, a missing one answers 404. Nothing is created.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import evolve, field, frozen

from conformance.errors import UsageError
from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Expect, Family
from conformance.settings.configuration import Config
from conformance.settings.form import CAPABILITIES
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.limits import Withheld
from conformance.target.model_names import guessed
from conformance.target.preflight import preflight, probes, served
from conformance.target.target import Target

__all__ = ["MOST_NAMES", "Survey", "Surveyed", "survey"]

#: The most names of deployments that are asked for: a list of models may be long.
MOST_NAMES = 60

#: The operation that lists models; some gateways list their deployments by it.
_MODELS = "models.list"


@frozen
class Surveyed:
    """What one api-version showed: the served resources, and why each other one isn't served."""

    version: str
    served: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(factory=dict)


@frozen
class Survey:
    """What a target serves. ``deployments`` holds the capabilities that requests showed, by name. Those in ``guessed``
    answered several kinds of requests alike, so the name decided which of these they are for. ``emulated`` is True if
    every answer came from the emulator of this suite. ``requests`` is how many were sent.
    """

    versions: tuple[Surveyed, ...] = ()
    deployments: Mapping[str, tuple[str, ...]] = field(factory=dict)
    guessed: frozenset[str] = frozenset()
    emulated: bool = False
    requests: int = 0


def survey(config: Config, specs: Sequence[Spec], names: Iterable[str], *, only: bool = False) -> Survey:
    """Ask a target. ``names`` are deployments that it may have; those that it lists are added unless ``only`` is True.

    Raises :class:`Unreachable` without a connection, :class:`UsageError` if the key is refused.
    """
    # Without deployments the preflight asks for resources alone.
    bare = evolve(config, target=evolve(config.target, deployments={}, unsupported={}))
    found: list[Surveyed] = []
    deployments: dict[str, tuple[str, ...]] = {}
    wanted = tuple(dict.fromkeys(names))
    emulated, sent = True, 0
    for spec in specs:
        with Target(bare, spec, run_id="init") as target:
            seen = preflight(target, spec)
            listed = () if only else tuple(_listed(target, spec))
            wanted = tuple(dict.fromkeys((*wanted, *listed)))[:MOST_NAMES]
            sent += seen.requests
            emulated = emulated and (seen.emulated or not seen.requests)
        # A deployment that showed something once is the one that other api-versions are asked for.
        asked = tuple(deployments) or wanted
        answered, requests = _deployments(config, spec, asked)
        sent += requests
        if listed and not requests and not deployments:
            # The routes of this version name no deployment: the list of models is all that can be asked.
            answered = {name: guessed(name, tuple(CAPABILITIES)) for name in listed[:MOST_NAMES]}
        for name, abilities in answered.items():
            deployments[name] = tuple(dict.fromkeys((*deployments.get(name, ()), *abilities)))
        looked_at = {name for name in seen.cases if name in {o.resource for o in operations_of(spec).values()}}
        resources = {*looked_at - set(seen.resources), *(word for words in answered.values() for word in words)}
        order = dict.fromkeys(operation.resource for operation in operations_of(spec).values())
        found.append(Surveyed(spec.version, tuple(one for one in order if one in resources), dict(seen.resources)))
    if not any(one.served for one in found):
        hint = "base_path in [target] says which path stands before the routes; --deployment NAME names a deployment"
        told = "nothing that any api-version documents is served, and none of the deployments that were asked for"
        raise UsageError(told, where=config.target.url, hint=hint)
    open_names = frozenset(name for name, words in deployments.items() if len(words) > 1)
    clear = {name: guessed(name, words) if name in open_names else words for name, words in deployments.items()}
    return Survey(tuple(found), clear, open_names, emulated, sent)


def _listed(target: Target, spec: Spec) -> Iterator[str]:
    """Yield the ids of the models that the target lists."""
    operation = operations_of(spec).get(_MODELS)
    if operation is None:
        return
    case = Case(
        operation=operation.id,
        method=operation.method,
        path=operation.path,
        family=Family.TEMPLATE,
        expect=Expect.EITHER,
        role="preflight",
    )
    answer = target.send(case).response
    rows = answer.json.get("data") if answer is not None and isinstance(answer.json, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("id"), str) and "/" not in row["id"]:
            yield row["id"]


def _deployments(config: Config, spec: Spec, names: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], int]:
    """What each deployment is able to do, by the operations that know it, and the number of requests."""
    words = frozenset(CAPABILITIES)
    cases = [case for case in probes(spec, words) if "/deployments/" in case.path]
    found: dict[str, tuple[str, ...]] = {}
    if not cases:
        return found, 0
    sent = 0
    for name in names:
        own = evolve(config, target=evolve(config.target, deployments={name: words}))
        with Target(own, spec, run_id="init") as target:
            able, count = _able(target.send, cases)
        sent += count
        if able:
            found[name] = able
    return found, sent


def _able(send: Callable[[Case], Exchange], cases: Sequence[Case]) -> tuple[tuple[str, ...], int]:
    """The capabilities that the answers of one deployment show, and the number of requests."""
    able, sent = [], 0
    for case in cases:
        try:
            exchange = send(case)
        except Withheld:
            continue
        sent += 1
        if served(exchange):
            able.append(case.capability)
    return tuple(able), sent

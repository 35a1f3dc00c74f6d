"""All cases of one operation: templates, boundaries, violations, broken cross-field rules and probes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from attrs import evolve, field, frozen

from conformance.errors import HarnessError
from conformance.requests.capabilities import with_capabilities
from conformance.requests.case import Break, Case, Expect, Family, JsonBody
from conformance.requests.case_names import named_cases
from conformance.requests.profile import Profile
from conformance.requests.selectors import streams
from conformance.spec.choices import Choice, choice_of
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Level

from . import probes, roles
from .boundaries import boundaries
from .capabilities import capability_of
from .costs import cost_of, expensive_kind
from .derivation import OperationDerivation, SpecDerivation
from .drafts import Draft, to_case
from .fuzz import fuzzed
from .ids import impossible_id
from .invalid_requests import rule_breaks, violations
from .schema_tree import Shapes
from .schemathesis_adapter import drafts as generated
from .setup import Makers, placeholders_of

__all__ = ["Composer", "OperationCases"]


@frozen
class OperationCases:
    """The cases of one operation and what belongs to them.

    ``setup`` are the cases that create the objects which the cases name; ``fresh`` those of them that must be sent
    again before every use. ``by_type`` lists fields that were filled by type alone, because neither document nor name
    suggested a value. ``left_out`` are (what, reason) of documented things that have no case.
    """

    operation: str
    resource: str
    cases: tuple[Case, ...]
    setup: tuple[Case, ...] = ()
    fresh: tuple[Case, ...] = ()
    by_type: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


@frozen(slots=False, eq=False)
class Composer:
    """Builds the cases of one Spec, one operation at a time.

    ``expensive`` names the opt-in kinds that add cases; ``seed`` decides the fuzzed cases of the exhaustive profile.
    ``whole`` are the cases of the standard profile, where they were derived before: a small profile takes its own from
    them.
    """

    spec: Spec = field(repr=False)
    profile: str = Profile.STANDARD
    expensive: frozenset[str] = frozenset()
    seed: int = 0
    whole: Mapping[str, OperationCases] = field(factory=dict, repr=False)
    _bases: dict[str, Draft | None] = field(factory=dict, repr=False, init=False)

    @cached_property
    def choice(self) -> Choice | None:
        """What a small profile names; None for a profile that sends all, or where nothing was computed."""
        return choice_of(self.spec, self.profile)

    @cached_property
    def shared(self) -> SpecDerivation:
        """What the operations of the Spec share: schema nodes and the knowledge which operation creates what."""
        return SpecDerivation(self.spec, self.profile, Shapes(self.spec), Makers(self.spec, self.base))

    def derivation(self, operation: Operation) -> OperationDerivation:
        """The derivation of one operation's requests in its default media type."""
        return OperationDerivation(self.shared, operation)

    def base(self, operation: Operation, name: str = "") -> Draft | None:
        """The plainest draft of an operation that must be accepted, or None.

        ``name`` may carry a purpose after a dot: ``file_id.batch`` picks the upload for batches.
        """
        purpose = name.partition(".")[2]
        key = f"{operation.id}.{purpose}"
        if key not in self._bases:
            # A template may name an object whose creation needs this same operation. The entry ends that recursion.
            self._bases[key] = None
            found = [d for d in self.derivation(operation).templates if d.expect is Expect.ACCEPT]
            chosen = next((d for d in found if purpose and d.role.endswith("." + purpose)), None)
            self._bases[key] = chosen or (found[0] if found else None)
        return self._bases[key]

    @cached_property
    def one_stream_each(self) -> dict[str, Draft]:
        """For each stream protocol that the Spec documents, a draft that asks for a stream, by the id of its operation.

        Of several operations with the same protocol, the first one is taken whose draft must be accepted. If no draft
        must be, the first operation with a draft is taken.
        """
        found: dict[str, tuple[str, Draft]] = {}
        for operation in operations_of(self.spec).values():
            if operation.stream is None:
                continue
            asking = (d for d in self.derivation(operation).templates if streams(self.spec, to_case(operation, d)))
            draft = next(asking, None)
            if draft is None:
                continue
            known = found.get(operation.stream.protocol)
            if known is None or (known[1].expect is not Expect.ACCEPT and draft.expect is Expect.ACCEPT):
                found[operation.stream.protocol] = (operation.id, draft)
        return dict(found.values())

    def operation(self, operation: Operation) -> OperationCases:
        """All cases that the profile sends to one operation."""
        derivation = self.derivation(operation)
        if self.profile not in Profile.CHOSEN:
            return _Assembly(self, derivation).made()
        choice, plainest = self.choice, _Assembly(self, derivation, plain=True)
        names = choice.requests.get(operation.id, ()) if choice is not None else ()
        if choice is None or not names:
            return plainest.made()
        # What another version needs to be judged by may be named of other operations here.
        beside = plainest if choice.version != self.spec.version else None
        return _Assembly(self, derivation, whole=self.whole.get(operation.id)).made(names, beside)


@frozen(slots=False, eq=False)
class _Assembly:
    """Turns the drafts of one operation into its cases; with ``plain`` the plainest one, and few probes. ``whole`` are
    those cases, if they are known already.
    """

    composer: Composer = field(repr=False)
    derivation: OperationDerivation
    plain: bool = False
    whole: OperationCases | None = None
    # Many cases name the same objects.
    _chains: dict[tuple[str, ...], tuple[tuple[Case, ...], tuple[str, ...]]] = field(
        factory=dict, init=False, repr=False
    )

    def drafts(self, derivation: OperationDerivation) -> Iterator[Draft]:
        """Yield the drafts that the profile asks for and the version's features allow, in every media type."""
        return filter(derivation.claimed, self._all_drafts(derivation))

    def _all_drafts(self, derivation: OperationDerivation) -> Iterator[Draft]:
        if self.plain:
            # The first template is the plainest request that the operation accepts.
            yield from derivation.templates[:1]
            stream = self.composer.one_stream_each.get(derivation.operation.id)
            if stream is not None:
                yield stream
            return
        yield from derivation.templates
        yield from boundaries(derivation)
        yield from violations(derivation)
        yield from rule_breaks(derivation)
        yield from generated(derivation)
        # Fuzzing adds many requests, which only the exhaustive profile is meant to send.
        if derivation.shared.everything and derivation.templates:
            yield from fuzzed(derivation, self.composer.seed)
        for other in derivation.others:
            yield from self._all_drafts(other)

    def made(self, names: tuple[str, ...] = (), beside: _Assembly | None = None) -> OperationCases:
        """The cases of the operation, each request once, with the setup that they need.

        With ``names``, they are those that these name, in this order, and those of another assembly ``beside`` them.
        """
        cases = self._all()
        if names:
            named = named_cases(cases.values())
            kept = [named[name].id for name in names if name in named] or [*cases][:1]
            cases = {id: cases[id] for id in kept} | (beside._all() if beside is not None else {})
        setup: dict[str, Case] = {}
        for case in cases.values():
            for each in self._needed(case)[0]:
                # The same object for another purpose (``file_id`` and ``file_id.batch``) is a setup case of its own.
                # Many cases need the same object, which is created once.
                setup[f"{each.operation} {next(iter(each.creates), '')}"] = each
        return OperationCases(
            operation=self.derivation.operation.id,
            resource=self.derivation.operation.resource,
            cases=tuple(cases.values()),
            setup=tuple(setup.values()),
            fresh=tuple(c for c in setup.values() if set(c.creates) & set(self.derivation.operation.facts.fresh)),
            by_type=tuple(sorted({*self.derivation.sampler.by_type, *(self.whole.by_type if self.whole else ())})),
            left_out=tuple(sorted({*self.derivation.left_out.items(), *(self.whole.left_out if self.whole else ())})),
        )

    def _all(self) -> dict[str, Case]:
        """All cases of the assembly by id."""
        if self.whole is not None:
            return {case.id: case for case in self.whole.cases}
        cases: dict[str, Case] = {}
        for case in self._cases(tuple(operations_of(self.composer.spec))):
            _add(cases, self._ready(case))
        return cases

    def _cases(self, known: tuple[str, ...]) -> Iterator[Case]:
        """Yield the cases from drafts, then the probes that are built from the first case.

        A DELETE has one case that deletes; all its other cases name an id that no object has.
        """
        single = self.derivation.operation.method == "DELETE"
        base: Case | None = None
        for draft in self.drafts(self.derivation):
            # The object is gone after the first deletion; another valid one would fail.
            if single and base is not None and draft.expect is Expect.ACCEPT:
                continue
            case = to_case(
                self.derivation.operation,
                draft,
                capability_of(self.derivation.operation, draft.needs),
            )
            if single and base is not None:
                case = self._with_impossible_id(case)
            # The first case is the plainest; probes change one thing of it.
            base = base or case
            yield case
        if base is None:
            return
        # Probes say their own reason; that of the base would mislead.
        base = evolve(base, family=Family.TEMPLATE, reason="")
        # A probe that a lax target accepts must not delete anything.
        safe = self._with_impossible_id(base) if single else base
        operations = operations_of(self.composer.spec)
        paths: dict[str, set[str]] = {}
        for operation in operations.values():
            paths.setdefault(operation.path, set()).add(operation.method)
        access = probes.access_probes(self.composer.spec, self.derivation.operation, safe, known, paths)
        if self.plain:
            # Few probes: credentials once per resource, api-versions once per version.
            first = next(op.id for op in operations.values() if op.resource == self.derivation.operation.resource)
            kept: tuple[str, ...] = (roles.AUTH_NONE,) if self.derivation.operation.id == first else ()
            kept += (roles.VERSION_MISSING, roles.VERSION_UNKNOWN) if self.derivation.operation.id == known[0] else ()
            yield from (case for case in access if case.role in (*kept, roles.AUTH_WRONG))
            return
        yield from access
        yield from probes.named(base)
        if not self.derivation.operation.mutates:
            yield probes.coded(base)
        yield probes.route(safe)
        yield from probes.transport(safe, large="large-body" in self.composer.expensive)
        yield from self._unknown_ids(base)

    def _with_impossible_id(self, case: Case) -> Case:
        """The case with an impossible id as its last path parameter, so that it can't touch the object of another
        case.
        """
        names = [name for name in case.path_params if not name.startswith("deployment")]
        if not names:
            return case
        last = names[-1]
        return evolve(case, path_params={**case.path_params, last: impossible_id(last, self.derivation.operation)})

    def _unknown_ids(self, base: Case) -> Iterator[Case]:
        """Yield the case that asks for an id which no object has, if the path has an id."""
        names = [name for name in base.path_params if not name.startswith("deployment")]
        if names:
            yield evolve(
                self._with_impossible_id(base),
                family=Family.VIOLATION,
                expect=Expect.REJECT,
                level=Level.SHOULD,
                role=roles.ID_UNKNOWN,
                reason="an id that no object has",
                breaks=Break(pointer=names[-1], keyword="unknown-id", location="path"),
            )

    def _ready(self, case: Case) -> Case:
        """The case with its cost and its undo.

        Where nothing in this version creates such an object, an impossible id takes its place and either outcome is
        right.
        """
        operation, makers = self.derivation.operation, self.composer.shared.makers
        # Each placeholder needs an object. What nothing in this version creates is replaced by an impossible id.
        missing = self._needed(case)[1]
        if missing:
            # An object in the path is the one that is acted on; in a body it is only mentioned.
            in_path = any("{" + name + "}" in text for name in missing for text in case.path_params.values())
            case = makers.impossible(case, missing, operation)
            if case.expect is Expect.ACCEPT:
                why = "nothing in this version creates the object that it names"
                case = evolve(case, expect=Expect.EITHER, level=Level.SHOULD, reason=why)
                if in_path:
                    case = evolve(case, role=case.role or roles.ID_UNKNOWN)
        if case.expect is Expect.ACCEPT and not makers.given(operation):
            why = "nothing in this version creates what it names"
            case = evolve(case, expect=Expect.EITHER, level=Level.SHOULD, reason=why)
        if case.expect is Expect.ACCEPT and operation.facts.state_dependent:
            why = "whether it is allowed depends on how far the work has come"
            case = evolve(case, expect=Expect.EITHER, level=Level.SHOULD, reason=why)
        # A POST that should be refused may be accepted by a faulty target, so it declares what to clean up as well.
        if case.expect is not Expect.REJECT or operation.method == "POST":
            case = makers.declare(case, operation)
        case = evolve(case, cost=cost_of(case, operation), expensive=expensive_kind(case, operation))
        return with_capabilities(self.composer.spec, case)

    def _needed(self, case: Case) -> tuple[tuple[Case, ...], tuple[str, ...]]:
        """The setup cases that create what the placeholders of a case stand for, and those that nothing creates."""
        names = placeholders_of(case)
        if names not in self._chains:
            operation = self.derivation.operation
            self._chains[names] = self.composer.shared.makers.chain(names, operation.path, operation.id)
        return self._chains[names]


def _add(cases: dict[str, Case], case: Case) -> None:
    """Keep each request once; the first one has the better reason.

    Raises :class:`HarnessError` when two different requests have one id.
    """
    known = cases.get(case.id)
    if known is None:
        cases[case.id] = case
    # Multipart and raw bodies enter the id by digest; a difference here means two requests with one id.
    elif (known.path, known.path_params, known.query, known.headers, known.body) != (
        case.path,
        case.path_params,
        case.query,
        case.headers,
        case.body,
    ) and not isinstance(case.body, JsonBody):
        raise HarnessError(f"two cases share the id {case.id}", where=case.operation)

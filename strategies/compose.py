"""All cases of one operation: templates, boundaries, violations, broken rules and probes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from attrs import evolve, field, frozen

from conformance.errors import HarnessError
from conformance.requests.case import Break, Case, Expect, Family, JsonBody
from conformance.requests.profile import Profile
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Level

from . import probes, roles
from .boundaries import boundaries
from .capabilities import capability_of
from .costs import cost_of, expensive_kind
from .derivation import Bench, Work
from .drafts import Draft, to_case
from .fuzz import fuzzed
from .ids import impossible_id
from .invalid_requests import rule_breaks, violations
from .schema_tree import Shapes
from .schemathesis_adapter import drafts as generated
from .setup import FRESH, STATEFUL, Makers, placeholders_of

__all__ = ["Composer", "Made"]


@frozen
class Made:
    """The cases of one operation, what must be created before, and the fields that were filled by type only."""

    operation: str
    resource: str
    cases: tuple[Case, ...]
    setup: tuple[Case, ...] = ()
    fresh: tuple[Case, ...] = ()
    by_type: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


@frozen(slots=False, eq=False)
class Composer:
    """Builds the cases of one Spec, one operation at a time."""

    spec: Spec = field(repr=False)
    profile: str = Profile.STANDARD
    expensive: frozenset[str] = frozenset()
    seed: int = 0
    _bases: dict[str, Draft | None] = field(factory=dict, repr=False, init=False)

    @cached_property
    def bench(self) -> Bench:
        """The nodes of the document, and what creates what."""
        return Bench(self.spec, self.profile, Shapes(self.spec), Makers(self.spec, self.base))

    def work(self, operation: Operation) -> Work:
        """The composition of one operation."""
        return Work(self.bench, operation)

    def base(self, operation: Operation, name: str = "") -> Draft | None:
        """The plainest accepted draft of an operation. ``name`` (``file_id.batch``) picks the one for a purpose."""
        purpose = name.partition(".")[2]
        key = f"{operation.id}.{purpose}"
        if key not in self._bases:
            self._bases[key] = None
            found = [d for d in self.work(operation).templates if d.expect is Expect.ACCEPT]
            chosen = next((d for d in found if purpose and d.role.endswith("." + purpose)), None)
            self._bases[key] = chosen or (found[0] if found else None)
        return self._bases[key]

    def operation(self, operation: Operation) -> Made:
        """Everything that the profile sends to one operation."""
        return _Assembly(self, self.work(operation)).made()


@frozen(slots=False, eq=False)
class _Assembly:
    """From the drafts of an operation to its cases."""

    composer: Composer = field(repr=False)
    work: Work

    def drafts(self, work: Work) -> Iterator[Draft]:
        """The drafts of the profile, in every media type."""
        if self.composer.profile == Profile.SMOKE:
            yield from work.templates[:1]
            return
        yield from work.templates
        yield from boundaries(work)
        yield from violations(work)
        yield from rule_breaks(work)
        yield from generated(work)
        if work.bench.everything and work.templates:
            yield from fuzzed(work, self.composer.seed)
        for other in work.others:
            yield from self.drafts(other)

    def made(self) -> Made:
        """The cases, each request once, with what they need."""
        known = tuple(operations_of(self.composer.spec))
        cases: dict[str, Case] = {}
        setup: dict[str, Case] = {}
        for case in self._cases(known):
            ready, needed = self._ready(case)
            for each in needed:
                setup[f"{each.operation} {next(iter(each.creates), '')}"] = each
            _add(cases, ready)
        return Made(
            operation=self.work.operation.id,
            resource=self.work.operation.resource,
            cases=tuple(cases.values()),
            setup=tuple(setup.values()),
            fresh=tuple(c for c in setup.values() if set(c.creates) & set(FRESH.get(self.work.operation.id, ()))),
            by_type=tuple(sorted(self.work.sampler.by_type)),
            left_out=tuple(sorted(self.work.left_out.items())),
        )

    def _cases(self, known: tuple[str, ...]) -> Iterator[Case]:
        single = self.work.operation.method == "DELETE"
        base: Case | None = None
        for draft in self.drafts(self.work):
            if single and base is not None and draft.expect is Expect.ACCEPT:
                continue
            case = to_case(
                self.work.operation, draft, capability_of(self.work.operation, draft.request, draft.expect, draft.needs)
            )
            if single and base is not None:
                case = self._nowhere(case)
            base = base or case
            yield case
        if base is None:
            return
        base = evolve(base, family=Family.TEMPLATE, reason="")
        safe = self._nowhere(base) if single else base
        operations = operations_of(self.composer.spec)
        paths: dict[str, set[str]] = {}
        for operation in operations.values():
            paths.setdefault(operation.path, set()).add(operation.method)
        doors = probes.door(self.composer.spec, self.work.operation, safe, known, paths)
        if self.composer.profile == Profile.SMOKE:
            # one door per resource is enough to smell smoke, one question about versions per version
            first = next(op.id for op in operations.values() if op.resource == self.work.operation.resource)
            kept: tuple[str, ...] = (roles.AUTH_NONE,) if self.work.operation.id == first else ()
            kept += (roles.VERSION_MISSING, roles.VERSION_UNKNOWN) if self.work.operation.id == known[0] else ()
            yield from (case for case in doors if case.role in (*kept, roles.AUTH_WRONG))
            return
        yield from doors
        yield probes.route(safe)
        yield from probes.transport(safe, large="large-body" in self.composer.expensive)
        yield from self._unknown_ids(base)

    def _nowhere(self, case: Case) -> Case:
        """The case with an impossible id, so that it can be sent beside the one that deletes."""
        names = [name for name in case.path_params if not name.startswith("deployment")]
        if not names:
            return case
        last = names[-1]
        return evolve(case, path_params={**case.path_params, last: impossible_id(last, self.work.operation)})

    def _unknown_ids(self, base: Case) -> Iterator[Case]:
        names = [name for name in base.path_params if not name.startswith("deployment")]
        if names:
            yield evolve(
                self._nowhere(base),
                family=Family.VIOLATION,
                expect=Expect.REJECT,
                level=Level.SHOULD,
                role=roles.ID_UNKNOWN,
                reason="an id that no object has",
                breaks=Break(pointer=names[-1], keyword="unknown-id", location="path"),
            )

    def _ready(self, case: Case) -> tuple[Case, tuple[Case, ...]]:
        """The case with costs, undo and the setup cases that its placeholders need."""
        makers = self.composer.bench.makers
        needed, missing = makers.chain(placeholders_of(case), self.work.operation.path)
        if missing:
            in_path = any("{" + name + "}" in text for name in missing for text in case.path_params.values())
            case = makers.impossible(case, missing, self.work.operation)
            if case.expect is Expect.ACCEPT:
                why = "nothing in this version creates the object that it names"
                case = evolve(case, expect=Expect.EITHER, level=Level.SHOULD, reason=why)
                if in_path:
                    case = evolve(case, role=case.role or roles.ID_UNKNOWN)
            needed, _ = makers.chain(placeholders_of(case), self.work.operation.path)
        if case.expect is Expect.ACCEPT and not makers.given(self.work.operation):
            why = "nothing in this version creates what it names"
            case = evolve(case, expect=Expect.EITHER, level=Level.SHOULD, reason=why)
        if case.expect is Expect.ACCEPT and self.work.operation.id.rsplit(".", 1)[-1] in STATEFUL:
            why = "whether it is allowed depends on how far the work has come"
            case = evolve(case, expect=Expect.EITHER, level=Level.SHOULD, reason=why)
        if case.expect is not Expect.REJECT or self.work.operation.method == "POST":
            case = makers.declare(case, self.work.operation)
        case = evolve(case, cost=cost_of(case), expensive=expensive_kind(case))
        return case, needed


def _add(cases: dict[str, Case], case: Case) -> None:
    """Keep each request once; the first one has the better reason. Two requests with one id are our own fault."""
    known = cases.get(case.id)
    if known is None:
        cases[case.id] = case
    elif (known.path, known.path_params, known.query, known.headers, known.body) != (
        case.path,
        case.path_params,
        case.query,
        case.headers,
        case.body,
    ) and not isinstance(case.body, JsonBody):
        raise HarnessError(f"two cases share the id {case.id}", where=case.operation)

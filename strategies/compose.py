"""All cases of one operation: templates, boundaries, violations, broken rules and probes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from attrs import define, evolve, field, frozen

from conformance.cases import Break, Case, Expect, Family, JsonBody
from conformance.errors import HarnessError
from conformance.operations import Operation, operations_of
from conformance.scenario import Profile
from conformance.spec import Clause, Spec
from conformance.verdict import Level

from . import probes, roles
from .capabilities import capability_of
from .costs import cost_of, expensive_kind
from .drafts import Draft, to_case
from .facts import Fact, Key, facts_of, observe
from .ground import Ground, builders_for
from .ids import IMPOSSIBLE_ID, impossible_id
from .levels import Levels, content_gate, gate_of
from .place import find, get, place, pointer_text, remove
from .named_rules import NAMED
from .rules import BodyRules, merge_patch, spots_of
from .setup import FRESH, STATEFUL, Makers, placeholders_of
from .shape import Path, Shapes, Slot, describe
from .values import NOTHING, Sampler
from .violations import ABSENT, Breach, breaches_of

__all__ = ["Composer", "Made"]

#: Violations of nested fields that the standard profile keeps for one operation; all of them in ``exhaustive``.
NESTED = 24


#: Facts that one packed request shows at most.
PACKED = 12

#: Packed requests that a further fact may still join.
OPEN = 6

#: Packed requests of one operation in the standard profile whose outcome may rightly be either.
GATED = 10

#: Cases of one operation in the standard profile that test how null, 1.0 and unknown fields are taken.
LENIENT = 3


@define
class Pack:
    """A request that shows several facts."""

    draft: Draft
    keys: set[Key]
    gate: str = ""
    full: bool = False


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
    def shapes(self) -> Shapes:
        """The nodes of the document."""
        return Shapes(self.spec)

    @cached_property
    def makers(self) -> Makers:
        """What creates what."""
        return Makers(self.spec, self.base)

    def base(self, operation: Operation, name: str = "") -> Draft | None:
        """The plainest accepted draft of an operation. ``name`` (``file_id.batch``) picks the one for a purpose."""
        purpose = name.partition(".")[2]
        key = f"{operation.id}.{purpose}"
        if key not in self._bases:
            self._bases[key] = None
            found = [d for d in Work(self, operation).templates if d.expect is Expect.ACCEPT]
            chosen = next((d for d in found if purpose and d.role.endswith("." + purpose)), None)
            self._bases[key] = chosen or (found[0] if found else None)
        return self._bases[key]

    def operation(self, operation: Operation) -> Made:
        """Everything that the profile sends to one operation."""
        return Work(self, operation).made()


@frozen(slots=False, eq=False)
class Work:
    """The composition of one operation."""

    composer: Composer = field(repr=False)
    operation: Operation
    media: str | None = None
    sampler: Sampler = field(factory=Sampler, repr=False)
    left_out: dict[str, str] = field(factory=dict, repr=False)
    _hosts: dict[Path, Draft] = field(factory=dict, repr=False, init=False)

    @property
    def spec(self) -> Spec:
        """The Spec at work."""
        return self.composer.spec

    @cached_property
    def ground(self) -> Ground:
        """The shape of the requests in one media type, by default the one that requests use."""
        return Ground.of(self.spec, self.operation, self.composer.shapes, self.media)

    @cached_property
    def rules(self) -> BodyRules:
        """The cross-field rules."""
        return BodyRules.of(self.spec, self.operation.id)

    @cached_property
    def levels(self) -> Levels:
        """Refusals and widest bounds."""
        return Levels(self.spec, self.operation.id)

    @cached_property
    def templates(self) -> tuple[Draft, ...]:
        """The hand-shaped drafts that the version documents, the plainest first; one from the schema if there is none."""
        found = [
            made
            for builder in builders_for(self.operation.id)
            for made in builder.build(self.ground)
            if self._documented(self.ground, made)
        ]
        return tuple(found) or tuple(self._generic())

    @cached_property
    def others(self) -> tuple[Work, ...]:
        """The same operation in its other media types."""
        if self.media is not None:
            return ()
        rest = (media for media in self.operation.body if media != self.ground.media)
        return tuple(Work(self.composer, self.operation, media, self.sampler, self.left_out) for media in rest)

    def _documented(self, ground: Ground, draft: Draft) -> bool:
        return ground.strict.is_valid(draft.request) and not self.rules.broken(draft.request.get("body"))

    def _generic(self) -> Iterator[Draft]:
        value = self.sampler.value(self.ground.root)
        if value is not NOTHING:
            yield Draft(request=value, role="generic", media=self.ground.media)

    # -- boundaries ---------------------------------------------------------------------------------------------

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Every documented place of a request."""
        return tuple(slot for slot in self.composer.shapes.slots(self.ground.root) if len(slot.path) > 1)

    def hosts(self, path: Path) -> tuple[Draft, ...]:
        """The templates to build a path into: where its parent exists, then where it exists itself; early ones first."""
        parent = path[:-1]
        if parent not in self._hosts:
            ranked = ((find(d.request, self.ground.root, parent)[1], d) for d in self.templates)
            self._hosts[parent] = max(ranked, key=_walked)[1]
        first = self._hosts[parent]
        there = next((d for d in self.templates if find(d.request, self.ground.root, path)[1] == len(path)), first)
        return (first,) if there is first else (first, there)

    def boundaries(self) -> Iterator[Draft]:
        """Requests that show every documented fact.

        In ``exhaustive`` one request per fact. In ``standard`` each top-level field, enum value and branch has a request
        of its own; nulls, bounds and nested facts that go together share one, and what a template shows isn't repeated.
        """
        alone = self.composer.profile == Profile.EXHAUSTIVE
        seen: set[Key] = set()
        for draft in self.templates:
            if draft.expect is Expect.ACCEPT:
                seen |= observe(self.ground.root, draft.request)
        shared: list[tuple[Fact, Draft]] = []
        for slot in self.slots:
            for fact in facts_of(slot, self.sampler):
                if not alone and fact.key in seen:
                    continue
                made = self.shown(fact)
                if made is None:
                    continue
                top = slot.pointer.count("/") <= 1 and fact.kind in ("field", "value", "branch")
                if alone or top:
                    yield made
                else:
                    shared.append((fact, made))
        yield from self._packed(shared)
        yield from self._together()

    def _packed(self, shared: list[tuple[Fact, Draft]]) -> Iterator[Draft]:
        """Facts that go together in as few requests as a greedy walk finds."""
        packs: list[Pack] = []
        for fact, draft in shared:
            if fact.key in {key for pack in packs for key in pack.keys if pack.draft.expect is Expect.ACCEPT}:
                continue
            # what costs more, and what is long, stays alone
            if str(fact.label).isdigit() and int(fact.label) > 64:
                packs.append(Pack(draft, {fact.key}, full=True))
                continue
            gate = "" if draft.expect is Expect.ACCEPT else draft.reason
            near = [pack for pack in packs if not pack.full and pack.gate == gate][-OPEN:]
            if not any(self._joined(pack, fact) for pack in near):
                packs.append(Pack(draft, {fact.key}, gate))
        gated = sorted(
            (p for p in packs if p.gate), key=lambda p: hashlib.sha256(str(sorted(p.keys)).encode()).digest()
        )
        dropped = {id(pack) for pack in gated[GATED:]} if self.composer.profile != Profile.EXHAUSTIVE else set()
        for pack in packs:
            if id(pack) in dropped:
                continue
            count = len(pack.keys)
            more = f" and {count - 1} more" if count > 1 else ""
            yield pack.draft.evolve(reason=pack.draft.reason + (more if pack.draft.expect is Expect.ACCEPT else ""))

    def _joined(self, pack: Pack, fact: Fact) -> bool:
        if len(pack.keys) >= PACKED:
            return False
        placed = place(pack.draft.request, self.ground.root, fact.slot.path, fact.value, self.sampler)
        if placed is None or not self.ground.root.fits(placed.request):
            return False
        if self.rules.broken(placed.request.get("body")):
            return False
        keys = pack.keys | {fact.key}
        if not keys <= observe(self.ground.root, placed.request):
            return False
        pack.draft, pack.keys = pack.draft.evolve(request=placed.request), keys
        return True

    def _cursor(self) -> str:
        """What ``after`` and ``before`` of a list may name: an object that the setup creates."""
        made = self.composer.makers.listed(self.operation)
        return "{" + made + "}" if made else IMPOSSIBLE_ID

    def shown(self, fact: Fact) -> Draft | None:
        """A valid request that shows a fact; None where none was found."""
        slot = fact.slot
        if slot.path[0] == ".query" and slot.name in ("after", "before") and fact.kind == "field":
            fact = evolve(fact, value=self._cursor())
        found = next((pair for host in self.hosts(slot.path) if (pair := self._fact_in(host, fact)) is not None), None)
        if found is None:
            return None
        host, request = found
        location = slot.path[0][1:]
        where = slot.pointer if location == "body" else slot.name
        gate = (
            ("whether a cursor that names nothing is refused is open" if fact.value == IMPOSSIBLE_ID else "")
            or gate_of(slot.pointer)
            or host.reason
            or self.levels.disputed(location, slot.pointer, fact.kind)
            or content_gate(self.operation.id, request.get("body"))
        )
        what = {"field": "the field", "branch": f"branch {fact.label} of", "value": f"value {fact.label} of"}
        return Draft(
            request=request,
            family=Family.BOUNDARY,
            role=f"fact.{fact.kind}",
            expect=Expect.EITHER if gate else Expect.ACCEPT,
            level=Level.SHOULD if gate else Level.MUST,
            reason=gate or f"{what.get(fact.kind, f'{fact.kind} of')} {where}",
            media=self.ground.media,
        )

    def _fact_in(self, host: Draft, fact: Fact) -> tuple[Draft, Mapping[str, Any]] | None:
        path = fact.slot.path
        placed = place(host.request, self.ground.root, path, fact.value, self.sampler)
        if placed is None or not self.ground.root.fits(placed.request):
            self._left_out("".join(path), fact.kind, fact.label, "no valid request with it was found")
            return None
        request = self._mended(placed.request, placed.spot)
        if request is None or find(request, self.ground.root, path)[1] < len(path):
            self._left_out("".join(path), fact.kind, fact.label, "a rule between fields excludes it")
            return None
        return host, request

    def _left_out(self, path: str, kind: str, label: str, reason: str) -> None:
        self.left_out[f"{self.ground.media} {path} {kind} {label}"] = reason

    def _mended(self, request: Mapping[str, Any], spot: tuple[Any, ...]) -> Mapping[str, Any] | None:
        body = request.get("body")
        if not isinstance(body, dict) or not self.rules.broken(body):
            return request
        keep = spot[1] if len(spot) > 1 and spot[0] == "body" else ""
        mended = self.rules.mend(body, keep, self._sample)
        if mended is None:
            return None
        made = {**request, "body": mended}
        return made if self.ground.root.fits(made) else None

    def _sample(self, name: str) -> Any:
        node = self.ground.body.properties.get(name) if self.ground.body is not None else None
        made = self.sampler.value(node, name) if node is not None else NOTHING
        return None if made is NOTHING else made

    def _together(self) -> Iterator[Draft]:
        """All optional top-level fields that go together."""
        for location in ("body", "query"):
            node = self.ground.root.properties.get(location)
            if node is None or not node.properties or not self.templates:
                continue
            request: Mapping[str, Any] = {**self.templates[0].request}
            for name in node.properties:
                value = self.sampler.value(node.properties[name], name)
                present = request.get(location) or {}
                if value is NOTHING or name in present or gate_of("/" + name) or name in ("after", "before"):
                    continue
                tried = {**request, location: {**present, name: value}}
                if self.ground.root.fits(tried) and not self.rules.broken(tried.get("body")):
                    request = tried
            yield Draft(
                request,
                role="all-fields",
                family=Family.BOUNDARY,
                reason="all fields that go together",
                media=self.ground.media,
            )

    # -- violations ---------------------------------------------------------------------------------------------

    def violations(self) -> Iterator[Draft]:
        """Top-level constraints all; nested ones spread by id, unless the profile wants every one."""
        everything = self.composer.profile == Profile.EXHAUSTIVE
        nested: list[tuple[str, Draft]] = []
        lenient: list[tuple[str, Draft]] = []
        for slot in self.slots:
            location = slot.path[0][1:]
            widest = self.levels.widest(location, slot.pointer if location == "body" else slot.name)
            for breach in breaches_of(slot, self.sampler, widest):
                made = self.broken(breach)
                if made is None:
                    continue
                key = f"{self.operation.id}{''.join(slot.path)}{breach.keyword}{breach.note}"
                rank = hashlib.sha256(key.encode()).hexdigest()
                if not everything and breach.note in ("null", "float", "extra"):
                    lenient.append((breach.note + rank, made))
                elif everything or slot.pointer.count("/") <= 1:
                    yield made
                else:
                    nested.append((rank, made))
        if isinstance(self.templates[0].request.get("body"), dict):
            lenient.append(("extra", self._unknown_field()))
        for note in ("null", "float", "extra"):
            yield from [made for rank, made in sorted(lenient, key=_rank) if rank.startswith(note)][:LENIENT]
        kept: dict[str, int] = {}
        for _, made in sorted(nested, key=_rank):
            keyword = made.breaks.keyword if made.breaks else ""
            kept[keyword] = kept.get(keyword, 0) + 1
            if kept[keyword] <= max(2, NESTED // max(len({d.breaks.keyword for _, d in nested if d.breaks}), 1)):
                yield made

    def _unknown_field(self) -> Draft:
        host = self.templates[0]
        body = {**host.request["body"], "conformance_unknown_field": "x"}
        judged = self.levels.judge("body", "", "additionalProperties", "extra")
        return host.evolve(
            request={**host.request, "body": body},
            family=Family.BOUNDARY,
            role="break.additionalProperties",
            expect=judged.expect,
            level=judged.level,
            reason=judged.reason,
            breaks=Break("", "additionalProperties"),
        )

    def broken(self, breach: Breach) -> Draft | None:
        """A request that breaks one constraint and is otherwise valid; None where that can't be built."""
        slot = breach.slot
        path = slot.path
        base = next((made for host in self.hosts(path) if (made := self._with(host.request, slot)) is not None), None)
        if base is None:
            self._left_out("".join(path), breach.keyword, "", "no valid request to break was found")
            return None
        spot = find(base, self.ground.root, path)[0]
        request = self._apply(base, spot, breach)
        if request is None or not self._only(request, breach):
            self._left_out("".join(path), breach.keyword, "", "what remains is valid in another way")
            return None
        location = str(spot[0])
        pattern = describe(path) if location == "body" else slot.name
        pointer = pointer_text(spot) if location == "body" else slot.name
        judged = self.levels.judge(location, pattern, breach.keyword, breach.note)
        return Draft(
            request=request,
            family=Family.VIOLATION if judged.expect is Expect.REJECT else Family.BOUNDARY,
            role=f"break.{breach.keyword}",
            expect=judged.expect,
            level=judged.level,
            reason=judged.reason or f"{breach.keyword} of {pointer} broken",
            breaks=Break(pointer=pointer, keyword=breach.keyword, location=location),
            media=self.ground.media,
        )

    def _with(self, request: Mapping[str, Any], slot: Slot) -> Mapping[str, Any] | None:
        """A valid request that holds a good value at a slot."""
        if find(request, self.ground.root, slot.path)[1] == len(slot.path):
            return request
        good = self.sampler.value(slot.node, slot.name, "")
        placed = None if good is NOTHING else place(request, self.ground.root, slot.path, good, self.sampler)
        mended = self._mended(placed.request, placed.spot) if placed is not None else None
        if mended is None or not self.ground.root.fits(mended):
            return None
        return mended if find(mended, self.ground.root, slot.path)[1] == len(slot.path) else None

    def _apply(self, base: Any, spot: tuple[Any, ...], breach: Breach) -> Any:
        if breach.note == "extra":
            here = get(base, spot)
            return _put(base, (*spot, "conformance_unknown_field"), "x") if isinstance(here, dict) else None
        if breach.value is NOTHING:
            return None
        if breach.value is ABSENT:
            return remove(base, spot) if isinstance(get(base, spot[:-1]), dict) else None
        return _put(base, spot, breach.value)

    def _only(self, request: Any, breach: Breach) -> bool:
        """True when a request is invalid (or, where both outcomes are right, whatever it is)."""
        text = breach.slot.path[0] != ".body" or self.ground.media.startswith("multipart/")
        if text and not self._wrong_as_text(breach):
            return False
        return breach.note in ("float", "extra") or not self.ground.root.fits(request)

    def _wrong_as_text(self, breach: Breach) -> bool:
        """True when a constraint can be broken in a query, header or form, where everything is text."""
        if breach.note == "null" or isinstance(breach.value, dict):
            return False
        if breach.keyword in ("type", "discriminator"):
            return isinstance(breach.value, str) and "array" not in breach.slot.node.types
        return True

    # -- rules ----------------------------------------------------------------------------------------------------

    def rule_breaks(self) -> Iterator[Draft]:
        """Each cross-field rule broken once."""
        for clause in self.rules.clauses:
            made = next(self._rule_broken(clause), None)
            if made is not None:
                yield made
            else:
                self.left_out[f" {clause.id} rule "] = "no valid request breaks this rule alone"

    def _rule_broken(self, clause: Clause) -> Iterator[Draft]:
        rule = clause.rule
        if rule is None:
            return
        for host in self.templates:
            body = host.request.get("body")
            if not isinstance(body, dict):
                continue
            for spot, value in spots_of(body, rule.pointer):
                if rule.named:
                    changed = NAMED[rule.named].broken(body) if rule.named in NAMED else None
                    spot = tuple(t for t in NAMED[rule.named].pointer.split("/") if t) if changed else ()
                else:
                    changed = _put({"": body}, ("", *spot), merge_patch(value, rule.breaks))[""]
                if changed is None or self.rules.broken(changed) != (clause,):
                    continue
                request = {**host.request, "body": changed}
                if not self.ground.root.fits(request):
                    continue
                either = clause.keyword == "MAY"
                yield host.evolve(
                    request=request,
                    family=Family.BOUNDARY if either else Family.VIOLATION,
                    role="break.rule",
                    expect=Expect.EITHER if either else Expect.REJECT,
                    level=Level.SHOULD,
                    reason=f"breaks the rule {clause.id}",
                    breaks=Break(pointer_text(("body", *spot)), "rule", clause=clause.id),
                )

    # -- everything -----------------------------------------------------------------------------------------------

    def drafts(self) -> Iterator[Draft]:
        """The drafts of the profile."""
        if self.composer.profile == Profile.SMOKE:
            yield from self.templates[:1]
            return
        yield from self.templates
        yield from self.boundaries()
        yield from self.violations()
        yield from self.rule_breaks()
        for other in self.others:
            yield from other.drafts()

    def made(self) -> Made:
        """The cases, each request once, with what they need."""
        known = tuple(operations_of(self.spec))
        cases: dict[str, Case] = {}
        setup: dict[str, Case] = {}
        for case in self._cases(known):
            ready, needed = self._ready(case)
            for each in needed:
                setup[f"{each.operation} {next(iter(each.creates), '')}"] = each
            _add(cases, ready)
        return Made(
            operation=self.operation.id,
            resource=self.operation.resource,
            cases=tuple(cases.values()),
            setup=tuple(setup.values()),
            fresh=tuple(c for c in setup.values() if set(c.creates) & set(FRESH.get(self.operation.id, ()))),
            by_type=tuple(sorted(self.sampler.by_type)),
            left_out=tuple(sorted(self.left_out.items())),
        )

    def _cases(self, known: tuple[str, ...]) -> Iterator[Case]:
        single = self.operation.method == "DELETE"
        base: Case | None = None
        for draft in self.drafts():
            if single and base is not None and draft.expect is Expect.ACCEPT:
                continue
            case = to_case(self.operation, draft, capability_of(self.operation, draft.request, draft.expect))
            if single and base is not None:
                case = self._nowhere(case)
            base = base or case
            yield case
        if base is None:
            return
        base = evolve(base, family=Family.TEMPLATE, reason="")
        safe = self._nowhere(base) if single else base
        paths: dict[str, set[str]] = {}
        for operation in operations_of(self.spec).values():
            paths.setdefault(operation.path, set()).add(operation.method)
        yield from probes.door(self.spec, self.operation, safe, known, paths)
        if self.composer.profile != Profile.SMOKE or self.operation.id == known[0]:
            yield probes.route(safe)
        yield from probes.transport(safe, large="large-body" in self.composer.expensive)
        yield from self._unknown_ids(base)

    def _nowhere(self, case: Case) -> Case:
        """The case with an impossible id, so that it can be sent beside the one that deletes."""
        names = [name for name in case.path_params if not name.startswith("deployment")]
        if not names:
            return case
        last = names[-1]
        return evolve(case, path_params={**case.path_params, last: impossible_id(last, self.operation)})

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
        makers = self.composer.makers
        needed, missing = makers.chain(placeholders_of(case), self.operation.path)
        if missing:
            in_path = any("{" + name + "}" in text for name in missing for text in case.path_params.values())
            case = makers.impossible(case, missing, self.operation)
            if case.expect is Expect.ACCEPT:
                why = "nothing in this version creates the object that it names"
                case = evolve(case, expect=Expect.EITHER, level=Level.SHOULD, reason=why)
                if in_path:
                    case = evolve(case, role=case.role or roles.ID_UNKNOWN)
            needed, _ = makers.chain(placeholders_of(case), self.operation.path)
        if case.expect is Expect.ACCEPT and not makers.given(self.operation):
            why = "nothing in this version creates what it names"
            case = evolve(case, expect=Expect.EITHER, level=Level.SHOULD, reason=why)
        if case.expect is Expect.ACCEPT and self.operation.id.rsplit(".", 1)[-1] in STATEFUL:
            why = "whether it is allowed depends on how far the work has come"
            case = evolve(case, expect=Expect.EITHER, level=Level.SHOULD, reason=why)
        if case.expect is not Expect.REJECT or self.operation.method == "POST":
            case = makers.declare(case, self.operation)
        case = evolve(case, cost=cost_of(case), expensive=expensive_kind(case))
        return case, needed


def _walked(pair: tuple[int, Draft]) -> int:
    return pair[0]


def _rank(pair: tuple[str, Draft]) -> str:
    return pair[0]


def _put(value: Any, spot: tuple[Any, ...], new: Any) -> Any:
    from .place import put

    return put(value, spot, new)


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

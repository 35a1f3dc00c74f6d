"""What the composition of one operation stands on: its templates, rules and levels, and how a value gets into one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from attrs import field, frozen

from conformance.requests.profile import Profile
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec

from .body_rules import BodyRules
from .drafts import Draft
from .levels import Levels
from .sampler import NOTHING, Sampler
from .schema_tree import Path, Shapes, Slot
from .setup import Makers
from .template_builders import Ground, builders_for
from .value_paths import find

__all__ = ["Bench", "Work"]


@frozen(slots=False, eq=False)
class Bench:
    """What all operations of one Spec share: the nodes of the document, and what creates what."""

    spec: Spec = field(repr=False)
    profile: str
    shapes: Shapes = field(repr=False)
    makers: Makers = field(repr=False)

    @property
    def everything(self) -> bool:
        """True where the profile wants every constraint and every fact on its own."""
        return self.profile == Profile.EXHAUSTIVE


@frozen(slots=False, eq=False)
class Work:
    """One operation in one media type. ``left_out`` collects why something documented got no request."""

    bench: Bench = field(repr=False)
    operation: Operation
    media: str | None = None
    sampler: Sampler = field(factory=Sampler, repr=False)
    left_out: dict[str, str] = field(factory=dict, repr=False)
    _hosts: dict[Path, Draft] = field(factory=dict, repr=False, init=False)

    @property
    def spec(self) -> Spec:
        """The Spec at work."""
        return self.bench.spec

    @cached_property
    def ground(self) -> Ground:
        """The shape of the requests in one media type, by default the one that requests use."""
        return Ground.of(self.spec, self.operation, self.bench.shapes, self.media)

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
        """The hand-shaped drafts that the version documents, the plainest first; else one from the schema."""
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
        return tuple(Work(self.bench, self.operation, media, self.sampler, self.left_out) for media in rest)

    def _documented(self, ground: Ground, draft: Draft) -> bool:
        return ground.strict.is_valid(draft.request) and not self.rules.broken(draft.request.get("body"))

    def _generic(self) -> Iterator[Draft]:
        value = self.sampler.value(self.ground.root)
        if value is not NOTHING:
            yield Draft(request=value, role="generic", media=self.ground.media)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Every documented place of a request."""
        return tuple(slot for slot in self.bench.shapes.slots(self.ground.root) if len(slot.path) > 1)

    def hosts(self, path: Path) -> tuple[Draft, ...]:
        """The templates to build a path into: where its parent exists, then where it exists itself."""
        parent = path[:-1]
        if parent not in self._hosts:
            ranked = ((find(d.request, self.ground.root, parent)[1], d) for d in self.templates)
            self._hosts[parent] = max(ranked, key=_walked)[1]
        first = self._hosts[parent]
        there = next((d for d in self.templates if find(d.request, self.ground.root, path)[1] == len(path)), first)
        return (first,) if there is first else (first, there)

    def leave_out(self, path: str, kind: str, label: str, reason: str) -> None:
        """Note why a fact or a constraint has no request."""
        self.left_out[f"{self.ground.media} {path} {kind} {label}"] = reason

    def mended(self, request: Mapping[str, Any], spot: tuple[Any, ...]) -> Mapping[str, Any] | None:
        """The request with its cross-field rules kept; the field at ``spot`` stays. None where that fails."""
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


def _walked(pair: tuple[int, Draft]) -> int:
    return pair[0]

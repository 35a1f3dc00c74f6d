"""What the derivation of one operation's requests builds on: templates, cross-field rules and judgement levels."""

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
from .template_builders import TemplateContext, builders_for
from .value_paths import find

__all__ = ["OperationDerivation", "SpecDerivation"]


@frozen(slots=False, eq=False)
class SpecDerivation:
    """What the operations of one Spec share.

    ``shapes`` are the nodes of the document's schemas; ``makers`` knows which operation creates which object.
    """

    spec: Spec = field(repr=False)
    profile: str
    shapes: Shapes = field(repr=False)
    makers: Makers = field(repr=False)

    @property
    def everything(self) -> bool:
        """True for the exhaustive profile: every constraint and every fact in a request of its own."""
        return self.profile == Profile.EXHAUSTIVE


@frozen(slots=False, eq=False)
class OperationDerivation:
    """The derivation of requests for one operation in one media type.

    ``left_out`` collects why something documented got no request, for the coverage report.
    """

    shared: SpecDerivation = field(repr=False)
    operation: Operation
    media: str | None = None
    sampler: Sampler = field(factory=Sampler, repr=False)
    left_out: dict[str, str] = field(factory=dict, repr=False)
    _hosts: dict[Path, Draft] = field(factory=dict, repr=False, init=False)

    @property
    def spec(self) -> Spec:
        """The Spec that requests are derived from."""
        return self.shared.spec

    @cached_property
    def context(self) -> TemplateContext:
        """What template builders get. Its media type is ``media``, by default the one that requests use."""
        return TemplateContext.of(self.spec, self.operation, self.shared.shapes, self.media)

    @cached_property
    def rules(self) -> BodyRules:
        """The cross-field rules of the operation's body."""
        return BodyRules.of(self.spec, self.operation.id)

    @cached_property
    def levels(self) -> Levels:
        """The documented refusals and widest bounds of the operation."""
        return Levels(self.spec, self.operation.id)

    @cached_property
    def templates(self) -> tuple[Draft, ...]:
        """The template drafts that are valid in this version, the plainest first. Without any: one draft from the
        schema.
        """
        found = [
            made
            for builder in builders_for(self.operation.id)
            for made in builder.build(self.context)
            if self._documented(self.context, made)
        ]
        # An operation of an imported version has no template; a request from the schema alone is better than none.
        return tuple(found) or tuple(self._generic())

    @cached_property
    def others(self) -> tuple[OperationDerivation, ...]:
        """The derivations of the same operation in its other media types."""
        if self.media is not None:
            return ()
        rest = (media for media in self.operation.body if media != self.context.media)
        return tuple(
            OperationDerivation(self.shared, self.operation, media, self.sampler, self.left_out) for media in rest
        )

    def _documented(self, context: TemplateContext, draft: Draft) -> bool:
        """Return True if a draft uses only what this version documents and lists, and keeps the cross-field rules."""
        body = draft.request.get("body")
        return context.strict.is_valid(draft.request) and not self.rules.broken(body) and self.claimed(draft)

    def claimed(self, draft: Draft) -> bool:
        """Return True if a draft shows only abilities whose features the version lists; else note why it is left out.

        An ability that a version doesn't list is not expected of a target, so nothing is sent that asks for it.
        """
        body = draft.request.get("body")
        shown = next((one for one in self.spec.unclaimed(self.operation.id) if one.shown(body)), None)
        if shown is not None:
            self.left_out[f" {shown.feature} feature "] = "the version does not list it among its features"
        return shown is None

    def _generic(self) -> Iterator[Draft]:
        """Yield one draft that is made from the schema alone."""
        value = self.sampler.value(self.context.root)
        if value is not NOTHING:
            yield Draft(request=value, role="generic", media=self.context.media)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Every place of a request that the document describes."""
        return tuple(slot for slot in self.shared.shapes.slots(self.context.root) if len(slot.path) > 1)

    def hosts(self, path: Path) -> tuple[Draft, ...]:
        """The templates into which a path can be built: the one that leads furthest to its parent, then one that has it
        already.
        """
        parent = path[:-1]
        if parent not in self._hosts:
            ranked = ((find(d.request, self.context.root, parent)[1], d) for d in self.templates)
            self._hosts[parent] = max(ranked, key=_walked)[1]
        first = self._hosts[parent]
        there = next((d for d in self.templates if find(d.request, self.context.root, path)[1] == len(path)), first)
        # The second one is tried if the path can't be built into the first.
        return (first,) if there is first else (first, there)

    def leave_out(self, path: str, kind: str, label: str, reason: str) -> None:
        """Note why a fact or a constraint has no request."""
        self.left_out[f"{self.context.media} {path} {kind} {label}"] = reason

    def mended(self, request: Mapping[str, Any], spot: tuple[Any, ...]) -> Mapping[str, Any] | None:
        """The request, changed where needed to keep its cross-field rules. Return None if that fails.

        The top-level field that contains ``spot`` stays as it is.
        """
        body = request.get("body")
        if not isinstance(body, dict) or not self.rules.broken(body):
            return request
        # The field under test must survive the repair, otherwise the request no longer tests it.
        keep = spot[1] if len(spot) > 1 and spot[0] == "body" else ""
        mended = self.rules.mend(body, keep, self._sample)
        if mended is None:
            return None
        made = {**request, "body": mended}
        return made if self.context.root.fits(made) else None

    def _sample(self, name: str) -> Any:
        """A valid value for a top-level field, or None."""
        node = self.context.body.properties.get(name) if self.context.body is not None else None
        made = self.sampler.value(node, name) if node is not None else NOTHING
        return None if made is NOTHING else made


def _walked(pair: tuple[int, Draft]) -> int:
    """The sort key of :meth:`OperationDerivation.hosts`: the number of steps that a template has of the path."""
    return pair[0]

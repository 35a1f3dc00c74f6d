"""One change between two api-versions, as a value: where, what, on what it rests, and whether it breaks a caller."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import field, frozen

from conformance.migration import location
from conformance.migration.location import Location

__all__ = ["EVERY", "Basis", "Change", "Direction", "Kind", "Subject"]

#: The operation of a change that concerns all of them.
EVERY = "*"


class Direction(StrEnum):
    """What a change concerns: what a caller sends, the answer, or the events of a streamed answer."""

    REQUEST = "request"
    ANSWER = "answer"
    STREAM = "stream"


class Kind(StrEnum):
    """What happened: something new or gone, fewer or more values allowed, another name, another default, a rule that
    only prose states.
    """

    ADDED = "added"
    REMOVED = "removed"
    NARROWED = "narrowed"
    WIDENED = "widened"
    RENAMED = "renamed"
    DEFAULT = "default"
    RULE = "prose rule"


class Subject(StrEnum):
    """To what it happened. ``form`` is a JSON type or a member of a union; ``tag`` the value that names such a member;
    ``required`` whether a field may be left out; ``size`` a bound on a number, a length or a count.
    """

    OPERATION = "operation"
    ROUTE = "route"
    STATUS = "status"
    MEDIA = "media type"
    FIELD = "field"
    VALUE = "value"
    TAG = "tag"
    VALUES = "values"
    FORM = "form"
    NULL = "null"
    REQUIRED = "required"
    WHOLE = "whole numbers"
    SIZE = "size"
    PATTERN = "pattern"
    DEFAULT = "default"
    RULE = "rule"


class Basis(StrEnum):
    """On what a change rests.

    ``service``: the service itself changes. ``document``: one document is more exact than the other, and the service
    did so before, or nobody knows. ``correction``: the published documents differ, but an erratum holds that the
    service doesn't.
    """

    SERVICE = "service"
    DOCUMENT = "document"
    CORRECTION = "correction"


@frozen
class Change:
    """One change of one operation.

    ``locations`` are the places where it shows, the shortest first; a component that stands in several has several.
    ``old`` and ``new`` are the values of the subject (a bound, an enum value, a default, an operation's route), None
    where there is none. ``needed`` is True for a field that must be sent, or is promised. ``keyword`` is the one that
    bounds a size. ``pointer`` is the place in the newer document, or in the older one for what is gone: equal pointers
    of two operations are one change of the documents. ``why`` says what the basis rests on. ``rules`` are the clauses
    that speak of the new thing alone.
    """

    operation: str
    direction: Direction
    kind: Kind
    subject: Subject
    locations: tuple[Location, ...] = ((),)
    old: Any = field(default=None, eq=False)
    new: Any = field(default=None, eq=False)
    needed: bool = False
    keyword: str = ""
    pointer: str = ""
    basis: Basis = Basis.SERVICE
    why: str = ""
    rules: tuple[str, ...] = ()

    @property
    def location(self) -> Location:
        """The shortest of the places."""
        return self.locations[0]

    @property
    def where(self) -> str:
        """The place for people."""
        return location.text(self.location)

    @property
    def key(self) -> tuple[str, str, str, str, str, str]:
        """What two comparisons of different versions have in common if they find the same change."""
        value = repr(self.new if self.kind is not Kind.REMOVED else self.old)
        named = self.subject in (Subject.VALUE, Subject.TAG, Subject.FORM, Subject.RULE, Subject.STATUS, Subject.MEDIA)
        return (
            self.operation,
            self.direction.value,
            self.where,
            self.subject.value,
            self.keyword,
            value if named else "",
        )

    @property
    def breaks(self) -> bool:
        """True if a caller who changes nothing may be refused, or may get what he did not have to expect.

        Only a change of the service breaks anybody. Values of enums and members of unions may grow in answers without
        a new version, and callers must expect it.
        """
        if self.basis is not Basis.SERVICE:
            return False
        if self.direction is Direction.REQUEST:
            if self.kind is Kind.ADDED:
                return self.needed
            # A header that means nothing any more is ignored (RFC 9110 section 5.1).
            ignored = self.kind is Kind.REMOVED and self.location[:1] == (".header",)
            return self.kind is not Kind.WIDENED and not ignored
        if self.kind in (Kind.REMOVED, Kind.RENAMED):
            return self.subject not in (Subject.VALUE, Subject.TAG)
        return self.kind is Kind.WIDENED and self.subject is not Subject.VALUES

    @property
    def group(self) -> tuple[str, ...]:
        """Equal for one change of the documents that several operations, or an answer and its stream, show."""
        sent = str(self.direction is Direction.REQUEST)
        return (self.pointer or self.where, sent, self.kind.value, self.subject.value, *self.key[4:])

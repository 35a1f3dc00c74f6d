"""A passage: one request of a client, what reached the upstream for it, and what the client got.

A record is all of them, with what reached the upstream although nobody had asked.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property

from attrs import frozen

from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.upstream import UpstreamCall
from conformance.requests.case import Case
from conformance.verdict import Level

__all__ = ["Difference", "Kind", "Passage", "Record", "Side"]

#: An index of a list, or the number of a choice, call or item in the value of a stream.
_INDEX = re.compile(r"^\d+$|(?<=choice )\d+|(?<=_index )\d+|(?<=call )\d+")


class Side(StrEnum):
    """The direction in which something was altered."""

    REQUEST = "request"
    ANSWER = "answer"


class Kind(StrEnum):
    """How something was altered."""

    DROPPED = "dropped"
    ADDED = "added"
    CHANGED = "changed"
    RENAMED = "renamed"
    REORDERED = "reordered"
    MERGED = "merged"
    SPLIT = "split"
    LATE = "late"
    REPEATED = "repeated"
    REFUSED = "refused"
    REPAIRED = "repaired"
    INVENTED = "invented"
    LEAKED = "leaked"
    SPELLED = "spelled"
    LIMITED = "limited"


@frozen
class Difference:
    """One alteration. ``where`` is a JSON Pointer (``/messages/0/content``), ``header:name``, ``query:name``,
    ``status``, ``stream`` or ``connection``. ``field`` is ``where`` with ``*`` for every index, so that equal
    alterations of many requests are one row of a table.
    """

    rule: str
    level: Level
    side: Side
    kind: Kind
    where: str
    case: str
    operation: str
    before: str = ""
    after: str = ""
    told: str = ""

    @property
    def field(self) -> str:
        """The place without indexes: ``/messages/*/content``, ``/choices/choice */delta``."""
        return "/".join(_INDEX.sub("*", part) for part in self.where.split("/"))


@frozen(slots=False)
class Passage:
    """One request through the gateway.

    ``through`` is the client's side: the request as sent to the gateway and the answer as received from it. ``began``
    and ``over`` are seconds of the clock that the upstream's calls use: when the client began to send, and when its
    exchange ended. ``calls`` are the requests that reached the upstream in the meantime, in order of arrival.
    ``direct`` is the same case sent to the upstream without the gateway; None if it wasn't. ``fault`` names what the
    upstream was asked to do wrong. ``secret`` is the digest under which the client's key would appear in a call's
    ``credentials``; "" if client and gateway share the upstream's key on purpose. ``upstream`` is the authority
    (``127.0.0.1:8686``) of the upstream. ``unclear`` says why the calls can't be told from those of other requests; ""
    if they can. ``one_sided`` is True if the upstream isn't ours, so that nothing can be seen of what reached it.
    ``probe`` is the id of the case that went wrong, if this is a healthy request that was sent in order to see whether
    the gateway still serves; "" for others. ``volley`` numbers the requests that were under way at once; 0 for one that
    was alone. ``gathered`` is the number of requests for which the upstream waited before it answered any of them; 0 if
    it didn't wait.
    """

    case: Case
    through: Exchange
    began: float = 0.0
    over: float = 0.0
    calls: tuple[UpstreamCall, ...] = ()
    direct: Exchange | None = None
    fault: str = ""
    secret: str = ""
    upstream: str = ""
    unclear: str = ""
    one_sided: bool = False
    probe: str = ""
    volley: int = 0
    gathered: int = 0

    @property
    def call(self) -> UpstreamCall | None:
        """The request that the client's answer belongs to: the last one that was answered, or the last."""
        answered = [call for call in self.calls if call.answer is not None]
        return answered[-1] if answered else (self.calls[-1] if self.calls else None)

    @property
    def answer(self) -> Response | None:
        """What the upstream answered; None if nothing reached it or it gave no answer."""
        return self.call.answer if self.call is not None else None

    @property
    def got(self) -> Response | None:
        """What the client got; None if it got no answer."""
        return self.through.response

    @cached_property
    def cancelled(self) -> bool:
        """True if the client closed the connection before the end on purpose."""
        return self.case.cancel_after is not None


@frozen
class Record:
    """All that was seen of a gateway: the passages in order, and what reached the upstream outside of them."""

    passages: tuple[Passage, ...]
    strays: tuple[UpstreamCall, ...] = ()

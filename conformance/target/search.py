"""The search for what creations without an answer made, in the lists of the API. A list holds objects of others too.

An object is taken for that of a creation only if four things hold. It carries the mark of that very request, which no
other request has. It was created between the sending and the end of the request's time, by the target's own clock. No
other object of the list carries the same mark: whoever copies it makes it worthless. No journal line names it already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.target.created import carries
from conformance.target.guards import is_impossible
from conformance.target.ledger import Unanswered

__all__ = ["Searched", "search"]

#: How many pages of one list are read. With the documented maximum of a page that is 2,000 objects.
PAGES = 20

#: Seconds by which a creation may seem to be too early or too late: clocks tell whole seconds.
_ROUNDED = 3.0

#: Sends one page's request; None if it could not be sent.
Send = Callable[[Case], Exchange | None]


@frozen
class Searched:
    """The result: the id of the object by number of the creation, and why the other creations have none."""

    found: Mapping[int, str] = field(factory=dict)
    reasons: Mapping[int, str] = field(factory=dict)


@frozen
class _Read:
    """What was read of one list. ``fault`` says why its rest could not be read; "" if all of it was, or all that is as
    young as the creations.
    """

    objects: tuple[dict[str, Any], ...]
    fault: str = ""


def search(wanted: tuple[Unanswered, ...], ahead: float | None, send: Send, known: Callable[[str], bool]) -> Searched:
    """Look for the objects of some creations.

    ``ahead`` is the number of seconds by which the target's clock is ahead of ours, None if the target told no time.
    ``known`` is True for an id that the journal has. Each list is read once.
    """
    found: dict[int, str] = {}
    reasons: dict[int, str] = {}
    lists: dict[str, list[Unanswered]] = {}
    for one in wanted:
        if one.listing is None:
            reasons[one.seq] = "no operation lists such objects"
        elif not one.marks:
            reasons[one.seq] = "the request had no field for a mark by which its object could be told from others"
        elif ahead is None:
            reasons[one.seq] = "the target tells no time by which its object could be told from others"
        else:
            lists.setdefault(one.listing.path, []).append(one)
    for group in lists.values():
        read = _read(group[0].listing, min(one.at for one in group) + (ahead or 0.0) - _ROUNDED, send)
        for one in group:
            same = [item for item in read.objects if carries(item, one.marks)]
            reasons[one.seq] = read.fault or _doubt(one, same, len(read.objects), ahead or 0.0, known)
            if not reasons[one.seq]:
                found[one.seq] = same[0]["id"]
    return Searched(found, reasons)


def _doubt(one: Unanswered, same: list[dict[str, Any]], many: int, ahead: float, known: Callable[[str], bool]) -> str:
    """Why the objects with the mark of a creation, found among ``many``, are not taken for its own; "" if one is."""
    if not same:
        return f"none of the {many} objects in its list carries its mark"
    if len(same) > 1:
        return f"{len(same)} objects in its list carry its mark, and nobody can say which one is its own"
    if known(same[0]["id"]):
        return "the object with its mark was made by another request"
    return "" if _in_time(same[0], one, ahead) else "the object with its mark was not created while it was under way"


def _read(listing: Case | None, since: float, send: Send) -> _Read:
    """The objects of a list. Reading ends with the first page that holds nothing as young as ``since``, if the newest
    come first.
    """
    objects: list[dict[str, Any]] = []
    cursors = {""}
    asked = listing
    for _ in range(PAGES):
        if asked is None or listing is None:
            return _Read(tuple(objects))
        exchange = send(asked)
        if exchange is None or exchange.response is None or not exchange.ok:
            status = "not sent" if exchange is None else f"answered {exchange.status or 'not at all'}"
            return _Read(tuple(objects), f"GET {listing.path} was {status}")
        page = exchange.response.json
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            return _Read(tuple(objects), f"the answer to GET {listing.path} is no list")
        held = list(_objects(page["data"]))
        objects += held
        cursor = held[-1]["id"] if held else ""
        newest_first = ("order", "desc") in listing.query
        over = newest_first and held and all(_time(item) is not None and (_time(item) or 0) < since for item in held)
        if over or not page.get("has_more") or cursor in cursors:
            return _Read(tuple(objects))
        cursors.add(cursor)
        asked = evolve(listing, query=(*listing.query, ("after", cursor)))
    return _Read(tuple(objects), f"only the first {PAGES} pages of {listing.path if listing else ''} were read")


def _objects(data: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a page that have an id which can be sent."""
    for item in data:
        if isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"] and not is_impossible(item["id"]):
            yield item


def _in_time(item: Mapping[str, Any], one: Unanswered, ahead: float) -> bool:
    """True if an object was created while its request could be under way, by the target's clock."""
    made = _time(item)
    sent = one.at + ahead
    return made is not None and sent - _ROUNDED <= made <= sent + one.lasts + _ROUNDED


def _time(item: Mapping[str, Any]) -> float | None:
    """When an object was created, in seconds since the Unix epoch; None if it doesn't say."""
    value = item.get("created_at")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

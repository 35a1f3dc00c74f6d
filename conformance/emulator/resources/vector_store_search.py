"""What the files of a vector store hold, and searching it.

A file that was uploaded holds its own text. Of any other only the id is known, and its text is made up from that, the
same each time. A file's score is the share of the words of the best query that its text or name has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.inference.text import reply
from conformance.emulator.resources.files import content_of
from conformance.emulator.resources.objects import Value, ids, members
from conformance.emulator.resources.vector_store_files import process_waiting
from conformance.evidence.exchange import Response

#: The number of results if the request doesn't say it: the documented default.
_RESULTS = 10

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "gt": gt, "gte": ge, "lt": lt, "lte": le}


@handles("vector_stores.files.content")
def content(call: Call) -> Response:
    """The text of a file in a store, on one page."""
    store_id, file_id = ids(call)
    store = call.found(call.store.collection("vector-stores"), store_id, "vector store")
    files = call.store.collection("vector-store-files", store["id"])
    found = call.found(files, file_id, "vector store file")
    process_waiting(call, store["id"])
    data = [_part(_text(call, found["id"]))] if found["status"] == "completed" else []
    page = {"object": "vector_store.file_content.page", "data": data, "has_more": False, "next_page": None}
    return call.json({**page, "file_id": found["id"], "filename": _name(call, found["id"])})


@handles("vector_stores.search")
def search(call: Call) -> Response:
    """The files that fit best, the best first, on one page."""
    store = call.found(call.store.collection("vector-stores"), ids(call)[0], "vector store")
    process_waiting(call, store["id"])
    given = call.body["query"]
    queries = [given] if isinstance(given, str) else list(given)
    least = members(call.get("ranking_options", {})).get("score_threshold", 0)
    found = []
    for file in call.store.collection("vector-store-files", store["id"]):
        wanted = call.get("filters")
        if file["status"] != "completed" or (wanted and not _fits(file["attributes"], wanted)):
            continue
        text, name = _text(call, file["id"]), _name(call, file["id"])
        score = max((_score(query, f"{name} {text}") for query in queries), default=0.0)
        if score >= least:
            shown = {"file_id": file["id"], "filename": name, "score": score, "attributes": file["attributes"]}
            found.append({**shown, "content": [_part(text)]})
    # The sort is stable, so files of one score stay in the order in which they were attached.
    found.sort(key=lambda one: -one["score"])
    # JSON has one kind of numbers: 3.0 is an integer too.
    most = int(call.get("max_num_results", _RESULTS))
    page = {"object": "vector_store.search_results.page", "search_query": queries, "data": found[:most]}
    return call.json({**page, "has_more": False, "next_page": None})


def _part(text: str) -> Value:
    return {"type": "text", "text": text}


def _text(call: Call, file_id: str) -> str:
    """The text of a file; bytes that are no UTF-8 are replaced."""
    data = content_of(call, file_id)
    return reply(file_id) if data is None else data.decode("utf-8", "replace")


def _name(call: Call, file_id: str) -> str:
    known = call.store.collection("files").get(file_id)
    return str(known["filename"] if known else file_id)


def _score(query: str, text: str) -> float:
    """The share of the words of the query that the text has, from 0 to 1."""
    asked, there = set(re.findall(r"\w+", query.lower())), set(re.findall(r"\w+", text.lower()))
    return round(len(asked & there) / len(asked), 4) if asked else 0.0


def _fits(attributes: Mapping[str, Any], wanted: Any) -> bool:
    """Do the attributes of a file satisfy a filter: a comparison, or several joined by ``and`` or ``or``?"""
    kind = members(wanted).get("type")
    if kind in ("and", "or"):
        inner = (_fits(attributes, one) for one in wanted.get("filters", ()))
        return all(inner) if kind == "and" else any(inner)
    compare, value = _COMPARISONS.get(str(kind)), attributes.get(members(wanted).get("key", ""))
    if compare is None or value is None:
        # Nothing is equal to an attribute that isn't there, and everything differs from it.
        return kind == "ne"
    try:
        return compare(value, wanted.get("value"))
    except TypeError:
        # A text is neither less nor more than a number.
        return False
